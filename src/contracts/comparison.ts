import { z } from 'zod';

/** How many attempts at a task can be made side by side. */
export const attemptsLimits = { least: 2, most: 5 } as const;

/**
 * How the attempts of a task stand that were made side by side; `src/tasks/comparison-state.ts` says what may become of it. `running`: not
 * all have ended. `open`: people are to choose one of those that have changed something. `chosen`: they have. `unchanged`: none has changed
 * anything, so that there is nothing to choose.
 */
export const comparisonStateSchema = z.enum(['running', 'open', 'chosen', 'unchanged']);
export type ComparisonState = z.infer<typeof comparisonStateSchema>;
