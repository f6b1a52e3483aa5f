import type { OutputCursor, OutputStream } from '../../src/contracts/run-event.ts';
import type { Ahead } from './ahead.ts';

/**
 * Where a run executes. Every provider passes tests/contracts/sandbox-contract.ts; docs/sandbox.md explains the life of a sandbox
 * and what each provider can and cannot enforce.
 *
 * A sandbox belongs to one run and is named by the run's id, so nothing has to be remembered to find it again:
 *
 *     create -> copyIn -> start -> output + wait -> collect … -> destroy
 *
 * Promises that hold for every method:
 * - An aborted signal rejects with the signal's reason and only stops waiting. It never stops the command; `stop` does.
 * - `SandboxUnreachable` says nothing about the sandbox: it may still run. Ask again later; never replace it.
 * - `SandboxGone` is final: the sandbox and its working copy do not exist any more. Only then may another be created.
 * - What a sandbox wrote is never read through a path on the host. It leaves as bytes that a program inside a sandbox produced.
 */
export interface Sandbox {
  readonly kind: 'docker' | 'local';
  readonly capabilities: SandboxCapabilities;

  /** What the command of a run finds, known before anything exists. */
  inside(run: string): SandboxInside;

  /**
   * Which programs of agents commands with `image: 'agents'` find in their PATH. Throws ImageMissing, ImageUnfit,
   * SandboxUnreachable where there is no telling.
   */
  agents(signal?: AbortSignal): Promise<AgentPrograms>;

  /**
   * Says that a run will call `create` in a moment, so that the provider can begin with what takes time. Returns at once, promises
   * nothing, and may be left out.
   */
  expect(spec: ExpectedSandbox): void;

  /**
   * Makes the sandbox with an empty working copy; the command does not run yet. Idempotent by `spec.run`: a second call completes
   * what an earlier one left half done and changes nothing about a complete sandbox, even where the spec differs.
   * Throws ImageMissing, ImageUnfit, NoSpace, SandboxUnreachable.
   */
  create(spec: SandboxSpec, signal?: AbortSignal): Promise<void>;

  /**
   * Unpacks a plain tar stream (see `packDirectory`) into the working copy. Owners in the archive do not matter: everything belongs
   * to the sandbox's user afterwards. Only before `start`. May be repeated, after a failure or to add files: what has the same name
   * is replaced. An abort leaves a part of the files.
   * Throws SandboxGone, NoSpace (the archive does not fit), SandboxUnreachable.
   */
  copyIn(run: string, tar: AsyncIterable<Uint8Array>, signal?: AbortSignal): Promise<void>;

  /**
   * Starts the command. At most once in the life of a sandbox: when it was started before, this does nothing, also when the command
   * has ended since. A command that cannot be started ends with exit code 126 or 127 and a line on stderr, as in a shell.
   */
  start(run: string, signal?: AbortSignal): Promise<void>;

  /** Throws SandboxGone when there is none. */
  status(run: string): Promise<SandboxStatus>;

  /**
   * The output of the command from byte `from` of each stream on, to its end, however often and by whichever process: bytes are
   * exactly those written, nothing lost or doubled, in order within a stream. Pulled: nothing is read faster than the consumer
   * takes it. Live where the command runs, a replay where it has ended. A broken connection throws SandboxUnreachable; continue
   * from the byte after the last chunk. Should a piece ever be missing, DamagedOutput is thrown instead of leaving it out. Abort and
   * `break` only detach.
   */
  output(run: string, from: OutputCursor, signal?: AbortSignal): AsyncIterable<OutputChunk>;

  /** Waits for the end of the started command; answers again and again afterwards. Independent of `output`. */
  wait(run: string, signal?: AbortSignal): Promise<SandboxResult>;

  /**
   * Ends the command and everything it started: asks with SIGTERM, and kills what is left after `graceMs`. Resolves when nothing
   * runs any more. Idempotent; does nothing when the command has ended; a paused sandbox is stopped too. `wait` then tells the cause
   * `stopped`. Never started: it stays startable.
   */
  stop(run: string, graceMs: number): Promise<void>;

  /** Freezes all processes; time does not count towards the time limit meanwhile. Idempotent. Plain Error when nothing runs. */
  pause(run: string): Promise<void>;
  resume(run: string): Promise<void>;

  /**
   * Runs a short helper beside the running command, in the same sandbox. Plain Error when the command does not run. Everything the
   * helper started is killed at its time limit, at its output limit and on abort.
   */
  exec(run: string, helper: Helper, signal?: AbortSignal): Promise<ExecResult>;

  /**
   * Runs a trusted helper over the working copy while the command does not run (before start, or after the end), in a fresh sandbox
   * with the same restrictions, and yields its stdout. Reading to the end without an error means that the helper succeeded and all
   * of its output was seen; otherwise it throws HelperFailed. `break` and abort kill the helper.
   */
  collect(run: string, helper: Helper, signal?: AbortSignal): AsyncIterable<Uint8Array>;

  /** Removes the sandbox, its working copy and all its traces, running or not. Idempotent, also when there never was one. */
  destroy(run: string): Promise<void>;

  /** Everything this instance of Deckhand has made and not yet destroyed, half-made things included. For the reaper. */
  list(): Promise<SandboxEntry[]>;

  /**
   * Removes what the provider keeps ready for runs to come, and looks after none any more. Sandboxes of runs stay as they are, for whoever
   * attaches to them next. Idempotent.
   */
  close(): Promise<void>;

  /** Examines the provider for `doctor`. Never throws: what does not work is a failed check. */
  probe(signal?: AbortSignal): Promise<ProbeCheck[]>;
}

/** What a provider can do, as data. Nobody asks for the provider's name. */
export interface SandboxCapabilities {
  /** False: the command runs as the user of the runner and sees the host. Every card says so. */
  isolated: boolean;
  /** `none`: no network at all. `host`: that of the host. */
  network: 'none' | 'host';
  /** Which limits of SandboxLimits hold. Time and output hold everywhere. */
  limits: { memory: boolean; cpus: boolean; pids: boolean; disk: boolean };
  /** Whether `SandboxResult.peakMemoryBytes` is measured. */
  peakMemory: boolean;
}

export interface SandboxLimits {
  /** Wall clock from start to end, without pauses. */
  timeMs: number;
  /** stdout and stderr together. Output beyond it is not kept; the command is stopped. */
  outputBytes: number;
  memoryBytes: number;
  cpus: number;
  /** Processes and threads together. */
  pids: number;
  /** The working copy with everything in it. */
  diskBytes: number;
  /** Any single file. */
  fileBytes: number;
}

export const defaultSandboxLimits: SandboxLimits = {
  timeMs: 30 * 60 * 1000,
  outputBytes: 64 * 1024 * 1024,
  memoryBytes: 2 * 1024 ** 3,
  cpus: 1,
  pids: 256,
  diskBytes: 4 * 1024 ** 3,
  fileBytes: 2 * 1024 ** 3,
};

export interface SandboxSpec {
  /** Id of the run: letters, digits, `_`, `-`; at most 64 characters. */
  run: string;
  /** The command as a vector, never through a shell of its own. Its working directory is the working copy. */
  argv: readonly [string, ...string[]];
  /**
   * The command sees these variables, those every provider sets (PATH, HOME, USER, TMPDIR, LANG, TERM, CI) and those of the image.
   * Nothing of the runner's own environment.
   */
  env: Readonly<Record<string, string>>;
  limits: SandboxLimits;
  /**
   * Directory of the host with the socket of the run's gateway, `gw.sock`: the one way out of an isolated sandbox. Absolute. The
   * command finds the socket under the path in DECKHAND_GATEWAY_SOCKET; helpers of `collect` do not. A container sees the directory
   * read-only and nothing else of the host, as a user of its own: mode 711 of the directory and 666 of the socket let it connect,
   * a directory above that only the runner may enter keeps other users of the host away. It must exist from `create` on and stay the
   * same directory; sockets that are made in it later are seen. Undefined: no way out.
   */
  gateway?: string | undefined;
  /** `agents`: with the programs of agents, see `Sandbox.agents`. Default `commands`. */
  image?: SandboxImage | undefined;
  /** Name of another image in its place, where there are images; it must be built for this version too. */
  ownImage?: string | undefined;
  /**
   * What the provider may have started before the run was known. It becomes the command where `argv` is the bridge and just this; `tell`
   * are the lines that it is given first then, and that say what it would have found in `env`. Without them it is not used.
   */
  ahead?: Ahead | undefined;
  tell?: readonly string[] | undefined;
  /** After this the reaper may destroy the sandbox even if nobody asks for it. */
  expiresAt: Date;
}

/** What decides how a sandbox is made, before it is known what it runs. Of the gateway it counts whether there will be one. */
export type ExpectedSandbox = Pick<SandboxSpec, 'image' | 'ownImage' | 'gateway' | 'limits' | 'ahead'>;

/** Tells a command where the socket of its gateway is. */
export const gatewayVariable = 'DECKHAND_GATEWAY_SOCKET';

export type SandboxImage = 'commands' | 'agents';

export interface SandboxInside {
  /** Absolute path of the working copy, which is also the directory that the command starts in. */
  workspace: string;
  /** Runs docker/bridge.mjs, which brings an agent and its gateway together; `--` and a command follow, or nothing. */
  bridge: readonly [string, ...string[]];
}

/** Version of each program that is there, `2.1.197`. */
export interface AgentPrograms {
  claude?: string | undefined;
  codex?: string | undefined;
}

/** `Claude Code 2.1.197, Codex missing`. */
export function programsOf({ claude, codex }: AgentPrograms): string {
  return `Claude Code ${claude ?? 'missing'}, Codex ${codex ?? 'missing'}`;
}

/** A helper command inside a sandbox. Its working directory is the working copy. */
export interface Helper {
  argv: readonly [string, ...string[]];
  env?: Readonly<Record<string, string>> | undefined;
  timeMs: number;
  /** stdout and stderr together. */
  outputBytes: number;
}

export interface OutputChunk {
  stream: OutputStream;
  /** Position of the first byte in its stream. */
  offset: number;
  bytes: Uint8Array;
}

/**
 * Why the command is over.
 * - `exit`: it ended by itself, with an exit code or by a signal
 * - `timed_out`, `output_limit`, `disk_limit`: a limit was reached and it was stopped (or it failed on the full disk by itself)
 * - `memory_limit`: a process of it was killed for want of memory, and it failed
 * - `stopped`: `stop` was called
 * - `lost`: it was killed from outside, by the engine or a restart of the machine; no report exists
 */
export type SandboxCause = 'exit' | 'timed_out' | 'output_limit' | 'memory_limit' | 'disk_limit' | 'stopped' | 'lost';

export interface SandboxResult {
  cause: SandboxCause;
  /** 0-255; 128 + number of the signal where one ended it, as a shell counts. */
  exitCode: number;
  /** Name, `SIGSEGV`, when the command itself (not a child of it) was ended by a signal. */
  signal?: string | undefined;
  /** The memory limit killed at least one process, whether or not the command survived that. */
  oomKilled: boolean;
  /** The limit of processes kept at least one from starting. Absent where it is not counted. */
  pidsRefused?: boolean | undefined;
  /** From start to end. A pause may be left out. */
  durationMs: number;
  /** Memory held by the processes and by files in memory, without file cache. Absent where it is not measured. */
  peakMemoryBytes?: number | undefined;
}

export type SandboxState = 'created' | 'running' | 'paused' | 'ended';

export interface SandboxStatus {
  state: SandboxState;
  expiresAt: Date;
}

export interface SandboxEntry {
  run: string;
  /** `partial`: pieces left by an interrupted create or destroy; only `destroy` is of use. */
  state: SandboxState | 'partial';
  expiresAt: Date;
}

export interface ExecResult {
  exitCode: number;
  stdout: Uint8Array;
  stderr: Uint8Array;
  /** Set when a limit of the helper ended it; the output is what came until then. */
  limit?: 'timed_out' | 'output_limit' | undefined;
}

export interface ProbeCheck {
  /** Stable name: `engine`, `image`, `network`, … */
  name: string;
  ok: boolean;
  /** Of what is not ok: nothing is broken, commands run, but somebody should know. */
  harmless?: boolean | undefined;
  /** What was found, in one sentence. */
  detail: string;
  /** What to do when it is not ok. */
  remedy?: string | undefined;
}

/** What runs in the sandbox ahead of its run was making the same directory at that moment: to be copied in again. */
export class CopyCollided extends Error {
  override name = 'CopyCollided';
}

/** The provider did not answer. The sandbox may exist and run. */
export class SandboxUnreachable extends Error {
  override name = 'SandboxUnreachable';
}

/** The sandbox does not exist, and nobody can bring it back. */
export class SandboxGone extends Error {
  override name = 'SandboxGone';
  readonly run: string;
  constructor(run: string, why: string, options?: ErrorOptions) {
    super(`Sandbox of ${run}: ${why}`, options);
    this.run = run;
  }
}

/** The image is not on the engine. It is never pulled silently. */
export class ImageMissing extends Error {
  override name = 'ImageMissing';
  readonly image: string;
  constructor(image: string) {
    super(`Image ${image} is not on the container engine; \`npm run image\` builds it`);
    this.image = image;
  }
}

/** The image exists, but was not built for this version of Deckhand. */
export class ImageUnfit extends Error {
  override name = 'ImageUnfit';
  readonly image: string;
  constructor(image: string, why: string) {
    super(`Image ${image} does not fit: ${why}; \`npm run image\` builds it`);
    this.image = image;
  }
}

/** The host has no room for the working copy, or the working copy does not fit into its limit. */
export class NoSpace extends Error {
  override name = 'NoSpace';
}

/** A helper of `collect` failed. Its output so far must not be used. */
export class HelperFailed extends Error {
  override name = 'HelperFailed';
  readonly exitCode: number;
  readonly limit: 'timed_out' | 'output_limit' | 'memory_limit' | 'disk_limit' | undefined;
  /** The last 4 KiB of its stderr. */
  readonly stderr: string;
  constructor(argv: readonly string[], exitCode: number, stderr: string, limit?: HelperFailed['limit']) {
    super(`${argv[0]} ended with ${limit ?? `exit code ${exitCode}`}${stderr === '' ? '' : `: ${stderr.trim().slice(-500)}`}`);
    this.exitCode = exitCode;
    this.stderr = stderr;
    this.limit = limit;
  }
}

const runPattern = /^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$/;

/** Guards what becomes a part of names and paths. Throws a plain Error: a mistake of the caller. */
export function assertRun(run: string): void {
  if (!runPattern.test(run)) throw new Error(`not a run id: ${JSON.stringify(run)}`);
}
