import type { Database } from './database.ts';

const counted = ['inbox', 'outbox', 'runs_queued', 'runs_active', 'runs_untold', 'decisions'] as const;

/**
 * How many rows wait for something, over all workspaces: for metrics. `runs_untold` have events that no message was made of yet. One
 * look at one moment: what is done leaves no gap before what follows from it, so all are 0 only when nothing is under way.
 */
export async function waitingCounts(db: Database['db']): Promise<Record<(typeof counted)[number], number>> {
  const [row] = await db.$queryRaw<Record<(typeof counted)[number], bigint>[]>`
    SELECT
      (SELECT count(*) FROM "Inbox" WHERE "state" = 'pending') AS "inbox",
      (SELECT count(*) FROM "Outbox" WHERE "state" = 'pending') AS "outbox",
      (SELECT count(*) FROM "Run" WHERE "state" = 'queued') AS "runs_queued",
      (SELECT count(*) FROM "Run" WHERE "state" IN ('preparing', 'executing', 'finishing')) AS "runs_active",
      (SELECT count(*) FROM "Run" WHERE "lastSeq" > "projectedSeq") AS "runs_untold",
      (SELECT count(*) FROM "Interaction" WHERE "state" = 'pending') AS "decisions"`;
  if (row === undefined) throw new Error('counting gave no row');
  const counts = counted.map((what) => [what, Number(row[what])] as const);
  return Object.fromEntries(counts) as Record<(typeof counted)[number], number>;
}
