import { Prisma } from '../../prisma/client/client.ts';
import type { PastTask } from '../contracts/estimate.ts';
import type { Tx } from './database.ts';

/** So many tasks of the project are looked at, and so many of them used. */
const looked = 200;
const most = 20;

/**
 * What the last tasks of a project used that an agent has finished, with the same model: all their runs together. Along the index of the tasks
 * of a project, newest first, so it costs the same however many there are. Several attempts side by side are none of them.
 */
export async function pastTasks(
  { db }: Pick<Tx, 'db'>,
  { project, before, agent, model }: { project: string; before: string; agent: string; model: string | null },
): Promise<PastTask[]> {
  return await db.$queryRaw<PastTask[]>(Prisma.sql`
    SELECT CASE WHEN u."unpriced" THEN NULL ELSE t."spentUsd" END AS "costUsd", u."tokens", greatest(0, u."ms" - w."ms") AS "ms"
    FROM (
      SELECT "id", "kind", "column", "attempts", "agent", "spentUsd" FROM "Task" WHERE "projectId" = ${project} AND "id" < ${before} ORDER BY "id" DESC LIMIT ${looked}
    ) t CROSS JOIN LATERAL (
      SELECT sum("inputTokens" + "outputTokens" + "cacheWriteTokens")::float8 AS "tokens",
        sum(extract(epoch FROM "endedAt" - "startedAt") * 1000)::float8 AS "ms",
        bool_or("costUsd" = 0 AND "outputTokens" > 0) AS "unpriced"
      FROM "Run" WHERE "taskId" = t."id"
    ) u CROSS JOIN LATERAL (
      SELECT coalesce(sum(extract(epoch FROM least(i."decidedAt", r."endedAt") - greatest(i."openedAt", r."startedAt")) * 1000), 0)::float8 AS "ms"
      FROM "Interaction" i JOIN "Run" r ON r."id" = i."runId"
      WHERE i."taskId" = t."id" AND i."decidedAt" > r."startedAt" AND i."openedAt" < r."endedAt"
    ) w
    WHERE t."kind" = 'agent' AND t."column" IN ('review', 'done') AND t."attempts" IS NULL AND u."tokens" > 0 AND u."ms" > 0
      AND t."agent"->>'agent' = ${agent} AND t."agent"->>'model' IS NOT DISTINCT FROM ${model}::text
    ORDER BY t."id" DESC LIMIT ${most}`);
}
