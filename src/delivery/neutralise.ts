import { hiddenCharacters, revealHidden } from '../approvals/hidden-characters.ts';
import { stripTerminal } from './terminal.ts';

/**
 * What people, repositories and commands write is shown as plain text. Here it loses what could act on a reader's screen or eye on any
 * platform; escaping for one platform is its adapter's business (promise 11).
 */

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
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '')
    .join(' ⏎ ')
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

/** The same, keeping the end: of a path that names the file. */
export function shortenStart(text: string, max: number): string {
  if (text.length <= max) return text;
  const all = [...graphemes.segment(text)].map(({ segment }) => segment);
  let kept = '';
  while (all.length > 0 && kept.length + (all.at(-1)?.length ?? 0) < max) kept = `${all.pop()}${kept}`;
  return `…${kept}`;
}

const graphemes = new Intl.Segmenter('en', { granularity: 'grapheme' });

export interface Revealed {
  /** The text with every hidden character written out as `⟨U+202E⟩`. */
  text: string;
  /** Which these are, each once. */
  hidden: string[];
  /** Words whose letters come from alphabets that look alike, such as a Cyrillic `а` in a Latin word. */
  mixed: string[];
}

/** What a person must see before approving: nothing in the text stays invisible. */
export function reveal(text: string): Revealed {
  return { text: revealHidden(text), hidden: hiddenCharacters(text), mixed: mixedWords(text) };
}

function mixedWords(text: string): string[] {
  const words = text.match(/[\p{L}\p{M}]+/gu) ?? [];
  return [
    ...new Set(words.filter((word) => /\p{Script=Latin}/u.test(word) && /[\p{Script=Cyrillic}\p{Script=Greek}]/u.test(word))),
  ];
}
