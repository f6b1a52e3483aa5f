import { Prisma } from '../../prisma/client/client.ts';
import type { AgentSettings } from '../contracts/agent.ts';
import { type Estimate, type Likeness, leastAlike, likenesses, type PastWork } from '../contracts/estimate.ts';
import type { Tx } from './database.ts';

/** So many tasks, or runs, of the project are looked at, and so many of them used. */
const looked = 200;
const most = 20;

export interface PastOf {
  project: string;
  /** Of tasks those before this one count. */
  task: string;
  /** Tasks with all their runs together, or runs that went on with one. */
  of: NonNullable<Estimate['of']>;
  settings: Pick<AgentSettings, 'agent' | 'model' | 'effort' | 'account'>;
}

/**
 * What the last tasks, or further runs, of a project used that its agent has finished: those that are most like the one that begins, if there
 * are enough of them, else those that are less alike, down to the same agent. Along an index, newest first, so it costs the same however
 * many there are. Several attempts side by side are none of them, nor is what puts a change on another base.
 */
export async function pastWork({ db }: Pick<Tx, 'db'>, input: PastOf): Promise<{ like: Likeness; past: PastWork[] }> {
  const rows = await db.$queryRaw<(PastWork & { level: number })[]>(Prisma.sql`
    WITH alike AS MATERIALIZED (${input.of === 'tasks' ? tasks(input) : runs(input)}),
    enough AS (
      SELECT coalesce(max(l), 0) AS level FROM generate_series(0, ${likenesses.length - 1}) l
      WHERE (SELECT count(*) FROM alike WHERE alike.level >= l) >= ${leastAlike}
    )
    SELECT enough.level, CASE WHEN u."unpriced" THEN NULL ELSE u."costUsd" END AS "costUsd", u."tokens", greatest(0, u."ms" - w."ms") AS "ms"
    FROM alike JOIN enough ON alike.level >= enough.level
    CROSS JOIN LATERAL (
      SELECT sum("costUsd")::float8 AS "costUsd", sum("inputTokens" + "outputTokens" + "cacheWriteTokens")::float8 AS "tokens",
        sum(extract(epoch FROM "endedAt" - "startedAt") * 1000)::float8 AS "ms",
        bool_or("costUsd" = 0 AND "outputTokens" > 0) AS "unpriced"
      FROM "Run" WHERE "taskId" = alike.task AND (alike.run IS NULL OR "id" = alike.run)
    ) u CROSS JOIN LATERAL (
      SELECT coalesce(sum(extract(epoch FROM least(i."decidedAt", r."endedAt") - greatest(i."openedAt", r."startedAt")) * 1000), 0)::float8 AS "ms"
      FROM "Interaction" i JOIN "Run" r ON r."id" = i."runId"
      WHERE i."taskId" = alike.task AND (alike.run IS NULL OR r."id" = alike.run) AND i."decidedAt" > r."startedAt" AND i."openedAt" < r."endedAt"
    ) w
    WHERE u."tokens" > 0 AND u."ms" > 0
    ORDER BY alike.nth LIMIT ${most}`);
  return {
    like: likenesses[rows[0]?.level ?? 0] ?? 'agent',
    past: rows.map(({ costUsd, tokens, ms }) => ({ costUsd, tokens, ms })),
  };
}

function tasks({ project, task, settings }: PastOf): Prisma.Sql {
  return Prisma.sql`
    SELECT t."id" AS task, NULL::text AS run, t.nth, ${levelOf(settings)} AS level
    FROM (
      SELECT "id", "kind", "column", "attempts", "agent", row_number() OVER (ORDER BY "id" DESC) AS nth
      FROM "Task" WHERE "projectId" = ${project} AND "id" < ${task} ORDER BY "id" DESC LIMIT ${looked}
    ) t
    WHERE t."kind" = 'agent' AND t."column" IN ('review', 'done') AND t."attempts" IS NULL AND t."agent"->>'agent' = ${settings.agent}`;
}

function runs({ project, settings }: PastOf): Prisma.Sql {
  return Prisma.sql`
    SELECT t."taskId" AS task, t."id" AS run, t.nth, ${levelOf(settings)} AS level
    FROM (
      SELECT "id", "taskId", "state", "attempt", "variant", "rebase", "agent", row_number() OVER (ORDER BY "endedAt" DESC) AS nth
      FROM "Run" WHERE "projectId" = ${project} AND "endedAt" IS NOT NULL ORDER BY "endedAt" DESC LIMIT ${looked}
    ) t
    WHERE t."state" = 'succeeded' AND t."attempt" > 1 AND t."variant" IS NULL AND t."rebase" IS NULL
      AND t."agent"->>'agent' = ${settings.agent}`;
}

/** The place of its likeness in `likenesses`, of a row `t` with the same agent. */
function levelOf({ model, effort, account }: PastOf['settings']): Prisma.Sql {
  const is = (name: string, value: string | null) => Prisma.sql`t."agent"->>${name} IS NOT DISTINCT FROM ${value}::text`;
  return Prisma.sql`CASE WHEN NOT ${is('model', model)} THEN 0 WHEN NOT ${is('effort', effort)} THEN 1
    WHEN NOT ${is('account', account)} THEN 2 ELSE 3 END`;
}
