import { Prisma } from '../../prisma/client/client.ts';
import type { Tx } from './database.ts';

/**
 * Which disk has what a task has left: its commits in a mirror, and what continues its agent's conversation. Runners of several hosts share it,
 * or each has its own; a run that builds upon what is left goes to a runner that has it.
 */

/**
 * How long a run waits for a runner that has what its task left, after the last of them was heard or somebody asked for it to be drained. Then
 * any runner that fits takes it, and fetches what it can from the repository.
 */
export const storeWaitMs = 10 * 60_000;

/** The disk of a row of "Runner": a program of an earlier version says only which host it is. */
export const storeOfRunner = Prisma.sql`coalesce(nullif("Runner"."store", ''), "Runner"."hostId")`;

const storeOfHost = (host: Prisma.Sql) => Prisma.sql`(
  SELECT ${storeOfRunner} FROM "Runner" WHERE "Runner"."hostId" = ${host} ORDER BY "Runner"."startedAt" DESC LIMIT 1
)`;

/** For a row of "Run": the disk with what it builds upon; null where nothing is left, or nobody knows where. */
const leftIn = Prisma.sql`(
  SELECT CASE WHEN "Run"."variant" IS NULL
    THEN CASE WHEN "Task"."head" IS NOT NULL OR "Task"."session" IS NOT NULL THEN "Task"."store" END
    ELSE CASE WHEN "Run"."head" IS NOT NULL OR "Run"."session" IS NOT NULL THEN ${storeOfHost(Prisma.sql`"Run"."hostId"`)} END
  END FROM "Task" WHERE "Task"."id" = "Run"."taskId"
)`;

/** For a row of "Run" and the disks that are waited for: the one that it waits for, '' for none. */
export function boundTo(waitedFor: readonly string[]): Prisma.Sql {
  if (waitedFor.length === 0) return Prisma.sql`''`;
  return Prisma.sql`coalesce((SELECT store FROM (SELECT ${leftIn} AS store) AS known WHERE store IN (${Prisma.join(waitedFor)})), '')`;
}

/** Disks that some runner has, or is likely to have again soon. */
export async function storesWaitedFor(db: Prisma.TransactionClient, now: Date): Promise<string[]> {
  const since = new Date(now.getTime() - storeWaitMs);
  const rows = await db.$queryRaw<{ store: string }[]>(Prisma.sql`
    SELECT DISTINCT ${storeOfRunner} AS store FROM "Runner"
    WHERE "beatAt" > ${since} AND ("drainAskedAt" IS NULL OR "drainAskedAt" > ${since})`);
  return rows.map(({ store }) => store);
}

/** What the task goes on from is where this run was. */
export async function noteStore(tx: Tx, task: string, run: string): Promise<void> {
  await tx.db.$executeRaw(Prisma.sql`
    UPDATE "Task" SET "store" = ${storeOfHost(Prisma.sql`"Run"."hostId"`)} FROM "Run" WHERE "Run"."id" = ${run} AND "Task"."id" = ${task}`);
}

/** A fork begins where what it was forked from is. */
export async function copyStore(tx: Tx, task: string, from: string): Promise<void> {
  await tx.db.$executeRaw(Prisma.sql`
    UPDATE "Task" SET "store" = source."store" FROM "Task" AS source WHERE "Task"."id" = ${task} AND source."id" = ${from}`);
}
