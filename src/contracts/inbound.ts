import { z } from 'zod';
import { affiliationSchema } from './affiliation.ts';
import { conversationSchema } from './platform.ts';

/**
 * What a platform adapter hands over: one thing a person did, in words that no platform owns.
 * It is stored as a row before the platform hears "ok" (promise 1), so it must be plain JSON.
 *
 * - `key`: what is the same on every redelivery of the same act and different for every other act of this platform and
 *   tenant (promise 2). Slack: `msg:<team>:<channel>:<ts>` for a message, so that the `message` and `app_mention` events of
 *   one message are one; `cmd:<trigger_id>`; `act:<container>:<action_ts>:<user>:<action_id>`; `view:<id>:<hash>`.
 * - `replyTo`: the message that this one answers, where the platform's threads are chains of replies (Telegram), or where it stands
 *   beside a message of ours and outside its thread (Discord). Whose thread it belongs to is known to whoever sent that message, not to the adapter: `conversation.thread` is absent then.
 * - `below`: the thread that an answer to this message opens, where its id is known before it exists (Slack: the id of the message).
 *   Without it an answer in a channel stands at the top level, and the first card of a task opens a thread of its own.
 * - `about`: what the thread is at the code host, where the conversation is one (GitHub).
 * - `keys`: what was taken out of its texts before they were stored, in words ("a GitHub token"); no adapter sets it (access/typed-secrets.ts).
 * - `reply`: sealed, opaque handle by which the adapter can answer this very act (Slack `response_url`); short-lived.
 * - `trigger`: sealed, opaque handle that lets the adapter open a form (Slack `trigger_id`, 3 s).
 */
const base = {
  key: z.string().min(1),
  /** When the person acted, as the platform says (ISO 8601). */
  at: z.iso.datetime(),
  conversation: conversationSchema,
  /** Human name of the channel where the platform tells it. */
  channelName: z.string().optional(),
  /**
   * Whether only people who were let in read the channel, where the platform tells it. `unknown`: it does, but not this time: what is heard of for
   * the first time counts as private then.
   */
  channelPrivate: z.union([z.boolean(), z.literal('unknown')]).optional(),
  actor: z.object({
    user: z.string().min(1),
    name: z.string().optional(),
    /** Bots and integrations: never obeyed. Adapters drop them where they can tell. */
    bot: z.boolean(),
    /** Absent: the platform says nothing of it with this act, what is known counts. */
    affiliation: affiliationSchema.optional(),
  }),
  replyTo: z.string().optional(),
  keys: z.array(z.string().min(1)).optional(),
  reply: z.string().optional(),
  trigger: z.string().optional(),
};

export const attachmentSchema = z.object({
  id: z.string(),
  name: z.string(),
  mime: z.string().optional(),
  bytes: z.number().int().nonnegative().optional(),
});

export const inboundEventSchema = z.discriminatedUnion('type', [
  /**
   * A slash command: `text` is what follows `/deckhand`. `typed`: all of it as the person can send it again, where the platform does not
   * leave it standing (Slack, Discord). `message`: the message that it is, where it stands for all to read (Telegram).
   */
  z.object({
    ...base,
    type: z.literal('command'),
    text: z.string(),
    typed: z.string().optional(),
    message: z.string().min(1).optional(),
  }),
  /**
   * A message. `addressed`: `mention` (the bot is named; the mention is already cut from `text`), `direct` (a DM), `thread`
   * (a reply in some thread without a mention; only the bus knows whether the thread is a task's).
   */
  z.object({
    ...base,
    type: z.literal('message'),
    text: z.string(),
    message: z.string().min(1),
    addressed: z.enum(['mention', 'direct', 'thread']),
    about: z.enum(['issue', 'pull']).optional(),
    /** Of the issue or pull request that the message opens. */
    title: z.string().min(1).optional(),
    below: z.string().optional(),
    attachments: z.array(attachmentSchema),
    /** The message that these files belong to, where files sent at once can arrive apart (Telegram albums). Asks nothing by itself. */
    partOf: z.string().min(1).optional(),
  }),
  z.object({ ...base, type: z.literal('message_edited'), text: z.string(), message: z.string().min(1) }),
  z.object({ ...base, type: z.literal('message_deleted'), message: z.string().min(1) }),
  /** A button or a select. `token` is one of `contracts/press.ts`; `values` are the chosen options of a select. */
  z.object({
    ...base,
    type: z.literal('press'),
    token: z.string().min(1),
    values: z.array(z.string()),
    /** The message that carries the button, when it is a message. */
    message: z.string().optional(),
  }),
  /** A submitted form. `token` is the form's own (`Form.token`); `values` by field id. */
  z.object({ ...base, type: z.literal('form'), token: z.string().min(1), values: z.record(z.string(), z.array(z.string())) }),
  /** "Hand to Deckhand" on a message of anybody. */
  z.object({
    ...base,
    type: z.literal('shortcut'),
    message: z.string().min(1),
    below: z.string().optional(),
    text: z.string(),
    author: z.string().optional(),
  }),
  /** The conversation goes on under another id: everything stored about it moves there. The actor is whoever caused it, often a bot. */
  z.object({ ...base, type: z.literal('channel_moved'), to: z.string().min(1) }),
  /** A person opened the bot's home surface. */
  z.object({ ...base, type: z.literal('home') }),
]);
export type InboundEvent = z.infer<typeof inboundEventSchema>;

/**
 * The lane of an event: events of one lane are handled one after another in order of arrival, lanes do not wait for each
 * other (promise 3). A thread is a lane of its own; the top level of a channel is one.
 */
export function laneOf(event: InboundEvent): string {
  const { platform, tenant, channel, thread } = event.conversation;
  if (event.type === 'home') return `${platform}:${tenant}:home:${event.actor.user}`;
  return [platform, tenant, channel, ...(thread === undefined ? [] : [thread])].join(':');
}
