import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import type { Database } from '../src/store/database.ts';
import { bindPlaces, openDatabase, type Place } from './chat.ts';
import { openEngine, registerRunner, startPostgres } from './engine.ts';
import { durations, type Figure, type Outcome } from './figures.ts';
import { densest, type LivePlatform } from './live-platform.ts';
import { type Output, playRunner } from './played-runner.ts';
import { cpuSecondsOf, peakMemory } from './processes.ts';
import { complaints, startProgram } from './program.ts';
import { endCards, firstCards, settledCards } from './shown-cards.ts';
import type { Site } from './site.ts';
import { transactions } from './statements.ts';

export interface Load extends Output {
  runs: number;
  places: number;
}

const readyWithinMs = 60_000;
const endsWithinMs = 6 * 60_000;
const endCardsWithinMs = 10 * 60_000;
const cardsSettledWithinMs = 10 * 60_000;

/** Starts all runs at once and lets them live: what reaches the platform, and whether every end is told. */
export async function liveRuns(site: Site, chat: LivePlatform, load: Load): Promise<Outcome> {
  const url = await startPostgres(site, join(site.dir, 'database'));
  const places = chat.addPlaces(load.places);
  const gateway = await startProgram(site, {
    role: 'gateway',
    dataDir: join(site.dir, 'gateway'),
    variables: {
      ...chat.variables,
      DATABASE_URL: url,
      DECKHAND_SECRET_KEY: randomBytes(32).toString('base64'),
    },
  });
  const database = await openDatabase(site, url);
  await bindPlaces(database, places, { repository: '/nowhere', projects: 4, concurrency: 100 });
  const parts = await openEngine(site, url);
  const runner = await registerRunner(site, parts.engine, load.runs);
  const { appends, ended, failures } = await playRunner(site, parts, runner, { ...load, capacity: load.runs });
  await site.until('the platform to be ready', () => chat.isReady(), readyWithinMs);

  const usage = { cpu: cpuSecondsOf(gateway.pid), transactions: await transactions(database.db), at: performance.now() };
  const askedAt = Date.now();
  const asked = await ask(site, chat, places, load.runs);
  site.say(`${load.runs} commands typed within ${Date.now() - askedAt} ms, ${asked.unanswered} without an answer in time`);
  const runs = await runsMade(site, database, load.runs - asked.unanswered);
  await site.until('all runs to end', () => ended() === runs, endsWithinMs, 100);
  const allEnded = Date.now();
  const busy = (performance.now() - usage.at) / 1000;
  const gatewayCpu = (cpuSecondsOf(gateway.pid) - usage.cpu) / busy;
  const perSecond = ((await transactions(database.db)) - usage.transactions) / busy;

  site.say('all runs have ended, waiting for the end cards');
  await site.until('all end cards', () => endCards(chat).size === runs, endCardsWithinMs, 250).catch(() => undefined);
  site.say('waiting for the live cards to say that they are over');
  const settledAt = await site
    .until('the live cards', () => settledCards(chat).size === runs, cardsSettledWithinMs, 250)
    .then(
      () => Date.now(),
      () => Number.NaN,
    );
  const peak = peakMemory(gateway.pid);
  const notes = [...complaints(gateway).map((text) => `gateway logged ${text}`), ...parts.complaints];
  await gateway.stop();

  const shown = endCards(chat);
  const lastShown = Math.max(...[...shown.values()].map(([first = Number.NaN]) => first));
  const over = chat.overLimit();
  const twice = [...shown.values()].filter((times) => times.length > 1).length;
  const counted = chat.limits.map((limit) => ({ ...limit, most: densest(chat.calls(), limit) }));
  return {
    figures: [
      ...callCounts(chat),
      { name: 'commands that became runs', value: runs, unit: '', target: { is: load.runs } },
      ...(chat.acknowledges ? durations('command to its acknowledgement', asked.answeredMs) : []),
      { name: 'calls over the published limits', value: over.length, unit: '', target: { is: 0 } },
      ...counted.map(({ name, most, atMost }): Figure => ({ name: `most ${name}`, value: most, unit: '', target: { atMost } })),
      { name: 'calls refused with 429', value: chat.calls().filter(({ status }) => status === 429).length, unit: '' },
      { name: 'end cards shown', value: shown.size, unit: '', target: { is: runs } },
      { name: 'last end of a run to last end card', value: (lastShown - allEnded) / 1000, unit: 's' },
      { name: 'last end of a run to last live card that says so', value: (settledAt - allEnded) / 1000, unit: 's' },
      ...durations(
        'first command to a first card',
        [...firstCards(chat).values()].map((at) => at - askedAt),
      ),
      { name: 'events appended by the runner', value: appends.length / busy, unit: '/s' },
      ...durations('append in the runner', appends),
      { name: 'gateway: CPU while runs are live', value: gatewayCpu, unit: 'cores' },
      { name: 'gateway: largest memory', value: peak, unit: 'MB' },
      { name: 'database: transactions', value: perSecond, unit: '/s' },
    ],
    notes,
    broken: [
      ...(over.length === 0 ? [] : [`${over.length} calls over the published limits, the first ${over[0]?.method}`]),
      ...counted.flatMap(({ name, most, atMost }) => (most <= atMost ? [] : [`${most} ${name}; ${atMost} are published`])),
      ...(shown.size === runs ? [] : [`only ${shown.size} of ${runs} end cards were shown`]),
      ...(twice === 0 ? [] : [`${twice} end cards were shown twice`]),
      ...(Number.isNaN(settledAt) ? [`${runs - settledCards(chat).size} live cards never said that their run is over`] : []),
      ...chat.errors().map((error) => `the emulator failed: ${error}`),
      ...failures,
    ],
  };
}

/** Ada types all commands at once in all places, in each one after the other. */
async function ask(site: Site, chat: LivePlatform, places: readonly Place[], runs: number) {
  const answeredMs: number[] = [];
  let unanswered = 0;
  await Promise.all(
    places.map(async (place, at) => {
      for (let n = 1; n <= runs / places.length; n += 1) {
        const typedAt = performance.now();
        try {
          await chat.command(place, `sh work ${at + 1}-${n}`);
          answeredMs.push(performance.now() - typedAt);
        } catch (error) {
          unanswered += 1;
          site.say(`${error}`);
        }
      }
    }),
  );
  return { answeredMs, unanswered };
}

/** How many runs there are in the end. What was acknowledged too late may have been stored all the same. */
async function runsMade(site: Site, { db }: Database, atLeast: number): Promise<number> {
  let made = 0;
  const isDone = async () => {
    const pending = await db.inbox.count({ where: { state: 'pending' } });
    made = await db.run.count();
    return pending === 0 && made >= atLeast;
  };
  await site.until('every command to be a run', isDone, endsWithinMs, 250);
  return made;
}

function callCounts(chat: LivePlatform): Figure[] {
  const byMethod = Map.groupBy(chat.calls(), ({ method }) => method);
  return [...byMethod]
    .sort(([, one], [, other]) => other.length - one.length)
    .map(([method, calls]) => ({ name: `calls of ${method}`, value: calls.length, unit: '' }));
}
