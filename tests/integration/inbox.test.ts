import { randomBytes } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { InboxWorker } from '../../src/commands/inbox-worker.ts';
import { AppError } from '../../src/contracts/errors.ts';
import type { InboundEvent } from '../../src/contracts/inbound.ts';
import { createDatabase, type Database, type Tx } from '../../src/store/database.ts';
import { forgetInbox } from '../../src/store/forget-inbox.ts';
import { createInboundDoor } from '../../src/store/inbound-door.ts';
import { forgottenSecret, storeInbound } from '../../src/store/inbox.ts';
import { createWakeups, type Wakeups } from '../../src/store/wakeups.ts';
import { createTestDatabase, type TestDatabase } from '../support/postgres.ts';
import { eventually } from '../support/wait-for.ts';

let testDatabase: TestDatabase;
let database: Database;
let wakeups: Wakeups;
const workers: InboxWorker[] = [];

beforeEach(async () => {
  testDatabase = await createTestDatabase();
  database = createDatabase({ url: testDatabase.url, connections: 8, onEffectError: (error) => expect.fail(String(error)) });
  wakeups = createWakeups({ url: testDatabase.url, onError: () => undefined });
  await wakeups.start();
});

afterEach(async () => {
  await Promise.all(workers.splice(0).map((worker) => worker.stop()));
  await wakeups.stop();
  await database.close();
  await testDatabase.close();
});

function command(key: string, text: string, channel = 'C1'): InboundEvent {
  return {
    type: 'command',
    key,
    at: new Date().toISOString(),
    conversation: { platform: 'slack', tenant: 'T1', channel, kind: 'channel' },
    actor: { user: 'U1', bot: false },
    text,
  };
}

function startWorker(
  handle: (tx: Tx, event: InboundEvent) => Promise<void>,
  refusals: AppError[] = [],
  concurrency = 4,
  arriving?: () => number,
): InboxWorker {
  const worker = new InboxWorker({
    database,
    wakeups,
    now: () => new Date(),
    log: { error: () => undefined, warn: () => undefined },
    handle,
    refuse: async (_tx, _event, error) => void refusals.push(error),
    concurrency,
    arriving,
  });
  workers.push(worker);
  worker.start();
  return worker;
}

function textOf(event: InboundEvent): string {
  return event.type === 'command' ? event.text : '';
}

describe('the inbox', () => {
  it('promise 1: an event is a row when storing has returned', async () => {
    expect(await storeInbound(database, [command('k1', 'help')])).toEqual({ stored: 1, duplicate: 0 });
    const rows = await database.db.inbox.findMany();
    expect(rows).toMatchObject([{ key: 'k1', lane: 'slack:T1:C1', state: 'pending' }]);
  });

  it('promise 1: characters that PostgreSQL cannot store do not lose an event', async () => {
    expect(await storeInbound(database, [command('k1', 'sh echo \0 and \ud800')])).toEqual({ stored: 1, duplicate: 0 });
    const row = await database.db.inbox.findFirstOrThrow();
    expect(row.event).toMatchObject({ text: 'sh echo \ufffd and \ufffd' });
  });

  it('promise 2: a redelivered event is stored once, also when many come at the same time', async () => {
    const results = await Promise.all(Array.from({ length: 20 }, () => storeInbound(database, [command('same', 'sh ls')])));
    expect(results.filter(({ stored }) => stored === 1)).toHaveLength(1);
    expect(results.filter(({ duplicate }) => duplicate === 1)).toHaveLength(19);
    const handled: string[] = [];
    startWorker(async (_tx, event) => void handled.push(event.key));
    await eventually(async () => expect(await database.db.inbox.count({ where: { state: 'done' } })).toBe(1));
    await storeInbound(database, [command('same', 'sh ls'), command('other', 'sh ls')]);
    await eventually(() => expect(handled).toEqual(['same', 'other']));
  });

  it('promise 2: two workers on one inbox handle every event once', async () => {
    const handled: string[] = [];
    const handle = async (tx: Tx, event: InboundEvent) => {
      await tx.db.meta.create({ data: { key: event.key, value: '' } });
      handled.push(event.key);
    };
    startWorker(handle);
    startWorker(handle);
    const events = Array.from({ length: 60 }, (_, n) => command(`k${n}`, 'x', `C${n % 6}`));
    await Promise.all(events.map((event) => storeInbound(database, [event])));
    await eventually(async () => expect(await database.db.inbox.count({ where: { state: 'done' } })).toBe(60));
    expect(handled).toHaveLength(60);
    expect(await database.db.meta.count()).toBe(60);
  });

  it('promise 3: events of a conversation are handled in order, with two workers', async () => {
    const handled: Record<string, string[]> = {};
    const handle = async (_tx: Tx, event: InboundEvent) => {
      const lane = event.conversation.channel;
      handled[lane] = [...(handled[lane] ?? []), textOf(event)];
    };
    for (let n = 0; n < 30; n += 1)
      await storeInbound(database, [command(`a${n}`, `${n}`, 'CA'), command(`b${n}`, `${n}`, 'CB')]);
    startWorker(handle);
    startWorker(handle);
    await eventually(async () => expect(await database.db.inbox.count({ where: { state: 'done' } })).toBe(60));
    const inOrder = Array.from({ length: 30 }, (_, n) => `${n}`);
    expect(handled).toEqual({ CA: inOrder, CB: inOrder });
  });

  it('promise 3: a slow conversation does not delay another', async () => {
    const handled: string[] = [];
    const slow = Promise.withResolvers<void>();
    startWorker(async (_tx, event) => {
      if (event.conversation.channel === 'slow') await slow.promise;
      handled.push(event.key);
    });
    await storeInbound(database, [command('s1', 'x', 'slow'), command('s2', 'x', 'slow'), command('q1', 'x', 'quick')]);
    await eventually(() => expect(handled).toEqual(['q1']));
    await storeInbound(database, [command('q2', 'x', 'quick')]);
    await eventually(() => expect(handled).toEqual(['q1', 'q2']));
    slow.resolve();
    await eventually(() => expect(handled).toEqual(['q1', 'q2', 's1', 's2']));
  });

  it('goes on with waiting lanes when more of them are due than may be worked on', async () => {
    const handled: string[] = [];
    startWorker(async (_tx, event) => void handled.push(event.key), [], 1);
    await storeInbound(
      database,
      Array.from({ length: 25 }, (_, n) => command(`k${n}`, 'x', `C${n}`)),
    );
    await eventually(() => expect(handled).toHaveLength(25));
  });

  it('works on two lanes while more arrives than it can work on, and on more when that is stored', async () => {
    const handled: string[] = [];
    const gates = Array.from({ length: 4 }, () => Promise.withResolvers<void>());
    const begun = new Set<string>();
    let arriving = 100;
    startWorker(
      async (_tx, event) => {
        begun.add(event.key);
        await gates[Number(event.key)]?.promise;
        handled.push(event.key);
      },
      [],
      4,
      () => arriving,
    );
    await storeInbound(
      database,
      Array.from({ length: 4 }, (_, n) => command(`${n}`, 'x', `C${n}`)),
    );
    await eventually(() => expect(begun.size).toBe(2));
    const [first, second] = [...begun];
    arriving = 0;
    gates[Number(first)]?.resolve();
    await eventually(() => expect(begun.size).toBe(4));
    expect(handled).toEqual([first]);
    for (const gate of gates) gate.resolve();
    await eventually(() => expect(handled).toHaveLength(4));
    expect(handled).toContain(second);
  });

  it('promise 4: a refused event changes nothing and is answered', async () => {
    const refusals: AppError[] = [];
    startWorker(async (tx) => {
      await tx.db.meta.create({ data: { key: 'half', value: 'done' } });
      throw new AppError('DH-200', { command: 'halp', suggestion: 'Try `help`.' });
    }, refusals);
    await storeInbound(database, [command('k1', 'halp')]);
    await eventually(() => expect(refusals.map(({ code }) => code)).toEqual(['DH-200']));
    await eventually(async () => expect(await database.db.inbox.count({ where: { state: 'done' } })).toBe(1));
    expect(await database.db.meta.count()).toBe(0);
  });

  it('promise 4: an event that fails inside Deckhand is tried again', async () => {
    let tries = 0;
    startWorker(async (tx) => {
      tries += 1;
      await tx.db.meta.create({ data: { key: `try ${tries}`, value: '' } });
      if (tries === 1) throw new Error('a defect that passes');
    });
    await storeInbound(database, [command('k1', 'sh ls')]);
    await eventually(async () => expect(await database.db.inbox.findFirst()).toMatchObject({ state: 'done', attempts: 1 }));
    expect(await database.db.meta.findMany()).toMatchObject([{ key: 'try 2' }]);
  });

  it('promise 4: an event is tried again while the database is in trouble, such as a full disk, however often it was tried', async () => {
    let tries = 0;
    await storeInbound(database, [command('k1', 'sh ls')]);
    await database.db.inbox.updateMany({ data: { attempts: 7 } });
    startWorker(async (tx) => {
      tries += 1;
      if (tries === 1) await tx.db.$executeRaw`DO $$ BEGIN RAISE EXCEPTION 'no space' USING ERRCODE = '53100'; END $$`;
    });
    await eventually(async () => expect(await database.db.inbox.findFirst()).toMatchObject({ state: 'pending', attempts: 8 }));
    await database.db.inbox.updateMany({ data: { dueAt: new Date(0) } });
    await eventually(async () => expect(await database.db.inbox.findFirst()).toMatchObject({ state: 'done' }));
  });

  it('promise 4: an event that keeps failing inside Deckhand is answered with a reference', async () => {
    const refusals: AppError[] = [];
    await storeInbound(database, [command('k1', 'sh ls')]);
    await database.db.inbox.updateMany({ data: { attempts: 3 } });
    startWorker(async () => {
      throw new Error('a defect');
    }, refusals);
    await eventually(async () => expect(await database.db.inbox.findFirst()).toMatchObject({ state: 'failed' }));
    expect(refusals).toMatchObject([{ code: 'DH-299', params: { reference: expect.stringMatching(/^in-\d+$/) } }]);
  });

  it('does not let an event that cannot even be answered block its lane', async () => {
    await storeInbound(database, [command('poison', 'x'), command('next', 'x')]);
    await database.db.inbox.updateMany({ where: { key: 'poison' }, data: { attempts: 8 } });
    const handled: string[] = [];
    const worker = new InboxWorker({
      database,
      wakeups,
      now: () => new Date(),
      log: { error: () => undefined, warn: () => undefined },
      handle: async (_tx, event) => {
        if (event.key === 'poison') throw new Error('a defect');
        handled.push(event.key);
      },
      refuse: () => Promise.reject(new Error('another defect')),
      concurrency: 1,
    });
    workers.push(worker);
    worker.start();
    await eventually(() => expect(handled).toEqual(['next']));
    expect(await database.db.inbox.findMany({ orderBy: { id: 'asc' } })).toMatchObject([{ state: 'failed' }, { state: 'done' }]);
  });

  it('promise 8: an event whose worker died half-way is handled again from the start', async () => {
    await storeInbound(database, [command('k1', 'sh ls')]);
    // What a killed process leaves: an open transaction that the server rolls back.
    await expect(
      database.transaction(async (tx) => {
        await tx.db.meta.create({ data: { key: 'k1', value: 'half' } });
        await tx.db.inbox.updateMany({ data: { state: 'done' } });
        throw new Error('killed');
      }),
    ).rejects.toThrow('killed');
    const handled: string[] = [];
    startWorker(async (_tx, event) => void handled.push(event.key));
    await eventually(() => expect(handled).toEqual(['k1']));
  });

  it('finds an event without a wake-up', async () => {
    const handled: string[] = [];
    startWorker(async (_tx, event) => void handled.push(event.key));
    await wakeups.stop();
    await storeInbound(database, [command('k1', 'sh ls')]);
    await eventually(() => expect(handled).toEqual(['k1']), { timeoutMs: 10_000 });
  });
});

describe('the door of the inbox', () => {
  it('promise 1: stores what comes at once in few statements, in the order in which it came', async () => {
    const door = createInboundDoor(database);
    const before = await commits();
    const stored = Array.from({ length: 200 }, (_, n) => door.store([command(`k${n}`, 'x', 'C1')]));
    expect(door.waiting()).toBe(200);
    expect(door.arriving()).toBe(200);
    expect(await Promise.all(stored)).toEqual(stored.map(() => ({ stored: 1, duplicate: 0 })));
    expect(door.waiting()).toBe(0);
    const rows = await database.db.inbox.findMany({ orderBy: { id: 'asc' } });
    expect(rows.map(({ key }) => key)).toEqual(stored.map((_, n) => `k${n}`));
    expect((await commits()) - before).toBeLessThan(50);
    await eventually(() => expect(door.arriving()).toBe(0));
  });

  it('promise 2: of one event that comes to it several times at once, the first is stored', async () => {
    const door = createInboundDoor(database);
    await storeInbound(database, [command('known', 'x')]);
    const results = await Promise.all([
      door.store([command('alone', 'x')]),
      ...Array.from({ length: 5 }, () => door.store([command('same', 'x'), command('known', 'x')])),
    ]);
    const [, first, ...others] = results;
    expect(first).toEqual({ stored: 1, duplicate: 1 });
    expect(others).toEqual(others.map(() => ({ stored: 0, duplicate: 2 })));
    expect(await database.db.inbox.count()).toBe(3);
  });

  it('promise 1: an event that cannot be stored keeps out none of those that came with it', async () => {
    const door = createInboundDoor(database);
    // No index takes a key of that length.
    const tooLong = randomBytes(20_000).toString('hex');
    const results = await Promise.allSettled(['a', 'b', tooLong, 'c'].map((key) => door.store([command(key, 'x')])));
    expect(results.map(({ status }) => status)).toEqual(['fulfilled', 'fulfilled', 'rejected', 'fulfilled']);
    expect((await database.db.inbox.findMany({ orderBy: { id: 'asc' } })).map(({ key }) => key)).toEqual(['a', 'b', 'c']);
    expect(door.waiting()).toBe(0);
  });

  it('promise 1: tells all who wait when the database cannot be reached', async () => {
    const gone = createDatabase({ url: 'postgresql://nobody@127.0.0.1:1/none', connections: 1, onEffectError: () => undefined });
    const door = createInboundDoor(gone);
    const results = await Promise.allSettled(['a', 'b', 'c'].map((key) => door.store([command(key, 'x')])));
    expect(results.map(({ status }) => status)).toEqual(['rejected', 'rejected', 'rejected']);
    expect(door.waiting()).toBe(0);
    await gone.close();
  });
});

/** Inserts into the inbox that have committed leave the number of a transaction on the rows. */
async function commits(): Promise<number> {
  const rows = await database.db.$queryRaw<{ count: bigint }[]>`SELECT count(DISTINCT xmin::text) AS count FROM "Inbox"`;
  return Number(rows[0]?.count);
}

describe('what was handled long ago', () => {
  it('is forgotten, but for the newest of each conversation, what still waits, what failed and what was a secret', async () => {
    const said = (key: string, channel?: string) => command(key, key, channel);
    await storeInbound(database, [
      ...['old', 'secret', 'failed', 'pending', 'recent', 'newest'].map((key) => said(key)),
      said('alone', 'C2'),
    ]);
    const { inbox } = database.db;
    const long = new Date(Date.now() - 91 * 86_400_000);
    const before = new Date(Date.now() - 90 * 86_400_000);
    await inbox.updateMany({ where: { key: { not: 'pending' } }, data: { state: 'done', doneAt: long } });
    await inbox.updateMany({ where: { key: 'failed' }, data: { state: 'failed' } });
    await inbox.updateMany({ where: { key: 'recent' }, data: { doneAt: new Date() } });
    await inbox.updateMany({ where: { key: 'secret' }, data: { event: { ...said('secret'), text: forgottenSecret } } });
    expect(await forgetInbox(database, before, 100)).toBe(1);
    expect((await inbox.findMany({ orderBy: { id: 'asc' } })).map(({ key }) => key)).toEqual([
      'secret',
      'failed',
      'pending',
      'recent',
      'newest',
      'alone',
    ]);
    expect(await forgetInbox(database, before, 100)).toBe(0);
  });
});
