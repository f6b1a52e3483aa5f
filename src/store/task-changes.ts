import { Prisma } from '../../prisma/client/client.ts';
import { type RunResult, runResultSchema } from '../contracts/run-event.ts';
import type { Tx } from './database.ts';

/** How a run ended; undefined: it has not. */
export async function resultOf(tx: Tx, run: string): Promise<RunResult | undefined> {
  const row = await tx.db.run.findUnique({ where: { id: run }, select: { result: true } });
  return row === null || row.result === null ? undefined : runResultSchema.parse(row.result);
}

/** The newest change of each task: the run that left it, its commit, and where a pull request of it can be opened. */
export async function changesOf(
  db: Tx['db'],
  tasks: readonly string[],
): Promise<Map<string, { run: string; commit: string; repository: string | undefined }>> {
  if (tasks.length === 0) return new Map();
  const rows = await db.$queryRaw<{ run: string; task: string; commit: string; repository: string | null }[]>(Prisma.sql`
    SELECT DISTINCT ON ("taskId") "id" AS run, "taskId" AS task, "result"->>'commit' AS commit, "result"->>'repository' AS repository
    FROM "Run" WHERE "taskId" = ANY(${[...tasks]}::text[]) AND "result"->>'commit' IS NOT NULL
    ORDER BY "taskId", "attempt" DESC`);
  return new Map(rows.map(({ run, task, commit, repository }) => [task, { run, commit, repository: repository ?? undefined }]));
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
