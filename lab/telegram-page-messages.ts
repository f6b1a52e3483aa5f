import { isRecord } from './slack/json.ts';
import type { Core } from './telegram/core.ts';
import { forcedToReply } from './telegram/forced-replies.ts';
import type { FileRecord, InlineButton, Message, RichMessage } from './telegram/model.ts';
import { textsOf } from './telegram/visible-text.ts';
import type { PageBlock, PageButton, PageFile, PageMessage } from './telegram-page-api.ts';

/** Messages as the Telegram pane shows them. */

export function pageMessage(core: Core, message: Message): PageMessage {
  const file = message.media && core.state.files.get(message.media.file);
  return {
    chat: message.chat,
    id: message.id,
    date: message.date,
    edited: message.edit_date !== undefined,
    from: message.author ?? message.from,
    name: authorOf(core, message),
    as_group: message.sender_chat !== undefined,
    topic: message.is_topic_message ? message.message_thread_id : undefined,
    reply: replyOf(core, message),
    text: message.text ?? message.caption ?? '',
    entities: message.entities,
    blocks: message.rich && pageBlocks(message.rich),
    file: file && pageFile(file),
    album: message.media_group_id,
    keyboard: (message.keyboard ?? []).map((row) => row.map(pageButton)),
    asks: asksOf(core, message),
    service: message.service === undefined ? undefined : serviceText(core, message, message.service),
    reactions: message.reactions,
  };
}

export function pageFile(file: FileRecord): PageFile {
  const { id, name, mime_type: type, size, kind, width, height } = file;
  const url = `/lab/telegram/api/files/${id}/${encodeURIComponent(name)}`;
  return { id, name, type, size, is_photo: kind === 'photo', width, height, url };
}

/** Blocks were checked when they were sent; the filter only tells the compiler. */
export function pageBlocks(rich: RichMessage): PageBlock[] {
  return rich.blocks.filter((block): block is PageBlock => typeof block.type === 'string');
}

function pageButton({ text, style, callback_data, url, copy_text }: InlineButton): PageButton {
  return {
    text,
    style: style === 'danger' || style === 'success' || style === 'primary' ? style : undefined,
    callback_data: typeof callback_data === 'string' ? callback_data : undefined,
    url: typeof url === 'string' ? url : undefined,
    copy: isRecord(copy_text) ? String(copy_text.text) : undefined,
  };
}

function replyOf(core: Core, message: Message): PageMessage['reply'] {
  if (message.reply_to === undefined) return undefined;
  const replied = core.state.message(message.chat, message.reply_to);
  if (replied === undefined) return { id: message.reply_to, name: '', text: '', quoted: false };
  const quoted = message.quote !== undefined;
  return { id: replied.id, name: authorOf(core, replied), text: message.quote ?? shortText(core, replied), quoted };
}

function authorOf(core: Core, message: Message): string {
  if (message.sender_chat !== undefined) return core.state.chat(message.sender_chat)?.title ?? '';
  return nameOf(core, message.from);
}

function nameOf(core: Core, user: number): string {
  return core.state.users.get(user)?.first_name ?? String(user);
}

/** The beginning of what a message says, in one line. */
function shortText(core: Core, message: Message): string {
  const file = message.media && core.state.files.get(message.media.file);
  const words = message.text ?? message.caption ?? (message.rich ? textsOf(message.rich.blocks).join(' ') : undefined);
  const instead = file?.kind === 'photo' ? 'Photo' : (file?.name ?? '');
  const service = message.service === undefined ? '' : serviceText(core, message, message.service);
  const said = words === undefined || words === '' ? instead || service : words;
  return said.replace(/\s+/g, ' ').slice(0, 140);
}

/** Whose clients open a reply, and with which words in the empty field. */
function asksOf(core: Core, message: Message): PageMessage['asks'] {
  if (message.asks?.force_reply !== true) return undefined;
  const { input_field_placeholder: placeholder } = message.asks;
  return {
    of: forcedToReply(core, message).map(({ id }) => id),
    placeholder: typeof placeholder === 'string' ? placeholder : '',
  };
}

/** The sentence a client shows for a message about the chat itself. */
function serviceText(core: Core, message: Message, service: NonNullable<Message['service']>): string {
  const who = authorOf(core, message);
  const users = (service.users ?? []).map((id) => nameOf(core, id)).join(', ');
  const isOwn = service.users?.length === 1 && service.users[0] === message.from;
  const name = isRecord(service.value) && typeof service.value.name === 'string' ? `“${service.value.name}”` : '';
  switch (service.field) {
    case 'new_chat_members':
      return isOwn ? `${who} joined the group` : `${who} added ${users}`;
    case 'left_chat_member':
      return isOwn ? `${who} left the group` : `${who} removed ${users}`;
    case 'forum_topic_created':
      return `${who} created the topic ${name}`;
    case 'forum_topic_edited':
      return name === '' ? `${who} changed the topic` : `${who} renamed the topic to ${name}`;
    case 'forum_topic_closed':
      return `${who} closed the topic`;
    case 'forum_topic_reopened':
      return `${who} reopened the topic`;
    case 'migrate_to_chat_id':
    case 'migrate_from_chat_id':
      return 'The group was upgraded to a supergroup';
    case 'group_chat_created':
    case 'supergroup_chat_created':
      return `${who} created the group`;
    case 'new_chat_title':
      return `${who} renamed the group to “${String(service.value)}”`;
    case 'pinned_message': {
      const pinned = service.message === undefined ? undefined : core.state.message(message.chat, service.message);
      return pinned === undefined ? `${who} pinned a message` : `${who} pinned “${shortText(core, pinned)}”`;
    }
    default:
      return `${who}: ${service.field.replaceAll('_', ' ')}`;
  }
}
