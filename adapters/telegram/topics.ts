import { z } from 'zod';
import { DeliveryError, type ThreadOpening } from '../../src/contracts/chat-adapter.ts';
import type { Clock } from '../../src/runtime/clock.ts';
import type { TelegramApi } from './api.ts';
import { chatId, isPrivate, topicThread } from './place.ts';
import { printable, shorten } from './telegram-text.ts';

export interface Topics {
  /**
   * Makes a topic where the bot may: the thread it opens, or `undefined` where there are no topics or not for the bot. `key` is that of
   * the message it is made for: when the message fails and is sent again, it goes to the topic made before.
   */
  open(channel: string, opens: ThreadOpening, key: string): Promise<string | undefined>;
  /** The message arrived. */
  opened(key: string): void;
}

const maxName = 128;
/** For how long it is believed that a chat has no topics for us: rights and settings change rarely. */
const knownMs = 5 * 60_000;
const maxKnown = 1_000;

const chatAnswer = z.object({ is_forum: z.boolean().optional() });
const topicAnswer = z.object({ message_thread_id: z.number().int().positive() });

export function createTopics(deps: { api: TelegramApi; clock: Clock; hasPrivateTopics: boolean }): Topics {
  const { api, clock } = deps;
  /** Chats without topics for us, and until when that is believed. */
  const without = new Map<string, number>();
  const made = new Map<string, string>();

  async function hasTopics(channel: string): Promise<boolean> {
    if (isPrivate(channel)) return deps.hasPrivateTopics;
    if ((without.get(channel) ?? 0) > clock.now().getTime()) return false;
    const ask = { chat_id: chatId(channel) };
    const chat = await api.read('getChat', async (raw, signal) => chatAnswer.parse(await raw.getChat(ask, signal)), { channel });
    const isForum = chat.is_forum === true;
    if (!isForum) remember(without, channel, clock.now().getTime() + knownMs);
    return isForum;
  }

  async function make(channel: string, { title }: ThreadOpening): Promise<string | undefined> {
    const shown = printable(title).replace(/\s+/g, ' ').trim();
    const name = shorten(shown === '' ? 'Task' : shown, maxName);
    try {
      const args = { chat_id: chatId(channel), name };
      // Nobody has seen anything when the answer is lost, at worst an empty topic.
      const topic = await api.read(
        'createForumTopic',
        async (raw, signal) => topicAnswer.parse(await raw.createForumTopic(args, signal)),
        { channel },
      );
      return topicThread(topic.message_thread_id);
    } catch (error) {
      const kind = error instanceof DeliveryError ? error.failure.kind : undefined;
      if (kind !== 'not_permitted' && kind !== 'rejected') throw error;
      remember(without, channel, clock.now().getTime() + knownMs);
      return undefined;
    }
  }

  return {
    async open(channel, opens, key) {
      const before = made.get(key);
      if (before !== undefined) return before;
      if (!(await hasTopics(channel))) return undefined;
      const thread = await make(channel, opens);
      if (thread !== undefined) remember(made, key, thread);
      return thread;
    },
    opened: (key) => void made.delete(key),
  };
}

function remember<T>(map: Map<string, T>, key: string, value: T): void {
  if (map.size >= maxKnown) map.delete(map.keys().next().value ?? key);
  map.set(key, value);
}
