import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type OutboxPut, priorities } from '../../src/contracts/outbox.ts';
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

async function start(options: PlatformOptions = {}): Promise<void> {
  platform = new TestPlatform(options);
  const sender = startSender(world, platform);
  senders.push(sender);
  await sender.start();
}

async function put(thread: string, key: string, text: string, priority: OutboxPut['priority'] = priorities.card): Promise<void> {
  await world.put({
    key: `${key}:${thread}`,
    target: { type: 'thread', thread, anchor: key === 'live' },
    payload: { type: 'message', view: words(text) },
    priority,
  });
}

async function allSent(): Promise<void> {
  await waitFor(
    'all rows to be sent',
    async () => (await world.database.db.outbox.count({ where: { state: { not: 'sent' } } })) === 0,
  );
}

const threadId = async (thread: string) =>
  (await world.database.db.thread.findUniqueOrThrow({ where: { id: thread } })).externalId;

describe('a platform whose threads have ids and names of their own', () => {
  it('gets number and title of the task with the message that opens the thread, and nothing with the others', async () => {
    await start({ ownThreads: true });
    const { task, thread } = await world.task({ number: 142 });
    await world.database.db.task.update({ where: { id: task }, data: { title: `a very long\ntitle ${'🙂'.repeat(60)}` } });
    await put(thread, 'live', 'queued');
    await put(thread, 'decision', 'may I?', priorities.decision);
    await allSent();
    const [root] = platform.shown('C1');
    const title = root?.started?.title ?? '';
    expect(title).toMatch(/^#142 a very long ⏎ title 🙂+…$/u);
    expect(title.length).toBeLessThanOrEqual(100);
    expect(await threadId(thread)).toBe(root?.started?.thread);
    const inside = platform.shown('C1', root?.started?.thread);
    expect(inside.map((one) => [platform.text(one), one.started])).toEqual([['may I?', undefined]]);
  });

  it('has the message that opened the thread edited where it is, not in the thread', async () => {
    await start({ ownThreads: true });
    const { thread } = await world.task();
    await put(thread, 'live', 'queued');
    await allSent();
    await put(thread, 'live', 'done');
    await allSent();
    expect(platform.shown('C1').map((one) => platform.text(one))).toEqual(['done']);
    expect(platform.messages).toHaveLength(1);
    expect(platform.calls.map(({ operation }) => operation)).toEqual(['send', 'edit']);
  });

  it('promise 6: a send whose answer is lost gets its thread when it is found again', async () => {
    let lost = 0;
    await start({
      ownThreads: true,
      fault: (operation) => {
        if (operation !== 'send' || lost > 0) return undefined;
        lost += 1;
        return { kind: 'unknown', detail: 'the connection broke before the thread was made' };
      },
    });
    // The message arrived, what makes a thread of it did not.
    const { thread } = await world.task({ number: 7 });
    await put(thread, 'live', 'queued');
    const row = await waitFor('the row', () => world.database.db.outbox.findFirst({ where: { threadId: thread } }));
    platform.messages.push({
      id: '1.5',
      channel: 'C1',
      thread: undefined,
      started: undefined,
      key: row.id,
      views: [words('queued')],
      deleted: false,
      at: performance.now(),
    });
    await put(thread, 'end', 'the end', priorities.final);
    await allSent();
    expect(await threadId(thread)).toBe('t-1.5');
    expect(platform.messages.map((one) => [one.thread, platform.text(one), one.started?.title])).toEqual([
      [undefined, 'queued', '#7 npm test'],
      ['t-1.5', 'the end', undefined],
    ]);
  });
});

describe('a platform where a message is its own thread', () => {
  it('opens the thread under the id of the message', async () => {
    await start();
    const { thread } = await world.task();
    await put(thread, 'live', 'queued');
    await put(thread, 'end', 'the end', priorities.final);
    await allSent();
    const [root] = platform.shown('C1');
    await eventually(async () => expect(await threadId(thread)).toBe(root?.id));
    expect(platform.shown('C1', root?.id).map((one) => platform.text(one))).toEqual(['the end']);
  });
});
