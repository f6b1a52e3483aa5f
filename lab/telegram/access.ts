import { BotApiError, badRequest, forbidden } from './api-error.ts';
import type { Args } from './args.ts';
import type { Core } from './core.ts';
import type { Chat, Member, Message, Rights, Topic, User } from './model.ts';
import { ALL_RIGHTS, BOT_ID, NO_RIGHTS } from './seed.ts';

/** Who the bot may reach, and where. Everything throws BotApiError in the server's words. */

/** A chat by `chat_id`, whether or not the bot may write there. */
export function chatOf(core: Core, args: Args, name = 'chat_id'): Chat {
  const given = args.text(name).trim();
  if (given === '') throw badRequest(`${name} is empty`);
  const chat = /^-?\d+$/.test(given) ? core.state.chat(Number(given)) : undefined;
  if (!chat) throw badRequest('chat not found');
  return chat;
}

export function memberOf(chat: Chat, user: number): Member {
  return chat.members[user] ?? { status: 'left' };
}

export function isIn(chat: Chat, user: number): boolean {
  if (chat.kind === 'private') return user === chat.person || user === BOT_ID;
  return ['creator', 'administrator', 'member'].includes(memberOf(chat, user).status);
}

export function rightsOf(chat: Chat, user: number): Rights {
  const member = memberOf(chat, user);
  if (member.status === 'creator') return ALL_RIGHTS;
  return member.status === 'administrator' ? (member.rights ?? NO_RIGHTS) : NO_RIGHTS;
}

/** Refuses what the bot cannot do in a chat it is not in, is blocked in, or that lives on under another id. */
export function requireReach(core: Core, chat: Chat): Chat {
  if (chat.migrated_to !== undefined) {
    throw new BotApiError(400, 'Bad Request: group chat was upgraded to a supergroup chat', {
      migrate_to_chat_id: chat.migrated_to,
    });
  }
  if (chat.kind === 'private') {
    if (chat.state === 'new') throw forbidden("bot can't initiate conversation with a user");
    if (chat.state === 'blocked') throw forbidden('bot was blocked by the user');
    return chat;
  }
  const kind = chat.kind === 'group' ? 'group chat' : 'supergroup chat';
  const { status } = memberOf(chat, core.bot.id);
  if (status === 'kicked') throw forbidden(`bot was kicked from the ${kind}`);
  if (status === 'left') throw forbidden(`bot is not a member of the ${kind}`);
  return chat;
}

/** A chat the bot may send to, by `chat_id`. */
export function destination(core: Core, args: Args): Chat {
  const chat = requireReach(core, chatOf(core, args));
  if (!chat.can_send && memberOf(chat, core.bot.id).status === 'member') {
    throw badRequest('not enough rights to send text messages to the chat');
  }
  return chat;
}

/** The topic that `message_thread_id` names, undefined for General and for chats without topics. */
export function threadOf(core: Core, chat: Chat, args: Args): Topic | undefined {
  const id = args.integer('message_thread_id', 0);
  if (id === 0) {
    if (chat.general?.is_closed && !rightsOf(chat, core.bot.id).can_manage_topics) throw badRequest('TOPIC_CLOSED');
    return undefined;
  }
  const topic = chat.is_forum ? core.state.topic(chat.id, id) : undefined;
  if (!topic || topic.state === 'deleted') throw badRequest('message thread not found');
  if (topic.state === 'closed' && topic.creator !== core.bot.id && !rightsOf(chat, core.bot.id).can_manage_topics) {
    throw badRequest('TOPIC_CLOSED');
  }
  return topic;
}

/** A message by `message_id`; `missing` is the complaint when there is none. */
export function messageOf(core: Core, chat: Chat, args: Args, missing: string): Message {
  if (!args.has('message_id')) throw badRequest('message identifier is not specified');
  const message = core.state.message(chat.id, args.integer('message_id', 0));
  if (!message) throw badRequest(missing);
  return message;
}

export function userOf(core: Core, args: Args): User {
  const id = args.text('user_id');
  if (!/^\d+$/.test(id)) throw badRequest('invalid user_id specified');
  const user = core.state.users.get(Number(id));
  if (!user) throw badRequest('user not found');
  return user;
}
