import { Prisma } from '../../prisma/client/client.ts';
import { actorSchema, type RunEvent, runEventDataSchema } from '../contracts/run-event.ts';
import type { Database, Tx } from './database.ts';
import { waits } from './queue-turns.ts';
import { liveStates } from './runs.ts';

type Db = Prisma.TransactionClient;

/** Runs with events that no card shows yet: live ones and `known` ones, or (`all`) any. */
export async function runsBehind(db: Db, which: { known: readonly string[] } | 'all'): Promise<string[]> {
  const filter =
    which === 'all'
      ? Prisma.empty
      : Prisma.sql`AND ("state" IN (${Prisma.join([...liveStates])}) OR "id" = ANY(${[...which.known]}::text[]))`;
  const rows = await db.$queryRaw<{ id: string }[]>(Prisma.sql`
    SELECT "id" FROM "Run" WHERE "lastSeq" > "projectedSeq" ${filter} ORDER BY "id"`);
  return rows.map(({ id }) => id);
}

/**
 * Events of many runs, each after its own number, in order; at most `limit` of each run. A run with an event that cannot be understood, such as
 * one that a newer version has logged, is told to `onUnreadable` and left out; without that, it throws.
 */
export async function eventsAfter(
  db: Db,
  wanted: readonly { run: string; after: number }[],
  limit: number,
  onUnreadable?: (run: string, error: unknown) => void,
): Promise<Map<string, RunEvent[]>> {
  const events = new Map<string, RunEvent[]>();
  const unreadable = new Set<string>();
  if (wanted.length === 0) return events;
  const rows = await db.$queryRaw<EventRow[]>(Prisma.sql`
    SELECT e."runId", e."seq", e."at", e."actor", e."data", r."eventsRemovedAt" IS NOT NULL AS gaps
    FROM unnest(${wanted.map(({ run }) => run)}::text[], ${wanted.map(({ after }) => after)}::int[]) AS w("run", "after")
    CROSS JOIN LATERAL (
      SELECT * FROM "RunEvent" WHERE "runId" = w."run" AND "seq" > w."after" ORDER BY "seq" LIMIT ${limit}
    ) AS e
    JOIN "Run" r ON r."id" = e."runId"
    ORDER BY e."runId", e."seq"`);
  for (const row of rows) {
    const { runId } = row;
    if (unreadable.has(runId)) continue;
    try {
      const known = events.get(runId);
      if (known === undefined) events.set(runId, [toEvent(row)]);
      else known.push(toEvent(row));
    } catch (error) {
      if (onUnreadable === undefined) throw error;
      events.delete(runId);
      unreadable.add(runId);
      onUnreadable(runId, error);
    }
  }
  return events;
}

function toEvent({ runId: run, seq, at, actor, data, gaps }: EventRow): RunEvent {
  return { run, seq, at, actor: actorSchema.parse(actor), data: runEventDataSchema.parse(data), ...(gaps ? { gaps } : {}) };
}

interface EventRow {
  runId: string;
  seq: number;
  at: Date;
  actor: unknown;
  data: unknown;
  gaps: boolean;
}

/**
 * Takes the step from one event number to another, for the runs that still stand at `from`, in the transaction that puts their cards:
 * of two projectors one wins. Runs that somebody writes to just now are left out, as are those that stand elsewhere; returns the others.
 */
export async function advanceProjection(
  tx: Tx,
  steps: readonly { run: string; from: number; to: number }[],
): Promise<Set<string>> {
  const rows = await tx.db.$queryRaw<{ id: string }[]>(Prisma.sql`
    WITH step AS (
      SELECT * FROM unnest(${steps.map(({ run }) => run)}::text[], ${steps.map(({ from }) => from)}::int[],
        ${steps.map(({ to }) => to)}::int[]) AS s("run", "from", "to")
    ), locked AS (
      SELECT r."id" FROM "Run" r JOIN step ON step."run" = r."id" AND r."projectedSeq" = step."from"
      ORDER BY r."id" FOR UPDATE OF r SKIP LOCKED
    )
    UPDATE "Run" r SET "projectedSeq" = step."to" FROM step JOIN locked ON locked."id" = step."run"
    WHERE r."id" = step."run" RETURNING r."id"`);
  return new Set(rows.map(({ id }) => id));
}

/** Up to which event cards show each run, and its last event. */
export async function projectedSeqs(db: Db, runs: readonly string[]): Promise<Map<string, { projected: number; last: number }>> {
  const rows = await db.run.findMany({
    where: { id: { in: [...runs] } },
    select: { id: true, projectedSeq: true, lastSeq: true },
  });
  return new Map(rows.map(({ id, projectedSeq, lastSeq }) => [id, { projected: projectedSeq, last: lastSeq }]));
}

/** Live runs whose cards change by themselves: those that run (a clock) and those that wait in the queue (a place), oldest first. */
export async function changingRuns(
  database: Database,
): Promise<{ executing: { run: string; startedAt: Date }[]; queued: { run: string; project: string }[] }> {
  const executing = await database.db.run.findMany({
    where: { state: { in: ['executing', 'planning'] } },
    select: { id: true, startedAt: true, queuedAt: true },
    orderBy: [{ queuedAt: 'asc' }, { id: 'asc' }],
  });
  // Thousands may wait: a row for each would cost more than all else here.
  const queued = await database.db.$queryRaw<{ project: string; runs: string }[]>(Prisma.sql`
    SELECT "projectId" AS project, string_agg("id", ',' ORDER BY "queuedAt", "id") AS runs FROM "Run" WHERE ${waits}
    GROUP BY 1 ORDER BY min("queuedAt"), 1`);
  return {
    executing: executing.map(({ id, startedAt, queuedAt }) => ({ run: id, startedAt: startedAt ?? queuedAt })),
    queued: queued.flatMap(({ project, runs }) => runs.split(',').map((run) => ({ run, project }))),
  };
}
