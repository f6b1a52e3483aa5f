import { Readable } from 'node:stream';
import type Docker from 'dockerode';
import {
  bridge,
  collectContainer,
  imageVersion,
  labels,
  probePrefix,
  type Role,
  sandboxContainer,
  sandboxLabels,
  sandboxUser,
  workspace,
} from './docker-container.ts';
import { createDisks, type DiskKind } from './docker-disk.ts';
import { call, EngineError, hasStatus, openEngine } from './docker-engine.ts';
import { collectFrom, execIn } from './docker-exec.ts';
import { startOnce, stopContainer } from './docker-lifecycle.ts';
import { outputOf, resultFor } from './docker-output.ts';
import { probeDocker } from './docker-probe.ts';
import {
  assertRun,
  assertSpec,
  ImageMissing,
  ImageUnfit,
  NoSpace,
  type Sandbox,
  type SandboxCapabilities,
  type SandboxEntry,
  SandboxGone,
  type SandboxState,
} from './port.ts';
import { ownedBy } from './tar.ts';

export interface DockerSandboxOptions {
  /** How to reach the engine, as dockerode takes it; see `engineAddress`. */
  engine: Docker.DockerOptions;
  /** Tells the sandboxes of this Deckhand from those of others on the same engine: letters, digits, `-`. */
  instance: string;
  /** Image of sandboxes, built by `npm run image`. */
  image: string;
  /** The same with the programs of agents (`deckhand-agents:1`). */
  agentsImage?: string | undefined;
  /** Where the directories of gateways are made, see `SandboxSpec.gateway`; only looked at by `probe`. Undefined: anywhere. */
  gateways?: string | undefined;
  /** Undefined: the best that works on the engine. */
  disk?: DiskKind | undefined;
}

const copyTimeoutMs = 30 * 60_000;
export const dockerCapabilities: SandboxCapabilities = {
  isolated: true,
  network: 'none',
  limits: { memory: true, cpus: true, pids: true, disk: true },
  peakMemory: true,
};

/** Sandboxes as containers of a Docker engine. docs/sandbox.md describes what they consist of. */
export function createDockerSandbox(options: DockerSandboxOptions): Sandbox {
  const { instance, image, agentsImage = 'deckhand-agents:1' } = options;
  if (!/^[a-z0-9][a-z0-9-]{0,40}$/.test(instance)) throw new Error(`not an instance name: ${JSON.stringify(instance)}`);
  const docker = openEngine(options.engine);
  const disks = createDisks({ docker, instance, image, kind: options.disk });
  const containerOf = (run: string) => docker.getContainer(disks.volumeName(run));

  async function inspect(run: string, signal?: AbortSignal): Promise<Docker.ContainerInspectInfo> {
    assertRun(run);
    try {
      return await call((abortSignal) => containerOf(run).inspect({ abortSignal }), signal);
    } catch (error) {
      throw hasStatus(error, 404) ? new SandboxGone(run, 'it does not exist', { cause: error }) : error;
    }
  }

  /** The same, where the working copy is needed too. */
  async function inspectIntact(run: string, signal?: AbortSignal): Promise<Docker.ContainerInspectInfo> {
    const found = await inspect(run, signal);
    const kind = found.Config.Labels[labels.disk] === 'tmpfs' ? 'tmpfs' : 'ext4';
    if (!(await disks.intact(run, kind, signal)))
      throw new SandboxGone(run, 'its working copy was lost in a restart of the engine');
    return found;
  }

  async function requireImage(signal?: AbortSignal, name = image): Promise<Record<string, string>> {
    let found: Docker.ImageInspectInfo;
    try {
      found = await call(() => docker.getImage(name).inspect(), signal);
    } catch (error) {
      throw hasStatus(error, 404) ? new ImageMissing(name) : error;
    }
    // Docker answers null where there are none.
    const imageLabels = found.Config.Labels ?? {};
    const version = imageLabels['deckhand.sandbox.version'];
    if (version === undefined) throw new ImageUnfit(name, 'it was not built from docker/Dockerfile');
    if (version !== imageVersion) throw new ImageUnfit(name, `it has version ${version}, needed is ${imageVersion}`);
    return imageLabels;
  }

  async function requireAgents(signal?: AbortSignal, name = agentsImage): Promise<Record<string, string>> {
    const imageLabels = await requireImage(signal, name);
    if (imageLabels[labels.claude] === undefined && imageLabels[labels.codex] === undefined)
      throw new ImageUnfit(name, 'it has no programs of agents');
    return imageLabels;
  }

  async function agents(signal?: AbortSignal) {
    const imageLabels = await requireAgents(signal);
    return { claude: imageLabels[labels.claude], codex: imageLabels[labels.codex] };
  }

  async function everything(run?: string) {
    const label = [`${labels.instance}=${instance}`, ...(run === undefined ? [] : [`${labels.run}=${run}`])];
    const [containers, { Volumes: volumes }] = await Promise.all([
      call((abortSignal) => docker.listContainers({ all: true, filters: { label }, abortSignal })),
      call((abortSignal) => docker.listVolumes({ filters: { label }, abortSignal })),
    ]);
    // Docker answers null where there is none.
    return { containers, volumes: volumes ?? [] };
  }

  return {
    kind: 'docker',
    capabilities: dockerCapabilities,

    inside: () => ({ workspace, bridge }),

    agents,

    async create(spec, signal) {
      assertSpec(spec);
      const wanted = spec.ownImage ?? (spec.image === 'agents' ? agentsImage : image);
      try {
        await inspect(spec.run, signal);
        return;
      } catch (error) {
        if (!(error instanceof SandboxGone)) throw error;
      }
      await (spec.image === 'agents' ? requireAgents(signal, wanted) : requireImage(signal));
      const { volume, kind } = await disks.prepare(spec, signal);
      // A working copy in memory is paid from the same account.
      const memoryBytes = spec.limits.memoryBytes + (kind === 'tmpfs' ? spec.limits.diskBytes : 0);
      const container = sandboxContainer({
        image: wanted,
        instance,
        volume,
        spec,
        memoryBytes,
        extraLabels: { [labels.disk]: kind },
      });
      try {
        await call(
          (abortSignal) => docker.createContainer({ name: disks.volumeName(spec.run), ...container, abortSignal }),
          signal,
        );
      } catch (error) {
        if (error instanceof EngineError && /bind source path does not exist/i.test(error.message))
          throw new Error(`The engine does not see the directory ${spec.gateway} of the gateway`, { cause: error });
        if (!hasStatus(error, 409)) throw error;
      }
    },

    async copyIn(run, tar, signal) {
      const { State } = await inspectIntact(run, signal);
      if (State.Status !== 'created') throw new Error(`copyIn after the start of ${run}`);
      let broken: unknown;
      async function* source() {
        try {
          yield* ownedBy(tar, sandboxUser, sandboxUser);
        } catch (error) {
          broken = error;
          throw error;
        }
      }
      const stream = Readable.from(source());
      try {
        await call((abortSignal) => containerOf(run).putArchive(stream, { path: workspace, abortSignal }), signal, copyTimeoutMs);
      } catch (error) {
        throw broken ?? whatHappenedTo(run, error);
      } finally {
        stream.destroy();
      }
    },

    async start(run, signal) {
      const { State } = await inspect(run, signal);
      if (State.Status !== 'created') return;
      const sandbox = await inspectIntact(run, signal);
      try {
        await startOnce(docker, disks.volumeName(run), sandbox, signal);
      } catch (error) {
        throw whatHappenedTo(run, error);
      }
    },

    async status(run) {
      const { State, Config } = await inspect(run);
      return { state: stateOf(State.Status), expiresAt: new Date(Config.Labels[labels.expires] ?? 0) };
    },

    async *output(run, from, signal) {
      const { State } = await inspect(run, signal);
      if (State.Status === 'created') throw new Error(`output before the start of ${run}`);
      try {
        yield* outputOf(docker, containerOf(run), from, signal);
      } catch (error) {
        throw whatHappenedTo(run, error);
      }
    },

    async wait(run, signal) {
      const { State } = await inspect(run, signal);
      if (State.Status === 'created') throw new Error(`wait before the start of ${run}`);
      try {
        return await resultFor(docker, containerOf(run), signal);
      } catch (error) {
        throw whatHappenedTo(run, error);
      }
    },

    async stop(run, graceMs) {
      await inspect(run);
      try {
        await stopContainer(docker, containerOf(run), graceMs);
      } catch (error) {
        throw whatHappenedTo(run, error);
      }
    },

    async pause(run) {
      const { State } = await inspect(run);
      if (State.Paused) return;
      if (!State.Running) throw new Error(`nothing of ${run} runs`);
      await call(() => containerOf(run).pause());
    },

    async resume(run) {
      const { State } = await inspect(run);
      if (State.Paused) await call(() => containerOf(run).unpause());
      else if (!State.Running) throw new Error(`nothing of ${run} runs`);
    },

    async exec(run, helper, signal) {
      const { State } = await inspect(run, signal);
      if (!State.Running || State.Paused) throw new Error(`nothing of ${run} runs`);
      try {
        return await execIn(containerOf(run), helper, signal);
      } catch (error) {
        throw whatHappenedTo(run, error);
      }
    },

    async *collect(run, helper, signal) {
      const sandbox = await inspectIntact(run, signal);
      if (sandbox.State.Running && !sandbox.State.Paused) throw new Error(`collect while the command of ${run} runs`);
      const role: Role = 'collect';
      const expiresAt = new Date(sandbox.Config.Labels[labels.expires] ?? 0);
      const options = collectContainer({ sandbox, labels: sandboxLabels(instance, run, expiresAt, role), helper });
      try {
        yield* collectFrom(docker, options, helper, signal);
      } catch (error) {
        throw whatHappenedTo(run, error);
      }
    },

    async destroy(run) {
      assertRun(run);
      const { containers, volumes } = await everything(run);
      if (containers.length === 0 && volumes.length === 0) return;
      try {
        await disks.release(
          run,
          containers.map((found) => docker.getContainer(found.Id)),
          volumes[0],
        );
      } catch (error) {
        throw error instanceof EngineError && /no such image/i.test(error.message) ? new ImageMissing(image) : error;
      }
    },

    async list() {
      const { containers, volumes } = await everything();
      const entries = new Map<string, SandboxEntry>();
      for (const { Labels } of [...volumes, ...containers]) {
        const run = Labels?.[labels.run];
        const expiresAt = new Date(Labels?.[labels.expires] ?? 0);
        // An examination that goes on is nobody's business; one that was killed is cleared away like the rest.
        if (run === undefined || (run.startsWith(probePrefix) && expiresAt > new Date())) continue;
        entries.set(run, { run, state: 'partial', expiresAt });
      }
      for (const { Labels, State } of containers) {
        const entry = entries.get(Labels[labels.run] ?? '');
        if (entry !== undefined && Labels[labels.role] === 'sandbox') entry.state = stateOf(State);
      }
      return [...entries.values()];
    },

    async probe(signal) {
      return await probeDocker({
        docker,
        instance,
        image,
        requireImage,
        agents,
        gateways: options.gateways,
        examineDisk: disks.examine,
        signal,
      });
    },
  };
}

/** Gives the engine's refusals the meaning they have for a sandbox. */
function whatHappenedTo(run: string, error: unknown): unknown {
  if (!(error instanceof EngineError)) return error;
  if (error.status === 404 || /marked for removal|removal .*in progress/i.test(error.message))
    return new SandboxGone(run, 'it was destroyed', { cause: error });
  if (/no space left/i.test(error.message)) return new NoSpace('The files do not fit into the working copy', { cause: error });
  // Its loop device does not exist any more.
  if (/failed to mount local volume/i.test(error.message)) {
    return new SandboxGone(run, 'its working copy was lost in a restart of the host', { cause: error });
  }
  return error;
}

function stateOf(status: string): SandboxState {
  if (status === 'created' || status === 'paused') return status;
  return status === 'running' || status === 'restarting' ? 'running' : 'ended';
}
