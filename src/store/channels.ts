import { Prisma } from '../../prisma/client/client.ts';
import { type AccessBundle, bundleOf } from '../contracts/access-bundle.ts';
import { type AnyRole, type CustomRole, givenWith } from '../contracts/custom-roles.ts';
import { bothOf, type Given, type Rights } from '../contracts/permissions.ts';
import { type Conversation, type Platform, platformNames, platformSchema } from '../contracts/platform.ts';
import type { Role } from '../contracts/roles.ts';
import { type Verbosity, verbositySchema } from '../contracts/settings.ts';
import { newId } from '../runtime/ids.ts';
import { countingRole, customRolesById, roleColumns } from './custom-roles.ts';
import type { Tx } from './database.ts';
import { roleOf } from './linked-people.ts';

/** A conversation of a platform as we know it. */
export interface Channel extends Omit<Given, 'role'> {
  id: string;
  kind: 'channel' | 'direct';
  /** Without `#`. */
  name: string | undefined;
  /** The project it is bound to. */
  project: string | undefined;
  /** Role of its members who have no role of their own; `extra` and `named` are what a custom one adds to it. */
  defaultRole: Role | undefined;
  /** As much of it as people get who are external to the platform's workspace; undefined: nothing. */
  externalRole: 'guest' | undefined;
  verbosity: Verbosity;
  /** What is asked here is shown nowhere else. */
  isPrivate: boolean;
  /** The most that anybody may here; undefined: no limit but their own. */
  bundle?: AccessBundle | undefined;
}

/** What an event tells of its channel. */
export interface ToldChannel {
  channelName?: string | undefined;
  channelPrivate?: boolean | 'unknown' | undefined;
}

/**
 * The row of a conversation, made when it is first seen; the name follows the platform's, and so does whether it is private, unless
 * people have said it. Undefined when the conversation belongs to another workspace (promise 12).
 */
export async function findOrCreateChannel(
  tx: Tx,
  workspace: string,
  conversation: Conversation,
  { channelName: name, channelPrivate }: ToldChannel,
): Promise<Channel | undefined> {
  const { platform, tenant, channel: externalId, kind } = conversation;
  const where = { platform_tenant_externalId: { platform, tenant, externalId } };
  let row = await tx.db.channel.findUnique({ where });
  if (row === null) {
    await tx.db.channel.createMany({
      data: [
        {
          id: newId('chn'),
          workspaceId: workspace,
          platform,
          tenant,
          externalId,
          kind,
          name: name ?? null,
          isPrivate: channelPrivate === true || channelPrivate === 'unknown',
        },
      ],
      skipDuplicates: true,
    });
    row = await tx.db.channel.findUniqueOrThrow({ where });
  }
  if (row.workspaceId !== workspace) return undefined;
  const now = {
    name: name ?? row.name,
    isPrivate: row.privateSet || typeof channelPrivate !== 'boolean' ? row.isPrivate : channelPrivate,
  };
  if (now.name !== row.name || now.isPrivate !== row.isPrivate) {
    await tx.db.channel.update({ where: { id: row.id }, data: now });
  }
  return toChannel(tx, { ...row, ...now });
}

/** The row of a conversation, when there is one in this workspace. */
export async function findChannel(tx: Tx, workspace: string, conversation: Conversation): Promise<Channel | undefined> {
  const { platform, tenant, channel: externalId } = conversation;
  const row = await tx.db.channel.findFirst({ where: { workspaceId: workspace, platform, tenant, externalId } });
  return row === null ? undefined : toChannel(tx, row);
}

/** A channel of this workspace by our id. */
export async function channelById(tx: Tx, workspace: string, id: string): Promise<Channel | undefined> {
  const row = await tx.db.channel.findFirst({ where: { id, workspaceId: workspace } });
  return row === null ? undefined : toChannel(tx, row);
}

/**
 * The project a channel is bound to; until the transaction ends it is bound to no other. A binding under way is waited for.
 */
export async function holdBinding(tx: Tx, channel: string): Promise<string | undefined> {
  const rows = await tx.db.$queryRaw<{ project: string | null }[]>(
    Prisma.sql`SELECT "projectId" AS project FROM "Channel" WHERE "id" = ${channel} FOR SHARE`,
  );
  return rows[0]?.project ?? undefined;
}

/** Binds the channel, or unbinds it (`project: undefined`, which also takes the default role away). */
export async function bindChannel(
  tx: Tx,
  channel: string,
  to: { project: string | undefined; defaultRole: AnyRole | undefined; keepsExternal?: boolean | undefined },
): Promise<void> {
  await tx.db.channel.update({
    where: { id: channel },
    data: {
      projectId: to.project ?? null,
      ...defaultColumns(to.project === undefined ? undefined : to.defaultRole),
      // Who was let in for one project is not let in for another.
      ...(to.keepsExternal === true ? {} : { externalRole: null }),
    },
  });
}

export async function setVerbosity(tx: Tx, channel: string, verbosity: Verbosity): Promise<void> {
  await tx.db.channel.update({ where: { id: channel }, data: { verbosity } });
}

export async function setDefaultRole(tx: Tx, channel: string, role: AnyRole | undefined): Promise<void> {
  await tx.db.channel.update({ where: { id: channel }, data: defaultColumns(role) });
}

/** The custom role that a channel gives; undefined: none, or a built-in one. */
export async function customDefault(tx: Tx, workspace: string, channel: string): Promise<CustomRole | undefined> {
  const row = await tx.db.channel.findFirst({ where: { id: channel, workspaceId: workspace } });
  if (row === null) return undefined;
  return countingRole(
    { role: row.defaultRole, customRoleId: row.customRoleId },
    await customRolesById(tx, workspace, [row.customRoleId]),
  );
}

function defaultColumns(role: AnyRole | undefined): { defaultRole: string | null; customRoleId: string | null } {
  if (role === undefined) return { defaultRole: null, customRoleId: null };
  const { role: defaultRole, customRoleId } = roleColumns(role);
  return { defaultRole, customRoleId };
}

/** What people say of a channel counts from now on, whatever its platform tells. */
export async function setPrivate(tx: Tx, channel: string, isPrivate: boolean): Promise<void> {
  await tx.db.channel.update({ where: { id: channel }, data: { isPrivate, privateSet: true } });
}

/** What external people get of the role that the channel gives. */
export async function setExternalRole(tx: Tx, channel: string, role: 'guest' | undefined): Promise<void> {
  await tx.db.channel.update({ where: { id: channel }, data: { externalRole: role ?? null } });
}

/** How people call these channels, "#ops on Slack", by id. Ids of other workspaces, and of what is no channel, are left out. */
export async function channelNames(
  { db }: Pick<Tx, 'db'>,
  workspace: string,
  ids: readonly string[],
): Promise<Map<string, string>> {
  const rows = await db.channel.findMany({
    where: { workspaceId: workspace, kind: 'channel', id: { in: [...ids] } },
    orderBy: { id: 'asc' },
  });
  return new Map(
    rows.map(({ id, name, externalId, platform }) => {
      const on = platformNames[platformSchema.parse(platform)];
      return [id, `${name === null ? externalId : `#${name}`} on ${on}`];
    }),
  );
}

/** Channels of the workspace of this name; case does not matter. */
export async function channelsByName(tx: Tx, workspace: string, name: string): Promise<Channel[]> {
  const rows = await tx.db.channel.findMany({
    where: { workspaceId: workspace, kind: 'channel', name: { not: null } },
    orderBy: { id: 'asc' },
  });
  return Promise.all(rows.filter((row) => row.name?.toLowerCase() === name.toLowerCase()).map((row) => toChannel(tx, row)));
}

/** Names of the channels bound to a project, those without a name by their kind. */
export async function channelsOfProject(tx: Tx, project: string): Promise<string[]> {
  const rows = await tx.db.channel.findMany({ where: { projectId: project }, orderBy: { id: 'asc' } });
  return rows.map(({ name, externalId }) => (name === null ? externalId : `#${name}`));
}

/** Channels bound to a project on other platforms than `except`, the oldest first; direct conversations are none. */
export async function chatChannelsOf(
  tx: Tx,
  { project, except, most }: { project: string; except: Platform; most: number },
): Promise<string[]> {
  const rows = await tx.db.channel.findMany({
    where: { projectId: project, kind: 'channel', platform: { not: except } },
    orderBy: { id: 'asc' },
    take: most,
    select: { id: true },
  });
  return rows.map(({ id }) => id);
}

/** Channels on these platforms as places to write to: one by our id, or those that are bound to a project. Direct conversations are none. */
export async function chatPlaces(
  tx: Tx,
  workspace: string,
  which: { channel: string } | { project: string },
  platforms: readonly Platform[],
): Promise<{ id: string; conversation: Conversation }[]> {
  const rows = await tx.db.channel.findMany({
    where: {
      workspaceId: workspace,
      kind: 'channel',
      platform: { in: [...platforms] },
      ...('channel' in which ? { id: which.channel } : { projectId: which.project }),
    },
    orderBy: { id: 'asc' },
  });
  return rows.map(({ id, platform, tenant, externalId }) => ({
    id,
    conversation: { platform: platformSchema.parse(platform), tenant, channel: externalId, kind: 'channel' },
  }));
}

/** Unbinds every channel of a project; returns how many there were. */
export async function unbindAll(tx: Tx, project: string): Promise<number> {
  const { count } = await tx.db.channel.updateMany({
    where: { projectId: project },
    data: { projectId: null, defaultRole: null, customRoleId: null, externalRole: null },
  });
  return count;
}

interface ChannelRow {
  id: string;
  workspaceId: string;
  kind: string;
  name: string | null;
  projectId: string | null;
  defaultRole: string | null;
  customRoleId: string | null;
  bundleId: string | null;
  externalRole: string | null;
  verbosity: string;
  isPrivate: boolean;
}

/** The right to change rights is in nothing that a channel gives, whatever a custom role is made of. */
export const mostOfChannel = { role: 'developer' } as const;

async function toChannel(tx: Tx, row: ChannelRow): Promise<Channel> {
  const known = await customRolesById(tx, row.workspaceId, [row.customRoleId]);
  const custom = countingRole({ role: row.defaultRole, customRoleId: row.customRoleId }, known);
  const { role, extra }: Rights =
    custom === undefined ? { role: roleOf(row.defaultRole) } : bothOf(givenWith(custom), mostOfChannel);
  const bundle = row.bundleId === null ? null : await tx.db.accessBundle.findUniqueOrThrow({ where: { id: row.bundleId } });
  return {
    id: row.id,
    kind: row.kind === 'direct' ? 'direct' : 'channel',
    name: row.name ?? undefined,
    project: row.projectId ?? undefined,
    defaultRole: role,
    ...(extra === undefined ? {} : { extra }),
    ...(custom === undefined ? {} : { named: [custom.name] }),
    externalRole: row.externalRole === 'guest' ? 'guest' : undefined,
    verbosity: verbositySchema.catch('steps').parse(row.verbosity),
    isPrivate: row.isPrivate,
    ...(bundle === null ? {} : { bundle: bundleOf(bundle) }),
  };
}
