import type { Config } from './config.ts';
import type { JobQueue } from './contracts/jobs.ts';
import { createKeyRing } from './key-ring.ts';
import { createKeyHolder } from './keys/holder.ts';
import { createJobQueue } from './queue/bullmq-queue.ts';
import type { Clock } from './runtime/clock.ts';
import { createLifecycle, type Lifecycle } from './runtime/lifecycle.ts';
import type { Logger } from './runtime/logger.ts';
import type { RedisAddress } from './runtime/redis-address.ts';
import { createSecretBox, type SecretBox } from './runtime/secret-box.ts';
import { type DataDir, type DataDirRole, openDataDir } from './store/data-dir.ts';
import { createDatabase, type Database } from './store/database.ts';
import { createDatabaseClock, type DatabaseClock, timeOf } from './store/database-clock.ts';
import { createEmbeddedPostgres } from './store/embedded-postgres.ts';
import { readInstallationId } from './store/installation.ts';
import { migrate } from './store/migrate.ts';
import { createWakeups, type Wakeups } from './store/wakeups.ts';

/** What both roles stand on, once started. */
export interface Infrastructure {
  dataDir: DataDir;
  database: Database;
  wakeups: Wakeups;
  queue: JobQueue;
  secretBox: SecretBox;
  /** The time that all processes have in common: that of the database. */
  clock: Clock;
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
  let clock: DatabaseClock | undefined;
  let redis: SharedRedis | undefined;

  const directory = {
    name: 'data directory',
    async start() {
      dataDir = openDataDir(config.dataDir, roles);
      secretBox = createSecretBox(createKeyRing(config, dataDir.secretKeys));
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
      const onWakeError = (error: unknown) => logger.warn({ err: error }, 'the wake-up connection broke');
      redis = config.redis === undefined ? undefined : await useRedis(config.redis, address, logger);
      const overRedis = redis === undefined ? undefined : await wakeupsOver(redis, onWakeError);
      database = createDatabase({
        url: address,
        connections: poolConnections,
        announce: overRedis?.announce,
        onEffectError: (error) => logger.warn({ err: error }, 'an effect after a commit failed; a sweep repeats it'),
      });
      wakeups = overRedis ?? createWakeups({ url: address, onError: onWakeError });
      await wakeups.start();
      const asked = database;
      clock = createDatabaseClock({
        ask: () => timeOf(asked),
        onError: (error) => logger.warn({ err: error }, 'the database did not tell the time'),
      });
      await clock.start();
    },
    async stop() {
      clock?.stop();
      await wakeups?.stop();
      await database?.close();
    },
  };
  const jobs = {
    name: 'queue',
    async start() {
      queue = await createJobQueue({
        url: known(url),
        redis,
        onError: (error, context) =>
          logger.warn({ err: error, ...context }, context.job === undefined ? 'the queue does not answer' : 'a job failed'),
      });
    },
    async stop() {
      await queue?.close();
    },
  };

  /** Says in the database which keys this process has. */
  const keys = createKeyHolder({
    role: roles.join(', '),
    source: config.secretKey === undefined ? 'file' : 'environment',
    get: () => ({ host: known(dataDir).hostId, secretBox: known(secretBox), database: known(database) }),
    logger,
  });

  return {
    lifecycle: createLifecycle([directory, ...(config.databaseUrl === undefined ? [embedded] : []), store, keys, jobs], logger),
    get: () => ({
      dataDir: known(dataDir),
      database: known(database),
      wakeups: known(wakeups),
      queue: known(queue),
      secretBox: known(secretBox),
      clock: known(clock),
    }),
  };
}

/** A Redis, and by which id this installation is told apart from others that use it. */
interface SharedRedis {
  address: RedisAddress;
  installation: string;
}

/** Its driver is loaded only where it is used. */
async function useRedis(address: RedisAddress, databaseUrl: string, logger: Logger): Promise<SharedRedis> {
  const { examineRedis, memoryAdvice } = await import('./queue/redis.ts');
  const { version, ...memory } = await examineRedis(address);
  const installation = await readInstallationId(databaseUrl);
  logger.info({ version, installation }, 'jobs and wake-ups go over Redis');
  const advice = memoryAdvice(memory);
  if (advice !== undefined) logger.warn(advice);
  return { address, installation };
}

async function wakeupsOver(redis: SharedRedis, onError: (error: unknown) => void) {
  const { createRedisWakeups } = await import('./queue/redis-wakeups.ts');
  return createRedisWakeups({ ...redis, onError });
}

function known<T>(part: T | undefined): T {
  if (part === undefined) throw new Error('the infrastructure has not been started');
  return part;
}
