import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { whyNoPulls } from '../../src/changes/why-no-pulls.ts';
import type { PullFacts } from '../../src/contracts/code-host.ts';
import { defaultPolicy } from '../../src/contracts/policy.ts';
import type { PublishWhat } from '../../src/contracts/publication.ts';
import { createEngine } from '../../src/tasks/engine.ts';
import type { Person } from '../../src/tasks/task-engine.ts';
import { changed, commitOne, commitTwo, endWithChange, publishing, treeOne } from '../support/publish-world.ts';
import { openPolicy, TestEngine } from '../support/test-engine.ts';

let deckhand: TestEngine;
let hosts = 0;

beforeAll(async () => {
  deckhand = await TestEngine.start();
});

afterAll(async () => {
  await deckhand.close();
});

const pull: PullFacts = {
  number: 12,
  url: 'https://github.test/acme/web/pull/12',
  title: 'npm run fix',
  state: 'open',
  draft: false,
  head: { branch: 'deckhand/1-npm-run-fix', commit: commitOne },
  base: 'main',
  mergeable: 'unknown',
  checks: [],
  reviews: [],
};

async function setUp(options: Parameters<TestEngine['world']>[0] = {}) {
  hosts += 1;
  const host = `host-${hosts}`;
  const world = await deckhand.world(options);
  const runner = await deckhand.runner({ host });
  return { world, host, runner, ...publishing(deckhand, host) };
}

describe('who decides', () => {
  test('a press of somebody who may decide is the decision: stored with the hash of the exact action, and audited', async () => {
    const { world, runner, push, claim } = await setUp();
    const { run, number } = await changed(deckhand, world, runner);
    expect(await push(run, world.people.ben)).toEqual({ outcome: 'approved', number });
    const interaction = await deckhand.db.interaction.findFirstOrThrow({ where: { runId: run } });
    expect(interaction).toMatchObject({
      kind: 'publish',
      state: 'approved',
      decidedById: world.people.ben.user,
      decidedOn: 'slack',
    });
    expect(interaction.action).toEqual({
      type: 'publish',
      project: world.project,
      remote: 'https://example.com/acme/web.git',
      branch: `deckhand/${number}-npm-run-fix`,
      baseBranch: 'main',
      base: '0'.repeat(40),
      commit: commitOne,
      tree: treeOne,
      what: 'push',
    });
    const audits = await deckhand.db.audit.findMany({ where: { subject: interaction.id }, orderBy: { id: 'asc' } });
    expect(audits.map(({ action }) => action)).toEqual(['approval.opened', 'approval.approved']);
    expect(await claim(runner)).toMatchObject({ run, commit: commitOne, tree: treeOne, step: 'push', what: 'push' });
  });

  test('a press of somebody who may not decide asks those who may; theirs brings it out', async () => {
    const { world, runner, push, claim, take, told } = await setUp();
    const { run } = await changed(deckhand, world, runner);
    expect(await push(run, world.people.dev)).toMatchObject({ outcome: 'asked' });
    expect(await push(run, world.people.dev)).toMatchObject({ outcome: 'asked' });
    expect(await deckhand.db.interaction.count({ where: { runId: run } })).toBe(1);
    expect(await take(runner)).toBeUndefined();
    expect((await deckhand.events(run)).at(-1)).toMatchObject({ type: 'interaction_opened', kind: 'publish' });
    expect(await deckhand.decide(run, world.people.dev)).toMatchObject({ result: 'not_allowed' });
    expect(await deckhand.decide(run, world.people.ben)).toMatchObject({ result: 'decided', state: 'approved' });
    expect((await claim(runner)).run).toBe(run);
    expect((await told(run)).map(({ state }) => state)).toEqual(['pending']);
  });

  test('a maintainer who presses the button of the card decides the request that waits', async () => {
    const { world, runner, push } = await setUp();
    const { run } = await changed(deckhand, world, runner);
    await push(run, world.people.dev);
    expect(await push(run, world.people.ben)).toMatchObject({ outcome: 'approved' });
    const rows = await deckhand.db.interaction.findMany({ where: { runId: run } });
    expect(rows.map(({ state, decidedById }) => [state, decidedById])).toEqual([['approved', world.people.ben.user]]);
  });

  test('promise 7: where the requester may not decide, nobody does whose run made the change', async () => {
    const approvers = { ...defaultPolicy.approvers, role: 'developer', notRequester: true } as const;
    const { world, runner, push } = await setUp({ policy: { ...openPolicy, approvers } });
    const { run } = await changed(deckhand, world, runner);
    expect(await push(run, world.people.dev)).toMatchObject({ outcome: 'asked' });
    expect(await deckhand.decide(run, world.people.dev)).toMatchObject({ result: 'not_allowed' });
    expect(await push(run, world.people.ben)).toMatchObject({ outcome: 'approved' });
  });

  test('promise 7: where two people must approve, the press of one asks for another, and both are needed until the push', async () => {
    const approvers = { ...defaultPolicy.approvers, count: 2 };
    const { control, world, runner, push, claim, take } = await setUp({ policy: { ...openPolicy, approvers } });
    const { run } = await changed(deckhand, world, runner);
    const { ada, ben } = world.people;
    const whoCan = 'You have approved it. One more person must approve.';
    expect(await push(run, ben)).toMatchObject({ outcome: 'asked', whoCan });
    expect(await push(run, ben)).toMatchObject({ outcome: 'asked', whoCan });
    expect(await take(runner)).toBeUndefined();
    expect((await deckhand.events(run)).slice(-2)).toMatchObject([
      { type: 'interaction_opened', kind: 'publish' },
      { type: 'interaction_approved', given: 1, needed: 2 },
    ]);
    expect(await push(run, ada)).toMatchObject({ outcome: 'approved' });
    const { publication } = await claim(runner);
    await deckhand.db.user.update({ where: { id: ada.user }, data: { role: 'guest' } });
    expect(await control.beginPush(publication, runner)).toEqual({ verdict: 'stop' });
    const other = await changed(deckhand, world, runner);
    await expect(push(other.run, ben)).rejects.toThrow('DH-402');
  });

  test('promise 7: a demand of the policy about files counts when a change with such a file leaves', async () => {
    const demands = [{ when: { kind: 'push', path: 'src/**' } as const, needs: { role: 'owner' } as const }];
    const { world, runner, push } = await setUp({ policy: { ...openPolicy, demands } });
    const { run } = await changed(deckhand, world, runner);
    expect(await push(run, world.people.ben)).toMatchObject({ outcome: 'asked', whoCan: 'Owners can decide: Ada.' });
    expect(await deckhand.decide(run, world.people.ben)).toMatchObject({ result: 'not_allowed' });
    expect(await push(run, world.people.ada)).toMatchObject({ outcome: 'approved' });
  });

  test('a denied request pushes nothing and leaves the change where it is', async () => {
    const { world, runner, push, take } = await setUp();
    const { run, task } = await changed(deckhand, world, runner);
    await push(run, world.people.dev);
    expect(await deckhand.decide(run, world.people.ben, 'deny', 'not yet')).toMatchObject({ state: 'denied' });
    expect(await take(runner)).toBeUndefined();
    expect((await deckhand.columnOf(task)).column).toBe('review');
    expect(await push(run, world.people.ben)).toMatchObject({ outcome: 'approved' });
  });

  test('promise 7: a request that nobody decides expires and pushes nothing', async () => {
    const { world, runner, push, take } = await setUp();
    const { run } = await changed(deckhand, world, runner);
    await push(run, world.people.dev);
    deckhand.clock.advance(defaultPolicy.expiresMs + 1);
    await deckhand.engine.sweep();
    expect((await deckhand.db.interaction.findFirstOrThrow({ where: { runId: run } })).state).toBe('expired');
    expect((await deckhand.events(run)).at(-1)).toMatchObject({ type: 'interaction_decided', state: 'expired' });
    expect(await take(runner)).toBeUndefined();
  });

  test('promise 7: with nobody who could decide, nothing is asked', async () => {
    const { world, runner, push } = await setUp({ roles: { ada: null, ben: null } });
    const { run } = await changed(deckhand, world, runner);
    await expect(push(run, world.people.dev)).rejects.toThrow('DH-402');
    expect(await deckhand.db.interaction.count({ where: { runId: run } })).toBe(0);
  });

  test('promise 12: the change of another workspace is no change', async () => {
    const { world, runner, push } = await setUp();
    const { run } = await changed(deckhand, world, runner);
    const other = await deckhand.world();
    await expect(push(run, other.people.ada)).rejects.toThrow('DH-208');
  });
});

describe('what is brought out', () => {
  test('only the newest change of a task can be decided about, and only at rest', async () => {
    const { world, runner, push } = await setUp();
    const first = await changed(deckhand, world, runner);
    await push(first.run, world.people.dev);
    const second = await deckhand.tx((tx) => deckhand.engine.tasks.retry(tx, first.task, world.people.dev));
    // A further run ends the question about the change before it.
    expect((await deckhand.db.interaction.findFirstOrThrow({ where: { runId: first.run } })).state).toBe('superseded');
    await expect(push(first.run, world.people.ben)).rejects.toThrow('DH-300');
    await endWithChange(deckhand, second.run, runner, { commit: commitTwo });
    await expect(push(first.run, world.people.ben)).rejects.toThrow('DH-533');
    expect(await push(second.run, world.people.ben)).toMatchObject({ outcome: 'approved' });
  });

  test('a run that changed nothing has nothing to bring out, nor has one of before trees were noted', async () => {
    const { world, runner, push } = await setUp();
    const none = await changed(deckhand, world, runner, { commit: undefined, tree: undefined, files: [] });
    await expect(push(none.run, world.people.ben)).rejects.toThrow('has changed nothing');
    const old = await changed(deckhand, world, runner, { tree: undefined });
    await expect(push(old.run, world.people.ben)).rejects.toThrow('earlier version');
  });

  test('where no pull request is possible that is said before anybody is asked or decides; a branch is pushed all the same', async () => {
    const { world, runner, push } = await setUp();
    const { run } = await changed(deckhand, world, runner);
    const host = {
      repositoryOf: (address: string) => (address.includes('example.com') ? undefined : { owner: 'acme', name: 'web' }),
    };
    for (const [codeHost, detail] of [
      [undefined, 'no code host is configured'],
      [host, 'its address is not one of the code host'],
    ] as const) {
      const engine = createEngine({ ...deckhand, noPullsAt: (address) => whyNoPulls(codeHost, address) });
      const open = (what: PublishWhat, by: Person) =>
        deckhand.tx((tx) => engine.tasks.publish(tx, { run, what, by, on: 'slack' }));
      const refusal = { code: 'DH-526', params: { remote: 'https://example.com/acme/web.git', detail } };
      await expect(open('pull_request', world.people.ben)).rejects.toMatchObject(refusal);
      await expect(open('draft', world.people.dev)).rejects.toMatchObject(refusal);
    }
    expect(whyNoPulls(host, 'https://github.test/acme/web')).toBeUndefined();
    expect(await deckhand.db.interaction.count({ where: { runId: run } })).toBe(0);
    expect(await push(run, world.people.ben)).toMatchObject({ outcome: 'approved' });
  });

  test('a second press for the same is told that it is under way, and that it is out', async () => {
    const { world, runner, push, claim, control } = await setUp();
    const { run, number } = await changed(deckhand, world, runner);
    await push(run, world.people.ben);
    expect(await push(run, world.people.ben)).toMatchObject({ outcome: 'known', what: `#${number} is being pushed already.` });
    const spec = await claim(runner);
    await control.beginPush(spec.publication, runner);
    await control.pushed(spec.publication, runner, { url: undefined });
    expect(await push(run, world.people.ben)).toMatchObject({ outcome: 'known' });
    expect(await deckhand.db.publication.count({ where: { runId: run } })).toBe(1);
  });

  test('two who press at once make one publication', async () => {
    const { world, runner, push } = await setUp();
    const { run } = await changed(deckhand, world, runner);
    const outcomes = await Promise.all([push(run, world.people.ben), push(run, world.people.ada), push(run, world.people.ben)]);
    expect(outcomes.map(({ outcome }) => outcome).toSorted()).toEqual(['approved', 'known', 'known']);
  });
});

describe('the way of a publication', () => {
  test('a branch is done when it has arrived, and the task with it', async () => {
    const { world, runner, push, claim, control, take, told } = await setUp();
    const { run, task } = await changed(deckhand, world, runner);
    await push(run, world.people.ben);
    const { publication } = await claim(runner);
    expect(await control.beginPush(publication, runner)).toEqual({ verdict: 'go', expected: null });
    expect(await control.pushed(publication, runner, { url: 'https://github.test/acme/web/tree/x' })).toBe(true);
    expect((await told(run)).map(({ state, url }) => [state, url])).toEqual([
      ['pending', undefined],
      ['pushing', undefined],
      ['done', 'https://github.test/acme/web/tree/x'],
    ]);
    expect((await deckhand.columnOf(task)).column).toBe('done');
    expect(await take(runner)).toBeUndefined();
  });

  test('a pull request follows the branch, and stays in review', async () => {
    const { world, runner, push, claim, control, told } = await setUp();
    const { run, task } = await changed(deckhand, world, runner);
    await push(run, world.people.ben, 'draft');
    const spec = await claim(runner);
    expect(spec.pull).toMatchObject({ title: 'npm run fix', draft: true });
    const { publication } = spec;
    await control.beginPush(publication, runner);
    await control.pushed(publication, runner, { url: undefined });
    expect((await claim(runner)).step).toBe('open');
    expect(await control.beginOpen(publication, runner)).toBe(true);
    expect(await control.opened(publication, runner, { repository: 'acme/web', pull })).toBe(true);
    expect(await control.opened(publication, runner, { repository: 'acme/web', pull })).toBe(false);
    expect((await told(run)).map(({ state }) => state)).toEqual(['pending', 'pushing', 'pushed', 'opening', 'done']);
    expect((await deckhand.events(run)).at(-1)).toMatchObject({
      type: 'pull_request',
      repository: 'acme/web',
      pull: { number: 12 },
    });
    expect(await deckhand.db.pullRequest.findMany({ where: { taskId: task } })).toMatchObject([{ number: 12, head: commitOne }]);
    expect((await deckhand.columnOf(task)).column).toBe('review');
  });

  test('commits that somebody has put upon the branch before the pull request was open are told of', async () => {
    const { world, runner, push, claim, control } = await setUp();
    for (const commit of [commitOne, commitTwo]) {
      const { run } = await changed(deckhand, world, runner);
      await push(run, world.people.ben, 'pull_request');
      const { publication } = await claim(runner);
      await control.beginPush(publication, runner);
      await control.pushed(publication, runner, { url: undefined });
      await control.beginOpen(publication, runner);
      const there = { ...pull, number: pull.number + Number(commit === commitTwo), head: { ...pull.head, commit } };
      await control.opened(publication, runner, { repository: 'acme/web', pull: there });
      const told = (await deckhand.events(run)).at(-1);
      expect(told?.type === 'pull_request' ? (told.news ?? []) : undefined).toEqual(
        commit === commitOne ? [] : [{ type: 'pushed', commit }],
      );
    }
  });

  test('the branch of a later change of the task is expected to be at the one before', async () => {
    const { world, runner, push, claim, control } = await setUp();
    const first = await changed(deckhand, world, runner);
    await push(first.run, world.people.ben);
    const one = await claim(runner);
    await control.beginPush(one.publication, runner);
    await control.pushed(one.publication, runner, { url: undefined });
    const second = await deckhand.tx((tx) => deckhand.engine.tasks.retry(tx, first.task, world.people.dev));
    await endWithChange(deckhand, second.run, runner, { commit: commitTwo });
    await push(second.run, world.people.ben);
    const two = await claim(runner);
    expect(await control.beginPush(two.publication, runner)).toEqual({ verdict: 'go', expected: commitOne });
  });

  test('a pull request goes on with its branch to the change of the later run, whose card tells of it from then on', async () => {
    const { world, runner, push, claim, control } = await setUp();
    const first = await changed(deckhand, world, runner);
    await push(first.run, world.people.ben, 'pull_request');
    const one = await claim(runner);
    await control.beginPush(one.publication, runner);
    await control.pushed(one.publication, runner, { url: undefined });
    await control.beginOpen(one.publication, runner);
    const shown = { ...pull, head: { branch: one.branch, commit: commitOne } };
    await control.opened(one.publication, runner, { repository: 'acme/web', pull: shown });
    const second = await deckhand.tx((tx) => deckhand.engine.tasks.retry(tx, first.task, world.people.dev));
    await endWithChange(deckhand, second.run, runner, { commit: commitTwo });
    await push(second.run, world.people.ben);
    const two = await claim(runner);
    await control.beginPush(two.publication, runner);
    expect(await control.pushed(two.publication, runner, { url: undefined })).toBe(true);
    const told = async (run: string) => (await deckhand.events(run)).filter(({ type }) => type === 'pull_request');
    expect(await told(first.run)).toMatchObject([{ pull: { number: 12 } }, { moved: true }]);
    expect(await told(second.run)).toMatchObject([{ pull: { number: 12 } }]);
    expect(await deckhand.db.pullRequest.findMany({ where: { taskId: first.task } })).toMatchObject([{ runId: second.run }]);
    // It is still to be reviewed.
    expect((await deckhand.columnOf(first.task)).column).toBe('review');
  });

  test('what passes is tried again, later and later; people are told once; after some hours it is given up', async () => {
    const { world, runner, push, claim, control, take, told, stateOf } = await setUp();
    const { run } = await changed(deckhand, world, runner);
    await push(run, world.people.ben);
    const { publication } = await claim(runner);
    const problem = { code: 'DH-500', params: { url: 'https://example.com', detail: 'no answer', remedy: 'Wait.' } } as const;
    await control.beginPush(publication, runner);
    expect(await control.later(publication, runner, problem, 30_000)).toBe(true);
    expect(await take(runner)).toBeUndefined();
    deckhand.clock.advance(30_000);
    for (let tries = 2; (await stateOf(publication)) !== 'failed'; tries += 1) {
      expect(tries).toBeLessThan(40);
      await claim(runner);
      await control.beginPush(publication, runner);
      await control.later(publication, runner, problem, undefined);
      deckhand.clock.advance(10 * 60_000);
    }
    const said = await told(run);
    expect(said.map(({ state }) => state)).toEqual(['pending', 'pushing', 'pushing', 'failed']);
    expect(said.at(2)).toMatchObject({ retryAt: expect.any(String), problem: expect.stringMatching(/no answer.*DH-500$/) });
  });

  test('promise 8: what a dead runner has left goes on with the next of its host, and with no other', async () => {
    const { world, host, runner, push, claim, control, take } = await setUp();
    const { run } = await changed(deckhand, world, runner);
    await push(run, world.people.ben);
    const { publication } = await claim(runner);
    await control.beginPush(publication, runner);
    expect(await take(runner, [publication])).toBeUndefined();
    const elsewhere = await deckhand.runner({ host: 'host-other' });
    expect(await control.claim('host-other', elsewhere, [])).toBeUndefined();
    const next = await deckhand.runner({ host });
    expect(await claim(next)).toMatchObject({ publication, step: 'pushing' });
    // The former one has nothing more to say about it.
    expect(await control.pushed(publication, runner, { url: undefined })).toBe(false);
    expect(await control.beginPush(publication, next)).toEqual({ verdict: 'go', expected: null });
    expect(await control.pushed(publication, next, { url: undefined })).toBe(true);
  });

  test('promise 4: what waits for a machine that is not heard of is given up after an hour, with a word', async () => {
    const { world, runner, push, stateOf, told } = await setUp();
    const { run } = await changed(deckhand, world, runner);
    await push(run, world.people.ben);
    const { id } = await deckhand.db.publication.findFirstOrThrow({ where: { runId: run } });
    const engine = deckhand.another();
    deckhand.clock.advance(59 * 60_000);
    await engine.sweep();
    expect(await stateOf(id)).toBe('pending');
    deckhand.clock.advance(2 * 60_000);
    await engine.sweep();
    expect(await stateOf(id)).toBe('failed');
    expect((await told(run)).at(-1)).toMatchObject({ state: 'failed', problem: expect.stringMatching(/1h.*DH-532$/) });
  });

  test('publications of one task come one after the other', async () => {
    const { world, runner, push, claim, control, take } = await setUp();
    const { run } = await changed(deckhand, world, runner);
    await push(run, world.people.ben);
    await push(run, world.people.ben, 'pull_request');
    const first = await claim(runner);
    expect(first.what).toBe('push');
    expect(await take(runner, [first.publication])).toBeUndefined();
    await control.beginPush(first.publication, runner);
    await control.pushed(first.publication, runner, { url: undefined });
    expect((await claim(runner)).what).toBe('pull_request');
  });
});

describe('the last look before the push', () => {
  async function approved() {
    const world = await setUp();
    const { run, task } = await changed(deckhand, world.world, world.runner);
    await world.push(run, world.world.people.ben);
    const { publication } = await world.claim(world.runner);
    return { ...world, run, task, publication };
  }

  test.each([
    ['commit', { commit: commitTwo }],
    ['tree', { tree: 'b'.repeat(40) }],
    ['branch', { branch: 'main' }],
    ['repository', { remote: 'https://evil.example/acme/web.git' }],
  ])('promise 10: a row with another %s than was approved is not pushed', async (_, data) => {
    const { control, publication, runner, told, run, stateOf } = await approved();
    await deckhand.db.publication.update({ where: { id: publication }, data });
    expect(await control.beginPush(publication, runner)).toEqual({ verdict: 'stop' });
    expect(await stateOf(publication)).toBe('failed');
    expect((await told(run)).at(-1)).toMatchObject({ state: 'failed', problem: expect.stringContaining('DH-528') });
  });

  test('promise 10: an approval whose action was changed together with the row is not what its hash says', async () => {
    const { control, publication, runner, run } = await approved();
    const interaction = await deckhand.db.interaction.findFirstOrThrow({ where: { runId: run } });
    const action = { ...(interaction.action as object), commit: commitTwo };
    await deckhand.db.interaction.update({ where: { id: interaction.id }, data: { action } });
    await deckhand.db.publication.update({ where: { id: publication }, data: { commit: commitTwo } });
    expect(await control.beginPush(publication, runner)).toEqual({ verdict: 'stop' });
  });

  test('promise 7: whoever approved it must still have the right to', async () => {
    const { control, publication, runner, world, stateOf } = await approved();
    await deckhand.db.user.update({ where: { id: world.people.ben.user }, data: { role: 'developer' } });
    expect(await control.beginPush(publication, runner)).toEqual({ verdict: 'stop' });
    expect(await stateOf(publication)).toBe('failed');
  });

  test('a project that was removed is not pushed to', async () => {
    const { control, publication, runner, world, told, run } = await approved();
    await deckhand.db.project.update({ where: { id: world.project }, data: { archivedAt: deckhand.clock.now() } });
    expect(await control.beginPush(publication, runner)).toEqual({ verdict: 'stop' });
    expect((await told(run)).at(-1)).toMatchObject({ state: 'failed', problem: expect.stringContaining('has been removed') });
  });

  test('promise 7: an approval is used once, by one publication', async () => {
    const { control, publication, runner, run } = await approved();
    const consumed = { consumedAt: deckhand.clock.now(), consumedBy: 'pub_other' };
    await deckhand.db.interaction.updateMany({ where: { runId: run }, data: consumed });
    expect(await control.beginPush(publication, runner)).toEqual({ verdict: 'stop' });
  });

  test('the same publication may look again after a crash, and the approval is used up by it', async () => {
    const { control, publication, runner, run } = await approved();
    expect(await control.beginPush(publication, runner)).toMatchObject({ verdict: 'go' });
    expect(await control.beginPush(publication, runner)).toMatchObject({ verdict: 'go' });
    const { id, consumedBy } = await deckhand.db.interaction.findFirstOrThrow({ where: { runId: run } });
    expect(consumedBy).toBe(publication);
    expect((await deckhand.audits('approval.consumed')).filter(({ subject }) => subject === id)).toHaveLength(1);
  });

  test('a newer run of the task changes nothing about what was approved', async () => {
    const { control, publication, runner, task, world } = await approved();
    const second = await deckhand.tx((tx) => deckhand.engine.tasks.retry(tx, task, world.people.dev));
    await endWithChange(deckhand, second.run, runner, { commit: commitTwo });
    expect(await control.beginPush(publication, runner)).toMatchObject({ verdict: 'go' });
    const row = await deckhand.db.publication.findUniqueOrThrow({ where: { id: publication } });
    expect(row).toMatchObject({ commit: commitOne, tree: treeOne });
  });
});

describe('a change that is not wanted', () => {
  test('cancels the task and keeps the commits; pushing it later takes that back', async () => {
    const { world, runner, push, discard, claim, control } = await setUp();
    const { run, task, number } = await changed(deckhand, world, runner);
    await push(run, world.people.dev);
    expect(await discard(run, world.people.dev)).toEqual({ number });
    expect(await discard(run, world.people.dev)).toEqual({ number });
    expect(await deckhand.columnOf(task)).toEqual({ column: 'cancelled', reason: 'Dev discarded the change.' });
    expect((await deckhand.db.interaction.findFirstOrThrow({ where: { runId: run } })).state).toBe('cancelled');
    expect((await deckhand.events(run)).filter(({ type }) => type === 'discarded')).toHaveLength(1);
    await push(run, world.people.ben);
    const { publication } = await claim(runner);
    await control.beginPush(publication, runner);
    await control.pushed(publication, runner, { url: undefined });
    expect((await deckhand.columnOf(task)).column).toBe('done');
  });

  test('is refused while it is being pushed', async () => {
    const { world, runner, push, discard } = await setUp();
    const { run } = await changed(deckhand, world, runner);
    await push(run, world.people.ben);
    await expect(discard(run, world.people.dev)).rejects.toThrow('is being pushed');
  });
});
