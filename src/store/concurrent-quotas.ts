import { Prisma } from '../../prisma/client/client.ts';
import { isAboutRun } from './quotas.ts';
import { holdsPlace } from './runs.ts';

/** A quota of runs at the same time, and how many have a place now. Whoever gives places counts up `busy`. */
export interface ConcurrentQuota {
  id: string;
  limit: number;
  busy: number;
}

/** All quotas of runs at the same time, of all workspaces. Right as long as the caller holds the lock of those who give places. */
export async function concurrentQuotas(db: Prisma.TransactionClient): Promise<ConcurrentQuota[]> {
  return await db.$queryRaw<ConcurrentQuota[]>(Prisma.sql`
    SELECT q."id", q."limit", (SELECT count(*) FROM "Run" WHERE ${holdsPlace} AND ${isAboutRun})::int AS busy
    FROM "Quota" q WHERE q."measure" = 'concurrent'`);
}

/** A row of "Run" is about none of these quotas that have no room. */
export function isAboutNone(full: readonly ConcurrentQuota[]): Prisma.Sql {
  if (full.length === 0) return Prisma.sql`true`;
  const ids = full.map(({ id }) => id);
  return Prisma.sql`NOT EXISTS (SELECT FROM "Quota" q WHERE q."id" = ANY(${ids}::text[]) AND ${isAboutRun})`;
}

/** The quotas that each of these runs counts for, by the id of the run. */
export async function quotasAbout(
  db: Prisma.TransactionClient,
  runs: readonly string[],
  quotas: readonly ConcurrentQuota[],
): Promise<Map<string, ConcurrentQuota[]>> {
  if (quotas.length === 0 || runs.length === 0) return new Map();
  const rows = await db.$queryRaw<{ run: string; quota: string }[]>(Prisma.sql`
    SELECT "Run"."id" AS run, q."id" AS quota FROM "Run" JOIN "Quota" q ON ${isAboutRun}
    WHERE q."measure" = 'concurrent' AND "Run"."id" = ANY(${[...runs]}::text[])`);
  const byRun = Map.groupBy(rows, ({ run }) => run);
  return new Map([...byRun].map(([run, about]) => [run, quotas.filter(({ id }) => about.some(({ quota }) => quota === id))]));
}
