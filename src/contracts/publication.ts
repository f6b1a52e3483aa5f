import { z } from 'zod';

/** `push`: a branch. `pull_request`, `draft`: a branch and a pull request, or a draft of one. */
export const publishWhatSchema = z.enum(['push', 'pull_request', 'draft']);
export type PublishWhat = z.infer<typeof publishWhatSchema>;

/** `src/tasks/publish-state.ts` says what leads from one to another. The last two are ends. */
export const publicationStateSchema = z.enum(['pending', 'pushing', 'pushed', 'opening', 'done', 'failed']);
export type PublicationState = z.infer<typeof publicationStateSchema>;

/** States in which a publication is under way. */
export const livePublication = ['pending', 'pushing', 'pushed', 'opening'] as const satisfies PublicationState[];
