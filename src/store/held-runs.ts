import { Prisma } from '../../prisma/client/client.ts';
import type { Tx } from './database.ts';
import type { Placed } from './places.ts';
import { type RunnerRecord, toRunner } from './runners.ts';
import { heldStates, holdsRun, liveStates } from './runs.ts';

const held = { state: { in: [...heldStates] }, runnerId: { not: null } };

/** Gives a run that is held by somebody else (dead by now) to this runner. */
export async function takeOver(tx: Tx, run: string, runner: string): Promise<void> {
  await tx.db.run.updateMany({ where: { id: run, ...held }, data: { runnerId: runner } });
}

/** Notes for which kind of sandbox the command is authorised; `executing` asks for the same. */
export async function noteAuthorised(tx: Tx, run: string, runner: string, kind: string): Promise<void> {
  await tx.db.run.updateMany({ where: { id: run, state: 'preparing', runnerId: runner }, data: { sandboxKind: kind } });
}

/** Whether a person wants the run stopped and who holds it, for many runs at once. Runs that do not exist are left out. */
export async function watchedRuns(
  db: Prisma.TransactionClient,
  runs: readonly string[],
): Promise<{ id: string; stop: boolean; runner: string | null; held: boolean }[]> {
  const rows = await db.run.findMany({
    where: { id: { in: [...runs] } },
    select: { id: true, state: true, runnerId: true, stopRequestedAt: true },
  });
  return rows.map(({ id, state, runnerId, stopRequestedAt }) => ({
    id,
    stop: stopRequestedAt !== null,
    runner: runnerId,
    held: runnerId !== null && heldStates.some((known) => known === state),
  }));
}

/** Runs of this host that a runner other than `runner` has left in the middle. */
export async function unfinishedRuns(tx: Tx, host: string, runner: string): Promise<string[]> {
  const rows = await tx.db.run.findMany({
    where: { hostId: host, state: { in: [...heldStates] }, runnerId: { not: runner } },
    select: { id: true },
    orderBy: { id: 'asc' },
  });
  return rows.map(({ id }) => id);
}

/** Runs that were last on this host, or on any, and are not over. */
export async function liveRunsOfHost(db: Prisma.TransactionClient, host: string | undefined): Promise<string[]> {
  const rows = await db.run.findMany({
    where: { hostId: host ?? { not: null }, state: { in: [...liveStates] } },
    select: { id: true },
  });
  return rows.map(({ id }) => id);
}

/**
 * Runs whose job may be lost: waiting with a place since before `queuedBefore`, or held by a runner and last published before
 * `heldBefore`. Marks them as published now and returns them with the host they are on. Publishing what is not lost changes nothing.
 */
export async function runsToRepublish(
  db: Prisma.TransactionClient,
  before: { queued: Date; held: Date },
  now: Date,
): Promise<Placed[]> {
  return db.$queryRaw<Placed[]>(Prisma.sql`
    UPDATE "Run" SET "dispatchedAt" = ${now} WHERE "id" IN (
      SELECT "id" FROM "Run"
      WHERE ("state" = 'queued' AND "placedOn" IS NOT NULL AND "dispatchedAt" < ${before.queued})
        OR (${holdsRun} AND "hostId" IS NOT NULL AND "dispatchedAt" < ${before.held})
      ORDER BY "dispatchedAt" LIMIT 500 FOR UPDATE SKIP LOCKED
    ) RETURNING "id" AS run, CASE WHEN "state" = 'queued' THEN "placedOn" ELSE "hostId" END AS host`);
}

/** Runs with a place on the host of this runner and without a runner that were asked for before `before`. */
export async function overlookedRuns(db: Prisma.TransactionClient, runner: string, before: Date): Promise<string[]> {
  const row = await db.runner.findUnique({
    where: { id: runner },
    select: { hostId: true, drainingAt: true, drainAskedAt: true },
  });
  if (row === null || (row.drainingAt ?? row.drainAskedAt) !== null) return [];
  const rows = await db.run.findMany({
    where: { state: 'queued', dispatchedAt: { not: null }, placedOn: row.hostId, queuedAt: { lt: before } },
    select: { id: true },
    orderBy: [{ queuedAt: 'asc' }, { id: 'asc' }],
    take: 100,
  });
  return rows.map(({ id }) => id);
}

/** Runs that a runner holds, each with the runners of its host. */
export async function heldRuns(
  db: Prisma.TransactionClient,
): Promise<{ id: string; task: string; runner: string | null; hostRunners: RunnerRecord[] }[]> {
  const runs = await db.run.findMany({
    where: held,
    select: { id: true, taskId: true, runnerId: true, hostId: true },
  });
  const hosts = [...new Set(runs.flatMap(({ hostId }) => hostId ?? []))];
  const runners = (await db.runner.findMany({ where: { hostId: { in: hosts } } })).map(toRunner);
  return runs.map(({ id, taskId, runnerId, hostId }) => ({
    id,
    task: taskId,
    runner: runnerId,
    hostRunners: runners.filter(({ host }) => host === hostId),
  }));
}

/** Runs without an event since `before` about which the watchdog has said nothing since their last event. */
export async function quietRuns(
  db: Prisma.TransactionClient,
  before: Date,
): Promise<{ id: string; state: string; agent: boolean; lastEventAt: Date }[]> {
  return db.$queryRaw(Prisma.sql`
    SELECT "id", "state", "agent" IS NOT NULL AS "agent", "lastEventAt" FROM "Run"
    WHERE "state" IN ('queued', 'preparing', 'planning', 'executing', 'finishing') AND "lastEventAt" < ${before}
      AND ("quietNotedAt" IS NULL OR "quietNotedAt" < "lastEventAt")
    ORDER BY "lastEventAt" LIMIT 100`);
}

/** Notes that the watchdog speaks about this quiet; true for the one who is first. */
export async function noteQuiet(tx: Tx, run: string, lastEventAt: Date, now: Date): Promise<boolean> {
  const { count } = await tx.db.run.updateMany({
    where: { id: run, lastEventAt, OR: [{ quietNotedAt: null }, { quietNotedAt: { lt: lastEventAt } }] },
    data: { quietNotedAt: now },
  });
  return count === 1;
}
