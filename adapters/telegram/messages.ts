import type { InboundEvent } from '../../src/contracts/inbound.ts';
import type { Conversation } from '../../src/contracts/platform.ts';
import { readCommand } from './commands.ts';
import { cutMention, type Typed, words } from './mentions.ts';
import type { Chat, Message, User } from './payloads.ts';
import { chainThread, topicThread } from './place.ts';
import { events, type Inbound, type InboundContext, ignored } from './reading.ts';
import { clean } from './telegram-text.ts';

type Attachment = Extract<InboundEvent, { type: 'message' }>['attachments'][number];

/** `message`: what a person wrote, or that the chat goes on under another id. */
export function messageEvents(message: Message, context: InboundContext): Inbound {
  const moved = movedEvent(message, context);
  if (moved !== undefined) return events(moved);
  const author = authorOf(message);
  if (author === undefined) return ignored('not written by a person');
  const typed = typedOf(message);
  const attachments = attachmentsOf(message);
  if (typed.text === '' && attachments.length === 0) return ignored('nothing was said');
  const direct = isDirect(message.chat);
  const shared = {
    key: `msg:${message.chat.id}:${message.message_id}`,
    at: timeOf(message.date),
    conversation: conversationOf(context.bot, message.chat, message),
    ...channelName(message.chat),
    actor: actorOf(author),
    ...replyTo(message),
  };
  const command = readCommand(typed, context, direct);
  if (command?.kind === 'forOthers') return ignored('a command for another bot');
  const cut = command === undefined ? cutMention(typed, context) : undefined;
  const isBare = command === undefined ? cut === '' : command.bare;
  const handed = isBare && attachments.length === 0 ? handedOver(message, context) : undefined;
  if (handed !== undefined) return events({ ...shared, ...handed });
  // A command has no room for files: with some, the same words come as a message that names the bot.
  if (command !== undefined && attachments.length === 0) {
    return events({ ...shared, type: 'command', text: command.text, message: String(message.message_id) });
  }
  const addressed = command !== undefined ? (direct ? 'direct' : 'mention') : addressedBy(message, cut !== undefined);
  const album = attachments.length === 0 ? undefined : message.media_group_id;
  if (addressed === undefined && album === undefined) return ignored('talk');
  const said: InboundEvent = {
    ...shared,
    type: 'message',
    text: (command?.text ?? cut ?? words(typed)).trim(),
    message: String(message.message_id),
    ...below(message, message.message_id),
    addressed: addressed ?? 'thread',
    attachments,
  };
  return { kind: 'events', events: [said], album, talk: addressed === undefined };
}

/** `edited_message`. It also comes when nobody changed a word, and then says no time. */
export function editedEvents(message: Message, context: InboundContext): Inbound {
  const author = authorOf(message);
  if (author === undefined) return ignored('not written by a person');
  if (message.edit_date === undefined) return ignored('nobody edited it');
  const typed = typedOf(message);
  const command = readCommand(typed, context, isDirect(message.chat));
  if (command?.kind === 'forOthers') return ignored('a command for another bot');
  const cut = command === undefined ? cutMention(typed, context) : undefined;
  if (command === undefined && addressedBy(message, cut !== undefined) === undefined) return ignored('talk');
  return events({
    type: 'message_edited',
    key: `edit:${message.chat.id}:${message.message_id}:${message.edit_date}`,
    at: timeOf(message.edit_date),
    conversation: conversationOf(context.bot, message.chat, message),
    ...channelName(message.chat),
    actor: actorOf(author),
    ...replyTo(message),
    text: (command?.text ?? cut ?? words(typed)).trim(),
    message: String(message.message_id),
  });
}

/** A group that becomes a supergroup says so in both; both say the same, so that whichever comes first counts. */
function movedEvent(message: Message, context: InboundContext): InboundEvent | undefined {
  const { chat, migrate_to_chat_id: to, migrate_from_chat_id: from, from: author } = message;
  if (to === undefined && from === undefined) return undefined;
  const before = from ?? chat.id;
  const after = to ?? chat.id;
  return {
    type: 'channel_moved',
    key: `move:${before}:${after}`,
    at: timeOf(message.date),
    conversation: { platform: 'telegram', tenant: context.bot, channel: String(before), kind: 'channel' },
    ...channelName(chat),
    actor: author === undefined ? { user: context.bot, bot: true } : { ...actorOf(author), bot: author.is_bot },
    to: String(after),
  };
}

/** Answering somebody's message with nothing but the bot's name hands that message over, as "Hand to Deckhand" does elsewhere. */
function handedOver(message: Message, context: InboundContext) {
  const { reply_to_message: replied } = message;
  if (replied === undefined || replied.forum_topic_created !== undefined) return undefined;
  const text = clean(replied.text ?? replied.caption ?? '').trim();
  if (text === '' || String(replied.from?.id) === context.bot) return undefined;
  return {
    type: 'shortcut' as const,
    message: String(replied.message_id),
    ...below(message, replied.message_id),
    text,
    ...(replied.from === undefined || replied.sender_chat !== undefined ? {} : { author: String(replied.from.id) }),
  };
}

/** Bots, anonymous administrators, channels and what Telegram itself says are not persons. */
function authorOf(message: Message): User | undefined {
  const { from, sender_chat: sender, is_automatic_forward: isForward } = message;
  return from === undefined || from.is_bot || sender !== undefined || isForward === true ? undefined : from;
}

function addressedBy(message: Message, mentioned: boolean): 'mention' | 'direct' | 'thread' | undefined {
  if (isDirect(message.chat)) return 'direct';
  if (mentioned) return 'mention';
  return isInTopic(message) || replyTo(message).replyTo !== undefined ? 'thread' : undefined;
}

function typedOf(message: Message): Typed {
  if (message.text !== undefined) return { text: message.text, entities: message.entities ?? [] };
  if (message.caption !== undefined) return { text: message.caption, entities: message.caption_entities ?? [] };
  return { text: message.rich_message === undefined ? '' : richLines(message.rich_message.blocks).trim(), entities: [] };
}

/** The words of a rich message: blocks hold text, lists of text, and blocks. */
function richText(part: unknown): string {
  if (typeof part === 'string') return part;
  if (Array.isArray(part)) return part.map(richText).join('');
  if (typeof part !== 'object' || part === null) return '';
  const { text, blocks, items, cells } = part as Record<string, unknown>;
  const inner = [blocks, items, cells].map(richLines).filter((lines) => lines !== '');
  return [richText(text), ...inner].filter((piece) => piece !== '').join('\n');
}

function richLines(list: unknown): string {
  return Array.isArray(list) ? list.map(richText).join('\n') : '';
}

function attachmentsOf(message: Message): Attachment[] {
  const largest = message.photo?.toSorted((one, other) => one.width * one.height - other.width * other.height).at(-1);
  const files = [message.document, message.video, message.animation, message.audio, message.voice, message.video_note];
  // An animation comes as a document too, with the same id.
  const known = new Map(files.flatMap((file) => (file === undefined ? [] : [[file.file_unique_id, file]])));
  return [
    ...[...known.values()].map(
      ({ file_id: id, file_name: name, mime_type: mime, file_size: bytes }): Attachment => ({
        id,
        name: clean(name ?? 'file'),
        mime,
        bytes,
      }),
    ),
    ...(largest === undefined
      ? []
      : [{ id: largest.file_id, name: `photo-${message.message_id}.jpg`, mime: 'image/jpeg', bytes: largest.file_size }]),
  ];
}

/** The message that this one answers. In a topic every message that answers nothing names the one that made the topic. */
function replyTo({ reply_to_message: replied }: Message): { replyTo?: string } {
  if (replied === undefined || replied.forum_topic_created !== undefined) return {};
  return { replyTo: String(replied.message_id) };
}

/** Where a group has no topics, an answer is a reply to what asked for it. In a forum a task has a topic of its own where the bot may make one. */
function below(message: Message, answered: number): { below?: string } {
  if (isDirect(message.chat) || message.chat.is_forum === true) return {};
  return { below: chainThread(answered) };
}

/** Without topics the thread id of Telegram names the first message of a chain of replies, which is no place to write to. */
export function isInTopic(message: { is_topic_message?: boolean | undefined; message_thread_id?: number | undefined }): boolean {
  return message.is_topic_message === true && message.message_thread_id !== undefined;
}

export function conversationOf(
  tenant: string,
  chat: Chat,
  message: { is_topic_message?: boolean | undefined; message_thread_id?: number | undefined },
): Conversation {
  const { message_thread_id: topic } = message;
  return {
    platform: 'telegram',
    tenant,
    channel: String(chat.id),
    ...(topic === undefined || !isInTopic(message) ? {} : { thread: topicThread(topic) }),
    kind: isDirect(chat) ? 'direct' : 'channel',
  };
}

export function actorOf(user: User): { user: string; name?: string; bot: false } {
  const name = personName(user);
  return { user: String(user.id), ...(name === undefined ? {} : { name }), bot: false };
}

export function personName(user: { first_name?: string | undefined; last_name?: string | undefined }): string | undefined {
  return clean([user.first_name ?? '', user.last_name ?? ''].join(' ')).trim() || undefined;
}

export function channelName(chat: Chat): { channelName?: string } {
  return chat.title === undefined || chat.title === '' ? {} : { channelName: clean(chat.title) };
}

function isDirect(chat: Chat): boolean {
  return chat.type === 'private';
}

function timeOf(seconds: number): string {
  return new Date(seconds * 1000).toISOString();
}
