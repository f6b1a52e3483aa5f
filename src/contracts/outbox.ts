import { z } from 'zod';
import { conversationSchema, identityRefSchema, messageRefSchema } from './platform.ts';
import { formSchema, viewFileSchema, viewSchema } from './view.ts';

/**
 * "This message must look like this." The only way anything reaches a platform (promise 6).
 *
 * Rows have a `key`, unique in the workspace: putting a row again under the same key gives it a new version, the sender
 * coalesces to the newest. One-shot payloads (all but `message`, `home` and a `direct` that follows) are put once; a second put under the
 * key is ignored.
 */
export const outboxPayloadSchema = z.discriminatedUnion('type', [
  /**
   * A message that is sent once and then edited to each newer version. Files go up once, after the first send. `answers`: who has caused
   * it, with the handle of the act; it is shown to them alone when it cannot be posted.
   */
  z.object({
    type: z.literal('message'),
    view: viewSchema,
    answers: z.object({ user: identityRefSchema, reply: z.string().optional() }).optional(),
  }),
  /**
   * Seen by one person only; a direct message where the platform cannot. `reply`: sealed handle of the act being answered. `replaces`: that act
   * was a press on such a message, whose place this one takes where the platform can.
   */
  z.object({
    type: z.literal('ephemeral'),
    user: identityRefSchema,
    view: viewSchema,
    reply: z.string().optional(),
    replaces: z.literal(true).optional(),
    /** What is said where others read along, after the person's name, when it cannot reach them; left out: that an answer waits for them. */
    aside: z.string().optional(),
  }),
  /**
   * A message in the direct conversation with a person. `follows`: it is edited to each newer version, like a `message`. `thread`: ours,
   * of the task it is about, in which the person is told when it is refused.
   */
  z.object({
    type: z.literal('direct'),
    user: identityRefSchema,
    view: viewSchema,
    follows: z.literal(true).optional(),
    thread: z.string().optional(),
  }),
  /**
   * A form for whoever caused `trigger`, opened until `expiresAt`. Where forms are guided (see `Capabilities.forms`) it needs neither: the
   * fields are asked one by one, and the answers come back as the same `form` event.
   */
  z.object({
    type: z.literal('form'),
    trigger: z.string().optional(),
    form: formSchema,
    user: identityRefSchema,
    expiresAt: z.iso.datetime(),
  }),
  z.object({
    type: z.literal('reaction'),
    message: messageRefSchema,
    mark: z.enum(['received', 'read', 'refused']),
    on: z.boolean(),
  }),
  /** Takes away what a person wrote and nobody may read any longer. `user`: who wrote it, and is told when that cannot be done; `reply`: of their act. */
  z.object({
    type: z.literal('removal'),
    message: messageRefSchema,
    user: identityRefSchema,
    reply: z.string().optional(),
  }),
  z.object({ type: z.literal('files'), files: z.array(viewFileSchema), comment: z.string().optional() }),
  z.object({ type: z.literal('home'), user: identityRefSchema, view: viewSchema }),
]);
export type OutboxPayload = z.infer<typeof outboxPayloadSchema>;

/** Decisions first, then what ends a task or answers a person, then first cards, then progress. */
export const priorities = { decision: 0, final: 1, reply: 2, card: 3, progress: 4 } as const;
export type Priority = (typeof priorities)[keyof typeof priorities];

/**
 * Where a row goes: a conversation known now, or a thread of ours. A thread that was opened by a slash command has no platform id
 * until its first message (the row with `anchor: true`) is sent; other rows of that thread wait for it.
 */
export const outboxTargetSchema = z.discriminatedUnion('type', [
  z.object({ type: z.literal('conversation'), conversation: conversationSchema }),
  z.object({ type: z.literal('thread'), thread: z.string(), anchor: z.boolean() }),
]);
export type OutboxTarget = z.infer<typeof outboxTargetSchema>;

export interface OutboxPut {
  workspace: string;
  key: string;
  target: OutboxTarget;
  payload: OutboxPayload;
  priority: Priority;
  /** The step of a trace that it comes from; left out: what goes on around the put. */
  traceparent?: string | null | undefined;
}
