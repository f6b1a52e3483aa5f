import { join } from 'node:path';
import { emptyRunView, foldRuns } from '../../src/delivery/run-view.ts';
import { systemClock } from '../../src/runtime/clock.ts';
import { createEventLog } from '../../src/store/event-log.ts';
import { migrate } from '../../src/store/migrate.ts';
import { eventsAfter, runsBehind } from '../../src/store/projection.ts';
import { createForgetting } from '../../src/tasks/forget.ts';
import { type BenchEngine, executeRun, openEngine, registerRunner, startPostgres, succeedRun } from '../engine.ts';
import { durations, type Figure } from '../figures.ts';
import { cpuSecondsOf } from '../processes.ts';
import { copyRuns, fullReads, requestRuns } from '../queued-runs.ts';
import type { Site } from '../site.ts';
import { countingSettings } from '../statements.ts';
import type { Scenario } from './scenario.ts';

const eventsOfRun = 500;
const runsKept = 2000;
const live = 32;
const appendSeconds = 5;
const tailed = 300;
const projected = 50;
const day = 24 * 60 * 60_000;

/** What a log of a million events costs those who write and read it. */
export const events: Scenario = {
  name: 'events',
  about: `${(runsKept * eventsOfRun).toLocaleString('en-US')} events of ${runsKept} runs in the log: appending, reading, cards, forgetting`,
  async run(site) {
    const url = await startPostgres(site, join(site.dir, 'data'), countingSettings);
    await migrate({ url });
    const parts = await openEngine(site, url);
    const { database } = parts;
    const runner = await registerRunner(site, parts.engine, live + 1);
    const [pattern = '', ...others] = await requestRuns(parts, { projects: 1, people: live + 1, concurrency: live + 1 });
    await writeLog(parts, runner, pattern);
    site.say('copying the log of one run');
    const filling = performance.now();
    await database.db.$executeRaw`
      UPDATE "Run" SET "endedAt" = "endedAt" - interval '40 days', "queuedAt" = "queuedAt" - interval '40 days' WHERE "id" = ${pattern}`;
    await database.db
      .$executeRaw`UPDATE "Task" SET "updatedAt" = now() - interval '40 days' WHERE "id" IN (SELECT "taskId" FROM "Run" WHERE "id" = ${pattern})`;
    await copyRuns(database, [pattern], runsKept, '0 seconds');
    site.say(`filled in ${Math.round((performance.now() - filling) / 1000)} s`);
    const size = await sizeOf(parts);
    for (const run of others) await executeRun(parts.engine, run, runner);

    const scans = await fullReads(database, ['RunEvent']);
    const appended = await append(site, parts, runner, others);
    const tail = await followed(site, parts, runner, others[0] ?? '');
    const cards = await timedEach(projected, async (n) => {
      const log = await eventsAfter(database.db, [{ run: copyOf(pattern, n + 1), after: 0 }], eventsOfRun * 2);
      foldRuns(emptyRunView(copyOf(pattern, n + 1)), log.get(copyOf(pattern, n + 1)) ?? []);
    });
    const news = await timedEach(projected, () =>
      eventsAfter(
        database.db,
        others.map((run) => ({ run, after: 100 })),
        5,
      ),
    );
    const behind = await timedEach(20, () => runsBehind(database.db, { known: others }));
    const behindAll = await timedEach(20, () => runsBehind(database.db, 'all'));
    await site.pause(1500);
    const after = await fullReads(database, ['RunEvent']);

    site.say('forgetting what is older than thirty days');
    const cpu = cpuSecondsOf(process.pid);
    const since = performance.now();
    const forgotten = await createForgetting(database, { eventsMs: 30 * day })(new Date(systemClock.now().getTime() + 70 * day));
    const forgettingSeconds = (performance.now() - since) / 1000;
    const forgettingCpu = cpuSecondsOf(process.pid) - cpu;
    const figure = (name: string, value: number, unit: Figure['unit']): Figure => ({ name, value, unit });
    return {
      figures: [
        figure('events in the log', size.events, ''),
        figure('table and index for an event', size.bytes / size.events / 1024, 'kB'),
        figure(`${live} runs, ten lines a commit: events`, appended.perSecond, '/s'),
        ...durations(`${live} runs, ten lines a commit: append`, appended.ms),
        ...durations('append to a reader that follows, one at a time', tail),
        ...durations(`a card from the whole log of a run, ${eventsOfRun} events`, cards),
        ...durations(`what is new of ${live} runs`, news),
        ...durations('finding live runs that cards lag behind', behind),
        ...durations('finding any run that cards lag behind', behindAll),
        { name: 'reads of the whole log by all of these', value: after.scans - scans.scans, unit: '', target: { is: 0 } },
        figure('forgotten by one call', forgotten, ''),
        figure('forgetting', forgotten / forgettingSeconds, '/s'),
        figure('CPU for a thousand forgotten events', (forgettingCpu * 1e6) / forgotten, 'ms'),
      ],
      notes: parts.complaints,
      broken: forgotten === 0 ? ['nothing was forgotten'] : [],
    };
  },
};

/** As `copyRuns` names them. */
function copyOf(run: string, nth: number): string {
  return run.slice(0, 24) + String(nth).padStart(6, '0') + run.slice(30);
}

/** A run through every step, with so much output that its log has the wanted length. */
async function writeLog({ database, engine }: BenchEngine, runner: string, run: string): Promise<void> {
  await executeRun(engine, run, runner);
  const { lastSeq } = await database.db.run.findUniqueOrThrow({ where: { id: run } });
  // The two last ones say that it ends.
  const lines = eventsOfRun - lastSeq - 2;
  for (let n = 0; n < lines; n += 20) await writeLines({ engine }, runner, run, n, Math.min(20, lines - n));
  await succeedRun(engine, run, runner, 1000);
}

async function writeLines(
  { engine }: Pick<BenchEngine, 'engine'>,
  runner: string,
  run: string,
  from: number,
  count: number,
): Promise<void> {
  const width = 100;
  const events = Array.from({ length: count }, (_, n) => {
    const at = (from + n) * width;
    return { type: 'output', stream: 'stdout', from: at, to: at + width, text: `${'x'.repeat(width - 1)}\n` } as const;
  });
  if (!(await engine.runs.append(run, runner, events, { stdout: (from + count) * width, stderr: 0 })))
    throw new Error(`${run} was lost`);
}

async function append(site: Site, parts: BenchEngine, runner: string, runs: readonly string[]) {
  const until = performance.now() + appendSeconds * 1000;
  const ms: number[] = [];
  await Promise.all(
    runs.map(async (run) => {
      for (let from = 0; performance.now() < until && !site.signal.aborted; from += 10) {
        const since = performance.now();
        await writeLines(parts, runner, run, from, 10);
        ms.push(performance.now() - since);
      }
    }),
  );
  return { perSecond: (ms.length * 10) / appendSeconds, ms };
}

/** From the call that appends to the event at a reader that waits for it. */
async function followed(site: Site, parts: BenchEngine, runner: string, run: string): Promise<number[]> {
  const log = createEventLog(parts.database, parts.wakeups);
  const { lastSeq, stdoutBytes } = await parts.database.db.run.findUniqueOrThrow({ where: { id: run } });
  const ending = new AbortController();
  const arrived = new Map<number, PromiseWithResolvers<void>>();
  const at = (seq: number) => {
    const known = arrived.get(seq) ?? Promise.withResolvers<void>();
    arrived.set(seq, known);
    return known;
  };
  const reading = (async () => {
    for await (const { seq } of log.tail(run, lastSeq, ending.signal)) at(seq).resolve();
  })();
  const ms: number[] = [];
  for (let n = 0; n < tailed && !site.signal.aborted; n += 1) {
    const since = performance.now();
    await writeLines(parts, runner, run, Number(stdoutBytes) / 100 + n, 1);
    await at(lastSeq + n + 1).promise;
    ms.push(performance.now() - since);
  }
  ending.abort();
  await reading;
  return ms;
}

async function timedEach(times: number, work: (n: number) => Promise<unknown>): Promise<number[]> {
  const ms: number[] = [];
  for (let n = 0; n < times; n += 1) {
    const since = performance.now();
    await work(n);
    ms.push(performance.now() - since);
  }
  return ms;
}

async function sizeOf({ database: { db } }: BenchEngine): Promise<{ events: number; bytes: number }> {
  const [row] = await db.$queryRaw<{ events: bigint; bytes: bigint }[]>`
    SELECT (SELECT count(*) FROM "RunEvent") AS events, pg_total_relation_size('"RunEvent"') AS bytes`;
  return { events: Number(row?.events), bytes: Number(row?.bytes) };
}
