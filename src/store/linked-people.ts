import { Prisma } from '../../prisma/client/client.ts';
import { type AnyRole, type CustomRole, givenWith } from '../contracts/custom-roles.ts';
import { bothOf, type Given, givenOf, isWithin, together } from '../contracts/permissions.ts';
import { type Role, roleSchema, strongestRole } from '../contracts/roles.ts';
import { countingRole, customRolesById, roleColumns } from './custom-roles.ts';
import type { Tx } from './database.ts';

/**
 * What a person is made of who has linked accounts. Every account keeps the row that it began with, so that what is stored about it
 * stays true and the accounts can be split again; the rows of one person point at one of them, which stands for all.
 */
export interface Linked {
  /** The rows that are this person now, each with what it is without the others. */
  rows: readonly (Given & { user: string; role: Role | undefined })[];
  /** All who ever were one person with this one, including those that have been split off again. */
  kin: readonly string[];
}

/** The columns of a person. */
export interface UserRow {
  id: string;
  name: string;
  role: string | null;
  customRoleId: string | null;
  aloneRole: string | null;
  kin: string | null;
  linkedToId: string | null;
}

/** A role column as a role. What is no role counts as none. */
export function roleOf(text: string | null): Role | undefined {
  return roleSchema.safeParse(text).data;
}

/** All ids under which a person may be stored. */
export function idsOf(person: { user: string; linked?: Linked | undefined }): string[] {
  return person.linked === undefined ? [person.user] : person.linked.rows.map(({ user }) => user);
}

/** Are these the same person, now or in earlier times? */
export function isSamePerson(person: { user: string; linked?: Linked | undefined }, other: string): boolean {
  return person.user === other || person.linked?.kin.includes(other) === true;
}

/** What people are who have these rows, each of which stands for one, in their order: by all their accounts, and by which ones. */
export async function partsOfPeople(
  tx: Tx,
  workspace: string,
  rows: readonly UserRow[],
): Promise<(Given & { role: Role | undefined; linked?: Linked })[]> {
  const groups = [...new Set(rows.flatMap(({ kin }) => kin ?? []))];
  const where = { workspaceId: workspace, kin: { in: groups } };
  const all = groups.length === 0 ? [] : await tx.db.user.findMany({ where, orderBy: { id: 'asc' } });
  const ids = [...rows, ...all].map(({ customRoleId }) => customRoleId);
  const custom = await customRolesById(tx, workspace, ids);
  return rows.map((row) => {
    if (row.kin === null) return givenWith(aloneRole(row, false, custom));
    const group = all.filter(({ kin }) => kin === row.kin);
    const own = group.filter(({ id, linkedToId }) => id === row.id || linkedToId === row.id);
    const parts = own.map((part) => ({ user: part.id, ...givenWith(aloneRole(part, own.length > 1, custom)) }));
    return { ...givenOf(together(parts).given), linked: { rows: parts, kin: group.map(({ id }) => id) } };
  });
}

function aloneRole(row: UserRow, hasLinked: boolean, custom: ReadonlyMap<string, CustomRole>): AnyRole | undefined {
  const role = row.linkedToId === null && hasLinked ? row.aloneRole : row.role;
  return countingRole({ role, customRoleId: row.customRoleId }, custom) ?? roleOf(role);
}

/**
 * One change at a time to who is who and who may what in a workspace, until the transaction ends: roles are put together from rows that
 * must not change in between.
 */
export async function lockPeople(tx: Tx, workspace: string): Promise<void> {
  await tx.db.$queryRaw(Prisma.sql`SELECT pg_advisory_xact_lock(hashtextextended(${`people:${workspace}`}, 0))::text`);
}

interface Part {
  user: string;
  /** What the row has without the others. */
  role: AnyRole | undefined;
}

/** The rows of a person as they are stored. The caller holds the lock. */
async function storedParts(tx: Tx, person: { user: string; linked?: Linked | undefined }): Promise<Part[]> {
  const rows = await tx.db.user.findMany({ where: { id: { in: idsOf(person) } }, orderBy: { id: 'asc' } });
  const [workspace] = rows.map(({ workspaceId }) => workspaceId);
  const ids = rows.map(({ customRoleId }) => customRoleId);
  const custom = workspace === undefined ? new Map() : await customRolesById(tx, workspace, ids);
  return rows.map((row) => ({ user: row.id, role: aloneRole(row, rows.length > 1, custom) }));
}

/** Makes one person of these rows: `first` stands for all and has the strongest role of any. The caller holds the lock. */
async function writePerson(tx: Tx, first: string, parts: readonly Part[]): Promise<void> {
  const columns = parts.map(({ user, role }) => ({ user, ...storedRole(role) }));
  const alone = columns.find(({ user }) => user === first) ?? storedRole(undefined);
  const role = strongestRole(columns.map((part) => roleOf(part.role))) ?? null;
  const aloneRole = parts.length > 1 ? alone.role : null;
  await tx.db.user.update({
    where: { id: first },
    data: { linkedToId: null, role, aloneRole, customRoleId: alone.customRoleId },
  });
  for (const { user, ...own } of columns) {
    if (user === first) continue;
    await tx.db.user.update({ where: { id: user }, data: { linkedToId: first, ...own, aloneRole: null } });
  }
  const others = parts.map(({ user }) => user).filter((user) => user !== first);
  if (others.length > 0) {
    await tx.db.$executeRaw(Prisma.sql`
      UPDATE "Identity" SET "homeUserId" = COALESCE("homeUserId", "userId"), "userId" = ${first}
      WHERE "userId" <> ${first} AND COALESCE("homeUserId", "userId") = ANY(${others}::text[])`);
  }
  await tx.db.$executeRaw(Prisma.sql`
    UPDATE "Identity" SET "userId" = ${first}, "homeUserId" = NULL WHERE "homeUserId" = ${first}`);
}

function storedRole(role: AnyRole | undefined): { role: string | null; customRoleId: string | null } {
  return role === undefined ? { role: null, customRoleId: null } : roleColumns(role);
}

/**
 * The role of a person changes: `named`, one of the rows, has the new one; the other rows keep at most that, so that a role that is taken
 * away is taken from all accounts, and one that is given is not there twice when the accounts are split.
 */
export async function writeRole(
  tx: Tx,
  person: { user: string; linked?: Linked | undefined },
  named: string,
  role: AnyRole | undefined,
): Promise<void> {
  const rows = await storedParts(tx, person);
  if (rows.length < 2) {
    await tx.db.user.update({ where: { id: person.user }, data: storedRole(role) });
    return;
  }
  const target = rows.some(({ user }) => user === named) ? named : person.user;
  await writePerson(
    tx,
    person.user,
    rows.map((row) => ({ user: row.user, role: row.user === target ? role : atMost(row.role, role) })),
  );
}

/** As much of `role` as is in `most` too: of roles of which none holds all of the other, the built-in role that is in both. */
function atMost(role: AnyRole | undefined, most: AnyRole | undefined): AnyRole | undefined {
  const [is, ceiling] = [givenWith(role), givenWith(most)];
  if (isWithin(is, ceiling)) return role;
  return isWithin(ceiling, is) ? most : bothOf(is, ceiling).role;
}

/** Two people become one, the older of whom stands for both. The caller holds the lock and has read both under it. */
export async function joinPeople(
  tx: Tx,
  one: { user: string; linked?: Linked | undefined },
  other: { user: string; linked?: Linked | undefined },
): Promise<string> {
  const [first, second] = one.user < other.user ? [one, other] : [other, one];
  const parts = [...(await storedParts(tx, first)), ...(await storedParts(tx, second))];
  await writePerson(tx, first.user, parts);
  const kin = [...new Set([first, second].flatMap(({ user, linked }) => linked?.kin ?? [user]))];
  await tx.db.user.updateMany({ where: { id: { in: kin } }, data: { kin: first.user } });
  const { notify } = await tx.db.user.findUniqueOrThrow({ where: { id: first.user }, select: { notify: true } });
  if (notify === null) {
    const kept = await tx.db.user.findUniqueOrThrow({ where: { id: second.user }, select: { notify: true } });
    if (kept.notify !== null) await tx.db.user.update({ where: { id: first.user }, data: { notify: kept.notify } });
  }
  return first.user;
}

/**
 * The accounts on one platform become a person of their own again, each row with what it had before. Returns the ids of both people;
 * undefined when the person has no account there, or no other. The caller holds the lock and has read the person under it.
 */
export async function splitPerson(
  tx: Tx,
  person: { user: string; linked?: Linked | undefined },
  platform: string,
): Promise<{ split: string; rest: string } | undefined> {
  const accounts = await tx.db.identity.findMany({ where: { userId: person.user } });
  const homes = new Set(
    accounts.flatMap((account) => (account.platform === platform ? [account.homeUserId ?? account.userId] : [])),
  );
  const rows = await storedParts(tx, person);
  const split = rows.filter(({ user }) => homes.has(user));
  const rest = rows.filter(({ user }) => !homes.has(user));
  const ids: string[] = [];
  for (const part of [split, rest]) {
    const first = part.find(({ user }) => user === person.user) ?? part[0];
    if (first === undefined) return undefined;
    ids.push(first.user);
  }
  const [splitId, restId] = ids;
  if (splitId === undefined || restId === undefined) return undefined;
  await writePerson(tx, splitId, split);
  await writePerson(tx, restId, rest);
  return { split: splitId, rest: restId };
}

/**
 * Ends that a person counts as one with those they were linked with before: what they are made of now keeps together, and so do the
 * others. Returns the others; none when there were none. The caller holds the lock and has read the person under it.
 */
export async function separatePerson(tx: Tx, person: { user: string; linked?: Linked | undefined }): Promise<readonly string[]> {
  const own = idsOf(person);
  const others = (person.linked?.kin ?? []).filter((user) => !own.includes(user));
  if (others.length === 0) return [];
  for (const group of [own, others]) {
    // The name of a group is one of its own people, so that it is not that of another.
    const kin = group.length > 1 ? (group[0] ?? null) : null;
    await tx.db.user.updateMany({ where: { id: { in: group } }, data: { kin } });
  }
  return others;
}
