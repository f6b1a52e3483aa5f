import type { MessageEntity } from 'grammy/types';
import { breaks, joiner, printable } from './telegram-text.ts';

/** Looks of a piece of text. `pre` stands alone in its lines. */
export type Mark =
  | { type: 'bold' | 'italic' | 'strikethrough' | 'code' }
  | { type: 'pre'; language?: string | undefined }
  | { type: 'text_link'; url: string }
  | { type: 'text_mention'; user: number; name: string }
  | { type: 'date_time'; unix: number };

export interface Piece {
  text: string;
  marks: readonly Mark[];
}

/** A text as Telegram takes it: entities count in UTF-16 units, as JavaScript does. */
export interface Formatted {
  text: string;
  entities: MessageEntity[];
}

interface Range {
  mark: Mark;
  start: number;
  end: number;
}

/** Telegram drops what is beyond (reported by python-telegram-bot). */
const maxEntities = 100;
/** What is kept when there are too many, most important first. */
const ranks = ['text_mention', 'text_link', 'pre', 'code', 'date_time', 'bold', 'italic', 'strikethrough'] as const;
/** Inside these Telegram looks for nothing. */
const literal = new Set<Mark['type']>(['code', 'pre', 'text_link', 'text_mention']);

/** Puts pieces together. What they say is shown as it is; only their marks format, link and mention (promise 11). */
export function formatted(pieces: readonly Piece[]): Formatted {
  const { text, ranges } = laidOut(pieces);
  const kept = ranges
    .toSorted((one, other) => rank(one) - rank(other) || one.start - other.start)
    .slice(0, maxEntities)
    .toSorted((one, other) => one.start - other.start || other.end - one.end);
  const places = breaks(text).filter(
    (at) => !kept.some(({ mark, start, end }) => literal.has(mark.type) && start < at && at < end),
  );
  return { text: joined(text, places), entities: kept.map((range) => entityOf(range, places)) };
}

/** What the pieces say, without entities and without anything put in. */
export function plainOf(pieces: readonly Piece[]): string {
  return pieces.map(({ text }) => printable(text)).join('');
}

function laidOut(pieces: readonly Piece[]): { text: string; ranges: Range[] } {
  let text = '';
  const ranges: Range[] = [];
  for (const piece of merged(pieces)) {
    const start = text.length;
    text += printable(piece.text);
    if (text.slice(start).trim() === '') continue; // Telegram refuses entities without text
    for (const mark of piece.marks) ranges.push({ mark, start, end: text.length });
  }
  return { text, ranges };
}

/** Neighbours of the same style as one. Those that share only some of it stay apart: entities may contain each other, never overlap. */
function merged(pieces: readonly Piece[]): Piece[] {
  const result: Piece[] = [];
  for (const piece of pieces) {
    const last = result.at(-1);
    if (last !== undefined && sameStyle(last, piece)) result[result.length - 1] = { ...last, text: last.text + piece.text };
    else result.push(piece);
  }
  return result;
}

function sameStyle(one: Piece, other: Piece): boolean {
  const styles = ({ marks }: Piece) => marks.map(({ type }) => type).toSorted();
  const onlyStyle = styles(one).every((type) => ['bold', 'italic', 'strikethrough', 'code'].includes(type));
  return onlyStyle && styles(one).join() === styles(other).join();
}

function rank({ mark }: Range): number {
  return ranks.indexOf(mark.type);
}

function joined(text: string, places: readonly number[]): string {
  let result = '';
  let from = 0;
  for (const at of places) {
    result += text.slice(from, at) + joiner;
    from = at;
  }
  return result + text.slice(from);
}

/** A joiner at the start of a range stays outside of it, one at its end too. */
function entityOf({ mark, start, end }: Range, places: readonly number[]): MessageEntity {
  const offset = start + places.filter((at) => at <= start).length;
  const range = { offset, length: end + places.filter((at) => at < end).length - offset };
  switch (mark.type) {
    case 'pre':
      return mark.language === undefined ? { type: 'pre', ...range } : { type: 'pre', ...range, language: mark.language };
    case 'text_link':
      return { type: 'text_link', ...range, url: mark.url };
    case 'text_mention':
      return { type: 'text_mention', ...range, user: { id: mark.user, is_bot: false, first_name: mark.name } };
    case 'date_time':
      return { type: 'date_time', ...range, unix_time: mark.unix, date_time_format: 'dt' };
    default:
      return { type: mark.type, ...range };
  }
}
