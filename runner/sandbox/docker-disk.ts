import type Docker from 'dockerode';
import { labels, lockedDown, probePrefix, type Role, sandboxLabels, sandboxUser, unplugged } from './docker-container.ts';
import { call, EngineError, hasStatus } from './docker-engine.ts';
import { removeContainer, runContainer, runSmall } from './docker-helper.ts';
import { NoSpace, type SandboxSpec } from './port.ts';

/**
 * Where working copies live, and what holds them to their size:
 * - `ext4`: a file system in a file behind a loop device. Needs an engine that runs as root on a kernel with loop devices.
 * - `tmpfs`: in memory, for engines without (rootless ones). Counts as memory of the sandbox; a container that does nothing keeps it
 *   mounted while the command does not run.
 */
export type DiskKind = 'ext4' | 'tmpfs';

export interface DiskChoice {
  kind: DiskKind;
  /** Half a sentence for people. */
  why: string;
}

/** What stays free on the engine's disk even if every working copy grew to its limit. */
const reserveBytes = 1024 ** 3;
const noRoomExit = 28;
const scriptPath = '/usr/local/lib/deckhand/disk.sh';

interface DiskOptions {
  docker: Docker;
  instance: string;
  image: string;
  /** Asked for by the owner; undefined: the best that works. */
  kind?: DiskKind | undefined;
}

type DiskSpec = Pick<SandboxSpec, 'run' | 'limits' | 'expiresAt'>;

export type Disks = ReturnType<typeof createDisks>;

export function createDisks({ docker, instance, image, kind: wanted }: DiskOptions) {
  const filesVolume = `deckhand-${instance}-disks`;
  const knownVolume = `deckhand-${instance}-ext4-works`;
  let decided: Promise<DiskChoice> | undefined;

  function scriptContainer(run: string, expiresAt: Date, args: string[]): Docker.ContainerCreateOptions {
    return {
      ...unplugged,
      Image: image,
      User: '0:0',
      Entrypoint: [scriptPath],
      Cmd: args,
      Labels: sandboxLabels(instance, run, expiresAt, 'disk'),
      HostConfig: {
        NetworkMode: 'none',
        ReadonlyRootfs: true,
        CapDrop: ['ALL'],
        // MKNOD: names for the loop devices; DAC_OVERRIDE: they belong to a group.
        CapAdd: ['MKNOD', 'DAC_OVERRIDE'],
        SecurityOpt: ['no-new-privileges:true'],
        DeviceCgroupRules: ['b 7:* rwm'],
        Devices: [{ PathOnHost: '/dev/loop-control', PathInContainer: '/dev/loop-control', CgroupPermissions: 'rw' }],
        Binds: [`${filesVolume}:/disks:nocopy`],
        LogConfig: { Type: 'none', Config: {} },
      },
    };
  }

  /** Makes file, device and volume. The helper's container stays until the volume exists, so that the run is listed all the time. */
  async function makeExt4(spec: Pick<SandboxSpec, 'run' | 'expiresAt'>, bytes: number, signal?: AbortSignal): Promise<void> {
    const args = ['attach', spec.run, String(bytes), `${sandboxUser}:${sandboxUser}`, String(reserveBytes)];
    await runSmall(docker, scriptContainer(spec.run, spec.expiresAt, args), signal, async ({ exitCode, stdout, stderr }) => {
      if (exitCode === noRoomExit) throw new NoSpace(`The disk of the container engine has no room: ${stderr.trim()}`);
      if (exitCode !== 0 && /no space left/i.test(stderr)) throw new NoSpace('The disk of the container engine is full');
      const device = stdout.trim();
      if (exitCode !== 0 || !/^\/dev\/loop\d+$/.test(device)) {
        throw new Error(`disk.sh attach ended with ${exitCode}: ${stderr.trim()}`);
      }
      await createVolume(spec, 'ext4', { type: 'ext4', device, o: 'nosuid,nodev,noatime,discard' });
    });
  }

  async function createVolume(spec: Pick<SandboxSpec, 'run' | 'expiresAt'>, kind: DiskKind, options: Record<string, string>) {
    const Name = volumeName(spec.run);
    const Labels = { ...sandboxLabels(instance, spec.run, spec.expiresAt, 'sandbox'), [labels.disk]: kind };
    await call(() => docker.createVolume({ Name, Driver: 'local', DriverOpts: options, Labels }));
  }

  function volumeName(run: string): string {
    return `deckhand-${instance}-${run}`;
  }

  /** Makes the volume of a run. Repeatable. */
  async function prepare(spec: DiskSpec, signal?: AbortSignal): Promise<{ volume: string; kind: DiskKind }> {
    const { kind } = await decide(signal);
    const size = Math.ceil(spec.limits.diskBytes);
    if (kind === 'ext4') {
      await makeExt4(spec, size, signal);
    } else {
      const inodes = Math.max(4096, Math.ceil(size / 8192));
      const o = `size=${size},nr_inodes=${inodes},uid=${sandboxUser},gid=${sandboxUser},mode=755,nosuid,nodev`;
      await createVolume(spec, kind, { type: 'tmpfs', device: 'tmpfs', o });
      await hold(spec, signal);
    }
    return { volume: volumeName(spec.run), kind };
  }

  async function hold(spec: DiskSpec, signal?: AbortSignal): Promise<void> {
    const name = `${volumeName(spec.run)}-holder`;
    const options: Docker.ContainerCreateOptions = {
      ...unplugged,
      name,
      Image: image,
      User: `${sandboxUser}:${sandboxUser}`,
      Entrypoint: ['/bin/sleep'],
      Cmd: ['infinity'],
      Labels: sandboxLabels(instance, spec.run, spec.expiresAt, 'holder'),
      HostConfig: lockedDown({ memoryBytes: 16 * 1024 ** 2, cpus: 0.1, pids: 4, fileBytes: 4096 }, volumeName(spec.run)),
    };
    try {
      await call((abortSignal) => docker.createContainer({ ...options, abortSignal }), signal);
    } catch (error) {
      if (!hasStatus(error, 409)) throw error;
    }
    await start(docker.getContainer(name), signal);
  }

  /** False when the content of the working copy is lost although its volume exists. */
  async function intact(run: string, kind: DiskKind, signal?: AbortSignal): Promise<boolean> {
    if (kind === 'ext4') return true;
    try {
      const holder = docker.getContainer(`${volumeName(run)}-holder`);
      return (await call((abortSignal) => holder.inspect({ abortSignal }), signal)).State.Running;
    } catch (error) {
      if (hasStatus(error, 404)) return false;
      throw error;
    }
  }

  /**
   * Removes the containers, the volume and the file of a run. Repeatable after a crash anywhere: until the last step something with
   * the labels of the run exists, so it stays in the list.
   */
  async function release(
    run: string,
    containers: Docker.Container[],
    volume: Docker.VolumeInspectInfo | undefined,
  ): Promise<void> {
    const kind = volume?.Labels?.[labels.disk] ?? (await decide()).kind;
    let last: Docker.Container | undefined;
    if (kind === 'ext4') {
      const options = scriptContainer(run, new Date(0), ['detach', run]);
      last = await call(() => docker.createContainer(options));
    }
    await Promise.all(containers.map(removeContainer));
    await removeVolume(volumeName(run));
    if (last === undefined) return;
    await start(last);
    const { StatusCode } = await call(() => last.wait());
    if (StatusCode !== 0) throw new Error(`disk.sh detach ended with ${StatusCode}`);
    await removeContainer(last);
  }

  async function removeVolume(name: string): Promise<void> {
    try {
      await call((abortSignal) => docker.getVolume(name).remove({ abortSignal }));
    } catch (error) {
      if (!hasStatus(error, 404)) throw error;
    }
  }

  /** Which kind works here. What was found to work once is remembered by the engine, in the name of an empty volume. */
  function decide(signal?: AbortSignal): Promise<DiskChoice> {
    if (wanted !== undefined) return Promise.resolve({ kind: wanted, why: 'chosen by configuration' });
    decided ??= isKnownToWork().then((known) => (known ? { kind: 'ext4', why: 'loop devices work' } : examine()));
    decided.catch(() => {
      decided = undefined;
    });
    signal?.throwIfAborted();
    return decided;
  }

  async function isKnownToWork(): Promise<boolean> {
    try {
      await call((abortSignal) => docker.getVolume(knownVolume).inspect({ abortSignal }));
      return true;
    } catch (error) {
      if (hasStatus(error, 404)) return false;
      throw error;
    }
  }

  /** Tries it, whatever is known. */
  async function examine(): Promise<DiskChoice> {
    if (wanted === 'tmpfs') return await decide();
    const found = await tryExt4();
    if (found.kind === 'ext4') await call(() => docker.createVolume({ Name: knownVolume }));
    return found;
  }

  /** The whole way of a working copy: file, device, volume, mounted by the engine. */
  async function tryExt4(): Promise<DiskChoice> {
    const probe = { run: `${probePrefix}${process.pid}-${Date.now()}`, expiresAt: new Date(Date.now() + 120_000) };
    try {
      await makeExt4(probe, 16 * 1024 ** 2);
      const role: Role = 'probe';
      const options = {
        ...unplugged,
        Image: image,
        Entrypoint: ['/bin/true'],
        Labels: sandboxLabels(instance, probe.run, probe.expiresAt, role),
        HostConfig: lockedDown({ memoryBytes: 64 * 1024 ** 2, cpus: 1, pids: 8, fileBytes: 4096 }, volumeName(probe.run)),
      };
      const { exitCode } = await runSmall(docker, options);
      if (exitCode !== 0) throw new Error(`a container on it ended with ${exitCode}`);
      return { kind: 'ext4', why: 'loop devices work' };
    } catch (error) {
      if (error instanceof EngineError || (error instanceof Error && error.message.startsWith('disk.sh'))) {
        return { kind: 'tmpfs', why: `loop devices do not work here: ${error.message}` };
      }
      throw error;
    } finally {
      await removeVolume(volumeName(probe.run));
      for await (const _ of runContainer(docker, scriptContainer(probe.run, probe.expiresAt, ['detach', probe.run])));
    }
  }

  async function start(container: Docker.Container, signal?: AbortSignal): Promise<void> {
    try {
      await call((abortSignal) => container.start({ abortSignal }), signal);
    } catch (error) {
      if (!hasStatus(error, 304)) throw error;
    }
  }

  return { prepare, intact, release, examine, volumeName };
}
