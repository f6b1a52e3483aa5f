import { Prisma } from '../../prisma/client/client.ts';
import type { Database } from './database.ts';
import { liveStates } from './runs.ts';

const counted = ['inbox', 'outbox', 'runs_queued', 'runs_active', 'runs_untold', 'decisions'] as const;

/**
 * Reads rows that wait through indexes, and nothing else. Of runs that are over it looks at those that ended within the hour: an index over what is
 * untold would have each event of a run write all indexes of its row.
 */
export const waitingStatement = Prisma.sql`
  SELECT
    (SELECT count(*) FROM "Inbox" WHERE "state" = 'pending') AS "inbox",
    (SELECT count(*) FROM "Outbox" WHERE "state" = 'pending') AS "outbox",
    (SELECT count(*) FROM "Run" WHERE "state" = 'queued') AS "runs_queued",
    (SELECT count(*) FROM "Run" WHERE "state" IN ('preparing', 'executing', 'finishing')) AS "runs_active",
    (SELECT count(*) FROM "Run" WHERE "state" IN (${Prisma.join([...liveStates])}) AND "lastSeq" > "projectedSeq")
      + (SELECT COALESCE(sum(ended.untold), 0)::bigint FROM "Project" p CROSS JOIN LATERAL (
        SELECT count(*) AS untold FROM "Run" r
        WHERE r."projectId" = p."id" AND r."endedAt" > now() - interval '1 hour' AND r."lastSeq" > r."projectedSeq"
      ) AS ended) AS "runs_untold",
    (SELECT count(*) FROM "Interaction" WHERE "state" = 'pending') AS "decisions"`;

/**
 * How many rows wait for something, over all workspaces: for metrics. `runs_untold` have events that no message was made of yet, and
 * are not over or ended within the hour. One look at one moment: what is done leaves no gap before what follows from it, so all are 0 only when nothing is under way.
 */
export async function waitingCounts(db: Database['db']): Promise<Record<(typeof counted)[number], number>> {
  const [row] = await db.$queryRaw<Record<(typeof counted)[number], bigint>[]>(waitingStatement);
  if (row === undefined) throw new Error('counting gave no row');
  const counts = counted.map((what) => [what, Number(row[what])] as const);
  return Object.fromEntries(counts) as Record<(typeof counted)[number], number>;
}
