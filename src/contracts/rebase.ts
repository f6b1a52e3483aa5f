import { z } from 'zod';

/** How a change comes to the newest commit of its base branch: by the runner itself, or by the agent of its task, which resolves conflicts. */
export const rebaseHowSchema = z.enum(['rebase', 'resolve']);
export type RebaseHow = z.infer<typeof rebaseHowSchema>;
