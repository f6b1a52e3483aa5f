import { Prisma } from '../../prisma/client/client.ts';
import { fits, missingLabels } from '../contracts/labels.ts';
import { concurrentQuotas, quotasAbout } from './concurrent-quotas.ts';
import { hasNeed, suits, waitingNeeds } from './places.ts';
import { allWaiting, concurrency, turns, waitsForNoQuota } from './queue-turns.ts';
import { runnerRooms } from './runner-rooms.ts';
import { holdsPlace } from './runs.ts';

/**
 * What a run waits for: nothing, other runs of its project, other runs of all projects, a quota, a runner, one with the labels it needs, or the one that
 * has what its task has left.
 */
export type WaitsFor = 'nothing' | 'project' | 'runners' | 'quota' | 'no_runner' | 'labels' | 'left';

/** Where a waiting run stands. */
export interface QueuePlace {
  /** 1 is next; 0: it is its turn, a runner takes it any moment. */
  place: number;
  /** About how long until it starts, in milliseconds; null when nothing is known to reckon with. */
  estimateMs: number | null;
  waitsFor: WaitsFor;
  /** With `quota`: until when; absent: until fewer runs go on. */
  until?: Date | undefined;
  /** With `labels`: those that no runner has, or has together. */
  missing?: readonly string[] | undefined;
}

/** The place of a run in the queue, or null when it does not wait in it. */
export async function queuePlace(db: Prisma.TransactionClient, run: string, now: Date): Promise<QueuePlace | null> {
  const rooms = await runnerRooms(db, now);
  const taking = rooms.filter(({ capacity }) => capacity > 0);
  // What no runner fits keeps nobody waiting. Without any runner all wait in one row.
  const needs = await waitingNeeds(db, now);
  const counts = hasNeed(needs, (need) => taking.length === 0 || taking.some((room) => suits(need, room)));
  const [row] = await db.$queryRaw<
    {
      dispatched: boolean;
      notBefore: Date | null;
      runsOn: string;
      store: string;
      host: string | null;
      concurrency: number;
      busy: number;
      projectBusy: number;
      ahead: number;
      projectAhead: number;
      mean: number | null;
    }[]
  >(Prisma.sql`
    WITH this AS (SELECT "Run".*, ${needs.bound} AS store FROM "Run" WHERE "id" = ${run} AND "state" = 'queued'),
    ${turns(allWaiting(Prisma.sql`((${counts.which} AND ${waitsForNoQuota(now)}) OR "Run"."id" = ${run})`), now)}, held AS (
      SELECT count(*)::int AS "all", count(*) FILTER (WHERE "Run"."projectId" = this."projectId")::int AS project
      FROM "Run", this WHERE ${holdsPlace}
    ), ahead AS (
      SELECT count(*)::int AS "all", count(*) FILTER (WHERE turn."projectId" = own."projectId")::int AS project
      FROM turn, turn AS own
      WHERE own."id" = ${run} AND (turn.share, turn.served, turn."queuedAt", turn."id")
          < (own.share, own.served, own."queuedAt", own."id")
    )
    SELECT this."dispatchedAt" IS NOT NULL AS dispatched, this."notBefore", this."runsOn", this.store, this."placedOn" AS host,
      ${concurrency} AS concurrency,
      held."all" AS busy, held.project AS "projectBusy", ahead."all" AS ahead, ahead.project AS "projectAhead",
      coalesce(
        (${meanMs(Prisma.sql`"Run"."projectId" = this."projectId"`)}),
        (${meanMs(Prisma.sql`"Run"."workspaceId" = this."workspaceId"`)})
      ) AS mean
    FROM this JOIN "Project" ON "Project"."id" = this."projectId", held, ahead`);
  if (row === undefined) return null;
  if (row.notBefore !== null && row.notBefore > now) {
    return { place: row.ahead + 1, estimateMs: row.notBefore.getTime() - now.getTime(), waitsFor: 'quota', until: row.notBefore };
  }
  // The runner that it has its place on may be gone.
  const placed = row.dispatched && taking.some(({ host }) => host === row.host);
  if (placed) return { place: 0, estimateMs: 0, waitsFor: 'nothing' };
  if (await isHeldBack(db, run)) return { place: row.ahead + 1, estimateMs: null, waitsFor: 'quota' };
  if (taking.length === 0) return { place: row.ahead + 1, estimateMs: null, waitsFor: 'no_runner' };
  const fitting = taking.filter(({ labels }) => fits(row.runsOn, labels));
  if (fitting.length === 0) {
    const missing = missingLabels(
      row.runsOn,
      taking.map(({ labels }) => labels),
    );
    return { place: row.ahead + 1, estimateMs: null, waitsFor: 'labels', missing };
  }
  const capacity = fitting.filter((room) => suits(row, room)).reduce((sum, room) => sum + room.capacity, 0);
  if (capacity === 0) return { place: row.ahead + 1, estimateMs: null, waitsFor: 'left' };
  const byProject = row.projectBusy + row.projectAhead >= row.concurrency;
  const place = (byProject ? row.projectAhead : row.ahead) + 1;
  const slots = byProject ? Math.min(row.concurrency, capacity) : capacity;
  const estimateMs = row.mean === null ? null : Math.round((row.mean * place) / slots);
  return { place, estimateMs, waitsFor: byProject ? 'project' : 'runners' };
}

/** A quota lets no more runs like this go on at the same time. */
async function isHeldBack(db: Prisma.TransactionClient, run: string): Promise<boolean> {
  const quotas = await concurrentQuotas(db);
  const about = (await quotasAbout(db, [run], quotas)).get(run) ?? [];
  return about.some(({ busy, limit }) => busy >= limit);
}

/** Mean time from start to end of the last 20 runs. */
function meanMs(which: Prisma.Sql): Prisma.Sql {
  return Prisma.sql`
    SELECT avg(extract(epoch FROM "endedAt" - "startedAt") * 1000)::float8 FROM (
      SELECT "startedAt", "endedAt" FROM "Run"
      WHERE ${which} AND "startedAt" IS NOT NULL AND "endedAt" IS NOT NULL
      ORDER BY "endedAt" DESC LIMIT 20
    ) AS ended`;
}
