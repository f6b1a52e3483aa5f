import type { TelegramEmulator } from '../../lab/telegram/emulator.ts';
import type { Entity, Message } from '../../lab/telegram/model.ts';
import type { MessageRef } from '../../src/contracts/platform.ts';
import type { Shown } from '../contracts/chat-adapter-contract.ts';

/** WORD JOINER: keeps Telegram from finding links, and is not seen. */
const unseen = /\u2060/g;
const styles = new Set([
  'bold',
  'italic',
  'underline',
  'strikethrough',
  'spoiler',
  'code',
  'blockquote',
  'expandable_blockquote',
]);

/** Messages of the bot as people see them: those of one album as one, with what Telegram itself found in the text. */
export function telegramShown(telegram: TelegramEmulator, messages: readonly Message[]): Shown[] {
  const shown: { album: string | undefined; message: Shown }[] = [];
  for (const message of messages) {
    const last = shown.at(-1);
    const next = shownOne(telegram, message);
    if (last === undefined || message.media_group_id === undefined || last.album !== message.media_group_id) {
      shown.push({ album: message.media_group_id, message: next });
      continue;
    }
    last.message.files.push(...next.files);
    last.message.text += next.text;
    last.message.links.push(...next.links);
    last.message.mentions.push(...next.mentions);
    last.message.styled.push(...next.styled);
  }
  return shown.map(({ message }) => message);
}

/** What alerts have shown to one person. */
export function telegramDirect(telegram: TelegramEmulator, user: string): Shown[] {
  return telegram.core.state.queries
    .values()
    .filter((query) => String(query.user) === user && query.answer?.shown === 'alert')
    .map((query) => ({ ...nothing(telegram, query.chat, query.message), text: query.answer?.text ?? '' }));
}

function nothing(telegram: TelegramEmulator, chat: number, message: number): Shown {
  const ref = { platform: 'telegram' as const, tenant: String(telegram.botId), channel: String(chat), message: String(message) };
  return { ref, text: '', mentions: [], everybody: false, links: [], previews: [], styled: [], buttons: [], files: [] };
}

function shownOne(telegram: TelegramEmulator, message: Message): Shown {
  const { state } = telegram.core;
  const text = message.text ?? message.caption ?? '';
  const file = message.media === undefined ? undefined : state.files.get(message.media.file);
  const piece = ({ offset, length }: Entity) => text.slice(offset, offset + length).replace(unseen, '');
  const of = (...types: string[]) => message.entities.filter(({ type }) => types.includes(type));
  const links = of('text_link', 'url', 'email', 'phone_number', 'hashtag', 'cashtag', 'bot_command');
  return {
    ...nothing(telegram, message.chat, message.id),
    ref: refOf(telegram, message),
    text: text.replace(unseen, ''),
    mentions: of('text_mention', 'mention').map((entity) => (entity.user === undefined ? piece(entity) : String(entity.user))),
    links: links.map((entity) => entity.url ?? piece(entity)),
    previews: message.link_preview_options?.is_disabled === true ? [] : of('text_link', 'url').map(piece),
    styled: message.entities.filter(({ type }) => styles.has(type)).map(piece),
    buttons: (message.keyboard ?? []).flat().map((button) => button.text),
    files: file === undefined ? [] : [file.name],
  };
}

function refOf(telegram: TelegramEmulator, message: Message): MessageRef {
  const thread = message.is_topic_message === true ? `t${message.message_thread_id}` : undefined;
  const chain = message.reply_to === undefined ? undefined : `r${message.reply_to}`;
  const stands = thread ?? chain;
  return {
    platform: 'telegram',
    tenant: String(telegram.botId),
    channel: String(message.chat),
    ...(stands === undefined ? {} : { thread: stands }),
    message: String(message.id),
  };
}
