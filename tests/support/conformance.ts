import { randomBytes } from 'node:crypto';
import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { seedLab } from '../../src/access/first-start.ts';
import type { Conversation } from '../../src/contracts/platform.ts';
import { defaultPolicy, type Policy } from '../../src/contracts/policy.ts';
import { defaultProjectLimits } from '../../src/contracts/settings.ts';
import { bindChannel, findOrCreateChannel } from '../../src/store/channels.ts';
import { createDatabase, type Database } from '../../src/store/database.ts';
import { createProject } from '../../src/store/projects.ts';
import { openDiscord } from './conformance-discord.ts';
import {
  type ConformanceDriver,
  type PersonName,
  type Place,
  personNames,
  type RunningProgram,
  type Said,
  type Shown,
} from './conformance-driver.ts';
import { openSlack } from './conformance-slack.ts';
import { openTelegram } from './conformance-telegram.ts';
import { type DeckhandProcess, startDeckhand } from './deckhand-process.ts';
import { emptyRepository, temporaryDirectory } from './git-repository.ts';
import { createTestDatabase } from './postgres.ts';
import { type WaitOptions, waitFor } from './wait-for.ts';

/** Every platform that Deckhand speaks. */
export const platforms = ['Slack', 'Telegram', 'Discord'] as const;
export type PlatformName = (typeof platforms)[number];
const openers: Record<PlatformName, () => Promise<ConformanceDriver>> = {
  Slack: openSlack,
  Telegram: openTelegram,
  Discord: openDiscord,
};

/** How long anything may take on a loaded machine. */
const patienceMs = 120_000;

/** The first words of a card, and how the first lines of an end go on. Requests for a decision say "wanted". */
const cardHead = /^#\d+ (?!want)/;
const endWords = /^[^\n]*(\n[^\n]*)?[✔✖○●] (done|failed|cancelled|timed out|interrupted)\b/u;

export type Conformance = Awaited<ReturnType<typeof openConformance>>;
export type OnPlatform = ReturnType<Conformance['on']>;

/**
 * Everything that a program needs to be connected to all platforms at once, each emulated, and a database of its own. Everywhere Ada is
 * owner, Ben developer, Gus guest. The project `demo` runs what only reads and asks a developer for the rest; in `hasty` a request
 * expires after two seconds, in `free` everything runs. `shop`: address of a repository that becomes a project of this name, where
 * everything runs and developers decide what is brought out.
 */
export async function openSurroundings(options: { variables?: Readonly<Record<string, string>>; shop?: string } = {}) {
  const opened = await Promise.all(platforms.map(async (name) => [name, rememberingMessages(await openers[name]())] as const));
  const drivers = new Map<PlatformName, ConformanceDriver>(opened);
  const server = await createTestDatabase();
  const directory = await temporaryDirectory('conformance');
  const database = createDatabase({ url: server.url, connections: 3, onEffectError: () => undefined });
  const projects = await seed([...drivers.values()], database, join(directory.path, 'demo'), options.shop);
  const settings = {
    ...Object.fromEntries([...drivers.values()].flatMap(({ variables }) => Object.entries(variables))),
    DATABASE_URL: server.url,
    DECKHAND_SECRET_KEY: randomBytes(32).toString('base64'),
    SANDBOX: 'local',
    RUNNER_CONCURRENCY: '8',
    ...options.variables,
  };
  return {
    drivers,
    database,
    projects,
    /** Variables of the program. */
    settings,
    /** A directory that is empty but for the repository. */
    path: directory.path,
    /** Removes everything, after the program has ended. Rejects when an emulator has made a mistake. */
    async close(): Promise<void> {
      const mistakes = [...drivers.values()].flatMap((driver) => driver.errors());
      for (const driver of drivers.values()) await driver.close();
      await database.close();
      await server.close();
      await directory[Symbol.asyncDispose]();
      if (mistakes.length > 0) throw new AggregateError(mistakes, 'an emulator failed');
    },
  };
}

/** The whole program as its own process, in such surroundings. */
export async function openConformance(options: Parameters<typeof openSurroundings>[0] = {}) {
  const surroundings = await openSurroundings(options);
  const { drivers, database, projects, settings, path } = surroundings;
  const start = () => startDeckhand(join(path, 'data'), settings);
  let deckhand: DeckhandProcess = await start();
  for (const driver of drivers.values()) driver.begin();

  const program: RunningProgram = {
    async restart(whileDown) {
      await deckhand.end('SIGKILL');
      whileDown?.();
      deckhand = await start();
    },
    stored: (platform, { place, id }) =>
      database.db.inbox.count({ where: { platform, key: { contains: `:${place.id}:`, endsWith: `:${id}` } } }),
  };

  return {
    on(name: PlatformName) {
      const driver = drivers.get(name);
      if (driver === undefined) throw new Error(`there is no ${name}`);
      return onPlatform({ driver, database, program, projects });
    },
    program,
    /** Where the program listens. */
    url: () => deckhand.url,
    /** A command that says `begun`, waits until it is let go, at the latest by the end of the test, and says `through`. */
    async heldCommand(): Promise<{ command: string; letGo(): Promise<void> }> {
      const hold = join(path, randomBytes(4).toString('hex'));
      await writeFile(hold, '');
      return { command: `echo begun; while test -e ${hold}; do sleep 0.2; done; echo through`, letGo: () => rm(hold) };
    },
    /** Ends everything. Rejects when an emulator has made a mistake. */
    async close(): Promise<void> {
      await deckhand.end('SIGTERM');
      await surroundings.close();
    },
  };
}

interface Parts {
  driver: ConformanceDriver;
  database: Database;
  program: RunningProgram;
  projects: Awaited<ReturnType<typeof seed>>;
}

/** Many tests look at the same time, again and again: where nothing has changed they see what was read before. */
function rememberingMessages(driver: ConformanceDriver): ConformanceDriver {
  const read = new Map<string, Shown[]>();
  driver.onChange(() => read.clear());
  return {
    ...driver,
    messages(place) {
      const known = read.get(place.id) ?? driver.messages(place);
      read.set(place.id, known);
      return known;
    },
  };
}

/** What people do and see on one platform. */
function onPlatform({ driver, database, program, projects }: Parts) {
  /** Everything in the place as lines, for the message of a failing test. */
  const told = (place: Place) =>
    driver.messages(place).map(({ text, buttons }) => `${text.replaceAll('\n', ' | ').slice(0, 400)} [${buttons.join(', ')}]`);

  function conversation(place: Place): Conversation {
    const { tenant } = driver.tenant;
    return { platform: driver.platform, tenant, channel: place.id, kind: place.direct ? 'direct' : 'channel' };
  }

  /** The first message of the bot in the place that fits, as soon as there is one. */
  async function sees(place: Place, text: RegExp, also: { button?: string; after?: Said } & WaitOptions = {}): Promise<Shown> {
    const { button, after, ...wait } = also;
    return await waitFor(
      `a message that fits ${text}${button === undefined ? '' : ` with the button ${button}`}`,
      () => {
        const all = driver.messages(place);
        const from = after === undefined ? 0 : all.findIndex(({ id }) => id === after.id) + 1;
        const found = all.find(
          (one, at) => at >= from && one.own && text.test(one.text) && (button === undefined || one.buttons.includes(button)),
        );
        if (found === undefined) throw new Error(`\n${told(place).join('\n')}`);
        return found;
      },
      { timeoutMs: patienceMs, everyMs: 50, ...wait },
    );
  }

  /** Resolves when nothing that was said in the place, or is to be shown there, waits. */
  async function settled({ id }: Place): Promise<void> {
    await waitFor(
      'nothing to wait',
      async () => {
        const inbox = await database.db.inbox.count({ where: { state: 'pending', lane: { contains: id } } });
        const outbox = await database.db.outbox.findMany({ where: { state: 'pending', channel: id } });
        if (inbox + outbox.length > 0) throw new Error(`${inbox} acts and ${outbox.map(({ key }) => key).join(', ')}`);
        return true;
      },
      { timeoutMs: patienceMs, everyMs: 200 },
    );
  }

  /**
   * The only task of the place ends once, saying what fits `text`, in the thread of its card, which says how it ended too and cannot be
   * pressed any more.
   */
  async function endsOnce(place: Place, text: RegExp): Promise<{ card: Shown; end: Shown }> {
    const ended = () => driver.messages(place).filter((one) => one.own && cardHead.test(one.text) && endWords.test(one.text));
    await waitFor(
      `an end that fits ${text}`,
      () => {
        if (ended().length < 2 || !ended().some((one) => text.test(one.text))) throw new Error(`\n${told(place).join('\n')}`);
        return true;
      },
      { timeoutMs: patienceMs, everyMs: 50 },
    );
    await settled(place);
    const [card, end, ...more] = ended();
    const isRight = card?.buttons.length === 0 && card.thread === end?.thread && text.test(end.text) && more.length === 0;
    if (card === undefined || end === undefined || !isRight) throw new Error(`not one end:\n${told(place).join('\n')}`);
    return { card, end };
  }

  /** Opens a form and fills it in; opens it once more when told that it came too late, for platforms wait three seconds only. */
  async function fillIn(
    person: PersonName,
    open: () => Promise<void>,
    { place, title, values }: { place: Place; title: string; values: Readonly<Record<string, string>> },
  ): Promise<void> {
    const late = () => driver.toldTo(person).filter(({ text }) => text.includes('could not be opened in time')).length;
    const before = late();
    await open();
    const came = await waitFor(`the form ${title}`, () => (driver.isAsked(person, title) ? 'open' : late() > before && 'late'), {
      timeoutMs: patienceMs,
    });
    if (came === 'late') return fillIn(person, open, { place, title, values });
    await driver.fill(person, place, title, values);
  }

  return {
    driver,
    database,
    program,
    projects,
    conversation,
    fillIn,
    sees,
    settled,
    endsOnce,
    /** A channel nobody has written in, bound to a project unless `project` is null. */
    async place(name: string, project: string | null = projects.demo): Promise<Place> {
      const place = driver.newPlace(name);
      const where = conversation(place);
      await database.transaction(async (tx) => {
        const channel = await findOrCreateChannel(tx, projects.workspace, where, { channelName: name });
        if (channel === undefined) throw new Error('the channel belongs to another workspace');
        if (project !== null) await bindChannel(tx, channel.id, { project, defaultRole: 'guest' });
      });
      return place;
    },
    /** The first thing that fits of what the person alone was told, as soon as there is one. */
    async isTold(person: PersonName, text: RegExp): Promise<Shown> {
      return await waitFor(
        `${person} to be told ${text}`,
        () => {
          const all = driver.toldTo(person);
          const found = all.find((one) => text.test(one.text));
          if (found === undefined) throw new Error(`\n${all.map((one) => one.text).join('\n')}`);
          return found;
        },
        { timeoutMs: patienceMs, everyMs: 50 },
      );
    },
  };
}

const limits = { ...defaultProjectLimits, concurrency: 8 };
const askDevelopers: Policy = {
  ...defaultPolicy,
  mode: 'safe',
  approvers: { role: 'developer', people: [], notRequester: false },
};

async function seed(drivers: readonly ConformanceDriver[], database: Database, path: string, shopUrl: string | undefined) {
  const repository = await emptyRepository(path);
  await repository.commit({ 'README.md': 'hello\n' });
  const roles = { ada: 'owner', ben: 'developer', gus: 'guest' } as const;
  const names = { ada: 'Ada', ben: 'Ben', gus: 'Gus' } as const;
  const source = { kind: 'path', path } as const;
  return await database.transaction(async (tx) => {
    const seeded = [];
    for (const driver of drivers) {
      seeded.push(
        await seedLab(tx, {
          tenant: { platform: driver.platform, ...driver.tenant },
          people: personNames.map((name) => ({ user: driver.userOf(name), name: names[name], role: roles[name] })),
          project: { name: 'demo', source },
          channel: { id: driver.newPlace('first').id, name: 'first', defaultRole: undefined },
        }),
      );
    }
    const [first] = seeded;
    if (first === undefined) throw new Error('there is no platform');
    const { workspace, project } = first;
    const more = async (name: string, policy: Policy, from: Parameters<typeof createProject>[1]['source'] = source) => {
      const given = { workspace: workspace.id, name, source: from, baseBranch: undefined, policy, limits, createdBy: undefined };
      const made = await createProject(tx, given);
      if (made === undefined) throw new Error(`there is a project ${name} already`);
      return made.id;
    };
    const hasty = await more('hasty', { ...askDevelopers, expiresMs: 2000, remindMs: 2000 });
    const free = await more('free', { ...askDevelopers, mode: 'yolo' });
    const shop =
      shopUrl === undefined ? free : await more('shop', { ...askDevelopers, mode: 'yolo' }, { kind: 'git', url: shopUrl });
    await tx.db.project.update({ where: { id: project.id }, data: { limits } });
    return { workspace: workspace.id, demo: project.id, hasty, free, shop };
  });
}
