import { execFile, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, readdir, readFile, rm, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { createLocalSandbox } from '../../runner/sandbox/local.ts';
import { localFiles } from '../../runner/sandbox/local-files.ts';
import { isAlive, procIdentity, psIdentity } from '../../runner/sandbox/local-process.ts';
import { defaultSandboxLimits, NoSpace, type Sandbox, type SandboxSpec } from '../../runner/sandbox/port.ts';
import { processesWith, readOutput, readUntil, toText, uniqueSleep } from '../contracts/sandbox-subject.ts';

let root = '';
let sandbox: Sandbox;
const path = '/usr/local/bin:/usr/bin:/bin';

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'deckhand-local-'));
  sandbox = createLocalSandbox({ root, path });
});
afterEach(async () => {
  for (const { run } of await sandbox.list()) await sandbox.destroy(run);
  await rm(root, { recursive: true, force: true });
});

function shell(script: string): SandboxSpec {
  const expiresAt = new Date(Date.now() + 600_000);
  return { run: 'run_1', argv: ['sh', '-c', script], env: {}, limits: defaultSandboxLimits, expiresAt };
}

async function begin(script: string): Promise<string> {
  await sandbox.create(shell(script));
  await sandbox.start('run_1');
  return 'run_1';
}

it('never takes another process for the command because it has the same number', async () => {
  const stranger = spawn('sleep', ['600']);
  try {
    await sandbox.create(shell('true'));
    await writeFile(join(root, 'run_1/started'), '');
    const boot = (await readFile('/proc/sys/kernel/random/boot_id', 'utf8')).trim();
    await writeFile(join(root, 'run_1/pid'), `${stranger.pid} ${stranger.pid} ${stranger.pid}\n${boot} 12345\n`);
    expect((await sandbox.status('run_1')).state).toBe('ended');
    await sandbox.stop('run_1', 0);
    expect(await sandbox.wait('run_1')).toMatchObject({ cause: 'lost', exitCode: 137 });
    await sandbox.destroy('run_1');
    expect(stranger.exitCode ?? stranger.signalCode).toBeNull();
  } finally {
    stranger.kill();
  }
});

it('promise 8: of many that start a command at once, also through several runners, one does', async () => {
  await sandbox.create(shell('echo once'));
  const runners = Array.from({ length: 8 }, () => createLocalSandbox({ root, path }));
  await Promise.all(runners.map((one) => one.start('run_1')));
  expect(await sandbox.wait('run_1')).toMatchObject({ cause: 'exit', exitCode: 0 });
  await sandbox.start('run_1');
  expect(toText((await readOutput(sandbox, 'run_1')).stdout)).toBe('once\n');
});

it('lets a command run on, also through another runner, when the clock of the machine is set an hour ahead', async () => {
  const run = await begin('echo up; until [ -e go ]; do sleep 0.1; done; sleep 0.5');
  await readUntil(sandbox, run, 'up');
  await sandbox.close();
  // As if it had begun an hour earlier by the clock of the day; its limit is less.
  const before = new Date(Date.now() - 3_600_000);
  await utimes(join(root, run, 'started'), before, before);
  const other = createLocalSandbox({ root, path });
  const ended = other.wait(run);
  await writeFile(join(root, run, 'work/go'), '');
  const result = await ended;
  expect(result).toMatchObject({ cause: 'exit', exitCode: 0 });
  expect(result.durationMs).toBeLessThan(600_000);
});

it('calls a command lost whose launcher was killed, ends what is left of it and keeps its output', async () => {
  const seconds = uniqueSleep();
  const run = await begin(`echo up; setsid sleep ${seconds} & sleep ${seconds}`);
  await readUntil(sandbox, run, 'up');
  const [leader] = (await readFile(join(root, run, 'pid'), 'utf8')).split(' ');
  process.kill(Number(leader), 'SIGKILL');
  expect(await sandbox.wait(run)).toMatchObject({ cause: 'lost', exitCode: 137 });
  expect(await processesWith(seconds)).toEqual([]);
  expect(toText((await readOutput(sandbox, run)).stdout)).toBe('up\n');
});

it('calls a command lost whose runner died between deciding to start it and starting it', async () => {
  await sandbox.create(shell('echo never'));
  await writeFile(join(root, 'run_1/started'), '');
  const before = new Date(Date.now() - 60_000);
  await utimes(join(root, 'run_1/started'), before, before);
  await sandbox.start('run_1');
  expect(await sandbox.wait('run_1')).toMatchObject({ cause: 'lost' });
  expect((await readOutput(sandbox, 'run_1')).stdout).toHaveLength(0);
});

it('starts nothing on a disk that is nearly full', async () => {
  const careful = createLocalSandbox({ root, path, minFreeBytes: 1e15 });
  await expect(careful.create(shell('true'))).rejects.toThrow(NoSpace);
  expect((await careful.probe()).find((check) => check.name === 'disk')).toMatchObject({ ok: false });
});

it('says in its probe that it isolates nothing, and what is missing', async () => {
  expect(await sandbox.probe()).toContainEqual(
    expect.objectContaining({
      name: 'isolation',
      ok: false,
      harmless: true,
      detail: expect.stringMatching(/^None.*no limits of memory/),
    }),
  );
  const bare = createLocalSandbox({ root, path: '/nonexistent' });
  expect(await bare.probe()).toContainEqual(expect.objectContaining({ name: 'programs', ok: false }));
});

it('finds agents in its PATH by the versions they tell, without the home of the user of the runner', async () => {
  const programs = await mkdtemp(join(root, 'programs-'));
  const script = (name: string, text: string) => writeFile(join(programs, name), `#!/bin/sh\n${text}\n`, { mode: 0o755 });
  await script('claude', `echo "$1 $HOME" >>${programs}/told; mkdir "$HOME/.claude"; echo "2.1.197 (Claude Code)"`);
  await script('codex', 'echo "codex-cli 0.169.0"; exit 1');
  const place = createLocalSandbox({ root: join(root, 'place'), path: `${programs}:${path}` });
  expect(await place.agents()).toEqual({ claude: '2.1.197', codex: undefined });
  const [argument, home = ''] = (await readFile(join(programs, 'told'), 'utf8')).trim().split(' ');
  expect([argument, home.startsWith(join(tmpdir(), 'deckhand-agents-')), existsSync(home)]).toEqual(['--version', true, false]);
  expect((await place.probe()).find(({ name }) => name === 'agents')?.detail).toBe('Claude Code 2.1.197, Codex missing');
  expect(await createLocalSandbox({ root, path: '/nonexistent' }).agents()).toEqual({ claude: undefined, codex: undefined });
});

it('knows a process by number and start, from /proc and from ps', async () => {
  for (const identify of [procIdentity, psIdentity]) {
    expect(await identify(process.pid)).toBe(await identify(process.pid));
    const child = spawn('sleep', ['600']);
    const pid = child.pid ?? 0;
    const first = await identify(pid);
    expect(first).toMatch(/\d/);
    child.kill('SIGKILL');
    await new Promise((ended) => child.once('exit', ended));
    expect(await identify(pid)).toBeUndefined();
  }
  expect(await isAlive({ pid: process.pid, identity: (await procIdentity(process.pid)) ?? '' })).toBe(true);
  expect(await isAlive({ pid: process.pid, identity: 'another boot 1' })).toBe(false);
});

it('keeps the first result, and lets everybody who comes to it at once go on', async () => {
  await sandbox.create(shell('true'));
  const result = { cause: 'exit', exitCode: 0, oomKilled: false } as const;
  const tries = Array.from({ length: 40 }, (_, durationMs) => localFiles(root, 'run_1').setResult({ ...result, durationMs }));
  await Promise.all(tries);
  const first = await localFiles(root, 'run_1').result();
  expect(first).toMatchObject(result);
  await localFiles(root, 'run_1').setResult({ ...result, durationMs: 99 });
  expect(await localFiles(root, 'run_1').result()).toEqual(first);
  expect((await readdir(join(root, 'run_1'))).filter((name) => name.endsWith('.new'))).toEqual([]);
});

it('a cause that no room is left for is not there at all, so that the next try gives it', async () => {
  await sandbox.create(shell('true'));
  const module = new URL('../../runner/sandbox/local-files.ts', import.meta.url);
  const script = `const { localFiles } = await import('${module}'); await localFiles('${root}', 'run_1').endBy('stopped');`;
  // As on a full disk: files can be made, and nothing can be written to them.
  const limited = ['-c', 'ulimit -f 0; exec "$0" --input-type=module -e "$1"', process.execPath, script];
  await expect(promisify(execFile)('sh', limited, { env: { PATH: path } })).rejects.toThrow('EFBIG');
  expect((await readdir(join(root, 'run_1'))).filter((name) => name.startsWith('cause'))).toEqual([]);
  const files = localFiles(root, 'run_1');
  expect([await files.endBy('timed_out'), await files.endBy('stopped')]).toEqual([true, false]);
  expect(await readFile(join(root, 'run_1/cause'), 'utf8')).toBe('timed_out');
});
