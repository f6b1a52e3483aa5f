import { Readable } from 'node:stream';
import type Docker from 'dockerode';
import { assertSpec } from './assert-spec.ts';
import {
  bridge,
  collectContainer,
  imageVersion,
  labels,
  type Role,
  sandboxContainer,
  sandboxLabels,
  sandboxUser,
  workspace,
} from './docker-container.ts';
import { createDisks, type DiskKind } from './docker-disk.ts';
import { call, EngineError, hasStatus, openEngine } from './docker-engine.ts';
import { collectFrom, execIn } from './docker-exec.ts';
import { createFinder, whatHappenedTo } from './docker-find.ts';
import { startOnce, stopContainer } from './docker-lifecycle.ts';
import { outputOf, resultFor } from './docker-output.ts';
import { probeDocker } from './docker-probe.ts';
import { createWarmPool } from './docker-warm.ts';
import {
  assertRun,
  CopyCollided,
  ImageMissing,
  ImageUnfit,
  NoSpace,
  type Sandbox,
  type SandboxCapabilities,
  SandboxGone,
  type SandboxSpec,
} from './port.ts';
import { ownedBy } from './tar.ts';
import { createWarmControl } from './warm-control.ts';

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
  /** Sandboxes that are made before they are wanted; undefined: none, here and in other lives of the installation. */
  warm?: WarmSettings | undefined;
  /** Told of each sandbox that a run was given: one that waited already, or one that was made for it; and how long that took. */
  onCreated?: ((how: { warm: boolean; ms: number }) => void) | undefined;
}

export interface WarmSettings {
  /** How many wait ready for each kind of run in use. 0: none; those of runs that have begun are still made ahead. */
  size: number;
  /** Directory through which they are told what to run; the engine must see it. The same in every life of the installation. */
  root: string;
  /** Told when one could not be made; runs do without. */
  onTrouble?: ((error: unknown) => void) | undefined;
}

interface FitImage {
  name: string;
  id: string;
  labels: Record<string, string>;
  /** Its first process can wait for its command. */
  waits: boolean;
  /** And its bridge can start a program meanwhile. */
  ahead: boolean;
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
  const control = options.warm === undefined ? undefined : createWarmControl(options.warm.root);
  const finder = createFinder({ docker, instance, disks, control, holds: (slot) => pool?.holds(slot) === true });
  const { containerOf } = finder;
  const pool =
    control === undefined || options.warm === undefined
      ? undefined
      : createWarmPool({ ...options.warm, docker, instance, disks, control, imageOf, discard: (slot) => remove(slot) });

  async function exists(run: string, signal?: AbortSignal): Promise<boolean> {
    try {
      await finder.find(run, signal);
      return true;
    } catch (error) {
      if (error instanceof SandboxGone) return false;
      throw error;
    }
  }

  async function slotOf(run: string): Promise<string> {
    return await finder.find(run).then(
      ({ slot }) => slot,
      (error: unknown) => {
        // Its container was removed by somebody else, its working copy may be there.
        if (error instanceof SandboxGone) return pool?.slotOf(run) ?? run;
        throw error;
      },
    );
  }

  async function requireImage(signal?: AbortSignal, name = image): Promise<FitImage> {
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
    const [waits, ahead] = [imageLabels[labels.waits] === '1', imageLabels[labels.ahead] === '1'];
    return { name, id: found.Id, labels: imageLabels, waits, ahead };
  }

  async function requireAgents(signal?: AbortSignal, name = agentsImage): Promise<FitImage> {
    const found = await requireImage(signal, name);
    if (found.labels[labels.claude] === undefined && found.labels[labels.codex] === undefined)
      throw new ImageUnfit(name, 'it has no programs of agents');
    return found;
  }

  function imageOf(wanted: Pick<SandboxSpec, 'image' | 'ownImage'>, signal?: AbortSignal): Promise<FitImage> {
    return wanted.image === 'agents' ? requireAgents(signal, wanted.ownImage) : requireImage(signal, wanted.ownImage);
  }

  async function agents(signal?: AbortSignal) {
    const { labels: imageLabels } = await requireAgents(signal);
    return { claude: imageLabels[labels.claude], codex: imageLabels[labels.codex] };
  }

  async function createCold(spec: SandboxSpec, imageName: string, signal?: AbortSignal): Promise<void> {
    const { volume, kind, hosts } = await disks.prepare(spec, signal);
    // A working copy in memory is paid from the same account.
    const memoryBytes = spec.limits.memoryBytes + (kind === 'tmpfs' ? spec.limits.diskBytes : 0);
    const extraLabels = { [labels.disk]: kind };
    const container = sandboxContainer({ image: imageName, instance, volume, hosts, spec, memoryBytes, extraLabels });
    try {
      await call(
        (abortSignal) => docker.createContainer({ name: disks.volumeName(spec.run), ...container, abortSignal }),
        signal,
      );
    } catch (error) {
      if (spec.gateway !== undefined && error instanceof EngineError && /bind source path does not exist/i.test(error.message))
        throw new Error(`The engine does not see the directory ${spec.gateway} of the gateway`, { cause: error });
      if (!hasStatus(error, 409)) throw error;
    }
  }

  /** Removes all that is named by a slot, and these containers. What tells a run of it goes last. */
  async function remove(slot: string, others: readonly Docker.ContainerInfo[] = []): Promise<void> {
    const { containers, volumes } = await finder.everything(slot);
    pool?.forget(slot);
    await control?.remove(slot);
    const all = new Set([...containers, ...others].map(({ Id }) => Id));
    if (all.size === 0 && volumes.length === 0) return;
    await disks.release(
      slot,
      [...all].map((id) => docker.getContainer(id)),
      volumes[0],
    );
  }

  return {
    kind: 'docker',
    capabilities: dockerCapabilities,

    inside: () => ({ workspace, bridge }),

    agents,

    expect(spec) {
      pool?.expect(spec);
    },

    async create(spec, signal) {
      assertSpec(spec);
      const [there, found] = await Promise.all([exists(spec.run, signal), imageOf(spec, signal)]);
      const since = performance.now();
      const told = (warm: boolean) => options.onCreated?.({ warm, ms: performance.now() - since });
      if (there) return;
      if ((await pool?.take(spec, found.id, signal)) === true) return told(true);
      try {
        await createCold(spec, found.name, signal);
        told(false);
      } catch (error) {
        // What waits for runs to come makes room for one that is here.
        if (!(error instanceof NoSpace) || (await pool?.makeRoom()) !== true) throw error;
        await createCold(spec, found.name, signal);
        told(false);
      }
    },

    async copyIn(run, tar, signal) {
      const { state } = await finder.findIntact(run, signal);
      if (state !== 'created') throw new Error(`copyIn after the start of ${run}`);
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
        if (broken === undefined && error instanceof EngineError && /mkdir \S+: file exists/.test(error.message))
          throw new CopyCollided(`The working copy of ${run} could not be copied in`, { cause: error });
        throw broken ?? whatHappenedTo(run, error);
      } finally {
        stream.destroy();
      }
    },

    async start(run, signal) {
      const { state, slot, go, info } = await finder.findIntact(run, signal);
      if (state !== 'created') return;
      if (go !== undefined) {
        if ((await control?.give(slot)) === true) return;
        throw new SandboxGone(run, 'what it was to run has been removed');
      }
      try {
        await startOnce(docker, disks.volumeName(run), info, signal);
      } catch (error) {
        throw whatHappenedTo(run, error);
      }
    },

    async status(run) {
      const { state, expiresAt } = await finder.find(run);
      return { state, expiresAt };
    },

    async *output(run, from, signal) {
      const { state } = await finder.find(run, signal);
      if (state === 'created') throw new Error(`output before the start of ${run}`);
      try {
        yield* outputOf(docker, containerOf(run), from, signal);
      } catch (error) {
        throw whatHappenedTo(run, error);
      }
    },

    async wait(run, signal) {
      const { state } = await finder.find(run, signal);
      if (state === 'created') throw new Error(`wait before the start of ${run}`);
      try {
        return await resultFor(docker, containerOf(run), signal);
      } catch (error) {
        throw whatHappenedTo(run, error);
      }
    },

    async stop(run, graceMs) {
      if ((await finder.find(run)).state === 'created') return;
      try {
        await stopContainer(docker, containerOf(run), graceMs);
      } catch (error) {
        throw whatHappenedTo(run, error);
      }
    },

    async pause(run) {
      const { state } = await finder.find(run);
      if (state === 'paused') return;
      if (state !== 'running') throw new Error(`nothing of ${run} runs`);
      await call(() => containerOf(run).pause());
    },

    async resume(run) {
      const { state } = await finder.find(run);
      if (state === 'paused') await call(() => containerOf(run).unpause());
      else if (state !== 'running') throw new Error(`nothing of ${run} runs`);
    },

    async exec(run, helper, signal) {
      const { state, go } = await finder.find(run, signal);
      if (state !== 'running') throw new Error(`nothing of ${run} runs`);
      try {
        return await execIn(containerOf(run), { ...helper, env: { ...go?.env, ...helper.env } }, signal);
      } catch (error) {
        throw whatHappenedTo(run, error);
      }
    },

    async *collect(run, helper, signal) {
      const { info: sandbox, state, expiresAt } = await finder.findIntact(run, signal);
      if (state === 'running') throw new Error(`collect while the command of ${run} runs`);
      const role: Role = 'collect';
      const options = collectContainer({ sandbox, labels: sandboxLabels(instance, run, expiresAt, role), helper });
      try {
        yield* collectFrom(docker, options, helper, signal);
      } catch (error) {
        throw whatHappenedTo(run, error);
      }
    },

    async destroy(run) {
      assertRun(run);
      try {
        const [{ containers }, slot] = await Promise.all([finder.everything(run), slotOf(run)]);
        if (slot !== run) await remove(slot, containers);
        await remove(run);
      } catch (error) {
        throw error instanceof EngineError && /no such image/i.test(error.message) ? new ImageMissing(image) : error;
      }
    },

    list: finder.list,

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

    async close() {
      await pool?.close();
      await disks.close();
    },
  };
}
