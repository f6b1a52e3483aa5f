import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { ChatAdapter } from '../../src/contracts/chat-adapter.ts';
import { type OutboxPut, type Priority, priorities } from '../../src/contracts/outbox.ts';
import { TestPlatform } from '../support/chat-platform.ts';
import { createWorld, startSender, type TestSender, type World, words } from '../support/delivery-world.ts';
import { endSessions } from '../support/query.ts';
import { waitFor } from '../support/wait-for.ts';

let world: World;
const senders: TestSender[] = [];

beforeEach(async () => {
  world = await createWorld();
});

afterEach(async () => {
  vi.restoreAllMocks();
  await Promise.all(senders.splice(0).map((sender) => sender.stop()));
  await world.close();
});

async function startOn(on: TestPlatform, sending: Parameters<typeof startSender>[2] = {}): Promise<TestSender> {
  const sender = startSender(world, on, { lookUpAfterMs: 50, ...sending });
  senders.push(sender);
  await sender.start();
  return sender;
}

function message(key: string, text: string, priority: Priority = priorities.reply): Omit<OutboxPut, 'workspace'> {
  return {
    key,
    target: { type: 'conversation', conversation: { platform: 'slack', tenant: 'T1', channel: 'C1', kind: 'channel' } },
    payload: { type: 'message', view: words(text) },
    priority,
  };
}

async function row(key: string) {
  return await world.database.db.outbox.findUniqueOrThrow({ where: { workspaceId_key: { workspaceId: world.workspace, key } } });
}

async function settled(key: string, state = 'sent') {
  return await waitFor(`${key} to be ${state}`, async () => {
    const found = await row(key);
    return found.state === state && found;
  });
}

/** A sender whose first call of `operation` stops there, as in a process that is paused, until it is thawed. */
async function startPaused(platform: TestPlatform, operation: 'send' | 'edit', at: 'before' | 'after') {
  const reached = Promise.withResolvers<void>();
  const thawed = Promise.withResolvers<void>();
  let first = true;
  async function paused<T>(call: () => Promise<T>): Promise<T> {
    if (!first) return await call();
    first = false;
    const answer = at === 'after' ? call() : undefined;
    await answer;
    reached.resolve();
    await thawed.promise;
    return await (answer ?? call());
  }
  const told: unknown[] = [];
  const sender = await startOn(platform, {
    onSent: (one) => told.push(one),
    through: (adapter): ChatAdapter => ({
      ...adapter,
      send: (...args) => (operation === 'send' ? paused(() => adapter.send(...args)) : adapter.send(...args)),
      edit: (...args) => (operation === 'edit' ? paused(() => adapter.edit(...args)) : adapter.edit(...args)),
    }),
  });
  return {
    reached: reached.promise,
    thaw: () => thawed.resolve(),
    /** Resolves when nothing of it is under way any more. */
    async thawAndStop() {
      thawed.resolve();
      await sender.stop();
    },
    told,
  };
}

const said = (platform: TestPlatform) => platform.messages.map((one) => platform.text(one));
const term = async () => (await world.database.db.leaseTerm.findUniqueOrThrow({ where: { name: 'sender' } })).term;

describe('a sender that was paused, when another has taken over', () => {
  it('promise 6: stores nothing over what that one has stored, after a send', async () => {
    const platform = new TestPlatform();
    const paused = await startPaused(platform, 'send', 'after');
    await world.put(message('k', 'one'));
    await paused.reached;
    await endSessions(world.database.url, 'deckhand-sender');
    await startOn(platform);
    await world.put(message('k', 'two'));
    const before = await settled('k');
    expect(said(platform)).toEqual(['two']);
    await paused.thawAndStop();
    expect(await row('k')).toEqual(before);
    expect(said(platform)).toEqual(['two']);
    expect(paused.told).toEqual([]);
  });

  it('promise 5: an edit that comes late is edited again to what is newest', async () => {
    const platform = new TestPlatform();
    const paused = await startPaused(platform, 'edit', 'before');
    await world.put(message('k', 'one'));
    await settled('k');
    await world.put(message('k', 'two'));
    await paused.reached;
    await endSessions(world.database.url, 'deckhand-sender');
    await startOn(platform);
    await world.put(message('k', 'three'));
    await waitFor('the newest to be shown', async () => (await row('k')).sentVersion === 3);
    expect(said(platform)).toEqual(['three']);
    paused.thaw();
    await waitFor('what came late to be edited', async () => (await row('k')).sentVersion === 4);
    expect(platform.messages[0]?.views.map(({ fallback }) => fallback)).toEqual(['one', 'three', 'two', 'three']);
    expect(await settled('k')).toMatchObject({ shownAnew: 4, version: 4 });
  });

  it.each([
    ['an answer is unknown, and stays so when its call turns out to have been done', priorities.reply, 'unknown', ['one']],
    ['a final message is rather sent twice than never', priorities.final, 'sent', ['one', 'one']],
  ] as const)('promise 6: where nothing can be looked up, %s', async (_, priority, state, shown) => {
    const platform = new TestPlatform({ capabilities: { findsSent: false } });
    const paused = await startPaused(platform, 'send', 'after');
    await world.put(message('k', 'one', priority));
    await paused.reached;
    await endSessions(world.database.url, 'deckhand-sender');
    await startOn(platform);
    const before = await settled('k', state);
    await paused.thawAndStop();
    expect(await row('k')).toEqual(before);
    expect(said(platform)).toEqual(shown);
  });

  it('takes no row by a right that has gone to another', async () => {
    const platform = new TestPlatform();
    await startOn(platform);
    await world.put(message('one', 'one'));
    await settled('one');
    const held = await term();
    // Another has held the lease since, though nobody has told this one.
    await world.database.db.leaseTerm.update({ where: { name: 'sender' }, data: { term: { increment: 1 } } });
    await world.put(message('two', 'two'));
    await settled('two');
    expect(await term()).toBe(held + 2);
    expect(said(platform)).toEqual(['one', 'two']);
    expect(await row('two')).toMatchObject({ claims: 1 });
  });

  it('makes no call by a right that was not confirmed while it was paused', async () => {
    const platform = new TestPlatform();
    let written = 0;
    const terms: number[] = [];
    await startOn(platform, {
      onStep(step, when) {
        // An hour has passed since the row was claimed.
        if (step !== 'write' || when !== 'after' || ++written > 1) return;
        const late = Date.now() + 3_600_000;
        vi.spyOn(Date, 'now').mockReturnValue(late);
      },
      through: (adapter) => ({
        ...adapter,
        send: async (...args) => {
          terms.push(await term());
          return await adapter.send(...args);
        },
      }),
    });
    await world.put(message('k', 'one'));
    await waitFor('the row to be put back', async () => (await row('k')).lastError === 'the sender stops');
    vi.restoreAllMocks();
    await settled('k');
    expect(terms).toEqual([2]);
    expect(said(platform)).toEqual(['one']);
  });
});
