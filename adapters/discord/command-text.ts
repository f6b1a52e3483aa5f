import type { CommandMenu, MenuArgument, MenuCommand, MenuCompletion } from '../../src/contracts/command-menu.ts';
import { anyCommand, placeCommands, type SlashCommand } from './command-names.ts';
import type { CommandOption } from './payloads.ts';

/** What was chosen below a slash command, or is being typed there. */
interface Chosen {
  group: string | undefined;
  sub: string;
  values: Map<string, string>;
  focused: string | undefined;
}

/**
 * The command as text, as a message would say it; `undefined` for options that are none of ours. A command that has left the menu since
 * Discord was told about it is written out too: whoever reads commands says what to do instead.
 */
export function commandText(menu: Pick<CommandMenu, 'commands'>, options: readonly CommandOption[]): string | undefined {
  const chosen = choose(options);
  if (chosen === undefined) return undefined;
  if (isAny(chosen)) return chosen.values.get(anyCommand.option)?.trim();
  const command = find(menu, chosen);
  if (command !== undefined) return written(command, chosen.values, undefined);
  return [...(chosen.group === undefined ? [] : [chosen.group]), chosen.sub, ...[...chosen.values.values()].map(quote)].join(' ');
}

/** The command as Discord's clients write it: what is pasted so becomes the same choices again. */
export function typedCommand(slash: SlashCommand, options: readonly CommandOption[]): string {
  const { group, sub, values } = choose(options) ?? { group: undefined, sub: '', values: new Map<string, string>() };
  const given = [...values].map(([name, value]) => `${name}:${value}`);
  return [`/${slash}`, ...(group === undefined ? [] : [group]), sub, ...given].join(' ').trim();
}

/** What is typed, and how a completion of the whole text becomes one of the option that has the focus. */
export interface Typing {
  text: string;
  /** `undefined` when the completion does not belong to this option. */
  valueOf(completion: MenuCompletion): string | undefined;
}

export function typingOf(menu: Pick<CommandMenu, 'commands'>, options: readonly CommandOption[]): Typing | undefined {
  const chosen = choose(options);
  if (chosen?.focused === undefined) return undefined;
  const typed = chosen.values.get(chosen.focused) ?? '';
  if (isAny(chosen)) return { text: typed, valueOf: ({ value }) => value };
  const command = find(menu, chosen);
  const argument = [...(command?.positional ?? []), ...(command?.options ?? [])].find(({ name }) => name === chosen.focused);
  if (command === undefined || argument === undefined) return undefined;
  const isOption = !command.positional.includes(argument);
  // The word in question comes last, so that what completes the text completes it.
  const others = new Map([...chosen.values].filter(([name]) => name !== argument.name));
  const before = `${written(command, others, argument)} ${isOption ? `${argument.name}=` : ''}`;
  return {
    text: before + typed,
    valueOf({ value }) {
      if (!value.startsWith(before)) return undefined;
      const word = unquoted(value.slice(before.length).trimEnd());
      return word === undefined || word === '' ? undefined : word;
    },
  };
}

/**
 * Words are quoted as the reader of commands unquotes them. A text to the end of the line stays as it is and comes last, behind the
 * options; `--` keeps its own beginning from being read as one. `without`: an argument that is left out, with those behind it.
 */
function written(command: MenuCommand, values: ReadonlyMap<string, string>, without: MenuArgument | undefined): string {
  const words: string[] = [];
  const options: string[] = [];
  let rest: string | undefined;
  for (const argument of command.positional) {
    if (argument === without) break;
    const value = values.get(argument.name);
    if (value === undefined) continue;
    if (argument.rest) rest = value.trim();
    else words.push(quote(value));
  }
  for (const { name } of command.options) {
    const value = values.get(name);
    if (value !== undefined && name !== without?.name && !command.positional.some((argument) => argument.name === name)) {
      options.push(`${name}=${quoteValue(value)}`);
    }
  }
  const guard = rest !== undefined && beginsLikeOption(rest, command) ? ['--'] : [];
  return [command.name, ...words, ...options, ...guard, ...(rest === undefined ? [] : [rest])].join(' ');
}

function beginsLikeOption(rest: string, command: MenuCommand): boolean {
  return /^--(\s|$)/.test(rest) || command.options.some(({ name }) => new RegExp(`^${name}[+-]?=`).test(rest));
}

function choose(options: readonly CommandOption[]): Chosen | undefined {
  const [first] = options;
  if (first === undefined) return undefined;
  const inGroup = first.type === 2 ? first.options?.[0] : undefined;
  const sub = inGroup ?? first;
  if (sub.type !== 1) return undefined;
  const given = sub.options ?? [];
  return {
    group: inGroup === undefined ? undefined : first.name,
    sub: sub.name,
    values: new Map(given.flatMap(({ name, value }) => (value === undefined ? [] : [[name, String(value)]]))),
    focused: given.find(({ focused }) => focused === true)?.name,
  };
}

function isAny({ group, sub }: Chosen): boolean {
  return group === undefined && sub === anyCommand.name;
}

function find(menu: Pick<CommandMenu, 'commands'>, { group, sub }: Chosen): MenuCommand | undefined {
  return placeCommands(menu).find((one) => one.group === group && one.sub === sub)?.command;
}

const openers = /^["'“„‘]/;

/** One word that is read back as it is, and never as an option. */
function quote(value: string): string {
  return value !== '' && !/[\s=]/.test(value) && !openers.test(value) ? value : quoted(value);
}

function quoteValue(value: string): string {
  return value !== '' && !/\s/.test(value) && !openers.test(value) ? value : quoted(value);
}

function quoted(value: string): string {
  return `"${value.replace(/["\\]/g, '\\$&')}"`;
}

function unquoted(word: string): string | undefined {
  if (!word.startsWith('"')) return word;
  const [, inner] = /^"((?:[^"\\]|\\[\s\S])*)"$/.exec(word) ?? [];
  return inner?.replace(/\\(["\\])/g, '$1');
}
