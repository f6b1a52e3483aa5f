import type { Database } from '../store/database.ts';
import { forgetInbox } from '../store/forget-inbox.ts';
import { forgetAudit, forgetOutbox, runsToThin, thinRun } from '../store/forget-old.ts';
import { type LeftTaskRow, leftTasks, lockFamily } from '../store/left-behind.ts';

/** How long the database remembers. Milliseconds. */
export interface Forgetting {
  eventsMs: number;
  auditMs: number;
}

const day = 24 * 60 * 60_000;
export const usualForgetting: Forgetting = { eventsMs: 30 * day, auditMs: 90 * day };

/** Platforms deliver again for hours, and people can have it done for some weeks. */
const inboxKeptMs = 90 * day;
/** So many rows of a kind go at once, and so many runs are looked at. */
const rowsAtOnce = 5_000;
const runsAtOnce = 200;
const looksAtOnce = 10;

/**
 * Forgets what is long over, a bounded part of it with each call; returns how many rows. Each statement locks only rows that nobody needs any
 * more, so any number of processes may do it at once. Repeatable.
 */
export function createForgetting(database: Database, forgetting: Forgetting): (now: Date) => Promise<number> {
  /** Where to look on: runs of tasks that still go on must not hold up those behind them. */
  let after = '';

  async function thinSome(now: Date): Promise<number> {
    const before = new Date(now.getTime() - forgetting.eventsMs);
    let removed = 0;
    for (let look = 0; look < looksAtOnce; look += 1) {
      const runs = await runsToThin(database.db, { after, before, most: runsAtOnce });
      const tasks = await leftTasks(database.db, [...new Set(runs.map(({ task }) => task))]);
      for (const one of runs) {
        if (!isOver(tasks.get(one.task), before)) continue;
        removed += await database.transaction(async (tx) => {
          // Nothing begins to go on from it meanwhile.
          await lockFamily(tx, one.task);
          const known = (await leftTasks(tx.db, [one.task])).get(one.task);
          return isOver(known, before) ? await thinRun(tx, one, now) : 0;
        });
      }
      after = runs.length < runsAtOnce ? '' : (runs.at(-1)?.run ?? '');
      if (after === '') break;
    }
    return removed;
  }

  return async (now) => {
    const ago = (ms: number) => new Date(now.getTime() - ms);
    return (
      (await forgetInbox(database, ago(inboxKeptMs), rowsAtOnce)) +
      (await forgetOutbox(database, ago(forgetting.eventsMs), rowsAtOnce)) +
      (await forgetAudit(database, ago(forgetting.auditMs), rowsAtOnce)) +
      (await thinSome(now))
    );
  };
}

/** Nothing of the task goes on, waits or is open, and nothing has happened in it since. */
function isOver(task: LeftTaskRow | undefined, before: Date): boolean {
  return task !== undefined && !task.needed && task.lastAt <= before;
}
