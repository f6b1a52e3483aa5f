import type { ForceReply, InlineKeyboardMarkup, MessageEntity } from 'grammy/types';
import { DeliveryError } from '../../src/contracts/chat-adapter.ts';
import type { View } from '../../src/contracts/view.ts';
import { piecesOf } from './blocks.ts';
import { formatted, type Piece, plainOf } from './entities.ts';
import { keyboardOf } from './keyboard.ts';
import { printable, shorten } from './telegram-text.ts';

/** The parameters of `sendMessage` and `editMessageText` that say what is shown. */
export interface MessageContent {
  text: string;
  entities: MessageEntity[];
  link_preview_options: { is_disabled: true };
}

/** core.telegram.org/bots/api#sendmessage; the unit is not stated there, UTF-16 is the stricter reading. */
const maxText = 4096;
const maxCaption = 1024;
const maxAlert = 200;
const maxPlaceholder = 64;

/** The text of a view. Throws `rejected` for one beyond the capabilities. */
export function messageContent(view: View): MessageContent {
  const { text, entities } = formatted(shownPieces(view));
  if (text.length > maxText) {
    throw new DeliveryError({ kind: 'rejected', detail: `the message has ${text.length} characters, Telegram takes ${maxText}` });
  }
  return { text, entities, link_preview_options: { is_disabled: true } };
}

/**
 * What stands below the text; `undefined` for nothing. A reply can be asked for only by a new message. Beside buttons Telegram opens the
 * reply for everybody in the chat, so in groups the buttons stand alone then.
 */
export function messageMarkup(view: View, isPrivate: boolean): InlineKeyboardMarkup | ForceReply | undefined {
  const keyboard = keyboardOf(view.blocks);
  const asks = view.asks !== undefined;
  if (keyboard.length > 0) return { inline_keyboard: keyboard, ...(asks && isPrivate ? { force_reply: true } : {}) };
  if (view.asks === undefined) return undefined;
  const placeholder = view.asks.placeholder === undefined ? '' : printable(view.asks.placeholder).trim();
  return {
    force_reply: true,
    // Only for whoever is mentioned in the text, or whose message is answered.
    ...(isPrivate ? {} : { selective: true }),
    ...(placeholder === '' ? {} : { input_field_placeholder: shorten(placeholder, maxPlaceholder) }),
  };
}

/** Whether a message opens a reply for the people it aims at, and for them alone. */
export function aims(markup: InlineKeyboardMarkup | ForceReply | undefined): boolean {
  return markup !== undefined && 'selective' in markup;
}

/** The buttons of an edited message. Telegram takes the old ones away by itself, an empty list says so. */
export function editedMarkup(view: View): InlineKeyboardMarkup {
  return { inline_keyboard: keyboardOf(view.blocks) };
}

/** Whether there is nothing in a view to press, to answer or to open. */
export function onlyText(view: View): boolean {
  const more = view.asks !== undefined || (view.files?.length ?? 0) > 0;
  return !more && !view.blocks.some(({ type }) => type === 'buttons' || type === 'select');
}

/** A view as the alert that answers a press: `undefined` when it is more than 200 characters or more than text. Nothing in it is a link. */
export function alertText(view: View): string | undefined {
  if (!onlyText(view)) return undefined;
  const text = plainOf(shownPieces(view)).trim();
  return text.length <= maxAlert ? text : undefined;
}

/** A comment as a caption; `undefined` when it is too long for one. */
export function captionOf(comment: string): { caption: string; caption_entities: MessageEntity[] } | undefined {
  const { text, entities } = formatted([{ text: comment, marks: [] }]);
  return text.length <= maxCaption ? { caption: text, caption_entities: entities } : undefined;
}

/** Telegram refuses texts without a visible character. */
function shownPieces(view: View): Piece[] {
  const pieces = piecesOf(view.blocks);
  return pieces.some(({ text }) => text.trim() !== '') ? pieces : [{ text: view.fallback, marks: [] }];
}
