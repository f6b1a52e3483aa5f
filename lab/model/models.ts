import type { Json } from '../slack/json.ts';

const claude = [
  ['claude-opus-4-8', 'Claude Opus 4.8', '2026-05-05T00:00:00Z'],
  ['claude-sonnet-5', 'Claude Sonnet 5', '2026-06-09T00:00:00Z'],
  ['claude-haiku-4-5-20251001', 'Claude Haiku 4.5', '2025-10-01T00:00:00Z'],
] as const;

/** What the list of models holds; other names that begin like these work too. */
export const anthropicModels: Json = {
  data: claude.map(([id, name, at]) => ({ type: 'model', id, display_name: `${name} (scripted)`, created_at: at })),
  has_more: false,
  first_id: claude[0][0],
  last_id: claude[2][0],
};

export const openaiModels: Json = {
  object: 'list',
  data: ['gpt-6.1-sol', 'gpt-6-luna', 'gpt-5.1-codex'].map((id) => ({
    id,
    object: 'model',
    created: 1_780_000_000,
    owned_by: 'scripted',
  })),
};
