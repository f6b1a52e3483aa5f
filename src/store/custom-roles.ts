import { Prisma } from '../../prisma/client/client.ts';
import { type AnyPlaceRole, type AnyRole, type CustomRole, givenWith, readPermissions } from '../contracts/custom-roles.ts';
import type { Given, Permission } from '../contracts/permissions.ts';
import { roleSchema } from '../contracts/roles.ts';
import { newId } from '../runtime/ids.ts';
import type { Tx } from './database.ts';

/** What stands in the column `role` beside a custom role: a process that knows no custom roles allows that much. */
export const besideCustom = 'guest';

/** The two columns in which a role that is given is stored. */
export function roleColumns(role: AnyRole | AnyPlaceRole): { role: string; customRoleId: string | null } {
  return typeof role === 'string' ? { role, customRoleId: null } : { role: besideCustom, customRoleId: role.id };
}

/** Makes a custom role. Undefined when the workspace has one of this name (case does not matter). */
export async function createCustomRole(
  tx: Tx,
  input: { workspace: string; name: string; permissions: readonly Permission[]; by: string; at: Date },
): Promise<CustomRole | undefined> {
  const { workspace, name, permissions, by, at } = input;
  const id = newId('rol');
  const { count } = await tx.db.customRole.createMany({
    data: [
      {
        id,
        workspaceId: workspace,
        name,
        key: name.toLowerCase(),
        permissions: [...permissions],
        createdById: by,
        createdAt: at,
      },
    ],
    skipDuplicates: true,
  });
  return count === 1 ? { id, workspace, name, permissions } : undefined;
}

/** Custom roles of the workspace, by name. */
export async function customRolesOf(tx: Pick<Tx, 'db'>, workspace: string): Promise<CustomRole[]> {
  return (await tx.db.customRole.findMany({ where: { workspaceId: workspace }, orderBy: { key: 'asc' } })).map(toCustomRole);
}

/** Those with these ids, by their ids; without a statement where there are none. Ids of other workspaces are left out. */
export async function customRolesById(
  tx: Pick<Tx, 'db'>,
  workspace: string,
  ids: readonly (string | null)[],
): Promise<Map<string, CustomRole>> {
  const wanted = [...new Set(ids.filter((id) => id !== null))];
  if (wanted.length === 0) return new Map();
  const rows = await tx.db.customRole.findMany({ where: { workspaceId: workspace, id: { in: wanted } } });
  return new Map(rows.map((row) => [row.id, toCustomRole(row)]));
}

/** Says what a custom role is made of. It counts at once for everybody who has it. */
export async function changeCustomRole(tx: Tx, { id, workspace }: CustomRole, permissions: readonly Permission[]): Promise<void> {
  await tx.db.customRole.updateMany({ where: { id, workspaceId: workspace }, data: { permissions: [...permissions] } });
}

/** Calls a custom role otherwise; who has it keeps it. False when another of the workspace is called so (case does not matter). */
export async function renameCustomRole(tx: Tx, { id, workspace }: CustomRole, name: string): Promise<boolean> {
  const key = name.toLowerCase();
  if ((await tx.db.customRole.count({ where: { workspaceId: workspace, key, id: { not: id } } })) > 0) return false;
  await tx.db.customRole.updateMany({ where: { id, workspaceId: workspace }, data: { name, key } });
  return true;
}

/** Removes a custom role that nobody has: the database refuses it for any other. Tokens that have ended keep none. */
export async function removeCustomRole(tx: Tx, { id, workspace }: CustomRole, at: Date): Promise<void> {
  const ended = { OR: [{ revokedAt: { not: null } }, { expiresAt: { lte: at } }] };
  await tx.db.accessToken.updateMany({
    where: { customRoleId: id, workspaceId: workspace, ...ended },
    data: { customRoleId: null },
  });
  await tx.db.customRole.deleteMany({ where: { id, workspaceId: workspace } });
}

/** Where a custom role is in use. */
export interface RoleUses {
  /** User ids of who has it in the workspace. */
  people: string[];
  /** Who has it about a project or in a folder: its id and name. */
  memberships: { user: string; kind: 'project' | 'folder'; place: string; name: string }[];
  /** Teams by name, each with the folder in which its members have it. */
  teams: { team: string; place: string; name: string }[];
  /** Channels that give it, by our ids. */
  channels: string[];
  /** How many invitations to it can be used. */
  invites: number;
  /** How many access tokens have it as the most that they may. */
  tokens: number;
  /** Projects whose policy names it: those who have it decide there. */
  policies: { project: string; name: string }[];
}

/** The projects whose policy names a custom role. */
export async function policiesNaming(
  tx: Tx,
  { id, workspace }: Pick<CustomRole, 'id' | 'workspace'>,
): Promise<RoleUses['policies']> {
  return await tx.db.$queryRaw<RoleUses['policies']>(Prisma.sql`
    SELECT "id" AS project, "name" FROM "Project" WHERE "workspaceId" = ${workspace} AND position(${JSON.stringify(id)} IN "policy"::text) > 0
    ORDER BY "name"`);
}

/** Everything that uses a custom role at this moment. */
export async function usesOf(tx: Tx, { id, workspace }: CustomRole, at: Date): Promise<RoleUses> {
  const where = { customRoleId: id, workspaceId: workspace };
  const users = await tx.db.user.findMany({ where, select: { id: true }, orderBy: { name: 'asc' } });
  const names = { select: { id: true, name: true } };
  const memberships = await tx.db.membership.findMany({
    where,
    select: { userId: true, project: names, folder: names },
    orderBy: { id: 'asc' },
  });
  const links = await tx.db.teamLink.findMany({ where, select: { team: names, folder: names }, orderBy: { createdAt: 'asc' } });
  const channels = await tx.db.channel.findMany({ where, select: { id: true }, orderBy: { id: 'asc' } });
  const invites = await tx.db.invite.count({ where: { ...where, usedAt: null, revokedAt: null, expiresAt: { gt: at } } });
  const tokens = await tx.db.accessToken.count({ where: { ...where, revokedAt: null, expiresAt: { gt: at } } });
  return {
    people: users.map((user) => user.id),
    memberships: memberships.flatMap((row) => {
      const kind = row.project === null ? 'folder' : 'project';
      const at = row.project ?? row.folder;
      return at === null ? [] : [{ user: row.userId, kind, place: at.id, name: at.name }];
    }),
    teams: links.map(({ team, folder }) => ({ team: team.name, place: folder.id, name: folder.name })),
    channels: channels.map((channel) => channel.id),
    invites,
    tokens,
    policies: await policiesNaming(tx, { id, workspace }),
  };
}

/**
 * The permissions that custom roles give the rows that are one person, as an array; null: none. `person`: the row that stands for them.
 * A role that another process has written since beside a custom one counts before it.
 */
export function customPermissions(person: Prisma.Sql): Prisma.Sql {
  return Prisma.sql`(SELECT array_agg(DISTINCT permission) FROM "User" part
    JOIN "CustomRole" c ON c."id" = part."customRoleId" AND c."workspaceId" = part."workspaceId", unnest(c."permissions") permission
    WHERE (part."id" = ${person}."id" OR part."linkedToId" = ${person}."id")
      AND COALESCE(part."aloneRole", part."role") = ${besideCustom})`;
}

/** The custom role that counts at a row with these columns, of those that are known. */
export function countingRole(
  { role, customRoleId }: { role: string | null; customRoleId: string | null },
  known: ReadonlyMap<string, CustomRole>,
): CustomRole | undefined {
  return role === besideCustom && customRoleId !== null ? known.get(customRoleId) : undefined;
}

/** What the two columns of a role that was given say together, of those custom ones that are known. */
export function givenByColumns(
  row: { role: string; customRoleId: string | null },
  known: ReadonlyMap<string, CustomRole>,
): Given {
  return givenWith(countingRole(row, known) ?? roleSchema.parse(row.role));
}

/** User ids of the accounts that have one of these custom roles in the workspace, with the id of the role. */
export async function accountsWithRoles(
  db: Tx['db'],
  workspace: string,
  roles: readonly string[],
): Promise<{ user: string; custom: string }[]> {
  return await db.$queryRaw<{ user: string; custom: string }[]>(Prisma.sql`
    SELECT "id" AS "user", "customRoleId" AS custom FROM "User"
    WHERE "workspaceId" = ${workspace} AND "customRoleId" = ANY(${[...roles]}::text[]) AND COALESCE("aloneRole", "role") = ${besideCustom}`);
}

function toCustomRole(row: { id: string; workspaceId: string; name: string; permissions: string[] }): CustomRole {
  return { id: row.id, workspace: row.workspaceId, name: row.name, permissions: readPermissions(row.permissions) };
}
