import { type ChildProcess, execFileSync, fork } from 'node:child_process';
import { chown, mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { createLogger } from '../../src/runtime/logger.ts';
import { openDataDir } from '../../src/store/data-dir.ts';
import { createEmbeddedPostgres, type EmbeddedPostgres } from '../../src/store/embedded-postgres.ts';
import { addressOfRunning, embeddedFiles } from '../../src/store/postgres-address.ts';
import { exitOf, preparePostgresLaunch } from '../../src/store/postgres-launch.ts';
import { query } from '../support/query.ts';
import { waitFor } from '../support/wait-for.ts';

interface Answer {
  url?: string;
  error?: unknown;
}

const program = fileURLToPath(new URL('../support/embedded-child.ts', import.meta.url));
const children: ChildProcess[] = [];
const servers: EmbeddedPostgres[] = [];
let prepared: string;
let root: string;
let dir: string;

beforeAll(async () => {
  prepared = join(await mkdtemp(join(tmpdir(), 'deckhand-prepared-')), 'data');
  await mkdir(prepared, { mode: 0o711 });
  const first = createEmbeddedPostgres({ dataDir: prepared, logger: createLogger({ level: 'silent' }) });
  await first.start();
  await first.stop();
});

afterAll(() => rm(join(prepared, '..'), { recursive: true, force: true }));

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'deckhand-embedded-'));
  dir = join(root, 'data');
});

afterEach(async () => {
  for (const server of servers.splice(0)) await server.abort();
  for (const child of children.splice(0)) child.kill('SIGKILL');
  await waitFor('the servers of killed processes to end', async () => (await serverPids(dir)).length === 0);
  await rm(root, { recursive: true, force: true });
});

/** Spares a test that is not about the first start the making of the database. */
function useMadeDatabase(): void {
  execFileSync('cp', ['-a', prepared, dir]);
}

/** Starts a process that holds the directory; resolves with its first message. */
function startProcess(): { child: ChildProcess; answer: Promise<Answer> } {
  const child = fork(program, [dir], {
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    execPath: process.execPath,
    execArgv: [],
  });
  children.push(child);
  const { promise, resolve, reject } = Promise.withResolvers<Answer>();
  child.once('message', (message) => resolve(message as Answer));
  child.once('exit', (code, signal) => reject(new Error(`the process ended with ${code ?? signal}`)));
  promise.catch(() => undefined); // a test that kills the process does not ask for its answer
  return { child, answer: promise };
}

function server(options: { onGone?: (error: Error) => void } = {}): EmbeddedPostgres {
  const created = createEmbeddedPostgres({ dataDir: dir, logger: createLogger({ level: 'silent' }), ...options });
  servers.push(created);
  return created;
}

/** Process ids of the servers whose command line names the directory. */
async function serverPids(where: string): Promise<number[]> {
  const { data } = embeddedFiles(where);
  const pid = Number.parseInt(await readFile(join(data, 'postmaster.pid'), 'utf8').catch(() => ''), 10);
  if (Number.isNaN(pid)) return [];
  const command = await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '');
  return command.includes(data) ? [pid] : [];
}

const ended = (child: ChildProcess) => new Promise<number | null>((resolve) => child.once('exit', (code) => resolve(code)));

test('the first start makes the database, later ones find its content, and nothing runs in between', async () => {
  const first = startProcess();
  const { url } = await first.answer;
  await query(url, 'CREATE TABLE kept AS SELECT 42 AS answer');
  first.child.kill('SIGTERM');
  expect(await ended(first.child)).toBe(0);
  expect(await serverPids(dir)).toEqual([]);

  const second = startProcess();
  expect(await query((await second.answer).url, 'SELECT answer FROM kept')).toEqual([{ answer: 42 }]);
  expect(await addressOfRunning(dir)).toBe((await second.answer).url);
});

test('only this user can connect: the password file and the socket are closed to others, and a wrong password is refused', async () => {
  useMadeDatabase();
  const postgres = server();
  await postgres.start();
  const files = embeddedFiles(dir);
  expect((await stat(files.password)).mode & 0o777).toBe(0o600);
  expect((await stat(files.socketDir)).mode & 0o777).toBe(0o700);
  const wrong = new URL(postgres.url);
  wrong.password = 'guess';
  await expect(query(wrong.href, 'SELECT 1')).rejects.toThrow('password authentication failed');
  expect(await query(postgres.url, 'SHOW listen_addresses')).toEqual([{ listen_addresses: '' }]);
});

test('a second process on the same directory is told which process holds it', async () => {
  useMadeDatabase();
  const first = startProcess();
  await first.answer;
  expect(await startProcess().answer).toEqual({
    error: { code: 'DH-101', params: { dir, pid: expect.stringMatching(new RegExp(`^${first.child.pid}, since 20`)) } },
  });
});

test('of many processes that start at the same time exactly one gets the directory', async () => {
  const answers = await Promise.all(Array.from({ length: 4 }, () => startProcess().answer));
  expect(answers.filter((answer) => answer.url !== undefined)).toHaveLength(1);
  expect(answers.filter((answer) => answer.error !== undefined)).toHaveLength(3);
});

test('promise 8: after kill -9 the server ends too, and the next start has every committed row', async () => {
  useMadeDatabase();
  for (let round = 1; round <= 3; round += 1) {
    const { child, answer } = startProcess();
    const { url } = await answer;
    await query(url, 'CREATE TABLE IF NOT EXISTS rounds (n int)');
    await query(url, `INSERT INTO rounds VALUES (${round})`);
    child.kill('SIGKILL');
    await ended(child);
    // At once, while the server of the killed process may still be ending.
    const next = startProcess();
    expect(await query((await next.answer).url, 'SELECT count(*)::int AS n FROM rounds')).toEqual([{ n: round }]);
    next.child.kill('SIGTERM');
    await ended(next.child);
  }
  expect(await serverPids(dir)).toEqual([]);
});

test('promise 8: a server that outlived its process is ended before the next one starts', async () => {
  useMadeDatabase();
  // A server that nobody watches over: what a kill leaves where the kernel does not end the children of a killed process.
  const { data, socketDir } = embeddedFiles(dir);
  const launch = preparePostgresLaunch([dir]);
  await mkdir(socketDir, { mode: 0o700 });
  if (launch.owner !== undefined) await chown(socketDir, launch.owner.uid, launch.owner.gid);
  const orphan = launch.run(
    launch.postgres,
    ['-D', data, '-k', socketDir, '-c', 'listen_addresses='],
    ['ignore', 'pipe', 'pipe'],
  );
  const gone = exitOf(orphan);
  const url = await addressOfRunning(dir);
  await waitFor('the orphan to answer', () => query(url, 'CREATE TABLE kept AS SELECT 1 AS n'));

  const heir = startProcess();
  expect(await query((await heir.answer).url, 'SELECT n FROM kept')).toEqual([{ n: 1 }]);
  expect(await gone).toBe(0); // a clean end, not a kill
});

test('an interrupted first start leaves nothing that a later one stumbles over', async () => {
  const { child } = startProcess();
  const drafts = async () => (await readdir(dir)).filter((name) => name.startsWith('postgres.new-'));
  const draft = await waitFor('initdb to have begun', async () => {
    const [name = ''] = await drafts();
    await stat(join(dir, name, 'data', 'base'));
    return name;
  });
  child.kill('SIGKILL');
  await ended(child);
  const next = startProcess();
  expect(await next.answer).toEqual({ url: expect.stringContaining('postgresql://') });
  expect(await query((await next.answer).url, 'SELECT 1 AS one')).toEqual([{ one: 1 }]);
  next.child.kill('SIGTERM');
  await ended(next.child);
  await startProcess().answer;
  expect(await drafts()).not.toContain(draft);
});

test('a process id file whose number belongs to another program by now does not keep the server from starting', async () => {
  useMadeDatabase();
  const { data } = embeddedFiles(dir);
  await writeFile(join(data, 'postmaster.pid'), `${process.pid}\n${data}\n1700000000\n5432\n\n\n\n`);
  const next = startProcess();
  expect(await query((await next.answer).url, 'SELECT 1 AS one')).toEqual([{ one: 1 }]);
});

test('a server that is killed is started again at the same address', async () => {
  useMadeDatabase();
  const postgres = server();
  await postgres.start();
  await query(postgres.url, 'CREATE TABLE kept AS SELECT 7 AS n');
  const [pid] = await serverPids(dir);
  expect(pid).toBeDefined();
  process.kill(pid ?? Number.NaN, 'SIGKILL');
  const rows = await waitFor('the database to answer again', () => query(postgres.url, 'SELECT n FROM kept'), {
    timeoutMs: 15_000,
  });
  expect(rows).toEqual([{ n: 7 }]);
  await postgres.stop();
  expect(await serverPids(dir)).toEqual([]);
});

test('files of another version of PostgreSQL are refused, not touched', async () => {
  const { data } = embeddedFiles(dir);
  await mkdir(data, { recursive: true });
  await writeFile(join(data, 'PG_VERSION'), '15\n');
  await expect(server().start()).rejects.toMatchObject({
    code: 'DH-102',
    params: { detail: 'the files were made by PostgreSQL 15, this version of Deckhand brings 18' },
  });
  expect(await readFile(join(data, 'PG_VERSION'), 'utf8')).toBe('15\n');
});

test('a data directory with a long path works: its socket lies elsewhere', async () => {
  dir = join(dir, 'a'.repeat(60), 'b'.repeat(60));
  await mkdir(dir, { recursive: true });
  const postgres = server();
  await postgres.start();
  expect(await query(postgres.url, 'SELECT 1 AS one')).toEqual([{ one: 1 }]);
  const { socketDir } = embeddedFiles(dir);
  expect(socketDir.startsWith(dir)).toBe(false);
  await postgres.stop();
  await expect(stat(socketDir)).rejects.toMatchObject({ code: 'ENOENT' });
});

test('what belongs to a data directory is made once and kept', async () => {
  const first = openDataDir(dir, ['gateway']);
  const [hostId, key] = [first.hostId, first.secretKeys()];
  first.release();
  const second = openDataDir(dir, ['gateway']);
  expect([second.hostId, second.secretKeys()]).toEqual([hostId, key]);
  expect(key.map(({ length }) => length)).toEqual([32]);
  expect((await stat(join(dir, 'secret-key'))).mode & 0o777).toBe(0o600);
  // The other role of the same installation may run beside it.
  openDataDir(dir, ['runner']).release();
  expect(() => openDataDir(dir, ['runner', 'gateway'])).toThrow(/DH-101/);
  openDataDir(dir, ['runner']).release();
  second.release();
});

test('a data directory that cannot be made is named', async () => {
  await writeFile(dir, 'a file stands where the directory should be');
  const inside = join(dir, 'data');
  expect(() => openDataDir(inside, ['gateway'])).toThrow(`DH-107: ${inside} cannot be made, read or written: ENOTDIR`);
});
