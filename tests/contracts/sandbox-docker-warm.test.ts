import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Docker from 'dockerode';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createDockerSandbox, type DockerSandboxOptions, dockerCapabilities } from '../../runner/sandbox/docker.ts';
import type { Sandbox } from '../../runner/sandbox/port.ts';
import { removeDisks } from '../support/disk-traces.ts';
import { isolationContract } from './sandbox-isolation.ts';
import { lifeContract } from './sandbox-life.ts';
import { reattachContract } from './sandbox-reattach.ts';
import { createBench } from './sandbox-subject.ts';

/**
 * The same promises of sandboxes that ran before it was known for which run, where it can make a difference: each run announces itself
 * and gets one that was made ahead. tests/integration/sandbox-warm.test.ts has what is theirs alone, their gateways among it.
 */
const docker = new Docker({ socketPath: '/var/run/docker.sock' });
const options: DockerSandboxOptions = {
  engine: { socketPath: '/var/run/docker.sock' },
  instance: `warm-${randomBytes(4).toString('hex')}`,
  image: 'deckhand-sandbox:1',
  warm: { size: 0, root: '' },
};
const opened: Sandbox[] = [];
const troubles: unknown[] = [];
let place = '';

beforeAll(async () => {
  place = await mkdtemp(join(tmpdir(), 'deckhand-warm-'));
  // What a process of its own is told must be plain data; it has the directory by reference.
  if (options.warm !== undefined) options.warm.root = join(place, 'warm');
});

function open(engine = options.engine): Sandbox {
  const warm = { size: 0, root: join(place, 'warm'), onTrouble: (error: unknown) => void troubles.push(error) };
  const sandbox = createDockerSandbox({ ...options, engine, warm });
  opened.push(sandbox);
  return {
    ...sandbox,
    async create(spec, signal) {
      sandbox.expect(spec);
      await sandbox.create(spec, signal);
    },
  };
}

describe('sandbox contract: docker, made ahead', () => {
  const bench = createBench({
    name: 'docker, made ahead',
    capabilities: dockerCapabilities,
    open,
    unreachable: () => open({ socketPath: '/nonexistent/docker.sock' }),
    recipe: { kind: 'docker', options: { ...options } },
    async leaveHalfMade(run) {
      const labels = { 'deckhand.instance': options.instance, 'deckhand.run': run, 'deckhand.role': 'disk' };
      await docker.createContainer({ Image: options.image, Labels: labels });
    },
    async nearlyFull() {
      return { sandbox: open(), limits: { diskBytes: 48 * 1024 ** 2 } };
    },
  });
  describe('life', () => lifeContract(bench));
  describe('after kill -9 of the runner', () => reattachContract(bench));
  describe('isolation', () => isolationContract(bench));
});

it('leaves nothing behind', async () => {
  await Promise.all(opened.map((sandbox) => sandbox.close()));
  expect(troubles).toEqual([]);
  expect(await createDockerSandbox(options).list()).toEqual([]);
});

afterAll(async () => {
  await removeDisks(options.instance);
  await rm(place, { recursive: true, force: true });
});
