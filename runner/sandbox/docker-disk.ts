import { randomInt } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import type Docker from 'dockerode';
import { labels, lockedDown, probePrefix, type Role, sandboxLabels, sandboxUser, unplugged } from './docker-container.ts';
import { call, EngineError, hasStatus } from './docker-engine.ts';
import { removeContainer, runToEnd } from './docker-helper.ts';
import { createDiskKeeper } from './docker-keeper.ts';
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
/** Says to every Deckhand on this engine that loop devices were found to work. */
const knownVolume = 'deckhand-ext4-works';
// How disk.sh ends.
const [mountedExit, takenExit, noRoomExit] = [16, 17, 28];
/** Numbers of loop devices tried in either range. */
const triesEach = 3;
/** How often a mount that is held is tried again, and the pause before that. */
const detachTries = 10;
const detachPauseMs = 300;

interface DiskOptions {
  docker: Docker;
  instance: string;
  image: string;
  /** Asked for by the owner; undefined: the best that works. */
  kind?: DiskKind | undefined;
}

type DiskSpec = Pick<SandboxSpec, 'run' | 'limits' | 'expiresAt'>;

interface Prepared {
  volume: string;
  kind: DiskKind;
  hosts?: string | undefined;
}

export type Disks = ReturnType<typeof createDisks>;

export function createDisks({ docker, instance, image, kind: wanted }: DiskOptions) {
  const filesVolume = `deckhand-${instance}-disks`;
  const keeper = createDiskKeeper({ docker, instance, image, volume: filesVolume });
  let decided: Promise<DiskChoice> | undefined;
  /** Where devices have partitions, there are fewer of them. */
  let fewNumbers = false;
  /** Whether there are working copies; else the keeper goes when the examination is over. */
  let serves = false;

  /** Makes volume, file and device: the volume first, and it goes last, so that the run is listed all the time. */
  async function makeExt4(spec: Pick<SandboxSpec, 'run' | 'expiresAt'>, bytes: number, signal?: AbortSignal): Promise<void> {
    for (let tries = 0; tries < 2 * triesEach; tries += 1) {
      const few = fewNumbers || tries >= triesEach;
      const number = await reserve(spec, few ? randomInt(4096, 65_536) : randomInt(65_536, 1_048_576), signal);
      const args = ['attach', spec.run, number, bytes, `${sandboxUser}:${sandboxUser}`, reserveBytes].map(String);
      const { exitCode, stderr } = await keeper.run(args, signal);
      if (exitCode === 0) {
        fewNumbers = few;
        return;
      }
      // There is no file then, and nobody but this run knows of the volume.
      await removeVolume(volumeName(spec.run));
      if (exitCode === noRoomExit) throw new NoSpace(`The disk of the container engine has no room: ${stderr.trim()}`);
      if (/no space left/i.test(stderr)) throw new NoSpace('The disk of the container engine is full');
      if (exitCode !== takenExit) throw new Error(`disk.sh attach ended with ${exitCode}: ${stderr.trim()}`);
    }
    throw new Error('disk.sh attach found no loop device');
  }

  /**
   * Makes the volume, and returns the number of its loop device: the one that is proposed, or that of the volume that was there.
   * Every working copy has a number of its own, drawn from a range that nobody else uses: after a restart of the host the old number
   * names nothing, instead of the working copy of another task.
   */
  async function reserve(spec: Pick<SandboxSpec, 'run' | 'expiresAt'>, proposed: number, signal?: AbortSignal): Promise<number> {
    signal?.throwIfAborted();
    const device = `/dev/loop${proposed}`;
    // One that is there stays as it is.
    await createVolume(spec, 'ext4', { type: 'ext4', device, o: 'nosuid,nodev,noatime,discard' });
    const { Name, Options } = await call(() => docker.getVolume(volumeName(spec.run)).inspect());
    const number = /^\/dev\/loop(\d+)$/.exec(Options?.device ?? '')?.[1];
    if (number === undefined) throw new Error(`The volume ${Name} is none of a loop device`);
    return Number(number);
  }

  async function createVolume(spec: Pick<SandboxSpec, 'run' | 'expiresAt'>, kind: DiskKind, options: Record<string, string>) {
    const Name = volumeName(spec.run);
    const Labels = { ...sandboxLabels(instance, spec.run, spec.expiresAt, 'sandbox'), [labels.disk]: kind };
    await call(() => docker.createVolume({ Name, Driver: 'local', DriverOpts: options, Labels }));
  }

  /** The engine may hold a mount for a moment longer than the container, above all while it starts another one. */
  async function detach(run: string): Promise<void> {
    for (let again = 0; ; again += 1) {
      const { exitCode, stderr } = await keeper.run(['detach', run]);
      if (exitCode === 0) return;
      if (exitCode !== mountedExit) throw new Error(`disk.sh detach ended with ${exitCode}: ${stderr.trim()}`);
      if (again === detachTries) throw new Error(`The working copy of ${run} is in use`);
      await delay(detachPauseMs);
    }
  }

  function volumeName(run: string): string {
    return `deckhand-${instance}-${run}`;
  }

  /** Makes the volume of a run. `hosts`: file on the engine with the names that a container finds, see `hostsMount`. Repeatable. */
  async function prepare(spec: DiskSpec, signal?: AbortSignal): Promise<Prepared> {
    serves = true;
    const { kind } = await decide(signal);
    const volume = volumeName(spec.run);
    const size = Math.ceil(spec.limits.diskBytes);
    if (kind === 'ext4') {
      await makeExt4(spec, size, signal);
      const { Mountpoint } = await call((abortSignal) => docker.getVolume(filesVolume).inspect({ abortSignal }), signal);
      return { volume, kind, hosts: `${Mountpoint}/hosts` };
    }
    const inodes = Math.max(4096, Math.ceil(size / 8192));
    const o = `size=${size},nr_inodes=${inodes},uid=${sandboxUser},gid=${sandboxUser},mode=755,nosuid,nodev`;
    await createVolume(spec, kind, { type: 'tmpfs', device: 'tmpfs', o });
    await hold(spec, signal);
    return { volume, kind };
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
   * Removes the containers, the file and the volume of a run. Repeatable after a crash anywhere: until the last step something with the
   * labels of the run exists, so it stays in the list.
   */
  async function release(
    run: string,
    containers: Docker.Container[],
    volume: Docker.VolumeInspectInfo | undefined,
  ): Promise<void> {
    serves = true;
    const kind = volume?.Labels?.[labels.disk] ?? (await decide()).kind;
    // Without a volume they have nothing mounted.
    if (kind === 'ext4' && volume === undefined) await detach(run);
    await Promise.all(containers.map(removeContainer));
    if (kind === 'ext4' && volume !== undefined) await detach(run);
    await removeVolume(volumeName(run));
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
    let made = false;
    try {
      await makeExt4(probe, 16 * 1024 ** 2);
      made = true;
      const role: Role = 'probe';
      const options = {
        ...unplugged,
        Image: image,
        Entrypoint: ['/bin/true'],
        Labels: sandboxLabels(instance, probe.run, probe.expiresAt, role),
        HostConfig: lockedDown({ memoryBytes: 64 * 1024 ** 2, cpus: 1, pids: 8, fileBytes: 4096 }, volumeName(probe.run)),
      };
      const { exitCode } = await runToEnd(docker, options);
      if (exitCode !== 0) throw new Error(`a container on it ended with ${exitCode}`);
      return { kind: 'ext4', why: 'loop devices work' };
    } catch (error) {
      if (error instanceof EngineError || (error instanceof Error && error.message.startsWith('disk.sh'))) {
        return { kind: 'tmpfs', why: `loop devices do not work here: ${error.message}` };
      }
      throw error;
    } finally {
      if (made) await detach(probe.run);
      await removeVolume(volumeName(probe.run));
      if (!serves) await keeper.close();
    }
  }

  async function start(container: Docker.Container, signal?: AbortSignal): Promise<void> {
    try {
      await call((abortSignal) => container.start({ abortSignal }), signal);
    } catch (error) {
      if (!hasStatus(error, 304)) throw error;
    }
  }

  return { prepare, intact, release, examine, volumeName, close: keeper.close };
}
