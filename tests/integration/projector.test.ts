import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Prisma } from '../../prisma/client/client.ts';
import { type OutboxPayload, outboxPayloadSchema, priorities } from '../../src/contracts/outbox.ts';
import { defaultPolicy } from '../../src/contracts/policy.ts';
import type { RunEventData, RunResult } from '../../src/contracts/run-event.ts';
import type { View } from '../../src/contracts/view.ts';
import { plainText } from '../../src/delivery/plain-text.ts';
import type { RunFigure } from '../../src/delivery/run-figures.ts';
import { newId } from '../../src/runtime/ids.ts';
import { createForgetting, usualForgetting } from '../../src/tasks/forget.ts';
import { createWorld, startProjector, type World } from '../support/delivery-world.ts';
import { eventually, waitFor } from '../support/wait-for.ts';

let world: World;
const projectors: ReturnType<typeof startProjector>[] = [];

beforeEach(async () => {
  world = await createWorld();
});

afterEach(async () => {
  await Promise.all(projectors.splice(0).map((projector) => projector.stop()));
  await world.close();
});

async function start(options: Parameters<typeof startProjector>[1] = {}) {
  const projector = startProjector(world, options);
  projectors.push(projector);
  await projector.start();
  return projector;
}

const queued: RunEventData[] = [{ type: 'lifecycle', from: null, to: 'queued' }];
const executing: RunEventData[] = [
  { type: 'lifecycle', from: 'queued', to: 'preparing' },
  { type: 'stage', stage: 'repository', detail: 'fetching web' },
  { type: 'git', branch: 'deckhand/1-npm-test', baseBranch: 'main', baseCommit: '3f9c2e1aaaa' },
  { type: 'sandbox', kind: 'docker', isolated: true, ref: 'c1' },
  { type: 'lifecycle', from: 'preparing', to: 'executing' },
];
const ended = (result: Partial<RunResult> = {}): RunEventData[] => [
  { type: 'lifecycle', from: 'executing', to: 'succeeded' },
  {
    type: 'terminal',
    result: { outcome: 'succeeded', message: 'The command succeeded.', durationMs: 1000, files: [], artifacts: [], ...result },
  },
];
const output = (text: string): RunEventData => ({ type: 'output', stream: 'stdout', from: 0, to: text.length, text });

async function rows() {
  const all = await world.database.db.outbox.findMany({ orderBy: { id: 'asc' } });
  return all.map((row) => ({ ...row, view: viewOf(outboxPayloadSchema.parse(row.payload)) }));
}

function viewOf(payload: OutboxPayload): View {
  if (payload.type !== 'message') throw new Error(`not a message: ${payload.type}`);
  return payload.view;
}

async function row(key: string) {
  return await waitFor(`a row ${key}`, async () => (await rows()).find((one) => one.key === key));
}

const text = (view: View) => view.blocks.map(plainText).join('\n');

async function projected(run: string) {
  await eventually(async () => {
    const found = await world.database.db.run.findUniqueOrThrow({ where: { id: run } });
    expect(found.projectedSeq).toBe(found.lastSeq);
  });
}

async function openInteraction(task: string, run: string) {
  const id = newId('int');
  const now = Date.now();
  await world.database.db.interaction.create({
    data: {
      id,
      workspaceId: world.workspace,
      taskId: task,
      runId: run,
      kind: 'approval',
      state: 'pending',
      secret: 'abcdefghijklmnopqrstuv',
      action: {
        type: 'command',
        command: 'npm install',
        cwd: '/workspace',
        project: world.project,
        sandbox: 'docker',
        image: null,
        network: 'none',
        timeoutMs: 60_000,
      },
      actionHash: 'hash',
      because: 'the policy asks for everything',
      risks: ['network'],
      approvers: { ...defaultPolicy.approvers },
      requesterId: world.user,
      openedAt: new Date(now),
      expiresAt: new Date(now + 3_600_000),
    },
  });
  return id;
}

describe('the projector', () => {
  it('makes the live card and, at the end, exactly one end card per thread (promise 4)', async () => {
    await start();
    const { run, thread } = await world.task({ number: 7 });
    await world.log(run, queued);
    const live = await row(`live:${run}:${thread}`);
    expect(text(live.view)).toContain('#7 npm test · queued');
    expect(live).toMatchObject({ anchor: true, priority: priorities.card, threadId: thread, channel: 'C1' });
    await world.log(run, executing, 'executing');
    await eventually(async () => expect(text((await row(`live:${run}:${thread}`)).view)).toContain('▸ fetching web'));
    await world.log(run, ended(), 'succeeded');
    const end = await row(`end:${run}:${thread}`);
    expect(text(end.view)).toContain('#7 npm test · done in 1 s');
    expect(end).toMatchObject({ anchor: false, priority: priorities.final });
    expect(text((await row(`live:${run}:${thread}`)).view)).toContain('#7 npm test · done');
    await projected(run);
    expect(await rows()).toHaveLength(2);
  });

  it('shows the same in every thread of the task, each as its channel wants it', async () => {
    const quiet = await world.newChannel('C2', 'quiet');
    const { task, run, thread } = await world.task();
    const mirror = newId('thr');
    await world.database.db.thread.create({
      data: { id: mirror, workspaceId: world.workspace, taskId: task, channelId: quiet, externalId: '17.1' },
    });
    await start();
    await world.log(run, [...queued, ...executing, output('hello\n')], 'executing');
    await row(`live:${run}:${mirror}`);
    expect(text((await row(`live:${run}:${thread}`)).view)).toContain('hello');
    const there = await row(`live:${run}:${mirror}`);
    expect(text(there.view)).not.toContain('hello');
    expect(there).toMatchObject({ channel: 'C2', thread: '17.1', anchor: false });
  });

  it('asks for a decision in a message of its own, mentions who may decide, and shows what became of it', async () => {
    await start();
    const { task, run, thread } = await world.task();
    const interaction = await openInteraction(task, run);
    await world.log(
      run,
      [
        ...queued,
        { type: 'lifecycle', from: 'queued', to: 'awaiting' },
        { type: 'interaction_opened', interaction, kind: 'approval' },
      ],
      'awaiting',
    );
    const key = `decision:${interaction}:${thread}`;
    const asked = await row(key);
    expect(asked.priority).toBe(priorities.decision);
    expect(text(asked.view)).toContain('npm install');
    const spans = asked.view.blocks.flatMap((block) => (block.type === 'text' ? block.spans : []));
    expect(spans).toContainEqual({ type: 'person', name: 'Ada', user: 'UADA', notify: true });
    await world.database.db.interaction.update({ where: { id: interaction }, data: { remindedAt: new Date() } });
    await world.log(run, [{ type: 'interaction_reminded', interaction }]);
    expect(text((await row(`remind:${interaction}:${thread}`)).view)).toContain('for a decision');
    await world.database.db.interaction.update({
      where: { id: interaction },
      data: { state: 'denied', decidedAt: new Date(), decidedById: world.user, decidedOn: 'slack', reason: 'not today' },
    });
    await world.log(
      run,
      [
        { type: 'interaction_decided', interaction, state: 'denied', reason: 'not today' },
        ...ended({ outcome: 'cancelled', cause: 'denied', message: 'Ada denied it: not today' }),
      ],
      'cancelled',
    );
    await row(`end:${run}:${thread}`);
    for (const name of [key, `remind:${interaction}:${thread}`]) {
      const decided = await row(name);
      expect(text(decided.view)).toContain('Ada denied it on Slack');
      expect(text(decided.view)).toContain('not today');
      expect(decided.view.blocks.map(({ type }) => type)).not.toContain('buttons');
    }
  });

  it('gathers output but shows what people act on at once', async () => {
    const figures: RunFigure[] = [];
    await start({ onFigures: (more) => void figures.push(...more) });
    const shown = () => figures.flatMap((one) => (one.what === 'shown' ? [one.gathered] : []));
    const { run, thread } = await world.task();
    await world.log(run, [...queued, ...executing], 'executing');
    await projected(run);
    const before = (await row(`live:${run}:${thread}`)).version;
    const began = performance.now();
    for (let n = 0; n < 40; n += 1) await world.log(run, [output(`line ${n}\n`)]);
    const busyMs = performance.now() - began;
    await projected(run);
    const after = await row(`live:${run}:${thread}`);
    expect(after.version - before).toBeLessThanOrEqual(Math.ceil(busyMs / 1000) + 1);
    expect(text(after.view)).toContain('line 39');
    await eventually(() => expect(shown().at(-1)).toBe(true));
    await world.log(run, ended(), 'succeeded');
    await row(`end:${run}:${thread}`);
    await eventually(() => expect(shown().at(-1)).toBe(false));
  });

  it('takes the buttons off the end card when a later run of the task begins', async () => {
    await start();
    const { task, run, thread } = await world.task();
    await world.log(run, [...queued, ...executing, ...ended()], 'succeeded');
    const kinds = async () => (await row(`end:${run}:${thread}`)).view.blocks.map(({ type }) => type);
    expect(await kinds()).toContain('buttons');
    const second = await world.retry(task, 2);
    await world.log(second, queued);
    expect(text((await row(`live:${second}:${thread}`)).view)).toContain('(run 2)');
    expect(await kinds()).not.toContain('buttons');
  });

  it('tells a waiting run its new place when those before it have gone', async () => {
    await world.database.db.runner.create({
      data: { id: newId('rnr'), hostId: 'h', capacity: 1, sandboxes: ['docker'], beatAt: new Date(Date.now() + 600_000) },
    });
    await start();
    const first = await world.task();
    const second = await world.task();
    await world.log(first.run, queued);
    await world.log(second.run, queued);
    await eventually(async () => expect(text((await row(`live:${second.run}:${second.thread}`)).view)).toContain('queued, 2nd'));
    await world.log(first.run, ended(), 'succeeded');
    await eventually(async () => expect(text((await row(`live:${second.run}:${second.thread}`)).view)).toContain('queued, 1st'), {
      timeoutMs: 15_000,
    });
  });

  it('promise 8: starts again in the middle of a run and goes on as if it had never stopped', async () => {
    const first = await start();
    const { run, thread } = await world.task();
    await world.log(run, [...queued, ...executing, output('one\n')], 'executing');
    await projected(run);
    first.kill();
    projectors.length = 0;
    await world.log(run, [output('two\n')]);
    await start();
    await world.log(run, [output('three\n'), ...ended()], 'succeeded');
    expect(text((await row(`end:${run}:${thread}`)).view)).toContain('one\ntwo\nthree');
  });

  it('promise 8: killed at any point it loses and doubles nothing', async () => {
    for (let killAt = 1; killAt <= 24; killAt += 1) {
      const { run, thread } = await world.task();
      let steps = 0;
      const doomed = startProjector(world, {
        onStep: () => {
          steps += 1;
          if (steps === killAt) doomed.kill();
        },
      });
      await doomed.start();
      await world.log(run, [...queued, ...executing, output('hello\n')], 'executing');
      await world.log(run, ended(), 'succeeded');
      await waitFor(
        'the projector to be killed or done',
        async () => steps >= killAt || (await world.database.db.run.findUniqueOrThrow({ where: { id: run } })).projectedSeq === 9,
      );
      doomed.kill();
      const next = startProjector(world);
      await next.start();
      await projected(run);
      await next.stop();
      const own = (await rows()).filter(({ key }) => key.includes(run));
      expect(own.map(({ key }) => key).sort()).toEqual([`end:${run}:${thread}`, `live:${run}:${thread}`]);
      expect(text(own.find(({ key }) => key.startsWith('live'))?.view ?? { fallback: '', blocks: [] })).toContain('done');
    }
  });

  it('two projectors on one log never undo each other', async () => {
    const figures: RunFigure[] = [];
    const onFigures = (more: readonly RunFigure[]) => void figures.push(...more);
    await start({ onFigures });
    await start({ onFigures });
    const tasks = await Promise.all(Array.from({ length: 8 }, () => world.task()));
    await Promise.all(
      tasks.map(async ({ run }) => {
        await world.log(run, [...queued, ...executing], 'executing');
        for (let n = 0; n < 10; n += 1)
          await world.log(run, [output(`line ${n}\n`), { type: 'note', level: 'info', text: `note ${n}` }]);
        await world.log(run, ended(), 'succeeded');
      }),
    );
    for (const { run, thread } of tasks) {
      await projected(run);
      expect(text((await row(`live:${run}:${thread}`)).view)).toContain('· done');
      expect(text((await row(`end:${run}:${thread}`)).view)).toContain('line 9');
    }
    expect(await rows()).toHaveLength(16);
    await eventually(() => expect(figures.filter(({ what }) => what === 'ended')).toHaveLength(8));
    expect(figures.filter(({ what }) => what === 'taken')).toHaveLength(8);
  });

  it('goes on where the bulk of an old log was forgotten; what still goes on, waits or is recent is not', async () => {
    await start();
    const { db } = world.database;
    const [old, live] = [await world.task(), await world.task()];
    const lines = Array.from({ length: 150 }, (_, n) => output(`line ${n}\n`));
    await world.log(old.run, [...queued, ...executing, ...lines, ...ended()], 'succeeded');
    await world.log(live.run, [...queued, ...executing, ...lines], 'executing');
    const user = { platform: 'slack', tenant: 'T1', user: 'U1' } as const;
    for (const key of ['sent', 'waits'])
      await world.put({
        key,
        target: { type: 'conversation', conversation: { platform: 'slack', tenant: 'T1', channel: 'C1', kind: 'channel' } },
        payload: { type: 'ephemeral', user, view: { fallback: key, blocks: [] } },
        priority: priorities.reply,
      });
    await db.outbox.updateMany({ where: { key: 'sent' }, data: { state: 'sent' } });
    const { taskId } = await db.run.findUniqueOrThrow({ where: { id: old.run } });
    await db.run.update({ where: { id: old.run }, data: { agent: {} } });
    await db.task.update({ where: { id: taskId }, data: { session: { id: old.run, artifact: null } } });
    await projected(old.run);
    await Promise.all(projectors.splice(0).map((projector) => projector.stop()));

    const day = 86_400_000;
    const forgetIn = (days: number) => createForgetting(world.database, usualForgetting)(new Date(Date.now() + days * day));
    const left = async () => ({
      old: await db.runEvent.count({ where: { runId: old.run } }),
      live: await db.runEvent.count({ where: { runId: live.run } }),
      keys: (await db.outbox.findMany({ where: { payloadType: 'ephemeral' } })).map(({ key }) => key).sort(),
    });
    const whole = { old: 158, live: 156, keys: ['sent', 'waits'] };
    expect(await forgetIn(29)).toBe(0);
    expect(await left()).toEqual(whole);
    expect(await forgetIn(31)).toBe(53);
    expect(await left()).toEqual({ ...whole, old: 106, keys: ['waits'] });

    // A conversation that stood in the log is not gone on with.
    expect((await db.task.findUniqueOrThrow({ where: { id: taskId } })).session).toBeNull();
    await db.run.update({ where: { id: old.run }, data: { agent: Prisma.DbNull } });
    await db.outbox.deleteMany({ where: { key: 'waits' } });
    await start();
    await world.log(old.run, [{ type: 'discarded' }]);
    await projected(old.run);
    expect(text((await row(`end:${old.run}:${old.thread}`)).view)).toContain('line 149');
  });

  it('does not let a run whose log is damaged hold up the others', async () => {
    await start();
    const damaged = await world.task();
    const sound = await world.task();
    await world.log(damaged.run, queued);
    await projected(damaged.run);
    await world.database.db.run.update({ where: { id: damaged.run }, data: { lastSeq: 5 } });
    await world.log(damaged.run, [output('x')]);
    await world.log(sound.run, queued);
    await row(`live:${sound.run}:${sound.thread}`);
  });

  it('does not let a run whose cards the database refuses hold up those that are stored with it', async () => {
    const { db } = world.database;
    const [refused, sound] = [await world.task(), await world.task()];
    await db.$executeRawUnsafe(`ALTER TABLE "Outbox" ADD CONSTRAINT no_such_card CHECK ("key" NOT LIKE 'live:${refused.run}%')`);
    for (const { run } of [refused, sound]) await world.log(run, queued);
    await start();
    await row(`live:${sound.run}:${sound.thread}`);
    expect((await db.run.findUniqueOrThrow({ where: { id: refused.run } })).projectedSeq).toBe(0);
    await db.$executeRawUnsafe('ALTER TABLE "Outbox" DROP CONSTRAINT no_such_card');
  });

  it('does not let a run whose log a newer version has written to hold up the others, though it looks at them together', async () => {
    const newer = await world.task();
    const sound = await world.task();
    await world.log(newer.run, queued);
    await world.database.db.runEvent.updateMany({ where: { runId: newer.run }, data: { data: { type: 'of_tomorrow' } } });
    await world.log(sound.run, queued);
    await start();
    await row(`live:${sound.run}:${sound.thread}`);
  });
});
