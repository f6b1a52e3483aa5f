import type { DiscordChannel, DiscordChoice, DiscordCommand, DiscordOption, DiscordState } from '../discord-page-api.ts';

/** A slash command one can send: a command without subcommands, or one of its subcommands. */
export interface Leaf {
  /** `deckhand`, `project`, `add` */
  path: string[];
  description: string;
  options: DiscordOption[];
}

const SUBCOMMAND = 1;
const GROUP = 2;

export function leavesIn(state: DiscordState, channel: DiscordChannel, as: string): Leaf[] {
  return offeredIn(state, channel, as, 1).flatMap(leavesOf);
}

/** Commands of this type (1 slash, 3 of messages) that the person is offered here. */
export function offeredIn(state: DiscordState, channel: DiscordChannel, as: string, wanted: 1 | 3): DiscordCommand[] {
  const isDirect = channel.kind === 'dm';
  return state.commands.filter(
    ({ type, in_dm, in_guild, members }) => type === wanted && (isDirect ? in_dm : in_guild && members.includes(as)),
  );
}

function leavesOf({ name, description, options }: DiscordCommand): Leaf[] {
  const below = (path: string[], inner: DiscordOption[], about: string): Leaf[] => {
    const nested = inner.filter(({ type }) => type === SUBCOMMAND || type === GROUP);
    if (nested.length === 0) return [{ path, description: about, options: inner }];
    return nested.flatMap((option) => below([...path, option.name], option.options ?? [], option.description));
  };
  return below([name], options, description);
}

export function lineOf(leaf: Leaf): string {
  return `/${leaf.path.join(' ')}`;
}

/** Commands whose words begin as typed, nearest first. */
export function matching(leaves: Leaf[], typed: string): Leaf[] {
  const words = typed.slice(1).toLowerCase().split(/\s+/).filter(Boolean);
  const fits = (leaf: Leaf) => words.every((word) => leaf.path.some((own) => own.startsWith(word)));
  const starts = (leaf: Leaf) => lineOf(leaf).startsWith(typed.trimEnd().toLowerCase());
  return leaves.filter((leaf) => starts(leaf) || fits(leaf)).toSorted((a, b) => Number(starts(b)) - Number(starts(a)));
}

/** The command whose words are all typed and followed by a space, and the rest of the line. */
export function typedCommand(leaves: Leaf[], text: string): { leaf: Leaf; rest: string } | undefined {
  const leaf = leaves
    .filter((entry) => text.startsWith(`${lineOf(entry)} `))
    .toSorted((a, b) => b.path.length - a.path.length)[0];
  return leaf && { leaf, rest: text.slice(lineOf(leaf).length + 1) };
}

/** What stands in the field of an option, and what is sent for it. */
export interface Filled {
  shown: string;
  value: string | number | boolean;
}
export type Values = Record<string, Filled>;

/** What can be chosen without asking the app; undefined where one types freely. */
export function choicesFor(option: DiscordOption, state: DiscordState): DiscordChoice[] | undefined {
  const people = state.people.map(({ id, name }) => ({ name: `@${name}`, value: id }));
  const roles = state.roles.map(({ id, name }) => ({ name: `@${name}`, value: id }));
  switch (option.type) {
    case 5:
      return [
        { name: 'True', value: 'true' },
        { name: 'False', value: 'false' },
      ];
    case 6:
      return people;
    case 7:
      return state.channels.filter(({ kind }) => kind !== 'dm').map(({ id, name }) => ({ name: `#${name}`, value: id }));
    case 8:
      return roles;
    case 9:
      return [...people, ...roles];
    default:
      return option.choices === undefined || option.choices.length === 0 ? undefined : option.choices;
  }
}

/** The options as they are sent; empty ones are left out. */
export function optionsToSend(leaf: Leaf, values: Values): Record<string, string | number | boolean> {
  const sent: Record<string, string | number | boolean> = {};
  for (const option of leaf.options) {
    const value = values[option.name]?.value;
    if (value === undefined || value === '') continue;
    sent[option.name] = option.type === 5 ? value === 'true' || value === true : value;
  }
  return sent;
}

export function missing(leaf: Leaf, values: Values): DiscordOption | undefined {
  return leaf.options.find(({ name, required }) => required === true && (values[name]?.shown ?? '') === '');
}
