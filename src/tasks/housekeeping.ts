import type { HousekeepingControl, Removal, RemovalRule } from '../contracts/housekeeping.ts';
import type { Clock } from '../runtime/clock.ts';
import type { Database, Tx } from '../store/database.ts';
import { keptOn, putHoldings, putHostDisk } from '../store/holdings.ts';
import { type LeftTaskRow, leftRuns, leftTasks, lockFamily, noteCommitsRemoved, noteFilesRemoved } from '../store/left-behind.ts';
import { orderCarriedOut, orderFor } from '../store/prune-orders.ts';
import type { Wakeups } from '../store/wakeups.ts';
import { createForgetting, type Forgetting, usualForgetting } from './forget.ts';
import { tellOfOrder } from './prune-order.ts';
import { commitsMayGo, filesMayGo, type Keeping, type LeftFiles, type LeftTask, removals } from './retention.ts';

export interface HousekeepingDeps {
  database: Database;
  wakeups: Pick<Wakeups, 'subscribe'>;
  clock: Clock;
  keeping: Keeping;
  /** How long the database remembers; default: 30 days. */
  forgetting?: Forgetting | undefined;
}

/** So many are looked up at once. */
const batch = 500;

/** What is kept and what may go, over the database. */
export function createHousekeeping({ database, wakeups, clock, keeping, forgetting }: HousekeepingDeps): HousekeepingControl {
  const forget = createForgetting(database, forgetting ?? usualForgetting);
  return {
    async measured(host, { holdings, all, disk }) {
      const now = clock.now();
      return await database.transaction(async (tx) => {
        await putHoldings(tx, host, holdings, all, now);
        const kept = await keptOn(tx.db, host);
        await putHostDisk(tx, host, kept.bytes, disk, now);
        return kept;
      });
    },
    async removable({ runs, tasks }, rule) {
      const { db } = database;
      const known = await inBatches(
        runs.map(({ run }) => run),
        (some) => leftRuns(db, some),
      );
      const wanted = [...new Set([...tasks, ...[...known.values()].map(({ task }) => task)])];
      const rows = await inBatches(wanted, (some) => leftTasks(db, some));
      const taskOf = (id: string) => {
        const row = rows.get(id);
        return row === undefined ? undefined : leftTask(row);
      };
      const files = runs.flatMap(({ run, at }): LeftFiles[] => {
        const found = known.get(run);
        if (found === undefined) return [{ run, at, task: undefined, bytes: 0, removed: false }];
        const task = taskOf(found.task);
        return task === undefined ? [] : [{ run, at, task, bytes: found.bytes, removed: found.removed }];
      });
      const commits = tasks.flatMap((id) => taskOf(id) ?? []);
      return removals({ files, commits }, rule, keeping, clock.now());
    },
    release: (removal, rule) => database.transaction((tx) => release(tx, removal, rule, keeping, clock.now())),
    forget: () => forget(clock.now()),
    order: (host) => orderFor(database.db, host),
    carriedOut: (order, host, freed) =>
      database.transaction(async (tx) => {
        const done = await orderCarriedOut(tx, order, host, freed, clock.now());
        if (done !== undefined) await tellOfOrder(tx, done);
      }),
    onOrder(listener, until) {
      until.addEventListener('abort', wakeups.subscribe('housekeeping', undefined, listener), { once: true });
    },
  };
}

/** Under the locks of all tasks that could begin to need it: none of them begins anything meanwhile. */
async function release(tx: Tx, removal: Removal, rule: RemovalRule, keeping: Keeping, now: Date): Promise<boolean> {
  if (removal.kind === 'commits') {
    await lockFamily(tx, removal.task);
    const row = (await leftTasks(tx.db, [removal.task])).get(removal.task);
    if (row === undefined || !commitsMayGo(leftTask(row), rule, keeping, now)) return false;
    await noteCommitsRemoved(tx, removal.task, now);
    return true;
  }
  const { run } = removal;
  const before = (await leftRuns(tx.db, [run])).get(run);
  // Nobody knows it, so nobody can have come to need it.
  if (before === undefined) return true;
  await lockFamily(tx, before.task);
  const found = (await leftRuns(tx.db, [run])).get(run);
  const row = (await leftTasks(tx.db, [before.task])).get(before.task);
  if (found === undefined || row === undefined) return false;
  if (!filesMayGo({ run, at: now, ...found, task: leftTask(row) }, rule, keeping, now)) return false;
  await noteFilesRemoved(tx, run, now);
  return true;
}

function leftTask({ changed, merged, discarded, ...row }: LeftTaskRow): LeftTask {
  const change = !changed ? 'none' : merged || discarded ? 'settled' : 'open';
  return { ...row, change };
}

async function inBatches<T>(
  ids: readonly string[],
  read: (some: readonly string[]) => Promise<ReadonlyMap<string, T>>,
): Promise<Map<string, T>> {
  const all = new Map<string, T>();
  for (let at = 0; at < ids.length; at += batch) {
    for (const [id, value] of await read(ids.slice(at, at + batch))) all.set(id, value);
  }
  return all;
}
