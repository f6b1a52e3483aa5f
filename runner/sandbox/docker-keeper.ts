import { readFile } from 'node:fs/promises';
import type Docker from 'dockerode';
import { labels, type Role, unplugged } from './docker-container.ts';
import { call, chunksOf, delay, EngineError, hasStatus, stdoutOf } from './docker-engine.ts';
import { asReadable, type HelperEnd, removeContainer } from './docker-helper.ts';
import { SandboxUnreachable } from './port.ts';

/**
 * The container in which disk.sh makes and removes the file systems of working copies: one for all of an installation, made when it is
 * first needed. A container for each step would cost the engine three times as much as a program in one that is there.
 *
 * Nothing in it mounts or reads what a sandbox has written, so what one run leaves cannot reach another's. It belongs to no run, and to
 * none of the processes that use it: whoever finds it missing makes it, and does the step again, which every step allows.
 */
export interface DiskKeeper {
  /** Runs disk.sh. An abort only stops waiting. Throws SandboxUnreachable. */
  run(args: readonly string[], signal?: AbortSignal): Promise<HelperEnd>;
  /** Removes the container, if this process has used it. Idempotent; another process that needs it makes it anew. */
  close(): Promise<void>;
}

/** The engine says 500, or 409, of a container whose removal or end is under way. */
function isEnding(error: unknown): boolean {
  return error instanceof EngineError && /is not running|removal in progress/i.test(error.message);
}

interface KeeperOptions {
  docker: Docker;
  instance: string;
  image: string;
  /** With the files of the working copies. */
  volume: string;
}

const script = new URL('disk.sh', import.meta.url);
const tries = 40;
const pauseMs = 100;

/** Ends by itself when no step was done for a quarter of an hour or two: each touches the lock. */
const wait = 'while sleep 900; do [ $(($(date +%s) - $(stat -c %Y /disks/lock))) -lt 900 ] || exit 0; done';

export function createDiskKeeper({ docker, instance, image, volume }: KeeperOptions): DiskKeeper {
  const name = `deckhand-${instance}-keeper`;
  const container = docker.getContainer(name);
  const role: Role = 'keeper';
  let used = false;
  let text: Promise<string> | undefined;

  async function make(signal?: AbortSignal): Promise<void> {
    const options: Docker.ContainerCreateOptions = {
      ...unplugged,
      name,
      Image: image,
      User: '0:0',
      WorkingDir: '/',
      Entrypoint: ['sh', '-c', wait],
      Cmd: [],
      Labels: { [labels.instance]: instance, [labels.role]: role },
      HostConfig: {
        AutoRemove: true,
        NetworkMode: 'none',
        ReadonlyRootfs: true,
        CapDrop: ['ALL'],
        // MKNOD: names for the loop devices; DAC_OVERRIDE: they belong to a group.
        CapAdd: ['MKNOD', 'DAC_OVERRIDE'],
        SecurityOpt: ['no-new-privileges:true'],
        IpcMode: 'private',
        PidsLimit: 1024,
        DeviceCgroupRules: ['b 7:* rwm'],
        Devices: [{ PathOnHost: '/dev/loop-control', PathInContainer: '/dev/loop-control', CgroupPermissions: 'rw' }],
        Binds: [`${volume}:/disks:nocopy`],
        LogConfig: { Type: 'none', Config: {} },
      },
    };
    try {
      await call((abortSignal) => docker.createContainer({ ...options, abortSignal }), signal);
    } catch (error) {
      // Another process makes it, or its removal goes on.
      if (!hasStatus(error, 409)) throw error;
    }
    try {
      await call((abortSignal) => container.start({ abortSignal }), signal);
    } catch (error) {
      if (hasStatus(error, 304, 404, 409)) return;
      // It cannot start here: there are no loop devices.
      if (error instanceof EngineError) await remove();
      throw error;
    }
  }

  async function remove(): Promise<void> {
    try {
      await removeContainer(container);
    } catch (error) {
      // It is being removed.
      if (!hasStatus(error, 409)) throw error;
    }
  }

  /** Undefined: it was not there, or ended meanwhile. */
  async function attempt(args: readonly string[], signal?: AbortSignal): Promise<HelperEnd | undefined> {
    text ??= readFile(script, 'utf8');
    const Cmd = ['sh', '-c', await text, 'disk', ...args];
    const chunks: Buffer[] = [];
    let stderr = Buffer.alloc(0);
    try {
      const exec = await call(
        (abortSignal) => container.exec({ Cmd, AttachStdout: true, AttachStderr: true, abortSignal }),
        signal,
      );
      const stream = asReadable(await call(() => exec.start({ hijack: true, stdin: false }), signal));
      const keep = (bytes: Buffer) => {
        stderr = Buffer.concat([stderr, bytes]).subarray(-4096);
      };
      for await (const chunk of stdoutOf(chunksOf(stream, signal), keep)) chunks.push(chunk);
    } catch (error) {
      if (hasStatus(error, 404, 409) || isEnding(error)) return undefined;
      throw error;
    }
    const end = /(?:^|\n)end (\d+)\n$/.exec(Buffer.concat(chunks).toString())?.[1];
    return end === undefined ? undefined : { exitCode: Number(end), stderr: stderr.toString() };
  }

  return {
    async run(args, signal) {
      used = true;
      for (let n = 0; n < tries; n += 1) {
        const end = await attempt(args, signal);
        if (end !== undefined) return end;
        if (n > 0) await delay(pauseMs, signal);
        await make(signal);
      }
      throw new SandboxUnreachable(`The container engine does not keep the container ${name}`);
    },

    async close() {
      if (!used) return;
      used = false;
      await remove();
    },
  };
}
