import { mkdir, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { setInterval } from 'node:timers/promises';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { bindChannel, findOrCreateChannel } from '../../src/store/channels.ts';
import { openSurroundings } from '../support/conformance.ts';
import type { ConformanceDriver, Place } from '../support/conformance-driver.ts';
import { type Program, runDeckhand } from '../support/deckhand-process.ts';
import { eventually, waitFor } from '../support/wait-for.ts';

/** Two gateways and a runner. Everything in one test: what happens to it is one story. */
let around: Awaited<ReturnType<typeof openSurroundings>>;
const programs: Program[] = [];

beforeAll(async () => {
  around = await openSurroundings();
});
afterAll(async () => {
  for (const program of programs) await program.end('SIGKILL');
  await around.close();
}, 60_000);

const patience = { timeoutMs: 120_000, everyMs: 100 };
const platforms = ['slack', 'telegram', 'discord'] as const;
/** Rooms on each platform. */
const rooms = 1;
/** Between two requests on one platform. */
const everyMs = 3000;
/** Requests on one platform that nothing has come of yet. */
const mostOpen = 2;

/** A process that is followed by another one in its place. */
interface Member {
  url: string;
  program: Program;
}

async function begin(role: 'gateway' | 'runner', name: string): Promise<Member> {
  const program = runDeckhand([role], join(around.path, name), around.settings);
  programs.push(program);
  const ready = await Promise.race([
    waitFor(`${name} to be ready`, () => program.logged('ready')[0] ?? expect.fail(program.log.join('\n')), patience),
    program.ended.then((code) => expect.fail(`${name} ended with ${code}:\n${program.log.join('\n')}`)),
  ]);
  return { program, url: String(ready.url) };
}

/** Platforms whose events come to this gateway and to no other. */
async function listensTo({ url }: Member): Promise<string[]> {
  const { checks } = (await (await fetch(new URL('/readyz', url))).json()) as { checks: { name: string; detail?: string }[] };
  return checks.flatMap(({ name, detail = '' }) => (/is polled|gateway is connected/.test(detail) ? [name] : []));
}

/** What one person has asked in one room, in this order. */
interface Talk {
  driver: ConformanceDriver;
  place: Place;
  asked: string[];
}

async function openRooms(): Promise<Talk[]> {
  const { database, projects } = around;
  const talks: Talk[] = [];
  for (const driver of around.drivers.values()) {
    for (let room = 1; room <= rooms; room += 1) {
      const place = driver.newPlace(`room-${room}`);
      const where = { platform: driver.platform, tenant: driver.tenant.tenant, channel: place.id, kind: 'channel' } as const;
      await database.transaction(async (tx) => {
        const channel = await findOrCreateChannel(tx, projects.workspace, where, { channelName: `room-${room}` });
        await bindChannel(tx, channel?.id ?? '', { project: projects.free, defaultRole: 'guest' });
      });
      talks.push({ driver, place, asked: [] });
    }
  }
  return talks;
}

/** Asks for something everywhere in turn until the signal aborts, on a slow machine no faster than it is done. */
async function keepAsking(talks: readonly Talk[], signal: AbortSignal): Promise<void> {
  const counts = new Map(platforms.map((platform) => [platform, 0]));
  try {
    for await (const _ of setInterval(everyMs, undefined, { signal })) {
      for (const platform of platforms) counts.set(platform, await ask(talks, platform, counts.get(platform) ?? 0));
    }
  } catch (error) {
    if (!signal.aborted) throw error;
  }
}

/** Asks for one thing more on this platform, unless too much is under way. Returns how much was asked for by then. */
async function ask(talks: readonly Talk[], platform: (typeof platforms)[number], before: number): Promise<number> {
  const there = { task: { threads: { some: { channel: { platform } } } } };
  const done = await around.database.db.run.count({ where: { endedAt: { not: null }, ...there } });
  if (before - done >= mostOpen) return before;
  const number = before + 1;
  const own = talks.filter(({ driver }) => driver.platform === platform);
  const talk = own[number % own.length];
  const command = `true ${platform}-${number}`;
  talk?.driver.mention('ada', talk.place, `sh ${command}`);
  talk?.asked.push(command);
  return number;
}

/** Commands of the tasks that were made in each room, in the order in which they were made. */
async function made(talks: readonly Talk[]): Promise<string[][]> {
  const tasks = await around.database.db.task.findMany({
    include: { threads: { include: { channel: true } } },
    orderBy: { number: 'asc' },
  });
  return talks.map(({ place, driver }) =>
    tasks
      .filter(({ threads }) =>
        threads.some(({ channel }) => channel.platform === driver.platform && channel.externalId === place.id),
      )
      .map(({ command }) => command),
  );
}

/** Commands whose end is shown in the room, once for each time. Of the cards of a run that is over only that of its end has buttons. */
function endsShown({ driver, place }: Talk): string[] {
  return driver
    .messages(place)
    .flatMap(({ own, text, buttons }) =>
      own && buttons.includes('Retry') && /\bdone in\b/.test(text) ? (/true \w+-\d+/.exec(text) ?? []) : [],
    )
    .toSorted();
}

it('promises 1 to 4: gateways that are restarted and killed one after the other miss nothing that people say meanwhile', {
  timeout: 600_000,
}, async () => {
  for (const name of ['gateway-1', 'gateway-2', 'runner']) {
    const dir = join(around.path, name);
    await mkdir(dir, { mode: 0o700 });
    for (const shared of ['artifacts', 'mirrors']) {
      await mkdir(join(around.path, shared), { recursive: true, mode: 0o700 });
      await symlink(join(around.path, shared), join(dir, shared));
    }
  }
  let one = await begin('gateway', 'gateway-1');
  let [two] = await Promise.all([begin('gateway', 'gateway-2'), begin('runner', 'runner')]);
  for (const driver of around.drivers.values()) driver.begin();
  const talks = await openRooms();
  expect(await listensTo(one)).toEqual(['telegram', 'discord']);

  const enough = new AbortController();
  const asking = keepAsking(talks, enough.signal);
  const isHeard = async () => {
    const before = talks.map(({ asked }) => asked.length);
    await eventually(async () => {
      for (const [at, { asked }] of talks.entries()) expect(asked.length).toBeGreaterThan(before[at] ?? 0);
    }, patience);
  };

  await isHeard();
  expect(await one.program.end('SIGTERM')).toBe(0);
  one = await begin('gateway', 'gateway-1');
  await eventually(async () => expect(await listensTo(two)).toEqual(['telegram', 'discord']), patience);
  await isHeard();
  await two.program.end('SIGKILL');
  two = await begin('gateway', 'gateway-2');
  await eventually(async () => expect(await listensTo(one)).toEqual(['telegram', 'discord']), patience);
  await isHeard();
  enough.abort();
  await asking;

  await eventually(async () => expect(await made(talks)).toEqual(talks.map(({ asked }) => asked)), patience);
  await eventually(() => {
    for (const talk of talks) expect([talk.place, ...endsShown(talk)]).toEqual([talk.place, ...talk.asked.toSorted()]);
  }, patience);
});
