import { randomBytes } from 'node:crypto';
import { createDockerSandbox, type DockerSandboxOptions } from '../../runner/sandbox/docker.ts';
import type { SandboxLimits } from '../../runner/sandbox/port.ts';

interface Task {
  options: DockerSandboxOptions;
  limits: SandboxLimits;
  /** Each is announced, and made before it is known what it is for. */
  ahead?: boolean;
  /** Only announces one, and lives on. */
  once?: boolean;
}

/** Makes and removes sandboxes until it is killed. */
process.once('message', async ({ options, limits, ahead, once }: Task) => {
  const sandbox = createDockerSandbox({ ...options, disk: 'ext4' });
  if (once === true) {
    sandbox.expect({ limits });
    setInterval(() => undefined, 1_000_000);
  }
  while (once !== true) {
    const run = `run_${randomBytes(6).toString('hex')}`;
    if (ahead === true) sandbox.expect({ limits });
    const argv = ahead === true ? (['true'] as const) : (['sleep', '60'] as const);
    await sandbox.create({ run, argv, env: {}, limits, expiresAt: new Date(Date.now() + 600_000) });
    await sandbox.start(run);
    await sandbox.destroy(run);
  }
});
