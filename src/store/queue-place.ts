import { Prisma } from '../../prisma/client/client.ts';
import { fits, missingLabels } from '../contracts/labels.ts';
import { concurrentQuotas, quotasAbout } from './concurrent-quotas.ts';
import { hasNeed, type Needs, suits, waitingNeeds } from './places.ts';
import { type Line, type Nth, runsAhead, type Waiting } from './queue-ahead.ts';
import { concurrency, shares, waits, waitsForNoQuota } from './queue-turns.ts';
import { type RunnerRoom, runnerRooms } from './runner-rooms.ts';
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
  return await lookAtQueue(db, now)(run);
}

/** The places of several runs in the queue as it is at one moment: what all of them share is read once, and not before the first is asked for. */
export function lookAtQueue(db: Prisma.TransactionClient, now: Date): (run: string) => Promise<QueuePlace | null> {
  let known: Promise<Queue> | undefined;
  return async (run) => {
    known ??= readQueue(db, now);
    return await placeIn(db, await known, run, now);
  };
}

interface Queue {
  /** Runners that take runs. */
  taking: RunnerRoom[];
  needs: Needs;
  /** A row of "Run" that waits keeps others waiting. */
  counts: Prisma.Sql;
  lines: readonly Line[];
}

async function readQueue(db: Prisma.TransactionClient, now: Date): Promise<Queue> {
  const taking = (await runnerRooms(db, now)).filter(({ capacity }) => capacity > 0);
  // What no runner fits keeps nobody waiting. Without any runner all wait in one row.
  const needs = await waitingNeeds(db, now);
  const { which } = hasNeed(needs, (need) => taking.length === 0 || taking.some((room) => suits(need, room)));
  const counts = Prisma.sql`(${which} AND ${waitsForNoQuota(now)})`;
  const from = Prisma.sql`
    SELECT "projectId", "requestedById", count(*) FILTER (WHERE ${counts})::int AS runs FROM "Run" WHERE ${waits} GROUP BY 1, 2`;
  const rows = await db.$queryRaw<(Omit<Line, 'served' | 'projectServed'> & Record<'served' | 'projectServed', Date | null>)[]>(
    Prisma.sql`
    WITH ${shares(from, now)}
    SELECT waiting."projectId" AS project, waiting."requestedById" AS person, waiting.runs, coalesce(busy.runs, 0) AS busy,
      served.at AS served, project_served.at AS "projectServed", coalesce(project_busy.runs, 0) AS "projectBusy"
    FROM waiting LEFT JOIN busy USING ("projectId", "requestedById") LEFT JOIN served USING ("projectId", "requestedById")
      LEFT JOIN project_busy USING ("projectId") LEFT JOIN project_served USING ("projectId")`,
  );
  const time = (at: Date | null) => at?.getTime() ?? Number.NEGATIVE_INFINITY;
  const lines = rows.map((row) => ({ ...row, served: time(row.served), projectServed: time(row.projectServed) }));
  return { taking, needs, counts, lines };
}

async function placeIn(db: Prisma.TransactionClient, queue: Queue, run: string, now: Date): Promise<QueuePlace | null> {
  const { taking, needs, counts, lines } = queue;
  const [row] = await db.$queryRaw<
    {
      project: string;
      person: string;
      queuedAt: Date;
      dispatched: boolean;
      notBefore: Date | null;
      runsOn: string;
      store: string;
      host: string | null;
      concurrency: number;
      projectBusy: number;
      before: number;
      mean: number | null;
    }[]
  >(Prisma.sql`
    WITH this AS (SELECT "Run".*, ${needs.bound} AS store FROM "Run" WHERE "id" = ${run} AND "state" = 'queued')
    SELECT this."projectId" AS project, this."requestedById" AS person, this."queuedAt", this."dispatchedAt" IS NOT NULL AS dispatched,
      this."notBefore", this."runsOn", this.store, this."placedOn" AS host, ${concurrency} AS concurrency,
      (SELECT count(*)::int FROM "Run" WHERE "Run"."projectId" = this."projectId" AND ${holdsPlace}) AS "projectBusy",
      (SELECT count(*)::int FROM "Run" WHERE ${waits} AND ${counts} AND "Run"."projectId" = this."projectId"
        AND "Run"."requestedById" = this."requestedById" AND ("Run"."queuedAt", "Run"."id") < (this."queuedAt", this."id")) AS before,
      coalesce(
        (${meanMs(Prisma.sql`"Project"."id" = this."projectId"`)}), (${meanMs(Prisma.sql`"Project"."workspaceId" = this."workspaceId"`)})
      ) AS mean
    FROM this JOIN "Project" ON "Project"."id" = this."projectId"`);
  if (row === undefined) return null;
  const own = { ...row, nth: row.before + 1, id: run };
  const ahead = row.dispatched
    ? { overall: 0, inProject: 0 }
    : await runsAhead(lines, own, (wanted) => nthRuns(db, wanted, counts));
  if (row.notBefore !== null && row.notBefore > now) {
    return {
      place: ahead.overall + 1,
      estimateMs: row.notBefore.getTime() - now.getTime(),
      waitsFor: 'quota',
      until: row.notBefore,
    };
  }
  // The runner that it has its place on may be gone.
  const placed = row.dispatched && taking.some(({ host }) => host === row.host);
  if (placed) return { place: 0, estimateMs: 0, waitsFor: 'nothing' };
  if (await isHeldBack(db, run)) return { place: ahead.overall + 1, estimateMs: null, waitsFor: 'quota' };
  if (taking.length === 0) return { place: ahead.overall + 1, estimateMs: null, waitsFor: 'no_runner' };
  const fitting = taking.filter(({ labels }) => fits(row.runsOn, labels));
  if (fitting.length === 0) {
    const missing = missingLabels(
      row.runsOn,
      taking.map(({ labels }) => labels),
    );
    return { place: ahead.overall + 1, estimateMs: null, waitsFor: 'labels', missing };
  }
  const capacity = fitting.filter((room) => suits(row, room)).reduce((sum, room) => sum + room.capacity, 0);
  if (capacity === 0) return { place: ahead.overall + 1, estimateMs: null, waitsFor: 'left' };
  const byProject = row.projectBusy + ahead.inProject >= row.concurrency;
  const place = (byProject ? ahead.inProject : ahead.overall) + 1;
  const slots = byProject ? Math.min(row.concurrency, capacity) : capacity;
  const estimateMs = row.mean === null ? null : Math.round((row.mean * place) / slots);
  return { place, estimateMs, waitsFor: byProject ? 'project' : 'runners' };
}

/** The nth runs of these lines, from the index of those that wait. */
async function nthRuns(db: Prisma.TransactionClient, wanted: readonly Nth[], counts: Prisma.Sql): Promise<Waiting[]> {
  if (wanted.length === 0) return [];
  return await db.$queryRaw<Waiting[]>(Prisma.sql`
    SELECT line.project, line.person, line.nth, found."queuedAt", found."id"
    FROM unnest(${wanted.map(({ project }) => project)}::text[], ${wanted.map(({ person }) => person)}::text[],
      ${wanted.map(({ nth }) => nth)}::int[]) AS line (project, person, nth)
    CROSS JOIN LATERAL (
      SELECT "Run"."queuedAt", "Run"."id" FROM "Run"
      WHERE ${waits} AND ${counts} AND "Run"."projectId" = line.project AND "Run"."requestedById" = line.person
      ORDER BY "Run"."queuedAt", "Run"."id" OFFSET line.nth - 1 LIMIT 1
    ) AS found`);
}

/** A quota lets no more runs like this go on at the same time. */
async function isHeldBack(db: Prisma.TransactionClient, run: string): Promise<boolean> {
  const quotas = await concurrentQuotas(db);
  const about = (await quotasAbout(db, [run], quotas)).get(run) ?? [];
  return about.some(({ busy, limit }) => busy >= limit);
}

/** Mean time from start to end of the last 20 runs of some projects. */
function meanMs(which: Prisma.Sql): Prisma.Sql {
  return Prisma.sql`
    SELECT avg(extract(epoch FROM "endedAt" - "startedAt") * 1000)::float8 FROM (
      SELECT ended.* FROM "Project" CROSS JOIN LATERAL (
        SELECT "startedAt", "endedAt" FROM "Run"
        WHERE "Run"."projectId" = "Project"."id" AND "startedAt" IS NOT NULL AND "endedAt" IS NOT NULL
        ORDER BY "endedAt" DESC LIMIT 20
      ) AS ended
      WHERE ${which} ORDER BY ended."endedAt" DESC LIMIT 20
    ) AS last`;
}
