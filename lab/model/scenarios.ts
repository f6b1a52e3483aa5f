import type { Scenario } from './action.ts';
import { fix } from './scenario-fix.ts';

/** What the scripted model can do, in the order in which a prompt that asks for several gets it. */
export const scenarios: readonly Scenario[] = [
  {
    name: 'fix',
    example: 'fix the failing test',
    matches: (prompt) => /\b(fix|repair)\b|\bfailing test\b/i.test(prompt),
    play: fix,
  },
  {
    name: 'idle',
    example: 'hello',
    matches: (prompt) => /^\W*(hello|hi|hey|idle|ping|thanks|thank you)\b/i.test(prompt),
    play: () => 'Hello. I am the scripted model and wait for work.',
  },
];
