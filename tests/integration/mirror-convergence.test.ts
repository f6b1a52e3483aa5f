import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { InboxWorker } from '../../src/commands/inbox-worker.ts';
import type { InboundEvent } from '../../src/contracts/inbound.ts';
import { outboxPayloadSchema } from '../../src/contracts/outbox.ts';
import { encodePress } from '../../src/contracts/press.ts';
import type { View } from '../../src/contracts/view.ts';
import { plainText } from '../../src/delivery/plain-text.ts';
import { storeInbound } from '../../src/store/inbox.ts';
import { silent, startProjector, startSender } from '../support/delivery-world.ts';
import { command, type MirrorWorld, openMirrorWorld, type Place, say } from '../support/mirror-world.ts';
import { eventually, waitFor } from '../support/wait-for.ts';

let world: MirrorWorld;
beforeAll(async () => {
  world = await openMirrorWorld();
  for (const id of ['ONE', 'TWO']) await world.channel('discord', id, { project: world.desk.demo.id });
});
afterAll(() => world[Symbol.asyncDispose]());

async function start() {
  await world.desk.act(say('ben', 'sh touch x', { chat: 'slack', channel: 'CDEMO' }));
  return await world.desk.database.db.task.findFirstOrThrow({ orderBy: { number: 'desc' } });
}

const newestRun = (task: string) =>
  world.desk.database.db.run.findFirstOrThrow({ where: { taskId: task }, orderBy: { attempt: 'desc' } });
const text = (view: View) => view.blocks.map(plainText).join('\n');
const hasButtons = (view: View) => view.blocks.some(({ type }) => type === 'buttons');

/** What every thread shows of a task, by the name of the message. */
async function shown(task: string) {
  const { db } = world.desk.database;
  const threads = await db.thread.findMany({ where: { taskId: task }, orderBy: { id: 'asc' } });
  const rows = await db.outbox.findMany({ where: { threadId: { in: threads.map(({ id }) => id) } }, orderBy: { id: 'asc' } });
  return threads.map(({ id }) => {
    const own = rows.filter(({ threadId, key }) => threadId === id && /^(live|end|decision|remind):/.test(key));
    return new Map(
      own.map(({ key, payload }) => {
        const parsed = outboxPayloadSchema.parse(payload);
        if (parsed.type !== 'message') throw new Error(`no message: ${key}`);
        return [key.slice(0, -id.length - 1), parsed.view];
      }),
    );
  });
}

const mirrors: readonly Place[] = [
  { chat: 'discord', channel: 'ONE' },
  { chat: 'discord', channel: 'TWO' },
  { chat: 'telegram' },
];
type Step =
  | { do: 'mirror' | 'off'; at: number }
  | { do: 'approve' | 'deny'; at: number }
  | { do: 'stop' | 'retry'; at: number }
  | { do: 'work' }
  | { do: 'finish' };

async function take(step: Step, task: { id: string; number: number }): Promise<void> {
  const { db } = world.desk.database;
  const run = await newestRun(task.id);
  const act = (event: InboundEvent) => world.desk.act(event);
  if (step.do === 'work') {
    if (run.state === 'queued') await world.execute(run.id);
    else if (run.state === 'executing') await world.output(run.id, `line ${run.lastSeq}\n`);
    return;
  }
  if (step.do === 'finish') {
    if (run.state === 'executing') await world.finish(run.id);
    return;
  }
  const place = mirrors[step.at] ?? { chat: 'slack', channel: 'CDEMO' };
  if (step.do === 'mirror') await act(command('ada', `mirror #${task.number} here`, place));
  else if (step.do === 'off') await act(command('ada', `mirror #${task.number} off`, place));
  else if (step.do === 'approve' || step.do === 'deny') {
    const pending = await db.interaction.findFirst({ where: { taskId: task.id, state: 'pending' } });
    if (pending === null) return;
    const token = encodePress({ kind: 'decide', secret: pending.secret, verb: step.do });
    await act({ ...command('ada', '', place), type: 'press', token, values: [] });
  } else await act(command('ada', `${step.do} #${task.number}`, place));
}

/** Ends the newest run, whatever it does. */
async function end(task: { id: string; number: number }): Promise<void> {
  const run = await newestRun(task.id);
  if (run.state === 'executing') await world.finish(run.id);
  else await world.desk.act(command('ada', `stop #${task.number}`, { chat: 'slack', channel: 'CDEMO' }));
}

const at = fc.integer({ min: 0, max: mirrors.length });
const mirrored = fc.integer({ min: 0, max: mirrors.length - 1 });
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 4, arbitrary: fc.record({ do: fc.constant('mirror' as const), at: mirrored }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('off' as const), at: mirrored }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constantFrom('approve' as const, 'deny' as const), at }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constantFrom('stop' as const, 'retry' as const), at }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('work' as const) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('finish' as const) }) },
);

const change: fc.Arbitrary<Step> = fc.record({ do: fc.constantFrom('mirror' as const, 'off' as const), at: mirrored });

describe('promise 5: mirrors', () => {
  it('all show the same in the end, whatever happened in whatever order, and what has ended asks for nothing', async () => {
    const projector = startProjector({ database: world.desk.database, wakeups: world.wakeups });
    await projector.start();
    try {
      await fc.assert(
        // Each step comes at the same time as somebody makes or ends a mirror.
        fc.asyncProperty(fc.array(fc.tuple(step, fc.option(change, { nil: undefined })), { maxLength: 8 }), async (steps) => {
          const task = await start();
          for (const [one, beside] of steps) {
            await Promise.all([take(one, task), ...(beside === undefined ? [] : [take(beside, task)])]);
          }
          await end(task);
          const run = (await newestRun(task.id)).id;
          await eventually(async () =>
            expect(await newestRun(task.id)).toMatchObject({ projectedSeq: (await newestRun(task.id)).lastSeq }),
          );
          const [origin, ...others] = await shown(task.id);
          expect(origin?.has(`end:${run}`)).toBe(true);
          for (const mirror of others) {
            expect(mirror.has(`end:${run}`)).toBe(true);
            for (const [name, view] of mirror) {
              const own = origin?.get(name);
              expect([name, text(view)]).toEqual([name, own === undefined ? 'nothing' : text(own)]);
            }
            for (const [name, view] of mirror) if (hasButtons(view)) expect(name).toBe(`end:${run}`);
          }
          expect(await leftWithButtons(task.id)).toEqual([]);
        }),
        { numRuns: 6, endOnFailure: true },
      );
    } finally {
      await projector.stop();
    }
  }, 60_000);
});

/** Messages of mirrors that have ended which can still be pressed. */
async function leftWithButtons(task: string): Promise<string[]> {
  const { db } = world.desk.database;
  const ended = await db.audit.findMany({ where: { action: 'task.mirror_ended', data: { path: ['task'], equals: task } } });
  const rows = await db.outbox.findMany({ where: { OR: ended.map(({ subject }) => ({ key: { endsWith: `:${subject}` } })) } });
  return ended.length === 0
    ? []
    : rows.flatMap(({ key, payload }) => {
        const parsed = outboxPayloadSchema.parse(payload);
        return parsed.type === 'message' && hasButtons(parsed.view) ? [key] : [];
      });
}

describe('promise 2: a request for a mirror', () => {
  it('that is delivered twice, and handled again after a crash, makes one thread with one set of cards', async () => {
    const { database } = world.desk;
    const task = await start();
    const event = command('ada', `mirror #${task.number} here`, { chat: 'discord', channel: 'ONE' });
    expect(await storeInbound(database, [event])).toEqual({ stored: 1, duplicate: 0 });
    expect(await storeInbound(database, [event])).toEqual({ stored: 0, duplicate: 1 });
    let crashes = 2;
    const worker = new InboxWorker({
      database,
      wakeups: world.wakeups,
      now: () => new Date(),
      log: silent,
      concurrency: 2,
      async handle(tx, one) {
        await world.desk.bus.handle(tx, one);
        crashes -= 1;
        if (crashes >= 0) throw new Error('the process dies before the commit');
      },
      refuse: (tx, one, error) => world.desk.bus.refuse(tx, one, error),
    });
    worker.start();
    await waitFor('the event to be handled', async () => (await database.db.inbox.count({ where: { state: 'done' } })) === 1);
    await worker.stop();
    const threads = await database.db.thread.findMany({ where: { taskId: task.id }, orderBy: { id: 'asc' } });
    expect(threads).toHaveLength(2);
    const keys = await database.db.outbox.findMany({ where: { threadId: threads[1]?.id ?? '' }, select: { key: true } });
    expect(keys.map(({ key }) => key.split(':')[0]).sort()).toEqual(['decision', 'live']);
    expect(await database.db.audit.count({ where: { action: 'task.mirrored', subject: threads[1]?.id ?? '' } })).toBe(1);
  });
});

describe('promise 6: the first cards of a mirror', () => {
  it.each([
    ['send', 'before', 1],
    ['send', 'after', 1],
    ['write', 'after', 2],
    ['transaction', 'before', 1],
  ] as const)('arrive once when the sender is killed at a %s, %s it, number %i', async (step, when, nth) => {
    const { database } = world.desk;
    const task = await start();
    const deckhand = { database, wakeups: world.wakeups };
    const platforms = Object.values(world.platforms);
    const projector = startProjector(deckhand);
    await projector.start();
    const before = startSender(deckhand, platforms);
    await before.start();
    await world.settled();
    await before.stop();
    world.clear();
    const killed = Promise.withResolvers<void>();
    let seen = 0;
    const first = startSender(deckhand, platforms, {
      onStep: (name, at) => {
        if (name !== step || at !== when) return;
        seen += 1;
        if (seen === nth) killed.resolve(first.kill());
      },
    });
    await world.desk.act(command('ada', `mirror #${task.number} here`, { chat: 'discord', channel: 'TWO' }));
    await first.start();
    await killed.promise;
    const second = startSender(deckhand, platforms);
    await second.start();
    await world.settled();
    const said = world.platforms.discord.messages.filter(({ channel }) => channel === 'TWO');
    const [card, asked] = said;
    expect(said.map((message) => world.platforms.discord.text(message))).toEqual([
      expect.stringContaining(`#${task.number} touch x`),
      expect.stringContaining('wants to run a command'),
    ]);
    expect([card?.thread, asked?.thread]).toEqual([undefined, card?.started?.thread]);
    await Promise.all([second.stop(), projector.stop()]);
  });
});
