import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { RateBudget } from '../../src/contracts/chat-adapter.ts';
import { type OutboxPut, priorities } from '../../src/contracts/outbox.ts';
import type { RunEventData } from '../../src/contracts/run-event.ts';
import { type Fault, TestPlatform } from '../support/chat-platform.ts';
import { createWorld, startProjector, startSender, type TestSender, type World, words } from '../support/delivery-world.ts';
import { eventually, waitFor } from '../support/wait-for.ts';

let world: World;

beforeEach(async () => {
  world = await createWorld();
});

afterEach(async () => {
  await world.close();
});

/** The published budgets of Slack, twenty times as fast. */
const fastBudgets: RateBudget[] = [
  { operations: ['send'], scope: 'conversation', calls: 3, windowMs: 150 },
  { operations: ['send'], scope: 'tenant', calls: 240, windowMs: 3000 },
  { operations: ['edit'], scope: 'message', calls: 1, windowMs: 150 },
  { operations: ['edit'], scope: 'tenant', calls: 50, windowMs: 3000 },
  { operations: ['upload'], scope: 'tenant', calls: 25, windowMs: 3000 },
];

/** Puts a row of a thread, as often as it is called with new words. */
async function say(thread: string, key: string, text: string, priority: OutboxPut['priority'], file?: string): Promise<void> {
  const view = {
    ...words(text),
    ...(file === undefined ? {} : { files: [{ from: 'text' as const, name: file, text: `content of ${file}` }] }),
  };
  await world.put({
    key: `${key}:${thread}`,
    target: { type: 'thread', thread, anchor: key === 'live' },
    payload: { type: 'message', view },
    priority,
  });
}

async function unsent(): Promise<number> {
  return await world.database.db.outbox.count({ where: { state: { not: 'sent' } } });
}

/** What a person sees of a thread: the card that opens it and the messages in it. */
function seen(platform: TestPlatform, channel: string, root: string | undefined) {
  return platform.shown(channel, root).map((one) => platform.text(one));
}

const queued: RunEventData[] = [{ type: 'lifecycle', from: null, to: 'queued' }];
const executing: RunEventData[] = [
  { type: 'lifecycle', from: 'queued', to: 'preparing' },
  { type: 'stage', stage: 'command', detail: 'running the command' },
  { type: 'lifecycle', from: 'preparing', to: 'executing' },
];
const ended: RunEventData[] = [
  { type: 'lifecycle', from: 'executing', to: 'succeeded' },
  {
    type: 'terminal',
    result: { outcome: 'succeeded', message: 'The command succeeded.', durationMs: 1000, files: [], artifacts: [] },
  },
];
const output = (text: string): RunEventData => ({ type: 'output', stream: 'stdout', from: 0, to: text.length, text });

describe('a sender that is killed', () => {
  it('promises 5, 6 and 8: at any step, every card converges, nothing is lost and no message is doubled', async () => {
    const platform = new TestPlatform();
    for (let killAt = 1; ; killAt += 1) {
      const channel = await world.newChannel(`K${killAt}`);
      const { thread } = await world.task({ channel });
      let steps = 0;
      let killed: Promise<void> | undefined;
      const doomed: TestSender = startSender(world, platform, {
        onStep: (step) => {
          if (step === 'read') return;
          steps += 1;
          if (steps === killAt) killed = doomed.kill();
        },
      });
      await doomed.start();
      await say(thread, 'live', 'queued', priorities.card);
      await say(thread, 'decision', 'may I?', priorities.decision, 'command.sh');
      await waitFor('the first messages, or the kill', async () => killed !== undefined || (await unsent()) === 0);
      await say(thread, 'live', 'done', priorities.card);
      await say(thread, 'decision', 'approved', priorities.decision, 'command.sh');
      await say(thread, 'end', 'the end', priorities.final, '142.log');
      await waitFor('all messages, or the kill', async () => killed !== undefined || (await unsent()) === 0);
      if (killed === undefined) {
        await doomed.stop();
        expect(killAt).toBeGreaterThan(20);
        break;
      }
      await killed;
      const next = startSender(world, platform);
      await next.start();
      await eventually(async () => expect(await unsent()).toBe(0));
      await next.stop();
      const [root, ...others] = platform.shown(`K${killAt}`);
      expect([platform.text(root), others.length]).toEqual(['done', 0]);
      expect(seen(platform, `K${killAt}`, root?.id)).toEqual(['approved', 'the end']);
      const files = platform.uploads.filter((upload) => upload.channel === `K${killAt}`);
      expect(new Set(files.flatMap((upload) => upload.files.map(({ name }) => name)))).toEqual(
        new Set(['command.sh', '142.log']),
      );
      for (const upload of files) expect(upload.thread).toBe(root?.id);
      // An upload cannot be looked up: one that was under way when the process died may be there twice, never not at all.
      expect(files.length).toBeLessThanOrEqual(3);
    }
  }, 120_000);
});

describe('a platform that fails at random', () => {
  it('promises 4, 5 and 6: with faults, kills and rate limits every card converges, within the budgets, and nothing is doubled', async () => {
    const faults: (Fault | undefined)[] = [
      { kind: 'rate_limited', retryAfterMs: 60 },
      { kind: 'unreachable', detail: 'no route' },
      { kind: 'unknown', detail: 'timed out' },
      { kind: 'lost_answer' },
    ];
    let chaos = true;
    const random = seeded(7);
    const platform = new TestPlatform({
      capabilities: { budgets: fastBudgets },
      latencyMs: () => random() * 8,
      fault: () => (chaos && random() < 0.15 ? faults[Math.floor(random() * faults.length)] : undefined),
    });
    const tasks = await Promise.all(
      Array.from({ length: 12 }, async (_, n) => ({ n, ...(await world.task({ number: n + 1 })) })),
    );
    let projector = startProjector(world);
    let sender = startSender(world, platform);
    await Promise.all([projector.start(), sender.start()]);
    const working = tasks.map(async ({ run }) => {
      await world.log(run, queued);
      await world.log(run, executing, 'executing');
      for (let n = 0; n < 15; n += 1) {
        await world.log(run, [output(`line ${n}\n`)]);
        await furtherCalls(platform, 1);
      }
      await world.log(run, ended, 'succeeded');
    });
    for (let n = 0; n < 6; n += 1) {
      await furtherCalls(platform, 5 + Math.floor(random() * 15));
      await sender.kill();
      projector.kill();
      projector = startProjector(world);
      sender = startSender(world, platform);
      await Promise.all([projector.start(), sender.start()]);
    }
    await Promise.all(working);
    chaos = false;
    await eventually(
      async () => {
        expect(await world.database.db.outbox.count({ where: { key: { startsWith: 'end:' } } })).toBe(tasks.length);
        expect(await unsent()).toBe(0);
      },
      { timeoutMs: 60_000 },
    );
    await Promise.all([projector.stop(), sender.stop()]);
    const roots = platform.shown('C1');
    expect(roots).toHaveLength(tasks.length);
    for (const root of roots) {
      expect(platform.text(root)).toMatch(/^#\d+ npm test · done in 1 s\n/);
      const inside = seen(platform, 'C1', root.id);
      expect(inside).toHaveLength(1);
      expect(inside[0]).toContain('· done in 1 s');
      expect(inside[0]).toContain('line 14');
    }
    expect(new Set(roots.map((root) => platform.text(root).split(' ')[0])).size).toBe(tasks.length);
    expect(platform.violations).toEqual([]);
  }, 120_000);
});

describe('two hundred runs at once', () => {
  it('promise 5: that stream and finish together all show their end, without one call above the published limits', async () => {
    const platform = new TestPlatform({ capabilities: { budgets: fastBudgets }, latencyMs: () => 2 });
    const channels = await Promise.all(Array.from({ length: 8 }, (_, n) => world.newChannel(`R${n}`)));
    const tasks = [];
    for (let n = 0; n < 200; n += 1)
      tasks.push(await world.task({ number: n + 1, channel: channels[n % channels.length] ?? '' }));
    const projector = startProjector(world);
    const sender = startSender(world, platform);
    await Promise.all([projector.start(), sender.start()]);
    for (const { run } of tasks) await world.log(run, [...queued, ...executing, output('starting\n')], 'executing');
    for (let round = 0; round < 3; round += 1) for (const { run } of tasks) await world.log(run, [output(`round ${round}\n`)]);
    await Promise.all(tasks.map(({ run }) => world.log(run, ended, 'succeeded')));
    await eventually(
      async () => {
        expect(await world.database.db.outbox.count({ where: { key: { startsWith: 'end:' }, state: 'sent' } })).toBe(200);
        expect(await unsent()).toBe(0);
      },
      { timeoutMs: 90_000, everyMs: 200 },
    );
    await Promise.all([projector.stop(), sender.stop()]);
    const roots = channels.flatMap((_, n) => platform.shown(`R${n}`));
    expect(roots).toHaveLength(200);
    for (const root of roots) {
      expect(platform.text(root)).toContain('· done');
      expect(seen(platform, root.channel, root.id).map((text) => text.includes('· done in 1 s'))).toEqual([true]);
    }
    expect(platform.violations).toEqual([]);
    // Progress is what gives way: hardly more than a first card, an end card and a last look per run.
    expect(platform.calls.length).toBeLessThan(200 * 5);
  }, 150_000);
});

/** Lets the platform hear some more calls; when all is quiet, there is nothing to wait for. */
async function furtherCalls(platform: TestPlatform, count: number): Promise<void> {
  const enough = platform.calls.length + count;
  await waitFor('further calls', async () => platform.calls.length >= enough || (await unsent()) === 0);
}

/** Random numbers that are the same in every run of the test (mulberry32). */
function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}
