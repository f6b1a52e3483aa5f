import { join } from 'node:path';
import type { Place } from '../runner/run-journey.ts';
import { createDockerSandbox } from '../runner/sandbox/docker.ts';
import { type DockerProblem, dockerProblem } from '../runner/sandbox/docker-ready.ts';
import { engineAddress } from '../runner/sandbox/engine-address.ts';
import { createLocalSandbox } from '../runner/sandbox/local.ts';
import type { Sandbox } from '../runner/sandbox/port.ts';
import type { Config } from './config.ts';
import type { DoctorProbe } from './doctor.ts';
import { sandboxProbe } from './doctor-parts.ts';
import type { Logger } from './runtime/logger.ts';

/** PATH of local commands: the machine's programs, none of Deckhand's own. */
const systemPath = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';

/** Told of each container that a run was given. */
type OnCreated = (how: { warm: boolean; ms: number }) => void;

export interface SandboxChoice {
  /** The first is for new runs; the others continue what was started in them. */
  places: readonly [Place, ...Place[]];
  /** What whoever starts Deckhand must know about it: that commands are not isolated, or cannot run yet. */
  notice: string | undefined;
}

/** Chooses where commands run: as configured, or with `auto` in containers if an engine and the image are there. */
export async function chooseSandboxes(
  config: Config,
  installation: { hostId: string; dataDir: string },
  logger: Logger,
  onCreated: OnCreated,
): Promise<SandboxChoice> {
  const { kind, image } = config.sandbox;
  const docker = { sandbox: dockerSandbox(config, installation, { logger, onCreated }), image };
  const local = { sandbox: localSandbox(installation.dataDir), image: null };
  const unprotected = 'Commands run WITHOUT isolation, as child processes of Deckhand';
  if (kind === 'local') return { places: [local, docker], notice: `${unprotected}: SANDBOX=local asks for it.` };
  const problem = await problemOf(config);
  if (kind === 'docker' || problem === undefined) {
    const notice = problem && `Commands CANNOT RUN yet: ${problem.detail}. ${problem.remedy}`;
    return { places: [docker, local], notice };
  }
  return { places: [local, docker], notice: `${unprotected}: ${problem.detail}. ${problem.remedy} Then start Deckhand again.` };
}

function problemOf({ sandbox }: Config): Promise<DockerProblem | undefined> {
  return dockerProblem({ engine: engineAddress(sandbox.dockerHost), image: sandbox.image });
}

/** Unless it is used it is only to be looked at, and makes nothing ahead. */
function dockerSandbox(
  { sandbox }: Config,
  { hostId, dataDir }: { hostId: string; dataDir: string },
  used?: { logger: Logger; onCreated: OnCreated },
): Sandbox {
  const { image, agentsImage, dockerHost, warm } = sandbox;
  const onTrouble = (error: unknown) => used?.logger.warn({ err: error }, 'no sandbox could be made ahead of its run');
  return createDockerSandbox({
    engine: engineAddress(dockerHost),
    // Docker names allow no underscore in an instance.
    instance: hostId.replace('_', '-'),
    image,
    agentsImage,
    gateways: join(dataDir, 'gateway'),
    warm: used && { size: warm, root: join(dataDir, 'warm'), onTrouble },
    onCreated: used?.onCreated,
  });
}

function localSandbox(dataDir: string): Sandbox {
  return createLocalSandbox({ root: join(dataDir, 'sandboxes'), path: systemPath });
}

/**
 * Probes for doctor of what commands run in. With `auto`, that is decided at the start of a runner: `inUse` tells what the one that
 * is up has decided, undefined where none is up.
 */
export function sandboxProbes(
  config: Config,
  installation: { hostId: string; dataDir: string },
  inUse: () => Promise<Sandbox['kind'] | undefined>,
): DoctorProbe[] {
  const local = sandboxProbe('local', (signal) => localSandbox(installation.dataDir).probe(signal));
  const docker = (otherwise?: string) =>
    sandboxProbe('docker', (signal) => dockerSandbox(config, installation).probe(signal), otherwise);
  switch (config.sandbox.kind) {
    case 'local':
      return [local];
    case 'docker':
      return [docker()];
    case 'auto':
      return [{ ...docker(), run: examineAuto }];
  }

  async function examineAuto(signal: AbortSignal) {
    const [problem, used] = await Promise.all([problemOf(config), inUse()]);
    if (used === 'docker' || (used === undefined && problem === undefined)) return await docker().run(signal);
    const findings = await Promise.all([docker('Commands run without isolation instead.').run(signal), local.run(signal)]);
    const late = { name: 'sandbox', state: 'warning', detail: tooLate, remedy: 'Start Deckhand again.' } as const;
    return [...findings.flat(), ...(problem === undefined ? [late] : [])];
  }
}

const tooLate = 'A container engine answers now, but none did when the runner started, so commands still run without isolation.';

/** Says it loudly, once. */
export function announce({ notice, places }: SandboxChoice, logger: Logger): void {
  if (notice !== undefined) logger.warn({ sandbox: places[0].sandbox.kind }, notice);
}
