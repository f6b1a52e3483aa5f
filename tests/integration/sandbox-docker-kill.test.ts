import { fork } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import Docker from 'dockerode';
import { afterAll, expect, it } from 'vitest';
import { createDockerSandbox } from '../../runner/sandbox/docker.ts';
import { defaultSandboxLimits } from '../../runner/sandbox/port.ts';
import { eventually } from '../support/wait-for.ts';

const docker = new Docker({ socketPath: '/var/run/docker.sock' });
const options = {
  engine: { socketPath: '/var/run/docker.sock' },
  instance: `kill-${randomBytes(4).toString('hex')}`,
  image: 'deckhand-sandbox:1',
};
const program = fileURLToPath(new URL('../contracts/sandbox-churn.ts', import.meta.url));

afterAll(async () => {
  for (const name of ['disks']) await docker.getVolume(`deckhand-${options.instance}-${name}`).remove();
});

it('promise 8: wherever a runner is killed while it makes and removes sandboxes, the list finds what is left and destroy takes it', async () => {
  const sandbox = createDockerSandbox({ ...options, disk: 'ext4' });
  const limits = { ...defaultSandboxLimits, diskBytes: 16 * 1024 ** 2 };
  for (let round = 0; round < 12; round++) {
    const child = fork(program, { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
    child.send({ options, limits });
    await once(child, 'message');
    // The moment of death is the point of the test; it walks through create, start and destroy.
    await delay(40 + round * 65);
    child.kill('SIGKILL');
    await once(child, 'exit');
    // A request of the dead process may still be on its way through the engine; it is found in the next look.
    await eventually(async () => {
      for (const { run } of await sandbox.list()) await sandbox.destroy(run);
      expect(await sandbox.list()).toEqual([]);
    });
  }
  const label = [`deckhand.instance=${options.instance}`];
  expect(await docker.listContainers({ all: true, filters: { label } })).toEqual([]);
  const files = await filesIn(`deckhand-${options.instance}-disks`);
  expect(files).toEqual(['lock']);
}, 120_000);

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
