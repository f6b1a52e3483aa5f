import { type ChildProcess, execFile, fork } from 'node:child_process';
import { mkdtemp, readFile, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, expect, test } from 'vitest';

const main = fileURLToPath(new URL('../../src/main.js', import.meta.url));
const holder = fileURLToPath(new URL('../support/embedded-child.ts', import.meta.url));
let dir: string;
let holding: ChildProcess | undefined;

beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'deckhand-cli-'));
});

afterEach(async () => {
  if (holding !== undefined) {
    const ended = new Promise((resolve) => holding?.once('exit', resolve));
    holding.kill('SIGTERM');
    await ended;
    holding = undefined;
  }
  await rm(dir, { recursive: true, force: true });
});

interface Outcome {
  code: number | string;
  out: string;
  err: string;
}

/** Runs `deckhand …` as a process of its own, with nothing in its environment but what is given, and without the need for a container engine. */
function deckhand(args: string[], env: Record<string, string> = {}): Promise<Outcome> {
  const { promise, resolve } = Promise.withResolvers<Outcome>();
  const environment = { PATH: process.env.PATH ?? '', HOME: dir, SANDBOX: 'local', ...env };
  execFile(process.execPath, [main, ...args], { cwd: dir, env: environment, encoding: 'utf8' }, (error, out, err) =>
    resolve({ code: error === null ? 0 : (error.code ?? 'killed'), out, err }),
  );
  return promise;
}

async function hold(dataDir: string): Promise<number> {
  const child = fork(holder, [dataDir], { stdio: ['ignore', 'inherit', 'inherit', 'ipc'], execArgv: [] });
  holding = child;
  await new Promise((resolve) => child.once('message', resolve));
  return child.pid ?? Number.NaN;
}

test('help and version answer without any configuration', async () => {
  const version = JSON.parse(await readFile(new URL('../../package.json', import.meta.url), 'utf8')).version;
  expect(await deckhand(['version'])).toEqual({ code: 0, out: `${version}\n`, err: '' });
  const help = await deckhand([]);
  expect(help).toEqual(await deckhand(['help']));
  expect(help.out).toContain('deckhand start');
});

test('an unknown command shows the help and exit code 64', async () => {
  const { code, err } = await deckhand(['strat']);
  expect(code).toBe(64);
  expect(err).toContain('There is no command `strat`.');
});

test('a wrong configuration names all problems on standard error, no value, and exit code 78', async () => {
  const { code, out, err } = await deckhand(['start'], { PORT: 'drei', DECKHAND_SECRET_KEY: 'hunter2' });
  expect([code, out]).toEqual([78, '']);
  expect(err).toContain('Configuration is not valid (DH-100)');
  expect(err).toContain('PORT must be');
  expect(err).toContain('DECKHAND_SECRET_KEY must be');
  expect(err).not.toMatch(/drei|hunter2/);
});

test.each(['gateway', 'runner'])('the role %s alone needs a database that the other role shares', async (role) => {
  const { code, err } = await deckhand([role]);
  expect(code).toBe(78);
  expect(err).toContain(`DATABASE_URL is needed by \`deckhand ${role}\``);
});

test('a second start on a data directory in use says which process has it', async () => {
  const pid = await hold(join(dir, 'data'));
  const { code, err } = await deckhand(['start'], { DECKHAND_DATA_DIR: join(dir, 'data'), PORT: '0' });
  expect(code).toBe(1);
  expect(err).toContain(`The data directory is in use (DH-101)\n  Another Deckhand (process ${pid}, since `);
});

test('the manifest is JSON that Slack can read, for both ways to connect', async () => {
  const socket = await deckhand(['slack', 'manifest']);
  expect(JSON.parse(socket.out)).toMatchObject({ settings: { socket_mode_enabled: true } });
  const http = await deckhand(['slack', 'manifest', '--http'], { PUBLIC_URL: 'https://deckhand.example.com/' });
  expect(JSON.parse(http.out)).toMatchObject({
    settings: { event_subscriptions: { request_url: 'https://deckhand.example.com/slack/events' } },
  });
  expect((await deckhand(['slack', 'manifest', '--http'])).code).toBe(78);
});

test('doctor on a fresh machine changes nothing and finds nothing wrong with it', async () => {
  const data = join(dir, 'data');
  const { code, out } = await deckhand(['doctor'], { DECKHAND_DATA_DIR: data });
  // Commands of these tests run on the machine itself: nothing is broken, but that is not to be overlooked.
  expect([code, out]).toEqual([0, expect.stringContaining('0 failed, 1 to look at, 6 in order.')]);
  expect(out).toMatch(/▸ sandbox local +isolation: None: .*\n +Let commands run in containers: SANDBOX=docker/);
  expect(out).toMatch(/✔ node +Node 24/);
  expect(out).toMatch(/✔ git +git version/);
  expect(out).toMatch(/✔ database +The first start makes the embedded database\./);
  await expect(stat(data)).rejects.toMatchObject({ code: 'ENOENT' });
});

test('doctor looks at the database of a Deckhand that runs, and at one that does not', async () => {
  const data = join(dir, 'data');
  const env = { DECKHAND_DATA_DIR: data, PORT: '1' };
  await hold(data);
  const running = await deckhand(['doctor'], env);
  expect(running.out).toMatch(/✔ database +PostgreSQL 18/);
  // The process that holds the directory has no web server: that is what doctor must say.
  expect(running.out).toMatch(/✖ server +Nothing answers at http:\/\/127\.0\.0\.1:1\/readyz/);
  expect(running.code).toBe(1);

  const ended = new Promise((resolve) => holding?.once('exit', resolve));
  holding?.kill('SIGTERM');
  await ended;
  holding = undefined;
  const stopped = await deckhand(['doctor'], env);
  expect(stopped.out).toMatch(/✔ database +PostgreSQL 18/);
  expect(stopped.out).not.toContain('server');
});

test('doctor asks Slack itself whether the token works', async () => {
  const slack = { SLACK_BOT_TOKEN: 'xoxb-1', SLACK_APP_TOKEN: 'xapp-1', SLACK_API_URL: 'http://127.0.0.1:9/api/' };
  const { code, out } = await deckhand(['doctor'], { DECKHAND_DATA_DIR: join(dir, 'data'), ...slack });
  expect(code).toBe(1);
  expect(out).toMatch(/✖ slack +Slack cannot be reached/);
  expect(out).toContain('1 failed');
});

test('doctor names a database that does not answer, without its password', async () => {
  const env = {
    DATABASE_URL: 'postgresql://u:hunter2@127.0.0.1:1/d',
    DECKHAND_SECRET_KEY: Buffer.alloc(32, 1).toString('base64'),
  };
  const { code, out, err } = await deckhand(['doctor'], env);
  expect(code).toBe(1);
  expect(out).toMatch(/✖ database .*127\.0\.0\.1:1 \(DH-103\)/);
  expect(out + err).not.toContain('hunter2');
});
