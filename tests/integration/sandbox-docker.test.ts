import { randomBytes } from 'node:crypto';
import { rm } from 'node:fs/promises';
import { connect, createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import Docker from 'dockerode';
import { pack } from 'tar-stream';
import { afterAll, afterEach, describe, expect, it } from 'vitest';
import { createDockerSandbox } from '../../runner/sandbox/docker.ts';
import {
  defaultSandboxLimits,
  ImageMissing,
  ImageUnfit,
  NoSpace,
  type Sandbox,
  SandboxGone,
  type SandboxSpec,
  SandboxUnreachable,
} from '../../runner/sandbox/port.ts';
import { readOutput, readUntil, takeAll, toText } from '../contracts/sandbox-subject.ts';
import { removeDisks } from '../support/disk-traces.ts';
import { eventually, waitFor } from '../support/wait-for.ts';

const socketPath = '/var/run/docker.sock';
const docker = new Docker({ socketPath });
const options = { engine: { socketPath }, instance: `it-${randomBytes(4).toString('hex')}`, image: 'deckhand-sandbox:1' };
const mebibyte = 1024 * 1024;

const cleanUp: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const act of cleanUp.splice(0).reverse()) await act();
});
afterAll(() => removeDisks(options.instance));

function open(change: Partial<typeof options> & { disk?: 'tmpfs' } = {}): Sandbox {
  return createDockerSandbox({ ...options, ...change });
}

function shell(script: string, limits: Partial<SandboxSpec['limits']> = {}): SandboxSpec {
  const spec: SandboxSpec = {
    run: `run_${randomBytes(6).toString('hex')}`,
    argv: ['sh', '-c', script],
    env: {},
    limits: { ...defaultSandboxLimits, diskBytes: 32 * mebibyte, memoryBytes: 256 * mebibyte, ...limits },
    expiresAt: new Date(Date.now() + 600_000),
  };
  cleanUp.push(() => open().destroy(spec.run));
  return spec;
}

async function begin(sandbox: Sandbox, script: string, limits: Partial<SandboxSpec['limits']> = {}): Promise<string> {
  const spec = shell(script, limits);
  await sandbox.create(spec);
  await sandbox.start(spec.run);
  return spec.run;
}

const list = { argv: ['ls', '-A'] as const, timeMs: 10_000, outputBytes: 10_000 };

/** A way to the engine that can be cut. */
async function openTunnel() {
  const path = join(tmpdir(), `deckhand-tunnel-${randomBytes(4).toString('hex')}.sock`);
  const sockets = new Set<Socket>();
  const server = createServer((near) => {
    const far = connect(socketPath);
    near.pipe(far).pipe(near);
    for (const socket of [near, far]) {
      sockets.add(socket);
      socket.on('error', () => undefined).on('close', () => sockets.delete(socket));
    }
  });
  await new Promise<void>((listening) => server.listen(path, listening));
  const cut = async () => {
    server.close();
    for (const socket of sockets) socket.destroy();
    await rm(path, { force: true });
  };
  cleanUp.push(cut);
  return { engine: { socketPath: path }, cut };
}

describe('a connection to the engine that breaks', () => {
  it('ends output and wait with unreachable, and output continues at the next byte on a new one', async () => {
    const tunnel = await openTunnel();
    const through = open({ engine: tunnel.engine });
    const run = await begin(through, 'i=0; while [ $i -lt 200 ]; do i=$((i+1)); echo $i; sleep 0.01; done');
    const waiting = through.wait(run);
    waiting.catch(() => undefined);
    const cursor = { stdout: 0, stderr: 0 };
    let text = '';
    const reading = (async () => {
      for await (const { bytes } of through.output(run, cursor)) {
        text += toText(bytes);
        cursor.stdout += bytes.length;
        if (text.includes('\n20\n')) await tunnel.cut();
      }
    })();
    await expect(reading).rejects.toThrow(SandboxUnreachable);
    await expect(waiting).rejects.toThrow(SandboxUnreachable);
    text += toText((await readOutput(open(), run, cursor)).stdout);
    expect(text).toBe(Array.from({ length: 200 }, (_, i) => `${i + 1}\n`).join(''));
  });

  it('breaks collect and exec with unreachable, never with a short result', async () => {
    const run = await begin(open(), 'echo up; sleep 600');
    await readUntil(open(), run, 'up');
    const first = await openTunnel();
    const helping = open({ engine: first.engine }).exec(run, { argv: ['sleep', '20'], timeMs: 30_000, outputBytes: 1000 });
    const beforeExec = waitFor('the helper', async () =>
      toText((await open().exec(run, { ...list, argv: ['ps', 'ax'] })).stdout).includes('sleep 20'),
    );
    await Promise.race([beforeExec, helping]);
    await first.cut();
    await expect(helping).rejects.toThrow(SandboxUnreachable);
    await open().stop(run, 0);
    const second = await openTunnel();
    const collecting = (async () => {
      const wanted = { argv: ['sh', '-c', 'echo part; sleep 20'] as const, timeMs: 30_000, outputBytes: 1000 };
      for await (const _ of open({ engine: second.engine }).collect(run, wanted)) await second.cut();
    })();
    await expect(collecting).rejects.toThrow(SandboxUnreachable);
  });
});

describe('what is gone', () => {
  it('a container killed from outside ends as lost, with its output until then', async () => {
    const run = await begin(open(), 'echo before; sleep 600');
    await readUntil(open(), run, 'before');
    await docker.getContainer(`deckhand-${options.instance}-${run}`).kill({ signal: 'SIGKILL' });
    expect(await open().wait(run)).toMatchObject({ cause: 'lost', exitCode: 137 });
    expect(toText((await readOutput(open(), run)).stdout)).toBe('before\n');
  });

  it('a sandbox destroyed while it is followed ends output and wait as gone', async () => {
    const run = await begin(open(), 'echo up; sleep 600');
    const waiting = open().wait(run);
    waiting.catch(() => undefined);
    const reading = (async () => {
      for await (const _ of open().output(run, { stdout: 0, stderr: 0 })) await open().destroy(run);
    })();
    await expect(reading).rejects.toThrow(SandboxGone);
    await waiting.catch((error: unknown) => expect(error).toBeInstanceOf(SandboxGone));
  });

  it('a working copy whose device went with a restart of the host is gone, not empty and not that of another', async () => {
    const run = await begin(open(), 'echo work >result');
    await open().wait(run);
    const { Options } = await docker.getVolume(`deckhand-${options.instance}-${run}`).inspect();
    const device = Options?.device ?? '';
    expect(device).toMatch(/^\/dev\/loop\d{4,}$/);
    const script = `mknod ${device} b $(cat /sys/block/${device.slice(5)}/dev | tr : ' ') && losetup --detach ${device}`;
    const restart = await docker.createContainer({
      Image: options.image,
      Entrypoint: ['sh', '-c', script],
      User: '0:0',
      HostConfig: { NetworkMode: 'none', DeviceCgroupRules: ['b 7:* rwm'] },
    });
    cleanUp.push(() => restart.remove({ force: true }));
    await restart.start();
    const { StatusCode } = await restart.wait();
    expect(StatusCode).toBe(0);
    await expect(takeAll(open().collect(run, list))).rejects.toThrow(SandboxGone);
  });
});

it('promise 8: a command whose starter was killed just before it starts it is started, even by lives shorter than the patience with it', async () => {
  const spec = shell('echo once');
  await open().create(spec);
  const { Config } = await docker.getContainer(`deckhand-${options.instance}-${spec.run}`).inspect();
  const mark = { name: `deckhand-${options.instance}-${spec.run}-start`, Image: options.image, Labels: Config.Labels };
  await docker.createContainer(mark);
  let lives = 0;
  await eventually(
    async () => {
      lives += 1;
      await open().start(spec.run, AbortSignal.timeout(2000));
    },
    { timeoutMs: 25_000 },
  );
  // The first lives leave the other one its time.
  expect(lives).toBeGreaterThan(2);
  expect(await open().wait(spec.run)).toMatchObject({ cause: 'exit', exitCode: 0 });
}, 40_000);

it('working copies are made and removed also where another process has just removed what does that', async () => {
  const keeper = () => docker.getContainer(`deckhand-${options.instance}-keeper`);
  const run = await begin(open(), 'echo kept >note; sleep 600');
  await keeper().remove({ force: true });
  // One that is still in use is refused, and stays as it is.
  const volume = `deckhand-${options.instance}-${run}`;
  const other = await docker.createContainer({
    Image: options.image,
    Entrypoint: ['sleep', '600'],
    HostConfig: { NetworkMode: 'none', Binds: [`${volume}:/workspace:nocopy`] },
  });
  cleanUp.push(() => other.remove({ force: true }).catch(() => undefined));
  await other.start();
  await expect(open().destroy(run)).rejects.toThrow(/in use/);
  expect(await open().list()).toMatchObject([{ run, state: 'partial' }]);
  await other.remove({ force: true });
  const ends = (async () => {
    await waitFor('the keeper', async () => (await keeper().inspect()).State.Running, { everyMs: 5 });
    await keeper().remove({ force: true });
  })();
  await Promise.all([open().destroy(run), ends.catch(() => undefined)]);
  expect(await open().list()).toEqual([]);
  await expect(docker.getVolume(volume).inspect()).rejects.toThrow(/no such volume/i);
});

describe('working copies in memory', () => {
  it('keep their size limit and their content after the end of the command', async () => {
    const sandbox = open({ disk: 'tmpfs' });
    const run = await begin(sandbox, 'echo kept >note; head -c 600000000 /dev/zero >big; exit 1');
    expect(await sandbox.wait(run)).toMatchObject({ cause: 'disk_limit', exitCode: 1, oomKilled: false });
    expect(toText(Buffer.concat(await takeAll(sandbox.collect(run, { ...list, argv: ['cat', 'note'] }))))).toBe('kept\n');
    await sandbox.destroy(run);
    expect(await sandbox.list()).toEqual([]);
  });

  it('are gone, and not silently empty, when the engine was restarted', async () => {
    const sandbox = open({ disk: 'tmpfs' });
    const spec = shell('true');
    await sandbox.create(spec);
    const archive = pack();
    archive.entry({ name: 'file' }, 'text');
    archive.finalize();
    await sandbox.copyIn(spec.run, Readable.from(archive));
    await docker.getContainer(`deckhand-${options.instance}-${spec.run}-holder`).kill();
    await expect(sandbox.start(spec.run)).rejects.toThrow(SandboxGone);
    await expect(takeAll(sandbox.collect(spec.run, list))).rejects.toThrow(SandboxGone);
  });
});

it('output that comes drop by drop is whole, and does not become a record a drop', async () => {
  const run = await begin(open(), `python3 -c 'import os\nfor i in range(100000): os.write(1, b"x")'`);
  expect((await readOutput(open(), run)).stdout).toEqual(Buffer.alloc(100_000, 'x'));
  const log = await docker.getContainer(`deckhand-${options.instance}-${run}`).logs({ stdout: true, stderr: true });
  expect(log.toString('latin1').split('\n').length).toBeLessThan(2000);
});

describe('what an engine lacks', () => {
  it('an image that is not there is named, never pulled', async () => {
    const sandbox = open({ image: 'deckhand-no-such-image:1' });
    await expect(sandbox.create(shell('true'))).rejects.toThrow(ImageMissing);
    expect((await sandbox.probe()).find((check) => !check.ok)).toMatchObject({
      name: 'image',
      remedy: expect.stringContaining('npm run image'),
    });
  });

  it('an image that was not built for Deckhand is refused', async () => {
    const name = `deckhand-unfit-${options.instance}`;
    const empty = pack();
    empty.finalize();
    await docker.importImage(Readable.from(empty), { repo: name, tag: '1' });
    cleanUp.push(() => docker.getImage(`${name}:1`).remove());
    await waitFor('the image', async () => (await docker.getImage(`${name}:1`).inspect()).Id);
    await expect(open({ image: `${name}:1` }).create(shell('true'))).rejects.toThrow(ImageUnfit);
  });

  it('a working copy for which the disk has no room is refused before it takes any', async () => {
    await expect(open().create(shell('true', { diskBytes: 8e12 }))).rejects.toThrow(NoSpace);
  });

  it('sandboxes of another Deckhand on the same engine are not its own', async () => {
    const run = await begin(open(), 'sleep 600');
    const other = open({ instance: `${options.instance}-other` });
    expect(await other.list()).toEqual([]);
    await other.destroy(run);
    await expect(other.status(run)).rejects.toThrow(SandboxGone);
    expect((await open().status(run)).state).toBe('running');
  });
});
