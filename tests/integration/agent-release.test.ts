import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { AgentTurn, planAsk, questionAsk, toolAsk } from '../support/agent-turn.ts';
import { askPolicy, TestEngine, type TestWorld } from '../support/test-engine.ts';

let deckhand: TestEngine;
let world: TestWorld;
let runner: string;

beforeAll(async () => {
  deckhand = await TestEngine.start();
});
beforeEach(async () => {
  world = await deckhand.world({ policy: askPolicy });
  runner = await deckhand.runner({ capacity: 1000 });
});
afterAll(() => deckhand.close());

const saved = { session: { id: 'ses-1', artifact: 'art_1' }, head: 'c0ffee' };

/** A turn that has worked a little and waits for one decision, let go of. */
async function released(mode: 'ask' | 'plan' = 'ask'): Promise<AgentTurn> {
  const turn = await AgentTurn.begin(deckhand, world, runner, { settings: { mode } });
  const cursor = { stdout: 99, stderr: 1 };
  const asks = [mode === 'plan' ? planAsk('p') : toolAsk('a')];
  await turn.step({ state: { parked: true }, cursor, mail: 0, inputs: [{ type: 'line', line: 'old' }], asks });
  expect(await deckhand.engine.agents.release(turn.run, runner, saved)).toBe(true);
  return turn;
}

describe('a run that is let go of while its agent waits', () => {
  it('holds no place and no sandbox, and its decision puts it into the queue', async () => {
    const turn = await released();
    expect(await turn.state()).toBe('awaiting');
    const row = await deckhand.db.run.findUniqueOrThrow({ where: { id: turn.run } });
    expect(row).toMatchObject({ runnerId: null, dispatchedAt: null, sandboxRef: null, released: true });
    expect(await deckhand.runs.claim(turn.run, runner)).toEqual({ ok: false, reason: 'not_queued' });
    expect((await deckhand.columnOf(turn.task)).column).toBe('blocked');
    deckhand.queue.take();
    await turn.decide('a', world.people.ben);
    expect(deckhand.queue.take()).toContain(turn.run);
    expect((await deckhand.columnOf(turn.task)).column).toBe('queued');
  });

  it('promise 8: goes on with its session in a new life: same state, new output and input, the decision as mail', async () => {
    const turn = await released();
    await turn.decide('a', world.people.ben);
    const spec = await turn.claim();
    expect(spec).toMatchObject({ resume: null, head: 'c0ffee' });
    expect(spec.agent).toMatchObject({ resumed: true, state: { parked: true }, session: saved.session, inputs: 0, mail: 0 });
    expect(await deckhand.engine.agents.inputs(turn.run, 0)).toEqual([]);
    expect(await deckhand.db.run.findUniqueOrThrow({ where: { id: turn.run } })).toMatchObject({ stdoutBytes: 0n, life: 1 });
    await turn.start();
    expect(await turn.decisions()).toMatchObject({ a: { verdict: 'allow' } });
    await turn.step({ inputs: [{ type: 'line', line: 'new' }] });
    expect(await deckhand.engine.agents.inputs(turn.run, 0)).toEqual([{ seq: 1, input: { type: 'line', line: 'new' } }]);
  });

  it('promise 7: the decision answers the same call when it comes again, by its old name or another, once', async () => {
    const turn = await released();
    await turn.decide('a', world.people.ben);
    await turn.claim();
    await turn.start();
    await turn.ask(toolAsk('b'));
    const first = await turn.mail();
    expect(first.map(({ mail }) => mail)).toMatchObject([
      { ask: 'a', verdict: 'allow' },
      { ask: 'b', verdict: 'allow' },
    ]);
    expect(await turn.state()).toBe('executing');
    await turn.ask(toolAsk('c'));
    expect(await turn.state()).toBe('awaiting');
    expect(await turn.decisions()).not.toHaveProperty('c');
    expect(await deckhand.db.interaction.count({ where: { runId: turn.run } })).toBe(2);
  });

  it('promise 7: another call by an old name is asked anew', async () => {
    const turn = await released();
    await turn.decide('a', world.people.ben);
    await turn.claim();
    await turn.start();
    await turn.ask(toolAsk('a', { command: 'npm publish', input: '{"command":"npm publish"}' }));
    expect(await turn.state()).toBe('awaiting');
    expect((await turn.mail()).filter(({ mail }) => mail.type === 'decision')).toHaveLength(1);
  });

  it('promise 7: what was decided and used before it was let go of answers nothing in the next life', async () => {
    const turn = await AgentTurn.begin(deckhand, world, runner);
    await turn.ask(toolAsk('1'));
    await turn.decide('1', world.people.ben);
    const [given] = await turn.mail();
    await turn.step({ mail: given?.seq });
    await turn.ask(questionAsk('2'));
    await deckhand.engine.agents.release(turn.run, runner, saved);
    await turn.decide('2', world.people.dev, 'answer', { answers: { base: ['main'] } });
    await turn.claim();
    await turn.start();
    await turn.ask(toolAsk('1'));
    expect(await turn.state()).toBe('awaiting');
  });

  it('promise 8: a decision that came just before it was let go of is not lost', async () => {
    const turn = await AgentTurn.begin(deckhand, world, runner);
    await turn.ask(toolAsk('a'));
    await turn.decide('a', world.people.ben, 'deny', { reason: 'No.' });
    expect(await deckhand.engine.agents.release(turn.run, runner, saved)).toBe(true);
    expect(await turn.state()).toBe('queued');
    expect((await turn.claim()).agent).toMatchObject({ resumed: true });
    await turn.start();
    await turn.ask(toolAsk('again'));
    expect(await turn.decisions()).toMatchObject({
      a: { verdict: 'deny' },
      again: { verdict: 'deny', reason: 'Ben denied it: No.' },
    });
  });

  it('promise 8: the answer to letting go may be lost: it says the same again', async () => {
    const turn = await released();
    expect(await deckhand.engine.agents.release(turn.run, runner, saved)).toBe(true);
    expect((await turn.types()).filter((type) => type === 'note')).toHaveLength(1);
    const stranger = await deckhand.runner({ host: 'host-2' });
    const other = await AgentTurn.begin(deckhand, world, runner);
    expect(await deckhand.engine.agents.release(other.run, stranger, saved)).toBe(false);
  });

  it('promise 8: a runner that dies before or after its next life begins loses nothing', async () => {
    const turn = await released('plan');
    await turn.decide('p', world.people.ben, 'implement_ask');
    await turn.claim();
    const second = await deckhand.runner({ capacity: 1000 });
    const again = await turn.claim(second);
    expect(again.resume).toMatchObject({ phase: 'preparing' });
    expect(again.agent).toMatchObject({ resumed: true, settings: { mode: 'ask' } });
    await turn.start();
    expect(await turn.state()).toBe('executing');
    await turn.step({ state: { at: 2 }, cursor: { stdout: 5, stderr: 0 } });
    const third = await deckhand.runner({ capacity: 1000 });
    expect(await turn.claim(third)).toMatchObject({
      resume: { phase: 'executing', cursor: { stdout: 5, stderr: 0 } },
      agent: { resumed: true, state: { at: 2 } },
    });
    expect(await turn.decisions()).toMatchObject({ p: { verdict: 'allow', mode: 'ask' } });
  });

  it('promise 7: nobody decides in time: it is queued with the denial', async () => {
    const turn = await released();
    deckhand.clock.advance(askPolicy.expiresMs);
    await deckhand.runs.beat(runner);
    await deckhand.engine.sweep();
    expect(await turn.state()).toBe('queued');
    await turn.claim();
    expect(await turn.decisions()).toMatchObject({ a: { verdict: 'deny', reason: expect.stringContaining('Nobody decided') } });
  });

  it('is stopped at once', async () => {
    const turn = await released();
    const stopped = await deckhand.tx((tx) => deckhand.engine.tasks.stop(tx, turn.task, world.people.dev));
    expect(stopped.outcome).toBe('cancelled');
    expect(await turn.state()).toBe('cancelled');
    expect((await deckhand.columnOf(turn.task)).column).toBe('cancelled');
  });

  it('is not given up while it waits for days', async () => {
    const turn = await released();
    await deckhand.db.interaction.updateMany({ where: { runId: turn.run }, data: { expiresAt: new Date('2030-01-01') } });
    deckhand.clock.advance(3 * 24 * 60 * 60_000);
    await deckhand.engine.sweep();
    expect(await turn.state()).toBe('awaiting');
    runner = await deckhand.runner({ capacity: 1000 });
    await turn.decide('a', world.people.ben);
    expect((await turn.claim(runner)).agent).toMatchObject({ resumed: true });
  });

  it('what is said to it meanwhile is mail of its next life', async () => {
    const turn = await released();
    const said = { task: turn.task, text: 'Hurry.', when: 'next', by: world.people.dev, origin: 'slack/T/C/1' } as const;
    await deckhand.tx((tx) => deckhand.engine.tasks.steer(tx, said));
    await deckhand.tx((tx) => deckhand.engine.tasks.changeSettings(tx, turn.task, { mode: 'acceptEdits' }, world.people.dev));
    expect(await turn.state()).toBe('awaiting');
    await turn.decide('a', world.people.ben);
    expect((await turn.claim()).agent?.settings.mode).toBe('acceptEdits');
    expect((await turn.mail()).map(({ mail }) => mail.type)).toEqual(['message', 'settings', 'decision']);
  });
});

it('promise 7: a command that waits for its approval is never executed without being claimed and authorised', async () => {
  const { run } = await deckhand.create(world, 'npm test');
  expect(await deckhand.stateOf(run)).toBe('awaiting');
  expect(await deckhand.runs.claim(run, runner)).toEqual({ ok: false, reason: 'not_queued' });
  expect(await deckhand.runs.executing(run, runner, { kind: 'docker', ref: 'box', isolated: true })).toBe(false);
  expect(await deckhand.runs.finishing(run, runner)).toBe(false);
});
