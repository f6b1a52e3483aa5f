import { Prisma } from '../../prisma/client/client.ts';
import type { RunEventType } from '../contracts/run-event.ts';
import type { Database } from './database.ts';

/** When a log is said to have been made shorter while that is still done: all of it is gone at one moment only when it is short. */
export const underWay = new Date(0);

/**
 * What a log is long with, and nobody reads once the run is long over: the end card has it in short, the files of the run have it whole. What
 * costs, decides, ends and follows a run stays.
 */
const bulk: readonly RunEventType[] = ['output', 'assistant', 'thinking', 'tool', 'tool_ended', 'checklist', 'conversation'];
/** The end of each log stays as it is: what cards show of it. */
const keptAtEnd = 100;

/**
 * Deletes events of the bulk of a log that is under way, at most `most` of them, from after this number on; of lists of steps each call leaves the
 * newest that it sees. `last`: up to where it has looked, for the next call; undefined: there was nothing. Repeatable.
 */
export async function thinSome(
  { db }: Pick<Database, 'db'>,
  { run, after, most }: { run: string; after: number; most: number },
): Promise<{ removed: number; last: number | undefined }> {
  const [row] = await db.$queryRaw<{ removed: number; last: number | null }[]>(Prisma.sql`
    WITH old AS (
      SELECT e."seq", e."type" FROM "RunEvent" e JOIN "Run" r ON r."id" = e."runId"
      WHERE e."runId" = ${run} AND r."eventsRemovedAt" = ${underWay} AND e."seq" > ${after} AND e."seq" <= r."lastSeq" - ${keptAtEnd}
        AND e."type" = ANY(${[...bulk]}::text[])
      ORDER BY e."seq" LIMIT ${most}
    ), gone AS (
      -- An array, not a join: a planner that knows nothing of a new log would compare each of its events with each of these.
      DELETE FROM "RunEvent" e WHERE e."runId" = ${run} AND e."seq" = ANY(ARRAY(SELECT "seq" FROM old))
        AND e."seq" IS DISTINCT FROM (SELECT max("seq") FROM old WHERE "type" = 'checklist')
      RETURNING 1
    )
    SELECT (SELECT count(*)::int FROM gone) AS removed, (SELECT max("seq") FROM old) AS last`);
  return { removed: row?.removed ?? 0, last: row?.last ?? undefined };
}

/** Nothing of the log is left to be deleted. */
export async function endThinning({ db }: Pick<Database, 'db'>, run: string, at: Date): Promise<void> {
  await db.run.updateMany({ where: { id: run, eventsRemovedAt: underWay }, data: { eventsRemovedAt: at } });
}
