import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { cpuSecondsOf, isAlive, processTree } from './processes.ts';
import type { Site } from './site.ts';

/** A line of the program's log. */
export interface LogLine {
  level: string;
  msg: string;
  [field: string]: unknown;
}

/** Deckhand as a process of its own. */
export interface Program {
  pid: number;
  url: string;
  /** From the start of the process to "ready". */
  readyMs: number;
  /** CPU that it and its database used until then, in ms: what the start costs however busy the machine is. */
  readyCpuMs: number;
  log: readonly LogLine[];
  /** Ends it as a supervisor does and checks that nothing of it is left. Returns how long that took. Idempotent. */
  stop(): Promise<number>;
}

export interface ProgramOptions {
  role: 'start' | 'gateway' | 'runner';
  dataDir: string;
  /** Variables of the program; nothing of our own environment reaches it but PATH. */
  variables?: Record<string, string> | undefined;
  /** Options of Node, e.g. `--cpu-prof`. */
  nodeOptions?: readonly string[] | undefined;
}

const main = fileURLToPath(new URL('../src/main.js', import.meta.url));
const readyWithinMs = 90_000;
const stopWithinMs = 40_000;
const endWithinMs = 1_000;
const running = new Set<ChildProcess>();

// The last resort: whatever way the benchmark ends, no program of it stays. Its database ends with it.
process.on('exit', () => {
  for (const child of running) child.kill('SIGKILL');
});

/** Starts the program and resolves when it is ready. The site stops it in the end. */
export async function startProgram(site: Site, options: ProgramOptions): Promise<Program> {
  site.signal.throwIfAborted();
  const since = performance.now();
  const profile = process.env.BENCH_NODE_OPTIONS?.split(' ') ?? [];
  const child = spawn(process.execPath, [...profile, ...(options.nodeOptions ?? []), main, options.role], {
    // A directory without a .env, and a group of its own: Ctrl-C reaches the benchmark, which then stops it in order.
    cwd: site.dir,
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe'],
    env: {
      PATH: process.env.PATH,
      PORT: '0',
      DECKHAND_DATA_DIR: options.dataDir,
      ...options.variables,
    },
  });
  running.add(child);
  const exited = once(child, 'exit').finally(() => running.delete(child));
  const log: LogLine[] = [];
  const errors: string[] = [];
  const ready = Promise.withResolvers<string>();
  createInterface({ input: child.stdout }).on('line', (line) => {
    const entry = JSON.parse(line) as LogLine;
    log.push(entry);
    if (entry.msg === 'ready') ready.resolve(String(entry.url));
  });
  createInterface({ input: child.stderr }).on('line', (line) => errors.push(line));
  const failed = (why: string) => {
    const last = [...log.slice(-5).map((one) => JSON.stringify(one)), ...errors.slice(-20)];
    return new Error([`deckhand ${options.role} ${why}`, ...last].join('\n'));
  };
  exited.then(
    ([code, signal]) => ready.reject(failed(`ended with ${code ?? signal} before it was ready`)),
    (error: unknown) => ready.reject(error),
  );
  const timer = setTimeout(() => ready.reject(failed(`was not ready after ${readyWithinMs / 1000} s`)), readyWithinMs);

  let stopping: Promise<number> | undefined;
  async function stop(): Promise<number> {
    const tree = child.exitCode === null && child.signalCode === null ? processTree(child.pid ?? 0) : [];
    const asked = performance.now();
    child.kill('SIGTERM');
    const hurry = setTimeout(() => child.kill('SIGKILL'), stopWithinMs);
    await exited;
    clearTimeout(hurry);
    const took = performance.now() - asked;
    if (child.signalCode !== null) throw failed('had to be killed');
    // What ends by itself when the program is gone needs a moment for it.
    const until = performance.now() + endWithinMs;
    while (performance.now() < until && tree.some(({ pid }) => isAlive(pid))) await delay(10);
    const left = tree.filter(({ pid }) => isAlive(pid)).map(({ pid, command }) => `${pid} ${command}`);
    if (left.length > 0) throw failed(`left processes behind: ${left.join('; ')}`);
    return took;
  }
  const stopOnce = () => {
    stopping ??= stop();
    return stopping;
  };
  site.onEnd(stopOnce);
  try {
    const url = await ready.promise;
    const readyMs = performance.now() - since;
    const pid = child.pid ?? 0;
    return { pid, url, readyMs, readyCpuMs: cpuSecondsOf(pid) * 1000, log, stop: stopOnce };
  } finally {
    clearTimeout(timer);
  }
}

/** Warnings and errors of a program, counted by their text: a figure made among errors is worth little. */
export function complaints(program: Program): string[] {
  const found = Map.groupBy(
    program.log.filter(({ level }) => level === 'warn' || level === 'error' || level === 'fatal'),
    (line) => `${line.level}: ${line.msg}${failureOf(line)}`,
  );
  return [...found].map(([text, lines]) => (lines.length === 1 ? text : `${text} (${lines.length} times)`));
}

/** Which call failed and how, in lines about platform calls: `, edit rate_limited`. */
function failureOf({ operation, failure }: LogLine): string {
  if (typeof failure !== 'object' || failure === null || !('kind' in failure)) return '';
  return `, ${operation} ${failure.kind}`;
}
