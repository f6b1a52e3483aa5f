import { compact, type Json } from '../slack/json.ts';
import type { Core } from './core.ts';
import type { Chat, Entity, FileRecord, Message, Topic, User } from './model.ts';

/** Records as the Bot API writes them. */

export function wireUser(user: User): Json {
  const { id, is_bot, first_name, last_name, username, language_code } = user;
  return compact({ id, is_bot, first_name, last_name, username, language_code });
}

function userById(core: Core, id: number): Json {
  const user = core.state.users.get(id);
  return user ? wireUser(user) : { id, is_bot: false, first_name: '' };
}

/** The `Chat` inside messages and updates. */
export function wireChat(core: Core, chat: Chat): Json {
  if (chat.kind === 'private') {
    const user = core.state.users.get(chat.person ?? chat.id);
    return compact({
      id: chat.id,
      first_name: user?.first_name,
      last_name: user?.last_name,
      username: user?.username,
      type: 'private',
    });
  }
  const isBasic = chat.kind === 'group';
  return compact({
    id: chat.id,
    title: chat.title,
    type: chat.kind,
    is_forum: chat.is_forum || undefined,
    all_members_are_administrators: isBasic ? false : undefined,
    accepted_gift_types: undefined,
  });
}

function wireEntity(core: Core, entity: Entity): Json {
  const { user, ...rest } = entity;
  return compact({ ...rest, user: user === undefined ? undefined : userById(core, user) });
}

export function wireTopic(topic: Topic): Json {
  return compact({
    message_thread_id: topic.id,
    name: topic.name,
    icon_color: topic.icon_color,
    icon_custom_emoji_id: topic.icon_custom_emoji_id,
  });
}

export function wireFile(file: FileRecord): Json {
  return { file_id: file.id, file_unique_id: file.unique_id, file_size: file.size };
}

function wireMedia(core: Core, message: Message): Json {
  const file = message.media && core.state.files.get(message.media.file);
  if (!file) return {};
  if (file.kind === 'document') {
    return { document: { file_name: file.name, mime_type: file.mime_type, ...wireFile(file) } };
  }
  return { photo: [{ ...wireFile(file), width: file.width, height: file.height }] };
}

function wireService(core: Core, message: Message): Json {
  const { service } = message;
  if (!service) return {};
  if (service.message !== undefined) {
    const shown = core.state.message(message.chat, service.message);
    return { [service.field]: shown ? wireMessage(core, shown, false) : inaccessible(core, message.chat, service.message) };
  }
  if (service.users === undefined) return { [service.field]: service.value ?? true };
  const users = service.users.map((id) => userById(core, id));
  // The API repeats the first new member in two older fields.
  if (service.field === 'new_chat_members') {
    return { new_chat_participant: users[0], new_chat_member: users[0], new_chat_members: users };
  }
  return { left_chat_participant: users[0], [service.field]: users[0] };
}

/** What stands for a message that was deleted. */
export function inaccessible(core: Core, chatId: number, id: number): Json {
  const chat = core.state.chat(chatId);
  return { chat: chat ? wireChat(core, chat) : { id: chatId, type: 'private' }, message_id: id, date: 0 };
}

/** The message that `reply_to_message` shows. In a topic every message without a reply of its own replies to the topic's first one. */
function repliedTo(core: Core, message: Message): Message | undefined {
  const id = message.reply_to ?? (message.is_topic_message ? message.message_thread_id : undefined);
  return id === undefined || id === message.id ? undefined : core.state.message(message.chat, id);
}

export function wireMessage(core: Core, message: Message, withReply = true): Json {
  const chat = core.state.chat(message.chat);
  const wiredChat = chat ? wireChat(core, chat) : { id: message.chat, type: 'private' };
  const sender = message.sender_chat === undefined ? undefined : core.state.chat(message.sender_chat);
  const reply = withReply ? repliedTo(core, message) : undefined;
  const entities = message.entities.map((entity) => wireEntity(core, entity));
  const some = entities.length > 0 ? entities : undefined;
  return compact({
    message_id: message.id,
    message_thread_id: message.message_thread_id,
    from: userById(core, message.from),
    sender_chat: sender ? wireChat(core, sender) : undefined,
    chat: wiredChat,
    date: message.date,
    edit_date: message.edit_date,
    is_topic_message: message.is_topic_message,
    reply_to_message: reply ? wireMessage(core, reply, false) : undefined,
    quote: message.quote === undefined ? undefined : { text: message.quote, position: 0, is_manual: true },
    has_protected_content: message.protect_content || undefined,
    media_group_id: message.media_group_id,
    text: message.text,
    rich_message: message.rich,
    ...wireMedia(core, message),
    caption: message.caption,
    [message.caption === undefined ? 'entities' : 'caption_entities']: some,
    link_preview_options: message.link_preview_options,
    ...wireService(core, message),
    reply_markup: message.keyboard ? { inline_keyboard: message.keyboard } : undefined,
  });
}
