import { isDeepStrictEqual } from 'node:util';
import { Prisma } from '../../prisma/client/client.ts';
import { type Affiliation, externalWords, isExternal } from '../contracts/affiliation.ts';
import { type AnyRole, givenWith } from '../contracts/custom-roles.ts';
import { type Given, isSame, permissionsOf } from '../contracts/permissions.ts';
import { type IdentityRef, type Platform, platformNames, platformSchema } from '../contracts/platform.ts';
import type { Role } from '../contracts/roles.ts';
import { newId } from '../runtime/ids.ts';
import { affiliationColumns, affiliationNow, affiliationOf } from './affiliations.ts';
import type { Database, Tx } from './database.ts';
import { idsOf, type Linked, lockPeople, partsOfPeople, type UserRow, writeRole } from './linked-people.ts';
import { endSessionsOf } from './sessions.ts';

/** A person with their explicit role; undefined: none. */
export interface Member extends Given {
  user: string;
  name: string;
  role: Role | undefined;
  /** Set when the person has, or had, linked accounts. */
  linked?: Linked | undefined;
}

export interface NewIdentity {
  workspace: string;
  identity: IdentityRef;
  /** As the platform tells it; undefined: unknown, `namelessName` stands in until it is. */
  name: string | undefined;
  /** Role a person gets who is seen for the first time. */
  role: Role | undefined;
  /** As the platform tells it with the act; undefined: it does not. */
  affiliation?: Affiliation | undefined;
}

/** A person, as found by the account that acts. */
export interface FoundPerson extends Member {
  created: boolean;
  /** The row the account began with, which is another one than `user` when it is linked to an older account. */
  home: string;
  /** Undefined: the platform has never said anything of it. */
  affiliation: Affiliation | undefined;
}

/**
 * The person behind an account; a first seen account becomes a person. The name follows the platform's. Two transactions that see
 * the same new account at once agree on one person. Undefined when the account belongs to another workspace (promise 12).
 */
export async function findOrCreatePerson(tx: Tx, input: NewIdentity): Promise<FoundPerson | undefined> {
  const known = await findByIdentity(tx, input.identity);
  if (known === undefined) return createPerson(tx, input);
  const { user, homeUserId, workspaceId } = known;
  if (workspaceId !== input.workspace) return undefined;
  const renamed = input.name === undefined || input.name === known.name ? undefined : input.name;
  if (renamed !== undefined) {
    await tx.db.identity.update({ where: { id: known.id }, data: { name: renamed } });
    const same = homeUserId === null ? [user.id] : [user.id, homeUserId];
    await tx.db.user.updateMany({ where: { id: { in: same }, name: known.name }, data: { name: renamed } });
  }
  const stored = affiliationOf(known);
  const affiliation = affiliationNow(input.affiliation, stored);
  if (affiliation !== undefined && affiliation.kind !== 'unknown' && !isDeepStrictEqual(affiliation, stored)) {
    await tx.db.identity.update({ where: { id: known.id }, data: affiliationColumns(affiliation) });
  }
  const [member] = await toMembers(tx, workspaceId, [user]);
  if (member === undefined) throw new Error('a person without a row');
  const name = renamed !== undefined && member.name === known.name ? renamed : member.name;
  return { ...member, name, created: false, home: homeUserId ?? user.id, affiliation };
}

/** The person behind an account, when it was seen in this workspace. */
export async function findPerson(
  tx: Tx,
  workspace: string,
  identity: IdentityRef,
): Promise<(Member & Pick<FoundPerson, 'affiliation'>) | undefined> {
  const known = await findByIdentity(tx, identity);
  if (known?.workspaceId !== workspace) return undefined;
  const [member] = await toMembers(tx, workspace, [known.user]);
  return member === undefined ? undefined : { ...member, affiliation: affiliationOf(known) };
}

async function createPerson(tx: Tx, input: NewIdentity): Promise<FoundPerson | undefined> {
  const { platform, tenant, user: externalId } = input.identity;
  const name = input.name ?? namelessName(input.identity);
  const id = newId('usr');
  await tx.db.user.create({ data: { id, workspaceId: input.workspace, name, role: input.role ?? null } });
  const { count } = await tx.db.identity.createMany({
    data: [
      {
        id: newId('idn'),
        workspaceId: input.workspace,
        userId: id,
        platform,
        tenant,
        externalId,
        name,
        ...affiliationColumns(input.affiliation),
      },
    ],
    skipDuplicates: true,
  });
  const { affiliation } = input;
  if (count === 1) return { user: id, name, role: input.role, created: true, home: id, affiliation };
  // Another transaction was first and has committed: the insert waited for it.
  await tx.db.user.delete({ where: { id } });
  const first = await findByIdentity(tx, input.identity);
  if (first === undefined) throw new Error('an identity that blocked an insert is gone');
  if (first.workspaceId !== input.workspace) return undefined;
  const [member] = await toMembers(tx, first.workspaceId, [first.user]);
  const home = first.homeUserId ?? first.userId;
  const now = affiliationNow(affiliation, affiliationOf(first));
  return member === undefined ? undefined : { ...member, created: false, home, affiliation: now };
}

interface IdentityRow {
  id: string;
  workspaceId: string;
  userId: string;
  homeUserId: string | null;
  name: string;
  affiliation: string | null;
  organisation: string | null;
  /** Whom it belongs to now. */
  user: UserRow;
}

async function findByIdentity(tx: Tx, { platform, tenant, user }: IdentityRef): Promise<IdentityRow | undefined> {
  // Asked for every event: one statement, where the relation would take two.
  const rows = await tx.db.$queryRaw<IdentityRow[]>(Prisma.sql`
    SELECT i."id", i."workspaceId", i."userId", i."homeUserId", i."name", i."affiliation", i."organisation",
      json_build_object('id', u."id", 'name', u."name", 'role', u."role", 'customRoleId', u."customRoleId",
        'aloneRole', u."aloneRole", 'kin', u."kin", 'linkedToId', u."linkedToId") AS "user"
    FROM "Identity" i JOIN "User" u ON u."id" = i."userId"
    WHERE i."platform" = ${platform} AND i."tenant" = ${tenant} AND i."externalId" = ${user}`);
  return rows[0];
}

/** What an account is called until its name is known. */
export function namelessName({ platform, user }: IdentityRef): string {
  return `${platformNames[platform]} account ${user}`;
}

/** Accounts of these tenants whose name is not known, oldest first. */
export async function namelessAccounts(
  { db }: Pick<Database, 'db'>,
  on: { platform: Platform; tenant: string },
): Promise<(IdentityRef & { workspace: string })[]> {
  const { platform, tenant } = on;
  const prefix = namelessName({ platform, tenant, user: '' });
  const rows = await db.$queryRaw<{ user: string; workspace: string }[]>(Prisma.sql`
    SELECT "externalId" AS "user", "workspaceId" AS "workspace" FROM "Identity"
    WHERE "platform" = ${platform} AND "tenant" = ${tenant} AND "name" IN (${prefix} || "externalId", "externalId") ORDER BY "id" LIMIT 200`);
  return rows.map(({ user, workspace }) => ({ platform, tenant, user, workspace }));
}

/** People of the workspace whose name, or the name or id of one of whose accounts, is `name` (case of names does not matter). */
export async function peopleByName(tx: Tx, workspace: string, name: string): Promise<Member[]> {
  const same = { equals: escapeLike(name), mode: 'insensitive' as const };
  const rows = await tx.db.user.findMany({
    where: {
      workspaceId: workspace,
      linkedToId: null,
      OR: [{ name: same }, { identities: { some: { OR: [{ name: same }, { externalId: name }] } } }],
    },
    orderBy: { id: 'asc' },
    take: 5,
  });
  return toMembers(tx, workspace, rows);
}

/** The person with this id, or of whom the person with this id has become a part. */
export async function personById(tx: Tx, workspace: string, user: string): Promise<Member | undefined> {
  const row = await tx.db.user.findFirst({ where: { id: user, workspaceId: workspace }, include: { linkedTo: true } });
  return row === null ? undefined : (await toMembers(tx, workspace, [row.linkedTo ?? row]))[0];
}

/** The people with these ids, or of whom those have become a part, each once. Ids of other workspaces are left out. */
export async function peopleById(tx: Tx, workspace: string, users: readonly string[]): Promise<Member[]> {
  const rows = await tx.db.user.findMany({
    where: { id: { in: [...users] }, workspaceId: workspace },
    include: { linkedTo: true },
    orderBy: { id: 'asc' },
  });
  const people = new Map(rows.map((row) => row.linkedTo ?? row).map((row) => [row.id, row]));
  return toMembers(tx, workspace, [...people.values()]);
}

/** Names by user id, for lists. Ids of other workspaces are left out. */
export async function namesOf(tx: Pick<Tx, 'db'>, workspace: string, users: readonly string[]): Promise<Map<string, string>> {
  const rows = await tx.db.user.findMany({
    where: { workspaceId: workspace, id: { in: [...new Set(users)] } },
    select: { id: true, name: true, linkedTo: { select: { name: true } } },
  });
  return new Map(rows.map(({ id, name, linkedTo }) => [id, linkedTo?.name ?? name]));
}

/** The same as they are shown to people, external ones marked as such. */
export async function labelsOf(tx: Tx, workspace: string, users: readonly string[]): Promise<Map<string, string>> {
  const names = await namesOf(tx, workspace, users);
  const ids = [...names.keys()];
  const rows = await tx.db.identity.findMany({
    where: {
      workspaceId: workspace,
      affiliation: { notIn: ['member'] },
      OR: [{ userId: { in: ids } }, { homeUserId: { in: ids } }],
    },
    select: { userId: true, homeUserId: true, affiliation: true, organisation: true },
  });
  const external = new Map(
    rows.flatMap((row) => [row.userId, row.homeUserId].map((id) => [id, externalWords(affiliationOf(row))] as const)),
  );
  return new Map([...names].map(([id, name]) => [id, marked(name, external.get(id))]));
}

function marked(name: string, words: string | undefined): string {
  return words === undefined ? name : `${name} (${words})`;
}

/** People with an explicit role, who may most first, then by name. */
export async function membersOf(tx: Tx, workspace: string): Promise<(Member & { role: Role })[]> {
  const where = { workspaceId: workspace, role: { not: null }, linkedToId: null };
  const rows = await tx.db.user.findMany({ where, orderBy: { name: 'asc' } });
  return (await toMembers(tx, workspace, rows))
    .flatMap(({ role, ...member }) => (role === undefined ? [] : [{ ...member, role }]))
    .sort((a, b) => permissionsOf(b).length - permissionsOf(a).length);
}

/** People with an explicit role, and those with these ids, by name. */
export async function membersIn(tx: Tx, workspace: string, users: readonly string[]): Promise<Member[]> {
  const ids = [...users];
  const where = {
    workspaceId: workspace,
    linkedToId: null,
    OR: [{ role: { not: null } }, { id: { in: ids } }, { linked: { some: { id: { in: ids } } } }],
  };
  return toMembers(tx, workspace, await tx.db.user.findMany({ where, orderBy: { name: 'asc' } }));
}

/** People who have written here and have no explicit role, by name. */
export async function peopleWithoutRole(tx: Tx, workspace: string, limit: number): Promise<Member[]> {
  const where = { workspaceId: workspace, role: null, linkedToId: null };
  return toMembers(tx, workspace, await tx.db.user.findMany({ where, orderBy: { name: 'asc' }, take: limit }));
}

/**
 * Sets the explicit role of a person. `user` may be the row of one of several linked accounts: that one keeps the role when they are
 * split. `last_owner`: nothing changed, because the workspace would have no owner left; two changes at once see each other.
 */
export async function setRole(
  tx: Tx,
  workspace: string,
  user: string,
  role: AnyRole | undefined,
): Promise<'changed' | 'same' | 'last_owner' | 'unknown'> {
  await lockPeople(tx, workspace);
  const member = await personById(tx, workspace, user);
  if (member === undefined) return 'unknown';
  if (isGiven(member, role)) return 'same';
  const owners = await tx.db.user.count({ where: { workspaceId: workspace, role: 'owner', linkedToId: null } });
  if (member.role === 'owner' && owners === 1) return 'last_owner';
  await writeRole(tx, member, user, role);
  // Whoever gets a role again later signs in again.
  if (role === undefined) await endSessionsOf(tx, workspace, idsOf(member), 'no role');
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
  const asked = await tx.db.user.findMany({
    where: { workspaceId: workspace, id: { in: [...users] } },
    select: { id: true, linkedToId: true },
  });
  const rows = await tx.db.identity.findMany({
    where: { userId: { in: asked.map(({ id, linkedToId }) => linkedToId ?? id) }, platform: on.platform, tenant: on.tenant },
    orderBy: { id: 'desc' },
  });
  const accounts = new Map(rows.map(({ userId, externalId }) => [userId, externalId]));
  return new Map(
    asked.flatMap(({ id, linkedToId }) => {
      const account = accounts.get(linkedToId ?? id);
      return account === undefined ? [] : [[id, account] as const];
    }),
  );
}

/** An account with what is known of it. */
export interface Account extends IdentityRef {
  name: string;
  /** Undefined: the platform has never said anything of it. */
  affiliation: Affiliation | undefined;
}

/** The accounts of these people, oldest first, by the id of the person. */
export async function allAccountsOf(tx: Tx, workspace: string, users: readonly string[]): Promise<Map<string, Account[]>> {
  const rows = await tx.db.identity.findMany({
    where: { workspaceId: workspace, userId: { in: [...users] } },
    orderBy: { id: 'asc' },
  });
  const accounts = new Map<string, Account[]>();
  for (const row of rows) {
    const { userId, platform, tenant, externalId, name } = row;
    const affiliation = affiliationOf(row);
    const account = { platform: platformSchema.parse(platform), tenant, user: externalId, name, affiliation };
    accounts.set(userId, [...(accounts.get(userId) ?? []), account]);
  }
  return accounts;
}

/** How a person belongs to where they are met: as external with one of several accounts, they count as external. */
export function affiliationOfPerson(accounts: readonly Account[]): Affiliation | undefined {
  const all = accounts.map(({ affiliation }) => affiliation);
  return all.find(isExternal) ?? all.find((one) => one !== undefined);
}

/** Is somebody external with any of their accounts? */
export async function isExternalPerson(tx: Tx, workspace: string, user: string): Promise<boolean> {
  return isExternal(affiliationOfPerson((await allAccountsOf(tx, workspace, [user])).get(user) ?? []));
}

async function toMembers(tx: Tx, workspace: string, rows: readonly UserRow[]): Promise<Member[]> {
  const parts = await partsOfPeople(tx, workspace, rows);
  return rows.map(({ id, name }, at) => ({ user: id, name, role: undefined, ...parts[at] }));
}

/** Has the person exactly this role, also by name? */
export function isGiven(member: Given, role: AnyRole | undefined): boolean {
  const given = givenWith(role);
  return isSame(member, given) && member.named?.join() === given.named?.join();
}

/** Case-insensitive equality is a LIKE in PostgreSQL: its wildcards must not act. */
function escapeLike(text: string): string {
  return text.replace(/[\\%_]/g, (char) => `\\${char}`);
}
