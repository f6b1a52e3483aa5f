import type { CommandMenu, MenuArgument, MenuCommand } from '../../src/contracts/command-menu.ts';

/** The slash command that all others hang below, and the subcommand that takes any of them as text. */
export const slashCommand = 'deckhand';
export const anyCommand = { name: 'do', option: 'text' } as const;
/** The command in the menu of a message, at most 32 characters. */
export const messageCommand = 'Hand to Deckhand';

/** Discord's limits (application commands): entries of a level, options of a command, characters of everything together. */
const maxEntries = 25;
const maxOptions = 25;
const namePattern = /^[-_a-z0-9]{1,32}$/;

/** Where a command stands below `/deckhand`: `sub` alone, or in a group. */
export interface Placed {
  command: MenuCommand;
  group: string | undefined;
  sub: string;
}

/**
 * The commands of the menu as Discord can show them: `sh` is a subcommand, `project add` one in the group `project`. A command named as
 * a group (`rules` beside `rules revoke`) becomes `rules list`. What finds no place any more is reached by `do`.
 */
export function placeCommands(menu: Pick<CommandMenu, 'commands'>): Placed[] {
  const words = menu.commands.map((command) => ({ command, words: command.name.split(' ') }));
  const groups = new Set(words.flatMap((one) => (one.words.length === 2 ? [one.words[0] ?? ''] : [])));
  const placed: Placed[] = [];
  for (const { command, words: parts } of words) {
    const [first = '', second] = parts;
    if (parts.length > 2 || first === anyCommand.name || parts.some((part) => !namePattern.test(part))) continue;
    const taken = placed.filter(({ group }) => group === first).map(({ sub }) => sub);
    const inGroup = words.filter((one) => one.words.length === 2 && one.words[0] === first).map((one) => one.words[1]);
    const alone = ['list', 'show', 'view'].find((name) => !inGroup.includes(name));
    const entry: Placed =
      second !== undefined
        ? { command, group: first, sub: second }
        : { command, group: groups.has(first) ? first : undefined, sub: groups.has(first) ? (alone ?? 'all') : first };
    const top = new Set(placed.map(({ group, sub }) => group ?? sub));
    const isNew = !top.has(entry.group ?? entry.sub);
    if ((isNew && top.size >= maxEntries - 1) || taken.length >= maxEntries || taken.includes(entry.sub)) continue;
    placed.push(entry);
  }
  return placed;
}

/** The arguments that a subcommand has room for, each name once, required ones first. */
export function optionsOf(command: MenuCommand): MenuArgument[] {
  const named = new Map<string, MenuArgument>();
  for (const argument of [...command.positional, ...command.options]) {
    if (!named.has(argument.name) && namePattern.test(argument.name)) named.set(argument.name, argument);
  }
  const all = [...named.values()];
  return [...all.filter(({ required }) => required), ...all.filter(({ required }) => !required)].slice(0, maxOptions);
}
