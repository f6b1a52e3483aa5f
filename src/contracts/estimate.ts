import { z } from 'zod';

/** `usual`: the middle of what there was; `high`: nine of ten did not go beyond it. */
const spreadSchema = z.object({ usual: z.number().nonnegative(), high: z.number().nonnegative() });

/** What a task will probably use, made of the last ones of its project with the same agent and model. */
export const estimateSchema = z.object({
  /** Of how many tasks it was made. */
  tasks: z.number().int().positive(),
  /** US dollars; absent: too few of them had a known price. */
  costUsd: spreadSchema.optional(),
  /** Tokens read anew and written. */
  tokens: spreadSchema,
  /** Milliseconds, without what was waited for people. */
  ms: spreadSchema,
});
export type Estimate = z.infer<typeof estimateSchema>;

/** What a task that is over has used. */
export interface PastTask {
  /** US dollars; null: not all of its requests had a known price. */
  costUsd: number | null;
  /** Tokens read anew and written. */
  tokens: number;
  /** Time that its runs took, without what they waited for people. Milliseconds. */
  ms: number;
}
