import { Prisma } from '../../prisma/client/client.ts';
import { deadAfterMs } from './runners.ts';
import { holdsPlace } from './runs.ts';
import { storeOfRunner } from './task-store.ts';

/** A living runner as places are given on it. */
export interface RunnerRoom {
  host: string;
  /** What it is: contracts/labels.ts `labelList`. */
  labels: string;
  /** The disk that has its mirrors. */
  store: string;
  /** Runs that it takes at once, and how many of these places are free. Both 0 while it drains. */
  capacity: number;
  free: number;
}

const notDraining = Prisma.sql`"drainingAt" IS NULL AND "drainAskedAt" IS NULL`;

/** A row of "Runner" is alive and takes what comes. */
export function takesRuns(now: Date): Prisma.Sql {
  return Prisma.sql`("capacity" > 0 AND ${notDraining} AND "beatAt" > ${new Date(now.getTime() - deadAfterMs)})`;
}

/** The runners that are alive, one for each host. */
export async function runnerRooms(db: Prisma.TransactionClient, now: Date): Promise<RunnerRoom[]> {
  const alive = new Date(now.getTime() - deadAfterMs);
  const rows = await db.$queryRaw<
    { host: string; labels: string; store: string; capacity: number; draining: boolean; busy: number }[]
  >(Prisma.sql`
    WITH busy AS (
      SELECT CASE WHEN "state" = 'queued' THEN "placedOn" ELSE "hostId" END AS host, count(*)::int AS runs
      FROM "Run" WHERE ${holdsPlace} GROUP BY 1
    )
    SELECT "Runner"."hostId" AS host, "labels", ${storeOfRunner} AS store, "capacity", NOT (${notDraining}) AS draining, coalesce(busy.runs, 0) AS busy
    FROM "Runner" LEFT JOIN busy ON busy.host = "Runner"."hostId"
    WHERE "capacity" > 0 AND "beatAt" > ${alive} ORDER BY 1`);
  return rows.map(({ draining, busy, capacity, ...room }) =>
    draining ? { ...room, capacity: 0, free: 0 } : { ...room, capacity, free: Math.max(0, capacity - busy) },
  );
}
