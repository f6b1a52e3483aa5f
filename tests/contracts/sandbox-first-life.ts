import { createDockerSandbox, type DockerSandboxOptions } from '../../runner/sandbox/docker.ts';
import { createLocalSandbox, type LocalSandboxOptions } from '../../runner/sandbox/local.ts';
import type { SandboxSpec } from '../../runner/sandbox/port.ts';

/**
 * The first life of a runner, made to be killed: starts the command it is told by its parent, and says how far it has read the
 * output after every chunk.
 */
type Task = {
  recipe: { kind: 'docker'; options: DockerSandboxOptions } | { kind: 'local'; options: LocalSandboxOptions };
  spec: SandboxSpec;
};

process.once('message', async ({ recipe, spec }: Task) => {
  const sandbox = recipe.kind === 'docker' ? createDockerSandbox(recipe.options) : createLocalSandbox(recipe.options);
  sandbox.expect(spec);
  await sandbox.create({ ...spec, expiresAt: new Date(spec.expiresAt) });
  await sandbox.start(spec.run);
  for await (const { stream, offset, bytes } of sandbox.output(spec.run, { stdout: 0, stderr: 0 })) {
    process.send?.({ stream, offset, base64: Buffer.from(bytes).toString('base64') });
  }
});
