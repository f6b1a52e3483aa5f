import { rm } from 'node:fs/promises';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { createArtifacts } from '../../runner/artifacts.ts';
import { seedLab } from '../../src/access/first-start.ts';
import { DeliveryError, type PastMessage } from '../../src/contracts/chat-adapter.ts';
import { type AttachedFile, type FileDownload, givenFileSchema } from '../../src/contracts/given-file.ts';
import type { InboundEvent } from '../../src/contracts/inbound.ts';
import { encodePress } from '../../src/contracts/press.ts';
import { systemClock } from '../../src/runtime/clock.ts';
import { createLogger } from '../../src/runtime/logger.ts';
import { storeInbound } from '../../src/store/inbox.ts';
import { createFileFetcher } from '../../src/tasks/file-fetcher.ts';
import { accounts, type Desk, mention, openDesk, press, reply, slash } from '../support/desk.ts';
import { eventsOf, offerAgents } from '../support/desk-agent.ts';
import { startDiscord } from '../support/discord-adapter.ts';
import { temporaryDirectory } from '../support/git-repository.ts';
import { startSlack } from '../support/slack-adapter.ts';
import { startTelegram } from '../support/telegram-adapter.ts';
import { waitFor } from '../support/wait-for.ts';

/** What the platform says for each file, by its id; asked for: in order. */
const there = new Map<string, () => Promise<FileDownload>>();
let asked: string[] = [];
let told: PastMessage[] | undefined;
let desk: Desk;
let directory: Awaited<ReturnType<typeof temporaryDirectory>>;
let fetcher: ReturnType<typeof createFileFetcher>;
let runner: string;

const bytesOf = (text: string) => async (): Promise<FileDownload> => ({
  bytes: Buffer.byteLength(text),
  content: (async function* () {
    yield Buffer.from(text);
  })(),
});
const fails = (failure: DeliveryError['failure']) => async (): Promise<FileDownload> => {
  throw new DeliveryError(failure);
};

beforeAll(async () => {
  directory = await temporaryDirectory('attached');
  desk = await openDesk({ history: async () => told });
  runner = await offerAgents(desk);
});
afterAll(async () => {
  await desk[Symbol.asyncDispose]();
  await rm(directory.path, { recursive: true, force: true });
});
beforeEach(() => {
  there.clear();
  asked = [];
  told = undefined;
});
afterEach(() => fetcher?.stop());

const artifacts = () => createArtifacts({ dataDir: directory.path, database: desk.database });

function startFetcher(change: { download?: Parameters<typeof createFileFetcher>[0]['download'] } = {}) {
  fetcher = createFileFetcher({
    database: desk.database,
    wakeups: { subscribe: () => () => undefined },
    tasks: desk.engine.tasks,
    download:
      change.download ??
      ((file: AttachedFile) => {
        asked.push(file.id);
        return there.get(file.id)?.() ?? fails({ kind: 'gone', detail: 'it is not there any more' })();
      }),
    async keep(owner, file, bytes) {
      await artifacts().writeGiven(owner.run, `given/${file}`, bytes);
      return (await artifacts().record(owner, 'given', `given/${file}`, bytes.length)).id;
    },
    clock: systemClock,
    logger: createLogger({ level: 'fatal', readable: true }),
  });
  fetcher.start();
}

type Attachment = Extract<InboundEvent, { type: 'message' }>['attachments'][number];
function withFiles(event: InboundEvent, ...attachments: Attachment[]): InboundEvent {
  if (event.type !== 'message') throw new Error('only messages have files');
  return { ...event, attachments };
}

const lastRun = () => desk.database.db.run.findFirstOrThrow({ orderBy: [{ queuedAt: 'desc' }, { id: 'desc' }] });
const stateOfFiles = async (runId: string) =>
  (await desk.database.db.attachedFile.findMany({ where: { runId }, orderBy: { place: 'asc' } })).map(({ state }) => state);
const settled = (run: string) =>
  waitFor(
    'its files',
    async () => {
      const states = await stateOfFiles(run);
      if (states.includes('pending')) throw new Error(states.join());
      return states;
    },
    { timeoutMs: 15_000, everyMs: 20 },
  );
const receipts = (run: string) => eventsOf(desk, run, 'context');
const notes = async (run: string) => (await eventsOf(desk, run, 'note')).map((one) => ('text' in one ? one.text : ''));
const past = (message: string, user: string, attachments: PastMessage['attachments'] = []): PastMessage => ({
  message,
  at: new Date().toISOString(),
  author: { user, bot: false, own: false },
  text: 'see this',
  attachments,
});

describe('files of a request', () => {
  it('are fetched before the run begins, and given to it under plain names', async () => {
    there.set('F1', bytesOf('one'));
    there.set('F2', bytesOf('two'));
    await desk.act(
      withFiles(
        mention('ben', 'fix the login test'),
        { id: 'F1', name: '../../etc/passwd', mime: 'text/plain', bytes: 3 },
        { id: 'F2', name: 'C:\\x\\passwd', bytes: 3 },
      ),
    );
    const { id } = await lastRun();
    await desk.engine.sweep();
    expect((await desk.engine.runs.claim(id, runner)).ok).toBe(false);
    expect(await receipts(id)).toMatchObject([{ messages: 0, files: 0, coming: 2 }]);
    startFetcher();
    expect(await settled(id)).toEqual(['there', 'there']);
    const claimed = await waitFor('the run', async () => {
      const claim = await desk.engine.runs.claim(id, runner);
      if (!claim.ok) throw new Error(claim.reason);
      return claim.spec;
    });
    const files = claimed.agent?.files ?? [];
    expect(files).toMatchObject([
      { name: 'passwd', mime: 'text/plain', bytes: 3, by: 'Ben', trust: 'developer', came: 'request' },
      { name: 'passwd-2', bytes: 3 },
    ]);
    const stored = await Promise.all(files.map(({ artifact }) => artifacts().read(artifact)));
    expect(stored.map((bytes) => Buffer.from(bytes ?? []).toString())).toEqual(['one', 'two']);
    expect((await receipts(id)).at(-1)).toEqual({ type: 'context', messages: 0, files: 2 });
    await desk.engine.runs.finish(id, runner, {
      outcome: 'failed',
      message: 'over',
      durationMs: 1,
      files: [],
      artifacts: [],
    });
  });

  it('that cannot be had are named with the reason, and the run begins with the others', async () => {
    there.set('F1', fails({ kind: 'gone', detail: 'it is not there any more' }));
    there.set('F2', fails({ kind: 'rejected', detail: 'it is kept at evil.example, which is no host of the platform' }));
    there.set('F3', async () => ({
      content: (async function* () {
        for (;;) yield Buffer.alloc(1024 * 1024);
      })(),
    }));
    there.set('F4', bytesOf(''));
    await desk.act(
      withFiles(
        mention('ben', 'look at these'),
        { id: 'F0', name: 'huge.bin', bytes: 20 * 1024 * 1024 + 1 },
        { id: 'F1', name: 'gone.txt' },
        { id: 'F2', name: 'elsewhere.txt' },
        { id: 'F3', name: 'endless.bin' },
        { id: 'F4', name: 'empty.txt', bytes: 0 },
      ),
    );
    const { id } = await lastRun();
    startFetcher();
    expect(await settled(id)).toEqual(['failed', 'failed', 'failed', 'failed', 'there']);
    expect(asked.sort()).toEqual(['F1', 'F2', 'F3', 'F4']);
    expect(await notes(id)).toEqual([
      'The agent is not given huge.bin: it is larger than 20 MB.',
      'The agent is not given gone.txt: it is not there any more.',
      'The agent is not given elsewhere.txt: it is kept at evil.example, which is no host of the platform.',
      'The agent is not given endless.bin: it is larger than 20 MB.',
    ]);
    expect((await receipts(id)).at(-1)).toMatchObject({ files: 1, missing: 4 });
    expect((await lastRun()).files).toMatchObject([{ name: 'empty.txt', bytes: 0 }]);
  });

  it('are at most twenty', async () => {
    const many = Array.from({ length: 25 }, (_, at) => ({ id: `M${at}`, name: `page-${at}.txt`, bytes: 1 }));
    for (const { id } of many) there.set(id, bytesOf('x'));
    await desk.act(withFiles(mention('ben', 'read them all'), ...many));
    const { id } = await lastRun();
    startFetcher();
    const states = await settled(id);
    expect(states.filter((state) => state === 'there')).toHaveLength(20);
    expect((await lastRun()).files).toHaveLength(20);
    expect((await notes(id)).at(-1)).toBe('The agent is not given page-24.txt: an agent is given at most 20 files at once.');
  });

  it('promise 8: are fetched again when the process that did so was killed, or the platform was away', async () => {
    let tries = 0;
    there.set('K1', async () => {
      tries += 1;
      if (tries === 1) throw new DeliveryError({ kind: 'unreachable', detail: 'the connection failed' });
      return await bytesOf('here')();
    });
    await desk.act(withFiles(mention('ben', 'once more'), { id: 'K1', name: 'log.txt', bytes: 4 }));
    const { id } = await lastRun();
    // Somebody took it and was killed: nothing is left of that but when it is due.
    await desk.database.db.attachedFile.updateMany({
      where: { runId: id },
      data: { dueAt: new Date(Date.now() - 1), attempts: 1 },
    });
    startFetcher();
    expect(await settled(id)).toEqual(['there']);
    expect(tries).toBe(2);
    expect(await eventsOf(desk, id, 'context')).toHaveLength(2);
  });

  it('promise 8: that never come do not keep the run for ever', async () => {
    there.set('N1', fails({ kind: 'unreachable', detail: 'the connection failed' }));
    await desk.act(withFiles(mention('ben', 'and without it'), { id: 'N1', name: 'log.txt' }));
    const { id } = await lastRun();
    await desk.database.db.attachedFile.updateMany({ where: { runId: id }, data: { giveUpAt: new Date() } });
    startFetcher();
    expect(await settled(id)).toEqual(['failed']);
    expect(await notes(id)).toEqual(['The agent is not given log.txt: the connection failed.']);
  });

  it('alone are a request too, and parts of an album that come later belong to it', async () => {
    there.set('A1', bytesOf('a'));
    there.set('A2', bytesOf('b'));
    const first = withFiles(mention('ben', '', { message: '77.1' }), { id: 'A1', name: 'a.png', mime: 'image/png' });
    await storeInbound(desk.database, [first]);
    await desk.act(first);
    const { id, prompt } = await lastRun();
    expect(prompt).toBe('Look at the attached file.');
    const more = withFiles(mention('ben', '', { message: '77.2' }), { id: 'A2', name: 'b.png', mime: 'image/png' });
    if (more.type !== 'message') expect.unreachable();
    await desk.act({ ...more, partOf: '77.1' });
    await desk.act({
      ...withFiles(mention('gus', ''), { id: 'A3', name: 'c.png' }),
      type: 'message',
      partOf: '77.1',
    } as InboundEvent);
    startFetcher();
    expect(await settled(id)).toEqual(['there', 'there']);
    expect((await lastRun()).files).toMatchObject([{ name: 'a.png' }, { name: 'b.png' }]);
  });
});

describe('files of what was said before', () => {
  it('are given with the marks of who attached them, and left out with *Only my message* before the run begins', async () => {
    there.set('B1', bytesOf('log'));
    there.set('B2', bytesOf('mine'));
    told = [past('8.1', accounts.gus, [{ id: 'B1', name: 'log.txt', bytes: 3 }]), past('8.2', 'USTRANGER')];
    const request = () =>
      withFiles(mention('ben', 'what is this', { thread: `8.${asked.length}` }), { id: 'B2', name: 'mine.txt', bytes: 4 });
    await desk.act(request());
    const first = await lastRun();
    expect(await receipts(first.id)).toMatchObject([{ messages: 2, guests: 1, externals: 1, coming: 2 }]);
    startFetcher();
    await settled(first.id);
    expect((await lastRun()).files).toMatchObject([
      { name: 'mine.txt', came: 'request' },
      { name: 'log.txt', by: 'Gus', trust: 'guest', came: 'before' },
    ]);
    const alone = encodePress({ kind: 'task', task: first.taskId, verb: 'alone' });
    const [refused] = await desk.act(press('gus', alone));
    expect(refused?.text).toContain('DH-202');
    const [answer] = await desk.act(press('ben', alone));
    expect(answer?.text).toContain('is given only the message');
    expect(await lastRun()).toMatchObject({ context: null, files: [{ name: 'mine.txt' }] });
    expect((await receipts(first.id)).at(-1)).toMatchObject({ messages: 0, files: 1 });
    expect((await desk.act(press('ben', alone)))[0]?.text).toContain('nothing but the message');
  });

  it('cannot be taken back once a runner has the run: a retry without is offered, in a session of its own', async () => {
    told = [past('9.1', accounts.gus)];
    await desk.act(mention('ben', 'look into it', { thread: '9.1' }));
    const { id, taskId } = await lastRun();
    await desk.database.db.task.update({ where: { id: taskId }, data: { session: { id: 's1', artifact: null } } });
    const claim = await waitFor('a place', async () => {
      await desk.engine.sweep();
      const got = await desk.engine.runs.claim(id, runner);
      if (!got.ok) throw new Error(got.reason);
      return got.spec;
    });
    expect(claim.agent?.context).toContain('Gus (guest)');
    const [answer] = await desk.act(press('ben', encodePress({ kind: 'task', task: taskId, verb: 'alone' })));
    expect(answer?.text).toContain('may have read');
    await desk.engine.runs.finish(id, runner, { outcome: 'failed', message: 'over', durationMs: 1, files: [], artifacts: [] });
    await desk.act(slash('ben', `retry #${claim.taskNumber} context=none`));
    const again = await lastRun();
    expect(again).toMatchObject({ taskId, attempt: 2, context: null });
    expect(await desk.database.db.task.findUniqueOrThrow({ where: { id: taskId } })).toMatchObject({ session: null });
  });

  it('come with slash commands and follow-ups as well: what is new and was not said to Deckhand', async () => {
    told = [past('10.1', accounts.gus)];
    await desk.act(slash('ben', 'run look around', { thread: '10.1' }));
    expect((await lastRun()).context).toContain('Gus (guest)');
    const early = past('11.1', accounts.gus);
    told = [early];
    const thread = '11.1';
    await desk.act(mention('ben', 'look around here', { thread, message: '11.2' }));
    const { id, taskId } = await lastRun();
    await desk.act(press('ben', encodePress({ kind: 'task', task: taskId, verb: 'stop' })));
    const soon = (message: string, user: string): PastMessage => ({
      ...past(message, user),
      at: new Date(Date.now() + 10).toISOString(),
      text: `${user} says ${message}`,
    });
    const spoken = mention('ben', 'tasks', { thread, message: '11.4' });
    await storeInbound(desk.database, [spoken]);
    told = [early, soon('11.3', accounts.gus), soon('11.4', accounts.ben), soon('11.5', 'USTRANGER')];
    await desk.act(reply('ben', 'and now the docs of it please', thread, { at: new Date(Date.now() + 1000) }));
    const next = await lastRun();
    expect(next).toMatchObject({ taskId, attempt: 2 });
    expect(next.id).not.toBe(id);
    expect(next.context).toContain('UGUS says 11.3');
    expect(next.context).toContain('USTRANGER says 11.5');
    expect(next.context).not.toContain('11.4');
    expect(next.context).not.toContain('see this');
  });
});

describe('files of a message to an agent at work', () => {
  it('come as a message of their own when they are there; too late, they come with the next run', async () => {
    told = [];
    const thread = '12.1';
    await desk.act(mention('ben', 'work on it', { thread, message: thread }));
    const { id, taskId } = await lastRun();
    const first = await waitFor('a place', async () => {
      await desk.engine.sweep();
      const got = await desk.engine.runs.claim(id, runner);
      if (!got.ok) throw new Error(got.reason);
      return got.spec;
    });
    there.set('S1', bytesOf('shot'));
    await desk.act(
      withFiles(reply('ben', 'it looks like this', thread), { id: 'S1', name: 'shot.png', mime: 'image/png', bytes: 4 }),
    );
    startFetcher();
    expect(await settled(id)).toEqual(['there']);
    const mail = await desk.engine.agents.mail(id, 0);
    expect(mail.map(({ mail: one }) => one)).toMatchObject([
      { type: 'message', text: 'it looks like this', when: 'next' },
      { type: 'message', by: 'Ben', text: 'A file: shot.png', files: [{ name: 'shot.png', mime: 'image/png', bytes: 4 }] },
    ]);
    expect((await lastRun()).files).toMatchObject([{ name: 'shot.png', came: 'message' }]);
    there.set('S2', bytesOf('late'));
    await fetcher.stop();
    await desk.act(withFiles(reply('ben', '', thread), { id: 'S2', name: 'late.txt', bytes: 4 }));
    await desk.engine.runs.finish(id, runner, { outcome: 'failed', message: 'over', durationMs: 1, files: [], artifacts: [] });
    startFetcher();
    await settled(id);
    await desk.act(slash('ben', `retry #${first.taskNumber}`));
    const next = await lastRun();
    expect(next).toMatchObject({ taskId, attempt: 2 });
    await settled(next.id);
    expect((await lastRun()).files).toMatchObject([{ name: 'shot.png' }, { name: 'late.txt', came: 'request' }]);
  });
});

it('files of a message that is deleted before the agent is told of them are not given to it', async () => {
  const thread = '13.1';
  await desk.act(mention('ben', 'work on that', { thread, message: thread }));
  const { id } = await lastRun();
  const said = withFiles(reply('ben', '', thread), { id: 'D1', name: 'wrong.txt' });
  if (said.type !== 'message') expect.unreachable();
  await desk.act(said);
  expect(await stateOfFiles(id)).toEqual(['pending']);
  const { attachments: _, addressed: __, text: ___, ...rest } = said;
  await desk.act({ ...rest, key: 'del:13', type: 'message_deleted' });
  expect(await stateOfFiles(id)).toEqual(['dropped']);
  there.set('D2', bytesOf('told'));
  const told = withFiles(reply('ben', 'look at this too', thread), { id: 'D2', name: 'told.txt', bytes: 4 });
  if (told.type !== 'message') expect.unreachable();
  await desk.act(told);
  startFetcher();
  expect(await settled(id)).toEqual(['dropped', 'there']);
  const { attachments: ____, addressed: _____, text: ______, ...gone } = told;
  await desk.act({ ...gone, key: 'del:14', type: 'message_deleted' });
  const mail = await desk.engine.agents.mail(id, 0);
  expect(mail.map(({ mail: one }) => one.type)).toEqual(['message', 'message', 'message_changed', 'message_changed']);
});

/** A person of each emulated platform who mentions the bot with these files. */
const onPlatform = {
  async slack(files: [string, string][]) {
    const setup = await startSlack({ mode: 'socket' });
    const ben = setup.slack.person('ben');
    ben.mention('#demo', 'look at these', { files: files.map(([name, content]) => ben.upload(name, content).id) });
    return setup;
  },
  async telegram(files: [string, string][]) {
    const setup = await startTelegram({ mode: 'polling' });
    const [first, ...more] = files.map(([name, content]) => ({ name, content }));
    if (first === undefined) expect.unreachable();
    const caption = `@${setup.telegram.botUsername} look at these`;
    setup.telegram.person('ben').sendAlbum('demo', [{ ...first, caption }, ...more]);
    return setup;
  },
  async discord(files: [string, string][]) {
    const setup = await startDiscord({ mode: 'gateway' });
    const ben = setup.discord.person('ben');
    ben.mention('#demo', 'look at these', { files: files.map(([name, content]) => ben.upload(name, content)) });
    return setup;
  },
};

it.each(['slack', 'telegram', 'discord'] as const)(
  'files on %s come from its emulator, over the wire, into the hands of the agent',
  async (platform) => {
    await using setup = await onPlatform[platform]([
      ['log.txt', `a line from ${platform}\n`],
      ['notes.md', '# Notes\n'],
    ]);
    const { adapter, inbox } = setup;
    const events = await waitFor('both files', () => {
      const said = inbox.events.flatMap((one) => (one.type === 'message' ? [one] : []));
      return said.flatMap(({ attachments }) => attachments).length === 2 ? said : undefined;
    });
    const [first] = events;
    if (first === undefined) expect.unreachable();
    const { tenant, channel } = first.conversation;
    await desk.database.transaction((tx) =>
      seedLab(tx, {
        tenant: { platform, tenant, name: platform, botUser: 'bot' },
        people: [{ user: first.actor.user, name: 'Ben', role: 'developer' }],
        project: { name: 'demo', source: { kind: 'path', path: '/srv/demo' } },
        channel: { id: channel, name: 'demo', defaultRole: undefined },
      }),
    );
    await storeInbound(desk.database, events);
    for (const event of events) await desk.act(event);
    const { id } = await lastRun();
    startFetcher({ download: (file, signal) => adapter.download?.(file, signal) });
    expect(await settled(id)).toEqual(['there', 'there']);
    const { files, prompt } = await lastRun();
    expect(prompt).toBe('look at these');
    expect(files).toMatchObject([
      { name: 'log.txt', mime: 'text/plain', by: expect.stringContaining('Ben'), trust: 'developer' },
      { name: 'notes.md', bytes: 8 },
    ]);
    const [log] = givenFileSchema.array().parse(files);
    expect(Buffer.from((await artifacts().read(log?.artifact ?? '')) ?? []).toString()).toBe(`a line from ${platform}\n`);
  },
  30_000,
);
