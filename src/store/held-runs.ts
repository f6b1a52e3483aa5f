import { Prisma } from '../../prisma/client/client.ts';
import type { Tx } from './database.ts';
import { turns } from './queue-turns.ts';
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

/** Files that came with its request are still being fetched. */
const filesComing = Prisma.sql`EXISTS (
  SELECT FROM "AttachedFile"
  WHERE "AttachedFile"."runId" = "Run"."id" AND "AttachedFile"."state" = 'pending' AND "AttachedFile"."origin" IS NULL
)`;

/** Whoever gives places holds this advisory lock of PostgreSQL; any number will do. */
const placesLock = 33254263;

/**
 * Gives places to waiting runs in their turn (queue-turns.ts), as far as the runners' capacity and the concurrency of each project
 * allow, and returns them. However many processes do this at once, no limit is ever exceeded.
 */
export async function givePlaces(tx: Tx, capacity: number, now: Date): Promise<string[]> {
  await tx.db.$executeRaw(Prisma.sql`SELECT pg_advisory_xact_lock(${placesLock})`);
  const rows = await tx.db.$queryRaw<{ id: string; queuedAt: Date }[]>(Prisma.sql`
    WITH ${turns(Prisma.sql`NOT ${filesComing}`, now)}, next AS (
      SELECT turn."id" FROM turn JOIN "Project" ON "Project"."id" = turn."projectId"
      WHERE turn.share <= coalesce(("Project"."limits"->>'concurrency')::int, 1)
      ORDER BY turn.share, turn.served, turn."queuedAt", turn."id"
      LIMIT greatest(0, ${capacity}::int - (SELECT coalesce(sum(runs), 0)::int FROM busy))
    ), free AS (
      SELECT "id" FROM "Run" WHERE "id" IN (SELECT "id" FROM next) AND "state" = 'queued' AND "dispatchedAt" IS NULL
      FOR UPDATE SKIP LOCKED
    )
    UPDATE "Run" SET "dispatchedAt" = ${now} FROM free WHERE "Run"."id" = free."id" 
    RETURNING "Run"."id", "Run"."queuedAt"`);
  if (rows.length > 0) tx.notify('queue');
  rows.sort((a, b) => a.queuedAt.getTime() - b.queuedAt.getTime() || (a.id < b.id ? -1 : 1));
  return rows.map(({ id }) => id);
}

/**
 * Runs whose job may be lost: waiting with a place since before `queuedBefore`, or held by a runner and last published before
 * `heldBefore`. Marks them as published now and returns them. Publishing what is not lost changes nothing.
 */
export async function runsToRepublish(
  db: Prisma.TransactionClient,
  before: { queued: Date; held: Date },
  now: Date,
): Promise<string[]> {
  const rows = await db.$queryRaw<{ id: string }[]>(Prisma.sql`
    UPDATE "Run" SET "dispatchedAt" = ${now} WHERE "id" IN (
      SELECT "id" FROM "Run"
      WHERE ("state" = 'queued' AND "dispatchedAt" < ${before.queued})
        OR (${holdsRun} AND "dispatchedAt" < ${before.held})
      ORDER BY "dispatchedAt" LIMIT 500 FOR UPDATE SKIP LOCKED
    ) RETURNING "id"`);
  return rows.map(({ id }) => id);
}

/** Runs with a place and without a runner that were asked for before `before`. */
export async function overlookedRuns(db: Prisma.TransactionClient, before: Date): Promise<string[]> {
  const rows = await db.run.findMany({
    where: { state: 'queued', dispatchedAt: { not: null }, queuedAt: { lt: before } },
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
