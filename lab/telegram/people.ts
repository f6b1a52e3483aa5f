import { Refused } from '../refused.ts';
import { isIn, memberOf, rightsOf } from './access.ts';
import type { Core } from './core.ts';
import { cleaned, MAX_CAPTION, MAX_TEXT } from './formatted-text.ts';
import type { Chat, Message, User } from './model.ts';
import { changeMessage, type NewMessage, postMessage, publishOwnStanding } from './posting.ts';
import { ANONYMOUS_BOT_ID } from './seed.ts';

/** What people do in the Telegram client with messages. Everything throws Refused as the client would. */

export function personById(core: Core, id: number): User {
  const user = core.state.users.get(id);
  if (!user || user.is_bot) throw new Refused('unknown_person', `There is no person ${id}.`);
  return user;
}

/** A chat the person is in, or may write in without having joined. */
export function chatFor(core: Core, user: User, id: number): Chat {
  const chat = core.state.chat(id);
  if (!chat || (!isIn(chat, user.id) && chat.linked_channel === undefined))
    throw new Refused('chat_not_found', 'That chat does not exist.');
  return chat;
}

export interface Typed {
  chat: number;
  text: string;
  /** Topic of a forum; absent for General. */
  topic?: number | undefined;
  /** Message id. */
  reply_to?: number | undefined;
  /** Part of the message replied to. */
  quote?: string | undefined;
}

export function say(core: Core, user: User, typed: Typed): Message {
  const chat = openChat(core, user, typed.chat);
  const content = cleaned(typed.text, []);
  if (content.text === '') throw new Refused('no_text', 'Type something first.');
  if (content.text.length > MAX_TEXT) throw new Refused('msg_too_long', `A message holds at most ${MAX_TEXT} characters.`);
  return postMessage(core, chat, { ...authorship(chat, user), ...placeOf(core, chat, user, typed), ...content });
}

export function edit(core: Core, user: User, given: { chat: number; id: number; text: string }): Message {
  const message = ownMessage(core, user, given.chat, given.id);
  const { text, entities } = cleaned(given.text, []);
  if (message.media) {
    if (text.length > MAX_CAPTION) throw new Refused('msg_too_long', `A caption holds at most ${MAX_CAPTION} characters.`);
    return changeMessage(core, message, { caption: text === '' ? undefined : text, entities });
  }
  if (text === '') throw new Refused('no_text', 'Type something first.');
  if (text === message.text) return message;
  return changeMessage(core, message, { text, entities });
}

/** Deletes a message for everybody; the bot hears nothing of it. */
export function remove(core: Core, user: User, given: { chat: number; id: number }): void {
  const chat = chatFor(core, user, given.chat);
  const message = visibleMessage(core, user, given.chat, given.id);
  const isOwn = (message.author ?? message.from) === user.id;
  if (!isOwn && chat.kind !== 'private' && !rightsOf(chat, user.id).can_delete_messages) {
    throw new Refused('not_own_message', 'Only own messages can be deleted.');
  }
  core.state.removeMessage(message);
}

/** Sets or takes back the one reaction of a person; administrators' bots that asked for it hear of it. */
export function react(core: Core, user: User, given: { chat: number; id: number; emoji: string | undefined }): void {
  const message = visibleMessage(core, user, given.chat, given.id);
  const others = message.reactions.filter((reaction) => reaction.user !== user.id);
  const reactions = given.emoji === undefined ? others : [...others, { user: user.id, emoji: given.emoji }];
  changeMessage(core, message, { reactions }, false);
}

/** Presses Start in the private chat: `/start`, with the payload of the link that led there. */
export function start(core: Core, user: User, payload: string | undefined): Message {
  if (payload !== undefined && !/^[A-Za-z0-9_-]{1,64}$/.test(payload)) {
    throw new Refused('invalid_input', 'The payload of a start link is 1 to 64 letters, digits, _ or -.');
  }
  return say(core, user, { chat: user.id, text: payload === undefined ? '/start' : `/start ${payload}` });
}

export function block(core: Core, user: User): void {
  const chat = chatFor(core, user, user.id);
  if (chat.state !== 'open') throw new Refused('invalid_input', 'There is no open conversation with the bot.');
  const blocked: Chat = { ...chat, state: 'blocked' };
  core.state.putChat(blocked);
  publishOwnStanding(core, blocked, user.id, { status: 'member' }, { status: 'kicked' });
}

export function unblock(core: Core, user: User): void {
  const chat = chatFor(core, user, user.id);
  if (chat.state !== 'blocked') throw new Refused('invalid_input', 'The bot is not blocked.');
  const open: Chat = { ...chat, state: 'open' };
  core.state.putChat(open);
  publishOwnStanding(core, open, user.id, { status: 'kicked' }, { status: 'member' });
}

/** The chat, ready to be written to. The first message of a person opens the conversation with the bot. */
export function openChat(core: Core, user: User, id: number): Chat {
  const chat = chatFor(core, user, id);
  if (chat.migrated_to !== undefined) throw new Refused('chat_migrated', 'This group has become a supergroup.');
  if (chat.kind !== 'private') {
    if (!chat.can_send && memberOf(chat, user.id).status === 'member') {
      throw new Refused('not_allowed', 'Members cannot write here.');
    }
    return chat;
  }
  if (chat.state === 'blocked') throw new Refused('bot_blocked', 'Unblock the bot first.');
  if (chat.state === 'open') return chat;
  const open: Chat = { ...chat, state: 'open' };
  core.state.putChat(open);
  return open;
}

/** Anonymous administrators write as the group. */
export function authorship(chat: Chat, user: User): Pick<NewMessage, 'from' | 'sender_chat' | 'author'> {
  if (!memberOf(chat, user.id).is_anonymous) return { from: user.id };
  return { from: ANONYMOUS_BOT_ID, sender_chat: chat.id, author: user.id };
}

/** Where a message of a person goes: a topic, or the topic of the message replied to. */
export function placeOf(
  core: Core,
  chat: Chat,
  user: User,
  typed: Pick<Typed, 'topic' | 'reply_to' | 'quote'>,
): Partial<NewMessage> {
  const reply = typed.reply_to === undefined ? undefined : visibleMessage(core, user, chat.id, typed.reply_to);
  if (typed.quote !== undefined && !(reply?.text ?? reply?.caption ?? '').includes(typed.quote)) {
    throw new Refused('invalid_input', 'The quoted text is not in the message.');
  }
  const topicId = typed.topic ?? (reply?.is_topic_message ? reply.message_thread_id : undefined);
  const isManager = rightsOf(chat, user.id).can_manage_topics;
  if (topicId === undefined) {
    if (chat.general?.is_closed && !isManager) throw new Refused('topic_closed', 'This topic is closed.');
    return { reply_to: reply?.id, quote: typed.quote };
  }
  const topic = core.state.topic(chat.id, topicId);
  if (!topic || topic.state === 'deleted') throw new Refused('topic_not_found', 'That topic is not there any more.');
  if (topic.state === 'closed' && topic.creator !== user.id && !isManager)
    throw new Refused('topic_closed', 'This topic is closed.');
  return { reply_to: reply?.id, quote: typed.quote, message_thread_id: topic.id, is_topic_message: true };
}

export function visibleMessage(core: Core, user: User, chatId: number, id: number): Message {
  const message = core.state.message(chatFor(core, user, chatId).id, id);
  if (!message) throw new Refused('message_not_found', 'That message is not there any more.');
  return message;
}

function ownMessage(core: Core, user: User, chatId: number, id: number): Message {
  const message = visibleMessage(core, user, chatId, id);
  if ((message.author ?? message.from) !== user.id || message.service) {
    throw new Refused('not_own_message', 'Only own messages can be changed.');
  }
  return message;
}
