import { z } from 'zod';

/** How a change comes to the newest commit of its base branch: by the runner itself, or by the agent of its task, which resolves conflicts. */
export const rebaseHowSchema = z.enum(['rebase', 'resolve']);
export type RebaseHow = z.infer<typeof rebaseHowSchema>;

/** What a run is for when that is not what its task asks for. `revert`: to undo a merged pull request of the task on the newest base. */
export const runPurposeSchema = z.enum([...rebaseHowSchema.options, 'revert']);
export type RunPurpose = z.infer<typeof runPurposeSchema>;

/** Its change is made from commits alone: no sandbox, no command, no agent. */
export function runsNothing(purpose: RunPurpose | null | undefined): boolean {
  return purpose === 'rebase' || purpose === 'revert';
}
