import pg from 'pg';
import type { AcquireLease, Lease } from '../contracts/lease.ts';

export interface LeaseOptions {
  /** Address of the database. */
  url: string;
  /** The database did not answer, or a lease was lost; waiting goes on. */
  onError(error: unknown): void;
  /** Pause between two tries to get a lease, milliseconds (default 1000). */
  retryMs?: number | undefined;
  /** How often a holder looks whether its connection lives, milliseconds (default 2000). */
  checkMs?: number | undefined;
  /** A connection that does not answer for this long is given up, milliseconds (default 3000). */
  answerMs?: number | undefined;
  /**
   * After so long without a word from its holder the database takes a lease back, milliseconds (default 10000). More than `checkMs` +
   * `answerMs`: the holder knows before anybody else can have it.
   */
  silenceMs?: number | undefined;
}

const never = new AbortController().signal;

/**
 * Leases as session locks of PostgreSQL, each on a connection of its own: the database gives the right back when the connection ends,
 * so a killed holder is followed within about a second, and one whose machine or network is gone after `silenceMs`: nobody tells the
 * database of those, and by itself it would wait for hours (tcp_keepalives_idle). A holder whose connection breaks hears of it at once,
 * one whose connection hangs within `checkMs` + `answerMs`.
 */
export function createLeases(options: LeaseOptions): AcquireLease {
  const { url, onError, retryMs = 1000, checkMs = 2000, answerMs = 3000, silenceMs = 10_000 } = options;

  /** One try: a connection that holds the lock, or undefined when the signal fired while it was held by another. */
  async function hold(name: string, signal: AbortSignal): Promise<Lease | undefined> {
    const client = new pg.Client({
      connectionString: url,
      keepAlive: true,
      connectionTimeoutMillis: 10_000,
      query_timeout: answerMs,
      application_name: `deckhand-${name}`,
    });
    const gone = new AbortController();
    client.on('error', () => gone.abort(new Error(`the connection of the lease ${name} broke`)));
    client.on('end', () => gone.abort(new Error(`the connection of the lease ${name} ended`)));
    // A connection that is already broken ends with an error that says nothing new, one that hangs does not end.
    const close = () => Promise.race([client.end().catch(() => undefined), pause(answerMs, never)]);
    let confirmed = now();
    let term: number;
    try {
      await client.connect();
      await client.query(`SET idle_session_timeout = ${silenceMs}`);
      // Asked again and again: a waiting lock statement would hold back the database's clean-up.
      while (!(await tryLock(client, name))) {
        await pause(retryMs, AbortSignal.any([signal, gone.signal]));
        if (!signal.aborted) continue;
        await close();
        return undefined;
      }
      confirmed = now();
      term = await nextTerm(client, name);
    } catch (error) {
      await close();
      throw error;
    }
    return held(client, gone, { term, confirmed, close });
  }

  function held(
    client: pg.Client,
    gone: AbortController,
    { term, confirmed, close }: { term: number; confirmed: Moment; close(): Promise<void> },
  ): Lease {
    let last = confirmed;
    const onConfirmed = (at: Moment) => {
      last = at;
    };
    const watching = watch(client, gone, { checkMs, onConfirmed, onLost: close });
    let released: Promise<void> | undefined;
    return {
      lost: gone.signal,
      term,
      isFresh() {
        if (!gone.signal.aborted && since(last) >= silenceMs) gone.abort(new Error('the lease was not confirmed in time'));
        return !gone.signal.aborted;
      },
      release() {
        released ??= close().then(async () => {
          gone.abort(new Error('the lease was given back'));
          await watching;
        });
        return released;
      },
    };
  }

  return async (name, signal) => {
    for (;;) {
      signal.throwIfAborted();
      try {
        const lease = await hold(name, signal);
        if (lease !== undefined && !signal.aborted) return lease;
        await lease?.release();
      } catch (error) {
        onError(error);
        await pause(retryMs, signal);
      }
    }
  };
}

async function tryLock(client: pg.Client, name: string): Promise<boolean> {
  const { rows } = await client.query<{ held: boolean }>('SELECT pg_try_advisory_lock(hashtextextended($1, 0)) AS held', [
    `deckhand:${name}`,
  ]);
  return rows[0]?.held === true;
}

async function nextTerm(client: pg.Client, name: string): Promise<number> {
  const { rows } = await client.query<{ term: number }>(
    'INSERT INTO "LeaseTerm" ("name", "term") VALUES ($1, 1) ON CONFLICT ("name") DO UPDATE SET "term" = "LeaseTerm"."term" + 1 RETURNING "term"',
    [name],
  );
  const [row] = rows;
  if (row === undefined) throw new Error('a term gave no row');
  return row.term;
}

/** Two clocks: the one stands still while the machine sleeps, the other one can be set. */
type Moment = { running: number; wall: number };

function now(): Moment {
  return { running: performance.now(), wall: Date.now() };
}

/** The longer of both, in milliseconds: too long costs the lease, which can be had again, too short would cost the exclusion. */
function since({ running, wall }: Moment): number {
  return Math.max(performance.now() - running, Date.now() - wall);
}

/** Notices a dead connection that nobody has told us about. */
async function watch(
  client: pg.Client,
  gone: AbortController,
  options: { checkMs: number; onConfirmed(at: Moment): void; onLost(): Promise<void> },
): Promise<void> {
  while (!gone.signal.aborted) {
    await pause(options.checkMs, gone.signal);
    if (gone.signal.aborted) break;
    try {
      const asked = now();
      await client.query('SELECT 1');
      // The database heard of us when it was asked, at the earliest.
      options.onConfirmed(asked);
    } catch (error) {
      gone.abort(error);
    }
  }
  await options.onLost();
}

/** Resolves after `ms`, or at once when the signal aborts. */
export function pause(ms: number, signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve();
  const { promise, resolve } = Promise.withResolvers<void>();
  const timer = setTimeout(resolve, ms);
  const stop = () => resolve();
  signal.addEventListener('abort', stop, { once: true });
  return promise.finally(() => {
    clearTimeout(timer);
    signal.removeEventListener('abort', stop);
  });
}
