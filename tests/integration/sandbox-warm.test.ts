import { execFile, fork } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { chmod, mkdir, mkdtemp, readdir, rm, statfs } from 'node:fs/promises';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import Docker from 'dockerode';
import { pack } from 'tar-stream';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { createDockerSandbox, type DockerSandboxOptions } from '../../runner/sandbox/docker.ts';
import { defaultSandboxLimits, type Sandbox, type SandboxSpec, SandboxUnreachable } from '../../runner/sandbox/port.ts';
import { quietMs } from '../../runner/sandbox/warm-plan.ts';
import { readOutput, toText } from '../contracts/sandbox-subject.ts';
import { removeDisks } from '../support/disk-traces.ts';
import { createInputGateway } from '../support/input-gateway.ts';
import { eventually, waitFor } from '../support/wait-for.ts';

const docker = new Docker({ socketPath: '/var/run/docker.sock' });
const instance = `warmth-${randomBytes(4).toString('hex')}`;
const label = [`deckhand.instance=${instance}`];
const image = 'deckhand-sandbox:1';
const mebibyte = 1024 * 1024;
const program = fileURLToPath(new URL('../contracts/sandbox-churn.ts', import.meta.url));
let place = '';
const troubles: unknown[] = [];
const cleanUp: (() => Promise<unknown>)[] = [];

beforeAll(async () => {
  place = await mkdtemp(join(tmpdir(), 'deckhand-warmth-'));
});
afterEach(async () => {
  for (const act of cleanUp.splice(0).reverse()) await act();
  expect(troubles.splice(0)).toEqual([]);
  expect(await open().list()).toEqual([]);
  expect(await readdir(join(place, 'warm')).catch(() => [])).toEqual([]);
});
afterAll(async () => {
  await removeDisks(instance);
  await rm(place, { recursive: true, force: true });
});

function optionsOf(size: number, change: Partial<DockerSandboxOptions> = {}): DockerSandboxOptions {
  return {
    engine: { socketPath: '/var/run/docker.sock' },
    instance,
    image,
    warm: { size, root: join(place, 'warm') },
    ...change,
  };
}

/** As a new life of the runner. What it keeps ready goes with the test. */
function open(size = 0, change: Partial<DockerSandboxOptions> = {}): Sandbox {
  const options = optionsOf(size, change);
  const sandbox = createDockerSandbox({
    ...options,
    warm: { size, root: join(place, 'warm'), onTrouble: (error: unknown) => void troubles.push(error) },
  });
  cleanUp.push(() => sandbox.close());
  return sandbox;
}

function shell(script: string, change: Partial<SandboxSpec> = {}): SandboxSpec {
  const spec: SandboxSpec = {
    run: `run_${randomBytes(6).toString('hex')}`,
    argv: ['sh', '-c', script],
    env: {},
    limits: { ...defaultSandboxLimits, diskBytes: 32 * mebibyte, memoryBytes: 256 * mebibyte },
    expiresAt: new Date(Date.now() + 600_000),
    ...change,
  };
  cleanUp.push(() => open().destroy(spec.run));
  return spec;
}

const slotOf = async (run: string) =>
  (await docker.getContainer(`deckhand-${instance}-${run}`).inspect()).Config.Labels['deckhand.run'] ?? '';
const waiting = async (sandbox: Sandbox) => (await sandbox.list()).filter(({ run }) => run.startsWith('warm-'));
const oneWaits = (sandbox: Sandbox) =>
  waitFor('one that waits', async () => (await waiting(sandbox)).some(({ state }) => state === 'created'), {
    timeoutMs: quietMs + 20_000,
  });

/** Creates and starts; returns what it said. */
async function complete(sandbox: Sandbox, spec: SandboxSpec): Promise<string> {
  await sandbox.create(spec);
  await sandbox.start(spec.run);
  const { stdout } = await readOutput(sandbox, spec.run);
  await sandbox.wait(spec.run);
  return toText(stdout);
}

describe('sandboxes made before their run is known', () => {
  it('promise 10: serve one run and no other, and nothing of a run is left for the next', async () => {
    const sandbox = open(1);
    const marks = 'for at in /workspace /tmp /home/deckhand; do echo mine >$at/mark; done; exit 3';
    const look = 'ls -A /workspace /tmp /home/deckhand; env | grep -c SECRET_OF';
    const first = shell(marks, { env: { SECRET_OF: 'first' } });
    sandbox.expect(first);
    await complete(sandbox, first);
    expect(await sandbox.wait(first.run)).toMatchObject({ exitCode: 3 });
    expect(await slotOf(first.run)).toMatch(/^warm-/);
    await oneWaits(sandbox);
    const [next] = await waiting(sandbox);
    // The successor is a container of its own, and goes to the next run.
    const second = shell(look);
    expect(await complete(sandbox, second)).toBe('/home/deckhand:\n\n/tmp:\n\n/workspace:\n0\n');
    expect(await slotOf(second.run)).toBe(next?.run);
    expect(await slotOf(second.run)).not.toBe(await slotOf(first.run));
    // Also when the first is over and its sandbox removed, nobody gets it; whoever removed a part of it before.
    const slot = await slotOf(first.run);
    await docker.getContainer(`deckhand-${instance}-${first.run}`).remove({ force: true });
    await sandbox.destroy(first.run);
    expect(await docker.listVolumes({ filters: { name: [slot] } })).toMatchObject({ Volumes: [] });
  }, 60_000);

  it('are hardened and limited as others are, and go only to runs that want just these limits', async () => {
    const sandbox = open(0);
    const looked = ['HostConfig.CapDrop', 'HostConfig.ReadonlyRootfs', 'HostConfig.NetworkMode', 'HostConfig.SecurityOpt'];
    const limits = [
      'Memory',
      'MemorySwap',
      'NanoCpus',
      'PidsLimit',
      'Ulimits',
      'Tmpfs',
      'OomScoreAdj',
      'IpcMode',
      'CgroupnsMode',
    ];
    const made: Record<string, unknown>[] = [];
    for (const ahead of [true, false]) {
      const spec = shell(
        'cat /run/deckhand-go/go 2>/dev/null | tr "\\0" " "; touch /run/deckhand-go/x 2>/dev/null || ls /run/deckhand-go',
      );
      if (ahead) sandbox.expect(spec);
      await sandbox.create(spec);
      const { HostConfig, Config } = await docker.getContainer(`deckhand-${instance}-${spec.run}`).inspect();
      const { User, WorkingDir, Hostname } = Config;
      made.push({
        ...Object.fromEntries(
          Object.entries(HostConfig).filter(([name]) => limits.includes(name) || looked.includes(`HostConfig.${name}`)),
        ),
        ...{ User, WorkingDir, Hostname, log: HostConfig.LogConfig },
      });
      expect((await slotOf(spec.run)).startsWith('warm-')).toBe(ahead);
      if (!ahead) continue;
      // What it runs it may see; change it cannot.
      await sandbox.start(spec.run);
      expect(toText((await readOutput(sandbox, spec.run)).stdout)).toMatch(/^1800000 .* sh -c cat .* go\n$/s);
    }
    expect(made[0]).toEqual(made[1]);
    sandbox.expect(shell('true'));
    await oneWaits(sandbox);
    const larger = shell('cat /sys/fs/cgroup/memory/memory.limit_in_bytes /sys/fs/cgroup/memory.max 2>/dev/null', {
      limits: { ...defaultSandboxLimits, diskBytes: 32 * mebibyte, memoryBytes: 300 * mebibyte },
    });
    expect((await complete(sandbox, larger)).trim()).toBe(String(300 * mebibyte));
    expect(await slotOf(larger.run)).toBe(larger.run);
  }, 60_000);

  it('see the gateway of their run, which opens when they are the run’s', async () => {
    const sandbox = open(0);
    const gateway = join(place, 'run-gateway');
    await mkdir(gateway);
    const spec = shell('cat file; curl -s --unix-socket "$DECKHAND_GATEWAY_SOCKET" http://gateway/', { gateway });
    sandbox.expect(spec);
    await sandbox.create(spec);
    expect(await slotOf(spec.run)).toMatch(/^warm-/);
    const tar = pack();
    tar.entry({ name: 'file' }, 'of the repository\n');
    tar.finalize();
    await sandbox.copyIn(spec.run, Readable.from(tar));
    const server = createServer((_, answer) => answer.end('the gateway answers')).listen(join(gateway, 'gw.sock'));
    await once(server, 'listening');
    await chmod(join(gateway, 'gw.sock'), 0o666);
    await sandbox.start(spec.run);
    expect(toText((await readOutput(sandbox, spec.run)).stdout)).toBe('of the repository\nthe gateway answers');
    server.close();
    await sandbox.destroy(spec.run);
    // It is the run's, and not the sandbox's to remove.
    expect(await readdir(place)).toContain('run-gateway');
    await rm(gateway, { recursive: true });
  }, 30_000);

  it('start the program of an agent ahead, which becomes the command of the run that wants just this, and of no other', async () => {
    const program = (mark: string) => ['sh', '-c', `: ${mark}; while read -r a; do echo "$a"; done; cat /tmp/ahead; echo "$OWN"`];
    const sandbox = open(0);
    /** What a run says for whom `wanted` was started ahead, when `then` has been done in the sandbox that waits. */
    async function say(wanted: string[], change: Partial<SandboxSpec>, then?: string): Promise<string> {
      const gateway = await mkdtemp(join(place, 'run-'));
      const [command = '', ...args] = wanted;
      const spec = shell('', {
        argv: [...sandbox.inside('').bridge, '--', ...program('wanted')],
        env: { OWN: 'of its environment', DECKHAND_RUN_TOKEN: 'dhr_test' },
        gateway,
        ahead: { name: 'reader', argv: [command, ...args], env: {}, files: [{ path: '/tmp/ahead', text: 'started ahead\n' }] },
        tell: ['told'],
        ...change,
      });
      sandbox.expect(spec);
      await oneWaits(sandbox);
      const [found] = await waiting(sandbox);
      const inside = (script: string) =>
        promisify(execFile)('docker', ['exec', `deckhand-${instance}-${found?.run}`, 'sh', '-c', script]);
      await waitFor('the program', async () => (await inside('pgrep -x sh | wc -l')).stdout.trim() >= '2');
      if (then !== undefined) await inside(then);
      await sandbox.create(spec);
      expect(await slotOf(spec.run)).toBe(found?.run);
      const inputs = await createInputGateway(gateway);
      inputs.add({ line: 'said' }, { end: true });
      await sandbox.start(spec.run);
      const { stdout } = await readOutput(sandbox, spec.run);
      expect(await sandbox.wait(spec.run)).toMatchObject({ cause: 'exit', exitCode: 0 });
      await inputs.die();
      await sandbox.destroy(spec.run);
      await rm(gateway, { recursive: true });
      return toText(stdout);
    }
    // Nobody started it for this run: nothing of its environment is there, and what it must know it is told.
    expect(await say(program('wanted'), {})).toBe('told\nsaid\nstarted ahead\n\n');
    const anew = 'said\nstarted ahead\nof its environment\n';
    expect(await say(program('another'), {})).toBe(anew);
    expect(await say(program('wanted'), { tell: undefined })).toBe(anew);
    // One that has died, with or without the bridge, costs time and nothing else.
    expect(await say(program('wanted'), {}, 'pkill -9 -o -x sh')).toBe(anew);
    expect(await say(program('wanted'), {}, "pkill -9 -f '^node /usr/local'")).toBe(anew);
  }, 60_000);

  it('are replaced when their image changes', async () => {
    const name = `deckhand-${instance}:1`;
    const { Id: old } = await docker.getImage(image).inspect();
    await docker.getImage(image).tag({ repo: `deckhand-${instance}`, tag: '1' });
    cleanUp.push(() => docker.getImage(name).remove({ force: true }));
    const sandbox = open(0, { image: name });
    const spec = shell('true');
    sandbox.expect(spec);
    await oneWaits(sandbox);
    const box = await docker.createContainer({ Image: image, Entrypoint: ['/bin/true'], Labels: {} });
    await box.commit({ repo: `deckhand-${instance}`, tag: '1', changes: 'LABEL changed=yes\nENTRYPOINT []\nCMD []' });
    await box.remove();
    await complete(sandbox, spec);
    const { Image } = await docker.getContainer(`deckhand-${instance}-${spec.run}`).inspect();
    expect(Image).not.toBe(old);
    await waitFor('the old one to go', async () => (await waiting(sandbox)).length === 0);
    await sandbox.destroy(spec.run);
  }, 60_000);

  it('promise 8: those of a process that was killed are nobody’s: they are listed as expired, and never taken', async () => {
    const child = fork(program, { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
    const spec = shell('true');
    child.send({ options: optionsOf(1), limits: spec.limits, once: true });
    const later = open(1);
    await oneWaits(later);
    child.kill('SIGKILL');
    await once(child, 'exit');
    const [left] = await waiting(later);
    expect(left).toMatchObject({ state: 'created', expiresAt: new Date(0) });
    await complete(later, spec);
    expect(await slotOf(spec.run)).toBe(spec.run);
    for (const { run } of await waiting(later)) if (run === left?.run) await later.destroy(run);
  }, 60_000);

  it('promise 8: wherever a runner is killed, its run finds its sandbox again or none, and nothing else is left', async () => {
    const limits = { ...defaultSandboxLimits, diskBytes: 16 * mebibyte, memoryBytes: 128 * mebibyte };
    // Each round dies one step of the engine later: disk, container made, started, taken, command started, ended.
    for (const round of [1, 4, 7, 8, 9, 10, 11, 12]) {
      const events = await docker.getEvents({ filters: { label, type: ['container'] } });
      const child = fork(program, { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
      child.send({ options: optionsOf(0, { disk: 'ext4' }), limits, ahead: true });
      await nthLine(events, round);
      child.kill('SIGKILL');
      await once(child, 'exit');
      const later = open();
      await eventually(async () => {
        for (const { run, expiresAt } of await later.list()) {
          if (run.startsWith('run_')) {
            // As a run that is prepared anew: whatever is there is completed, and runs once.
            const spec = shell('echo again', { run, limits });
            await later.create(spec);
            await later.start(run);
            expect((await later.wait(run)).cause).toMatch(/exit|lost/);
          } else expect(expiresAt.getTime(), run).toBeLessThan(Date.now());
          await later.destroy(run);
        }
        expect(await later.list()).toEqual([]);
      });
    }
    // What makes working copies stays for the next run.
    const left = await docker.listContainers({ all: true, filters: { label } });
    expect(left.map(({ Names }) => Names)).toEqual([[`/deckhand-${instance}-keeper`]]);
  }, 120_000);

  it('make room for a run for whose working copy the disk has none beside theirs', async () => {
    const sandbox = open(0);
    const { bavail, bsize } = await statfs((await docker.info()).DockerRootDir);
    const share = (part: number) => ({ ...defaultSandboxLimits, diskBytes: Math.floor(bavail * bsize * part) });
    // Both together are too much, and neither is, beside what other tests hold meanwhile.
    sandbox.expect({ limits: share(0.6) });
    await oneWaits(sandbox);
    const [first] = await waiting(sandbox);
    expect(await complete(sandbox, shell('echo there', { limits: share(0.5) }))).toBe('there\n');
    expect((await waiting(sandbox)).map(({ run }) => run)).not.toContain(first?.run);
  }, 60_000);

  it('keep nobody waiting: without an engine a run hears so at once, and closing removes what waits', async () => {
    const away = createDockerSandbox(optionsOf(1, { engine: { socketPath: '/nonexistent/docker.sock' } }));
    const spec = shell('true');
    away.expect(spec);
    await expect(away.create(spec)).rejects.toThrow(SandboxUnreachable);
    await away.close();
    const sandbox = open(1);
    sandbox.expect(spec);
    await oneWaits(sandbox);
    await sandbox.close();
    expect(await sandbox.list()).toEqual([]);
    // It works on, one run at a time.
    expect(await complete(sandbox, shell('echo cold'))).toBe('cold\n');
  }, 30_000);
});

async function nthLine(stream: NodeJS.ReadableStream, count: number): Promise<void> {
  let seen = 0;
  for await (const chunk of stream) {
    seen += chunk.toString().split('\n').length - 1;
    if (seen >= count) return;
  }
  throw new Error('the engine closed its events');
}
