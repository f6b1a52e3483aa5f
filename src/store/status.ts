import { Prisma } from '../../prisma/client/client.ts';
import type { LoadChart } from '../contracts/view.ts';
import { idBefore } from '../runtime/ids.ts';
import type { Tx } from './database.ts';

/** How a workspace stands, for `status`. */
export interface WorkspaceStatus {
  running: number;
  waiting: number;
  /** Since when the first of them waits; undefined: none does. */
  waitingSince: Date | undefined;
  /** Requests for decisions that nobody has answered. */
  deciding: number;
  /** Of the last 24 hours. */
  day: { done: number; failed: number; costUsd: number; tokens: number };
}

const hour = 60 * 60_000;

export async function statusOf(tx: Tx, workspace: string, now: Date): Promise<WorkspaceStatus> {
  const [row] = await tx.db.$queryRaw<Record<string, unknown>[]>(Prisma.sql`
    SELECT
      (SELECT count(*) FROM "Run" WHERE "workspaceId" = ${workspace} AND "state" IN ('preparing', 'planning', 'executing', 'finishing'))::int AS running,
      (SELECT count(*) FROM "Run" WHERE "workspaceId" = ${workspace} AND "state" = 'queued')::int AS waiting,
      (SELECT min("queuedAt") FROM "Run" WHERE "workspaceId" = ${workspace} AND "state" = 'queued') AS since,
      (SELECT count(*) FROM "Interaction" WHERE "workspaceId" = ${workspace} AND "state" = 'pending')::int AS deciding,
      count(*) FILTER (WHERE "state" = 'succeeded')::int AS done,
      count(*) FILTER (WHERE "state" IN ('failed', 'timed_out', 'interrupted'))::int AS failed,
      COALESCE(sum("costUsd"), 0)::float8 AS cost,
      COALESCE(sum("inputTokens" + "outputTokens" + "cacheWriteTokens"), 0)::float8 AS tokens
    FROM "Run" WHERE "workspaceId" = ${workspace} AND "id" > ${idBefore('run', new Date(now.getTime() - 48 * hour))}
      AND COALESCE("endedAt", ${now}) > ${new Date(now.getTime() - 24 * hour)}`);
  if (row === undefined) throw new Error('counting gave no row');
  return {
    running: Number(row.running),
    waiting: Number(row.waiting),
    waitingSince: row.since instanceof Date ? row.since : undefined,
    deciding: Number(row.deciding),
    day: { done: Number(row.done), failed: Number(row.failed), costUsd: Number(row.cost), tokens: Number(row.tokens) },
  };
}

/** What ran, waited and ended. Runs that were made more than a day before the time shown are left out. */
export async function loadOf(
  tx: Tx,
  workspace: string,
  { hours, parts }: { hours: number; parts: number },
  now: Date,
): Promise<LoadChart> {
  const partSeconds = (hours * 3600) / parts;
  const from = new Date(now.getTime() - hours * hour);
  const rows = await tx.db.$queryRaw<LoadChart['parts']>(Prisma.sql`
    WITH recent AS (
      SELECT "queuedAt" AS queued, COALESCE("startedAt", "endedAt", ${now}) AS started, COALESCE("endedAt", ${now}) AS ended,
        "startedAt" IS NOT NULL AS has_started, "endedAt" IS NOT NULL AS has_ended, "state"
      FROM "Run" WHERE "workspaceId" = ${workspace} AND "id" > ${idBefore('run', new Date(from.getTime() - 24 * hour))}
        AND COALESCE("endedAt", ${now}) > ${from}
    ), part AS (
      SELECT n, ${from}::timestamptz + make_interval(secs => n * ${partSeconds}) AS since,
        ${from}::timestamptz + make_interval(secs => (n + 1) * ${partSeconds}) AS until
      FROM generate_series(0, ${parts - 1}::int) AS n
    )
    SELECT
      COALESCE(sum(extract(epoch FROM LEAST(ended, until) - GREATEST(started, since)))
        FILTER (WHERE has_started AND started < until AND ended > since), 0)::float8 / ${partSeconds} AS running,
      COALESCE(sum(extract(epoch FROM LEAST(started, until) - GREATEST(queued, since)))
        FILTER (WHERE queued < until AND started > since), 0)::float8 / ${partSeconds} AS waiting,
      (count(*) FILTER (WHERE has_ended AND ended > since AND ended <= until AND "state" = 'succeeded'))::int AS done,
      (count(*) FILTER (WHERE has_ended AND ended > since AND ended <= until AND "state" IN ('failed', 'timed_out', 'interrupted')))::int AS failed
    FROM part LEFT JOIN recent ON queued < until AND ended > since
    GROUP BY n ORDER BY n`);
  return { hours, parts: rows };
}
