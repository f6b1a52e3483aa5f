import { Refused } from '../refused.ts';
import type { Json } from '../slack/json.ts';
import type { Core } from './core.ts';
import type { Channel, Command, CommandOption, User } from './model.ts';
import { guildPermissions, PERMISSION } from './permissions.ts';
import { GUILD } from './seed.ts';
import { wireAttachment, wireChannel, wireMember, wireRole, wireUser } from './wire.ts';

/** What the client makes of a typed slash command. */

export type TypedOptions = Readonly<Record<string, string | number | boolean>>;

export interface Typed {
  /** The words of the command: `['deckhand', 'project', 'add']`. */
  path: readonly string[];
  /** By option name. Users, channels and roles by id; files by the id of an upload. */
  options: TypedOptions;
}

/**
 * Commands the person is offered here: of the guild and global ones in the guild, where `default_member_permissions` lets them; global
 * ones with that context in DMs.
 */
export function usableCommands(core: Core, user: User, channel: Channel): Command[] {
  const here = channel.kind === 'dm' ? 1 : 0;
  return core.state.commands
    .values()
    .filter((command) => (command.scope === 'global' ? (command.contexts?.includes(here) ?? true) : here === 0))
    .filter((command) => here === 1 || isMemberAllowed(core, user, command));
}

/** Whether the person has every right the command asks of members; `0` asks for an administrator. The owner may always. */
export function isMemberAllowed(core: Core, user: User, { default_member_permissions: asked }: Command): boolean {
  if (asked === undefined || user.id === GUILD.owner) return true;
  const own = guildPermissions(core, user.id);
  if ((own & PERMISSION.ADMINISTRATOR) !== 0n) return true;
  const wanted = BigInt(asked);
  return wanted !== 0n && (own & wanted) === wanted;
}

/** The options as they go to the app. Refuses what the client would not send. With `focused` nothing is required yet. */
export function optionsOnWire(
  core: Core,
  user: User,
  known: CommandOption[],
  typed: TypedOptions,
  focused: string | undefined,
): Json[] {
  for (const name of Object.keys(typed)) {
    if (!known.some((option) => option.name === name)) {
      const names = known.map((option) => option.name).join(', ');
      throw new Refused('unknown_option', `There is no option "${name}"; there is ${names || 'none'}.`);
    }
  }
  return known.flatMap((option) => {
    const value = typed[option.name];
    const isFocused = option.name === focused;
    if (value === undefined && !isFocused) {
      if (option.required === true && focused === undefined)
        throw new Refused('option_missing', `The option "${option.name}" is required.`);
      return [];
    }
    // While typing, what stands in the focused field is text, whatever the option takes.
    const sent = isFocused ? String(value ?? '') : checked(core, user, option, value ?? '');
    return [{ type: option.type, name: option.name, value: sent, ...(isFocused ? { focused: true } : {}) }];
  });
}

function checked(core: Core, user: User, option: CommandOption, value: string | number | boolean): string | number | boolean {
  const refuse = (detail: string): never => {
    throw new Refused('wrong_option', `"${option.name}" ${detail}`);
  };
  const bound = (key: string) => (typeof option[key] === 'number' ? option[key] : undefined);
  if (option.choices && option.choices.length > 0) {
    const choice = option.choices.find((entry) => entry.value === value || entry.name === value);
    return choice ? choice.value : refuse(`must be one of ${option.choices.map((entry) => entry.name).join(', ')}.`);
  }
  switch (option.type) {
    case 3: {
      const text = String(value);
      // The field of an option is a single line; the client turns pasted line breaks into spaces.
      const line = text.replace(/\s*\n\s*/g, ' ');
      if (line === '') return refuse('is empty.');
      if (line.length > (bound('max_length') ?? 6000)) return refuse('is too long.');
      if (line.length < (bound('min_length') ?? 0)) return refuse('is too short.');
      return line;
    }
    case 4:
    case 10: {
      const number = Number(value);
      if (!Number.isFinite(number) || (option.type === 4 && !Number.isInteger(number))) return refuse('takes a number.');
      if (number < (bound('min_value') ?? number) || number > (bound('max_value') ?? number)) return refuse('is out of range.');
      return number;
    }
    case 5:
      return typeof value === 'boolean' ? value : refuse('takes yes or no.');
    case 6:
      return core.state.users.has(String(value)) ? String(value) : refuse('names nobody.');
    case 7:
      return core.state.channels.get(String(value)) ? String(value) : refuse('names no channel.');
    case 11:
      return core.state.files.get(String(value))?.uploader === user.id ? String(value) : refuse('is no file you uploaded.');
    default:
      return String(value);
  }
}

/** The full records of users, roles, channels and files that the options name. */
export function resolved(core: Core, channel: Channel, options: readonly Json[]): Json | undefined {
  const found: Record<string, Json> = {};
  const add = (kind: string, id: string, record: Json) => {
    found[kind] = { ...found[kind], [id]: record };
  };
  for (const option of options) {
    const id = String(option.value);
    const type = option.type;
    const user = type === 6 || type === 9 ? core.state.users.get(id) : undefined;
    const role = type === 8 || type === 9 ? core.state.roles.get(id) : undefined;
    const named = type === 7 ? core.state.channels.get(id) : undefined;
    const file = type === 11 ? core.state.files.get(id) : undefined;
    if (user) add('users', id, wireUser(user));
    if (user && channel.kind !== 'dm') add('members', id, { ...wireMember(user), permissions: '0' });
    if (role) add('roles', id, wireRole(role));
    if (named) add('channels', id, { ...wireChannel(core, named), permissions: '0' });
    if (file) add('attachments', id, { ...wireAttachment(core, file, { channel: channel.id }), ephemeral: true });
  }
  return Object.keys(found).length === 0 ? undefined : found;
}
