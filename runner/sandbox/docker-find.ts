import type Docker from 'dockerode';
import { labels, probePrefix } from './docker-container.ts';
import type { Disks } from './docker-disk.ts';
import { call, EngineError, hasStatus } from './docker-engine.ts';
import { assertRun, NoSpace, type SandboxEntry, SandboxGone, type SandboxState } from './port.ts';
import type { Go, WarmControl } from './warm-control.ts';
import { warmPrefix } from './warm-plan.ts';

/** The container of a run, and what it is known by. */
export interface Found {
  info: Docker.ContainerInspectInfo;
  state: SandboxState;
  /** What its working copy is named by: the run, or where it was made before the run was known, a name of its own. */
  slot: string;
  /** What it was told to run, where it waited for that. */
  go: Go | undefined;
  expiresAt: Date;
}

/**
 * Finds what belongs to runs. A container has the name of its run; labels cannot be changed, so those of one that was made before its
 * run was known, and of its working copy, tell the slot instead.
 */
export function createFinder(options: {
  docker: Docker;
  instance: string;
  disks: Disks;
  control: WarmControl | undefined;
  /** See WarmPool. */
  holds(slot: string): boolean;
}) {
  const { docker, instance, disks, control } = options;
  const containerOf = (run: string) => docker.getContainer(disks.volumeName(run));

  async function orderOf(slot: string, status: string): Promise<{ state: SandboxState; go: Go | undefined }> {
    const order = slot.startsWith(warmPrefix) ? await control?.read(slot) : undefined;
    const state = stateOf(status);
    // Its first process runs, and nothing of the run.
    return { state: order?.given === false && state === 'running' ? 'created' : state, go: order?.go };
  }

  async function find(run: string, signal?: AbortSignal): Promise<Found> {
    assertRun(run);
    try {
      const info = await call((abortSignal) => containerOf(run).inspect({ abortSignal }), signal);
      const slot = info.Config.Labels[labels.run] ?? run;
      const { state, go } = await orderOf(slot, info.State.Status);
      return { info, slot, state, go, expiresAt: go?.expiresAt ?? new Date(info.Config.Labels[labels.expires] ?? 0) };
    } catch (error) {
      throw hasStatus(error, 404) ? new SandboxGone(run, 'it does not exist', { cause: error }) : error;
    }
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

  /** The run that a container was made for or has become the sandbox of; the slot where it waits for one. */
  function ownerOf({ Names, Labels }: Docker.ContainerInfo): string {
    const prefix = `/${disks.volumeName('')}`;
    const slot = Labels[labels.run] ?? '';
    const name = Names.find((one) => one.startsWith(prefix))?.slice(prefix.length);
    return slot.startsWith(warmPrefix) && Labels[labels.role] === 'sandbox' && name !== undefined ? name : slot;
  }

  return {
    containerOf,
    find,
    everything,

    /** The same, where the working copy is needed too. */
    async findIntact(run: string, signal?: AbortSignal): Promise<Found> {
      const found = await find(run, signal);
      const kind = found.info.Config.Labels[labels.disk] === 'tmpfs' ? 'tmpfs' : 'ext4';
      if (!(await disks.intact(found.slot, kind, signal)))
        throw new SandboxGone(run, 'its working copy was lost in a restart of the engine');
      return found;
    },

    async list(): Promise<SandboxEntry[]> {
      const { containers, volumes } = await everything();
      const owners = new Map<string, string>();
      for (const container of containers) {
        const slot = container.Labels[labels.run];
        if (slot !== undefined && container.Labels[labels.role] === 'sandbox') owners.set(slot, ownerOf(container));
      }
      const entries = new Map<string, SandboxEntry>();
      for (const { Labels } of [...volumes, ...containers]) {
        const slot = Labels?.[labels.run];
        if (slot === undefined) continue;
        const run = owners.get(slot) ?? slot;
        // One that waits is removed by whoever has made it, and by anybody once that process has ended.
        const waits = run.startsWith(warmPrefix) && options.holds(run);
        const expiresAt = waits ? new Date(Date.now() + heldMs) : new Date(Labels?.[labels.expires] ?? 0);
        // An examination that goes on is nobody's business; one that was killed is cleared away like the rest.
        if (run.startsWith(probePrefix) && expiresAt > new Date()) continue;
        entries.set(run, { run, state: 'partial', expiresAt });
      }
      for (const container of containers) {
        const entry = entries.get(ownerOf(container));
        if (entry === undefined || container.Labels[labels.role] !== 'sandbox') continue;
        const { state, go } = await orderOf(container.Labels[labels.run] ?? '', container.State);
        entry.state = entry.run.startsWith(warmPrefix) && state === 'running' ? 'created' : state;
        if (go !== undefined) entry.expiresAt = go.expiresAt;
      }
      return [...entries.values()];
    },
  };
}

/** How much longer a waiting sandbox of this process is told to be wanted, each time it is asked. */
const heldMs = 60 * 60_000;

/** Gives the engine's refusals the meaning they have for a sandbox. */
export function whatHappenedTo(run: string, error: unknown): unknown {
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
