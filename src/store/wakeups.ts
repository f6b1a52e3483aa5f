import type pg from 'pg';
import { connect } from './connection.ts';
import { wakeChannel } from './database.ts';
import { createWakeListeners, type WakeListeners } from './wake-listeners.ts';

/**
 * Live wake-ups over PostgreSQL LISTEN/NOTIFY. They are hints: readers read rows by offset and poll besides, so a wake-up that is
 * lost (a broken connection) costs latency, never data.
 */
export interface Wakeups {
  readonly subscribe: WakeListeners['subscribe'];
  start(): Promise<void>;
  stop(): Promise<void>;
}

/** One LISTEN connection for the process; after a loss it reconnects every second and then wakes everybody once. */
export function createWakeups(options: { url: string; onError(error: unknown): void }): Wakeups {
  const { subscribe, deliver, rouse } = createWakeListeners();
  let client: pg.Client | undefined;
  let stopped = true;
  let retry: NodeJS.Timeout | undefined;

  async function listen(): Promise<void> {
    const next = await connect(options.url, 'deckhand wake-ups');
    next.on('notification', ({ payload }) => {
      if (payload !== undefined) deliver(payload);
    });
    next.on('error', (error) => lose(next, error));
    next.on('end', () => lose(next, undefined));
    try {
      await next.query(`LISTEN ${wakeChannel}`);
    } catch (error) {
      await next.end().catch(() => undefined);
      throw error;
    }
    if (stopped) await next.end();
    else client = next;
  }

  function lose(lost: pg.Client, error: unknown): void {
    if (client !== lost || stopped) return;
    if (error !== undefined) options.onError(error);
    client = undefined;
    void lost.end().catch(() => undefined);
    reconnectSoon();
  }

  function reconnectSoon(): void {
    retry = setTimeout(async () => {
      try {
        await listen();
        rouse();
      } catch (error) {
        if (stopped) return;
        options.onError(error);
        reconnectSoon();
      }
    }, 1000);
  }

  return {
    subscribe,
    async start() {
      stopped = false;
      await listen();
    },
    async stop() {
      stopped = true;
      clearTimeout(retry);
      const last = client;
      client = undefined;
      await last?.end();
    },
  };
}
