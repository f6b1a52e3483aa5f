import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { changePolicy } from '../../src/store/projects.ts';
import { askPolicy, TestEngine, type TestWorld } from '../support/test-engine.ts';

let deckhand: TestEngine;
let world: TestWorld;

beforeEach(async () => {
  deckhand = await TestEngine.start();
  world = await deckhand.world({ policy: askPolicy });
  await deckhand.runner();
});
afterEach(() => deckhand.close());

describe('approving', () => {
  it('puts the run into the queue, tells who did it, and publishes the job', async () => {
    const { task, run } = await deckhand.create(world, 'npm test');
    expect(deckhand.queue.take()).toEqual([]);
    deckhand.clock.advance(5000);
    expect(await deckhand.decide(run, world.people.ben)).toEqual({ result: 'decided', state: 'approved', taskNumber: 1 });
    expect(await deckhand.stateOf(run)).toBe('queued');
    expect(await deckhand.columnOf(task)).toEqual({ column: 'queued', reason: null });
    expect(deckhand.queue.take()).toEqual([run]);
    const interaction = await deckhand.db.interaction.findFirstOrThrow({ where: { runId: run } });
    expect(interaction).toMatchObject({
      state: 'approved',
      decidedById: world.people.ben.user,
      decidedOn: 'slack',
      decidedAt: deckhand.clock.now(),
      reason: null,
      consumedAt: null,
    });
    expect((await deckhand.events(run)).slice(-2)).toMatchObject([
      { type: 'interaction_decided', interaction: interaction.id, state: 'approved', actor: { type: 'user', name: 'Ben' } },
      { type: 'lifecycle', from: 'awaiting', to: 'queued' },
    ]);
    expect(await deckhand.audits('approval.approved')).toMatchObject([
      {
        actorId: world.people.ben.user,
        subject: interaction.id,
        data: { run, hash: interaction.actionHash, role: 'maintainer' },
      },
    ]);
  });

  it('promise 7: of twenty presses at once one decides, the others learn who and what', async () => {
    const { run } = await deckhand.create(world, 'npm test');
    const secret = await deckhand.secretOf(run);
    const { ada, ben } = world.people;
    const presses = await Promise.all(
      Array.from({ length: 20 }, (_, index) =>
        deckhand.press(secret, index % 2 === 0 ? ada : ben, index % 3 === 0 ? 'deny' : 'approve'),
      ),
    );
    const won = presses.filter(({ result }) => result === 'decided');
    expect(won).toHaveLength(1);
    const state = (await deckhand.db.interaction.findFirstOrThrow({ where: { runId: run } })).state;
    expect(won).toMatchObject([{ state }]);
    const others = presses.filter(({ result }) => result === 'already');
    expect(others).toHaveLength(19);
    for (const other of others)
      expect(other).toMatchObject({ what: expect.stringMatching(/^(You|Ada|Ben) (approved|denied) it 0 ms ago on Slack\.$/) });
    const events = await deckhand.events(run);
    expect(events.filter(({ type }) => type === 'interaction_decided')).toHaveLength(1);
    expect(await deckhand.stateOf(run)).toBe(state === 'approved' ? 'queued' : 'cancelled');
    expect(events.filter(({ type }) => type === 'terminal')).toHaveLength(state === 'approved' ? 0 : 1);
  });

  it('promise 7: twenty presses spread over two processes decide once', async () => {
    const other = deckhand.another();
    const { run } = await deckhand.create(world, 'npm test');
    const secret = await deckhand.secretOf(run);
    const presses = await Promise.all(
      Array.from({ length: 20 }, (_, index) =>
        deckhand.press(secret, world.people.ben, 'approve', undefined, index % 2 === 0 ? deckhand.engine : other),
      ),
    );
    expect(presses.filter(({ result }) => result === 'decided')).toHaveLength(1);
  });

  it('promise 2: a second press tells what was decided, when and where, and changes nothing', async () => {
    const { run } = await deckhand.create(world, 'npm test');
    const secret = await deckhand.secretOf(run);
    await deckhand.press(secret, world.people.ben);
    deckhand.clock.advance(125_000);
    expect(await deckhand.press(secret, world.people.ada, 'deny', 'no')).toEqual({
      result: 'already',
      what: 'Ben approved it 2m 5s ago on Slack.',
    });
    expect(await deckhand.press(secret, world.people.ben)).toMatchObject({ what: expect.stringMatching(/^You approved/) });
    expect(await deckhand.stateOf(run)).toBe('queued');
    expect(await deckhand.audits('approval.denied')).toEqual([]);
  });
});

describe('denying', () => {
  it('ends the run with the reason, for everybody to read', async () => {
    const { task, run } = await deckhand.create(world, 'npm publish');
    const secret = await deckhand.secretOf(run);
    expect(await deckhand.press(secret, world.people.ada, 'deny', '  not on a Friday ')).toMatchObject({ state: 'denied' });
    expect(await deckhand.resultOf(run)).toMatchObject({
      outcome: 'cancelled',
      cause: 'denied',
      message: 'Ada denied it: not on a Friday',
    });
    expect(await deckhand.columnOf(task)).toEqual({ column: 'cancelled', reason: 'Ada denied it: not on a Friday' });
    expect((await deckhand.events(run)).find(({ type }) => type === 'interaction_decided')).toMatchObject({
      state: 'denied',
      reason: 'not on a Friday',
    });
    expect(await deckhand.press(secret, world.people.ben)).toMatchObject({
      what: 'Ada denied it 0 ms ago on Slack: not on a Friday',
    });
    expect(deckhand.queue.take()).toEqual([]);
  });
});

describe('promise 11: odd text in a reason', () => {
  it('is stored, without what a database cannot hold', async () => {
    const { run } = await deckhand.create(world, 'npm publish');
    expect(await deckhand.decide(run, world.people.ada, 'deny', 'no\0 \ud800 <!channel>')).toMatchObject({ state: 'denied' });
    expect(await deckhand.resultOf(run)).toMatchObject({ message: 'Ada denied it: no\ufffd \ufffd <!channel>' });
  });
});

describe('promise 7: who may decide is looked at at the moment of the press', () => {
  it('refuses a weaker role, says who can, and writes it down', async () => {
    const { run } = await deckhand.create(world, 'npm test');
    for (const person of [world.people.dev, world.people.gus, { ...world.people.gus, role: undefined }]) {
      expect(await deckhand.decide(run, person)).toMatchObject({
        result: 'not_allowed',
        error: { params: { whoCan: 'Maintainers and owners can decide: Ada, Ben.' } },
      });
    }
    expect(await deckhand.stateOf(run)).toBe('awaiting');
    expect((await deckhand.audits('approval.refused')).map(({ actorId }) => actorId)).toEqual([
      world.people.dev.user,
      world.people.gus.user,
      world.people.gus.user,
    ]);
  });

  it('the role of the press counts, not the one when it was asked', async () => {
    const { run } = await deckhand.create(world, 'npm test');
    expect(await deckhand.decide(run, { ...world.people.ben, role: 'developer' })).toMatchObject({ result: 'not_allowed' });
    expect(await deckhand.decide(run, { ...world.people.dev, role: 'maintainer' })).toMatchObject({ result: 'decided' });
  });

  it('only named people decide where people are named, and they need the role too', async () => {
    const { ada, ben, dev } = world.people;
    const approvers = { role: 'maintainer' as const, people: [ben.user, dev.user], notRequester: false };
    await deckhand.tx((tx) =>
      changePolicy(tx, world.project, { ...askPolicy, approvers }, { by: world.people.ada.user, at: new Date() }),
    );
    const { run } = await deckhand.create(world, 'npm test', { by: ada });
    expect(await deckhand.decide(run, ada)).toMatchObject({
      result: 'not_allowed',
      error: { params: { whoCan: 'Only people named by the policy can decide: Ben.' } },
    });
    expect(await deckhand.decide(run, dev)).toMatchObject({ result: 'not_allowed' });
    expect(await deckhand.decide(run, ben)).toMatchObject({ result: 'decided' });
  });

  it('the requester may not decide where the policy says so, whatever the role', async () => {
    const approvers = { ...askPolicy.approvers, notRequester: true };
    await deckhand.tx((tx) =>
      changePolicy(tx, world.project, { ...askPolicy, approvers }, { by: world.people.ada.user, at: new Date() }),
    );
    const { run } = await deckhand.create(world, 'npm test', { by: world.people.ada });
    expect(await deckhand.decide(run, world.people.ada)).toMatchObject({
      result: 'not_allowed',
      error: { params: { whoCan: 'Maintainers and owners can decide: Ben. The requester cannot.' } },
    });
    expect(await deckhand.decide(run, world.people.ben)).toMatchObject({ result: 'decided' });
  });

  it('who asks for a further run is its requester', async () => {
    const approvers = { ...askPolicy.approvers, notRequester: true };
    await deckhand.tx((tx) =>
      changePolicy(tx, world.project, { ...askPolicy, approvers }, { by: world.people.ada.user, at: new Date() }),
    );
    const { task, run } = await deckhand.create(world, 'npm test');
    await deckhand.decide(run, world.people.ben, 'deny');
    const again = await deckhand.tx((tx) => deckhand.engine.tasks.retry(tx, task, world.people.ben));
    expect(await deckhand.decide(again.run, world.people.ben)).toMatchObject({ result: 'not_allowed' });
    expect(await deckhand.decide(again.run, world.people.ada)).toMatchObject({ result: 'decided' });
  });

  it('a press after the time is over expires the request there and then', async () => {
    const { task, run } = await deckhand.create(world, 'npm test');
    const secret = await deckhand.secretOf(run);
    deckhand.clock.advance(askPolicy.expiresMs);
    const text = 'Nobody decided within 1h, so it counts as no.';
    expect(await deckhand.press(secret, world.people.ben)).toEqual({ result: 'already', what: text });
    expect(await deckhand.resultOf(run)).toMatchObject({ outcome: 'cancelled', cause: 'expired', message: text });
    expect(await deckhand.columnOf(task)).toEqual({ column: 'cancelled', reason: text });
    expect(await deckhand.press(secret, world.people.ben)).toEqual({ result: 'already', what: text });
    expect(await deckhand.audits('approval.expired')).toHaveLength(1);
  });

  it('a press one moment before the end still counts', async () => {
    const { run } = await deckhand.create(world, 'npm test');
    deckhand.clock.advance(askPolicy.expiresMs - 1);
    expect(await deckhand.decide(run, world.people.ben)).toMatchObject({ result: 'decided' });
  });
});

describe('rules for this task', () => {
  it('a further run of the task needs no approval; the same command in another task does', async () => {
    const runner = await deckhand.runner();
    const { task, run } = await deckhand.create(world, 'npm test');
    await deckhand.decide(run, world.people.ben, 'approve_task');
    expect(await deckhand.db.rule.findMany()).toMatchObject([
      { taskId: task, kind: 'command', match: 'npm test', createdById: world.people.ben.user, revokedAt: null },
    ]);
    await deckhand.execute(run, runner);
    await deckhand.finish(run, runner);
    const again = await deckhand.tx((tx) => deckhand.engine.tasks.retry(tx, task, world.people.dev));
    expect(await deckhand.stateOf(again.run)).toBe('queued');
    await deckhand.execute(again.run, runner);
    const other = await deckhand.create(world, 'npm test');
    expect(await deckhand.stateOf(other.run)).toBe('awaiting');
    expect(await deckhand.audits('rule.created')).toHaveLength(1);
  });

  it('promise 7: a plain approval makes no rule: a further run asks again', async () => {
    const runner = await deckhand.runner();
    const { task, run } = await deckhand.create(world, 'npm test');
    await deckhand.decide(run, world.people.ben);
    await deckhand.execute(run, runner);
    await deckhand.finish(run, runner);
    const again = await deckhand.tx((tx) => deckhand.engine.tasks.retry(tx, task, world.people.dev));
    expect(await deckhand.stateOf(again.run)).toBe('awaiting');
  });

  it('a revoked rule allows nothing any more', async () => {
    const runner = await deckhand.runner();
    const { task, run } = await deckhand.create(world, 'npm test');
    await deckhand.decide(run, world.people.ben, 'approve_task');
    await deckhand.execute(run, runner);
    await deckhand.finish(run, runner);
    const again = await deckhand.tx((tx) => deckhand.engine.tasks.retry(tx, task, world.people.dev));
    const rule = (await deckhand.db.rule.findFirstOrThrow()).id;
    const revoke = () => deckhand.tx((tx) => deckhand.engine.tasks.revokeRule(tx, rule, world.people.ada));
    expect(await revoke()).toBe(true);
    expect(await revoke()).toBe(false);
    const spec = await deckhand.claim(again.run, runner);
    expect(await deckhand.authorise(spec, runner)).toEqual({ verdict: 'ask' });
    expect(await deckhand.audits('rule.revoked')).toMatchObject([{ subject: rule, actorId: world.people.ada.user }]);
  });
});

describe('promise 12: tenant walls', () => {
  it('the secret of another workspace names nothing', async () => {
    const { run } = await deckhand.create(world, 'npm test');
    const secret = await deckhand.secretOf(run);
    const stranger = (await deckhand.world()).people.ada;
    expect(await deckhand.press(secret, stranger)).toEqual({ result: 'unknown' });
    expect(await deckhand.press('A'.repeat(22), world.people.ada)).toEqual({ result: 'unknown' });
    expect(await deckhand.tx((tx) => deckhand.engine.tasks.details(tx, stranger.workspace, secret))).toBeUndefined();
    expect(await deckhand.stateOf(run)).toBe('awaiting');
    expect(await deckhand.audits('approval.refused')).toEqual([]);
  });

  it('a rule of another workspace cannot be revoked', async () => {
    const { run } = await deckhand.create(world, 'npm test');
    await deckhand.decide(run, world.people.ben, 'approve_task');
    const rule = (await deckhand.db.rule.findFirstOrThrow()).id;
    const stranger = (await deckhand.world()).people.ada;
    expect(await deckhand.tx((tx) => deckhand.engine.tasks.revokeRule(tx, rule, stranger))).toBe(false);
    expect(await deckhand.db.rule.findFirstOrThrow()).toMatchObject({ revokedAt: null });
  });
});

describe('the details of a request', () => {
  it('tell the whole action, with hidden characters spelled out', async () => {
    const command = `npm run x\u202e${'y'.repeat(10_000)}\nls`;
    const { run } = await deckhand.create(world, command);
    const secret = await deckhand.secretOf(run);
    const details = await deckhand.tx((tx) => deckhand.engine.tasks.details(tx, world.workspace, secret));
    const { actionHash } = await deckhand.db.interaction.findFirstOrThrow({ where: { runId: run } });
    expect(details).toMatchObject({ taskNumber: 1, command });
    expect(details?.text.split('\n')).toEqual([
      'Command:',
      `  npm run x⟨U+202E⟩${'y'.repeat(10_000)}`,
      '  ls',
      'Hidden characters: U+202E (shown above between ⟨ and ⟩)',
      'Project: web',
      'In: /workspace',
      'Sandbox: container of deckhand/sandbox:1',
      'Network: none',
      'Time limit: 30m',
      'Asked by: Dev',
      'Asks because: this project asks before every command',
      'Risks: hidden characters',
      `Bound to: sha256 ${actionHash}`,
    ]);
  });
});
