import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { userInfo } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import type { OutputStream } from '../../src/contracts/run-event.ts';
import { assertSpec } from './assert-spec.ts';
import { localAgents } from './local-agents.ts';
import { msBetween, thisMoment } from './local-clock.ts';
import { directoriesIn, freeBytes, isCode, type LocalFiles, localFiles } from './local-files.ts';
import { type HelperPlace, runHelper } from './local-helper.ts';
import { probeLocal } from './local-probe.ts';
import { signalFamily } from './local-process.ts';
import { unpack } from './local-unpack.ts';
import { endCommand, familyOf, follow, killHousehold, standing } from './local-watch.ts';
import {
  gatewayVariable,
  HelperFailed,
  NoSpace,
  type OutputChunk,
  type Sandbox,
  type SandboxCapabilities,
  type SandboxEntry,
  SandboxGone,
} from './port.ts';

export interface LocalSandboxOptions {
  /** Directory of the sandboxes, one below it each; made when needed. Owned by the runner's user. */
  root: string;
  /** PATH of the commands. Nothing else of the runner's environment reaches them. */
  path: string;
  /** Commands are stopped, and none is started, when the disk of `root` has less than this left (256 MiB). */
  minFreeBytes?: number | undefined;
}

export const localCapabilities: SandboxCapabilities = {
  isolated: false,
  network: 'host',
  limits: { memory: false, cpus: false, pids: false, disk: false },
  peakMemory: false,
};

const gitconfig = '[user]\n\tname = Deckhand\n\temail = deckhand@localhost\n[init]\n\tdefaultBranch = main\n[gc]\n\tauto = 0\n';
const bridgePath = fileURLToPath(new URL('../../docker/bridge.mjs', import.meta.url));
const readBytes = 64 * 1024;

/**
 * Sandboxes as plain processes of this machine, for places without a container engine. They are NOT isolated: a command can do what
 * the runner's user can do. docs/sandbox.md lists what holds and what does not.
 */
export function createLocalSandbox(options: LocalSandboxOptions): Sandbox {
  const { root, path, minFreeBytes = 256 * 1024 ** 2 } = options;
  const launcher = readFileSync(fileURLToPath(new URL('launch.sh', import.meta.url)), 'utf8');
  const following = new Map<string, Promise<void>>();
  /** Ends what is followed here: whoever comes after does so. */
  let leaving = new AbortController();
  const filesOf = (run: string) => localFiles(root, run);

  function environment(files: LocalFiles): Record<string, string> {
    const user = userInfo().username;
    return {
      PATH: path,
      HOME: files.home,
      USER: user,
      LANG: 'C.UTF-8',
      TERM: 'xterm-256color',
      CI: 'true',
      TMPDIR: files.temporary,
    };
  }

  /** Follows the run in this process, if nobody here does yet. Its errors come up again in whoever waits for the result. */
  function followed(run: string): Promise<void> {
    const running = following.get(run);
    if (running !== undefined) return running;
    const files = filesOf(run);
    const started = follow(files, minFreeBytes, leaving.signal)
      .catch(async (error: unknown) => {
        // Destroyed under its hands: then this says so.
        if (isCode(error, 'ENOENT')) await files.spec();
        throw error;
      })
      .finally(() => following.delete(run));
    started.catch(() => undefined);
    following.set(run, started);
    return started;
  }

  async function requireRoom(files: LocalFiles): Promise<void> {
    const free = await freeBytes(files.directory);
    if (free < minFreeBytes) {
      const mebibytes = (bytes: number) => `${Math.floor(bytes / 1024 ** 2)} MiB`;
      throw new NoSpace(`The disk has ${mebibytes(free)} left; ${mebibytes(minFreeBytes)} stay in reserve`);
    }
  }

  async function requireStarted(run: string): Promise<LocalFiles> {
    const files = filesOf(run);
    await files.spec();
    if ((await standing(files)) === 'created') throw new Error(`${run} was not started`);
    return files;
  }

  function place(files: LocalFiles, env: Readonly<Record<string, string>> = {}): HelperPlace {
    return { work: files.work, temporary: files.temporary, env: { ...environment(files), ...env } };
  }

  return {
    kind: 'local',
    capabilities: localCapabilities,

    inside: (run) => ({ workspace: filesOf(run).work, bridge: [process.execPath, bridgePath] }),
    agents: (signal) => localAgents(path, signal),

    /** A process is started fast enough. */
    expect: () => undefined,

    async create(spec, signal) {
      assertSpec(spec);
      signal?.throwIfAborted();
      await mkdir(root, { recursive: true, mode: 0o700 });
      const files = filesOf(spec.run);
      await files.create(spec, gitconfig);
      await requireRoom(files);
    },

    async copyIn(run, tar, signal) {
      const files = filesOf(run);
      await files.spec();
      if ((await standing(files)) !== 'created') throw new Error(`copyIn after the start of ${run}`);
      await requireRoom(files);
      await unpack(files.work, tar, signal);
    },

    async start(run, signal) {
      const files = filesOf(run);
      const { argv, env, limits, gateway } = await files.spec();
      signal?.throwIfAborted();
      if ((await files.started()) !== undefined) return;
      const blocks = String(Math.ceil(limits.fileBytes / 512));
      const child = spawn('/bin/sh', ['-c', launcher, 'deckhand', files.directory, blocks, ...argv], {
        cwd: files.work,
        // TMPDIR is set by the launcher, for the command alone: it tells the one from the other.
        env: { ...environment(files), ...env, ...gatewayEnv(gateway), TMPDIR: undefined },
        stdio: 'ignore',
        detached: true,
      });
      child.unref();
      const { promise: failed, reject } = Promise.withResolvers<never>();
      child.once('error', reject);
      await Promise.race([failed, until(async () => (await files.leader()) !== undefined || child.exitCode !== null)]);
      if ((await files.started()) === undefined) throw new Error(`the launcher of ${run} ended with ${child.exitCode}`);
      void followed(run);
    },

    async status(run) {
      const files = filesOf(run);
      const { expiresAt } = await files.spec();
      return { state: await standing(files), expiresAt };
    },

    async *output(run, from, signal) {
      const files = await requireStarted(run);
      let failure: unknown;
      followed(run).catch((error: unknown) => {
        failure = error;
      });
      const { limits } = await files.spec();
      const position = { ...from };
      for (let wait = 10; ; wait = Math.min(250, wait * 1.5)) {
        signal?.throwIfAborted();
        // Looked at first: what is written before the result is read after it.
        const over = (await files.result()) !== undefined;
        for (const stream of ['stdout', 'stderr'] as const) {
          for await (const chunk of readOn(run, files, stream, position[stream], limits.outputBytes)) {
            yield chunk;
            signal?.throwIfAborted();
            position[stream] += chunk.bytes.length;
            wait = 10;
          }
        }
        if (over) return;
        if (failure !== undefined) throw failure;
        await patience(wait, signal);
      }
    },

    async wait(run, signal) {
      const files = await requireStarted(run);
      for (;;) {
        signal?.throwIfAborted();
        const result = await files.result();
        if (result !== undefined) return result;
        await Promise.race([followed(run), patience(250, signal)]);
      }
    },

    async stop(run, graceMs) {
      const files = filesOf(run);
      await files.spec();
      const state = await standing(files);
      if (state === 'created' || state === 'ended') return;
      await files.endBy('stopped');
      await endCommand(files, graceMs);
      await followed(run);
    },

    async pause(run) {
      const files = await requireStarted(run);
      const state = await standing(files);
      if (state === 'paused') return;
      if (state !== 'running') throw new Error(`nothing of ${run} runs`);
      const { totalMs } = await files.pauses();
      await files.setPauses({ since: thisMoment(), totalMs });
      // A process may start another while the signals are sent; the second round meets it.
      for (let round = 0; round < 2; round++) await signalFamily(await familyOf(files), 'SIGSTOP');
    },

    async resume(run) {
      const files = await requireStarted(run);
      const state = await standing(files);
      if (state === 'running') return;
      if (state !== 'paused') throw new Error(`nothing of ${run} runs`);
      const { since, totalMs } = await files.pauses();
      await signalFamily(await familyOf(files), 'SIGCONT');
      const stoodMs = since === null ? 0 : msBetween(since, thisMoment());
      await files.setPauses({ since: null, totalMs: totalMs + stoodMs });
    },

    async exec(run, helper, signal) {
      const files = await requireStarted(run);
      if ((await standing(files)) !== 'running') throw new Error(`nothing of ${run} runs`);
      const stderr: Buffer[] = [];
      const stdout: Buffer[] = [];
      const { env, gateway } = await files.spec();
      const running = runHelper(helper, place(files, { ...env, ...gatewayEnv(gateway) }), (bytes) => stderr.push(bytes), signal);
      for (;;) {
        const step = await running.next();
        if (step.done) return { ...step.value, stdout: Buffer.concat(stdout), stderr: Buffer.concat(stderr) };
        stdout.push(step.value);
      }
    },

    async *collect(run, helper, signal) {
      const files = filesOf(run);
      await files.spec();
      const state = await standing(files);
      if (state === 'running') throw new Error(`collect while the command of ${run} runs`);
      // Until then what the command left behind is still being cleared away.
      if (state === 'ended') await followed(run);
      let stderr = Buffer.alloc(0);
      const keep = (bytes: Buffer) => {
        stderr = Buffer.concat([stderr, bytes]).subarray(-4096);
      };
      const { exitCode, limit } = yield* runHelper(helper, place(files), keep, signal);
      if (exitCode !== 0 || limit !== undefined) throw new HelperFailed(helper.argv, exitCode, stderr.toString(), limit);
    },

    async destroy(run) {
      const files = filesOf(run);
      if (!(await directoriesIn(root)).includes(run)) return;
      await killHousehold(files);
      await files.remove();
    },

    async list() {
      const entries: SandboxEntry[] = [];
      for (const run of await directoriesIn(root)) {
        const files = filesOf(run);
        try {
          const { expiresAt } = await files.spec();
          entries.push({ run, state: await standing(files), expiresAt });
        } catch (error) {
          if (!(error instanceof SandboxGone)) throw error;
          entries.push({ run, state: 'partial', expiresAt: await files.partialUntil() });
        }
      }
      return entries;
    },

    async close() {
      leaving.abort(new Error('the provider of sandboxes is closed'));
      await Promise.allSettled(following.values());
      leaving = new AbortController();
    },
    probe: () => probeLocal(root, path, minFreeBytes),
  };
}

function gatewayEnv(gateway: string | undefined): Record<string, string> {
  return gateway === undefined ? {} : { [gatewayVariable]: join(gateway, 'gw.sock') };
}

async function* readOn(
  run: string,
  files: LocalFiles,
  stream: OutputStream,
  from: number,
  most: number,
): AsyncGenerator<OutputChunk> {
  const file = await files.openOutput(stream).catch((error: unknown) => {
    throw new SandboxGone(run, 'its output does not exist', { cause: error });
  });
  try {
    for (let offset = from; offset < most; ) {
      const buffer = Buffer.allocUnsafe(readBytes);
      const { bytesRead } = await file.read(buffer, 0, Math.min(readBytes, most - offset), offset);
      if (bytesRead === 0) return;
      yield { stream, offset, bytes: buffer.subarray(0, bytesRead) };
      offset += bytesRead;
    }
  } finally {
    await file.close();
  }
}

/** Waits, or rejects with the signal's reason. */
async function patience(ms: number, signal?: AbortSignal): Promise<void> {
  try {
    await delay(ms, undefined, { signal });
  } catch (error) {
    signal?.throwIfAborted();
    throw error;
  }
}

async function until(done: () => Promise<boolean>): Promise<void> {
  while (!(await done())) await delay(5);
}
