import { join } from 'node:path';
import type { Place } from '../runner/run-journey.ts';
import { createDockerSandbox } from '../runner/sandbox/docker.ts';
import { dockerProblem } from '../runner/sandbox/docker-ready.ts';
import { engineAddress } from '../runner/sandbox/engine-address.ts';
import { createLocalSandbox } from '../runner/sandbox/local.ts';
import type { Sandbox } from '../runner/sandbox/port.ts';
import type { Config } from './config.ts';
import type { DoctorProbe } from './doctor.ts';
import { sandboxProbe } from './doctor-parts.ts';
import type { Logger } from './runtime/logger.ts';

/** PATH of local commands: the machine's programs, none of Deckhand's own. */
const systemPath = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';

export interface SandboxChoice {
  /** The first is for new runs; the others continue what was started in them. */
  places: readonly [Place, ...Place[]];
  /** Why commands run without isolation although that was not asked for. */
  notice: string | undefined;
}

/** Chooses where commands run: as configured, or with `auto` in containers if an engine and the image are there. */
export async function chooseSandboxes(config: Config, installation: { hostId: string; dataDir: string }): Promise<SandboxChoice> {
  const { kind, image } = config.sandbox;
  const docker = { sandbox: dockerSandbox(config, installation.hostId), image };
  const local = { sandbox: localSandbox(installation.dataDir), image: null };
  if (kind === 'docker') return { places: [docker, local], notice: undefined };
  if (kind === 'local') return { places: [local, docker], notice: undefined };
  const problem = await dockerProblem({ engine: engineAddress(config.sandbox.dockerHost), image });
  if (problem === undefined) return { places: [docker, local], notice: undefined };
  return {
    places: [local, docker],
    notice: `Commands run WITHOUT isolation, as child processes of Deckhand: ${problem.detail}. ${problem.remedy}`,
  };
}

function dockerSandbox(config: Config, hostId: string): Sandbox {
  // Docker names allow no underscore in an instance.
  const instance = hostId.replace('_', '-');
  return createDockerSandbox({ engine: engineAddress(config.sandbox.dockerHost), instance, image: config.sandbox.image });
}

function localSandbox(dataDir: string): Sandbox {
  return createLocalSandbox({ root: join(dataDir, 'sandboxes'), path: systemPath });
}

/** Probes for doctor of what commands run in. With `auto` a missing engine is only something to look at. */
export function sandboxProbes(config: Config, installation: { hostId: string; dataDir: string }): DoctorProbe[] {
  const { kind } = config.sandbox;
  if (kind === 'local') {
    const sandbox = localSandbox(installation.dataDir);
    return [
      sandboxProbe('local', (signal) => sandbox.probe(signal), 'Set SANDBOX=docker when others than you can start commands.'),
    ];
  }
  const sandbox = dockerSandbox(config, installation.hostId);
  const otherwise = kind === 'auto' ? 'Until then commands run without isolation.' : undefined;
  return [sandboxProbe('docker', (signal) => sandbox.probe(signal), otherwise)];
}

/** Says loudly, once, that commands are not isolated. */
export function announce(choice: SandboxChoice, logger: Logger): void {
  if (choice.notice !== undefined) logger.warn({ sandbox: 'local' }, choice.notice);
}
