import pg from 'pg';
import { Prisma, PrismaClient } from '../../prisma/client/client.ts';
import { keepAliveMs } from './connection.ts';
import { createStatementNames } from './statement-names.ts';
import { type DatabaseTimes, TimedPg } from './timed-adapter.ts';

/** Things a reader can be woken for. A lost wake-up costs latency, never data: every reader polls too. */
export type WakeTopic =
  | 'inbox'
  | 'outbox'
  | 'run'
  | 'stop'
  | 'queue'
  | 'interaction'
  | 'mail'
  | 'publication'
  | 'files'
  | 'pull'
  | 'housekeeping'
  | 'examination'
  | 'audit';

/** One open transaction. Everything written through `db` commits together or not at all. */
export interface Tx {
  readonly db: Prisma.TransactionClient;
  /** Wakes readers of `topic` when, and only when, this transaction commits. `id` narrows it, e.g. to one run. */
  notify(topic: WakeTopic, id?: string): void;
  /** Runs after the commit. For effects that may be lost because a sweeper repeats them (publishing a job). Errors are the caller's to log. */
  afterCommit(effect: () => void | Promise<void>): void;
}

export interface Database {
  /** For reads outside a transaction. Writes go through `transaction`. */
  readonly db: PrismaClient;
  /** The address, for the few who need a connection of their own (LISTEN, the queue). */
  readonly url: string;
  /**
   * Runs `work` in one transaction (read committed), again from the start up to three times after a deadlock or a write conflict:
   * `work` must have no effects but through its `Tx`.
   */
  transaction<T>(work: (tx: Tx) => Promise<T>): Promise<T>;
  /**
   * Where wake-ups do not travel through the database: whoever writes without a transaction gives them here after the write, each as
   * `<topic>:<id>`. undefined: a statement wakes with `pg_notify`.
   */
  readonly announce: Announce | undefined;
  /** Connections of the pool: those that work, those that do not, and how many callers wait for one. */
  pool(): { busy: number; idle: number; waiting: number };
  /** Told of every statement and every beginning of a transaction from now on, for metrics. One listener; the last one counts. */
  time(times: DatabaseTimes): void;
  close(): Promise<void>;
}

/** Wakes readers, in this process and others; returns at once and never throws. */
export type Announce = (wakes: readonly string[]) => void;

/** All wake-ups travel on one channel; the payload is `<topic>:<id>`. */
export const wakeChannel = 'deckhand_wake';

export interface DatabaseOptions {
  url: string;
  /** Most connections of the pool. */
  connections: number;
  /** Wake-ups go there instead of through the database. */
  announce?: Announce | undefined;
  onEffectError(error: unknown): void;
}

/** The database ends a transaction of which nothing was heard for so long, with all it had locked: its machine or network is gone. */
const abandonedMs = 60_000;

export function createDatabase(options: DatabaseOptions): Database {
  const pool = new pg.Pool({
    connectionString: options.url,
    max: options.connections,
    keepAlive: true,
    keepAliveInitialDelayMillis: keepAliveMs,
    idle_in_transaction_session_timeout: abandonedMs,
  });
  let times: DatabaseTimes | undefined;
  const adapter = new TimedPg({ onStatement: (ms) => times?.onStatement(ms), onBegin: (ms) => times?.onBegin(ms) }, pool, {
    disposeExternalPool: true,
    statementNameGenerator: createStatementNames(),
  });
  const client = new PrismaClient({ adapter, log: [] });

  async function once<T>(work: (tx: Tx) => Promise<T>): Promise<T> {
    const wakes = new Set<string>();
    const effects: (() => void | Promise<void>)[] = [];
    const result = await client.$transaction(
      async (db) => {
        const value = await work({
          db,
          notify: (topic, id) => void wakes.add(`${topic}:${id ?? ''}`),
          afterCommit: (effect) => void effects.push(effect),
        });
        if (wakes.size > 0 && options.announce === undefined) {
          await db.$queryRaw(Prisma.sql`SELECT pg_notify(${wakeChannel}, wake)::text FROM unnest(${[...wakes]}::text[]) AS wake`);
        }
        return value;
      },
      { maxWait: 10_000, timeout: 30_000 },
    );
    if (wakes.size > 0) options.announce?.([...wakes]);
    for (const effect of effects) {
      try {
        await effect();
      } catch (error) {
        options.onEffectError(error);
      }
    }
    return result;
  }

  return {
    db: client,
    url: options.url,
    announce: options.announce,
    async transaction(work) {
      for (let attempt = 1; ; attempt += 1) {
        try {
          return await once(work);
        } catch (error) {
          if (attempt === 3 || !isConflict(error)) throw error;
        }
      }
    },
    pool: () => ({ busy: pool.totalCount - pool.idleCount, idle: pool.idleCount, waiting: pool.waitingCount }),
    time(listener) {
      times = listener;
    },
    async close() {
      await client.$disconnect();
      // A client that was never used has not connected, and leaves the pool alone.
      if (!pool.ending && !pool.ended) await pool.end();
    },
  };
}

/** Deadlock (40P01), serialization failure (40001) or Prisma's own word for them (P2034). */
function isConflict(error: unknown): boolean {
  if (!(error instanceof Prisma.PrismaClientKnownRequestError)) return false;
  return error.code === 'P2034' || /40P01|40001|deadlock/.test(JSON.stringify(error.meta ?? '') + error.message);
}
