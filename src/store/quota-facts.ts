import { Prisma } from '../../prisma/client/client.ts';
import { type Measure, measureSchema, type Quota } from '../contracts/quotas.ts';
import type { Tx } from './database.ts';
import { isAboutRun, personOf } from './quotas.ts';
import { holdsPlace, type RunRecord } from './runs.ts';

/** Measures that some quota of a workspace is about. One look into an index. */
export async function quotaMeasures(db: Prisma.TransactionClient, workspace: string): Promise<Set<Measure>> {
  const rows = await db.$queryRaw<{ measure: string }[]>(Prisma.sql`
    SELECT DISTINCT "measure" FROM "Quota" WHERE "workspaceId" = ${workspace}`);
  return new Set(rows.map(({ measure }) => measureSchema.parse(measure)));
}

/** What quotas are about, by the id of the subject: names of projects, channels and people. */
export async function subjectNames(db: Prisma.TransactionClient, quotas: readonly Quota[]): Promise<Map<string, string>> {
  const ids = quotas.map(({ subject }) => subject);
  const rows = await db.$queryRaw<{ id: string; name: string | null }[]>(Prisma.sql`
    SELECT "id", "name" FROM "Project" WHERE "id" = ANY(${ids}::text[])
    UNION ALL SELECT "id", "name" FROM "Channel" WHERE "id" = ANY(${ids}::text[])
    UNION ALL SELECT u."id", coalesce(p."name", u."name") FROM "User" u LEFT JOIN "User" p ON p."id" = u."linkedToId"
      WHERE u."id" = ANY(${ids}::text[])`);
  return new Map(rows.flatMap(({ id, name }) => (name === null ? [] : [[id, name] as const])));
}

/** Bytes that are kept of a project, or of a workspace: the files of its runs as recorded, all else as it was measured last. */
export async function keptBytes(
  db: Prisma.TransactionClient,
  { scope, subject }: Pick<Quota, 'scope' | 'subject'>,
): Promise<number> {
  const which = scope === 'project' ? Prisma.sql`"projectId" = ${subject}` : Prisma.sql`"workspaceId" = ${subject}`;
  const [row] = await db.$queryRaw<{ bytes: number }[]>(Prisma.sql`
    SELECT (
      coalesce((SELECT sum("bytes") FROM "Holding" WHERE ${which}), 0)
      + coalesce((SELECT sum(a."bytes") FROM "Artifact" a
          WHERE a."removedAt" IS NULL AND a."runId" IN (SELECT "id" FROM "Run" WHERE ${which})), 0)
    )::float8 AS bytes`);
  return row?.bytes ?? 0;
}

/** How many runs that have a place now each of these quotas is about, by its id. */
export async function runsWithPlace(db: Prisma.TransactionClient, quotas: readonly Quota[]): Promise<Map<string, number>> {
  const rows = await db.$queryRaw<{ id: string; runs: number }[]>(Prisma.sql`
    SELECT q."id", (SELECT count(*) FROM "Run" WHERE ${holdsPlace} AND ${isAboutRun})::int AS runs
    FROM "Quota" q WHERE q."id" = ANY(${quotas.map(({ id }) => id)}::text[])`);
  return new Map(rows.map(({ id, runs }) => [id, runs]));
}

/** The run waits for a quota until then, before it waits for a place. */
export async function waitForQuota(tx: Tx, run: string, until: Date | null): Promise<void> {
  await tx.db.run.update({ where: { id: run }, data: { notBefore: until }, select: { id: true } });
  tx.notify('queue');
}

/** A run that waits for a quota, and until when. */
export type WaitingForQuota = Pick<RunRecord, 'id' | 'workspace' | 'task' | 'project' | 'requestedBy'> & { until: Date };

/** Those of a workspace that wait for a quota, in the order in which they were asked for; held until the end of the transaction. */
export async function waitingForQuota(tx: Tx, workspace: string, at: Date): Promise<WaitingForQuota[]> {
  const rows = await tx.db.$queryRaw<(Omit<WaitingForQuota, 'workspace'> & { workspace: string })[]>(Prisma.sql`
    SELECT "id", "workspaceId" AS workspace, "taskId" AS task, "projectId" AS project, "requestedById" AS "requestedBy", "notBefore" AS until
    FROM "Run" WHERE "workspaceId" = ${workspace} AND "state" IN ('queued', 'awaiting') AND "notBefore" > ${at}
    ORDER BY "queuedAt", "id" LIMIT 500 FOR NO KEY UPDATE`);
  return rows;
}

/**
 * What has counted for a quota since the beginning of its period, as runs and their logs tell: where a quota is made, what was before it
 * counts too. Runs that wait for a later period count in that one. At least one period is returned: the one that goes on.
 */
export async function consumedSince(
  db: Prisma.TransactionClient,
  quota: Quota,
  since: Date,
): Promise<{ since: Date; used: number }[]> {
  const runs = Prisma.sql`SELECT "Run".* FROM "Run" JOIN "Quota" q ON q."id" = ${quota.id} AND ${isAboutRun}`;
  const rows = await db.$queryRaw<{ since: Date; used: number | null }[]>(consumed(quota, runs, since));
  const found = rows.map((row) => ({ since: row.since, used: row.used ?? 0 }));
  return found.some((row) => row.since.getTime() === since.getTime()) ? found : [{ since, used: 0 }, ...found];
}

function consumed({ measure, per }: Quota, runs: Prisma.Sql, since: Date): Prisma.Sql {
  const now = Prisma.sql`${since}::timestamptz AS since`;
  const usage = (sum: Prisma.Sql) => Prisma.sql`
    SELECT ${now}, ${sum}::float8 AS used FROM (${runs}) r JOIN "RunEvent" e ON e."runId" = r."id" AND e."type" = 'usage' AND e."at" >= ${since}
    WHERE r."lastEventAt" >= ${since}`;
  switch (measure) {
    case 'runs':
      // What runs nothing, and what the policy has denied, does not count.
      return Prisma.sql`
        SELECT date_trunc(${per}, coalesce(r."notBefore", r."queuedAt"), 'UTC') AS since, count(*)::float8 AS used
        FROM (${runs}) r WHERE coalesce(r."notBefore", r."queuedAt") >= ${since}
          AND coalesce(r."rebase", 'resolve') = 'resolve' AND NOT (r."state" = 'cancelled' AND r."result"->>'cause' = 'denied')
        GROUP BY 1`;
    case 'requests':
      return usage(Prisma.sql`count(*)`);
    case 'tokens':
      return usage(
        Prisma.sql`sum((e."data"->>'input')::float8 + (e."data"->>'output')::float8 + (e."data"->>'cacheWrite')::float8)`,
      );
    case 'cost':
      return usage(Prisma.sql`sum(coalesce((e."data"->>'costUsd')::float8, 0))`);
    case 'wall':
      return Prisma.sql`
        SELECT ${now}, sum(extract(epoch FROM coalesce("endedAt", "timedUntil", "startedAt") - greatest("startedAt", ${since})) * 1000)::float8 AS used
        FROM (${runs}) r WHERE "startedAt" IS NOT NULL AND coalesce("endedAt", "timedUntil", "startedAt") > ${since}`;
    case 'concurrent':
    case 'disk':
      return Prisma.sql`SELECT ${now}, 0::float8 AS used`;
  }
}

/** The row that stands for a person, by the id of any of theirs. */
export async function standsFor(db: Prisma.TransactionClient, user: string): Promise<string> {
  const [row] = await db.$queryRaw<{ id: string }[]>(Prisma.sql`SELECT ${personOf(Prisma.sql`${user}`)} AS id`);
  return row?.id ?? user;
}
