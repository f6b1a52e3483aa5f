import { z } from 'zod';
import { Prisma } from '../../prisma/client/client.ts';
import type { Tx } from './database.ts';

/** How the audit stands. */
export interface ChainStanding {
  chains: number;
  /** Kept ones that have their place. */
  lines: number;
  /** Lines without a place, and for how many seconds the first of them has been waiting. */
  waiting: number;
  waitingFor: number;
  /** When all of it was verified last, and how much was wrong; undefined: it never was. */
  verified: { at: Date; problems: number } | undefined;
  /** Of the first kept line. */
  since: Date | null;
}

const verifiedKey = 'audit verified';
const verifiedSchema = z.object({ at: z.coerce.date(), problems: z.number() });

export async function chainStanding(db: Tx['db']): Promise<ChainStanding> {
  const [row] = await db.$queryRaw<Omit<ChainStanding, 'verified'>[]>(Prisma.sql`
    SELECT (SELECT count(*) FROM "AuditChain" WHERE "seq" > 0)::int AS chains,
           count("seq")::int AS lines, count(*) FILTER (WHERE "seq" IS NULL)::int AS waiting,
           coalesce(extract(epoch FROM clock_timestamp() - min("at") FILTER (WHERE "seq" IS NULL)), 0)::float8 AS "waitingFor",
           min("at") AS since
    FROM "Audit"`);
  if (row === undefined) throw new Error('counting gave no row');
  const noted = await db.meta.findUnique({ where: { key: verifiedKey } });
  return { ...row, verified: noted === null ? undefined : verifiedSchema.parse(JSON.parse(noted.value)) };
}

/** Notes that all chains were verified, and how much was wrong. */
export async function noteVerified(db: Tx['db'], found: { at: Date; problems: number }): Promise<void> {
  const value = JSON.stringify(found);
  await db.meta.upsert({ where: { key: verifiedKey }, create: { key: verifiedKey, value }, update: { value } });
}
