import type { Arg, Command, Named } from './command.ts';
import { commands } from './registry.ts';
import { quote, type Token, tokenize } from './tokens.ts';

/** A way to go on with what is typed. `value` replaces the whole text after the slash command. */
export interface Completion {
  value: string;
  hint: string;
}

/** Something of the workspace that can be named, best first: what is written for it, what else it is found by, what it is. */
export interface Known {
  value: string;
  also: string;
  hint: string;
}
export type KnownNames = Readonly<Partial<Record<Named, readonly Known[]>>>;

const most = 25;

/**
 * What the text after `/deckhand` may become: names of commands, then words and options of the one that is named. `known`: what of the
 * workspace whoever types may see.
 */
export function complete(text: string, known: KnownNames = {}): Completion[] {
  const typed = text.trimStart().replace(/\s+/g, ' ').toLowerCase();
  const named = longestName(typed);
  const names = commands
    .filter(({ name }) => name.startsWith(typed) && name !== typed.trimEnd())
    .map(({ name, summary, positional }) => ({ value: Object.keys(positional).length > 0 ? `${name} ` : name, hint: summary }));
  const rest = named === undefined ? [] : completeArguments(named, text.trimStart(), known);
  return [...names, ...rest].slice(0, most);
}

/** What of the workspace could be named in the text that is typed. */
export function namedIn(text: string): Named[] {
  const command = longestName(text.trimStart().replace(/\s+/g, ' ').toLowerCase());
  if (command === undefined) return [];
  const args = [...Object.values(command.positional), ...Object.values(command.options)];
  return [...new Set(args.flatMap(({ names }) => names ?? []))];
}

function longestName(typed: string): Command | undefined {
  return commands.filter(({ name }) => typed.startsWith(`${name} `)).sort((a, b) => b.name.length - a.name.length)[0];
}

function completeArguments(command: Command, text: string, known: KnownNames): Completion[] {
  const after = text.slice(command.name.length);
  const read = tokenize(after);
  if (!read.ok) return [];
  const last = read.tokens.at(-1);
  const open = last !== undefined && last.end === after.length ? last : undefined;
  const before = text.slice(0, command.name.length + (open?.start ?? after.length));
  const complete = read.tokens.filter((token) => token !== open);
  const optionKey = open?.option?.key;
  const option = optionKey !== undefined && Object.hasOwn(command.options, optionKey) ? command.options[optionKey] : undefined;
  if (option !== undefined && open?.option !== undefined) {
    const start = `${before}${optionKey}${open.option.operator}`;
    return waysOf(option, open.option.value, known).map(({ value, hint }) => ({ value: start + value, hint }));
  }
  // What follows the first word of a command for the shell is not ours to complete.
  const verbatim = Object.values(command.positional).some(({ takes }) => takes === 'verbatim');
  if (verbatim && complete.some(({ option }) => option === undefined)) return [];
  return [...words(command, before, complete, open, known), ...options(command, before, complete, open)];
}

/** What the next word can be: an argument whose turn it is, and those after it as long as it may be left out. */
function words(
  command: Command,
  before: string,
  complete: readonly Token[],
  open: Token | undefined,
  known: KnownNames,
): Completion[] {
  const given = complete.filter(({ option }) => option === undefined).length;
  const left = Object.values(command.positional).slice(given);
  const must = left.findIndex(({ required }) => required);
  return left
    .slice(0, must < 0 ? left.length : must + 1)
    .flatMap((arg) => waysOf(arg, open?.text ?? '', known))
    .map(({ value, hint }) => ({ value: before + value, hint }));
}

function options(command: Command, before: string, complete: readonly Token[], open: Token | undefined): Completion[] {
  const given = complete.flatMap(({ option }) => option?.key ?? []);
  const word = open?.text.toLowerCase() ?? '';
  return Object.entries(command.options)
    .filter(([key, arg]) => key.startsWith(word) && (arg.takes === 'change' || !given.includes(key)))
    .map(([key, arg]) => ({ value: `${before}${key}=`, hint: arg.about }));
}

function waysOf(arg: Arg<unknown>, typed: string, known: KnownNames): Completion[] {
  // Permissions are written with commas between: the last one is being typed.
  const last = arg.names === 'permission' ? typed.lastIndexOf(',') + 1 : 0;
  if (last === 0) return waysOfWord(arg, typed, known);
  const before = typed.slice(0, last);
  return waysOfWord(arg, typed.slice(last), known)
    .filter(({ value }) => !before.split(',').includes(value))
    .map(({ value, hint }) => ({ value: before + value, hint }));
}

function waysOfWord(arg: Arg<unknown>, typed: string, known: KnownNames): Completion[] {
  const word = typed.toLowerCase();
  const fixed = arg.values
    .filter((value) => value.startsWith(word) && value !== word)
    .map((value) => ({ value, hint: arg.about }));
  const looked = arg.names === undefined ? [] : (known[arg.names] ?? []);
  const bare = word.replace(/^[#@]/, '');
  const found = looked
    .filter(
      ({ value, also }) => value.toLowerCase() !== word && startsWith([value.replace(/^[#@]/, ''), ...also.split(/\s+/)], bare),
    )
    .map(({ value, hint }) => ({ value: quote(value), hint }));
  return [...fixed, ...found];
}

function startsWith(names: readonly string[], word: string): boolean {
  return names.some((name) => name.toLowerCase().startsWith(word));
}
