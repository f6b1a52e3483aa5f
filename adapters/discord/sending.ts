import type { RESTPostAPIChannelMessagesThreadsJSONBody } from 'discord-api-types/v10';
import { z } from 'zod';
import { DeliveryError, type ThreadOpening } from '../../src/contracts/chat-adapter.ts';
import type { Conversation, MessageRef } from '../../src/contracts/platform.ts';
import type { View } from '../../src/contracts/view.ts';
import type { Directory } from './directory.ts';
import { label } from './discord-text.ts';
import { deliveryError, discordCode } from './failures.ts';
import { type ComponentMark, componentMark, messageContent, nonceOf } from './outbound.ts';
import { isForum } from './reading.ts';
import { path, type Rest } from './rest.ts';

/** The longest there is: threads fall asleep after a week without a message. Minutes. */
const autoArchive = 10_080;
const maxThreadName = 100;

const sentAnswer = z.object({ id: z.string().min(1) });
const postAnswer = z.object({ id: z.string().min(1), message: z.object({ id: z.string().min(1) }).nullish() });

/** Codes of Discord that opening a thread and touching one can meet. */
const codes = { threadExists: 160004, archived: 50083, unknownMessage: 10008 } as const;

/** The marks of messages that this process has sent, so that an edit keeps them and `find` still knows the message. */
export interface Marks {
  of(message: string): ComponentMark | undefined;
  keep(message: string, mark: ComponentMark): void;
}

const maxMarks = 5_000;

export function createMarks(): Marks {
  const marks = new Map<string, ComponentMark>();
  return {
    of: (message) => marks.get(message),
    keep(message, mark) {
      marks.set(message, mark);
      const oldest = marks.keys().next().value;
      if (marks.size > maxMarks && oldest !== undefined) marks.delete(oldest);
    },
  };
}

export interface SendingDeps {
  rest: Rest;
  directory: Directory;
  marks: Marks;
}

/** The channel that a conversation's messages are in: a thread is a channel of its own. Direct conversations have no threads. */
export function channelOf(to: Pick<Conversation, 'channel' | 'thread' | 'kind'>): string {
  return to.kind === 'direct' ? to.channel : (to.thread ?? to.channel);
}

/** Sends a message, and makes a thread of it where one is wanted. In a forum every message of the channel itself is a thread. */
export async function sendMessage(
  { rest, directory, marks }: SendingDeps,
  to: Conversation,
  view: View,
  key: string,
  opens: ThreadOpening | undefined,
): Promise<MessageRef> {
  const mark = componentMark(key);
  const content = messageContent(view, mark);
  const name = threadName(opens?.title ?? view.fallback);
  if (to.kind === 'channel' && to.thread === undefined && (await isForumChannel(directory, to.channel))) {
    const body = { name, auto_archive_duration: autoArchive, message: content };
    const post = await rest.call(
      { method: 'post', route: path`/channels/${to.channel}/threads`, what: 'make a post', body },
      postAnswer,
    );
    const first = post.message?.id ?? post.id;
    marks.keep(first, mark);
    return refIn({ ...to, thread: post.id }, first);
  }
  const body = { ...content, nonce: nonceOf(key), enforce_nonce: true };
  const route = path`/channels/${channelOf(to)}/messages`;
  const { id } = await rest.call({ method: 'post', route, what: 'send a message', body }, sentAnswer);
  marks.keep(id, mark);
  if (opens === undefined || to.kind === 'direct' || to.thread !== undefined) return refIn(to, id);
  await openThread(rest, to.channel, id, opens.title);
  return refIn({ ...to, thread: id }, id);
}

/**
 * The thread of a message has its id. When the bot may not make one, its message is taken back, so that nothing was done; any other
 * failure leaves the message where it is, and repeating finds it by its nonce.
 */
export async function openThread(rest: Rest, channel: string, message: string, title: string): Promise<void> {
  const name = threadName(title);
  const body: RESTPostAPIChannelMessagesThreadsJSONBody = { name, auto_archive_duration: autoArchive };
  try {
    await rest.act({
      method: 'post',
      route: path`/channels/${channel}/messages/${message}/threads`,
      what: 'open a thread',
      body,
    });
  } catch (error) {
    if (discordCode(error) === codes.threadExists) return;
    const { failure } = deliveryError(error, 'open a thread');
    if (failure.kind !== 'not_permitted' && failure.kind !== 'rejected') {
      const detail = failure.kind === 'rate_limited' ? 'open a thread: rate limited' : failure.detail;
      throw new DeliveryError(
        { kind: 'unknown', detail: `the message was sent, its thread is missing: ${detail}` },
        { cause: error },
      );
    }
    await rest.act({ method: 'delete', route: path`/channels/${channel}/messages/${message}`, what: 'take a message back' });
    throw error;
  }
}

function threadName(title: string): string {
  return label(title.replace(/\s+/g, ' ').trim(), maxThreadName, 'Task');
}

async function isForumChannel(directory: Directory, id: string): Promise<boolean> {
  const channel = await directory.channel(id);
  return channel !== undefined && isForum(channel.type);
}

export function refIn(to: Conversation, message: string): MessageRef {
  const { tenant, channel, thread, kind } = to;
  return {
    platform: 'discord',
    tenant,
    channel,
    ...(thread === undefined || kind === 'direct' ? {} : { thread }),
    message,
  };
}

/**
 * The channel a message is in. The one that a thread was made from stays in the parent channel, though its thread has its id; only the
 * first one of a forum post is inside.
 */
export async function channelOfMessage(directory: Directory, ref: MessageRef): Promise<string> {
  if (ref.thread === undefined) return ref.channel;
  if (ref.thread !== ref.message) return ref.thread;
  return (await isForumChannel(directory, ref.channel)) ? ref.thread : ref.channel;
}

/** Does something in a channel; a thread that has fallen asleep is woken up for it. */
export async function awake(rest: Rest, channel: string, work: () => Promise<void>): Promise<void> {
  try {
    await work();
  } catch (error) {
    if (discordCode(error) !== codes.archived) throw error;
    const body = { archived: false };
    await rest.act({ method: 'patch', route: path`/channels/${channel}`, what: 'open an archived thread', body });
    await work();
  }
}
