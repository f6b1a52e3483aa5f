import { z } from 'zod';

/** What people can have done with a pull request through Deckhand, as a button asks for it. */
export const pullErrandSchema = z.enum(['merge', 'ready', 'fix_ci', 'address']);
export type PullErrandKind = z.infer<typeof pullErrandSchema>;

/** What is done with a pull request: what people ask for, and `delete_branch`, which comes by itself once it is over. */
export const errandSchema = z.enum([...pullErrandSchema.options, 'delete_branch']);
export type ErrandKind = z.infer<typeof errandSchema>;

/** Something about a pull request that its thread is told. Names and texts come from outside: data, never markup. */
export const pullNewsSchema = z.discriminatedUnion('type', [
  /** All checks of the newest commit have ended, or one has failed. */
  z.object({ type: z.literal('checks'), state: z.enum(['passed', 'failed']), failed: z.array(z.string()) }),
  z.object({
    type: z.literal('review'),
    by: z.string(),
    verdict: z.enum(['approved', 'changes_requested', 'commented', 'dismissed']),
  }),
  z.object({ type: z.literal('comments'), count: z.number().int().positive() }),
  /** Somebody else has pushed to its branch. */
  z.object({ type: z.literal('pushed'), commit: z.string() }),
  z.object({ type: z.literal('conflict'), base: z.string() }),
  /** Nothing keeps it from being merged any more. */
  z.object({ type: z.literal('mergeable') }),
  z.object({ type: z.literal('ready') }),
  z.object({ type: z.literal('reopened') }),
  z.object({ type: z.literal('closed') }),
  z.object({ type: z.literal('merged'), commit: z.string().optional() }),
  /** What somebody asked for could not be done. `why` is a sentence. */
  z.object({ type: z.literal('refused'), errand: pullErrandSchema, why: z.string() }),
]);
export type PullNews = z.infer<typeof pullNewsSchema>;
