import type { CommandMenu, MenuCommand } from '../../src/contracts/command-menu.ts';
import { charactersOf, namePattern, subcommand } from './command-options.ts';

/**
 * The slash commands that all others hang below, with what Discord says of each. One has room for 25 entries and 8000 characters (Discord
 * documentation, application commands), and its list shows them side by side when `/deckhand` is typed.
 */
export const slashCommands = {
  deckhand: 'Run and watch tasks',
  'deckhand-more': 'More about tasks and agents',
  'deckhand-setup': 'Projects, channels, policy and quotas',
  'deckhand-setup-more': 'More of what projects and channels are set to',
  'deckhand-people': 'People, roles, teams and ways to sign in',
  'deckhand-people-more': 'More about people, roles and teams',
} as const;
export type SlashCommand = keyof typeof slashCommands;

/** The subcommand of `/deckhand` that takes any command as text. */
export const anyCommand = {
  slash: 'deckhand',
  name: 'do',
  option: 'text',
  about: 'Any command as text, as it is written in a message',
  example: 'For example: tasks mine',
} as const;
/** The command in the menu of a message, at most 32 characters. */
export const messageCommand = 'Hand to Deckhand';

const maxEntries = 25;
const maxCharacters = 8000;

/** Where a command stands below a slash command: `sub` alone, or in a group. */
export interface Placed {
  command: MenuCommand;
  slash: SlashCommand;
  group: string | undefined;
  sub: string;
}

export function isSlashCommand(name: string | undefined): name is SlashCommand {
  return name !== undefined && Object.hasOwn(slashCommands, name);
}

const placedOf = new WeakMap<readonly MenuCommand[], readonly Placed[]>();

/**
 * The commands of the menu as Discord can show them: `sh` is a subcommand, `project add` one in the group `project`. A command named as
 * a group (`rules` beside `rules revoke`) becomes `rules list`, or `invite new` where there is a list already. A group that the first slash command for its part of the menu has no room
 * for stands below the second; what finds no place there either is reached by `do`. Looked up again and again while people type, so it is
 * worked out once for a menu.
 */
export function placeCommands({ commands }: Pick<CommandMenu, 'commands'>): readonly Placed[] {
  const known = placedOf.get(commands);
  if (known !== undefined) return known;
  const rooms = new Map<SlashCommand, Room>();
  const placed = [
    ...Map.groupBy(entriesOf(commands), ({ slashes, group, sub }) => `${slashes[0]} ${group ?? sub}`).values(),
  ].flatMap((those) => {
    const whole = those[0]?.slashes.find((slash) => takeRoom(rooms, slash, those));
    if (whole !== undefined) return those.map((entry) => ({ ...entry, slash: whole }));
    // A group that is too big for any is there in part.
    return those.flatMap((entry) => {
      const slash = entry.slashes.find((one) => takeRoom(rooms, one, [entry]));
      return slash === undefined ? [] : [{ ...entry, slash }];
    });
  });
  placedOf.set(commands, placed);
  return placed;
}

/** What Discord says of a group of commands. */
export function groupAbout(group: string): string {
  return `Commands of ${group}`;
}

interface Entry extends Omit<Placed, 'slash'> {
  /** Where it may stand, best first. */
  slashes: readonly SlashCommand[];
}

/** The commands that Discord can name, each under a name of its own. */
function entriesOf(commands: readonly MenuCommand[]): Entry[] {
  const words = commands.map((command) => ({ command, words: command.name.split(' ') }));
  const groups = new Set(words.flatMap((one) => (one.words.length === 2 ? [one.words[0] ?? ''] : [])));
  const entries = new Map<string, Entry>();
  for (const { command, words: parts } of words) {
    const [first = '', second] = parts;
    if (parts.length > 2 || first === anyCommand.name || parts.some((part) => !namePattern.test(part))) continue;
    const inGroup = words.filter((one) => one.words.length === 2 && one.words[0] === first).map((one) => one.words[1]);
    const alone = ['list', 'new', 'view'].find((name) => !inGroup.includes(name)) ?? 'all';
    const isGroup = second !== undefined || groups.has(first);
    const name = isGroup ? { group: first, sub: second ?? alone } : { group: undefined, sub: first };
    const key = `${name.group ?? ''} ${name.sub}`;
    if (!entries.has(key)) entries.set(key, { command, slashes: slashesFor(command), ...name });
  }
  return [...entries.values()];
}

function slashesFor({ part }: MenuCommand): readonly SlashCommand[] {
  if (part === 'setup') return ['deckhand-setup', 'deckhand-setup-more'];
  if (part === 'people') return ['deckhand-people', 'deckhand-people-more'];
  return ['deckhand', 'deckhand-more'];
}

/** What is taken of a slash command: its entries with how many stand in each, and its characters. */
interface Room {
  entries: ReadonlyMap<string, number>;
  characters: number;
}

/** Takes room for all of these, or for none; false: there is not so much left. */
function takeRoom(rooms: Map<SlashCommand, Room>, slash: SlashCommand, those: readonly Entry[]): boolean {
  const room = rooms.get(slash) ?? newRoom(slash);
  const entries = new Map(room.entries);
  let { characters } = room;
  for (const { command, group, sub } of those) {
    const top = group ?? sub;
    const held = entries.get(top) ?? 0;
    entries.set(top, held + 1);
    if (group !== undefined && held === 0) characters += group.length + groupAbout(group).length;
    characters += charactersOf(subcommand(command, sub));
  }
  if (characters > maxCharacters || entries.size > maxEntries || [...entries.values()].some((held) => held > maxEntries))
    return false;
  rooms.set(slash, { entries, characters });
  return true;
}

/** The name and the words of the slash command count too, and those of `do`. */
function newRoom(slash: SlashCommand): Room {
  const { name, option, about, example } = anyCommand;
  const own = slash.length + slashCommands[slash].length;
  if (slash !== anyCommand.slash) return { entries: new Map(), characters: own };
  return { entries: new Map([[name, 1]]), characters: own + name.length + option.length + about.length + example.length };
}
