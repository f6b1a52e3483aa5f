import type { Clock } from '../runtime/clock.ts';
import type { Database } from './database.ts';

export interface DatabaseClockOptions {
  /** What time it is in the database at this moment. */
  ask(): Promise<Date>;
  /** The database did not answer; the clock goes on as it is. */
  onError(error: unknown): void;
  /** How often the clock is set by the database, milliseconds (default 30000). */
  everyMs?: number | undefined;
  /** The clock of this machine; only how it jumps matters. Milliseconds since 1970. */
  wall?: (() => number) | undefined;
  /** A clock that never jumps, milliseconds. */
  steady?: (() => number) | undefined;
}

/** The time of day that all processes of an installation have in common. */
export interface DatabaseClock extends Clock {
  /** Rejects when the database does not answer. From then on `now` is its time. */
  start(): Promise<void>;
  stop(): void;
}

/** The machine's clock was set, or it slept: the time that only passes tells nothing about that. */
const jumpMs = 500;

/**
 * The time of the database, kept between two questions by the clock of this machine that never jumps. What processes write for each
 * other, such as beats and deadlines, holds then however wrong the clock of one of them is, and while it is being set.
 */
export function createDatabaseClock(options: DatabaseClockOptions): DatabaseClock {
  const { ask, onError, everyMs = 30_000, wall = Date.now, steady = () => performance.now() } = options;
  /** From the steady clock to the time of the database, and to that of this machine. */
  let ahead: number | undefined;
  let wallAhead = 0;
  let timer: NodeJS.Timeout | undefined;
  let asking: Promise<void> | undefined;

  async function set(): Promise<void> {
    const before = steady();
    const there = await ask();
    const after = steady();
    // It was that late somewhere between question and answer. What may still be right stays: an answer that took long says little.
    const [least, most] = [there.getTime() - after, there.getTime() - before];
    if (ahead === undefined || ahead < least || ahead > most) ahead = (least + most) / 2;
    wallAhead = wall() - after;
  }
  function setAgain(): void {
    if (asking !== undefined) return;
    asking = set()
      .catch(onError)
      .finally(() => {
        asking = undefined;
      });
  }

  return {
    now() {
      if (ahead === undefined) return new Date(wall());
      const at = steady();
      const jumped = wall() - at - wallAhead;
      if (Math.abs(jumped) > jumpMs) {
        // Asked once about each jump.
        wallAhead += jumped;
        setAgain();
      }
      return new Date(at + ahead);
    },
    async start() {
      await set();
      timer = setInterval(setAgain, everyMs);
      timer.unref();
    },
    stop() {
      clearInterval(timer);
    },
  };
}

/** What time it is in a database. */
export async function timeOf({ db }: Database): Promise<Date> {
  const [row] = await db.$queryRaw<{ now: Date }[]>`SELECT clock_timestamp() AS "now"`;
  if (row === undefined) throw new Error('asking for the time gave no row');
  return row.now;
}
