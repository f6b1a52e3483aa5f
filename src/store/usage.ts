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

/** What usage can be told apart by. */
export const usageParts = ['project', 'person', 'channel', 'agent', 'model'] as const;
export type UsagePart = (typeof usageParts)[number];

/** Which usage is meant. Days are `2026-11-22`, in UTC, both included; lists hold ids, and an empty one means nothing. */
export interface UsageWhich {
  workspace: string;
  since: string;
  until: string;
  projects?: readonly string[] | undefined;
  people?: readonly string[] | undefined;
  channel?: string | undefined;
  agent?: string | undefined;
  model?: string | undefined;
}

/** A day's usage of what the parts name. */
export interface UsageRow extends Spent {
  day: string;
  /** By part: what tells it apart, and what people call it; null: it has no name. */
  parts: Partial<Record<UsagePart, { id: string; name: string | null }>>;
  requests: number;
  /** Of them, those that are not in the cost. */
  unpriced: number;
}

/** Linked accounts are one person, as they are now. Not everybody who may see what was used may know what a private channel is called. */
const columns: Readonly<Record<UsagePart, { id: Prisma.Sql; name: Prisma.Sql }>> = {
  project: { id: Prisma.sql`d."projectId"`, name: Prisma.sql`max(p."name")` },
  person: { id: Prisma.sql`coalesce(u."linkedToId", u."id")`, name: Prisma.sql`max(coalesce(l."name", u."name"))` },
  channel: {
    id: Prisma.sql`d."channelId"`,
    name: Prisma.sql`max(CASE WHEN c."kind" = 'direct' THEN 'direct messages' WHEN c."isPrivate" THEN 'a private channel' WHEN c."name" <> '' THEN '#' || c."name" END)`,
  },
  agent: { id: Prisma.sql`d."agent"`, name: Prisma.sql`max(d."agent")` },
  model: { id: Prisma.sql`d."model"`, name: Prisma.sql`max(d."model")` },
};

/**
 * What was used, day by day, told apart by these parts; days without any are left out. In the order of days, then of cost and tokens, the most
 * first. `most`: no more rows than this.
 */
export async function usageByDay(
  db: Prisma.TransactionClient,
  which: UsageWhich,
  parts: readonly UsagePart[],
  most?: number,
): Promise<UsageRow[]> {
  const ids = parts.map((part, at) => Prisma.sql`, ${columns[part].id} AS ${Prisma.raw(`"id${at}"`)}`);
  const names = parts.map((part, at) => Prisma.sql`, ${columns[part].name} AS ${Prisma.raw(`"name${at}"`)}`);
  const groups = parts.map((_, at) => Prisma.raw(`, "id${at}"`));
  const joined = (list: readonly Prisma.Sql[]) => (list.length === 0 ? Prisma.empty : Prisma.join([...list], ''));
  const rows = await db.$queryRaw<Record<string, unknown>[]>(Prisma.sql`
    SELECT to_char(d."day", 'YYYY-MM-DD') AS "on", sum(d."requests")::float8 AS requests, sum(d."unpriced")::float8 AS unpriced,
      sum(d."input")::float8 AS input, sum(d."output")::float8 AS output, sum(d."cacheRead")::float8 AS "cacheRead",
      sum(d."cacheWrite")::float8 AS "cacheWrite", sum(d."costUsd")::float8 AS "costUsd"${joined(ids)}${joined(names)}
    FROM "UsageDay" d
      LEFT JOIN "Project" p ON p."id" = d."projectId" LEFT JOIN "Channel" c ON c."id" = d."channelId"
      LEFT JOIN "User" u ON u."id" = d."userId" LEFT JOIN "User" l ON l."id" = u."linkedToId"
    WHERE d."workspaceId" = ${which.workspace} AND d."day" BETWEEN ${which.since}::date AND ${which.until}::date ${narrowed(which)}
    GROUP BY "on"${joined(groups)}
    ORDER BY "on", sum(d."costUsd") DESC, sum(d."input" + d."output") DESC${joined(groups)}
    ${most === undefined ? Prisma.empty : Prisma.sql`LIMIT ${most}`}`);
  return rows.map((row) => ({
    day: String(row.on),
    parts: Object.fromEntries(
      parts.map((part, at) => [part, { id: String(row[`id${at}`]), name: textOf(row[`name${at}`]) }]),
    ) as UsageRow['parts'],
    requests: Number(row.requests),
    unpriced: Number(row.unpriced),
    input: Number(row.input),
    output: Number(row.output),
    cacheRead: Number(row.cacheRead),
    cacheWrite: Number(row.cacheWrite),
    costUsd: Number(row.costUsd),
  }));
}

function narrowed({ projects, people, channel, agent, model }: UsageWhich): Prisma.Sql {
  return Prisma.sql`${projects === undefined ? Prisma.empty : Prisma.sql`AND d."projectId" = ANY(${[...projects]}::text[])`}
    ${people === undefined ? Prisma.empty : Prisma.sql`AND d."userId" = ANY(${[...people]}::text[])`}
    ${channel === undefined ? Prisma.empty : Prisma.sql`AND d."channelId" = ${channel}`}
    ${agent === undefined ? Prisma.empty : Prisma.sql`AND d."agent" = ${agent}`}
    ${model === undefined ? Prisma.empty : Prisma.sql`AND d."model" = ${model}`}`;
}

function textOf(value: unknown): string | null {
  return typeof value === 'string' && value !== '' ? value : null;
}
