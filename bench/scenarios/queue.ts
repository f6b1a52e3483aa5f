import { join } from 'node:path';
import { systemClock } from '../../src/runtime/clock.ts';
import { migrate } from '../../src/store/migrate.ts';
import { changingRuns } from '../../src/store/projection.ts';
import { lookAtQueue, queuePlace } from '../../src/store/queue-place.ts';
import { openEngine, registerRunner, startPostgres } from '../engine.ts';
import { durations, type Figure } from '../figures.ts';
import { playRunner } from '../played-runner.ts';
import { cpuSecondsOf } from '../processes.ts';
import { copyRuns, requestRuns } from '../queued-runs.ts';
import { countingSettings, countStatements, statementText } from '../statements.ts';
import type { Scenario } from './scenario.ts';

const requests = { projects: 20, people: 10, concurrency: 4 };
const copies = 49;
const waiting = requests.projects * requests.people * (copies + 1);
const capacity = 16;
const started = 200;
const looks = 20;

/** What it costs that ten thousand runs wait. */
export const queue: Scenario = {
  name: 'queue',
  about: `${waiting} queued runs of ${requests.people} people in ${requests.projects} projects, one runner that takes ${capacity} at once`,
  async run(site) {
    const url = await startPostgres(site, join(site.dir, 'data'), countingSettings);
    await migrate({ url });
    const parts = await openEngine(site, url);
    const { database, engine } = parts;
    const runs = await requestRuns(parts, requests);
    await copyRuns(database, runs, copies, '1 second');
    const queued = await database.db.run.count({ where: { state: 'queued' } });

    const timed = async (work: () => Promise<unknown>) => {
      const ms: number[] = [];
      for (let n = 0; n < looks; n += 1) {
        const since = performance.now();
        await work();
        ms.push(performance.now() - since);
      }
      return ms;
    };
    const places = await timed(() => queuePlace(database.db, runs.at(-1) ?? '', systemClock.now()));
    const together = lookAtQueue(database.db, systemClock.now());
    await together(runs[0] ?? '');
    const further = await timed(() => together(runs.at(-1) ?? ''));
    const cards = await timed(() => changingRuns(database));
    const swept = await timed(() => engine.sweep());

    site.say(`${started} of them are started and end`);
    const runner = await registerRunner(site, engine, capacity);
    const counting = await countStatements(database);
    const cpu = cpuSecondsOf(process.pid);
    const since = performance.now();
    const played = await playRunner(site, parts, runner, { lines: 0, everyMs: 0, capacity });
    await engine.sweep();
    await site.until('runs to end', () => played.ended() >= started || played.failures.length > 0, 90_000, 5);
    const took = (performance.now() - since) / 1000;
    const ended = played.ended();
    const used = cpuSecondsOf(process.pid) - cpu;
    const use = await counting.read();
    for (const kind of use.kinds.slice(0, Number(process.env.BENCH_STATEMENTS ?? 0))) site.say(statementText(kind, ended));
    const given = use.kinds.filter(({ query }) => query.includes('of_person') && query.includes('LIMIT'));
    const givenMs = given.reduce((sum, { ms }) => sum + ms, 0);
    const givenCalls = given.reduce((sum, { calls }) => sum + calls, 0);
    const databaseMs = use.kinds.reduce((sum, { ms }) => sum + ms, 0);
    const figure = (name: string, value: number, unit: Figure['unit']): Figure => ({ name, value, unit });
    return {
      figures: [
        figure('runs that wait', queued, ''),
        ...durations('the place of a run for its card', places),
        ...durations('the place of each further run of cards that are drawn together', further),
        ...durations('a look of the projector at all places', cards),
        ...durations('a sweep without a runner', swept),
        figure('runs started and ended', ended / took, '/s'),
        figure('giving places, in the database', givenMs / givenCalls, 'ms'),
        figure('giving places, for a run that starts', givenMs / ended, 'ms'),
        figure('statements for a run from its place to its end', use.statements / ended, ''),
        figure('time of statements for a run', databaseMs / ended, 'ms'),
        figure('CPU of engine and database for a run', (used * 1000) / ended, 'ms'),
      ],
      notes: parts.complaints,
      broken: [...played.failures, ...(queued === waiting ? [] : [`${queued} runs were queued, not ${waiting}`])],
    };
  },
};
