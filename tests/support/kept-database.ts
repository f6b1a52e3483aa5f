import type { JobQueue } from '../../src/contracts/jobs.ts';
import { createJobQueue } from '../../src/queue/bullmq-queue.ts';
import { createDatabase, type Database } from '../../src/store/database.ts';
import { createWakeups, type Wakeups } from '../../src/store/wakeups.ts';
import { createTestDatabase, type TestDatabase } from './postgres.ts';
import { waitFor } from './wait-for.ts';

/** A database with all migrations applied and nothing in it, for one test, with a client of it. */
export interface LentDatabase {
  url: string;
  /** Whoever closes it ends the use of the database by others, too. */
  database: Database;
  /** Started. Whoever stops them is woken no more, until they are started again. */
  wakeups: Wakeups;
  /** Its jobs. Closing it leaves it open for others. */
  queue(): Promise<JobQueue>;
  /** Ends the use. Whatever else is connected has been closed by then. */
  giveBack(): Promise<void>;
}

/** What is lent to one test after the other: connections, a client of Prisma and a copy of the template take longer than most tests. */
interface Kept {
  test: TestDatabase;
  database: Database;
  wakeups: Wakeups;
  /** Opened by the first who needs it. */
  queue: Promise<JobQueue> | undefined;
  onEffectError: (error: unknown) => void;
  /** Its relations, functions and the tables that migrations have written to, as they were at the beginning. */
  shape: string;
}

/** Those of this process that nobody uses. */
const free: Kept[] = [];
const connections = 10;
const queueName = 'kept-queue';

/** For tests all of whose parts are in this process: processes of their own could come back to a database that others use by then. */
export async function borrowDatabase(onEffectError: (error: unknown) => void): Promise<LentDatabase> {
  const kept = free.pop() ?? (await make());
  kept.onEffectError = onEffectError;
  const wakeups = lentWakeups(kept.wakeups);
  let closed = false;
  return {
    url: kept.test.url,
    database: {
      ...kept.database,
      async close() {
        closed = true;
        await kept.database.close();
      },
    },
    wakeups,
    async queue() {
      kept.queue ??= createJobQueue({
        url: `${kept.test.url}&application_name=${queueName}`,
        onError: (error) => kept.onEffectError(error),
      });
      return { ...(await kept.queue), close: async () => undefined };
    },
    async giveBack() {
      wakeups.end();
      if (!closed && (await isAlone(kept)) && (await empty(kept))) {
        kept.database.time({ onStatement: () => undefined, onBegin: () => undefined });
        free.push(kept);
        return;
      }
      if (!closed) await kept.database.close();
      await kept.wakeups.stop();
      await (await kept.queue)?.close();
      await kept.test.close();
    },
  };
}

async function make(): Promise<Kept> {
  const test = await createTestDatabase();
  const kept: Kept = {
    test,
    shape: '',
    wakeups: createWakeups({ url: test.url, onError: () => undefined }),
    queue: undefined,
    onEffectError: () => undefined,
    database: createDatabase({ url: test.url, connections, onEffectError: (error) => kept.onEffectError(error) }),
  };
  kept.shape = await shapeOf(kept.database);
  await kept.wakeups.start();
  return kept;
}

/** What one test asks to be woken for, over the connection that stays. */
function lentWakeups(kept: Wakeups): Wakeups & { end(): void } {
  const subscriptions = new Set<() => void>();
  let isStarted = true;
  return {
    subscribe(topic, id, wake) {
      const unsubscribe = kept.subscribe(topic, id, (woken) => {
        if (isStarted) wake(woken);
      });
      subscriptions.add(unsubscribe);
      return () => {
        subscriptions.delete(unsubscribe);
        unsubscribe();
      };
    },
    async start() {
      isStarted = true;
    },
    async stop() {
      isStarted = false;
    },
    end() {
      for (const unsubscribe of subscriptions) unsubscribe();
    },
  };
}

/** False: something of the test is still connected or at work, and does not end. */
async function isAlone({ database }: Kept): Promise<boolean> {
  const others = async () => {
    const [row] = await database.db.$queryRaw<{ sessions: number }[]>`
      SELECT count(*)::int AS sessions FROM pg_stat_activity WHERE datname = current_database() AND backend_type = 'client backend'
        AND application_name <> ${queueName}`;
    const { busy, idle } = database.pool();
    // One more hears the wake-ups.
    return busy > 0 || row?.sessions !== idle + 1;
  };
  try {
    return await waitFor('all others to be gone', async () => !(await others()), { timeoutMs: 1000 });
  } catch {
    return false;
  }
}

/** Changes when a relation, function, trigger or constraint was made, changed or removed, or a migration has run. */
async function shapeOf({ db }: Database): Promise<string> {
  const [row] = await db.$queryRaw<{ shape: string }[]>`
    SELECT md5(string_agg(entry, ' ' ORDER BY entry)) AS shape FROM (
      SELECT 'class ' || oid || ' ' || xmin AS entry FROM pg_class WHERE oid >= 16384
      UNION ALL SELECT 'proc ' || oid || ' ' || xmin FROM pg_proc WHERE oid >= 16384
      UNION ALL SELECT 'trigger ' || oid || ' ' || xmin FROM pg_trigger
      UNION ALL SELECT 'constraint ' || oid || ' ' || xmin FROM pg_constraint WHERE oid >= 16384
      UNION ALL SELECT 'migrations ' || count(*) FROM "_prisma_migrations"
    ) AS entries`;
  return row?.shape ?? '';
}

/** Takes all rows out, but of what migrations have been applied. False: the tables are not what they were. */
async function empty({ database, shape }: Kept): Promise<boolean> {
  if ((await shapeOf(database)) !== shape) return false;
  await database.db.$executeRawUnsafe(`DO $$
    DECLARE
      one regclass;
      filled boolean;
    BEGIN
      -- Without triggers, those of foreign keys included.
      SET LOCAL session_replication_role = replica;
      FOR one IN SELECT oid FROM pg_class WHERE relkind = 'r' AND oid >= 16384 AND relname NOT LIKE '%migration%' LOOP
        EXECUTE format('SELECT EXISTS (SELECT FROM %s)', one) INTO filled;
        IF filled THEN EXECUTE format('DELETE FROM %s', one); END IF;
      END LOOP;
      PERFORM setval(seqrelid, seqstart, false) FROM pg_sequence;
    END $$`);
  return true;
}
