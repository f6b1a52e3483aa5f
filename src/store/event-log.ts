import { actorSchema, type EventLog, type RunEvent, runEventDataSchema } from '../contracts/run-event.ts';
import type { Database } from './database.ts';
import type { Wakeups } from './wakeups.ts';

/** How long a tail sleeps without a wake-up before it looks by itself. Milliseconds. */
const pollMs = 2000;
const defaultLimit = 1000;

/** The log of runs in PostgreSQL. Appending belongs to the engine, which commits it together with the state. */
export function createEventLog(database: Database, wakeups: Wakeups): EventLog {
  async function read(run: string, after: number, limit = defaultLimit): Promise<RunEvent[]> {
    const rows = await database.db.runEvent.findMany({
      where: { runId: run, seq: { gt: after } },
      orderBy: { seq: 'asc' },
      take: limit,
    });
    return rows.map((row) => ({
      run: row.runId,
      seq: row.seq,
      at: row.at,
      actor: actorSchema.parse(row.actor),
      data: runEventDataSchema.parse(row.data),
    }));
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
