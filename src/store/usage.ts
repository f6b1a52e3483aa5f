import { Prisma } from '../../prisma/client/client.ts';

/** What requests to models used. US dollars and tokens. */
export interface Spent {
  costUsd: number;
  input: number;
  output: number;
  cacheRead: number;
  cacheWrite: number;
}

/** What a run, or all runs of a task, used. */
export async function usageOf(db: Prisma.TransactionClient, which: { run: string } | { task: string }): Promise<Spent> {
  const sum = await db.run.aggregate({
    where: 'run' in which ? { id: which.run } : { taskId: which.task },
    _sum: { costUsd: true, inputTokens: true, outputTokens: true, cacheReadTokens: true, cacheWriteTokens: true },
  });
  const { costUsd, inputTokens, outputTokens, cacheReadTokens, cacheWriteTokens } = sum._sum;
  return {
    costUsd: costUsd ?? 0,
    input: Number(inputTokens ?? 0),
    output: Number(outputTokens ?? 0),
    cacheRead: Number(cacheReadTokens ?? 0),
    cacheWrite: Number(cacheWriteTokens ?? 0),
  };
}

/**
 * What a workspace used between two moments, of one project, or asked for by one of these people's ids. Counted from the log, request
 * by request, so that a run over midnight belongs to both days.
 */
export async function usageBetween(
  db: Prisma.TransactionClient,
  workspace: string,
  when: { since: Date; until: Date },
  filter: { project?: string | undefined; people?: readonly string[] | undefined } = {},
): Promise<Spent> {
  const project = filter.project === undefined ? Prisma.empty : Prisma.sql`AND "Run"."projectId" = ${filter.project}`;
  const people =
    filter.people === undefined ? Prisma.empty : Prisma.sql`AND "Run"."requestedById" = ANY(${[...filter.people]}::text[])`;
  const [row] = await db.$queryRaw<Spent[]>(Prisma.sql`
    SELECT coalesce(sum((e."data"->>'costUsd')::float8), 0) AS "costUsd",
      coalesce(sum((e."data"->>'input')::float8), 0) AS "input", coalesce(sum((e."data"->>'output')::float8), 0) AS "output",
      coalesce(sum((e."data"->>'cacheRead')::float8), 0) AS "cacheRead",
      coalesce(sum((e."data"->>'cacheWrite')::float8), 0) AS "cacheWrite"
    FROM "Run" JOIN "RunEvent" e ON e."runId" = "Run"."id" AND e."type" = 'usage'
    WHERE "Run"."workspaceId" = ${workspace} AND "Run"."lastEventAt" >= ${when.since} AND "Run"."queuedAt" < ${when.until}
      AND e."at" >= ${when.since} AND e."at" < ${when.until} ${project} ${people}`);
  return row ?? { costUsd: 0, input: 0, output: 0, cacheRead: 0, cacheWrite: 0 };
}
