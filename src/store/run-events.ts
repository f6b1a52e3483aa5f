import { Prisma } from '../../prisma/client/client.ts';
import type { Actor, OutputCursor, RunEventData } from '../contracts/run-event.ts';
import { type Database, type Tx, wakeChannel } from './database.ts';
import { storableJson } from './storable.ts';

export interface Append {
  run: string;
  actor: Actor;
  events: readonly RunEventData[];
  at: Date;
}

/** Appends events to a run in whatever state. Returns false when there is no such run. */
export async function appendEvents(tx: Tx, append: Append): Promise<boolean> {
  const { run, events, at } = append;
  const rows = await insert(tx.db, append, {
    numbered: Prisma.sql`
      UPDATE "Run" SET "lastSeq" = "lastSeq" + ${events.length}, "lastEventAt" = ${at} WHERE "id" = ${run} RETURNING "lastSeq"`,
    select: Prisma.sql`"lastSeq"`,
  });
  tx.notify('run', run);
  return rows > 0;
}

/**
 * Appends what a runner reports, with the output cursor, while that runner holds the run; one statement that also wakes the readers.
 * Returns false when it does not hold it.
 */
export async function appendHeld(
  { db, announce }: Pick<Database, 'db' | 'announce'>,
  append: Append,
  runner: string,
  cursor: OutputCursor | undefined,
): Promise<boolean> {
  const { run, events, at } = append;
  const moved =
    cursor === undefined ? Prisma.empty : Prisma.sql`, "stdoutBytes" = ${cursor.stdout}, "stderrBytes" = ${cursor.stderr}`;
  const wake = `run:${run}`;
  const rows = await insert(db, append, {
    numbered: Prisma.sql`
      UPDATE "Run" SET "lastSeq" = "lastSeq" + ${events.length}, "lastEventAt" = ${at} ${moved}
      WHERE "id" = ${run} AND "runnerId" = ${runner} AND "state" IN ('preparing', 'planning', 'awaiting', 'executing', 'finishing')
      RETURNING "lastSeq"`,
    select: announce === undefined ? Prisma.sql`pg_notify(${wakeChannel}, ${wake})::text` : Prisma.sql`${wake}::text`,
  });
  if (rows > 0) announce?.([wake]);
  return rows > 0;
}

/** Inserts the events whose numbers a guarded update of the run has just reserved; `last` is the number of the last one. */
export async function insertNumbered(tx: Tx, append: Append, last: number): Promise<void> {
  await insert(tx.db, append, {
    numbered: Prisma.sql`SELECT ${last}::int AS "lastSeq"`,
    select: Prisma.sql`"lastSeq"`,
  });
  tx.notify('run', append.run);
}

/** The row of the run stays locked by `numbered` until the commit, so numbers follow the order of commits, without gaps. */
async function insert(
  db: Prisma.TransactionClient,
  { run, actor, events, at }: Append,
  { numbered, select }: { numbered: Prisma.Sql; select: Prisma.Sql },
): Promise<number> {
  const rows = await db.$queryRaw<unknown[]>(Prisma.sql`
    WITH numbered AS (${numbered}), inserted AS (
      INSERT INTO "RunEvent" ("runId", "seq", "type", "at", "actor", "data")
      SELECT ${run}, numbered."lastSeq" - ${events.length} + list.place, list.data->>'type', ${at}, ${storableJson(actor)}::jsonb, list.data
      FROM numbered, jsonb_array_elements(${storableJson(events)}::jsonb) WITH ORDINALITY AS list(data, place)
    )
    SELECT ${select} AS done FROM numbered`);
  return rows.length;
}

export async function hasEvent(tx: Tx, run: string, type: RunEventData['type']): Promise<boolean> {
  return (await tx.db.runEvent.findFirst({ where: { runId: run, type }, select: { seq: true } })) !== null;
}
