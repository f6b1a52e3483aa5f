import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { RateBudget } from '../../src/contracts/chat-adapter.ts';
import { type OutboxPut, priorities } from '../../src/contracts/outbox.ts';
import type { Conversation } from '../../src/contracts/platform.ts';
import type { SentMessage } from '../../src/delivery/sender-options.ts';
import { putOutbox } from '../../src/store/outbox.ts';
import { standingOf } from '../../src/store/standing.ts';
import { type PlatformOptions, TestPlatform } from '../support/chat-platform.ts';
import { createWorld, startSender, type TestSender, type World, words } from '../support/delivery-world.ts';
import { eventually, waitFor } from '../support/wait-for.ts';

let world: World;
let platform: TestPlatform;
const senders: TestSender[] = [];

beforeEach(async () => {
  world = await createWorld();
});

afterEach(async () => {
  await Promise.all(senders.splice(0).map((sender) => sender.stop()));
  await world.close();
});

async function start(options: PlatformOptions = {}, sending: Parameters<typeof startSender>[2] = {}): Promise<TestSender> {
  platform = new TestPlatform(options);
  return await startOn(platform, sending);
}

async function startOn(on: TestPlatform, sending: Parameters<typeof startSender>[2] = {}): Promise<TestSender> {
  const sender = startSender(world, on, sending);
  senders.push(sender);
  await sender.start();
  return sender;
}

const general: Conversation = { platform: 'slack', tenant: 'T1', channel: 'C1', kind: 'channel' };
const ada = { platform: 'slack', tenant: 'T1', user: 'UADA' } as const;

function message(key: string, text: string, more: Partial<OutboxPut> = {}): Omit<OutboxPut, 'workspace'> {
  return {
    key,
    target: { type: 'conversation', conversation: general },
    payload: { type: 'message', view: words(text) },
    priority: priorities.reply,
    ...more,
  };
}

async function row(key: string) {
  const found = await world.database.db.outbox.findUnique({ where: { workspaceId_key: { workspaceId: world.workspace, key } } });
  if (found === null) throw new Error(`no row ${key}`);
  return found;
}

async function sent(key: string) {
  return await waitFor(`${key} to be sent`, async () => {
    const found = await row(key);
    return found.state === 'sent' && found;
  });
}

describe('putting a row', () => {
  it('promise 2: the same payload again changes nothing, another one makes a new version', async () => {
    const put = (text: string) =>
      world.database.transaction((tx) => putOutbox(tx, { workspace: world.workspace, ...message('k', text) }));
    expect(await put('one')).toMatchObject({ version: 1 });
    expect(await put('one')).toBeUndefined();
    expect(await put('two')).toMatchObject({ version: 2 });
    expect(await row('k')).toMatchObject({ version: 2, sentVersion: 0, state: 'pending' });
  });

  it('promise 2: a one-shot row keeps its first payload', async () => {
    const put = (text: string) =>
      world.put({
        key: 'once',
        target: { type: 'conversation', conversation: general },
        payload: { type: 'ephemeral', user: ada, view: words(text) },
        priority: 2,
      });
    await put('first');
    await put('second');
    expect(await row('once')).toMatchObject({ version: 1, payload: { view: { fallback: 'first' } } });
  });

  it('takes text that the database cannot store as it is', async () => {
    await world.put(message('odd', 'nul \0 and half a pair \ud83d'));
    expect(await row('odd')).toMatchObject({ payload: { view: { fallback: 'nul \ufffd and half a pair \ufffd' } } });
  });

  it('keeps a waiting decision as urgent as it was when progress comes after it', async () => {
    await world.put(message('k', 'decide', { priority: priorities.decision }));
    await world.put(message('k', 'progress', { priority: priorities.progress }));
    expect(await row('k')).toMatchObject({ priority: priorities.decision, version: 2 });
  });
});

describe('the sender', () => {
  it('sends once and edits to the newest version, skipping those in between (promise 5)', async () => {
    await world.put(message('k', 'one'));
    const { pendingSince } = await row('k');
    for (let n = 0; n < 20; n += 1) await world.put(message('k', `version ${n}`));
    expect(await row('k')).toMatchObject({ pendingSince });
    expect((await standingOf(world.database.db)).outbox).toEqual([
      { platform: 'slack', waiting: 1, oldest: expect.closeTo((Date.now() - pendingSince.getTime()) / 1000, 0) },
    ]);
    const told: SentMessage[] = [];
    await start({}, { onSent: (one) => told.push(one) });
    await sent('k');
    await waitFor('the end to be told', async () => told.length > 0);
    expect(told).toMatchObject([{ platform: 'slack', type: 'message', outcome: 'sent', merged: 20 }]);
    expect((await standingOf(world.database.db)).outbox).toEqual([]);
    expect(platform.messages.map((one) => one.views.map(({ fallback }) => fallback))).toEqual([['version 19']]);
    await world.put(message('k', 'last'));
    await eventually(() => expect(platform.text(platform.messages[0])).toBe('last'));
    await sent('k');
    expect(platform.messages).toHaveLength(1);
    expect(await row('k')).toMatchObject({ externalId: platform.messages[0]?.id, sentVersion: 22, attemptedAt: null });
  });

  it('makes no call for a version that looks the same on this platform', async () => {
    await start();
    await world.put(message('k', 'same'));
    await sent('k');
    await world.put({ ...message('k', 'same'), payload: { type: 'message', view: { ...words('same'), files: [] } } });
    await waitFor('the second version to be settled', async () => (await row('k')).sentVersion === 2);
    expect(platform.calls.map(({ operation }) => operation)).toEqual(['send']);
  });

  it('opens a thread with its anchor; the rest of the thread waits for it and keeps its order', async () => {
    const { thread } = await world.task();
    const inThread = (key: string, anchor: boolean, priority: OutboxPut['priority']) =>
      message(key, key, { target: { type: 'thread', thread, anchor }, priority });
    await world.put(inThread('end', false, priorities.final));
    await world.put(inThread('decision', false, priorities.decision));
    await start();
    await world.put(inThread('live', true, priorities.card));
    await sent('end');
    await sent('decision');
    const [root] = platform.shown('C1');
    expect(platform.text(root)).toBe('live');
    expect(platform.shown('C1', root?.id).map((one) => platform.text(one))).toEqual(['end', 'decision']);
    expect(await world.database.db.thread.findUnique({ where: { id: thread } })).toMatchObject({ externalId: root?.id });
    await world.put(inThread('live', true, priorities.card));
    await world.put(message('later', 'later', { target: { type: 'thread', thread, anchor: true } }));
    await sent('later');
    expect(platform.shown('C1', root?.id).map((one) => platform.text(one))).toEqual(['end', 'decision', 'later']);
  });

  it('does what each kind of row says', async () => {
    await start();
    const target = { type: 'conversation', conversation: general } as const;
    const form = {
      token: 'd:abc:deny_reason',
      title: 'Why not?',
      submit: 'Deny',
      fields: [{ type: 'text' as const, id: 'reason', label: 'Reason', multiline: true, required: true }],
    };
    await world.put({
      key: 'e',
      target,
      payload: { type: 'ephemeral', user: ada, view: words('only you'), reply: 'handle' },
      priority: 2,
    });
    await world.put({ key: 'd', target, payload: { type: 'direct', user: ada, view: words('hello') }, priority: 2 });
    await world.put({
      key: 'f',
      target,
      payload: { type: 'form', trigger: 'tr1', form, user: ada, expiresAt: new Date(Date.now() + 3000).toISOString() },
      priority: 2,
    });
    await world.put({
      key: 'r',
      target,
      payload: {
        type: 'reaction',
        message: { platform: 'slack', tenant: 'T1', channel: 'C1', message: '1.1' },
        mark: 'received',
        on: true,
      },
      priority: 2,
    });
    await world.put({
      key: 'u',
      target,
      payload: { type: 'files', files: [{ from: 'text', name: 'a.txt', text: 'hi' }] },
      priority: 2,
    });
    await world.put({ key: 'h', target, payload: { type: 'home', user: ada, view: words('home') }, priority: 3 });
    for (const key of ['e', 'd', 'f', 'r', 'u', 'h']) await sent(key);
    expect(platform.ephemerals).toMatchObject([{ channel: 'C1', user: 'UADA', reply: 'handle' }]);
    expect(platform.shown('D-UADA').map((one) => platform.text(one))).toEqual(['hello']);
    expect(await row('d')).toMatchObject({ channel: 'D-UADA' });
    expect(platform.forms).toMatchObject([{ trigger: 'tr1' }]);
    expect(platform.reactions).toEqual([{ message: '1.1', mark: 'received', on: true }]);
    expect(platform.uploads.map(({ files }) => files.map(({ name }) => name))).toEqual([['a.txt']]);
    expect(platform.homes.get('UADA')?.fallback).toBe('home');
  });

  it('edits a direct message that follows to its newer version, also after a day; one that does not stays as it was', async () => {
    await start();
    const target = { type: 'conversation', conversation: general } as const;
    const direct = (text: string, follows: boolean) => ({
      target,
      payload: { type: 'direct' as const, user: ada, view: words(text), ...(follows ? { follows: true as const } : {}) },
      priority: priorities.decision,
    });
    await world.put({ key: 'f', ...direct('asks', true) });
    await world.put({ key: 'o', ...direct('once', false) });
    for (const key of ['f', 'o']) await sent(key);
    await world.database.db.outbox.updateMany({ data: { createdAt: new Date(Date.now() - 48 * 60 * 60_000) } });
    await world.put({ key: 'o', ...direct('twice', false) });
    await world.put({ key: 'f', ...direct('decided', true) });
    await eventually(async () => expect(await row('f')).toMatchObject({ state: 'sent', sentVersion: 2 }));
    expect(platform.shown('D-UADA').map((one) => platform.text(one))).toEqual(['decided', 'once']);
  });

  it('answers one person directly where nothing is ephemeral', async () => {
    await start({ capabilities: { ephemeral: false } });
    await world.put({
      key: 'e',
      target: { type: 'conversation', conversation: general },
      payload: { type: 'ephemeral', user: ada, view: words('only you') },
      priority: 2,
    });
    await sent('e');
    expect(platform.shown('D-UADA').map((one) => platform.text(one))).toEqual(['only you']);
  });

  it('promise 5: a long text becomes several messages in order, a very long one a file', async () => {
    await start();
    const long = Array.from({ length: 900 }, (_, n) => `word${n}`).join(' ');
    await world.put(message('long', long));
    await world.put({
      ...message('log', ''),
      payload: { type: 'message', view: { fallback: 'log', blocks: [{ type: 'code', text: `${long}\n`.repeat(10) }] } },
    });
    await sent('long');
    await sent('log');
    const texts = platform.shown('C1').map((one) => platform.text(one));
    expect(texts.slice(0, 3).join('')).toBe(long);
    expect(texts[3]).toContain('the whole of it is in the attached output.txt');
    expect(new TextDecoder().decode(platform.uploads[0]?.files[0]?.bytes)).toBe(`${long}\n`.repeat(10));
  });

  it('promise 5: a message that changes from many parts to few leaves no part behind with old words', async () => {
    await start();
    const long = 'many words '.repeat(400);
    await world.put(message('k', long));
    await sent('k');
    expect(platform.shown('C1').length).toBeGreaterThan(1);
    await world.put(message('k', 'short'));
    await waitFor('the short version', async () => (await row('k')).sentVersion === 2);
    expect(platform.shown('C1').map((one) => platform.text(one))).toEqual(['short', 'This part has moved to the message above.']);
  });

  it('two gateways on one database send every row once', async () => {
    await start();
    await startOn(platform);
    await Promise.all(Array.from({ length: 40 }, (_, n) => world.put(message(`k${n}`, `text ${n}`))));
    for (let n = 0; n < 40; n += 1) await sent(`k${n}`);
    expect(platform.messages).toHaveLength(40);
  });

  it('a second gateway takes over when the first is killed (promise 8)', async () => {
    const first = await start();
    await world.put(message('one', 'one'));
    await sent('one');
    await first.kill();
    await startOn(platform);
    await world.put(message('two', 'two'));
    await sent('two');
    expect(platform.messages.map((one) => platform.text(one))).toEqual(['one', 'two']);
  });

  it('promise 5: a sender that starts again knows what the rate budgets were used for', async () => {
    const budgets: RateBudget[] = [{ operations: ['send'], scope: 'tenant', calls: 4, windowMs: 1500 }];
    const first = await start({ capabilities: { budgets } });
    for (let n = 0; n < 4; n += 1) await world.put(message(`before${n}`, 'x', { priority: priorities.final }));
    for (let n = 0; n < 4; n += 1) await sent(`before${n}`);
    await first.kill();
    await startOn(platform);
    for (let n = 0; n < 3; n += 1) await world.put(message(`after${n}`, 'x', { priority: priorities.final }));
    for (let n = 0; n < 3; n += 1) await sent(`after${n}`);
    expect(platform.messages).toHaveLength(7);
    expect(platform.violations).toEqual([]);
  });
});
