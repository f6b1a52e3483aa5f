import type { Json } from '../slack/json.ts';
import { isIn, memberOf } from './access.ts';
import type { Core } from './core.ts';
import type { Chat, Entity, Member, Message } from './model.ts';
import { wireChat, wireMessage, wireUser } from './wire.ts';

/** Changes of chats and messages, with the updates the bot hears of them. */

export type NewMessage = Omit<Message, 'id' | 'date' | 'entities' | 'reactions'> & { entities?: Entity[] | undefined };

/** Stores a new message. The bot gets an update unless it wrote the message itself or may not see it. */
export function postMessage(core: Core, chat: Chat, given: Omit<NewMessage, 'chat'>): Message {
  const message: Message = {
    reactions: [],
    ...placeIn(core, chat, given),
    entities: given.entities ?? [],
    chat: chat.id,
    id: core.state.nextMessageId(chat),
    date: core.date(),
  };
  if (message.service?.field === 'forum_topic_created') message.message_thread_id = message.id;
  const author = core.state.users.get(message.from);
  core.state.putMessage(message);
  if (message.from === core.bot.id) core.drafts.end(chat.id, message.is_topic_message ? message.message_thread_id : undefined);
  else if (botSees(core, chat, message)) publishMessage(core, 'message', chat, message);
  if (author?.is_bot && message.sender_chat === undefined && chat.last_bot !== author.id && message.service === undefined) {
    const now = core.state.chat(chat.id);
    if (now) core.state.chats.put({ ...now, last_bot: author.id });
  }
  return message;
}

/** A reply in a supergroup without topics belongs to the thread of the first message of its chain. */
function placeIn(core: Core, chat: Chat, given: Omit<NewMessage, 'chat'>): Omit<NewMessage, 'chat'> {
  if (chat.kind !== 'supergroup' || chat.is_forum || given.reply_to === undefined) return given;
  const parent = core.state.message(chat.id, given.reply_to);
  return parent ? { ...given, message_thread_id: parent.message_thread_id ?? parent.id } : given;
}

export function changeMessage(core: Core, message: Message, patch: Partial<Message>, isEdit = true): Message {
  const changed: Message = { ...message, ...patch, ...(isEdit ? { edit_date: core.date() } : {}) };
  core.state.putMessage(changed);
  const chat = core.state.chat(message.chat);
  if (isEdit && chat && message.from !== core.bot.id && botSees(core, chat, changed)) {
    publishMessage(core, 'edited_message', chat, changed);
  }
  return changed;
}

/** What the server adds for the chat: a message about the chat itself. */
export function postService(
  core: Core,
  chat: Chat,
  from: number,
  service: NonNullable<Message['service']>,
  place: Partial<NewMessage> = {},
): Message {
  return postMessage(core, chat, { ...place, from, service });
}

function publishMessage(core: Core, kind: 'message' | 'edited_message', chat: Chat, message: Message): void {
  core.updates.publish(kind, wireMessage(core, message), `chat ${chat.id}`, core.timing.update);
}

/**
 * Whether the bot hears of a message: it must be in the chat; other bots' messages never reach it; under privacy mode a plain member
 * hears only commands for it, replies to it, mentions of it, and service messages.
 */
export function botSees(core: Core, chat: Chat, message: Message): boolean {
  if (chat.kind === 'private') return chat.state !== 'blocked';
  if (!isIn(chat, core.bot.id)) return false;
  const author = core.state.users.get(message.from);
  if (author?.is_bot && message.sender_chat === undefined) return false;
  if (message.service || !core.settings.privacyMode) return true;
  if (memberOf(chat, core.bot.id).status !== 'member') return true;
  if (message.reply_to !== undefined && core.state.message(chat.id, message.reply_to)?.from === core.bot.id) return true;
  const text = message.text ?? message.caption ?? '';
  const name = core.bot.username?.toLowerCase();
  return message.entities.some((entity) => {
    const part = text.slice(entity.offset, entity.offset + entity.length).toLowerCase();
    if (entity.type === 'mention') return part === `@${name}`;
    if (entity.type === 'text_mention') return entity.user === core.bot.id;
    if (entity.type !== 'bot_command') return false;
    const [, addressed] = part.split('@');
    return addressed === undefined ? chat.last_bot === undefined || chat.last_bot === core.bot.id : addressed === name;
  });
}

/** Stores a member's new standing and tells the bot when it is its own. */
export function changeMember(core: Core, chatId: number, user: number, member: Member, by: number): Chat | undefined {
  const chat = core.state.chat(chatId);
  if (!chat) return undefined;
  const before = memberOf(chat, user);
  const changed: Chat = { ...chat, members: { ...chat.members, [user]: member } };
  core.state.putChat(changed);
  if (user === core.bot.id) publishOwnStanding(core, changed, by, before, member);
  return changed;
}

/** `my_chat_member`: in a group, or when a person blocks or unblocks the bot. */
export function publishOwnStanding(core: Core, chat: Chat, by: number, before: Member, after: Member): void {
  const actor = core.state.users.get(by);
  const content = {
    chat: wireChat(core, chat),
    from: actor ? wireUser(actor) : { id: by, is_bot: false, first_name: '' },
    date: core.date(),
    old_chat_member: wireMember(core, core.bot.id, before),
    new_chat_member: wireMember(core, core.bot.id, after),
  };
  core.updates.publish('my_chat_member', content, `standing ${chat.id}`, core.timing.update);
}

export function wireMember(core: Core, user: number, member: Member): Json {
  const known = core.state.users.get(user);
  const wired = { user: known ? wireUser(known) : { id: user, is_bot: false, first_name: '' }, status: member.status };
  if (member.status === 'creator') return { ...wired, is_anonymous: member.is_anonymous ?? false };
  if (member.status === 'kicked') return { ...wired, until_date: 0 };
  if (member.status !== 'administrator') return wired;
  return {
    ...wired,
    can_be_edited: false,
    is_anonymous: member.is_anonymous ?? false,
    can_manage_chat: true,
    can_manage_video_chats: false,
    can_promote_members: false,
    can_invite_users: true,
    ...member.rights,
  };
}
