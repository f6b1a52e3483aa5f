import pg from 'pg';
import { type WakeTopic, wakeChannel } from './database.ts';

/**
 * Live wake-ups over PostgreSQL LISTEN/NOTIFY. They are hints: readers read rows by offset and poll besides, so a wake-up that is
 * lost (a broken connection) costs latency, never data.
 */
export interface Wakeups {
  /** Calls `wake` for every wake-up of `topic` (only those of `id` when given). Returns the function that ends it. */
  subscribe(topic: WakeTopic, id: string | undefined, wake: (id: string) => void): () => void;
  start(): Promise<void>;
  stop(): Promise<void>;
}

interface Listener {
  topic: WakeTopic;
  id: string | undefined;
  wake: (id: string) => void;
}

/** One LISTEN connection for the process; after a loss it reconnects every second and then wakes everybody once. */
export function createWakeups(options: { url: string; onError(error: unknown): void }): Wakeups {
  const listeners = new Set<Listener>();
  let client: pg.Client | undefined;
  let stopped = true;
  let retry: NodeJS.Timeout | undefined;

  function deliver(payload: string): void {
    const split = payload.indexOf(':');
    const topic = payload.slice(0, split);
    const id = payload.slice(split + 1);
    for (const listener of listeners) {
      if (listener.topic === topic && (listener.id === undefined || listener.id === id)) listener.wake(id);
    }
  }

  async function connect(): Promise<void> {
    const next = new pg.Client({
      connectionString: options.url,
      keepAlive: true,
      keepAliveInitialDelayMillis: 10_000,
      application_name: 'deckhand-wakeups',
    });
    next.on('notification', ({ payload }) => {
      if (payload !== undefined) deliver(payload);
    });
    next.on('error', (error) => lose(next, error));
    next.on('end', () => lose(next, undefined));
    await next.connect();
    await next.query(`LISTEN ${wakeChannel}`);
    client = next;
  }

  function lose(lost: pg.Client, error: unknown): void {
    if (error !== undefined) options.onError(error);
    if (client !== lost || stopped) return;
    client = undefined;
    void lost.end().catch(() => undefined);
    reconnectSoon();
  }

  function reconnectSoon(): void {
    retry = setTimeout(async () => {
      if (stopped) return;
      try {
        await connect();
        // What happened while nobody listened is unknown: everybody looks.
        for (const listener of listeners) listener.wake(listener.id ?? '');
      } catch (error) {
        options.onError(error);
        reconnectSoon();
      }
    }, 1000);
  }

  return {
    subscribe(topic, id, wake) {
      const listener = { topic, id, wake };
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
    async start() {
      stopped = false;
      await connect();
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
