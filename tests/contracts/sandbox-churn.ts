import { randomBytes } from 'node:crypto';
import { createDockerSandbox, type DockerSandboxOptions } from '../../runner/sandbox/docker.ts';
import type { SandboxLimits } from '../../runner/sandbox/port.ts';

/** Makes and removes sandboxes until it is killed. */
process.once('message', async ({ options, limits }: { options: DockerSandboxOptions; limits: SandboxLimits }) => {
  const sandbox = createDockerSandbox({ ...options, disk: 'ext4' });
  for (;;) {
    const run = `run_${randomBytes(6).toString('hex')}`;
    await sandbox.create({ run, argv: ['sleep', '60'], env: {}, limits, expiresAt: new Date(Date.now() + 600_000) });
    await sandbox.start(run);
    await sandbox.destroy(run);
  }
});
