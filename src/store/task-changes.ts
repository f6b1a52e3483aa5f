import { Prisma } from '../../prisma/client/client.ts';
import { type PullFacts, pullFactsSchema } from '../contracts/code-host.ts';
import { livePublication } from '../contracts/publication.ts';
import { type RunResult, runResultSchema } from '../contracts/run-event.ts';
import type { Tx } from './database.ts';

/** How a run ended; undefined: it has not. */
export async function resultOf(tx: Tx, run: string): Promise<RunResult | undefined> {
  const row = await tx.db.run.findUnique({ where: { id: run }, select: { result: true } });
  return row === null || row.result === null ? undefined : runResultSchema.parse(row.result);
}

/** Where the newest change of a task stands: what of it is at the remote. */
export interface ChangeStand {
  /** The run that left it. */
  run: string;
  commit: string;
  /** Name of the repository at the code host; undefined: no pull request can be opened there. */
  repository: string | undefined;
  /** It is being brought out. */
  busy: boolean;
  /** The branch at the remote is, or was, at its commit. */
  pushed: boolean;
  /** The open pull request of the task. */
  pull: { number: number; head: string } | undefined;
  /** What is known of its newest pull request, open or not; absent: it has none. */
  told?: { repository: string; facts: PullFacts } | undefined;
  /** Number of the pull request that it was merged with; absent: it was not. */
  merged?: number | undefined;
}

/** The newest change of each task that has one. Of attempts that were made side by side only the chosen one counts. */
export async function standsOf(db: Tx['db'], tasks: readonly string[]): Promise<Map<string, ChangeStand>> {
  if (tasks.length === 0) return new Map();
  const rows = await db.$queryRaw<
    {
      task: string;
      run: string;
      commit: string;
      repository: string | null;
      busy: boolean;
      pushed: boolean;
      number: number | null;
      head: string | null;
      merged: number | null;
      told: { repository: string; facts: unknown } | null;
    }[]
  >(Prisma.sql`
    WITH change AS (
      SELECT DISTINCT ON (r."taskId") r."taskId" AS task, r."id" AS run, r."result"->>'commit' AS commit,
        r."result"->>'repository' AS repository
      FROM "Run" r JOIN "Task" t ON t."id" = r."taskId"
      WHERE r."taskId" = ANY(${[...tasks]}::text[]) AND r."result"->>'commit' IS NOT NULL
        AND (r."variant" IS NULL OR r."id" = t."chosenRunId")
      ORDER BY r."taskId", r."attempt" DESC
    )
    SELECT change.*, pull."number", pull."head",
      (
        SELECT jsonb_build_object('repository', "repository", 'facts', "facts") FROM "PullRequest"
        WHERE "runId" = change.run ORDER BY "id" DESC LIMIT 1
      ) AS told,
      (SELECT max("number") FROM "PullRequest" WHERE "runId" = change.run AND "state" = 'merged') AS merged,
      EXISTS (
        SELECT FROM "Publication" p WHERE p."taskId" = change.task AND p."state" IN (${Prisma.join([...livePublication])})
      ) AS busy,
      EXISTS (
        SELECT FROM "Publication" p WHERE p."taskId" = change.task AND p."commit" = change.commit AND p."pushedAt" IS NOT NULL
      ) AS pushed
    FROM change LEFT JOIN LATERAL (
      SELECT "number", "head" FROM "PullRequest" WHERE "taskId" = change.task AND "state" = 'open' ORDER BY "id" DESC LIMIT 1
    ) AS pull ON true`);
  return new Map(
    rows.map(({ task, run, commit, repository, busy, pushed, number, head, merged, told }) => [
      task,
      {
        run,
        commit,
        repository: repository ?? undefined,
        busy,
        pushed,
        pull: number === null || head === null ? undefined : { number, head },
        ...(told === null ? {} : { told: { repository: told.repository, facts: pullFactsSchema.parse(told.facts) } }),
        ...(merged === null ? {} : { merged }),
      },
    ]),
  );
}

/**
 * What was asked for in a task up to a run, each request once, the first in front (none for a command, which is the task's), and who asked for
 * that run.
 */
export async function requestsOf(
  tx: Tx,
  task: string,
  upTo: string,
): Promise<{ requester: string | undefined; requests: string[] }> {
  const rows = await tx.db.run.findMany({
    where: { taskId: task },
    select: { id: true, prompt: true, requestedById: true },
    orderBy: { attempt: 'asc' },
  });
  const last = rows.findIndex(({ id }) => id === upTo);
  const runs = rows.slice(0, last + 1);
  const requests = runs.flatMap(({ prompt }) => (prompt === null ? [] : [prompt]));
  return { requester: rows[last]?.requestedById, requests: [...new Set(requests)] };
}
