import { createHash } from 'node:crypto';
import type { InlineKeyboardButton } from 'grammy/types';
import { DeliveryError } from '../../src/contracts/chat-adapter.ts';
import { fitsPress } from '../../src/contracts/press.ts';
import type { Block, Button } from '../../src/contracts/view.ts';
import { printable, shorten } from './telegram-text.ts';

type Select = Extract<Block, { type: 'select' }>;
type Rows = InlineKeyboardButton[][];

/** Options of one select: half of the 100 buttons a keyboard takes, so that a select and every button fit together. */
export const maxOptions = 50;
const maxButtons = 100;
const maxDataBytes = 64;
const maxLabel = 64;
/** Characters a phone shows side by side before it cuts labels. */
const rowWidth = 34;
const maxPerRow = 4;

/**
 * Buttons and selects of a view, below its text. Telegram has no selects, and a button carries 64 bytes, which a press token alone may
 * fill. So a select is a heading button that carries its token, and below it one button for each option that carries the value alone.
 * `readPress` puts them together again from the keyboard of the message: nothing is stored.
 */
export function keyboardOf(blocks: readonly Block[]): Rows {
  const rows: Rows = [];
  let selects = 0;
  for (const block of blocks) {
    if (block.type === 'buttons') rows.push(...rowsOf(block.buttons.map(buttonOf)));
    if (block.type !== 'select' || block.options.length === 0) continue;
    rows.push(...selectRows(block, selects));
    selects += 1;
  }
  const count = rows.flat().length;
  if (count > maxButtons) throw rejected(`the message needs ${count} buttons, Telegram takes ${maxButtons}`);
  return rows;
}

function buttonOf({ token, label, style }: Button): InlineKeyboardButton {
  if (token.startsWith(optionMark)) throw new Error(`a press token may not begin with ${optionMark}`);
  return { text: labelOf(label, '-'), callback_data: data(token), ...(style === 'default' ? {} : { style }) };
}

/**
 * Begins what an option carries; no press token does (`contracts/press.ts`). Behind it the number of its select in the message, then
 * `:` and the value, or `=` and a digest of a value that is too long but equals the label.
 */
const optionMark = '~';

function selectRows(select: Select, number: number): Rows {
  const heading: InlineKeyboardButton = { text: labelOf(`▾ ${select.placeholder}`, '▾'), callback_data: data(select.token) };
  return [
    [heading],
    ...rowsOf(
      select.options.map((option) => optionOf(option, number)),
      2,
    ),
  ];
}

function optionOf({ value, label }: Select['options'][number], select: number): InlineKeyboardButton {
  const text = labelOf(label, value === '' ? '-' : value);
  const whole = `${optionMark}${select}:${value}`;
  if (Buffer.byteLength(whole) <= maxDataBytes) return { text, callback_data: whole };
  if (text !== value) throw rejected(`the value of the option ${text} is longer than a button of Telegram carries`);
  const digest = createHash('sha256').update(value).digest('base64url').slice(0, 16);
  return { text, callback_data: `${optionMark}${select}=${digest}` };
}

function data(token: string): string {
  if (!fitsPress(token)) throw rejected('a press token is longer than a button of Telegram carries');
  return token;
}

function labelOf(label: string, instead: string): string {
  const shown = printable(label);
  return shorten(shown.trim() === '' ? instead : shown, maxLabel);
}

/** As many in a row as stay readable on a phone; all columns of a row are equally wide. */
function rowsOf(buttons: readonly InlineKeyboardButton[], most = maxPerRow): Rows {
  const rows: Rows = [];
  for (const button of buttons) {
    const row = rows.at(-1);
    const widest = Math.max(button.text.length, ...(row ?? []).map(({ text }) => text.length));
    if (row === undefined || row.length === most || widest * (row.length + 1) > rowWidth) rows.push([button]);
    else row.push(button);
  }
  return rows;
}

/** What a press means; `heading`: the heading of a select, which only names what stands below it. */
export type Pressed = { kind: 'press'; token: string; values: string[] } | { kind: 'heading' } | { kind: 'unreadable' };

/** A button as it comes back with the message of a press. */
export interface ShownButton {
  text: string;
  callback_data?: string | undefined;
}

/** Reads what a press carries with the keyboard it was pressed on; without one, as from a message that is gone, an option means nothing. */
export function readPress(pressed: string, keyboard: readonly (readonly ShownButton[])[]): Pressed {
  if (!pressed.startsWith(optionMark)) {
    const isHeading = keyboard.some(([first], at) => first?.callback_data === pressed && isOption(keyboard[at + 1]?.[0]));
    return isHeading ? { kind: 'heading' } : { kind: 'press', token: pressed, values: [] };
  }
  let token: string | undefined;
  for (const row of keyboard) {
    const found = row.find(({ callback_data }) => callback_data === pressed);
    if (found !== undefined && token !== undefined) return { kind: 'press', token, values: [chosenValue(pressed, found.text)] };
    if (!isOption(row[0])) token = row[0]?.callback_data;
  }
  return { kind: 'unreadable' };
}

function isOption(button: ShownButton | undefined): boolean {
  return button?.callback_data?.startsWith(optionMark) === true;
}

function chosenValue(pressed: string, label: string): string {
  const [, kind, value] = /^~\d+([:=])(.*)$/s.exec(pressed) ?? [];
  return kind === ':' ? (value ?? '') : label;
}

function rejected(detail: string): DeliveryError {
  return new DeliveryError({ kind: 'rejected', detail });
}
