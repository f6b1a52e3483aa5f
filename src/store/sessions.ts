import { Prisma } from '../../prisma/client/client.ts';
import { readPermissions } from '../contracts/custom-roles.ts';
import { anyOf, type Given, givenOf, rightsOf } from '../contracts/permissions.ts';
import type { Role } from '../contracts/roles.ts';
import { type SigninMethod, signinMethodSchema } from '../contracts/signin.ts';
import { newId } from '../runtime/ids.ts';
import { recordAudit } from './audit.ts';
import { customPermissions } from './custom-roles.ts';
import type { Database, Tx } from './database.ts';
import { roleOf } from './linked-people.ts';

/** A browser in which somebody is signed in, as they see it in a list. */
export interface SessionRow {
  id: string;
  user: string;
  method: SigninMethod;
  device: string;
  createdAt: Date;
  lastSeenAt: Date;
  expiresAt: Date;
}

/** A session with whom it stands for as they are now. */
export interface SessionStanding extends SessionRow, Given {
  workspace: string;
  name: string;
  /** Explicit role of the person at this moment. */
  role: Role | undefined;
  endedAt: Date | undefined;
}

/** How exactly the last use is known. */
export const seenToMs = 60_000;
/** Sessions that are over are forgotten after this. */
const keptMs = 90 * 24 * 60 * 60_000;

/** Keeps a new session. Those that have long been over are forgotten. */
export async function createSessionRow(
  tx: Tx,
  session: { workspace: string; user: string; hash: string; method: SigninMethod; device: string; at: Date; expiresAt: Date },
): Promise<string> {
  const { workspace, user, hash, method, device, at, expiresAt } = session;
  await tx.db.session.deleteMany({ where: { expiresAt: { lt: new Date(at.getTime() - keptMs) } } });
  const id = newId('ses');
  await tx.db.session.create({
    data: { id, workspaceId: workspace, userId: user, hash, method, device, createdAt: at, lastSeenAt: at, expiresAt },
  });
  return id;
}

/** The session with this hash, in one statement; undefined: there is none. */
export async function sessionByHash({ db }: Pick<Tx, 'db'>, hash: string): Promise<SessionStanding | undefined> {
  const [row] = await db.$queryRaw<StandingRow[]>(Prisma.sql`
    SELECT s."id", s."workspaceId" AS workspace, u."id" AS "user", u."name", u."role", ${customPermissions(Prisma.sql`u`)} AS permissions, s."method", s."device", s."createdAt",
      s."lastSeenAt", s."expiresAt", s."endedAt"
    FROM "Session" s JOIN "User" own ON own."id" = s."userId" JOIN "User" u ON u."id" = COALESCE(own."linkedToId", own."id")
    WHERE s."hash" = ${hash}`);
  if (row === undefined) return undefined;
  const { role, permissions, ...session } = row;
  return {
    ...session,
    ...givenOf(anyOf([{ role: roleOf(role) }, rightsOf(readPermissions(permissions ?? []))])),
    method: signinMethodSchema.parse(row.method),
    endedAt: row.endedAt ?? undefined,
  };
}

/** Sessions of the workspace that have not ended at `at`, newest first. `users`: only of these ids; undefined: of everybody. */
export async function openSessions(
  tx: Tx,
  workspace: string,
  users: readonly string[] | undefined,
  { at, seenAfter }: { at: Date; seenAfter: Date },
): Promise<SessionRow[]> {
  const rows = await tx.db.session.findMany({
    where: {
      workspaceId: workspace,
      ...(users === undefined ? {} : { userId: { in: [...users] } }),
      endedAt: null,
      expiresAt: { gt: at },
      lastSeenAt: { gt: seenAfter },
    },
    orderBy: { id: 'desc' },
    take: 200,
  });
  return rows.map(({ id, userId, method, device, createdAt, lastSeenAt, expiresAt }) => {
    return { id, user: userId, method: signinMethodSchema.parse(method), device, createdAt, lastSeenAt, expiresAt };
  });
}

/** One session, when it is of one of these people; or all of some people, but for one. */
export type SessionsOf =
  | { session: string; users?: readonly string[] | undefined }
  | { users: readonly string[]; but?: string | undefined };

/** Ends sessions of this workspace and returns their ids. What has ended before is left as it is. */
export async function endSessions(
  tx: Tx,
  workspace: string,
  of: SessionsOf,
  by: string | undefined,
  at: Date,
): Promise<string[]> {
  const which = {
    ...(of.users === undefined ? {} : { userId: { in: [...of.users] } }),
    ...('session' in of ? { id: of.session } : of.but === undefined ? {} : { id: { not: of.but } }),
  };
  const ended = await tx.db.session.updateManyAndReturn({
    where: { workspaceId: workspace, endedAt: null, expiresAt: { gt: at }, ...which },
    data: { endedAt: at, endedById: by ?? null },
    select: { id: true },
  });
  return ended.map(({ id }) => id);
}

/** Sessions of a person beyond the newest `keep`. */
export async function surplusSessions(tx: Tx, workspace: string, user: string, keep: number, at: Date): Promise<string[]> {
  const rows = await tx.db.session.findMany({
    where: { workspaceId: workspace, userId: user, endedAt: null, expiresAt: { gt: at } },
    orderBy: { id: 'desc' },
    skip: keep,
    take: 50,
    select: { id: true },
  });
  return rows.map(({ id }) => id);
}

/** Ends all sessions of these people at once and voids their links: what they may do, or who they are, has changed. */
export async function endSessionsOf(tx: Tx, workspace: string, users: readonly string[], why: string): Promise<void> {
  const ended = await tx.db.$queryRaw<{ id: string }[]>(Prisma.sql`
    UPDATE "Session" SET "endedAt" = now()
    WHERE "workspaceId" = ${workspace} AND "userId" = ANY(${[...users]}::text[]) AND "endedAt" IS NULL AND "expiresAt" > now()
    RETURNING "id"`);
  for (const { id } of ended) await recordAudit(tx, { workspace, action: 'session.end', subject: id, data: { why } });
  await tx.db.$executeRaw(Prisma.sql`
    UPDATE "SigninLink" SET "usedAt" = now()
    WHERE "workspaceId" = ${workspace} AND "userId" = ANY(${[...users]}::text[]) AND "usedAt" IS NULL`);
}

/** Notes that a session is in use. */
export async function noteSessionSeen({ db }: Pick<Database, 'db'>, session: string, at: Date): Promise<void> {
  await db.session.updateMany({
    where: { id: session, lastSeenAt: { lte: new Date(at.getTime() - seenToMs) } },
    data: { lastSeenAt: at },
  });
}

/** Keeps a new link. Those that are long over are forgotten. */
export async function createSigninLinkRow(
  tx: Tx,
  link: { workspace: string; user: string; hash: string; platform: string; at: Date; expiresAt: Date },
): Promise<string> {
  const { workspace, user, hash, platform, at, expiresAt } = link;
  await tx.db.signinLink.deleteMany({ where: { expiresAt: { lt: new Date(at.getTime() - 24 * 60 * 60_000) } } });
  const id = newId('sil');
  await tx.db.signinLink.create({
    data: { id, workspaceId: workspace, userId: user, hash, platform, createdAt: at, expiresAt },
  });
  return id;
}

/** How many links these people have asked for since then. */
export async function signinLinksSince(tx: Tx, workspace: string, users: readonly string[], since: Date): Promise<number> {
  return tx.db.signinLink.count({ where: { workspaceId: workspace, userId: { in: [...users] }, createdAt: { gt: since } } });
}

/** Earlier links of these people work no more. */
export async function voidSigninLinks(tx: Tx, workspace: string, users: readonly string[], at: Date): Promise<void> {
  await tx.db.signinLink.updateMany({
    where: { workspaceId: workspace, userId: { in: [...users] }, usedAt: null },
    data: { usedAt: at },
  });
}

export interface SigninLinkRow {
  id: string;
  workspace: string;
  user: string;
  platform: string;
}

/** The link with this hash, if it can still be used. */
export async function goodSigninLink({ db }: Pick<Tx, 'db'>, hash: string, at: Date): Promise<SigninLinkRow | undefined> {
  const row = await db.signinLink.findFirst({ where: { hash, usedAt: null, expiresAt: { gt: at } } });
  return row === null ? undefined : { id: row.id, workspace: row.workspaceId, user: row.userId, platform: row.platform };
}

/** Uses a link up; false when somebody else was quicker. */
export async function useSigninLinkRow(tx: Tx, id: string, at: Date): Promise<boolean> {
  const { count } = await tx.db.signinLink.updateMany({ where: { id, usedAt: null }, data: { usedAt: at } });
  return count === 1;
}

interface StandingRow {
  id: string;
  workspace: string;
  user: string;
  name: string;
  role: string | null;
  permissions: string[] | null;
  method: string;
  device: string;
  createdAt: Date;
  lastSeenAt: Date;
  expiresAt: Date;
  endedAt: Date | null;
}
