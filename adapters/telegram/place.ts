import type { ReplyParameters } from 'grammy/types';
import { DeliveryError } from '../../src/contracts/chat-adapter.ts';

/**
 * Threads as Telegram has them. `t<id>`: a topic of a forum. `r<id>`: the chain of replies to a message, named by the message that
 * opened it.
 */
export function topicThread(id: number): string {
  return `t${id}`;
}

export function chainThread(message: string | number): string {
  return `r${message}`;
}

/** Telegram takes numbers as ids and texts as user names; anything else it does not find, which is the right answer. */
export function chatId(channel: string): number | string {
  return /^-?[1-9]\d{0,15}$/.test(channel) ? Number(channel) : channel;
}

/** A private chat has the id of its person. */
export function isPrivate(channel: string): boolean {
  return /^[1-9]\d*$/.test(channel);
}

export function messageId(message: string): number {
  const id = Number(message);
  if (!Number.isSafeInteger(id) || id <= 0) throw new DeliveryError({ kind: 'gone', detail: 'not a message of Telegram' });
  return id;
}

interface Place {
  message_thread_id?: number;
  reply_parameters?: ReplyParameters;
}

/** The same place, but answering no message. */
export function topicOf(thread: string | undefined): Pick<Place, 'message_thread_id'> {
  const { message_thread_id: topic } = place(thread);
  return topic === undefined ? {} : { message_thread_id: topic };
}

/** Where in a chat a new message goes. */
export function place(thread: string | undefined): Place {
  if (thread === undefined) return {};
  const [, kind, digits] = /^([tr])([1-9]\d{0,15})$/.exec(thread) ?? [];
  if (kind === 't') return { message_thread_id: Number(digits) };
  // The message may be deleted by now; the answer goes out all the same.
  if (kind === 'r') return { reply_parameters: { message_id: Number(digits), allow_sending_without_reply: true } };
  throw new DeliveryError({ kind: 'gone', detail: 'not a thread of Telegram' });
}
