import { type BenchEngine, benchHost, executeRun, succeedRun } from './engine.ts';
import type { Site } from './site.ts';

/** What every run says. */
export interface Output {
  lines: number;
  everyMs: number;
}

/** What the runs have come to so far. */
export interface Played {
  /** How long each append took, ms. */
  appends: readonly number[];
  failures: readonly string[];
  ended(): number;
}

/** Takes jobs and reports what so many sandboxes would: the engine sees exactly the calls of a real runner. */
export async function playRunner(
  site: Site,
  { engine, queue }: BenchEngine,
  runner: string,
  { lines, everyMs, capacity }: Output & { capacity: number },
): Promise<Played> {
  const appends: number[] = [];
  const failures: string[] = [];
  let ended = 0;

  async function live(run: string): Promise<void> {
    const spec = await executeRun(engine, run, runner);
    // A job may come again after its run has ended.
    if (spec === undefined) return;
    const { command } = spec;
    const over = new AbortController();
    engine.runs.watch(run, runner, over.signal);
    const began = performance.now() + Math.random() * everyMs;
    let at = 0;
    for (let n = 1; n <= lines; n += 1) {
      await site.pause(Math.max(0, began + n * everyMs - performance.now()));
      const text = `${command}: line ${n} of ${lines}, at ${new Date().toISOString()}\n`;
      const event = { type: 'output', stream: 'stdout', from: at, to: at + text.length, text } as const;
      at = event.to;
      const sentAt = performance.now();
      if (!(await engine.runs.append(run, runner, [event], { stdout: at, stderr: 0 }))) throw new Error(`${run} was lost`);
      appends.push(performance.now() - sentAt);
    }
    over.abort();
    await succeedRun(engine, run, runner, Math.round(performance.now() - began));
    ended += 1;
  }

  /** A run lives once, however often its job comes. */
  const active = new Set<string>();
  async function take(run: string): Promise<void> {
    if (active.has(run)) return;
    active.add(run);
    try {
      await live(run);
    } catch (error) {
      if (!site.signal.aborted) failures.push(`${run}: ${error}`);
    } finally {
      active.delete(run);
    }
  }

  const worker = await queue.work({ 'run.execute': ({ run }) => take(run) }, { concurrency: capacity, host: benchHost });
  site.onEnd(() => worker.stop(1000));
  return { appends, failures, ended: () => ended };
}
