import { Prisma } from '../../prisma/client/client.ts';
import { holdsPlace } from './runs.ts';

/** A row of "Run" waits for a place. The index of such rows says it in the same words. */
export const waits = Prisma.sql`("Run"."state" = 'queued' AND "Run"."dispatchedAt" IS NULL)`;

/** Of those, a row that does not wait for a quota before that. */
export function waitsForNoQuota(now: Date): Prisma.Sql {
  return Prisma.sql`("Run"."notBefore" IS NULL OR "Run"."notBefore" <= ${now})`;
}

/** How long it is remembered who had a turn. */
const rememberedMs = 60 * 60_000;

/**
 * Common table expressions about the runs of `from`, named `waiting`, with their projects and who asked: who has how many places (`busy`,
 * `project_busy`), and who had a turn when (`served`, `project_served`).
 */
export function shares(from: Prisma.Sql, now: Date): Prisma.Sql {
  const longAgo = new Date(now.getTime() - rememberedMs);
  return Prisma.sql`busy AS (
    SELECT "projectId", "requestedById", count(*)::int AS runs FROM "Run" WHERE ${holdsPlace} GROUP BY 1, 2
  ), project_busy AS (
    SELECT "projectId", sum(runs)::int AS runs FROM busy GROUP BY 1
  ), waiting AS (${from}), served AS (
    SELECT "projectId", "requestedById", max("endedAt") AS at FROM "Run"
    WHERE "projectId" IN (SELECT "projectId" FROM waiting) AND "endedAt" > ${longAgo} AND "startedAt" IS NOT NULL
    GROUP BY 1, 2
  ), project_served AS (
    SELECT "projectId", max(at) AS at FROM served GROUP BY 1
  )`;
}

/**
 * Common table expressions for who comes next: `turn` has one row for each of the runs of `from` (`firstWaiting`), ordered by `share` (how many
 * places its project has when it gets one), `served` (when the project had a turn last) and the time of the request.
 *
 * In a project the person with the fewest runs comes next, over all projects the project with the fewest; among equals, whoever has
 * waited longest since their last turn. So a hundred requests of one person, or of one project, do not keep the others waiting.
 * queue-ahead.ts counts in the same order.
 */
export function turns(from: Prisma.Sql, now: Date): Prisma.Sql {
  return Prisma.sql`${shares(from, now)}, of_person AS (
    SELECT waiting.*, coalesce(served.at, '-infinity') AS served,
      coalesce(busy.runs, 0) + row_number() OVER (
        PARTITION BY waiting."projectId", waiting."requestedById" ORDER BY waiting."queuedAt", waiting."id"
      ) AS share
    FROM waiting LEFT JOIN busy USING ("projectId", "requestedById") LEFT JOIN served USING ("projectId", "requestedById")
  ), of_project AS (
    SELECT *, row_number() OVER (PARTITION BY "projectId" ORDER BY share, served, "queuedAt", "id") AS place FROM of_person
  ), turn AS (
    SELECT of_project."id", "projectId", of_project."queuedAt", place + coalesce(project_busy.runs, 0) AS share,
      coalesce(project_served.at, '-infinity') AS served
    FROM of_project LEFT JOIN project_busy USING ("projectId") LEFT JOIN project_served USING ("projectId")
  )`;
}

/** How many runs of a row of "Project" go on at once. */
export const concurrency = Prisma.sql`coalesce(("Project"."limits"->>'concurrency')::int, 1)`;

const inOrder = Prisma.sql`"Run"."id", "Run"."projectId", "Run"."requestedById", "Run"."queuedAt"`;

/**
 * The runs that wait and fit `which`, without those that cannot be among the next `free` within the concurrency of their projects: as many
 * of the same person in the same project come before them. The order of the others does not change by that. `kinds`: labels of those that may fit.
 */
export function firstWaiting(kinds: readonly string[], which: Prisma.Sql, free: number): Prisma.Sql {
  // From one person to the next in the index, however many of their runs wait.
  const lineOf = Prisma.sql`"Run"."runsOn", "Run"."projectId", "Run"."requestedById"`;
  return Prisma.sql`
    WITH RECURSIVE line AS (
      (SELECT ${lineOf} FROM "Run" WHERE ${waits} ORDER BY ${lineOf} LIMIT 1)
      UNION ALL
      SELECT later.* FROM line CROSS JOIN LATERAL (
        SELECT ${lineOf} FROM "Run" WHERE ${waits} AND (${lineOf}) > (line."runsOn", line."projectId", line."requestedById")
        ORDER BY ${lineOf} LIMIT 1
      ) AS later
    )
    SELECT first.* FROM line
    JOIN (
      SELECT "Project"."id" AS "projectId", ${concurrency} - coalesce(project_busy.runs, 0) AS left
      FROM "Project" LEFT JOIN project_busy ON project_busy."projectId" = "Project"."id"
    ) AS room ON room."projectId" = line."projectId" AND room.left > 0 AND line."runsOn" IN (${Prisma.join(kinds)})
    CROSS JOIN LATERAL (
      SELECT ${inOrder} FROM "Run"
      WHERE ${waits} AND "Run"."runsOn" = line."runsOn" AND "Run"."projectId" = line."projectId"
        AND "Run"."requestedById" = line."requestedById" AND ${which}
      ORDER BY "Run"."queuedAt", "Run"."id" LIMIT least(room.left, ${free})
    ) AS first`;
}
