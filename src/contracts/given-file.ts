import { z } from 'zod';
import { conversationSchema } from './platform.ts';

/**
 * Files that people attach to what they say to an agent. The gateway fetches them from the platform, and the agent finds them in its
 * working copy. Nothing in them, their names included, is trusted.
 */
export const givenFolder = '.deckhand/in';

/** What is fetched for one request, or for one message to a running agent; more is left out and said so. Sizes in bytes. */
export const givenLimits = { files: 20, fileBytes: 20 * 1024 ** 2, allBytes: 50 * 1024 ** 2 } as const;

/** A file in a message of a platform, as its adapter finds it again. */
export const attachedFileSchema = z.object({
  conversation: conversationSchema,
  /** The message that bears it. */
  message: z.string(),
  /** The platform's id of the file. */
  id: z.string(),
});
export type AttachedFile = z.infer<typeof attachedFileSchema>;

/** What a platform gives for a file: what it is called in truth, and its bytes as they come. */
export interface FileDownload {
  name?: string | undefined;
  mime?: string | undefined;
  /** Its whole size, where it is told before the bytes. */
  bytes?: number | undefined;
  /** Reading it rejects with DeliveryError. Left early it lets go of the connection. */
  content: AsyncIterable<Uint8Array>;
}

/** How a file came: with the request, in what was said before it, in a message to the agent at work, in an earlier turn. */
export const cameSchema = z.enum(['request', 'before', 'message', 'earlier']);
export type Came = z.infer<typeof cameSchema>;

/** A file that the agent of a run is given. Rows from before it was told more know only artifact and name. */
export const givenFileSchema = z.object({
  artifact: z.string(),
  /** A plain name, the only one of its kind among the files of the run: `.deckhand/in/<name>`. */
  name: z.string(),
  mime: z.string().optional(),
  bytes: z.number().int().nonnegative().optional(),
  by: z.string().optional(),
  /** How far whoever attached it is trusted: a role, `external` or `bot`. */
  trust: z.string().optional(),
  came: cameSchema.optional(),
});
export type GivenFile = z.infer<typeof givenFileSchema>;

/** A file that somebody attached, before it is fetched. */
export interface FileToGive {
  source: AttachedFile;
  /** As the platform tells it. */
  name: string;
  mime?: string | undefined;
  bytes?: number | undefined;
  by: string;
  trust?: string | undefined;
  came: 'request' | 'before' | 'message';
}
