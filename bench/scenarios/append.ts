import { join } from 'node:path';
import { migrate } from '../../src/store/migrate.ts';
import { type BenchEngine, executeRun, openEngine, registerRunner, startPostgres } from '../engine.ts';
import { durations, type Figure } from '../figures.ts';
import { requestRuns } from '../queued-runs.ts';
import type { Site } from '../site.ts';
import type { Scenario } from './scenario.ts';

const seconds = 5;
const manyRuns = 32;
const lineBytes = 100;
/** What a runner joins to one event at most. */
const eventBytes = 32 * 1024;

/** How fast output gets into the log of runs. */
export const append: Scenario = {
  name: 'append',
  about: 'run events appended through the engine, each batch one durable commit, on the embedded database',
  async run(site) {
    const url = await startPostgres(site, join(site.dir, 'data'));
    await migrate({ url });
    const parts = await openEngine(site, url);
    const runner = await registerRunner(site, parts.engine, manyRuns);
    const runs = await startRuns(parts, runner);
    const measure = (count: number, events: number, bytes: number) =>
      appendFor(site, parts, runner, runs.slice(0, count), { events, bytes });

    const alone = await measure(1, 1, lineBytes);
    const many = await measure(manyRuns, 1, lineBytes);
    const batches = await measure(manyRuns, 10, lineBytes);
    const full = await measure(1, 1, eventBytes);
    const flood = await measure(8, 1, eventBytes);
    const rate = (name: string, value: number, unit: Figure['unit']): Figure => ({ name, value, unit });
    return {
      figures: [
        rate('1 run, a line a commit: events', alone.events, '/s'),
        ...durations('1 run, a line a commit: append', alone.ms),
        rate(`${manyRuns} runs, a line a commit: events`, many.events, '/s'),
        ...durations(`${manyRuns} runs, a line a commit: append`, many.ms),
        rate(`${manyRuns} runs, ten lines a commit: events`, batches.events, '/s'),
        rate('1 run, 32 KiB a commit: output', full.megabytes, 'MB/s'),
        rate('8 runs, 32 KiB a commit: output', flood.megabytes, 'MB/s'),
      ],
      notes: [`${seconds} s each; a runner commits a run at most five times a second, or every 32 KiB`, ...parts.complaints],
      broken: [],
    };
  },
};

/** Runs whose commands are running. */
async function startRuns(parts: BenchEngine, runner: string): Promise<string[]> {
  const created = await requestRuns(parts, { projects: 1, people: manyRuns, concurrency: manyRuns });
  for (const run of created) {
    if ((await executeRun(parts.engine, run, runner)) === undefined) throw new Error(`${run} could not be claimed`);
  }
  return created;
}

async function appendFor(
  site: Site,
  { engine }: BenchEngine,
  runner: string,
  runs: readonly string[],
  batch: { events: number; bytes: number },
): Promise<{ events: number; megabytes: number; ms: number[] }> {
  const began = performance.now();
  const until = began + seconds * 1000;
  const ms: number[] = [];
  const text = `${'x'.repeat(batch.bytes - 1)}\n`;
  const feed = async (run: string) => {
    let at = 0;
    while (performance.now() < until && !site.signal.aborted) {
      const events = Array.from({ length: batch.events }, (_, n) => {
        const from = at + n * batch.bytes;
        return { type: 'output', stream: 'stdout', from, to: from + batch.bytes, text } as const;
      });
      at += batch.events * batch.bytes;
      const sentAt = performance.now();
      if (!(await engine.runs.append(run, runner, events, { stdout: at, stderr: 0 }))) throw new Error(`${run} was lost`);
      ms.push(performance.now() - sentAt);
    }
  };
  await Promise.all(runs.map(feed));
  const took = (performance.now() - began) / 1000;
  const events = (ms.length * batch.events) / took;
  return { events, megabytes: (events * batch.bytes) / 1024 ** 2, ms };
}
