import { randomBytes } from 'node:crypto';
import Docker from 'dockerode';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { createDockerSandbox, dockerCapabilities } from '../../runner/sandbox/docker.ts';
import { defaultSandboxLimits } from '../../runner/sandbox/port.ts';
import { removeDisks } from '../support/disk-traces.ts';
import { sandboxContract } from './sandbox-contract.ts';

const engine = { socketPath: '/var/run/docker.sock' };
const options = { engine, instance: `test-${randomBytes(4).toString('hex')}`, image: 'deckhand-sandbox:1' };

beforeAll(async () => {
  for (const check of await createDockerSandbox(options).probe()) {
    if (!check.ok)
      throw new Error(`These tests need a working engine and image: ${check.name}: ${check.detail}. ${check.remedy}`);
  }
  expect(await containers()).toEqual([]);
});

function containers() {
  const label = [`deckhand.instance=${options.instance}`];
  return new Docker(engine).listContainers({ all: true, filters: { label } });
}

sandboxContract({
  name: 'docker',
  capabilities: dockerCapabilities,
  open: () => createDockerSandbox(options),
  recipe: { kind: 'docker', options },
  unreachable: () => createDockerSandbox({ ...options, engine: { socketPath: '/nonexistent/docker.sock' } }),
  async leaveHalfMade(run) {
    const labels = { 'deckhand.instance': options.instance, 'deckhand.run': run, 'deckhand.role': 'disk' };
    await new Docker(engine).createContainer({ Image: options.image, Labels: labels });
  },
  async nearlyFull() {
    return { sandbox: createDockerSandbox(options), limits: { diskBytes: 48 * 1024 ** 2 } };
  },
});

it('leaves nothing behind', async () => {
  const sandbox = createDockerSandbox(options);
  expect(await sandbox.list()).toEqual([]);
  // What makes working copies stays while there may be more of them.
  const limits = { ...defaultSandboxLimits, diskBytes: 16 * 1024 ** 2 };
  await sandbox.create({ run: 'run_last', argv: ['true'], env: {}, limits, expiresAt: new Date(Date.now() + 600_000) });
  await sandbox.destroy('run_last');
  expect(await containers()).toHaveLength(1);
  await sandbox.close();
  expect(await containers()).toEqual([]);
});

afterAll(() => removeDisks(options.instance));
