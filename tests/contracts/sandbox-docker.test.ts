import { randomBytes } from 'node:crypto';
import Docker from 'dockerode';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { createDockerSandbox, dockerCapabilities } from '../../runner/sandbox/docker.ts';
import { sandboxContract } from './sandbox-contract.ts';

const engine = { socketPath: '/var/run/docker.sock' };
const options = { engine, instance: `test-${randomBytes(4).toString('hex')}`, image: 'deckhand-sandbox:1' };

beforeAll(async () => {
  for (const check of await createDockerSandbox(options).probe()) {
    if (!check.ok)
      throw new Error(`These tests need a working engine and image: ${check.name}: ${check.detail}. ${check.remedy}`);
  }
});

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
  expect(await createDockerSandbox(options).list()).toEqual([]);
});

afterAll(async () => {
  for (const name of ['disks', 'ext4-works']) await new Docker(engine).getVolume(`deckhand-${options.instance}-${name}`).remove();
});
