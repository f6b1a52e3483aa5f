import { stripTerminal } from './terminal.ts';

/**
 * What people, repositories and commands write is shown as plain text. Here it loses what could act on a reader's screen or eye on any
 * platform; escaping for one platform is its adapter's business (promise 11).
 */

/** Characters that a reader cannot see, or that change how others are shown. Newline and tab are layout and stay. */
const hidden = new RegExp(
  [
    '[\\u0000-\\u0008\\u000b-\\u001f\\u007f-\\u009f]', // controls
    '\\u00ad|\\u034f|\\u061c|[\\u115f\\u1160]|[\\u17b4\\u17b5]|[\\u180b-\\u180f]', // soft hyphen, joiners, fillers
    '[\\u200b-\\u200f\\u2028-\\u202e\\u2060-\\u206f]', // zero width, line separators, direction
    '\\u3164|\\uffa0|\\ufeff|[\\ufff9-\\ufffb]|\\u2800', // fillers, byte order mark, interlinear, blank braille
    '[\\u00a0\\u1680\\u2000-\\u200a\\u202f\\u205f\\u3000]', // spaces that are not the space a shell splits at
    '[\\ufe00-\\ufe0f]|[\\u{e0000}-\\u{e0fff}]|[\\u{1bca0}-\\u{1bca3}]|[\\u{1d173}-\\u{1d17a}]', // selectors, tags, shorthand, music
  ].join('|'),
  'gu',
);

/** Direction marks and invisible tags: they let text pretend to be other text. */
const deceptive = /[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069\u{e0000}-\u{e007f}]/gu;

/** Text for a card: without terminal sequences, control characters and direction marks; line ends are `\n`. */
export function cleanText(text: string): string {
  return stripTerminal(text.toWellFormed())
    .replace(/\r\n?|\u2028|\u2029/g, '\n')
    .replace(deceptive, '');
}

/** The same on one line, for titles and small print. */
export function oneLine(text: string): string {
  return cleanText(text)
    .trim()
    .replace(/\s*\n\s*/g, ' ⏎ ')
    .replace(/\t/g, ' ');
}

/** At most `max` characters of a text that stands in full elsewhere on the card or behind a button; an ellipsis says that it goes on. */
export function shorten(text: string, max: number): string {
  if (text.length <= max) return text;
  let kept = '';
  for (const { segment } of graphemes.segment(text.slice(0, max * 2))) {
    if (kept.length + segment.length > max - 1) break;
    kept += segment;
  }
  return `${kept.trimEnd()}…`;
}

const graphemes = new Intl.Segmenter('en', { granularity: 'grapheme' });

export interface Revealed {
  /** The text with every hidden character written out as `⟨U+202E⟩`. */
  text: string;
  /** How many there were. */
  hidden: number;
  /** Words whose letters come from alphabets that look alike, such as a Cyrillic `а` in a Latin word. */
  mixed: string[];
}

/** What a person must see before approving: nothing in the text stays invisible. Reversible to the eye, and for the eye only. */
export function reveal(text: string): Revealed {
  let count = 0;
  const shown = text
    .toWellFormed()
    .replace(/\r\n/g, '\n')
    .replace(hidden, (character) => {
      count += 1;
      return `⟨U+${(character.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, '0')}⟩`;
    });
  return { text: shown, hidden: count, mixed: mixedWords(text) };
}

function mixedWords(text: string): string[] {
  const words = text.match(/[\p{L}\p{M}]+/gu) ?? [];
  return [
    ...new Set(words.filter((word) => /\p{Script=Latin}/u.test(word) && /[\p{Script=Cyrillic}\p{Script=Greek}]/u.test(word))),
  ];
}
