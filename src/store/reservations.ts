import { Prisma } from '../../prisma/client/client.ts';
import type { Tx } from './database.ts';
import { holdsRun, type RunRecord } from './runs.ts';

/** A request that was never settled, whatever became of it, holds money back no longer than this. Milliseconds. */
export const reservedMs = 60 * 60_000;

/**
 * Sets aside what a request costs at most, when the budget of the task allows it: so much is left beside what is spent and set aside for
 * others, or it is the only one under way and anything is left. One statement; the caller holds the lock of the task. Again for the same
 * request: true while it is set aside. Only for a task with a budget.
 */
export async function reserve(
  tx: Tx,
  { id: run, task, workspace, runner, life }: Pick<RunRecord, 'id' | 'task' | 'workspace' | 'runner' | 'life'>,
  { request, usd }: { request: string; usd: number },
  at: Date,
): Promise<boolean> {
  const expiresAt = new Date(at.getTime() + reservedMs);
  const made = await tx.db.$executeRaw(Prisma.sql`
    WITH over AS (
      DELETE FROM "Reservation" WHERE "taskId" = ${task} AND "expiresAt" <= ${at}
    ), others AS (
      SELECT count(*) AS many, coalesce(sum("Reservation"."usd"), 0) AS usd
      FROM "Reservation" JOIN "Run" ON "Run"."id" = "Reservation"."runId"
      WHERE "Reservation"."taskId" = ${task} AND "Reservation"."expiresAt" > ${at} AND ${holdsRun}
        AND "Run"."runnerId" = "Reservation"."runnerId" AND "Run"."life" = "Reservation"."life"
        AND ("Reservation"."runId", "Reservation"."request") <> (${run}, ${request})
    )
    INSERT INTO "Reservation" ("runId", "request", "workspaceId", "taskId", "runnerId", "life", "usd", "expiresAt")
    SELECT ${run}, ${request}, ${workspace}, ${task}, ${runner}, ${life}, ${usd}, ${expiresAt}
    FROM "Task", others
    WHERE "Task"."id" = ${task} AND "Task"."spentUsd" < "Task"."budgetUsd"
      AND (others.many = 0 OR "Task"."spentUsd" + others.usd + ${usd} <= "Task"."budgetUsd")
    ON CONFLICT ("runId", "request") DO UPDATE
      SET "usd" = excluded."usd", "life" = excluded."life", "runnerId" = excluded."runnerId", "expiresAt" = excluded."expiresAt"`);
  return made === 1;
}

/** The request was not answered: nothing is set aside for it any more. Idempotent. */
export async function releaseReservation(db: Prisma.TransactionClient, run: string, request: string): Promise<void> {
  await db.reservation.deleteMany({ where: { runId: run, request } });
}

/** The run is over. */
export async function forgetReservations(tx: Tx, run: string): Promise<void> {
  await tx.db.reservation.deleteMany({ where: { runId: run } });
}
