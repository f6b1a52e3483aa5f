import pg from 'pg';

/**
 * One process at a time does a certain work: whoever holds a session lock of the database. The lock ends with the connection, so a
 * killed leader is followed within about a second; a leader that loses its connection is told to stop at once.
 */
export interface Leadership {
  start(): Promise<void>;
  /** Resolves when `lead` has returned and the lock is free. Idempotent. */
  stop(): Promise<void>;
}

export interface LeadershipOptions {
  url: string;
  /** Names the work; the same in every process. */
  name: string;
  /** Does the work until the signal aborts. When it throws, leading is tried again after a pause. */
  lead(signal: AbortSignal): Promise<void>;
  onError(error: unknown): void;
}

const retryMs = 1000;
const checkMs = 5000;

export function createLeadership({ url, name, lead, onError }: LeadershipOptions): Leadership {
  const stopped = new AbortController();
  let working: Promise<void> | undefined;

  async function work(): Promise<void> {
    while (!stopped.signal.aborted) {
      const client = new pg.Client({ connectionString: url, keepAlive: true, application_name: `deckhand-${name}` });
      const lost = new AbortController();
      client.on('error', () => lost.abort());
      client.on('end', () => lost.abort());
      try {
        await client.connect();
        await whileConnected(client, AbortSignal.any([stopped.signal, lost.signal]));
      } catch (error) {
        if (!stopped.signal.aborted) onError(error);
      } finally {
        // A connection that is already broken ends with an error that says nothing new.
        await client.end().catch(() => undefined);
      }
      await pause(retryMs, stopped.signal);
    }
  }

  /** Waits for the lock by asking again: a waiting lock statement would hold back the database's clean-up. */
  async function whileConnected(client: pg.Client, signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      const { rows } = await client.query<{ held: boolean }>('SELECT pg_try_advisory_lock(hashtextextended($1, 0)) AS held', [
        `deckhand:${name}`,
      ]);
      if (rows[0]?.held === true) break;
      await pause(retryMs, signal);
    }
    if (signal.aborted) return;
    const ending = new AbortController();
    const checking = check(client, AbortSignal.any([signal, ending.signal])).catch(() => ending.abort());
    try {
      await lead(AbortSignal.any([signal, ending.signal]));
    } finally {
      ending.abort();
      await checking;
    }
  }

  /** Notices a dead connection that nobody has told us about. */
  async function check(client: pg.Client, signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      await pause(checkMs, signal);
      if (!signal.aborted) await client.query('SELECT 1');
    }
  }

  return {
    async start() {
      working ??= work();
    },
    async stop() {
      stopped.abort();
      await working;
    },
  };
}

/** Resolves after `ms`, or at once when the signal aborts. */
function pause(ms: number, signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve();
  const { promise, resolve } = Promise.withResolvers<void>();
  const timer = setTimeout(resolve, ms);
  signal.addEventListener('abort', () => resolve(), { once: true });
  return promise.finally(() => clearTimeout(timer));
}
