import type { Arg, Command } from './command.ts';
import { commands } from './registry.ts';
import { tokenize } from './tokens.ts';

/** A way to go on with what is typed. `value` replaces the whole text after the slash command. */
export interface Completion {
  value: string;
  hint: string;
}

const most = 25;

/** What the text after `/deckhand` may become: names of commands, then words and options of the one that is named. */
export function complete(text: string): Completion[] {
  const typed = text.trimStart().replace(/\s+/g, ' ').toLowerCase();
  const named = longestName(typed);
  const names = commands
    .filter(({ name }) => name.startsWith(typed) && name !== typed.trimEnd())
    .map(({ name, summary, positional }) => ({ value: Object.keys(positional).length > 0 ? `${name} ` : name, hint: summary }));
  const rest = named === undefined ? [] : completeArguments(named, text.trimStart());
  return [...names, ...rest].slice(0, most);
}

function longestName(typed: string): Command | undefined {
  return commands.filter(({ name }) => typed.startsWith(`${name} `)).sort((a, b) => b.name.length - a.name.length)[0];
}

function completeArguments(command: Command, text: string): Completion[] {
  const after = text.slice(command.name.length);
  const read = tokenize(after);
  if (!read.ok) return [];
  const last = read.tokens.at(-1);
  const open = last !== undefined && last.end === after.length ? last : undefined;
  const before = text.slice(0, command.name.length + (open?.start ?? after.length));
  const word = open?.text.toLowerCase() ?? '';
  const given = read.tokens.filter((token) => token !== open).flatMap(({ option }) => option?.key ?? []);
  const optionKey = open?.option?.key;
  const option = optionKey !== undefined && Object.hasOwn(command.options, optionKey) ? command.options[optionKey] : undefined;
  if (option !== undefined && open?.option !== undefined) {
    const start = `${before}${optionKey}${open.option.operator}`;
    return valuesOf(option, open.option.value.toLowerCase()).map((value) => ({ value: start + value, hint: option.about }));
  }
  const verbatim = Object.values(command.positional).some(({ takes }) => takes === 'verbatim');
  const words = Object.values(command.positional).flatMap((arg) =>
    valuesOf(arg, word).map((value) => ({ value: before + value, hint: arg.about })),
  );
  const options = Object.entries(command.options)
    .filter(([key, arg]) => key.startsWith(word) && (arg.takes === 'change' || !given.includes(key)))
    .map(([key, arg]) => ({ value: `${before}${key}=`, hint: arg.about }));
  // What follows the first word of a command for the shell is not ours to complete.
  if (verbatim && read.tokens.some((token) => token !== open && token.option === undefined)) return [];
  return [...words, ...options];
}

function valuesOf(arg: Arg<unknown>, word: string): string[] {
  return arg.values.filter((value) => value.startsWith(word) && value !== word);
}
