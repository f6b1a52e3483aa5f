import { type BenchEngine, benchHost, executeRun, succeedRun } from './engine.ts';
import type { Site } from './site.ts';

/** Runs that are executing and say something only when they are told to. */
export interface HeldRuns {
  live(): number;
  ended(): number;
  /** From now on each writes a line every so often, until `end`. */
  speak(everyMs: number): void;
  /** All succeed now. */
  end(): void;
  /** How long each append took, ms. */
  appends: readonly number[];
  failures: readonly string[];
}

/** So many runs begin or end at once, as with as many runners: each step takes a connection of the few that this process has. */
const atOnce = 16;

/** Lets so many go at once, the others after them. */
function createGate(places: number): <T>(work: () => Promise<T>) => Promise<T> {
  const queue: (() => void)[] = [];
  let free = places;
  return async (work) => {
    if (free > 0) free -= 1;
    else await new Promise<void>((resolve) => queue.push(resolve));
    try {
      return await work();
    } finally {
      const next = queue.shift();
      if (next === undefined) free += 1;
      else next();
    }
  };
}

/** Takes jobs and holds their runs as so many sandboxes would: the engine sees exactly the calls of a real runner. */
export async function holdRuns(site: Site, { engine, queue }: BenchEngine, runner: string, capacity: number): Promise<HeldRuns> {
  const appends: number[] = [];
  const failures: string[] = [];
  let live = 0;
  let ended = 0;
  const gate = createGate(atOnce);
  const speaking = Promise.withResolvers<number>();
  const over = Promise.withResolvers<void>();
  let isOver = false;

  async function hold(run: string): Promise<void> {
    const spec = await gate(() => executeRun(engine, run, runner));
    // A job may come again after its run has ended.
    if (spec === undefined) return;
    const began = performance.now();
    live += 1;
    const everyMs = await Promise.race([speaking.promise, over.promise]);
    let at = 0;
    // They speak evenly, not all at once.
    let dueAt = performance.now() + Math.random() * (everyMs ?? 0);
    for (let line = 1; everyMs !== undefined && !isOver; line += 1) {
      await Promise.race([site.pause(Math.max(0, dueAt - performance.now())), over.promise]);
      if (isOver) break;
      dueAt += everyMs;
      const text = `${spec.command}: line ${line}, at ${new Date().toISOString()}\n`;
      const event = { type: 'output', stream: 'stdout', from: at, to: at + text.length, text } as const;
      at = event.to;
      const sentAt = performance.now();
      if (!(await engine.runs.append(run, runner, [event], { stdout: at, stderr: 0 }))) throw new Error(`${run} was lost`);
      appends.push(performance.now() - sentAt);
    }
    await over.promise;
    await gate(() => succeedRun(engine, run, runner, Math.round(performance.now() - began)));
    ended += 1;
  }

  const active = new Set<string>();
  async function take(run: string): Promise<void> {
    if (active.has(run)) return;
    active.add(run);
    await hold(run)
      .catch((error: unknown) => {
        if (!site.signal.aborted) failures.push(`${run}: ${error}`);
      })
      .finally(() => active.delete(run));
  }
  const worker = await queue.work({ 'run.execute': ({ run }) => take(run) }, { concurrency: capacity, host: benchHost });
  site.onEnd(() => worker.stop(1000));
  return {
    live: () => live,
    ended: () => ended,
    speak: (everyMs) => speaking.resolve(everyMs),
    end() {
      isOver = true;
      over.resolve();
    },
    appends,
    failures,
  };
}
