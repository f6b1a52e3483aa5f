import { z } from 'zod';
import type { Affiliation } from '../../src/contracts/affiliation.ts';
import type { Conversation } from '../../src/contracts/platform.ts';
import type { Clock } from '../../src/runtime/clock.ts';
import type { Logger } from '../../src/runtime/logger.ts';
import { createRemembered, type RememberedOptions } from '../../src/runtime/remembered.ts';
import type { TelegramApi } from './api.ts';
import { chatId } from './place.ts';

/** Whether those who write in a group have joined it. */
export interface People {
  /**
   * In the discussion group of a channel whoever reads the channel may write without having joined: for such groups Telegram is asked about
   * each account, once an hour. In all others writing takes having joined, and nothing is asked. Nothing is said of direct conversations. Costs one `getChat` an hour for each group.
   * Never rejects.
   */
  find(conversation: Conversation, user: string): Promise<Affiliation | undefined>;
}

/** What was known before is good enough for longer than this; of others nobody knows whether they belong here. */
const patienceMs = 1_500;
const freshMs = 60 * 60_000;
/** After a failure, so that Telegram is not asked with every message. */
const failedMs = 60_000;
/** Basic groups and private chats have other ids; only supergroups discuss a channel. */
const supergroup = /^-100\d+$/;

const chatAnswer = z.object({ linked_chat_id: z.number().optional(), join_to_send_messages: z.boolean().optional() });
const memberAnswer = z.object({ status: z.string(), is_member: z.boolean().optional() });

export function createPeople(deps: { api: TelegramApi; clock: Clock; logger: Logger }): People {
  const { api, clock, logger } = deps;
  const options: RememberedOptions = {
    clock,
    freshMs,
    failedMs,
    patienceMs: { first: patienceMs, again: patienceMs },
    onError: (error) => logger.warn({ err: error }, 'telegram group not looked up'),
  };
  const open = createRemembered<boolean>(options);
  const joined = createRemembered<boolean>(options);

  /** May people write there who have not joined? */
  async function askChat(channel: string): Promise<boolean> {
    const ask = { chat_id: chatId(channel) };
    const chat = await api.read('getChat', async (raw, signal) => chatAnswer.parse(await raw.getChat(ask, signal)), { channel });
    return chat.linked_chat_id !== undefined && chat.join_to_send_messages !== true;
  }

  async function askMember(channel: string, user: string): Promise<boolean> {
    const ask = { chat_id: chatId(channel), user_id: Number(user) };
    const member = await api.read(
      'getChatMember',
      async (raw, signal) => memberAnswer.parse(await raw.getChatMember(ask, signal)),
      { channel },
    );
    if (member.status === 'restricted') return member.is_member === true;
    return member.status !== 'left' && member.status !== 'kicked';
  }

  return {
    async find({ kind, channel }, user) {
      if (kind === 'direct') return undefined;
      if (!supergroup.test(channel)) return { kind: 'member' };
      const isOpen = await open.find(channel, () => askChat(channel));
      if (isOpen === false) return { kind: 'member' };
      if (isOpen === undefined) return { kind: 'unknown' };
      const isIn = await joined.find(`${channel}:${user}`, () => askMember(channel, user));
      return { kind: isIn === undefined ? 'unknown' : isIn ? 'member' : 'newcomer' };
    },
  };
}
