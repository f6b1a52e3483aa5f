import { randomBytes } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { afterEach, beforeAll } from 'vitest';
import {
  defaultSandboxLimits,
  type Sandbox,
  type SandboxCapabilities,
  type SandboxLimits,
  type SandboxResult,
  type SandboxSpec,
} from '../../runner/sandbox/port.ts';

/** How the contract gets at a provider. */
export interface SandboxSubject {
  name: string;
  capabilities: SandboxCapabilities;
  /** A provider as a new process of the same installation would make it. */
  open(): Sandbox;
  /** JSON from which tests/contracts/sandbox-first-life.ts opens the same in a process of its own. */
  recipe: { kind: 'docker' | 'local'; options: Record<string, unknown> };
  /** A provider whose machinery does not answer; undefined where there is nothing in between. */
  unreachable?: (() => Sandbox) | undefined;
  /** Leaves what a create leaves that was killed half way. */
  leaveHalfMade(run: string): Promise<void>;
  /** A provider and limits under which writing 64 MiB to the working copy fills it. */
  nearlyFull(): Promise<{ sandbox: Sandbox; limits: Partial<SandboxLimits> }>;
}

export interface Bench {
  sandbox: Sandbox;
  subject: SandboxSubject;
  /** A run id that is destroyed after the test. */
  newRun(): string;
  /** A spec for `sh -c script`. */
  shell(script: string, change?: { run?: string; limits?: Partial<SandboxLimits>; env?: Record<string, string> }): SandboxSpec;
  /** Creates and starts; returns the run. */
  begin(script: string, change?: { limits?: Partial<SandboxLimits>; env?: Record<string, string> }): Promise<string>;
  /** The same, to its end. */
  complete(
    script: string,
    change?: { limits?: Partial<SandboxLimits>; env?: Record<string, string> },
  ): Promise<{ run: string; result: SandboxResult; stdout: Buffer; stderr: Buffer }>;
}

/** Sets up the tests of a file or block; everything they create is destroyed. */
export function createBench(subject: SandboxSubject): Bench {
  const runs = new Set<string>();
  let opened: Sandbox | undefined;
  const bench: Bench = {
    subject,
    get sandbox() {
      if (opened === undefined) throw new Error('the bench is used before its tests');
      return opened;
    },
    newRun() {
      const run = `run_${randomBytes(6).toString('hex')}`;
      runs.add(run);
      return run;
    },
    shell(script, change = {}) {
      return {
        run: change.run ?? bench.newRun(),
        argv: ['sh', '-c', script],
        env: change.env ?? {},
        limits: { ...defaultSandboxLimits, diskBytes: 64 * 1024 ** 2, memoryBytes: 512 * 1024 ** 2, ...change.limits },
        expiresAt: new Date(Date.now() + 3_600_000),
      };
    },
    async begin(script, change) {
      const spec = bench.shell(script, change);
      await bench.sandbox.create(spec);
      await bench.sandbox.start(spec.run);
      return spec.run;
    },
    async complete(script, change) {
      const run = await bench.begin(script, change);
      const output = await readOutput(bench.sandbox, run);
      return { run, result: await bench.sandbox.wait(run), ...output };
    },
  };
  beforeAll(() => {
    opened = subject.open();
  });
  afterEach(async () => {
    for (const run of runs) await bench.sandbox.destroy(run);
    runs.clear();
  });
  return bench;
}

/** The output from a cursor to the end. */
export async function readOutput(sandbox: Sandbox, run: string, from = { stdout: 0, stderr: 0 }) {
  const parts = { stdout: [] as Uint8Array[], stderr: [] as Uint8Array[] };
  const next = { ...from };
  for await (const { stream, offset, bytes } of sandbox.output(run, from)) {
    if (offset !== next[stream]) throw new Error(`${stream}: got byte ${offset}, expected ${next[stream]}`);
    next[stream] += bytes.length;
    parts[stream].push(bytes);
  }
  return { stdout: Buffer.concat(parts.stdout), stderr: Buffer.concat(parts.stderr) };
}

/** Reads until stdout contains `text`, then detaches. */
export async function readUntil(sandbox: Sandbox, run: string, text: string): Promise<string> {
  let seen = '';
  for await (const { stream, bytes } of sandbox.output(run, { stdout: 0, stderr: 0 })) {
    if (stream === 'stdout') seen += Buffer.from(bytes).toString('latin1');
    if (seen.includes(text)) return seen;
  }
  throw new Error(`the output ended without ${JSON.stringify(text)}: ${JSON.stringify(seen)}`);
}

/** Command lines of this machine that contain a text; containers run on it too. A zombie has none any more. */
export async function processesWith(text: string): Promise<string[]> {
  const pids = readdirSync('/proc').filter((name) => /^\d+$/.test(name));
  return pids.map((pid) => `${pid} ${commandLineOf(pid)}`).filter((line) => line.includes(text));
}

function commandLineOf(pid: string): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ');
  } catch (error) {
    if (error instanceof Error && 'code' in error && (error.code === 'ENOENT' || error.code === 'ESRCH')) return '';
    throw error;
  }
}

/** An argument of `sleep` that no other process has. */
export function uniqueSleep(): string {
  return `9${randomBytes(4).readUInt32BE()}.5`;
}

export function toText(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString();
}

export async function takeAll<T>(source: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = [];
  for await (const one of source) all.push(one);
  return all;
}
