import { z } from 'zod';

/** How much of a run a channel sees: only decisions and the end, the steps (default), or every line. */
export const verbositySchema = z.enum(['quiet', 'steps', 'everything']);
export type Verbosity = z.infer<typeof verbositySchema>;

export const branchesSchema = z.enum(['keep', 'delete']);
export const mentionsSchema = z.enum(['write', 'off']);

/** Limits of a project, with the defaults new projects get. */
export const projectLimitsSchema = z.object({
  /** Runs of this project at once. */
  concurrency: z.number().int().min(1).max(100),
  /** A command that runs longer is stopped. */
  timeoutMs: z
    .number()
    .int()
    .min(1000)
    .max(24 * 60 * 60 * 1000),
  /** What becomes of Deckhand's branch at the code host once its pull request is over; absent: `delete`. */
  branches: branchesSchema.optional(),
  /** Labels that a runner must have to take its runs (contracts/labels.ts); absent: any runner does. */
  runsOn: z.array(z.string()).optional(),
  /** Who may ask in issues and pull requests of the repository: whoever may write to it (absent: the same), or nobody. */
  mentions: mentionsSchema.optional(),
  /** Hosts whose addresses are links on cards (contracts/hosts.ts); absent: none is. */
  links: z.array(z.string()).optional(),
});
export type ProjectLimits = z.infer<typeof projectLimitsSchema>;
export const defaultProjectLimits: ProjectLimits = { concurrency: 2, timeoutMs: 30 * 60 * 1000 };
