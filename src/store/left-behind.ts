import { Prisma } from '../../prisma/client/client.ts';
import { livePublication } from '../contracts/publication.ts';
import type { Tx } from './database.ts';
import { liveStates } from './runs.ts';

/** A task that may have left something on a disk, with those that were forked from it. */
export interface LeftTaskRow {
  task: string;
  workspace: string;
  /** It, or a fork of it, has a live run, a live publication, a pending interaction or an open pull request. */
  needed: boolean;
  /** A run of it has left a commit. */
  changed: boolean;
  merged: boolean;
  discarded: boolean;
  /** Its commits are noted as removed. */
  removed: boolean;
  /** When something last happened in it, or in a fork of it. */
  lastAt: Date;
}

/** These tasks and all that were forked from them, however often. */
const family = (tasks: readonly string[]) => Prisma.sql`
  WITH RECURSIVE family AS (
    SELECT "id" AS task, "id" AS member FROM "Task" WHERE "id" = ANY(${[...tasks]}::text[])
    UNION
    SELECT family.task, fork."id" FROM family JOIN "Task" fork ON fork."forkedFromId" = family.member
  )`;

/** What is known about these tasks; one that does not exist is left out. */
export async function leftTasks(db: Tx['db'], tasks: readonly string[]): Promise<Map<string, LeftTaskRow>> {
  if (tasks.length === 0) return new Map();
  const rows = await db.$queryRaw<LeftTaskRow[]>(Prisma.sql`
    ${family(tasks)}, member AS (
      SELECT t."id",
        EXISTS (SELECT FROM "Run" r WHERE r."taskId" = t."id" AND r."state" IN (${Prisma.join([...liveStates])}))
          OR EXISTS (SELECT FROM "Publication" p WHERE p."taskId" = t."id" AND p."state" IN (${Prisma.join([...livePublication])}))
          OR EXISTS (SELECT FROM "Interaction" i WHERE i."taskId" = t."id" AND i."state" = 'pending')
          OR EXISTS (SELECT FROM "PullRequest" q WHERE q."taskId" = t."id" AND q."state" = 'open') AS needed,
        GREATEST(t."updatedAt",
          (SELECT max(GREATEST(r."queuedAt", r."endedAt")) FROM "Run" r WHERE r."taskId" = t."id"),
          (SELECT max(GREATEST(p."createdAt", p."endedAt")) FROM "Publication" p WHERE p."taskId" = t."id"),
          (SELECT max(q."updatedAt") FROM "PullRequest" q WHERE q."taskId" = t."id")) AS at
      FROM "Task" t WHERE t."id" IN (SELECT member FROM family)
    )
    SELECT t."id" AS task, t."workspaceId" AS workspace, all_of.needed, all_of."lastAt",
      t."commitsRemovedAt" IS NOT NULL AS removed,
      EXISTS (SELECT FROM "Run" r WHERE r."taskId" = t."id" AND r."result"->>'commit' IS NOT NULL) AS changed,
      COALESCE(t."baseStand"->>'state' = 'merged' AND t."baseStand"->>'head' = t."head", false)
        OR (
          EXISTS (SELECT FROM "PullRequest" q WHERE q."taskId" = t."id" AND q."state" = 'merged')
          AND EXISTS (
            SELECT FROM "Publication" p WHERE p."taskId" = t."id" AND p."commit" = t."head" AND p."pushedAt" IS NOT NULL
          )
        ) AS merged,
      t."column" = 'cancelled' AND EXISTS (
        SELECT FROM "RunEvent" e JOIN "Run" r ON r."id" = e."runId" WHERE r."taskId" = t."id" AND e."type" = 'discarded'
      ) AS discarded
    FROM "Task" t JOIN (
      SELECT family.task, bool_or(member.needed) AS needed, max(member.at) AS "lastAt"
      FROM family JOIN member ON member."id" = family.member GROUP BY family.task
    ) AS all_of ON all_of.task = t."id"`);
  return new Map(rows.map((row) => [row.task, row]));
}

/** Holds the row of a task and of all that were forked from it, always in the same order. */
export async function lockFamily(tx: Tx, task: string): Promise<void> {
  const members = await tx.db.$queryRaw<{ member: string }[]>(Prisma.sql`${family([task])} SELECT member FROM family`);
  const ids = members.map(({ member }) => member);
  await tx.db.$queryRaw(Prisma.sql`
    SELECT "id" FROM "Task" WHERE "id" = ANY(${ids}::text[]) ORDER BY "id" FOR NO KEY UPDATE`);
}

/** The task of each of these runs, how much its files take, and whether they are noted as removed. */
export async function leftRuns(
  db: Tx['db'],
  runs: readonly string[],
): Promise<Map<string, { task: string; bytes: number; removed: boolean }>> {
  const rows = await db.$queryRaw<{ run: string; task: string; bytes: bigint; removed: boolean }[]>(Prisma.sql`
    SELECT r."id" AS run, r."taskId" AS task, COALESCE(sum(a."bytes") FILTER (WHERE a."removedAt" IS NULL), 0)::bigint AS bytes,
      COALESCE(bool_and(a."removedAt" IS NOT NULL), false) AS removed
    FROM "Run" r LEFT JOIN "Artifact" a ON a."runId" = r."id" WHERE r."id" = ANY(${[...runs]}::text[]) GROUP BY r."id"`);
  return new Map(rows.map(({ run, bytes, ...row }) => [run, { ...row, bytes: Number(bytes) }]));
}

/** Notes that the files of a run are removed. A conversation that went on from one of them begins anew, in forks too. */
export async function noteFilesRemoved(tx: Tx, run: string, at: Date): Promise<void> {
  const rows = await tx.db.artifact.findMany({ where: { runId: run, removedAt: null }, select: { id: true } });
  const ids = rows.map(({ id }) => id);
  await tx.db.artifact.updateMany({ where: { id: { in: ids } }, data: { removedAt: at } });
  await tx.db.$executeRaw(Prisma.sql`
    UPDATE "Task" SET "session" = NULL WHERE "session"->>'artifact' = ANY(${ids}::text[])`);
}

/** Notes that the commits of a task are removed, when it has any. */
export async function noteCommitsRemoved(tx: Tx, task: string, at: Date): Promise<void> {
  await tx.db.$executeRaw(Prisma.sql`
    UPDATE "Task" t SET "commitsRemovedAt" = ${at} WHERE t."id" = ${task} AND t."commitsRemovedAt" IS NULL AND (
      t."head" IS NOT NULL OR EXISTS (SELECT FROM "Run" r WHERE r."taskId" = t."id" AND r."result"->>'commit' IS NOT NULL)
    )`);
}

/**
 * How long the commits of a task were kept after its last run, when they are not any more; undefined: they are. A fork that has not begun yet
 * has none but those of the task it was forked from, whose number is told then.
 */
export async function commitsRemoved(tx: Tx, task: string): Promise<{ number: number; keptMs: number } | undefined> {
  const rows = await tx.db.$queryRaw<{ number: number; removedAt: Date; lastAt: Date }[]>(Prisma.sql`
    SELECT t."number", t."commitsRemovedAt" AS "removedAt", COALESCE(
      (SELECT max(r."endedAt") FROM "Run" r WHERE r."taskId" = t."id"), t."createdAt") AS "lastAt"
    FROM "Task" own JOIN "Task" t ON t."id" = own."id" OR (
      t."id" = own."forkedFromId" AND own."head" IS NOT NULL
      AND NOT EXISTS (SELECT FROM "Run" r WHERE r."taskId" = own."id" AND r."startedAt" IS NOT NULL)
    )
    WHERE own."id" = ${task} AND t."commitsRemovedAt" IS NOT NULL LIMIT 1`);
  const [found] = rows;
  return found === undefined ? undefined : { number: found.number, keptMs: found.removedAt.getTime() - found.lastAt.getTime() };
}
