import type { AgentKind, AgentOffer } from '../contracts/agent.ts';
import { AppError } from '../contracts/errors.ts';
import { nearest } from './nearest.ts';

type Models = NonNullable<AgentOffer['models']>;

/** Words that programs take for the newest model of a kind, whatever the server lists. */
const aliases: Partial<Record<AgentKind, ReadonlySet<string>>> = {
  'claude-code': new Set(['opus', 'sonnet', 'haiku', 'opusplan']),
};

/**
 * Throws DH-216 for a model that the server of the agent does not have, as it lists them itself. Where it does not, the answer is what to
 * say about one that nobody knows here: it may be right. Undefined: it is known, or nothing is known of models.
 */
export function checkModel({ agent, models }: Pick<AgentOffer, 'agent' | 'models'>, model: string): string | undefined {
  if (models === undefined || hasModel(agent, models, model)) return undefined;
  const near = nearest(model, models.names);
  if (models.from === 'server') {
    throw new AppError('DH-216', {
      what: `The model server of \`${agent}\` has no model \`${model}\`.`,
      instead: near.length > 0 ? `Did you mean ${quoted(near)}?` : `It has ${listed(models)}.`,
    });
  }
  const meant = near.length === 0 ? '' : ` Did you mean ${quoted(near)}?`;
  return `It is not known here whether the server of \`${agent}\` has it; if not, the next request fails.${meant}`;
}

function hasModel(agent: AgentKind, { names, usual }: Models, model: string): boolean {
  const wanted = bare(model);
  if (aliases[agent]?.has(wanted) === true) return true;
  return [...names, ...(usual === null ? [] : [usual])].some((name) => bare(name) === wanted);
}

/** Names with and without a date, or the mark of a long context, mean the same model. */
function bare(model: string): string {
  return model
    .toLowerCase()
    .replace(/\[1m\]$/, '')
    .replace(/-(?:\d{8}|\d{4}-\d{2}-\d{2}|latest)$/, '');
}

const mostShown = 10;

/** The first models for people, the usual one marked. */
export function listed({ names, usual }: Models): string {
  const all = usual === null ? names : [usual, ...names.filter((name) => name !== usual)];
  const shown = all.slice(0, mostShown).map((name) => `\`${name}\`${name === usual ? ' (default)' : ''}`);
  const more = all.length - shown.length;
  return `${shown.join(', ')}${more === 0 ? '' : ` and ${more} more`}`;
}

function quoted(names: readonly string[]): string {
  return names.map((name) => `\`${name}\``).join(', ');
}
