import { z } from 'zod';
import { Prisma } from '../../prisma/client/client.ts';
import type { Tx } from './database.ts';

/** A secret key that the installation has, or had. Times are those of the database. */
export interface KnownKey {
  id: string;
  since: Date;
  replacedAt: Date | null;
  /** Nothing was left that is sealed or signed with it. */
  resealedAt: Date | null;
  retiredAt: Date | null;
  /** Seconds since it was replaced; null: it was not. */
  replacedFor: number | null;
}

/** A process and its keys. */
export interface KeyHolder {
  id: string;
  host: string;
  role: string;
  source: 'file' | 'environment';
  /** That which seals first. */
  keys: string[];
}

/** Who has not said for so long which keys it has is gone. */
const goneAfterSeconds = 90;

export async function knownKeys(db: Tx['db']): Promise<KnownKey[]> {
  return await db.$queryRaw<KnownKey[]>(Prisma.sql`
    SELECT "id", "since", "replacedAt", "resealedAt", "retiredAt",
           extract(epoch FROM clock_timestamp() - "replacedAt")::float8 AS "replacedFor"
    FROM "SecretKey" ORDER BY "since", "id"`);
}

/** The first key of an installation is known from its first start on; later ones from the change of the key on. */
export async function noteFirstKey(db: Tx['db'], id: string): Promise<void> {
  await db.$executeRaw(Prisma.sql`
    INSERT INTO "SecretKey" ("id") SELECT ${id} WHERE NOT EXISTS (SELECT FROM "SecretKey") ON CONFLICT DO NOTHING`);
}

/** Nobody else changes keys until the transaction ends. */
export async function lockKeys(tx: Tx): Promise<void> {
  await tx.db.$executeRaw(Prisma.sql`SELECT pg_advisory_xact_lock(hashtext('deckhand secret keys'))`);
}

/** From now on this key seals, and no other. Returns the names of those that it replaces; `before`: what older versions have not noted. */
export async function noteNewKey(tx: Tx, id: string, before: readonly string[]): Promise<string[]> {
  for (const one of before)
    if (one !== id) await tx.db.$executeRaw(Prisma.sql`INSERT INTO "SecretKey" ("id") VALUES (${one}) ON CONFLICT DO NOTHING`);
  const replaced = await tx.db.$queryRaw<{ id: string }[]>(Prisma.sql`
    UPDATE "SecretKey" SET "replacedAt" = clock_timestamp(), "resealedAt" = NULL
    WHERE "id" <> ${id} AND "replacedAt" IS NULL RETURNING "id"`);
  await tx.db.$executeRaw(Prisma.sql`
    INSERT INTO "SecretKey" ("id") VALUES (${id})
    ON CONFLICT ("id") DO UPDATE SET "replacedAt" = NULL, "resealedAt" = NULL, "retiredAt" = NULL`);
  return replaced.map((row) => row.id);
}

/** Nothing is left that is sealed with these: returns those of which that was not known yet. */
export async function noteResealed(tx: Tx, ids: readonly string[]): Promise<string[]> {
  const rows = await tx.db.$queryRaw<{ id: string }[]>(Prisma.sql`
    UPDATE "SecretKey" SET "resealedAt" = clock_timestamp()
    WHERE "id" = ANY(${[...ids]}) AND "replacedAt" IS NOT NULL AND "resealedAt" IS NULL RETURNING "id"`);
  return rows.map(({ id }) => id);
}

/** False: it was retired before. */
export async function noteRetired(tx: Tx, id: string): Promise<boolean> {
  const rows = await tx.db.$queryRaw<unknown[]>(Prisma.sql`
    INSERT INTO "SecretKey" ("id", "replacedAt", "retiredAt") VALUES (${id}, clock_timestamp(), clock_timestamp())
    ON CONFLICT ("id") DO UPDATE SET "retiredAt" = clock_timestamp(),
      "replacedAt" = COALESCE("SecretKey"."replacedAt", clock_timestamp())
    WHERE "SecretKey"."retiredAt" IS NULL RETURNING 1`);
  return rows.length > 0;
}

/** Says which keys a process has; those of processes that have ended go after a day. */
export async function tellKeys(db: Tx['db'], { id, host, role, source, keys }: KeyHolder): Promise<void> {
  await db.$executeRaw(Prisma.sql`
    INSERT INTO "KeyHolder" ("id", "host", "role", "source", "keys", "seenAt")
    VALUES (${id}, ${host}, ${role}, ${source}, ${JSON.stringify(keys)}::jsonb, clock_timestamp())
    ON CONFLICT ("id") DO UPDATE SET "keys" = EXCLUDED."keys", "seenAt" = EXCLUDED."seenAt"`);
  await db.$executeRaw(Prisma.sql`DELETE FROM "KeyHolder" WHERE "seenAt" < clock_timestamp() - interval '1 day'`);
}

export async function forgetHolder(db: Tx['db'], id: string): Promise<void> {
  await db.keyHolder.deleteMany({ where: { id } });
}

/** The processes that run now, with the keys that they have. */
export async function keyHolders(db: Tx['db']): Promise<KeyHolder[]> {
  const rows = await db.$queryRaw<unknown[]>(Prisma.sql`
    SELECT "id", "host", "role", "source", "keys" FROM "KeyHolder"
    WHERE "seenAt" > clock_timestamp() - make_interval(secs => ${goneAfterSeconds}) ORDER BY "host", "role", "id"`);
  return z.array(holderSchema).parse(rows);
}

const holderSchema = z.object({
  id: z.string(),
  host: z.string(),
  role: z.string(),
  source: z.enum(['file', 'environment']),
  keys: z.array(z.string()),
});

/** Runs that may still use a token made with a key that was replaced so many seconds ago. */
export async function runsFromBefore(db: Tx['db'], id: string): Promise<number> {
  const [row] = await db.$queryRaw<{ runs: number }[]>(Prisma.sql`
    SELECT count(*)::int AS runs FROM "Run" r JOIN "SecretKey" k ON k."id" = ${id}
    WHERE r."startedAt" < k."replacedAt" AND r."endedAt" IS NULL`);
  return row?.runs ?? 0;
}
