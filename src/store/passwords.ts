import { Prisma } from '../../prisma/client/client.ts';
import type { Tx } from './database.ts';

/** The password of a person. */
export interface PasswordRow {
  workspace: string;
  user: string;
  login: string;
  hash: string;
}

export async function passwordOf(tx: Tx, by: { login: string } | { user: string }): Promise<PasswordRow | undefined> {
  const row = await tx.db.password.findUnique({ where: 'login' in by ? { login: by.login } : { userId: by.user } });
  return row === null ? undefined : { workspace: row.workspaceId, user: row.userId, login: row.login, hash: row.hash };
}

/** Sets or changes it; false when somebody else has the name. */
export async function setPasswordRow(tx: Tx, password: PasswordRow & { at: Date }): Promise<boolean> {
  const { workspace, user, login, hash, at } = password;
  const count = await tx.db.$executeRaw(Prisma.sql`
    INSERT INTO "Password" ("userId", "workspaceId", "login", "hash", "changedAt")
    SELECT ${user}, ${workspace}, ${login}, ${hash}, ${at}
    WHERE NOT EXISTS (SELECT FROM "Password" WHERE "login" = ${login} AND "userId" <> ${user})
    ON CONFLICT ("userId") DO UPDATE SET "login" = EXCLUDED."login", "hash" = EXCLUDED."hash", "changedAt" = EXCLUDED."changedAt"`);
  return count === 1;
}

export async function removePasswordRow(tx: Tx, user: string): Promise<boolean> {
  return (await tx.db.password.deleteMany({ where: { userId: user } })).count === 1;
}

/**
 * Counts one try for a key. For how long it has to wait, in seconds, when there were too many; undefined: it need not. Tries at the same time are
 * counted one after the other. Windows that are over are forgotten.
 */
export async function noteFailure(
  tx: Tx,
  key: string,
  { at, most, withinMs }: { at: Date; most: number; withinMs: number },
): Promise<number | undefined> {
  const before = new Date(at.getTime() - withinMs);
  await tx.db.signinFailure.deleteMany({ where: { since: { lte: before } } });
  const [row] = await tx.db.$queryRaw<{ count: number; since: Date }[]>(Prisma.sql`
    INSERT INTO "SigninFailure" ("key", "count", "since") VALUES (${key}, 1, ${at})
    ON CONFLICT ("key") DO UPDATE SET "count" = LEAST("SigninFailure"."count" + 1, 1000000) RETURNING "count", "since"`);
  if (row === undefined || row.count <= most) return undefined;
  return Math.max(1, Math.ceil((row.since.getTime() + withinMs - at.getTime()) / 1000));
}

export async function clearFailures(tx: Tx, key: string): Promise<void> {
  await tx.db.signinFailure.deleteMany({ where: { key } });
}
