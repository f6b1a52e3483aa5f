import type { Database } from '../store/database.ts';
import { forgetInbox } from '../store/forget-inbox.ts';
import { beginThinning, forgetOutbox, runsToThin } from '../store/forget-old.ts';
import { type LeftTaskRow, leftTasks, lockFamily } from '../store/left-behind.ts';
import { forgetConsumption } from '../store/quotas.ts';
import { endThinning, thinSome } from '../store/thin-log.ts';

/** How long the database remembers. Milliseconds. */
export interface Forgetting {
  eventsMs: number;
}

const day = 24 * 60 * 60_000;
export const usualForgetting: Forgetting = { eventsMs: 30 * day };

/** Platforms deliver again for hours, and people can have it done for some weeks. */
const inboxKeptMs = 90 * day;
/** What counted in a period that began longer ago tells nobody anything. */
const consumptionKeptMs = 100 * day;
/** So many rows go with a statement: others wait no longer than for them. */
const rowsAtOnce = 2_000;
/** So many statements of a kind are made with each call, and so many runs are looked at. */
const statementsAtOnce = 250;
const runsAtOnce = 200;
const looksAtOnce = 10;

/**
 * Forgets what is long over, a bounded part of it with each call; returns how many rows. Each statement locks only rows that nobody needs any
 * more, so any number of processes may do it at once. Repeatable.
 */
export function createForgetting(database: Database, forgetting: Forgetting): (now: Date) => Promise<number> {
  /** Where to look on: runs of tasks that still go on must not hold up those behind them. */
  let after = '';

  /** Makes the log of a run short. What is not done now, or when the process dies, is done by a later call. */
  async function thin({ run, task }: { run: string; task: string }, before: Date, now: Date, most: number): Promise<number> {
    const may = await database.transaction(async (tx) => {
      // Nothing begins to go on from it meanwhile.
      await lockFamily(tx, task);
      const over = isOver((await leftTasks(tx.db, [task])).get(task), before);
      if (over) await beginThinning(tx, { run, task });
      return over;
    });
    let removed = 0;
    for (let seq: number | undefined = may ? 0 : undefined; seq !== undefined; ) {
      if (removed >= most) return removed;
      const step: Awaited<ReturnType<typeof thinSome>> = await thinSome(database, { run, after: seq, most: rowsAtOnce });
      removed += step.removed;
      seq = step.last;
      if (seq === undefined) await endThinning(database, run, now);
    }
    return removed;
  }

  async function thinOld(now: Date): Promise<number> {
    const before = new Date(now.getTime() - forgetting.eventsMs);
    const most = rowsAtOnce * statementsAtOnce;
    let removed = 0;
    for (let look = 0; look < looksAtOnce; look += 1) {
      const runs = await runsToThin(database.db, { after, before, most: runsAtOnce });
      const tasks = await leftTasks(database.db, [...new Set(runs.map(({ task }) => task))]);
      for (const one of runs) {
        if (!isOver(tasks.get(one.task), before)) continue;
        try {
          removed += await thin(one, before, now, most - removed);
        } catch (error) {
          // The next call looks on behind it: one that cannot be thinned must not hold up the others.
          after = one.run;
          throw error;
        }
        if (removed >= most) return removed;
        after = one.run;
      }
      after = runs.length < runsAtOnce ? '' : (runs.at(-1)?.run ?? '');
      if (after === '') break;
    }
    return removed;
  }

  return async (now) => {
    const ago = (ms: number) => new Date(now.getTime() - ms);
    return (
      (await again(() => forgetInbox(database, ago(inboxKeptMs), rowsAtOnce))) +
      (await again(() => forgetOutbox(database, ago(forgetting.eventsMs), rowsAtOnce))) +
      (await forgetConsumption(database.db, ago(consumptionKeptMs), rowsAtOnce)) +
      (await thinOld(now))
    );
  };
}

/** Until it is done, or as often as may be; returns how many rows. */
async function again(forget: () => Promise<number>): Promise<number> {
  let rows = 0;
  for (let time = 0; time < statementsAtOnce; time += 1) {
    const some = await forget();
    rows += some;
    if (some < rowsAtOnce) break;
  }
  return rows;
}

/** Nothing of the task goes on, waits or is open, and nothing has happened in it since. */
function isOver(task: LeftTaskRow | undefined, before: Date): boolean {
  return task !== undefined && !task.needed && task.lastAt <= before;
}
