import { Prisma } from '../../prisma/client/client.ts';
import type { IdentityRef } from '../contracts/platform.ts';
import { type Role, roleSchema } from '../contracts/roles.ts';
import { newId } from '../runtime/ids.ts';
import type { Tx } from './database.ts';

/** A person with their explicit role; undefined: none. */
export interface Member {
  user: string;
  name: string;
  role: Role | undefined;
}

export interface NewIdentity {
  workspace: string;
  identity: IdentityRef;
  /** As the platform tells it; undefined: unknown, the account id stands in until it is. */
  name: string | undefined;
  /** Role a person gets who is seen for the first time. */
  role: Role | undefined;
}

/**
 * The person behind an account; a first seen account becomes a person. The name follows the platform's. Two transactions that see
 * the same new account at once agree on one person. Undefined when the account belongs to another workspace (promise 12).
 */
export async function findOrCreatePerson(tx: Tx, input: NewIdentity): Promise<(Member & { created: boolean }) | undefined> {
  const known = await findByIdentity(tx, input.identity);
  if (known === undefined) return createPerson(tx, input);
  if (known.workspaceId !== input.workspace) return undefined;
  const { identityName, workspaceId: _, identityId, ...member } = known;
  if (input.name === undefined || input.name === identityName) return { ...member, created: false };
  await tx.db.identity.update({ where: { id: identityId }, data: { name: input.name } });
  if (member.name !== identityName) return { ...member, created: false };
  await tx.db.user.update({ where: { id: member.user }, data: { name: input.name } });
  return { ...member, name: input.name, created: false };
}

/** The person behind an account, when it was seen in this workspace. */
export async function findPerson(tx: Tx, workspace: string, identity: IdentityRef): Promise<Member | undefined> {
  const known = await findByIdentity(tx, identity);
  return known?.workspaceId === workspace ? { user: known.user, name: known.name, role: known.role } : undefined;
}

async function createPerson(tx: Tx, input: NewIdentity): Promise<(Member & { created: boolean }) | undefined> {
  const { platform, tenant, user: externalId } = input.identity;
  const name = input.name ?? externalId;
  const id = newId('usr');
  await tx.db.user.create({ data: { id, workspaceId: input.workspace, name, role: input.role ?? null } });
  const { count } = await tx.db.identity.createMany({
    data: [{ id: newId('idn'), workspaceId: input.workspace, userId: id, platform, tenant, externalId, name }],
    skipDuplicates: true,
  });
  if (count === 1) return { user: id, name, role: input.role, created: true };
  // Another transaction was first and has committed: the insert waited for it.
  await tx.db.user.delete({ where: { id } });
  const first = await findByIdentity(tx, input.identity);
  if (first === undefined) throw new Error('an identity that blocked an insert is gone');
  if (first.workspaceId !== input.workspace) return undefined;
  return { user: first.user, name: first.name, role: first.role, created: false };
}

async function findByIdentity(tx: Tx, ref: IdentityRef) {
  const row = await tx.db.identity.findUnique({
    where: { platform_tenant_externalId: { platform: ref.platform, tenant: ref.tenant, externalId: ref.user } },
    include: { user: true },
  });
  if (row === null) return undefined;
  return {
    user: row.userId,
    name: row.user.name,
    role: roleOf(row.user.role),
    workspaceId: row.workspaceId,
    identityId: row.id,
    identityName: row.name,
  };
}

/** People of the workspace whose name, or the name of one of whose accounts, is `name` (case does not matter). */
export async function peopleByName(tx: Tx, workspace: string, name: string): Promise<Member[]> {
  const same = { equals: escapeLike(name), mode: 'insensitive' as const };
  const rows = await tx.db.user.findMany({
    where: { workspaceId: workspace, OR: [{ name: same }, { identities: { some: { name: same } } }] },
    orderBy: { id: 'asc' },
    take: 5,
  });
  return rows.map(toMember);
}

export async function personById(tx: Tx, workspace: string, user: string): Promise<Member | undefined> {
  const row = await tx.db.user.findFirst({ where: { id: user, workspaceId: workspace } });
  return row === null ? undefined : toMember(row);
}

/** Names by user id, for lists. Ids of other workspaces are left out. */
export async function namesOf(tx: Tx, workspace: string, users: readonly string[]): Promise<Map<string, string>> {
  const rows = await tx.db.user.findMany({
    where: { workspaceId: workspace, id: { in: [...new Set(users)] } },
    select: { id: true, name: true },
  });
  return new Map(rows.map(({ id, name }) => [id, name]));
}

/** People with an explicit role, strongest first, then by name. */
export async function membersOf(tx: Tx, workspace: string): Promise<(Member & { role: Role })[]> {
  const rows = await tx.db.user.findMany({ where: { workspaceId: workspace, role: { not: null } }, orderBy: { name: 'asc' } });
  const strongest = [...roleSchema.options].reverse();
  return rows
    .map(toMember)
    .flatMap(({ role, ...member }) => (role === undefined ? [] : [{ ...member, role }]))
    .sort((a, b) => strongest.indexOf(a.role) - strongest.indexOf(b.role));
}

/** People who have written here and have no explicit role, by name. */
export async function peopleWithoutRole(tx: Tx, workspace: string, limit: number): Promise<Member[]> {
  const where = { workspaceId: workspace, role: null };
  return (await tx.db.user.findMany({ where, orderBy: { name: 'asc' }, take: limit })).map(toMember);
}

/**
 * Sets the explicit role. `last_owner`: nothing changed, because the workspace would have no owner left; two changes at once see
 * each other.
 */
export async function setRole(
  tx: Tx,
  workspace: string,
  user: string,
  role: Role | undefined,
): Promise<'changed' | 'same' | 'last_owner' | 'unknown'> {
  const owners = await tx.db.$queryRaw<{ id: string }[]>(Prisma.sql`
    SELECT "id" FROM "User" WHERE "workspaceId" = ${workspace} AND "role" = 'owner' ORDER BY "id" FOR UPDATE`);
  const member = await personById(tx, workspace, user);
  if (member === undefined) return 'unknown';
  if (member.role === role) return 'same';
  if (role !== 'owner' && owners.length === 1 && owners[0]?.id === user) return 'last_owner';
  await tx.db.user.update({ where: { id: user }, data: { role: role ?? null } });
  return 'changed';
}

export async function hasOwner(tx: Tx, workspace: string): Promise<boolean> {
  return (await tx.db.user.findFirst({ where: { workspaceId: workspace, role: 'owner' }, select: { id: true } })) !== null;
}

/** What an account calls itself; undefined: it was never seen. */
export async function nameOfAccount(tx: Tx, { platform, tenant, user }: IdentityRef): Promise<string | undefined> {
  const where = { platform_tenant_externalId: { platform, tenant, externalId: user } };
  return (await tx.db.identity.findUnique({ where, select: { name: true } }))?.name;
}

/** Account ids of these people on one platform tenant, by user id: for mentions. */
export async function accountsOf(
  tx: Tx,
  workspace: string,
  users: readonly string[],
  on: { platform: string; tenant: string },
): Promise<Map<string, string>> {
  const rows = await tx.db.identity.findMany({
    where: { workspaceId: workspace, userId: { in: [...users] }, platform: on.platform, tenant: on.tenant },
    orderBy: { id: 'desc' },
  });
  return new Map(rows.map(({ userId, externalId }) => [userId, externalId]));
}

function toMember(row: { id: string; name: string; role: string | null }): Member {
  return { user: row.id, name: row.name, role: roleOf(row.role) };
}

/** A role column as a role. What is no role counts as none. */
export function roleOf(text: string | null): Role | undefined {
  return roleSchema.safeParse(text).data;
}

/** Case-insensitive equality is a LIKE in PostgreSQL: its wildcards must not act. */
function escapeLike(text: string): string {
  return text.replace(/[\\%_]/g, (char) => `\\${char}`);
}
