import { isRecord, type Json } from '../slack/json.ts';
import { badRequest } from './api-error.ts';
import type { Args } from './args.ts';
import type { Chat, InlineButton, InlineKeyboard } from './model.ts';

/** `reply_markup`, checked as the server checks it. */

export interface Markup {
  keyboard?: InlineKeyboard | undefined;
  /** Force reply, reply keyboard or its removal. */
  asks?: Json | undefined;
  /** Set with everything but an inline keyboard: such a message cannot be edited. */
  isFixed?: true | undefined;
}

const MAX_BUTTONS = 100;
const MAX_PER_ROW = 8;
const STYLES = ['danger', 'success', 'primary'];
/** What a button does; exactly one of them. */
const ACTIONS = [
  'url',
  'callback_data',
  'web_app',
  'login_url',
  'switch_inline_query',
  'switch_inline_query_current_chat',
  'switch_inline_query_chosen_chat',
  'copy_text',
  'callback_game',
  'pay',
  'disabled',
];

export function markupOf(args: Args, chat: Chat): Markup {
  const value = args.json('reply_markup', 'reply keyboard markup');
  if (value === undefined || value === null) return {};
  if (!isRecord(value)) throw badRequest('object expected as reply markup');
  if (value.inline_keyboard !== undefined) {
    const keyboard = inlineKeyboard(value.inline_keyboard, chat);
    // Beside buttons a reply is forced from everybody: there is neither `selective` nor a placeholder.
    return {
      keyboard: keyboard.length > 0 ? keyboard : undefined,
      asks: value.force_reply === true ? { force_reply: true } : undefined,
    };
  }
  if (value.keyboard !== undefined) {
    const forced = value.force_reply === true ? { force_reply: true } : {};
    return { asks: { keyboard: replyKeyboard(value.keyboard), ...forced, ...placeholderOf(value) }, isFixed: true };
  }
  if (value.remove_keyboard === true) return { asks: { remove_keyboard: true }, isFixed: true };
  if (value.force_reply === true) return { asks: { force_reply: true, ...placeholderOf(value) }, isFixed: true };
  return {};
}

/** For edits, which take inline keyboards only. */
export function inlineMarkupOf(args: Args, chat: Chat): InlineKeyboard | undefined {
  const { keyboard, isFixed } = markupOf(args, chat);
  if (isFixed) throw badRequest('inline keyboard expected');
  return keyboard;
}

function placeholderOf(value: Json): Json {
  const given = value.input_field_placeholder;
  if (given === undefined) return value.selective === true ? { selective: true } : {};
  if (typeof given !== 'string')
    throw badRequest('can\'t parse reply keyboard markup: Field "input_field_placeholder" must be of type String');
  if (given.length > 64) throw badRequest('input field placeholder is too long');
  return { input_field_placeholder: given, ...(value.selective === true ? { selective: true } : {}) };
}

function replyKeyboard(value: unknown): Json[][] {
  return rows(value, 'keyboard', 'keyboard').map((row) =>
    row.map((button: unknown) => {
      if (typeof button === 'string') return { text: button };
      if (!isRecord(button)) throw badRequest("can't parse keyboard button: Keyboard button must be a String or an Object");
      if (typeof button.text !== 'string') throw badRequest('can\'t parse keyboard button: Field "text" must be of type String');
      return button;
    }),
  );
}

function rows(value: unknown, field: string, what: string): unknown[][] {
  if (!Array.isArray(value)) throw badRequest(`field "${field}" must be of type Array`);
  return value.map((row: unknown) => {
    if (!Array.isArray(row)) throw badRequest(`${what === 'keyboard' ? 'keyboard' : 'inline keyboard'} row must be an Array`);
    return row;
  });
}

function inlineKeyboard(value: unknown, chat: Chat): InlineKeyboard {
  const keyboard = rows(value, 'inline_keyboard', 'inline').map((row) => row.map((button) => inlineButton(button, chat)));
  const filled = keyboard.filter((row) => row.length > 0);
  if (filled.flat().length > MAX_BUTTONS || filled.some((row) => row.length > MAX_PER_ROW))
    throw badRequest('REPLY_MARKUP_TOO_LONG');
  return filled;
}

function inlineButton(value: unknown, chat: Chat): InlineButton {
  const fail = (detail: string) => badRequest(`can't parse inline keyboard button: ${detail}`);
  if (!isRecord(value)) throw fail('Inline keyboard button must be an Object');
  if (value.text === undefined) throw fail('Can\'t find field "text"');
  if (typeof value.text !== 'string') throw fail('Field "text" must be of type String');
  if (value.text.trim() === '') throw badRequest('BUTTON_TEXT_INVALID');
  if (value.style !== undefined && !STYLES.includes(String(value.style))) throw fail('Invalid button style specified');
  const actions = ACTIONS.filter((name) => value[name] !== undefined);
  const [action] = actions;
  if (action === undefined) throw fail('Text buttons are unallowed in the inline keyboard');
  if (actions.length > 1) throw fail('Inline keyboard button must have exactly one action');
  checkAction(action, value, chat, fail);
  return { ...value, text: value.text };
}

/** What one action of a button must look like. */
export function checkAction(action: string, button: Json, chat: Chat, fail: (detail: string) => Error): void {
  const given = button[action];
  if (action === 'callback_data') {
    if (typeof given !== 'string') throw fail('Field "callback_data" must be of type String');
    const bytes = Buffer.byteLength(given);
    if (bytes === 0 || bytes > 64) throw badRequest('BUTTON_DATA_INVALID');
  }
  if (action === 'url') {
    if (typeof given !== 'string') throw fail('Field "url" must be of type String');
    if (!isWebAddress(given)) throw badRequest(`inline keyboard button URL '${given}' is invalid: Wrong HTTP URL`);
  }
  if (action === 'copy_text') {
    const text = isRecord(given) ? given.text : undefined;
    if (typeof text !== 'string' || text.length === 0 || text.length > 256) throw badRequest('BUTTON_COPY_TEXT_INVALID');
  }
  if (action === 'web_app' && chat.kind !== 'private') throw badRequest('BUTTON_TYPE_INVALID');
}

function isWebAddress(value: string): boolean {
  if (/^(tg|ton|mailto|tel):/i.test(value)) return true;
  try {
    const url = new URL(/^[a-z][a-z0-9+.-]*:\/\//i.test(value) ? value : `http://${value}`);
    return ['http:', 'https:'].includes(url.protocol) && url.hostname.includes('.') && url.hostname !== 'localhost';
  } catch {
    return false;
  }
}

/** The same keyboard, button by button. */
export function sameKeyboard(a: InlineKeyboard | undefined, b: InlineKeyboard | undefined): boolean {
  return JSON.stringify(a ?? []) === JSON.stringify(b ?? []);
}
