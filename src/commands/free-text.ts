import type { Command } from './command.ts';
import { nearest } from './nearest.ts';
import { type Parsed, parseText } from './parse.ts';

/** What a message to the bot is. */
export type Meant =
  /** A command, right or wrong: the registry answers. */
  | { type: 'command' }
  /** Free text for an agent. */
  | { type: 'text' }
  /** No command, but nearly one: nobody wants an agent to work on a slip of the finger. */
  | { type: 'typo'; word: string; suggestions: string[] };

/**
 * Tells a command from free text by its shape: what begins with the name of a command and fits it is one, and so is what fails to fit but
 * looks like one, by `#142`, `key=value`, or for being short. Whole sentences that begin with such a word ("show me why the login test
 * fails") are free text.
 */
export function meantBy(text: string, commands: readonly Command[]): Meant {
  const parsed = parseText(text, commands);
  switch (parsed.type) {
    case 'command':
    case 'group':
    case 'empty':
      return { type: 'command' };
    case 'invalid':
      return isSentence(text) && !parsed.command.name.includes(' ') ? { type: 'text' } : { type: 'command' };
    case 'unknown':
      return nearly(text, parsed);
  }
}

/** Longer ones are like no name of a command. */
const longestWord = 100;

function nearly(text: string, { word, suggestions }: Extract<Parsed, { type: 'unknown' }>): Meant {
  // `project ad web`: the first word of commands of two words, with a second one that is none.
  if (word.includes(' ')) return isSentence(text) ? { type: 'text' } : { type: 'typo', word, suggestions };
  const meant = nearest(word.slice(0, longestWord).replace(/[.,:;!?]+$/, ''), suggestions);
  const short = wordsOf(text).length <= 2 || hasShape(text);
  return meant.length > 0 && short ? { type: 'typo', word, suggestions: meant } : { type: 'text' };
}

/** At least four words, and nothing in the first of them that only commands have. */
export function isSentence(text: string): boolean {
  return wordsOf(text).length >= 4 && !hasShape(text);
}

/** `#142`, `key=value` or a mention among the first words: people write these to commands. */
function hasShape(text: string): boolean {
  return wordsOf(text)
    .slice(1, 4)
    .some((word) => /^(#\d+$|[a-z][a-z-]*[+-]?=|@|<@)/.test(word));
}

function wordsOf(text: string): string[] {
  return text.trim().split(/\s+/);
}
