import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import type { IdentityRef } from '../../src/contracts/platform.ts';
import { findOrCreatePerson } from '../../src/store/people.ts';
import { firstWorkspace } from '../../src/store/workspaces.ts';
import { bindPlaces, openDatabase, type Place } from '../chat.ts';
import { type BenchEngine, openEngine, registerRunner, startPostgres } from '../engine.ts';
import { durations, type Figure } from '../figures.ts';
import { heapOf, heapOptions } from '../heap.ts';
import { holdRuns } from '../held-runs.ts';
import { openDiscordByMention } from '../live-discord.ts';
import { densest, type LivePlatform } from '../live-platform.ts';
import { openSlack } from '../live-slack.ts';
import { openTelegram } from '../live-telegram.ts';
import { cpuSecondsOf } from '../processes.ts';
import { complaints, startProgram } from '../program.ts';
import { endCards, firstCards } from '../shown-cards.ts';
import { countingSettings, countStatements, statementText } from '../statements.ts';
import type { Scenario } from './scenario.ts';

/** How many threads each platform has, in how many channels or groups. */
const shares = [
  { name: 'Slack', open: openSlack, threads: 100, places: 20 },
  { name: 'Telegram', open: openTelegram, threads: 400, places: 100 },
  { name: 'Discord', open: openDiscordByMention, threads: 500, places: 50 },
];
const threads = shares.reduce((sum, share) => sum + share.threads, 0);
const quietSeconds = 10;
const speakSeconds = 30;
const everyMs = 4000;
const within = 150_000;

/** A gateway that is connected to all platforms while a thousand runs are live: what it costs, and what reaches the platforms. */
export const liveThreads: Scenario = {
  name: 'threads',
  about: `${threads} live runs on three platforms: first quiet, then each with a line every ${everyMs / 1000} s, then all end`,
  async run(site) {
    const url = await startPostgres(site, join(site.dir, 'database'), countingSettings);
    const chats: { name: string; chat: LivePlatform; places: Place[]; threads: number }[] = [];
    for (const { name, open, threads, places } of shares) {
      const chat = await open(site);
      chats.push({ name, chat, places: chat.addPlaces(places), threads });
    }
    const owners = chats.map(({ chat }) => chat.variables.DECKHAND_OWNERS).join(',');
    const gateway = await startProgram(site, {
      role: 'gateway',
      dataDir: join(site.dir, 'gateway'),
      nodeOptions: heapOptions,
      variables: {
        ...Object.assign({}, ...chats.map(({ chat }) => chat.variables)),
        DECKHAND_OWNERS: owners,
        DATABASE_URL: url,
        DECKHAND_SECRET_KEY: randomBytes(32).toString('base64'),
      },
    });
    const database = await openDatabase(site, url);
    await bindPlaces(
      database,
      chats.flatMap(({ places }) => places),
      { repository: '/nowhere', projects: 20, concurrency: 100 },
    );
    const parts = await openEngine(site, url);
    const runner = await registerRunner(site, parts.engine, threads);
    await site.until('the platforms to be ready', () => chats.every(({ chat }) => chat.isReady()), within);
    const empty = await heapOf(site, gateway);

    const held = await holdRuns(site, parts, runner, threads);
    const beganAt = Date.now();
    for (const { places, threads } of chats) await makeTasks(parts, places, threads);
    await site.until('all runs to be live', () => held.live() + held.failures.length >= threads, within, 100);
    site.say(`${threads} runs are live after ${Date.now() - beganAt} ms, waiting for their first cards`);
    const shown = () => chats.reduce((sum, { chat }) => sum + firstCards(chat).size, 0);
    await site.until('all first cards', () => shown() >= threads, within, 1000);
    const firstCardsMs = Date.now() - beganAt;

    const look = async (seconds: number, appended: () => number) => {
      const counting = await countStatements(database);
      const cpu = cpuSecondsOf(gateway.pid);
      const edits = chats.map(({ chat }) => editsOf(chat));
      const events = appended();
      const since = performance.now();
      await site.pause(seconds * 1000);
      const took = (performance.now() - since) / 1000;
      const use = await counting.read();
      for (const kind of use.kinds.slice(0, Number(process.env.BENCH_STATEMENTS ?? 0))) site.say(statementText(kind, took));
      return {
        cores: (cpuSecondsOf(gateway.pid) - cpu) / took,
        statements: use.statements / took,
        databaseMs: use.kinds.reduce((sum, { ms }) => sum + ms, 0) / took,
        events: (appended() - events) / took,
        edits: chats.map(({ chat }, at) => (editsOf(chat) - (edits[at] ?? 0)) / took),
      };
    };
    site.say('they say nothing');
    const quiet = await look(quietSeconds, () => held.appends.length);
    site.say('they speak');
    held.speak(everyMs);
    await site.pause(5000);
    const speaking = await look(speakSeconds, () => held.appends.length);
    const busy = await heapOf(site, gateway);
    site.say('they end');
    held.end();
    await site.until('all runs to end', () => held.ended() + held.failures.length >= threads, within, 100);
    const allEnded = Date.now();
    const ended = () => chats.reduce((sum, { chat }) => sum + endCards(chat).size, 0);
    await site.until('all end cards', () => ended() >= held.ended(), within, 1000).catch(() => undefined);
    const notes = [...complaints(gateway).map((text) => `gateway logged ${text}`), ...parts.complaints];
    await gateway.stop();

    const over = chats.flatMap(({ chat }) => chat.overLimit());
    const counted = chats.flatMap(({ name, chat }) =>
      chat.limits.map((limit) => ({ ...limit, name: `${name}: ${limit.name}`, most: densest(chat.calls(), limit) })),
    );
    const cards = chats.map(({ chat }) => endCards(chat));
    const lastShown = Math.max(...cards.flatMap((one) => [...one.values()].flat()));
    const twice = cards.flatMap((one) => [...one.values()]).filter((times) => times.length > 1).length;
    const figure = (name: string, value: number, unit: Figure['unit']): Figure => ({ name, value, unit });
    return {
      figures: [
        figure('first request to all first cards', firstCardsMs / 1000, 's'),
        ...costs('quiet', quiet),
        ...costs('speaking', speaking),
        figure('speaking: events appended', speaking.events, '/s'),
        ...durations('speaking: append in the runner', held.appends),
        ...chats.map(({ name, threads }, at) =>
          figure(`speaking: ${name}, ${threads} threads: a card changes every`, threads / (speaking.edits[at] ?? 0), 's'),
        ),
        { name: 'calls over the published limits', value: over.length, unit: '', target: { is: 0 } },
        ...counted.map(({ name, most, atMost }): Figure => ({ name: `most ${name}`, value: most, unit: '', target: { atMost } })),
        { name: 'end cards shown', value: ended(), unit: '', target: { is: threads } },
        figure('last end of a run to last end card', (lastShown - allEnded) / 1000, 's'),
        figure('gateway: held without threads', empty.held, 'MB'),
        figure(`gateway: held with ${threads} threads`, busy.held, 'MB'),
        { name: 'gateway: held for a live thread', value: ((busy.held - empty.held) / threads) * 1024, unit: 'kB' },
        figure('gateway: garbage when it was looked for', busy.garbage, 'MB'),
        figure('gateway: resident', busy.resident, 'MB'),
      ],
      notes,
      broken: [
        ...(over.length === 0 ? [] : [`${over.length} calls over the published limits, the first ${over[0]?.method}`]),
        ...counted.flatMap(({ name, most, atMost }) => (most <= atMost ? [] : [`${most} ${name}; ${atMost} are published`])),
        ...(ended() === threads ? [] : [`only ${ended()} of ${threads} end cards were shown`]),
        ...(twice === 0 ? [] : [`${twice} end cards were shown twice`]),
        ...chats.flatMap(({ chat }) => chat.errors().map((error) => `the emulator failed: ${error}`)),
        ...held.failures.slice(0, 3),
      ],
    };
  },
};

function costs(
  name: string,
  { cores, statements, databaseMs }: { cores: number; statements: number; databaseMs: number },
): Figure[] {
  return [
    { name: `${name}: CPU of the gateway`, value: cores, unit: 'cores' },
    { name: `${name}: statements`, value: statements, unit: '/s' },
    { name: `${name}: time of statements in the database in a second`, value: databaseMs, unit: 'ms' },
  ];
}

function editsOf({ calls, methods }: LivePlatform): number {
  return calls().filter(({ method, ok }) => ok && method === methods.edit).length;
}

/** Tasks as if Ada had asked for them in the places in turn, without the requests themselves. */
async function makeTasks({ database, engine }: BenchEngine, places: readonly Place[], count: number): Promise<void> {
  for (let from = 0; from < count; from += 50) {
    await database.transaction(async (tx) => {
      const { id: workspace } = await firstWorkspace(tx, 'Deckhand');
      for (let n = from; n < Math.min(count, from + 50); n += 1) {
        const place = places[n % places.length];
        const channel = await tx.db.channel.findFirst({ where: { externalId: place?.channel ?? '' } });
        if (place === undefined || channel?.projectId == null) throw new Error('there is no bound channel');
        const identity: IdentityRef = { platform: place.platform, tenant: place.tenant, user: 'U-bench' };
        const found = await findOrCreatePerson(tx, { workspace, identity, name: 'Ada', role: 'owner' });
        if (found === undefined) throw new Error('there is no person');
        const requester = { workspace, user: found.user, name: found.name, role: found.role, identity };
        await engine.tasks.createCommandTask(tx, {
          workspace,
          project: channel.projectId,
          requester,
          command: `work ${n + 1}`,
          channel: channel.id,
          thread: null,
          originKey: `bench-${place.platform}-${n}`,
        });
      }
    });
  }
}
