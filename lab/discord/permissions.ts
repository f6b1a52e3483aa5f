import type { Core } from './core.ts';
import type { Channel, Overwrite } from './model.ts';
import { GUILD } from './seed.ts';

/** Permission bits and how roles and overwrites make up what somebody may do in a channel. Source: Discord permission page. */

export const PERMISSION = {
  ADMINISTRATOR: 1n << 3n,
  MANAGE_CHANNELS: 1n << 4n,
  ADD_REACTIONS: 1n << 6n,
  VIEW_CHANNEL: 1n << 10n,
  SEND_MESSAGES: 1n << 11n,
  MANAGE_MESSAGES: 1n << 13n,
  EMBED_LINKS: 1n << 14n,
  ATTACH_FILES: 1n << 15n,
  READ_MESSAGE_HISTORY: 1n << 16n,
  MENTION_EVERYONE: 1n << 17n,
  MANAGE_WEBHOOKS: 1n << 29n,
  USE_APPLICATION_COMMANDS: 1n << 31n,
  MANAGE_THREADS: 1n << 34n,
  CREATE_PUBLIC_THREADS: 1n << 35n,
  CREATE_PRIVATE_THREADS: 1n << 36n,
  SEND_MESSAGES_IN_THREADS: 1n << 38n,
  PIN_MESSAGES: 1n << 51n,
} as const;

export type PermissionName = keyof typeof PERMISSION;

export function bitsOf(names: readonly PermissionName[]): bigint {
  return names.reduce((bits, name) => bits | PERMISSION[name], 0n);
}

/** What a bot needs that answers in threads: the least an invite link should ask for. */
export const LEAST_BOT_PERMISSIONS: readonly PermissionName[] = [
  'VIEW_CHANNEL',
  'SEND_MESSAGES',
  'SEND_MESSAGES_IN_THREADS',
  'CREATE_PUBLIC_THREADS',
  'READ_MESSAGE_HISTORY',
  'EMBED_LINKS',
  'ATTACH_FILES',
];

const EVERYTHING = Object.values(PERMISSION).reduce((bits, bit) => bits | bit, 0n);
/** DMs have no roles; this is what both sides may do there. */
const IN_DM = bitsOf([
  'ADD_REACTIONS',
  'VIEW_CHANNEL',
  'SEND_MESSAGES',
  'EMBED_LINKS',
  'ATTACH_FILES',
  'READ_MESSAGE_HISTORY',
  'MENTION_EVERYONE',
  'USE_APPLICATION_COMMANDS',
  'PIN_MESSAGES',
]);

/** What `userId` may do in the channel; in a thread, what it may do in the parent channel. */
export function permissionsIn(core: Core, channel: Channel, userId: string): bigint {
  if (channel.kind === 'dm') return IN_DM;
  const base = guildPermissions(core, userId);
  if ((base & PERMISSION.ADMINISTRATOR) !== 0n) return EVERYTHING;
  const place = channel.thread ? core.state.channels.get(channel.thread.parent_id) : channel;
  const roles = core.state.users.get(userId)?.roles ?? [];
  const overwrites = place?.overwrites ?? [];
  let bits = base;
  for (const applied of [
    overwrites.filter((entry) => entry.id === GUILD.id),
    overwrites.filter((entry) => entry.type === 0 && roles.includes(entry.id)),
    overwrites.filter((entry) => entry.type === 1 && entry.id === userId),
  ]) {
    bits = (bits & ~sum(applied, 'deny')) | sum(applied, 'allow');
  }
  return (bits & PERMISSION.VIEW_CHANNEL) === 0n ? 0n : bits;
}

export function guildPermissions(core: Core, userId: string): bigint {
  const roles = [GUILD.id, ...(core.state.users.get(userId)?.roles ?? [])];
  return roles.reduce((bits, id) => bits | (core.state.roles.get(id)?.permissions ?? 0n), 0n);
}

export function may(core: Core, channel: Channel, userId: string, ...names: PermissionName[]): boolean {
  const wanted = bitsOf(names);
  return (permissionsIn(core, channel, userId) & wanted) === wanted;
}

/** Whether the user sees the channel: not a DM of others, and of private threads only those it is a member of. */
export function canSee(core: Core, channel: Channel, userId: string): boolean {
  if (channel.kind === 'dm') return channel.dm?.user === userId || core.state.users.get(userId)?.bot === true;
  if (!may(core, channel, userId, 'VIEW_CHANNEL')) return false;
  return (
    channel.thread?.private !== true || channel.thread.members.includes(userId) || may(core, channel, userId, 'MANAGE_THREADS')
  );
}

function sum(overwrites: Overwrite[], field: 'allow' | 'deny'): bigint {
  return overwrites.reduce((bits, entry) => bits | BigInt(entry[field]), 0n);
}
