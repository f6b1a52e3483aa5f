import type { Config } from './config.ts';
import type { JobQueue } from './contracts/jobs.ts';
import { createJobQueue } from './queue/bullmq-queue.ts';
import { createLifecycle, type Lifecycle } from './runtime/lifecycle.ts';
import type { Logger } from './runtime/logger.ts';
import { createSecretBox, type SecretBox } from './runtime/secret-box.ts';
import { type DataDir, type DataDirRole, openDataDir } from './store/data-dir.ts';
import { createDatabase, type Database } from './store/database.ts';
import { createEmbeddedPostgres } from './store/embedded-postgres.ts';
import { migrate } from './store/migrate.ts';
import { createWakeups, type Wakeups } from './store/wakeups.ts';

/** What both roles stand on, once started. */
export interface Infrastructure {
  dataDir: DataDir;
  database: Database;
  wakeups: Wakeups;
  queue: JobQueue;
  secretBox: SecretBox;
}

export interface InfrastructureParts {
  lifecycle: Lifecycle;
  /** Throws before `lifecycle.start()` has resolved. */
  get(): Infrastructure;
}

/** A server that was started together with this program may take a moment longer. */
const databaseWaitMs = 10_000;
const poolConnections = 10;

/** Data directory, database with its migrations, wake-ups and queue, in the order in which they need each other. */
export function createInfrastructure(
  config: Config,
  roles: readonly DataDirRole[],
  logger: Logger,
  onDatabaseGone: (error: Error) => void,
): InfrastructureParts {
  let dataDir: DataDir | undefined;
  let url = config.databaseUrl;
  let database: Database | undefined;
  let wakeups: Wakeups | undefined;
  let queue: JobQueue | undefined;
  let secretBox: SecretBox | undefined;

  const directory = {
    name: 'data directory',
    async start() {
      dataDir = openDataDir(config.dataDir, roles);
      secretBox = createSecretBox([config.secretKey ?? dataDir.secretKey()]);
    },
    async stop() {
      dataDir?.release();
    },
  };
  const postgres = createEmbeddedPostgres({ dataDir: config.dataDir, logger, onGone: onDatabaseGone });
  const embedded = {
    name: 'embedded database',
    async start() {
      await postgres.start();
      url = postgres.url;
    },
    stop: () => postgres.stop(),
    abort: () => postgres.abort(),
  };
  const store = {
    name: 'database',
    async start() {
      const address = known(url);
      const applied = await migrate({ url: address, waitMs: databaseWaitMs });
      if (applied.length > 0) logger.info({ migrations: applied }, 'the database is up to date');
      database = createDatabase({
        url: address,
        connections: poolConnections,
        onEffectError: (error) => logger.warn({ err: error }, 'an effect after a commit failed; a sweep repeats it'),
      });
      wakeups = createWakeups({ url: address, onError: (error) => logger.warn({ err: error }, 'the wake-up connection broke') });
      await wakeups.start();
    },
    async stop() {
      await wakeups?.stop();
      await database?.close();
    },
  };
  const jobs = {
    name: 'queue',
    async start() {
      queue = await createJobQueue({
        url: known(url),
        onError: (error, context) => logger.warn({ err: error, ...context }, 'a job failed'),
      });
    },
    async stop() {
      await queue?.close();
    },
  };

  return {
    lifecycle: createLifecycle([directory, ...(config.databaseUrl === undefined ? [embedded] : []), store, jobs], logger),
    get: () => ({
      dataDir: known(dataDir),
      database: known(database),
      wakeups: known(wakeups),
      queue: known(queue),
      secretBox: known(secretBox),
    }),
  };
}

function known<T>(part: T | undefined): T {
  if (part === undefined) throw new Error('the infrastructure has not been started');
  return part;
}
