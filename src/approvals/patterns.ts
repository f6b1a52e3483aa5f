import type { SimpleCommand } from './shell-analysis.ts';
import type { ShellWord } from './shell-words.ts';
import { programName } from './wrappers.ts';

/**
 * Patterns of a custom policy, matched word by word against what the shell passes on: `npm test`, `git status *`. `*` alone as the
 * last word stands for any further words, none included; elsewhere it stands for any characters of its word. A word that only the
 * moment of running decides matches nothing but that last `*`.
 */
export function matchesPattern(pattern: string, words: readonly ShellWord[]): boolean {
  const wanted = patternWords(pattern);
  if (wanted.length === 0) return false;
  const open = wanted.length > 1 && wanted.at(-1) === '*';
  const fixed = open ? wanted.slice(0, -1) : wanted;
  if (open ? words.length < fixed.length : words.length !== fixed.length) return false;
  return fixed.every((part, index) => {
    const value = words[index]?.value;
    return value !== undefined && matchesWord(part, value);
  });
}

/** A deny pattern also meets the program under a path: `rm *` denies `/bin/rm x`. */
export function deniedBy(pattern: string, words: readonly ShellWord[]): boolean {
  if (matchesPattern(pattern, words)) return true;
  const [name, ...rest] = words;
  if (name?.value === undefined) return false;
  const bare = programName(name.value);
  return bare !== name.value && matchesPattern(pattern, [{ ...name, value: bare }, ...rest]);
}

/**
 * True when the fixed words of a deny pattern appear, in order, anywhere in the texts of the line: inside quotes, behind a program
 * that runs others, split over commands. Not enough to deny, too much to run unasked.
 */
export function mentionsPattern(pattern: string, line: string, commands: readonly SimpleCommand[]): boolean {
  const fixed = patternWords(pattern).filter((word) => !/^\*+$/.test(word));
  const decoded = commands.flatMap(({ words }) => words.map(({ value, text }) => value ?? text)).join(' ');
  return mentionsInOrder(fixed, line) || mentionsInOrder(fixed, decoded);
}

function mentionsInOrder(words: readonly string[], text: string): boolean {
  const lower = text.toLowerCase();
  let from = 0;
  for (const word of words) {
    const found = findWord(word.toLowerCase(), lower, from);
    if (found === -1) return false;
    from = found;
  }
  return true;
}

/** Where the first occurrence of the word ends, or -1. Of a word with `*` the first fixed part counts. */
function findWord(word: string, text: string, from: number): number {
  const star = word.indexOf('*');
  const literal = word.split('*').find((part) => part !== '') ?? '';
  for (let at = text.indexOf(literal, from); at !== -1; at = text.indexOf(literal, at + 1)) {
    const end = at + literal.length;
    const startsWord = star === 0 || !/[\w.-]/.test(text.charAt(at - 1));
    const endsWord = star !== -1 || !/[\w-]/.test(text.charAt(end));
    if (startsWord && endsWord) return end;
  }
  return -1;
}

function patternWords(pattern: string): string[] {
  return pattern.split(/\s+/).filter((word) => word !== '');
}

/** `*` is any characters. Without regular expressions, so that no text can make it slow. */
export function matchesWord(part: string, value: string): boolean {
  const [head = '', ...rest] = part.split('*');
  const tail = rest.pop();
  if (tail === undefined) return value === head;
  if (!value.startsWith(head) || !value.endsWith(tail) || value.length < head.length + tail.length) return false;
  let from = head.length;
  const end = value.length - tail.length;
  for (const literal of rest) {
    const at = value.indexOf(literal, from);
    if (at === -1 || at + literal.length > end) return false;
    from = at + literal.length;
  }
  return true;
}
