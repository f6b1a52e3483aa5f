import { afterEach, beforeEach, expect, it } from 'vitest';
import { createCatchUp } from '../../src/catch-up.ts';
import type { Missed } from '../../src/contracts/chat-adapter.ts';
import { systemClock } from '../../src/runtime/clock.ts';
import { createLogger } from '../../src/runtime/logger.ts';
import { storeInbound } from '../../src/store/inbox.ts';
import { TestPlatform } from '../support/chat-platform.ts';
import { mention, openDesk, slash } from '../support/desk.ts';
import { eventually } from '../support/wait-for.ts';

let desk: Awaited<ReturnType<typeof openDesk>>;
const cleanUp: (() => Promise<void>)[] = [];
beforeEach(async () => {
  desk = await openDesk();
});
afterEach(async () => {
  for (const act of cleanUp.splice(0)) await act();
  await desk[Symbol.asyncDispose]();
});

/** A platform that answers the first `failures` questions with an error. `answering`: while it answers the first one. */
async function start({ failures = 0, answering }: { failures?: number; answering?(): Promise<void> } = {}) {
  const asked: (readonly Missed[])[] = [];
  const adapter = {
    ...new TestPlatform().adapter(),
    async backfill(missed: readonly Missed[]) {
      asked.push(missed);
      if (asked.length <= failures) throw new Error('not now');
      if (asked.length === 1) await answering?.();
    },
  };
  const catchUp = createCatchUp({
    database: desk.database,
    adapters: () => [adapter],
    clock: systemClock,
    logger: createLogger({ level: 'silent' }),
  });
  await catchUp.part.start();
  cleanUp.push(() => catchUp.part.stop());
  return { asked, gap: (from?: Date) => catchUp.gap('slack', from), stop: () => catchUp.part.stop() };
}

it('promise 1: after a gap the bound channels, direct conversations and threads of tasks are asked for, from the last event on', async () => {
  await desk.act(slash('ben', 'sh npm test'));
  await desk.act(mention('ada', 'tasks', { direct: true }));
  await desk.act(slash('ada', 'tasks', { channel: 'CUNBOUND' }));
  await desk.database.db.thread.updateMany({ data: { externalId: '5.000' } });
  await storeInbound(desk.database, [mention('ben', 'tasks')]);
  const { receivedAt } = await desk.database.db.inbox.findFirstOrThrow({ orderBy: { id: 'desc' } });
  const { asked, gap } = await start();
  gap();
  await eventually(() => expect(asked).toHaveLength(1));
  const since = receivedAt.toISOString();
  const at = { platform: 'slack', tenant: 'T1' };
  expect(asked[0]).toHaveLength(3);
  expect(asked[0]).toEqual(
    expect.arrayContaining([
      { conversation: { ...at, channel: 'CDEMO', kind: 'channel' }, since },
      { conversation: { ...at, channel: 'DUADA', kind: 'direct' }, since },
      { conversation: { ...at, channel: 'CDEMO', thread: '5.000', kind: 'channel' }, since },
    ]),
  );
});

it('what cannot be asked for is asked for again, with the time of the gap, and nothing is waited for any more then', async () => {
  await storeInbound(desk.database, [mention('ben', 'tasks')]);
  const { asked, gap } = await start({ failures: 2 });
  const { kept, over } = gap();
  await kept;
  await eventually(() => expect(asked).toHaveLength(1));
  // It counts as heard: what came before it may still be missing.
  await storeInbound(desk.database, [mention('ben', 'tasks')]);
  await over;
  expect(asked).toHaveLength(3);
  expect(asked[2]).toEqual(asked[0]);
});

it('promise 1: a gap that a process has not looked into when it ends is looked into by the next one, from its own beginning on', async () => {
  await storeInbound(desk.database, [mention('ben', 'tasks')]);
  const first = await start({ failures: Number.POSITIVE_INFINITY });
  await first.gap().kept;
  await eventually(() => expect(first.asked.length).toBeGreaterThan(0));
  await first.stop();
  await storeInbound(desk.database, [mention('ben', 'tasks')]);
  const second = await start();
  await second.gap().over;
  expect(second.asked).toEqual([first.asked[0]]);
  await storeInbound(desk.database, [mention('ben', 'tasks')]);
  await second.gap().over;
  expect(second.asked[1]).not.toEqual(second.asked[0]);
});

it('promise 1: acts that come over other ways than messages do not end a gap, one that is known to be longer is looked into from then on', async () => {
  await storeInbound(desk.database, [mention('ben', 'tasks')]);
  const { receivedAt } = await desk.database.db.inbox.findFirstOrThrow();
  await storeInbound(desk.database, [slash('ben', 'tasks')]);
  const { asked, gap } = await start();
  await gap().over;
  expect(asked[0]?.[0]?.since).toBe(receivedAt.toISOString());
  await storeInbound(desk.database, [mention('ben', 'tasks')]);
  await gap(new Date(receivedAt.getTime() + 1)).over;
  expect(asked[1]?.[0]?.since).toBe(receivedAt.toISOString());
});

it('promise 1: a gap of the very millisecond in which the first message came is looked into', async () => {
  await storeInbound(desk.database, [mention('ben', 'tasks')]);
  const { receivedAt } = await desk.database.db.inbox.findFirstOrThrow();
  const { asked, gap } = await start();
  await gap(receivedAt).over;
  expect(asked[0]?.[0]?.since).toBe(receivedAt.toISOString());
});

it('promise 1: a gap that is told while another one is looked into is looked into after it', async () => {
  await storeInbound(desk.database, [mention('ben', 'tasks')]);
  const { promise: answered, resolve: answer } = Promise.withResolvers<void>();
  const { asked, gap } = await start({ answering: () => answered });
  const first = gap();
  await eventually(() => expect(asked).toHaveLength(1));
  await storeInbound(desk.database, [mention('ben', 'tasks')]);
  const second = gap();
  await second.kept;
  answer();
  await first.over;
  await second.over;
  expect(asked).toHaveLength(2);
  expect(asked[1]).toEqual(asked[0]);
});

it('what is older than a day is left alone, and nothing is asked for when nothing was ever heard', async () => {
  const { asked, gap } = await start();
  await gap().over;
  expect(asked).toEqual([]);
  await storeInbound(desk.database, [mention('ben', 'tasks')]);
  await desk.database.db.inbox.updateMany({ data: { receivedAt: new Date(Date.now() - 3 * 86_400_000) } });
  await gap().over;
  const age = Date.now() - Date.parse(asked[0]?.[0]?.since ?? '');
  expect(age).toBeGreaterThan(86_300_000);
  expect(age).toBeLessThan(86_500_000);
});
