import { Prisma } from '../../prisma/client/client.ts';
import { holdsPlace } from './runs.ts';

/** How long it is remembered who had a turn. */
const rememberedMs = 60 * 60_000;

/**
 * Common table expressions for who comes next: `turn` has one row for every run that waits and fits `which`, ordered by `share` (how many
 * places its project has when it gets one), `served` (when the project had a turn last) and the time of the request.
 *
 * In a project the person with the fewest runs comes next, over all projects the project with the fewest; among equals, whoever has
 * waited longest since their last turn. So a hundred requests of one person, or of one project, do not keep the others waiting.
 */
export function turns(which: Prisma.Sql, now: Date): Prisma.Sql {
  const longAgo = new Date(now.getTime() - rememberedMs);
  return Prisma.sql`waiting AS (
    SELECT "id", "projectId", "requestedById", "queuedAt" FROM "Run"
    WHERE "state" = 'queued' AND "dispatchedAt" IS NULL AND ${which}
  ), busy AS (
    SELECT "projectId", "requestedById", count(*)::int AS runs FROM "Run" WHERE ${holdsPlace} GROUP BY 1, 2
  ), served AS (
    SELECT "projectId", "requestedById", max("endedAt") AS at FROM "Run"
    WHERE "projectId" IN (SELECT "projectId" FROM waiting) AND "endedAt" > ${longAgo} AND "startedAt" IS NOT NULL
    GROUP BY 1, 2
  ), of_person AS (
    SELECT waiting.*, coalesce(served.at, '-infinity') AS served,
      coalesce(busy.runs, 0) + row_number() OVER (
        PARTITION BY waiting."projectId", waiting."requestedById" ORDER BY waiting."queuedAt", waiting."id"
      ) AS share
    FROM waiting LEFT JOIN busy USING ("projectId", "requestedById") LEFT JOIN served USING ("projectId", "requestedById")
  ), of_project AS (
    SELECT *, row_number() OVER (PARTITION BY "projectId" ORDER BY share, served, "queuedAt", "id") AS place FROM of_person
  ), project_busy AS (
    SELECT "projectId", sum(runs) AS runs FROM busy GROUP BY 1
  ), project_served AS (
    SELECT "projectId", max(at) AS at FROM served GROUP BY 1
  ), turn AS (
    SELECT of_project."id", "projectId", of_project."queuedAt", place + coalesce(project_busy.runs, 0) AS share,
      coalesce(project_served.at, '-infinity') AS served
    FROM of_project LEFT JOIN project_busy USING ("projectId") LEFT JOIN project_served USING ("projectId")
  )`;
}
