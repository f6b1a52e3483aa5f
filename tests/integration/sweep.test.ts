import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { takeOver } from '../../src/store/held-runs.ts';
import { lockTask } from '../../src/store/tasks.ts';
import { defaultEngineSettings } from '../../src/tasks/engine-settings.ts';
import { askPolicy, TestEngine, type TestWorld, waitingForLock } from '../support/test-engine.ts';
import { waitFor } from '../support/wait-for.ts';

let deckhand: TestEngine;
let world: TestWorld;
let runner: string;

const { lostAfterMs, quietAfterMs, republishHeldMs, forgetRunnerMs } = defaultEngineSettings;

beforeEach(async () => {
  deckhand = await TestEngine.start();
  world = await deckhand.world();
  runner = await deckhand.runner();
});
afterEach(() => deckhand.close());

/** The sweeps of five processes at once. */
async function sweepFive(): Promise<void> {
  const engines = [deckhand.engine, ...Array.from({ length: 4 }, () => deckhand.another())];
  await Promise.all(engines.map((engine) => engine.sweep()));
}

describe('requests for approvals', () => {
  it('promise 7: count as no when their time is over, once, however many processes sweep', async () => {
    const asking = await deckhand.world({ policy: askPolicy });
    const { task, run } = await deckhand.create(asking, 'npm test');
    deckhand.clock.advance(askPolicy.expiresMs - 1);
    await deckhand.engine.sweep();
    expect(await deckhand.stateOf(run)).toBe('awaiting');
    deckhand.clock.advance(1);
    await sweepFive();
    expect(await deckhand.resultOf(run)).toMatchObject({ outcome: 'cancelled', cause: 'expired' });
    expect(await deckhand.columnOf(task)).toMatchObject({ column: 'cancelled' });
    expect(await deckhand.db.interaction.findFirstOrThrow({ where: { runId: run } })).toMatchObject({ state: 'expired' });
    expect((await deckhand.events(run)).filter(({ type }) => type === 'interaction_decided')).toMatchObject([
      { state: 'expired', actor: { type: 'system', part: 'watchdog' } },
    ]);
    expect(await deckhand.audits('approval.expired')).toHaveLength(1);
  });

  it('promise 7: a press and the expiry at once have one outcome', async () => {
    const asking = await deckhand.world({ policy: askPolicy });
    for (let round = 0; round < 5; round += 1) {
      const { run } = await deckhand.create(asking, 'npm test');
      const secret = await deckhand.secretOf(run);
      deckhand.clock.advance(askPolicy.expiresMs);
      const [press] = await Promise.all([deckhand.press(secret, asking.people.ben), deckhand.engine.sweep()]);
      expect(press).toMatchObject({ result: 'already' });
      expect(await deckhand.resultOf(run)).toMatchObject({ cause: 'expired' });
    }
  });

  it('are reminded of once', async () => {
    const asking = await deckhand.world({ policy: askPolicy });
    const { run } = await deckhand.create(asking, 'npm test');
    deckhand.clock.advance(askPolicy.remindMs - 1);
    await deckhand.engine.sweep();
    deckhand.clock.advance(1);
    await sweepFive();
    deckhand.clock.advance(askPolicy.remindMs);
    await deckhand.engine.sweep();
    const { id, remindedAt } = await deckhand.db.interaction.findFirstOrThrow({ where: { runId: run } });
    expect(remindedAt).not.toBeNull();
    expect((await deckhand.events(run)).filter(({ type }) => type === 'interaction_reminded')).toMatchObject([
      { interaction: id },
    ]);
  });

  it('are not reminded of when the reminder would come after the end', async () => {
    const asking = await deckhand.world({ policy: { ...askPolicy, expiresMs: 60_000, remindMs: 60_000 } });
    const { run } = await deckhand.create(asking, 'npm test');
    deckhand.clock.advance(60_000);
    await deckhand.engine.sweep();
    expect((await deckhand.events(run)).map(({ type }) => type)).not.toContain('interaction_reminded');
  });
});

describe('promise 8: runs whose runner is gone', () => {
  it('are interrupted after the grace period, with Retry possible, once', async () => {
    const { task, run } = await deckhand.create(world, 'npm test');
    const prepared = await deckhand.create(world, 'npm test');
    await deckhand.execute(run, runner);
    await deckhand.claim(prepared.run, runner);
    deckhand.clock.advance(lostAfterMs);
    await deckhand.engine.sweep();
    expect(await deckhand.stateOf(run)).toBe('executing');
    deckhand.clock.advance(1);
    await sweepFive();
    expect(await deckhand.resultOf(run)).toMatchObject({
      outcome: 'interrupted',
      cause: 'runner_lost',
      message: 'The runner went away while the command ran. How far it came is not known.',
      durationMs: lostAfterMs + 1,
    });
    expect(await deckhand.resultOf(prepared.run)).toMatchObject({
      outcome: 'interrupted',
      message: 'The runner went away before the command started. Nothing has run.',
    });
    expect(await deckhand.columnOf(task)).toMatchObject({ column: 'backlog' });
    const again = await deckhand.tx((tx) => deckhand.engine.tasks.retry(tx, task, world.people.dev));
    expect(again.run).not.toBe(run);
    // The old runner comes back from a long sleep: it has nothing to say any more.
    expect(await deckhand.finish(run, runner)).toBe(false);
  });

  it('are left alone while their runner beats', async () => {
    const { run } = await deckhand.create(world, 'npm test');
    await deckhand.execute(run, runner);
    for (let minute = 0; minute < 20; minute += 1) {
      deckhand.clock.advance(30_000);
      await deckhand.runs.beat(runner);
      await deckhand.engine.sweep();
    }
    expect(await deckhand.stateOf(run)).toBe('executing');
  });

  it('are left alone by a process that has just started: it cannot know how long the runner is away', async () => {
    const { run } = await deckhand.create(world, 'npm test');
    await deckhand.execute(run, runner);
    deckhand.clock.advance(lostAfterMs * 100);
    const fresh = deckhand.another();
    await fresh.sweep();
    expect(await deckhand.stateOf(run)).toBe('executing');
    const next = await deckhand.runner();
    expect((await deckhand.claim(run, next)).resume).toMatchObject({ phase: 'executing' });
    deckhand.clock.advance(lostAfterMs + 1);
    await deckhand.runs.beat(next);
    await fresh.sweep();
    expect(await deckhand.stateOf(run)).toBe('executing');
  });

  it('are interrupted when a new runner of the host lives on without taking them over', async () => {
    const { run } = await deckhand.create(world, 'npm test');
    await deckhand.execute(run, runner);
    const next = await deckhand.runner();
    for (let waited = 0; waited <= lostAfterMs; waited += 50_000) {
      expect(await deckhand.stateOf(run)).toBe('executing');
      deckhand.clock.advance(50_000);
      await deckhand.runs.beat(next);
      await deckhand.engine.sweep();
    }
    expect(await deckhand.stateOf(run)).toBe('interrupted');
  });

  it('survive an orderly restart within the grace period', async () => {
    const { run } = await deckhand.create(world, 'npm test');
    await deckhand.execute(run, runner);
    await deckhand.runs.unregister(runner);
    deckhand.clock.advance(lostAfterMs - 1000);
    await deckhand.engine.sweep();
    const next = await deckhand.runner();
    expect((await deckhand.claim(run, next)).resume).toMatchObject({ phase: 'executing' });
  });

  it('are not interrupted when a runner takes them over at the last moment', async () => {
    const { task, run } = await deckhand.create(world, 'npm test');
    await deckhand.execute(run, runner);
    deckhand.clock.advance(lostAfterMs + 1);
    let sweeping: Promise<void> = Promise.resolve();
    await deckhand.tx(async (tx) => {
      await lockTask(tx, task);
      sweeping = deckhand.engine.sweep();
      await waitFor('the sweep to wait for the task', () => waitingForLock(deckhand));
      await takeOver(tx, run, 'rnr_next');
    });
    await sweeping;
    expect(await deckhand.stateOf(run)).toBe('executing');
  });
});

describe('promise 4: the watchdog', () => {
  it('says once per quiet period that nothing happens, and again after the run has spoken', async () => {
    const { run } = await deckhand.create(world, 'npm test');
    await deckhand.execute(run, runner);
    const notes = async () => (await deckhand.events(run)).flatMap((event) => (event.type === 'note' ? [event.text] : []));
    const pass = async (ms: number) => {
      deckhand.clock.advance(ms);
      await deckhand.runs.beat(runner);
      await sweepFive();
    };
    await pass(quietAfterMs);
    expect(await notes()).toEqual([]);
    await pass(1);
    expect(await notes()).toEqual(['The command has written nothing for 10m; it is still running.']);
    await pass(quietAfterMs * 3);
    expect(await notes()).toHaveLength(1);
    await deckhand.runs.append(run, runner, [{ type: 'stage', stage: 'command', detail: 'tests' }]);
    await pass(quietAfterMs - 1);
    expect(await notes()).toHaveLength(1);
    await pass(2);
    expect(await notes()).toHaveLength(2);
    expect((await deckhand.events(run)).at(-1)).toMatchObject({
      level: 'warning',
      actor: { type: 'system', part: 'watchdog' },
    });
  });

  it('says that a run waits long in the queue, and nothing about runs that wait for people or are over', async () => {
    await deckhand.runs.unregister(runner);
    const waiting = await deckhand.create(world, 'npm test');
    const asking = await deckhand.world({ policy: { ...askPolicy, remindMs: askPolicy.expiresMs } });
    const parked = await deckhand.create(asking, 'npm test');
    const over = await deckhand.create(world, 'npm test');
    await deckhand.tx((tx) => deckhand.engine.tasks.stop(tx, over.task, world.people.dev));
    deckhand.clock.advance(quietAfterMs + 1);
    await deckhand.engine.sweep();
    expect((await deckhand.events(waiting.run)).at(-1)).toMatchObject({ text: 'It has waited in the queue for 10m.' });
    expect((await deckhand.events(parked.run)).at(-1)?.type).toBe('interaction_opened');
    expect((await deckhand.events(over.run)).at(-1)?.type).toBe('terminal');
  });
});

describe('jobs', () => {
  it('promise 8: of held runs are published again, in case the queue lost them', async () => {
    const { run } = await deckhand.create(world, 'npm test');
    await deckhand.execute(run, runner);
    deckhand.queue.take();
    deckhand.clock.advance(republishHeldMs + 1);
    await deckhand.runs.beat(runner);
    await sweepFive();
    expect(deckhand.queue.take()).toEqual([run]);
  });

  it('go on being swept when one thing fails', async () => {
    const asking = await deckhand.world({ policy: askPolicy });
    const broken = await deckhand.create(asking, 'npm test');
    const sound = await deckhand.create(asking, 'npm test');
    await deckhand.db.interaction.updateMany({ where: { runId: broken.run }, data: { action: { type: 'nonsense' } } });
    deckhand.clock.advance(askPolicy.expiresMs);
    await deckhand.engine.sweep();
    expect(await deckhand.stateOf(sound.run)).toBe('cancelled');
    expect(await deckhand.stateOf(broken.run)).toBe('awaiting');
  });

  it('runners that left long ago are forgotten, those that hold runs are not', async () => {
    const idle = await deckhand.runner({ host: 'host-2' });
    const { run } = await deckhand.create(world, 'npm test');
    await deckhand.execute(run, runner);
    await deckhand.runs.unregister(idle);
    deckhand.clock.advance(forgetRunnerMs + 1);
    await deckhand.another().sweep();
    expect((await deckhand.db.runner.findMany()).map(({ id }) => id)).toEqual([runner]);
  });
});
