import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { defaultPolicy, type Policy } from '../../src/contracts/policy.ts';
import { decisionsOf } from '../../src/store/decision-queries.ts';
import { joinPeople, lockPeople } from '../../src/store/linked-people.ts';
import { personById, setRole } from '../../src/store/people.ts';
import type { Person } from '../../src/tasks/task-engine.ts';
import { AgentTurn } from '../support/agent-turn.ts';
import { TestEngine, type TestWorld } from '../support/test-engine.ts';

const two: Policy = { ...defaultPolicy, approvers: { role: 'developer', people: [], notRequester: false, count: 2 } };

let deckhand: TestEngine;
let world: TestWorld;
let runner: string;

beforeEach(async () => {
  deckhand = await TestEngine.start();
  world = await deckhand.world({ policy: two });
  runner = await deckhand.runner();
});
afterEach(() => deckhand.close());

const roleOf = (person: Person, role: 'developer' | 'guest') =>
  deckhand.tx((tx) => setRole(tx, world.workspace, person.user, role));

describe('promise 7: where two people must approve', () => {
  it('the first yes waits for another person, and both stand behind what runs', async () => {
    const { ada, ben } = world.people;
    const { run } = await deckhand.create(world, 'npm test');
    expect(await deckhand.decide(run, ben)).toEqual({ result: 'one_of_several', taskNumber: 1, missing: 1 });
    expect(await deckhand.stateOf(run)).toBe('awaiting');
    expect(deckhand.queue.take()).toEqual([]);
    expect(await deckhand.decide(run, ben)).toEqual({
      result: 'already',
      what: 'You have approved it. One more person must approve.',
    });
    expect(await deckhand.decide(run, ada)).toMatchObject({ result: 'decided', state: 'approved' });
    expect((await deckhand.events(run)).filter(({ type }) => type.startsWith('interaction_'))).toMatchObject([
      { type: 'interaction_opened' },
      { type: 'interaction_approved', given: 1, needed: 2, actor: { name: 'Ben' } },
      { type: 'interaction_decided', state: 'approved', actor: { name: 'Ada' } },
    ]);
    const { taskId } = await deckhand.database.db.run.findUniqueOrThrow({ where: { id: run } });
    expect(await deckhand.tx((tx) => decisionsOf(tx, taskId))).toMatchObject([{ state: 'approved', by: [ben.user, ada.user] }]);
    expect((await deckhand.audits('approval.given')).map(({ actorId }) => actorId)).toEqual([ben.user]);
    expect(await deckhand.authorise(await deckhand.claim(run, runner), runner)).toEqual({ verdict: 'run' });
  });

  it('one no is a no, also after a yes', async () => {
    const { run } = await deckhand.create(world, 'npm test');
    await deckhand.decide(run, world.people.ben);
    expect(await deckhand.decide(run, world.people.dev, 'deny')).toMatchObject({ result: 'decided', state: 'denied' });
    expect(await deckhand.resultOf(run)).toMatchObject({ cause: 'denied', message: 'Dev denied it.' });
  });

  it('of forty presses at once by two people one decides, and never those of one person alone', async () => {
    const { ada, ben } = world.people;
    const alone = await deckhand.create(world, 'npm test');
    const pressed = (secret: string, people: readonly Person[]) =>
      Promise.all(Array.from({ length: 40 }, (_, at) => deckhand.press(secret, people[at % people.length] ?? ada)));
    const count = (results: Awaited<ReturnType<typeof pressed>>, wanted: string) =>
      results.filter(({ result }) => result === wanted).length;
    const first = await pressed(await deckhand.secretOf(alone.run), [ada]);
    expect([count(first, 'one_of_several'), count(first, 'already')]).toEqual([1, 39]);
    const both = await deckhand.create(world, 'npm test');
    const second = await pressed(await deckhand.secretOf(both.run), [ada, ben]);
    expect([count(second, 'one_of_several'), count(second, 'decided'), count(second, 'already')]).toEqual([1, 1, 38]);
  });

  it('a yes of somebody who may not decide any more is dropped when the next one comes', async () => {
    const { ada, ben, dev } = world.people;
    const { run } = await deckhand.create(world, 'npm test', { by: ada });
    await deckhand.decide(run, dev);
    await roleOf(dev, 'guest');
    expect(await deckhand.decide(run, ben)).toMatchObject({ result: 'one_of_several', missing: 1 });
    expect(await deckhand.decide(run, ada)).toMatchObject({ result: 'decided' });
    expect(await deckhand.authorise(await deckhand.claim(run, runner), runner)).toEqual({ verdict: 'run' });
  });

  it('nothing runs when one of them has lost the right before it begins', async () => {
    const { ben, dev } = world.people;
    const { run } = await deckhand.create(world, 'npm test');
    await deckhand.decide(run, dev);
    await deckhand.decide(run, ben);
    await roleOf(dev, 'guest');
    expect(await deckhand.authorise(await deckhand.claim(run, runner), runner)).toEqual({ verdict: 'ask' });
  });

  it('accounts that were linked in between count as one person', async () => {
    const { ada, ben, dev } = world.people;
    const { run } = await deckhand.create(world, 'npm test', { by: ada });
    await deckhand.decide(run, ben);
    await deckhand.tx(async (tx) => {
      await lockPeople(tx, world.workspace);
      const [one, other] = await Promise.all([ben, dev].map(({ user }) => personById(tx, world.workspace, user)));
      if (one === undefined || other === undefined) return expect.unreachable();
      await joinPeople(tx, one, other);
    });
    const linked = await deckhand.tx((tx) => personById(tx, world.workspace, dev.user));
    expect(await deckhand.decide(run, { ...dev, ...linked })).toMatchObject({ result: 'already' });
    expect(await deckhand.decide(run, ada)).toMatchObject({ result: 'decided' });
  });

  it('where they choose differently, the narrower yes counts: no rule is made', async () => {
    const { ada, ben } = world.people;
    for (const [choices, rules] of [
      [['approve_task', 'approve'], 0],
      [['approve', 'approve_task'], 0],
      [['approve_task', 'approve_task'], 1],
    ] as const) {
      const { task, run } = await deckhand.create(world, 'npm test');
      await deckhand.decide(run, ada, choices[0]);
      expect(await deckhand.decide(run, ben, choices[1])).toMatchObject({ result: 'decided' });
      expect(await deckhand.db.rule.count({ where: { taskId: task } })).toBe(rules);
    }
  });

  it('nobody raises a budget or lets an agent run without asking alone', async () => {
    const { ada, ben } = world.people;
    const turn = await AgentTurn.begin(deckhand, world, runner, { budgetUsd: 0.5, requester: ben });
    const { tasks, agents } = deckhand.engine;
    const set = (usd: number | null) => deckhand.tx((tx) => tasks.setBudget(tx, turn.task, usd, ada, 'slack'));
    for (const more of [2, null]) await expect(set(more)).rejects.toMatchObject({ code: 'DH-300' });
    await set(0.4);
    const bypass = deckhand.tx((tx) => tasks.changeSettings(tx, turn.task, { mode: 'bypass' }, ada));
    await expect(bypass).rejects.toMatchObject({ code: 'DH-300' });
    await agents.used(turn.run, runner, {
      model: 'm',
      input: 1,
      output: 1,
      cacheRead: 0,
      cacheWrite: 0,
      costUsd: 0.6,
      firstByteMs: 1,
    });
    expect(await agents.maySpend(turn.run, runner, { request: 'r1', model: 'm', mostUsd: 0.01 })).toEqual({ verdict: 'wait' });
    const { ask } = await deckhand.db.interaction.findFirstOrThrow({ where: { runId: turn.run, kind: 'spend' } });
    expect(await turn.decide(ask ?? '', ada, 'approve')).toMatchObject({ result: 'one_of_several' });
    expect(await turn.state()).toBe('awaiting');
    expect(await turn.decide(ask ?? '', ben, 'approve')).toMatchObject({ result: 'decided' });
    expect(await turn.state()).toBe('executing');
  });

  it('for what a demand of the policy is about only: it asks, and waits on the terms of the demand', async () => {
    const demands = [{ when: { command: 'npm publish *' }, needs: { count: 2, expiresMs: 60_000 } }];
    const policy: Policy = { ...defaultPolicy, mode: 'yolo', demands };
    const open = await deckhand.world({ policy });
    const free = await deckhand.create(open, 'npm test');
    expect(await deckhand.stateOf(free.run)).toBe('queued');
    const { run } = await deckhand.create(open, 'npm test && npm publish');
    expect(await deckhand.stateOf(run)).toBe('awaiting');
    const asked = await deckhand.db.interaction.findFirstOrThrow({ where: { runId: run } });
    expect(asked).toMatchObject({
      approvers: { count: 2 },
      because: expect.stringContaining("demand 1 of the project's policy"),
    });
    expect((asked.expiresAt?.getTime() ?? 0) - asked.openedAt.getTime()).toBe(60_000);
    expect(await deckhand.decide(run, open.people.ada)).toMatchObject({ result: 'one_of_several' });
    expect(await deckhand.decide(run, open.people.ben)).toMatchObject({ result: 'decided' });
    expect(await deckhand.authorise(await deckhand.claim(run, runner), runner)).toEqual({ verdict: 'run' });
  });

  it('nothing is asked that not enough people could approve', async () => {
    const small = await deckhand.world({ policy: two, roles: { ada: 'owner', ben: 'guest', dev: 'guest' } });
    const { run } = await deckhand.create(small, 'npm test');
    expect(await deckhand.resultOf(run)).toMatchObject({
      cause: 'no_approver',
      message: expect.stringContaining('Two of them must approve.'),
    });
  });
});

describe('a request that nobody decides', () => {
  const policy: Policy = { ...defaultPolicy, expiresMs: 60 * 60_000, escalate: { afterMs: 30 * 60_000, to: 'owner' } };
  const escalations = async (run: string) => (await deckhand.events(run)).filter(({ type }) => type === 'interaction_escalated');

  it('is taken to people with a stronger role once, who may decide too where others are named', async () => {
    const slow = await deckhand.world({ policy });
    const { ada, ben } = slow.people;
    const named = { ...policy, approvers: { ...policy.approvers, people: [ben.user] } };
    await deckhand.db.project.update({ where: { id: slow.project }, data: { policy: named } });
    const { run } = await deckhand.create(slow, 'npm test', { by: slow.people.dev });
    expect(await deckhand.decide(run, ada)).toMatchObject({ result: 'not_allowed' });
    deckhand.clock.advance(30 * 60_000);
    for (const _ of [1, 2]) await deckhand.engine.sweep();
    expect(await escalations(run)).toMatchObject([{ to: 'owner' }]);
    expect(await deckhand.audits('approval.escalated')).toMatchObject([{ data: { people: [ben.user, ada.user] } }]);
    const awake = await deckhand.runner();
    expect(await deckhand.decide(run, ada)).toMatchObject({ result: 'decided' });
    expect(await deckhand.authorise(await deckhand.claim(run, awake), awake)).toEqual({ verdict: 'run' });
  });

  it('is not taken to anybody when it is decided, or over, before', async () => {
    const slow = await deckhand.world({ policy });
    const { run } = await deckhand.create(slow, 'npm test');
    await deckhand.decide(run, slow.people.ben);
    const short = await deckhand.world({ policy: { ...policy, expiresMs: 60_000 } });
    const other = await deckhand.create(short, 'npm test');
    deckhand.clock.advance(30 * 60_000);
    await deckhand.engine.sweep();
    expect([await escalations(run), await escalations(other.run)]).toEqual([[], []]);
    expect(await deckhand.resultOf(other.run)).toMatchObject({ cause: 'expired' });
  });
});
