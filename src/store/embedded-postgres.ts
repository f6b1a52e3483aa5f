import type { ChildProcess } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { chmod, chown, mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as delay } from 'node:timers/promises';
import pg from 'pg';
import { AppError } from '../contracts/errors.ts';
import type { Logger } from '../runtime/logger.ts';
import { type PostgresLaunch, preparePostgresLaunch } from './postgres-launch.ts';
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

const database = 'deckhand';
const port = 5432; // only part of the socket's file name
/** Longest path of a unix socket that all systems take. */
const longestSocketPath = 100;
const readyWithinMs = 60_000;
const restartsInARow = 5;

/** Chosen for a single small program: few processes, little memory, full durability. */
const settings = [
  'listen_addresses=',
  'unix_socket_permissions=0700',
  `port=${port}`,
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
  const home = join(options.dataDir, 'postgres');
  const files = { data: join(home, 'data'), password: join(home, 'password') };
  const socketDir = socketDirFor(home);
  let launch: PostgresLaunch | undefined;
  let server: ChildProcess | undefined;
  let ended: Promise<void> = Promise.resolve();
  let stopping = false;
  let password = '';

  function url(name: string): string {
    return `postgresql://${database}:${password}@localhost:${port}/${name}?host=${encodeURIComponent(socketDir)}`;
  }

  async function initialise(with_: PostgresLaunch): Promise<void> {
    // Built beside its place and moved there when complete: an interrupted first start leaves nothing that looks like a database.
    const draft = `${home}.new`;
    await rm(draft, { recursive: true, force: true });
    await mkdir(draft, { mode: 0o711 });
    await mkdir(join(draft, 'data'), { mode: 0o700 });
    await writeFile(join(draft, 'password'), `${randomBytes(24).toString('base64url')}\n`, { mode: 0o600 });
    if (with_.owner !== undefined) {
      for (const path of [draft, join(draft, 'data'), join(draft, 'password')])
        await chown(path, with_.owner.uid, with_.owner.gid);
    }
    const child = with_.run(
      with_.initdb,
      [
        `--pgdata=${join(draft, 'data')}`,
        `--username=${database}`,
        `--pwfile=${join(draft, 'password')}`,
        '--auth=scram-sha-256',
        '--encoding=UTF8',
        '--locale=C',
        '--locale-provider=builtin',
        '--builtin-locale=C.UTF-8',
        '--wal-segsize=8',
        '--no-instructions',
      ],
      ['ignore', 'pipe', 'pipe'],
    );
    const lines = collectLines(child, () => undefined);
    const code = await exitOf(child);
    if (code !== 0) throw new Error(`initdb ended with ${code}: ${lines.join(' ')}`);
    await rename(draft, home);
  }

  async function launchServer(with_: PostgresLaunch): Promise<void> {
    const args = ['-D', files.data, '-k', socketDir, ...[...settings, ...(options.settings ?? [])].flatMap((one) => ['-c', one])];
    const child = with_.run(with_.postgres, args, ['ignore', 'pipe', 'pipe']);
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
  async function launchAfterOrphans(with_: PostgresLaunch): Promise<void> {
    await endLeftoverServer(files.data, logger);
    const until = performance.now() + 15_000;
    for (;;) {
      try {
        return await launchServer(with_);
      } catch (error) {
        if (performance.now() > until || !messageOf(error).includes('pre-existing shared memory block')) throw error;
        await delay(50);
      }
    }
  }

  /** A server that ends by itself, for example killed for want of memory, is started again; clients reconnect to the same address. */
  async function keepRunning(with_: PostgresLaunch): Promise<void> {
    let restarts = 0;
    while (!stopping) {
      const since = performance.now();
      await ended;
      if (stopping) return;
      restarts = performance.now() - since > 60_000 ? 1 : restarts + 1;
      logger.error({ restarts }, 'the database has ended by itself');
      try {
        if (restarts > restartsInARow) throw new Error(`the database ended ${restarts} times in a row`);
        await launchAfterOrphans(with_);
        logger.warn('the database runs again');
      } catch (error) {
        options.onGone?.(new AppError('DH-102', { dir: home, detail: messageOf(error) }, { cause: error }));
        return;
      }
    }
  }

  async function makeDatabase(): Promise<void> {
    for (const name of [database, 'postgres']) {
      const client = new pg.Client({ connectionString: url(name) });
      try {
        await client.connect();
        if (name === 'postgres') await client.query(`CREATE DATABASE ${database}`);
        return;
      } catch (error) {
        const noSuchDatabase = '3D000';
        if (!(error instanceof pg.DatabaseError && error.code === noSuchDatabase && name === database)) throw error;
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
    const timer = setTimeout(() => child.kill('SIGKILL'), signal === 'SIGQUIT' ? 10_000 : 30_000);
    await ended;
    clearTimeout(timer);
    process.off('exit', endWithProcess);
    await rm(socketDir, { recursive: true, force: true });
  }

  function endWithProcess(): void {
    server?.kill('SIGINT');
  }

  return {
    get url() {
      if (password === '') throw new Error('the address is known once the server has started');
      return url(database);
    },
    async start() {
      if (server !== undefined || stopping) throw new Error('an embedded server starts once');
      try {
        launch = preparePostgresLaunch([options.dataDir]);
        if ((await versionOf(files.data)) === undefined) await initialise(launch);
        await checkVersion(files.data);
        password = (await readFile(files.password, 'utf8')).trim();
        await makeSocketDir(socketDir, launch);
        await launchAfterOrphans(launch);
        process.on('exit', endWithProcess);
        await makeDatabase();
      } catch (error) {
        await end('SIGQUIT');
        throw new AppError('DH-102', { dir: home, detail: messageOf(error) }, { cause: error });
      }
      void keepRunning(launch);
    },
    stop: () => end('SIGINT'),
    abort: () => end('SIGQUIT'),
  };
}

function socketDirFor(home: string): string {
  const inside = join(home, 'run');
  const file = join(inside, `.s.PGSQL.${port}`);
  if (Buffer.byteLength(file) <= longestSocketPath) return inside;
  return join(tmpdir(), `deckhand-${createHash('sha256').update(home).digest('hex').slice(0, 16)}`);
}

async function makeSocketDir(dir: string, launch: PostgresLaunch): Promise<void> {
  await rm(dir, { recursive: true, force: true });
  await mkdir(dir, { mode: 0o700 });
  if (launch.owner !== undefined) await chown(dir, launch.owner.uid, launch.owner.gid);
  await chmod(dir, 0o700);
}

async function versionOf(data: string): Promise<string | undefined> {
  try {
    return (await readFile(join(data, 'PG_VERSION'), 'utf8')).trim();
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
    throw error;
  }
}

const bundledVersion = '18';

async function checkVersion(data: string): Promise<void> {
  const version = await versionOf(data);
  if (version === bundledVersion) return;
  throw new Error(`the files were made by PostgreSQL ${version}, this version of Deckhand brings ${bundledVersion}`);
}

/** Hands each line of both outputs to `onLine` and keeps the last few for an error message. */
function collectLines(child: ChildProcess, onLine: (line: string) => void): string[] {
  const last: string[] = [];
  for (const stream of [child.stdout, child.stderr]) {
    if (stream === null) continue;
    createInterface({ input: stream }).on('line', (line) => {
      if (line === '') return;
      last.push(line);
      if (last.length > 8) last.shift();
      onLine(line);
    });
  }
  return last;
}

/** Exit code, or the name of the signal. Rejects when the program could not be run. */
function exitOf(child: ChildProcess): Promise<number | string> {
  const { promise, resolve, reject } = Promise.withResolvers<number | string>();
  child.once('error', reject);
  child.once('close', (code, signal) => resolve(code ?? signal ?? 'an unknown end'));
  return promise;
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
