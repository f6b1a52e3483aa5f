import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { RateBudget } from '../../src/contracts/chat-adapter.ts';
import { type OutboxPut, priorities } from '../../src/contracts/outbox.ts';
import type { Conversation } from '../../src/contracts/platform.ts';
import type { View } from '../../src/contracts/view.ts';
import { secretPlace } from '../../src/delivery/view-secret.ts';
import { anyOther } from '../../src/store/outbox-rows.ts';
import { type Fault, type PlatformOptions, TestPlatform } from '../support/chat-platform.ts';
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
  const sender = startSender(world, on, { lookUpAfterMs: 100, ...sending });
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

/** Answers the first call of an operation with a fault, all others normally. */
function once(operation: string, fault: Fault, times = 1): NonNullable<PlatformOptions['fault']> {
  let left = times;
  return (called) => {
    if (called !== operation || left === 0) return undefined;
    left -= 1;
    return fault;
  };
}

describe('when a call fails', () => {
  const detail = 'for the test';

  it('promise 5: rate limited: waits as told, and a final message is not lost', async () => {
    await start({ fault: once('send', { kind: 'rate_limited', retryAfterMs: 300 }) });
    const started = performance.now();
    await world.put(message('end', 'the end', { priority: priorities.final }));
    await sent('end');
    expect(performance.now() - started).toBeGreaterThanOrEqual(295);
    expect(platform.messages).toHaveLength(1);
  });

  it('rate limited: calls to the same conversation wait, another tenant does not', async () => {
    const budgets: RateBudget[] = [{ operations: ['send'], scope: 'conversation', calls: 100, windowMs: 1000 }];
    await start({ capabilities: { budgets }, fault: once('send', { kind: 'rate_limited', retryAfterMs: 1500 }) });
    await world.put(message('a', 'a'));
    await waitFor('the refusal', async () => (await row('a')).lastError !== null);
    await world.put(message('b', 'b'));
    await world.put(
      message('c', 'c', { target: { type: 'conversation', conversation: { ...general, tenant: 'T2', channel: 'C9' } } }),
    );
    for (const key of ['a', 'b', 'c']) await sent(key);
    expect(platform.messages.map((one) => platform.text(one))).toEqual(['c', 'a', 'b']);
  });

  it('unreachable: tries again until it gets through, once', async () => {
    await start({ fault: once('send', { kind: 'unreachable', detail }, 3) });
    await world.put(message('k', 'hello'));
    await sent('k');
    expect(platform.messages).toHaveLength(1);
  });

  it('promise 6: the answer is lost: finds the message instead of sending it twice', async () => {
    await start({ fault: once('send', { kind: 'lost_answer' }) });
    await world.put(message('k', 'hello', { priority: priorities.final }));
    await sent('k');
    expect(platform.messages).toHaveLength(1);
    expect(await row('k')).toMatchObject({ externalId: platform.messages[0]?.id });
  });

  it('promise 6: looks for it by the time of the database: a machine whose clock is ahead would look where it cannot be', async () => {
    const databaseTime = () => new Date(Date.now() - 15 * 60_000);
    const sinces: string[] = [];
    await start(
      { fault: once('send', { kind: 'lost_answer' }) },
      {
        clock: { now: databaseTime },
        through: (adapter) => ({
          ...adapter,
          find(to, key, since, opens) {
            sinces.push(since);
            return adapter.find(to, key, since, opens);
          },
        }),
      },
    );
    await world.put(message('k', 'hello', { priority: priorities.final }));
    await sent('k');
    expect(platform.messages).toHaveLength(1);
    expect(sinces).toHaveLength(1);
    expect(Date.parse(sinces[0] ?? '')).toBeLessThan(databaseTime().getTime());
  });

  it('promise 4: a message is not given up for trouble of the database, however often its platform did not answer before', async () => {
    let full = true;
    await world.put(message('k', 'hello', { priority: priorities.final }));
    await world.database.db.outbox.updateMany({ data: { attempts: 9 } });
    await start(
      {},
      {
        through: (adapter) => ({
          ...adapter,
          async send(...args) {
            const ref = await adapter.send(...args);
            if (full) {
              full = false;
              await world.database.db.$executeRaw`DO $$ BEGIN RAISE EXCEPTION 'no space' USING ERRCODE = '53100'; END $$`;
            }
            return ref;
          },
        }),
      },
    );
    await sent('k');
    expect(platform.messages).toHaveLength(1);
  });

  it('promise 6: the send was lost on its way: sends again after looking', async () => {
    await start({ fault: once('send', { kind: 'unknown', detail }) });
    await world.put(message('k', 'hello'));
    await sent('k');
    expect(platform.messages).toHaveLength(1);
  });

  it.each([
    ['promise 6: looks for all that may have been sent since a backup that is restored, and sends only what is not there', true],
    ['promise 6: after a restore where nothing can be looked up, an answer is not sent again, a final message rather is', false],
  ] as const)('%s', async (_title, findsSent) => {
    await start({ capabilities: { findsSent } });
    const long = Array.from({ length: 90 }, (_, at) => `${at} ${'word '.repeat(15)}`).join('\n');
    await world.put(message('long', long));
    await world.put(message('end', 'the end', { priority: priorities.final }));
    await Promise.all(['long', 'end'].map(sent));
    const before = platform.messages.length;
    expect(before).toBeGreaterThan(2);
    // As a backup from before they were sent has them, with one that was not sent any more.
    await Promise.all(senders.splice(0).map((sender) => sender.stop()));
    await world.put(message('new', 'never sent', { priority: priorities.final }));
    await world.database.db.outbox.updateMany({
      data: { state: 'pending', sentVersion: 0, externalId: null, parts: [anyOther] },
    });
    await startOn(platform);
    await Promise.all([sent('end'), sent('new')]);
    const answer = await waitFor('the answer to end', async () => {
      const found = await row('long');
      return found.state !== 'pending' && found;
    });
    const texts = platform.messages.slice(before).map((one) => platform.text(one));
    expect(answer.state).toBe(findsSent ? 'sent' : 'unknown');
    expect(texts.sort()).toEqual(findsSent ? ['never sent'] : ['never sent', 'the end']);
    expect([answer, await row('end')].map(({ parts }) => JSON.stringify(parts)).join()).not.toContain(anyOther.slot);
  });

  it('promise 6: where nothing can be looked up, an answer is recorded as unknown and its next version is sent anew', async () => {
    await start({ capabilities: { findsSent: false }, fault: once('send', { kind: 'lost_answer' }) });
    await world.put(message('k', 'hello'));
    await waitFor('the row to be unknown', async () => (await row('k')).state === 'unknown');
    expect(platform.messages).toHaveLength(1);
    await world.put(message('k', 'newer'));
    await sent('k');
    expect(platform.messages.map((one) => platform.text(one))).toEqual(['hello', 'newer']);
  });

  it('promise 4: where nothing can be looked up, a final message is rather sent twice than never', async () => {
    await start({ capabilities: { findsSent: false }, fault: once('send', { kind: 'unknown', detail }) });
    await world.put(message('end', 'the end', { priority: priorities.final }));
    await sent('end');
    expect(platform.messages.map((one) => platform.text(one))).toEqual(['the end']);
  });

  it.each([
    ['promise 6: the answer to an upload is lost: finds the files instead of uploading them twice', { kind: 'lost_answer' }],
    ['promise 6: an upload was lost on its way: uploads again after looking', { kind: 'unknown', detail }],
  ] as const)('%s', async (_title, fault) => {
    await start({ findsUploads: true, fault: once('upload', fault) });
    // The file of an earlier run in the same conversation, of the same name.
    const files = (text: string) => ({
      type: 'message' as const,
      view: { ...words('the end'), files: [{ from: 'text' as const, name: '5.patch', text }] },
    });
    platform.uploads.push({ channel: 'C1', thread: undefined, files: [{ name: '5.patch', bytes: Buffer.from('old') }], at: 0 });
    await world.put(message('k', '', { payload: files('new') }));
    await sent('k');
    const texts = platform.uploads.map(({ files: [file] }) => new TextDecoder().decode(file?.bytes));
    expect(texts).toEqual(['old', 'new']);
  });

  it('promise 6: where uploads cannot be looked up, the file of an answer is not uploaded twice, that of a final message rather is', async () => {
    await start({ fault: once('upload', { kind: 'lost_answer' }, 2) });
    const view = { ...words('text'), files: [{ from: 'text' as const, name: 'a.txt', text: 'a' }] };
    await world.put(message('answer', '', { payload: { type: 'message', view } }));
    await sent('answer');
    expect(platform.uploads).toHaveLength(1);
    await world.put(message('end', '', { payload: { type: 'message', view }, priority: priorities.final }));
    await sent('end');
    expect(platform.uploads).toHaveLength(3);
  });

  it('gone: a deleted card is sent again as a new message with the newest version', async () => {
    await start();
    await world.put(message('k', 'one'));
    await sent('k');
    const first = platform.messages[0];
    if (first !== undefined) first.deleted = true;
    await world.put(message('k', 'two'));
    await waitFor('the second version', async () => (await row('k')).sentVersion === 2);
    expect(platform.shown('C1').map((one) => platform.text(one))).toEqual(['two']);
    expect((await row('k')).externalId).toBe(platform.shown('C1')[0]?.id);
  });

  it('gone: stops sending a card again that somebody keeps deleting', async () => {
    await start();
    await world.put(message('k', 'one'));
    await sent('k');
    for (let n = 0; n < 5; n += 1) {
      for (const one of platform.messages) one.deleted = true;
      await world.put(message('k', `version ${n}`));
      const done = await waitFor(
        'the version to be settled',
        async () => (await row('k')).state !== 'pending' && (await row('k')),
      );
      if (done.state === 'failed') break;
    }
    expect((await row('k')).state).toBe('failed');
    expect(platform.messages).toHaveLength(4);
  });

  it('promise 4: not permitted: the person who asked gets the message directly', async () => {
    await start({
      fault: (operation, { channel }) =>
        operation === 'send' && channel === 'C1' ? { kind: 'not_permitted', detail: 'not_in_channel' } : undefined,
    });
    const { thread } = await world.task();
    const target = { type: 'thread', thread, anchor: true } as const;
    await world.put(message('live', 'the card', { target, priority: priorities.card }));
    await world.put(message('end', 'the end', { target, priority: priorities.final }));
    await waitFor('both to fail', async () => (await row('live')).state === 'failed' && (await row('end')).state === 'failed');
    await eventually(() => {
      const texts = platform.shown('D-UADA').map((one) => platform.text(one));
      expect(texts).toHaveLength(2);
      expect(texts.join()).toContain('the end');
      expect(texts.join()).toContain('Invite Deckhand to the channel');
    });
  });

  it('promise 4: not permitted: the answer to a command is shown to the person who typed it', async () => {
    await start({
      fault: (operation, { channel }) =>
        operation === 'send' && channel === 'C1' ? { kind: 'not_permitted', detail: 'not_in_channel' } : undefined,
    });
    const user = { platform: 'slack', tenant: 'T1', user: 'UADA' } as const;
    await world.put(
      message('k', 'bound', { payload: { type: 'message', view: words('bound'), answers: { user, reply: 'handle' } } }),
    );
    await eventually(() => expect(platform.ephemerals).toHaveLength(1));
    const [shown] = platform.ephemerals;
    expect(shown).toMatchObject({ channel: 'C1', user: 'UADA', reply: 'handle' });
    expect(JSON.stringify(shown?.view)).toMatch(/Invite Deckhand to the channel.*bound/);
    expect((await row('k')).state).toBe('failed');
  });

  it('rejected: says it in plain text, with its buttons, then without', async () => {
    const refused: string[] = [];
    const fault: PlatformOptions['fault'] = (operation, { view }) => {
      const kinds = view?.blocks.map(({ type }) => type).join() ?? '';
      if (operation !== 'send' || kinds === 'text') return undefined;
      refused.push(kinds);
      return { kind: 'rejected', detail: 'invalid_blocks' };
    };
    await start({ fault });
    await world.put({
      ...message('k', ''),
      payload: {
        type: 'message',
        view: {
          fallback: 'x',
          blocks: [
            { type: 'code', text: 'ls' },
            { type: 'buttons', buttons: [{ token: 'c:board', label: 'Board', style: 'default' }] },
          ],
        },
      },
    });
    await sent('k');
    expect(refused).toEqual(['code,buttons', 'text,buttons']);
    expect(platform.messages.map((one) => platform.text(one))).toEqual(['ls']);
  });

  it('rejected in every form: the row fails and does not hold up what comes after it', async () => {
    await start({
      fault: (operation, { view }) =>
        operation === 'send' && view?.fallback === 'bad' ? { kind: 'rejected', detail: 'no' } : undefined,
    });
    await world.put(message('bad', 'bad'));
    await world.put(message('good', 'good'));
    await sent('good');
    expect(await row('bad')).toMatchObject({ state: 'failed', lastError: 'rejected: no', degraded: 2 });
  });

  it('promise 5: a file that is refused is shown as text instead', async () => {
    await start({
      fault: (operation) => (operation === 'upload' ? { kind: 'rejected', detail: 'file_uploads_disabled' } : undefined),
    });
    const text = Array.from({ length: 900 }, (_, n) => `line ${n}`).join('\n');
    await world.put({
      ...message('k', ''),
      payload: { type: 'message', view: { ...words('the command'), files: [{ from: 'text', name: 'command.sh', text }] } },
    });
    await sent('k');
    const inline = await waitFor('the text', async () =>
      world.database.db.outbox.findFirst({ where: { key: { startsWith: 'inline:' }, state: 'sent' } }),
    );
    expect(inline).not.toBeNull();
    const shown = platform.shown('C1').flatMap(({ views }) => views.at(-1)?.blocks ?? []);
    const code = shown.flatMap((block) => (block.type === 'code' ? [block.text] : []));
    expect(code.join('\n')).toBe(text);
  });

  it.each([
    ['d:abc:deny', undefined, 'Press the button again, or Deny to deny without a reason.'],
    ['c:sh', 'npm test', 'Try again, or send it yourself: sh npm test'],
    ['c:sh', 'x'.repeat(201), 'Try again, or send it yourself: sh <command>'],
    ['c:sh', 'one\ntwo', 'Try again, or send it yourself: sh <command>'],
    ['c:sh', undefined, 'Try again, or send it yourself: sh <command>'],
  ])('a form that comes too late (%s) is answered with what to do instead', async (token, initial, instead) => {
    await start({ fault: once('form', { kind: 'gone', detail: 'expired_trigger_id' }) });
    const field = { type: 'text' as const, id: 'command', label: 'Text', multiline: true, required: true };
    const form = { token, title: 'A form', submit: 'Go', fields: [initial === undefined ? field : { ...field, initial }] };
    await world.put({
      key: 'f',
      target: { type: 'conversation', conversation: general },
      payload: { type: 'form', trigger: 't', form, user: ada, expiresAt: new Date(Date.now() + 3000).toISOString() },
      priority: 2,
    });
    await eventually(() =>
      expect(platform.ephemerals.map(({ view }) => view.fallback)).toEqual([`The form could not be opened in time. ${instead}`]),
    );
    expect(platform.forms).toEqual([]);
  });

  it('an ephemeral answer to somebody outside the channel goes to their direct conversation', async () => {
    await start({ fault: once('ephemeral', { kind: 'not_permitted', detail: 'user_not_in_channel' }) });
    await world.put({
      key: 'e',
      target: { type: 'conversation', conversation: general },
      payload: { type: 'ephemeral', user: ada, view: words('only you') },
      priority: 2,
    });
    await sent('e');
    expect(platform.shown('D-UADA').map((one) => platform.text(one))).toEqual(['only you']);
  });

  it('a secret is opened for the one message that shows it, and is kept nowhere afterwards, shown or not', async () => {
    const blocks: View['blocks'] = [{ type: 'code', text: `token: ${secretPlace}` }];
    const secretFor = (key: string) => ({
      key,
      target: { type: 'conversation' as const, conversation: general },
      payload: { type: 'ephemeral' as const, user: ada, view: { fallback: 'a token', blocks, secret: `sealed ${key}` } },
      priority: priorities.reply,
    });
    await start({}, { openSecret: (sealed) => sealed.replace('sealed', 'opened') });
    await world.put(secretFor('shown'));
    await sent('shown');
    expect(platform.ephemerals.map(({ view }) => view)).toEqual([
      { fallback: 'a token', blocks: [{ type: 'code', text: 'token: opened shown' }] },
    ]);
    await Promise.all(senders.splice(0).map((sender) => sender.stop()));
    await start({ fault: () => ({ kind: 'not_permitted', detail: 'no' }) }, { openSecret: (sealed) => sealed });
    await world.put(secretFor('refused'));
    await eventually(async () => expect((await row('refused')).state).toBe('failed'));
    const kept = await world.database.db.outbox.findMany();
    expect(JSON.stringify(kept.map(({ payload }) => payload))).not.toMatch(/sealed|opened/);
  });

  it('promise 4: an ephemeral answer to somebody who cannot be written to is announced where they asked, without what it says', async () => {
    await start({
      fault: (operation, { channel }) =>
        operation === 'ephemeral' || (operation === 'send' && channel !== 'C1')
          ? { kind: 'not_permitted', detail: 'the person has never pressed Start' }
          : undefined,
    });
    const target = { type: 'conversation', conversation: general } as const;
    await world.put({ key: 'e', target, payload: { type: 'ephemeral', user: ada, view: words('only you') }, priority: 2 });
    await eventually(() => expect(platform.shown('C1')).toHaveLength(1));
    const [told] = platform.shown('C1').map((one) => platform.text(one));
    expect(told).toContain('Open a direct conversation with Deckhand');
    expect(told).not.toContain('only you');
    expect((await row('e')).state).toBe('failed');
  });

  it.each([
    ['is deleted', undefined, 'sent'],
    ['is gone already', { kind: 'gone', detail: 'for the test' }, 'sent'],
    ['may not be deleted, and its writer is told once', { kind: 'not_permitted', detail: 'for the test' }, 'failed'],
  ] as const)('a message with a secret %s', async (_, fault, state) => {
    await start(fault === undefined ? {} : { fault: once('remove', fault) });
    const message = { platform: 'slack', tenant: 'T1', channel: 'C1', message: '7.1' } as const;
    await world.put({
      key: 'r',
      target: { type: 'conversation', conversation: general },
      payload: { type: 'removal', message, user: ada, reply: 'handle' },
      priority: priorities.decision,
    });
    await waitFor('the row to end', async () => (await row('r')).state === state);
    expect(platform.removed).toEqual(fault === undefined ? ['7.1'] : []);
    if (state === 'failed') await waitFor('the notice', () => platform.ephemerals.length === 1);
    expect(platform.ephemerals.map(({ user, reply }) => ({ user, reply }))).toEqual(
      state === 'failed' ? [{ user: 'UADA', reply: 'handle' }] : [],
    );
  });

  it('where the platform lets bots delete nothing, the writer of a message with a secret is told', async () => {
    await start({ capabilities: { removes: { channels: false, direct: false } } });
    const message = { platform: 'slack', tenant: 'T1', channel: 'C1', message: '7.1' } as const;
    await world.put({
      key: 'r',
      target: { type: 'conversation', conversation: general },
      payload: { type: 'removal', message, user: ada },
      priority: priorities.decision,
    });
    await waitFor('the notice', () => platform.ephemerals.length === 1);
    expect(JSON.stringify(platform.ephemerals)).toContain('Delete it yourself');
  });

  it('what somebody must know although they cannot be written to is said where they wrote, in words for that', async () => {
    await start({ capabilities: { ephemeral: false }, fault: once('direct', { kind: 'not_permitted', detail: 'for the test' }) });
    await world.put({
      key: 'e',
      target: { type: 'conversation', conversation: general },
      payload: { type: 'ephemeral', user: ada, view: words('for her alone'), aside: 'take the key back.' },
      priority: 2,
    });
    const message = await waitFor('the words', () => platform.shown('C1')[0]);
    expect(platform.text(message)).toMatch(/^.+: take the key back\.$/);
  });

  it('an answer nobody waits for any more expires', async () => {
    platform = new TestPlatform();
    await world.put({
      key: 'e',
      target: { type: 'conversation', conversation: general },
      payload: { type: 'ephemeral', user: ada, view: words('old') },
      priority: 2,
    });
    await world.database.db.outbox.updateMany({ data: { createdAt: new Date(Date.now() - 3_600_000) } });
    await startOn(platform);
    await waitFor('the row to expire', async () => (await row('e')).state === 'expired');
    expect(platform.ephemerals).toEqual([]);
  });
});
