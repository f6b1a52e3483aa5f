import { z } from 'zod';

/** `usual`: the middle of what there was; `high`: nine of ten did not go beyond it. */
const spreadSchema = z.object({ usual: z.number().nonnegative(), high: z.number().nonnegative() });

/**
 * How like the one that begins those were that an estimate is made of, from the least on: the same agent; with the same model, too; with the same
 * effort, too; with the same account, too.
 */
export const likenesses = ['agent', 'model', 'effort', 'account'] as const;
export type Likeness = (typeof likenesses)[number];

/** Of fewer that are as like each other nothing is told. */
export const leastAlike = 5;

/** What a task, or a further run of one, will probably use, made of the last ones of its project. */
export const estimateSchema = z.object({
  /** Of how many it was made. */
  tasks: z.number().int().positive(),
  /** Tasks with all their runs, or single runs that went on with one; absent: tasks. */
  of: z.enum(['tasks', 'runs']).optional(),
  /** Absent: not noted. */
  like: z.enum(likenesses).optional(),
  /** US dollars; absent: too few of them had a known price. */
  costUsd: spreadSchema.optional(),
  /** Tokens read anew and written. */
  tokens: spreadSchema,
  /** Milliseconds, without what was waited for people. */
  ms: spreadSchema,
});
export type Estimate = z.infer<typeof estimateSchema>;

/** What a task, or a further run, that is over has used. */
export interface PastWork {
  /** US dollars; null: not all of its requests had a known price. */
  costUsd: number | null;
  /** Tokens read anew and written. */
  tokens: number;
  /** Time that it took, without what it waited for people. Milliseconds. */
  ms: number;
}
