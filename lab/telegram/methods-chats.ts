import { compact, isRecord, type Json } from '../slack/json.ts';
import { chatOf, isIn, memberOf, messageOf, requireReach, rightsOf, userOf } from './access.ts';
import { badRequest } from './api-error.ts';
import { answering, type Method, type MethodCall } from './method.ts';
import type { Chat } from './model.ts';
import { changeMember, changeMessage, postService, wireMember } from './posting.ts';
import { REACTIONS } from './reactions.ts';
import { wireChat, wireMessage } from './wire.ts';

/** Chats, their members, reactions and pinned messages. */

const ACTIONS = new Set([
  'typing',
  'upload_photo',
  'record_video',
  'upload_video',
  'record_voice',
  'upload_voice',
  'upload_document',
  'choose_sticker',
  'find_location',
  'record_video_note',
  'upload_video_note',
]);

function getChat({ core, args }: MethodCall): Json {
  const chat = chatOf(core, args);
  if (chat.kind !== 'private' && chat.migrated_to === undefined) requireReach(core, chat);
  const pinned = chat.pinned.flatMap((id) => core.state.message(chat.id, id) ?? []).at(-1);
  return compact({
    ...wireChat(core, chat),
    description: chat.description,
    linked_chat_id: chat.linked_channel,
    pinned_message: pinned ? wireMessage(core, pinned) : undefined,
    permissions: chat.kind === 'private' ? undefined : { can_send_messages: chat.can_send },
    accent_color_id: Math.abs(chat.id) % 7,
    max_reaction_count: 11,
    accepted_gift_types: {
      unlimited_gifts: chat.kind === 'private',
      limited_gifts: chat.kind === 'private',
      unique_gifts: chat.kind === 'private',
      premium_subscription: chat.kind === 'private',
      gifts_from_channels: false,
    },
  });
}

function groupOf({ core, args }: MethodCall): Chat {
  const chat = requireReach(core, chatOf(core, args));
  if (chat.kind === 'private') throw badRequest('there are no members in the private chat');
  return chat;
}

function getChatMember(call: MethodCall): Json {
  const { core, args } = call;
  const user = userOf(core, args);
  const chat = requireReach(core, chatOf(core, args));
  if (chat.kind === 'private') return wireMember(core, user.id, { status: isIn(chat, user.id) ? 'member' : 'left' });
  return wireMember(core, user.id, memberOf(chat, user.id));
}

function getChatAdministrators(call: MethodCall): Json[] {
  const { core, args } = call;
  const chat = requireReach(core, chatOf(core, args));
  if (chat.kind === 'private') throw badRequest('there are no administrators in the private chat');
  return Object.entries(chat.members)
    .filter(([, member]) => member.status === 'creator' || member.status === 'administrator')
    .filter(([id]) => Number(id) === core.bot.id || args.flag('return_bots') || !core.state.users.get(Number(id))?.is_bot)
    .map(([id, member]) => wireMember(core, Number(id), member));
}

function getChatMemberCount(call: MethodCall): number {
  const { core, args } = call;
  const chat = requireReach(core, chatOf(core, args));
  if (chat.kind === 'private') return 2;
  return Object.keys(chat.members).filter((id) => isIn(chat, Number(id))).length;
}

function leaveChat(call: MethodCall): true {
  const { core } = call;
  const chat = groupOf(call);
  postService(core, chat, core.bot.id, { field: 'left_chat_member', users: [core.bot.id] });
  changeMember(core, chat.id, core.bot.id, { status: 'left' }, core.bot.id);
  return true;
}

function requireRight(call: MethodCall, chat: Chat, right: 'can_change_info' | 'can_pin_messages', complaint: string): void {
  if (chat.kind !== 'private' && !rightsOf(chat, call.core.bot.id)[right]) throw badRequest(complaint);
}

function setChatTitle(call: MethodCall): true {
  const chat = groupOf(call);
  requireRight(call, chat, 'can_change_info', 'not enough rights to change chat title');
  const title = call.args.text('title').trim();
  if (title === '' || title.length > 128) throw badRequest('CHAT_TITLE_EMPTY');
  call.core.state.putChat({ ...chat, title });
  postService(call.core, { ...chat, title }, call.core.bot.id, { field: 'new_chat_title', value: title });
  return true;
}

function setChatDescription(call: MethodCall): true {
  const chat = groupOf(call);
  requireRight(call, chat, 'can_change_info', 'not enough rights to set chat description');
  const description = call.args.text('description').trim();
  if (description === (chat.description ?? '')) throw badRequest('chat description is not modified');
  call.core.state.putChat({ ...chat, description: description === '' ? undefined : description.slice(0, 255) });
  return true;
}

function pinChatMessage(call: MethodCall): true {
  const { core, args } = call;
  const chat = requireReach(core, chatOf(core, args));
  requireRight(call, chat, 'can_pin_messages', 'not enough rights to manage pinned messages in the chat');
  const message = messageOf(core, chat, args, 'message to pin not found');
  core.state.putChat({ ...chat, pinned: [...chat.pinned.filter((id) => id !== message.id), message.id] });
  postService(core, chat, core.bot.id, { field: 'pinned_message', message: message.id }, inTopicOf(message));
  return true;
}

function inTopicOf(message: { is_topic_message?: boolean | undefined; message_thread_id?: number | undefined }): object {
  return message.is_topic_message ? { is_topic_message: true, message_thread_id: message.message_thread_id } : {};
}

function unpin(call: MethodCall, which: 'one' | 'all'): true {
  const { core, args } = call;
  const chat = requireReach(core, chatOf(core, args));
  requireRight(call, chat, 'can_pin_messages', 'not enough rights to manage pinned messages in the chat');
  const id = args.has('message_id') ? args.integer('message_id', 0) : chat.pinned.at(-1);
  if (which === 'one' && (id === undefined || !chat.pinned.includes(id))) throw badRequest('message to unpin not found');
  core.state.putChat({ ...chat, pinned: which === 'all' ? [] : chat.pinned.filter((entry) => entry !== id) });
  return true;
}

/** A bot sets at most one reaction per message. */
function setMessageReaction(call: MethodCall): true {
  const { core, args } = call;
  const chat = requireReach(core, chatOf(core, args));
  const message = messageOf(core, chat, args, 'message to react not found');
  if (message.service) throw badRequest('message to react not found');
  const given = args.json('reaction', 'reaction types') ?? [];
  if (!Array.isArray(given)) throw badRequest('expected an Array of ReactionType');
  if (given.length > 1) throw badRequest('REACTIONS_TOO_MANY');
  const emojis = given.map((entry: unknown) => {
    if (!isRecord(entry)) throw badRequest("can't parse reaction type: expected an Object");
    if (entry.type !== 'emoji') throw badRequest('REACTION_INVALID');
    if (typeof entry.emoji !== 'string' || !REACTIONS.has(entry.emoji)) throw badRequest('REACTION_INVALID');
    return entry.emoji;
  });
  const others = message.reactions.filter((reaction) => reaction.user !== core.bot.id);
  const own = emojis.map((emoji) => ({ user: core.bot.id, emoji }));
  changeMessage(core, message, { reactions: [...others, ...own] }, false);
  return true;
}

function sendChatAction(call: MethodCall): true {
  const { core, args } = call;
  const chat = requireReach(core, chatOf(core, args));
  const action = args.text('action');
  if (action === '') throw badRequest('parameter "action" is required');
  if (!ACTIONS.has(action)) throw badRequest('wrong parameter action in request');
  const thread = args.integer('message_thread_id', 0);
  core.state.emit({ type: 'action', chat: chat.id, action, ...(thread === 0 ? {} : { message_thread_id: thread }) });
  return true;
}

export const chatMethods: Record<string, Method> = {
  getChat: answering(getChat),
  getChatMember: answering(getChatMember),
  getChatAdministrators: answering(getChatAdministrators),
  getChatMemberCount: answering(getChatMemberCount),
  leaveChat: answering(leaveChat),
  setChatTitle: answering(setChatTitle),
  setChatDescription: answering(setChatDescription),
  pinChatMessage: answering(pinChatMessage),
  unpinChatMessage: answering((call) => unpin(call, 'one')),
  unpinAllChatMessages: answering((call) => unpin(call, 'all')),
  setMessageReaction: answering(setMessageReaction),
  sendChatAction: answering(sendChatAction),
};
