import type { ChildProcess } from 'node:child_process';
import { chmod, chown, mkdir, readFile, rm } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';
import pg from 'pg';
import { AppError } from '../contracts/errors.ts';
import { errorText } from '../runtime/error-text.ts';
import type { Logger } from '../runtime/logger.ts';
import { embeddedDatabase, embeddedFiles, embeddedPort, embeddedUrl } from './postgres-address.ts';
import { initialise } from './postgres-init.ts';
import { collectLines, exitOf, type PostgresLaunch, preparePostgresLaunch } from './postgres-launch.ts';
import { endLeftoverServer } from './postgres-leftover.ts';

/** A PostgreSQL server that belongs to this process and is reached over a unix socket only. */
export interface EmbeddedPostgres {
  /** For any client that understands libpq's addresses: the `host` parameter names the directory of the socket. */
  readonly url: string;
  /** Makes the database if it is the first start, ends what a killed predecessor left, starts the server. Throws DH-102. */
  start(): Promise<void>;
  /** Disconnects clients, writes a checkpoint, ends. Idempotent. */
  stop(): Promise<void>;
  /** Ends at once; the next start recovers from the log. Nothing committed is lost. */
  abort(): Promise<void>;
}

export interface EmbeddedPostgresOptions {
  /** A directory that this process holds (see data-dir.ts); everything lies in `<dataDir>/postgres`. */
  dataDir: string;
  logger: Logger;
  /** Further `name=value` settings of the server. */
  settings?: readonly string[] | undefined;
  /** Called when the server has ended by itself again and again and stays down. */
  onGone?: ((error: Error) => void) | undefined;
}

const readyWithinMs = 60_000;
const restartsInARow = 5;

/** Chosen for a single small program: few processes, little memory, full durability. */
const settings = [
  'listen_addresses=',
  'unix_socket_permissions=0700',
  `port=${embeddedPort}`,
  'max_connections=60',
  'shared_buffers=24MB',
  'work_mem=4MB',
  'maintenance_work_mem=16MB',
  'max_wal_size=256MB',
  'min_wal_size=32MB',
  'wal_level=minimal',
  'max_wal_senders=0',
  'max_worker_processes=2',
  'max_parallel_workers=0',
  'max_logical_replication_workers=0',
  'autovacuum_max_workers=1',
  'io_method=sync',
  'jit=off',
  'huge_pages=off',
  'log_min_messages=log', // statements that fail are the caller's to report
  'log_checkpoints=off',
  'logging_collector=off',
];

export function createEmbeddedPostgres(options: EmbeddedPostgresOptions): EmbeddedPostgres {
  const { logger } = options;
  const files = embeddedFiles(options.dataDir);
  const { home, socketDir } = files;
  let server: ChildProcess | undefined;
  let ended: Promise<void> = Promise.resolve();
  let supervision: Promise<void> = Promise.resolve();
  let stopping = false;
  let password = '';

  async function launchServer(launch: PostgresLaunch): Promise<void> {
    if (stopping) throw new Error('it is being stopped');
    const args = ['-D', files.data, '-k', socketDir, ...[...settings, ...(options.settings ?? [])].flatMap((one) => ['-c', one])];
    const child = launch.run(launch.postgres, args, ['ignore', 'pipe', 'pipe']);
    const ready = Promise.withResolvers<void>();
    const lines = collectLines(child, (line) => {
      logger.debug({ line }, 'postgres');
      if (line.includes('database system is ready to accept connections')) ready.resolve();
    });
    const exit = exitOf(child);
    exit.then(
      (code) => ready.reject(new Error(`the server ended with ${code}: ${lines.join(' ')}`)),
      (error: unknown) => ready.reject(error),
    );
    const timer = setTimeout(
      () => ready.reject(new Error(`not ready after ${readyWithinMs / 1000} s: ${lines.join(' ')}`)),
      readyWithinMs,
    );
    server = child;
    ended = exit.then(
      () => undefined,
      () => undefined,
    );
    try {
      await ready.promise;
    } catch (error) {
      child.kill('SIGKILL');
      await ended;
      throw error;
    } finally {
      clearTimeout(timer);
    }
  }

  /** Children of a killed server may live a moment longer and hold its shared memory. */
  async function launchAfterOrphans(launch: PostgresLaunch): Promise<void> {
    await endLeftoverServer(files.data, logger);
    await makeSocketDir(socketDir, launch);
    const until = performance.now() + 15_000;
    for (;;) {
      try {
        return await launchServer(launch);
      } catch (error) {
        if (performance.now() > until || !errorText(error).includes('pre-existing shared memory block')) throw error;
        await delay(50);
      }
    }
  }

  /** A server that ends by itself, for example killed for want of memory, is started again; clients reconnect to the same address. */
  async function keepRunning(launch: PostgresLaunch): Promise<void> {
    let restarts = 0;
    while (!stopping) {
      const since = performance.now();
      await ended;
      if (stopping) return;
      restarts = performance.now() - since > 60_000 ? 1 : restarts + 1;
      logger.error({ restarts }, 'the database has ended by itself');
      try {
        if (restarts > restartsInARow) throw new Error(`the database ended ${restarts} times in a row`);
        await launchAfterOrphans(launch);
        logger.warn('the database runs again');
      } catch (error) {
        if (!stopping) options.onGone?.(new AppError('DH-102', { dir: home, detail: errorText(error) }, { cause: error }));
        return;
      }
    }
  }

  async function makeDatabase(): Promise<void> {
    for (const name of [embeddedDatabase, 'postgres']) {
      const client = new pg.Client({ connectionString: embeddedUrl(files, password, name) });
      // A server that dies meanwhile is told by what was asked, or by its own end.
      client.on('error', () => undefined);
      try {
        await client.connect();
        if (name === 'postgres') await client.query(`CREATE DATABASE ${embeddedDatabase}`);
        return;
      } catch (error) {
        const noSuchDatabase = '3D000';
        if (!(error instanceof pg.DatabaseError && error.code === noSuchDatabase && name === embeddedDatabase)) throw error;
      } finally {
        await client.end();
      }
    }
  }

  async function end(signal: 'SIGINT' | 'SIGQUIT'): Promise<void> {
    stopping = true;
    const child = server;
    if (child === undefined) return;
    child.kill(signal);
    // The server itself ends children that do not obey an immediate shutdown after 5 s.
    const timer =
      signal === 'SIGINT' ? setTimeout(() => child.kill('SIGQUIT'), 30_000) : setTimeout(() => child.kill('SIGKILL'), 10_000);
    await ended;
    clearTimeout(timer);
    await supervision;
    process.off('exit', endWithProcess);
    await rm(socketDir, { recursive: true, force: true });
  }

  function endWithProcess(): void {
    server?.kill('SIGINT');
  }

  return {
    get url() {
      if (password === '') throw new Error('the address is known once the server has started');
      return embeddedUrl(files, password);
    },
    async start() {
      if (server !== undefined || stopping) throw new Error('an embedded server starts once');
      try {
        const launch = preparePostgresLaunch([options.dataDir]);
        await initialise(files, launch);
        password = (await readFile(files.password, 'utf8')).trim();
        await launchAfterOrphans(launch);
        process.on('exit', endWithProcess);
        await makeDatabase();
        supervision = keepRunning(launch);
      } catch (error) {
        await end('SIGQUIT');
        throw new AppError('DH-102', { dir: home, detail: errorText(error) }, { cause: error });
      }
    },
    stop: () => end('SIGINT'),
    abort: () => end('SIGQUIT'),
  };
}

async function makeSocketDir(dir: string, launch: PostgresLaunch): Promise<void> {
  await rm(dir, { recursive: true, force: true });
  await mkdir(dir, { mode: 0o700 });
  if (launch.owner !== undefined) await chown(dir, launch.owner.uid, launch.owner.gid);
  await chmod(dir, 0o700);
}
