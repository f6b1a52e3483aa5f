import { Prisma } from '../../prisma/client/client.ts';
import type { InboundEvent } from '../contracts/inbound.ts';
import type { Database } from './database.ts';
import { type Arrival, arrivalOf, storeArrivals } from './inbox.ts';

/** Where the events of all platforms enter. */
export interface InboundDoor {
  /** As `storeInbound`: when it has resolved, the events survive a crash, and those that were stored before count as duplicates. */
  store(events: readonly InboundEvent[]): Promise<{ stored: number; duplicate: number }>;
  /** Events that are not stored yet: whoever sent them waits for that. */
  waiting(): number;
  /** Events that came within the last tenth of a second, and those that wait: more of them are likely to follow. */
  arriving(): number;
}

interface Call {
  arrivals: readonly Arrival[];
  done: PromiseWithResolvers<{ stored: number; duplicate: number }>;
}

/** Most events in one statement. */
const most = 200;
const recentMs = 100;

/**
 * Stores what comes while a statement is under way with the next one: one commit for all of it, so that a burst takes fewer of them the
 * longer each takes. What comes alone is stored at once. Events keep the order in which they came.
 */
export function createInboundDoor(database: Database): InboundDoor {
  const calls: Call[] = [];
  const recent: { at: number; events: number }[] = [];
  let waiting = 0;
  let working = false;

  async function work(): Promise<void> {
    working = true;
    while (calls.length > 0) {
      await settle(take(calls));
    }
    working = false;
  }

  async function settle(taken: readonly Call[]): Promise<void> {
    const [first, ...others] = taken;
    if (first === undefined) return;
    try {
      const fresh = await storeArrivals(
        database,
        taken.flatMap(({ arrivals }) => arrivals),
      );
      waiting -= count(taken);
      for (const call of taken) call.done.resolve(resultOf(call, fresh));
    } catch (error) {
      if (others.length > 0 && wasRefused(error)) {
        // One event that cannot be stored must not keep out those that only came at the same time.
        for (const call of taken) await settle([call]);
        return;
      }
      waiting -= count(taken);
      for (const call of taken) call.done.reject(error);
    }
  }

  function forgetEarlier(): void {
    const since = performance.now() - recentMs;
    const kept = recent.findIndex(({ at }) => at > since);
    recent.splice(0, kept === -1 ? recent.length : kept);
  }

  return {
    store(events) {
      if (events.length === 0) return Promise.resolve({ stored: 0, duplicate: 0 });
      const call = { arrivals: events.map(arrivalOf), done: Promise.withResolvers<{ stored: number; duplicate: number }>() };
      calls.push(call);
      waiting += events.length;
      recent.push({ at: performance.now(), events: events.length });
      forgetEarlier();
      if (!working) void work();
      return call.done.promise;
    },
    waiting: () => waiting,
    arriving() {
      forgetEarlier();
      return Math.max(
        waiting,
        recent.reduce((sum, { events }) => sum + events, 0),
      );
    },
  };
}

/** Calls from the front of the queue, as many as one statement takes and at least one. */
function take(calls: Call[]): Call[] {
  let events = 0;
  const end = calls.findIndex(({ arrivals }, at) => {
    events += arrivals.length;
    return at > 0 && events > most;
  });
  return calls.splice(0, end === -1 ? calls.length : end);
}

function count(calls: readonly Call[]): number {
  return calls.reduce((sum, { arrivals }) => sum + arrivals.length, 0);
}

/** Each fresh event belongs to the first call that brought it. */
function resultOf({ arrivals }: Call, fresh: Set<string>): { stored: number; duplicate: number } {
  const stored = arrivals.filter(({ identity }) => fresh.delete(identity)).length;
  return { stored, duplicate: arrivals.length - stored };
}

/** The database did not take the statement; otherwise it is the database that could not be reached. */
function wasRefused(error: unknown): boolean {
  return error instanceof Prisma.PrismaClientKnownRequestError && error.code === 'P2010';
}
