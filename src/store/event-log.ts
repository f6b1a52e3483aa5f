import { actorSchema, type EventLog, type RunEvent, runEventDataSchema } from '../contracts/run-event.ts';
import type { Database } from './database.ts';
import type { Wakeups } from './wakeups.ts';

/** How long a tail sleeps without a wake-up before it looks by itself. Milliseconds. */
const pollMs = 2000;
const defaultLimit = 1000;

/**
 * The log of runs in PostgreSQL. Appending belongs to the engine, which commits it together with the state. What a newer version has logged
 * and this one does not know is passed over, as what is not kept any more is: during an upgrade both versions read.
 */
export function createEventLog(database: Database, wakeups: Wakeups): EventLog {
  async function read(run: string, after: number, limit = defaultLimit): Promise<RunEvent[]> {
    const events: RunEvent[] = [];
    for (let from = after; events.length < limit; ) {
      const take = limit - events.length;
      const rows = await database.db.runEvent.findMany({
        where: { runId: run, seq: { gt: from } },
        orderBy: { seq: 'asc' },
        take,
      });
      for (const { seq, at, ...row } of rows) {
        const [actor, data] = [actorSchema.safeParse(row.actor), runEventDataSchema.safeParse(row.data)];
        if (actor.success && data.success) events.push({ run, seq, at, actor: actor.data, data: data.data });
        from = seq;
      }
      if (rows.length < take) break;
    }
    return events;
  }

  async function* tail(run: string, after: number, signal: AbortSignal): AsyncIterable<RunEvent> {
    let cursor = after;
    let woken = false;
    let wake: () => void = () => undefined;
    const rouse = () => {
      woken = true;
      wake();
    };
    const unsubscribe = wakeups.subscribe('run', run, rouse);
    signal.addEventListener('abort', rouse);
    try {
      while (!signal.aborted) {
        woken = false;
        const events = await read(run, cursor);
        for (const event of events) {
          yield event;
          cursor = event.seq;
          if (event.data.type === 'terminal') return;
        }
        if (events.length === defaultLimit || woken || signal.aborted) continue;
        await new Promise<void>((resolve) => {
          const timer = setTimeout(resolve, pollMs);
          wake = () => {
            clearTimeout(timer);
            resolve();
          };
        });
      }
    } finally {
      unsubscribe();
      signal.removeEventListener('abort', rouse);
    }
  }

  return { read, tail };
}
