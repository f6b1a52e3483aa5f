import { Prisma } from '../../prisma/client/client.ts';
import { fits, labelsIn } from '../contracts/labels.ts';
import { type ConcurrentQuota, concurrentQuotas, isAboutNone, quotasAbout } from './concurrent-quotas.ts';
import type { Tx } from './database.ts';
import { concurrency, firstWaiting, turns, waits, waitsForNoQuota } from './queue-turns.ts';
import { type RunnerRoom, runnerRooms, takesRuns } from './runner-rooms.ts';
import { boundTo, storesWaitedFor } from './task-store.ts';

/** A run that got its place, and the host that it is on. */
export interface Placed {
  run: string;
  host: string;
}

/** Files that came with its request are still being fetched. */
const filesComing = Prisma.sql`EXISTS (
  SELECT FROM "AttachedFile"
  WHERE "AttachedFile"."runId" = "Run"."id" AND "AttachedFile"."state" = 'pending' AND "AttachedFile"."origin" IS NULL
)`;

/** Whoever gives places holds this advisory lock of PostgreSQL; any number will do. */
const placesLock = 33254263;

/**
 * Gives places to waiting runs in their turn (queue-turns.ts), as far as runners that fit have room and the concurrency of each project
 * allows, and returns them. What builds upon what its task has left goes where that is, while it is waited for (task-store.ts). What no
 * runner with room fits takes no turn, so it keeps nobody waiting. A place on a host whose runner is gone
 * or drains is taken back first. `onPassedOver`: some run would have got its place, but its row was locked at the moment. However many processes do this at once, no limit is ever exceeded.
 */
export async function givePlaces(tx: Tx, now: Date, onPassedOver: () => void = () => undefined): Promise<Placed[]> {
  await tx.db.$executeRaw(Prisma.sql`SELECT pg_advisory_xact_lock(${placesLock})`);
  await takeBack(tx, now);
  const rooms = await runnerRooms(tx.db, now);
  if (rooms.every(({ free }) => free === 0)) return [];
  const needs = await waitingNeeds(tx.db, now);
  const quotas = await concurrentQuotas(tx.db);
  const placed: Placed[] = [];
  for (;;) {
    const round = await giveRound(tx, rooms, needs, quotas, now);
    if (round.passedOver) onPassedOver();
    placed.push(...round.placed);
    // Only those that found no room have kept others waiting, who come next.
    if (round.placed.length === 0 || !round.noRoom) break;
  }
  if (placed.length > 0) tx.notify('queue');
  return placed;
}

/** Whether the waiting run has its place. Until the end of the transaction nobody takes it back. */
export async function holdPlace(tx: Tx, run: string): Promise<boolean> {
  const rows = await tx.db.$queryRaw<unknown[]>(Prisma.sql`
    SELECT FROM "Run" WHERE "id" = ${run} AND "state" = 'queued' AND "dispatchedAt" IS NOT NULL FOR NO KEY UPDATE`);
  return rows.length > 0;
}

/** What waits on this host waits for any that fits again. */
export async function leavePlaces(tx: Tx, host: string): Promise<void> {
  await tx.db.run.updateMany({
    where: { state: 'queued', dispatchedAt: { not: null }, placedOn: host },
    data: { dispatchedAt: null, placedOn: null },
  });
}

/** Its job lies where nobody takes it. While no runner takes anything, the place may as well stay: the one that was there may come back. */
async function takeBack(tx: Tx, now: Date): Promise<void> {
  await tx.db.$executeRaw(Prisma.sql`
    WITH taking AS (SELECT "hostId" FROM "Runner" WHERE ${takesRuns(now)})
    UPDATE "Run" SET "dispatchedAt" = NULL, "placedOn" = NULL WHERE EXISTS (SELECT FROM taking) AND "id" IN (
      SELECT "id" FROM "Run" WHERE "state" = 'queued' AND "dispatchedAt" IS NOT NULL
        AND ("placedOn" IS NULL OR "placedOn" NOT IN (SELECT "hostId" FROM taking))
      FOR UPDATE SKIP LOCKED
    )`);
}

/** What a run needs of a runner: its labels, and the disk that it waits for ('': any). */
export interface Need {
  runsOn: string;
  store: string;
}

/** A runner that has the labels, and the disk. */
export function suits(need: Need, room: Pick<RunnerRoom, 'labels' | 'store'>): boolean {
  return fits(need.runsOn, room.labels) && (need.store === '' || need.store === room.store);
}

/** What waiting runs may need. */
export interface Needs {
  /** Their labels, each once. */
  kinds: readonly string[];
  /** The disks that some of them may wait for, and '' for any. */
  stores: readonly string[];
  /** For a row of "Run", the disk that it waits for. */
  bound: Prisma.Sql;
}

export async function waitingNeeds(db: Prisma.TransactionClient, now: Date): Promise<Needs> {
  const stores = await storesWaitedFor(db, now);
  // From one to the next in the index, however many are alike.
  const rows = await db.$queryRaw<{ runsOn: string }[]>(Prisma.sql`
    WITH RECURSIVE kind AS (
      SELECT min("runsOn") AS "runsOn" FROM "Run" WHERE ${waits}
      UNION ALL
      SELECT (SELECT min("Run"."runsOn") FROM "Run" WHERE ${waits} AND "Run"."runsOn" > kind."runsOn") FROM kind WHERE kind."runsOn" IS NOT NULL
    ) SELECT "runsOn" FROM kind WHERE "runsOn" IS NOT NULL`);
  return { kinds: rows.map(({ runsOn }) => runsOn), stores: ['', ...stores], bound: boundTo(stores) };
}

/** For a row of "Run": what it needs is one of those that are `open`. What its task has left is looked for only where that decides it. */
export function hasNeed({ kinds, stores, bound }: Needs, open: (need: Need) => boolean): { kinds: string[]; which: Prisma.Sql } {
  const some = kinds.map((runsOn) => ({ runsOn, stores: stores.filter((store) => open({ runsOn, store })) }));
  const fitting = some.filter((kind) => kind.stores.length > 0);
  const which = fitting.map((kind) => {
    const labels = Prisma.sql`"Run"."runsOn" = ${kind.runsOn}`;
    return kind.stores.length === stores.length ? labels : Prisma.sql`(${labels} AND ${bound} IN (${Prisma.join(kind.stores)}))`;
  });
  return {
    kinds: fitting.map(({ runsOn }) => runsOn),
    which: which.length === 0 ? Prisma.sql`false` : Prisma.sql`(${Prisma.join(which, ' OR ')})`,
  };
}

/** One pass over those whose turn it is. Lowers `rooms` by what it gives. */
async function giveRound(
  tx: Tx,
  rooms: RunnerRoom[],
  needs: Needs,
  quotas: readonly ConcurrentQuota[],
  now: Date,
): Promise<{ placed: Placed[]; passedOver: boolean; noRoom: boolean }> {
  const open = hasNeed(needs, (need) => rooms.some((room) => room.free > 0 && suits(need, room)));
  if (open.kinds.length === 0) return { placed: [], passedOver: false, noRoom: false };
  const free = rooms.reduce((sum, room) => sum + room.free, 0);
  const full = quotas.filter(({ busy, limit }) => busy >= limit);
  const may = Prisma.sql`${open.which} AND NOT ${filesComing} AND ${waitsForNoQuota(now)} AND ${isAboutNone(full)}`;
  const rows = await tx.db.$queryRaw<({ id: string } & Need)[]>(Prisma.sql`
    WITH ${turns(firstWaiting(open.kinds, may, free), now)}, next AS (
      SELECT turn.* FROM turn JOIN "Project" ON "Project"."id" = turn."projectId" WHERE turn.share <= ${concurrency}
      ORDER BY turn.share, turn.served, turn."queuedAt", turn."id" LIMIT ${free}
    )
    SELECT next."id", "Run"."runsOn", ${needs.bound} AS store FROM next JOIN "Run" ON "Run"."id" = next."id"
    ORDER BY next.share, next.served, next."queuedAt", next."id"`);
  const chosen: Placed[] = [];
  const about = await quotasAbout(
    tx.db,
    rows.map(({ id }) => id),
    quotas,
  );
  for (const { id, ...need } of rows) {
    const room = roomFor(need, rooms);
    const counted = about.get(id) ?? [];
    if (room === undefined || counted.some(({ busy, limit }) => busy >= limit)) continue;
    room.free -= 1;
    for (const one of counted) one.busy += 1;
    chosen.push({ run: id, host: room.host });
  }
  const taken = new Set(await mark(tx, chosen, now));
  const placed = chosen.filter(({ run }) => taken.has(run));
  return { placed, passedOver: await stillWaits(tx, chosen, taken), noRoom: chosen.length < rows.length };
}

/** Runners with the fewest labels come first, so that those that are special stay free for what needs them; then who has the most room. */
function roomFor(need: Need, rooms: readonly RunnerRoom[]): RunnerRoom | undefined {
  const rank = (room: RunnerRoom) => labelsIn(room.labels).length;
  return rooms
    .filter((room) => room.free > 0 && suits(need, room))
    .sort((a, b) => rank(a) - rank(b) || b.free - a.free || (a.host < b.host ? -1 : 1))[0];
}

/** Whether one of those that were chosen got no place although it goes on waiting: somebody holds its row. */
async function stillWaits(tx: Tx, chosen: readonly Placed[], taken: ReadonlySet<string>): Promise<boolean> {
  const missed = chosen.flatMap(({ run }) => (taken.has(run) ? [] : [run]));
  if (missed.length === 0) return false;
  const where = { id: { in: missed }, state: 'queued', dispatchedAt: null };
  return (await tx.db.run.count({ where })) > 0;
}

/** Returns the runs that have their place now: one that was stopped meanwhile needs none. */
async function mark(tx: Tx, chosen: readonly Placed[], now: Date): Promise<string[]> {
  if (chosen.length === 0) return [];
  const rows = chosen.map(({ run, host }) => Prisma.sql`(${run}, ${host})`);
  const marked = await tx.db.$queryRaw<{ id: string }[]>(Prisma.sql`
    WITH chosen ("id", host) AS (VALUES ${Prisma.join(rows)}), free AS (
      SELECT "id" FROM "Run" WHERE "id" IN (SELECT "id" FROM chosen) AND "state" = 'queued' AND "dispatchedAt" IS NULL
      FOR UPDATE SKIP LOCKED
    )
    UPDATE "Run" SET "dispatchedAt" = ${now}, "placedOn" = chosen.host FROM free JOIN chosen USING ("id")
    WHERE "Run"."id" = free."id" RETURNING "Run"."id"`);
  return marked.map(({ id }) => id);
}
