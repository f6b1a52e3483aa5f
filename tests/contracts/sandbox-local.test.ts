import { mkdir, mkdtemp, rm, statfs } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { createLocalSandbox, localCapabilities } from '../../runner/sandbox/local.ts';
import { sandboxContract } from './sandbox-contract.ts';

const root = await mkdtemp(join(tmpdir(), 'deckhand-local-'));
const options = { root, path: '/usr/local/bin:/usr/bin:/bin' };

sandboxContract({
  name: 'local',
  capabilities: localCapabilities,
  open: () => createLocalSandbox(options),
  recipe: { kind: 'local', options },
  async leaveHalfMade(run) {
    await mkdir(join(root, run, 'work'), { recursive: true });
  },
  async nearlyFull() {
    const { bavail, bsize } = await statfs(root);
    return { sandbox: createLocalSandbox({ ...options, minFreeBytes: bavail * bsize - 300 * 1024 ** 2 }), limits: {} };
  },
});

it('leaves nothing behind', async () => {
  expect(await createLocalSandbox(options).list()).toEqual([]);
});

afterAll(() => rm(root, { recursive: true, force: true }));
