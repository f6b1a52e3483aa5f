import { fork } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import Docker from 'dockerode';
import { afterAll, expect, it } from 'vitest';
import { createDockerSandbox } from '../../runner/sandbox/docker.ts';
import { defaultSandboxLimits } from '../../runner/sandbox/port.ts';
import { removeDisks } from '../support/disk-traces.ts';
import { eventually } from '../support/wait-for.ts';

const docker = new Docker({ socketPath: '/var/run/docker.sock' });
const options = {
  engine: { socketPath: '/var/run/docker.sock' },
  instance: `kill-${randomBytes(4).toString('hex')}`,
  image: 'deckhand-sandbox:1',
};
const program = fileURLToPath(new URL('../contracts/sandbox-churn.ts', import.meta.url));

afterAll(() => removeDisks(options.instance));

it('promise 8: wherever a runner is killed while it makes and removes sandboxes, the list finds what is left and destroy takes it', async () => {
  const sandbox = createDockerSandbox({ ...options, disk: 'ext4' });
  const limits = { ...defaultSandboxLimits, diskBytes: 16 * 1024 ** 2 };
  // Each round dies one step of the engine later: step for the disk begun, over, container created, started … sandbox destroyed.
  for (let round = 1; round <= 14; round++) {
    const events = await docker.getEvents({ filters: { label: [`deckhand.instance=${options.instance}`], type: ['container'] } });
    const child = fork(program, { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
    child.send({ options, limits });
    await nthLine(events, round);
    child.kill('SIGKILL');
    await once(child, 'exit');
    // A request of the dead process may still be on its way through the engine; it is found in the next look.
    await eventually(async () => {
      for (const { run } of await sandbox.list()) await sandbox.destroy(run);
      expect(await sandbox.list()).toEqual([]);
    });
  }
  await sandbox.close();
  const label = [`deckhand.instance=${options.instance}`];
  expect(await docker.listContainers({ all: true, filters: { label } })).toEqual([]);
  const files = await filesIn(`deckhand-${options.instance}-disks`);
  expect(files).toEqual(['hosts', 'lock']);
}, 120_000);

async function nthLine(stream: NodeJS.ReadableStream, count: number): Promise<void> {
  let seen = 0;
  for await (const chunk of stream) {
    seen += chunk.toString().split('\n').length - 1;
    if (seen >= count) return;
  }
  throw new Error('the engine closed its events');
}

async function filesIn(volume: string): Promise<string[]> {
  const container = await docker.createContainer({
    Image: options.image,
    User: '0:0',
    Entrypoint: ['ls'],
    Cmd: ['-A', '/disks'],
    HostConfig: { Binds: [`${volume}:/disks:ro`], NetworkMode: 'none', LogConfig: { Type: 'local', Config: {} } },
  });
  try {
    await container.start();
    await container.wait();
    const frames = await container.logs({ stdout: true });
    return frames
      .toString('latin1')
      .split('\n')
      .map((line) => line.slice(8))
      .filter((line) => line !== '');
  } finally {
    await container.remove({ force: true });
  }
}
