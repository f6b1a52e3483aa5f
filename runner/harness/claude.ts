import { defaultModel, driveClaude } from './claude-loop.ts';
import type { Harness } from './port.ts';

/** The built-in loop on the Messages API. It thinks in the control plane, and works in the sandbox by its tools. */
export const claude: Harness = {
  kind: 'claude',
  capabilities: {
    asks: true,
    modes: ['auto', 'ask', 'acceptEdits', 'plan', 'bypass'],
    efforts: ['low', 'medium', 'high', 'max'],
    changes: { mode: true, model: true, effort: true },
    questions: true,
    steering: { next: true, now: true },
    resume: true,
    models: ['anthropic'],
    usualModel: defaultModel,
  },
  launch: () => ({ argv: undefined, env: {}, files: [], keeps: [] }),
  drive: driveClaude,
};
