import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { defaultPolicy } from '../../src/contracts/policy.ts';
import { newId } from '../../src/runtime/ids.ts';
import { changePolicy } from '../../src/store/projects.ts';
import { askPolicy, openPolicy, TestEngine, type TestWorld } from '../support/test-engine.ts';

let deckhand: TestEngine;
let world: TestWorld;

beforeEach(async () => {
  deckhand = await TestEngine.start();
  world = await deckhand.world();
});
afterEach(() => deckhand.close());

describe('making a command task', () => {
  it('writes task, run, thread and first event together and publishes the job after the commit', async () => {
    await deckhand.runner();
    const { task, number, run } = await deckhand.create(world, 'npm test', { thread: '17000.1' });
    expect(number).toBe(1);
    expect(await deckhand.db.task.findUniqueOrThrow({ where: { id: task } })).toMatchObject({
      number: 1,
      title: 'npm test',
      command: 'npm test',
      branch: 'deckhand/1-npm-test',
      column: 'queued',
      reason: null,
      baseCommit: null,
      policyVersion: 1,
      requesterId: world.people.dev.user,
    });
    expect(await deckhand.db.run.findUniqueOrThrow({ where: { id: run } })).toMatchObject({
      state: 'queued',
      attempt: 1,
      timeoutMs: 1_800_000,
      lastSeq: 1,
      dispatchedAt: deckhand.clock.now(),
    });
    expect(await deckhand.events(run)).toMatchObject([
      { seq: 1, type: 'lifecycle', from: null, to: 'queued', actor: { type: 'user', user: world.people.dev.user, name: 'Dev' } },
    ]);
    expect(await deckhand.db.thread.findMany()).toMatchObject([
      { taskId: task, channelId: world.channel, externalId: '17000.1', workspaceId: world.workspace },
    ]);
    expect(deckhand.queue.take()).toEqual([run]);
  });

  it('leaves nothing behind when the transaction of the caller fails', async () => {
    await deckhand.runner();
    const failing = deckhand.tx(async (tx) => {
      await deckhand.engine.tasks.createCommandTask(tx, {
        workspace: world.workspace,
        project: world.project,
        requester: world.people.dev,
        command: 'ls',
        channel: world.channel,
        thread: null,
        originKey: 'k',
      });
      throw new Error('later failure');
    });
    await expect(failing).rejects.toThrow('later failure');
    expect(await deckhand.db.task.count()).toBe(0);
    expect(deckhand.queue.take()).toEqual([]);
  });

  it('promise 2: the same origin makes one task, also twenty times at once', async () => {
    await deckhand.runner();
    const made = await Promise.all(
      Array.from({ length: 20 }, () => deckhand.create(world, 'npm test', { originKey: 'slack:T1:cmd:1' })),
    );
    expect(new Set(made.map(({ task }) => task)).size).toBe(1);
    expect(new Set(made.map(({ run }) => run)).size).toBe(1);
    expect(await deckhand.db.run.count()).toBe(1);
    expect(await deckhand.db.thread.count()).toBe(1);
  });

  it('numbers the tasks of a workspace without gaps, also when many are made at once', async () => {
    const made = await Promise.all(Array.from({ length: 20 }, (_, index) => deckhand.create(world, `echo ${index}`)));
    expect(made.map(({ number }) => number).sort((a, b) => a - b)).toEqual(Array.from({ length: 20 }, (_, index) => index + 1));
  });

  it('gives a task a thread of its own where the thread belongs to another task', async () => {
    await deckhand.create(world, 'ls', { thread: '17000.1' });
    const second = await deckhand.create(world, 'pwd', { thread: '17000.1' });
    expect(await deckhand.db.thread.findMany({ where: { taskId: second.task } })).toMatchObject([{ externalId: null }]);
  });

  it('pins the policy: a later change of the project does not touch the task', async () => {
    const { task } = await deckhand.create(world, 'npm test');
    await deckhand.tx((tx) => changePolicy(tx, world.project, askPolicy, { by: world.people.ada.user, at: new Date() }));
    const row = await deckhand.db.task.findUniqueOrThrow({ where: { id: task } });
    expect(row.policy).toEqual(openPolicy);
    expect((await deckhand.create(world, 'npm test')).task).not.toBe(task);
    expect(await deckhand.db.task.findFirst({ where: { number: 2 } })).toMatchObject({ policyVersion: 2, policy: askPolicy });
  });

  it.each([
    ['', 'empty'],
    ['  \n', 'empty'],
    ['ls \0', 'NUL'],
    ['echo \ud800', 'surrogate'],
    ['x'.repeat(100_001), 'longer'],
  ])('promise 11: refuses a command that no shell can be given (%#)', async (command, why) => {
    await expect(deckhand.create(world, command)).rejects.toMatchObject({
      code: 'DH-201',
      params: { problem: expect.stringContaining(why) },
    });
  });

  it('keeps a command of 10 kB with odd characters exactly', async () => {
    const command = `echo '${'ü\u202e\u00a0🦀\\'.repeat(1000)}'\n\techo done`;
    const { task } = await deckhand.create(world, command);
    expect((await deckhand.db.task.findUniqueOrThrow({ where: { id: task } })).command).toBe(command);
  });

  it('promise 12: a project of another workspace does not exist', async () => {
    const other = await deckhand.world();
    await expect(deckhand.create(world, 'ls', { project: other.project })).rejects.toMatchObject({ code: 'DH-205' });
    await expect(deckhand.create(world, 'ls', { project: newId('prj') })).rejects.toMatchObject({ code: 'DH-205' });
  });
});

describe('judging the command when the task is made', () => {
  it('promise 7: asks first where the policy asks; nothing is queued', async () => {
    await deckhand.runner();
    const asking = await deckhand.world({ policy: { ...defaultPolicy, mode: 'safe' } });
    const { task, run } = await deckhand.create(asking, 'npm install left-pad');
    expect(await deckhand.stateOf(run)).toBe('awaiting');
    expect(await deckhand.columnOf(task)).toMatchObject({ column: 'blocked' });
    expect(deckhand.queue.take()).toEqual([]);
    const row = await deckhand.db.interaction.findFirstOrThrow({ where: { runId: run } });
    expect(row).toMatchObject({
      state: 'pending',
      kind: 'approval',
      taskId: task,
      because: '`npm install` is not on the list of read-only commands',
      risks: ['network', 'changes lockfile'],
      requesterId: asking.people.dev.user,
      openedAt: deckhand.clock.now(),
      remindAt: new Date(deckhand.clock.now().getTime() + 600_000),
      expiresAt: new Date(deckhand.clock.now().getTime() + 3_600_000),
      action: {
        type: 'command',
        command: 'npm install left-pad',
        cwd: '/workspace',
        project: asking.project,
        sandbox: 'docker',
        image: 'deckhand/sandbox:1',
        network: 'none',
        timeoutMs: 1_800_000,
      },
    });
    expect(row.secret).toMatch(/^[\w-]{22}$/);
    expect((await deckhand.events(run)).map(({ type }) => type)).toEqual(['lifecycle', 'lifecycle', 'interaction_opened']);
    expect(await deckhand.audits('approval.opened')).toMatchObject([{ subject: row.id }]);
  });

  it('runs read-only commands at once under the policy safe', async () => {
    await deckhand.runner();
    const safe = await deckhand.world({ policy: { ...defaultPolicy, mode: 'safe' } });
    const { run } = await deckhand.create(safe, 'git status');
    expect(deckhand.queue.take()).toEqual([run]);
  });

  it('promise 4: ends at once, with the pattern named, where the policy denies', async () => {
    await deckhand.runner();
    const denying = await deckhand.world({ policy: { ...openPolicy, deny: ['rm *'] } });
    const { task, run } = await deckhand.create(denying, 'ls && rm -rf build');
    const message = "Not run: the project's policy denies `rm *`, and the command contains `rm -rf build`.";
    expect(await deckhand.resultOf(run)).toMatchObject({ outcome: 'cancelled', cause: 'denied', message });
    expect(await deckhand.columnOf(task)).toEqual({ column: 'cancelled', reason: message });
    expect(deckhand.queue.take()).toEqual([]);
    expect(await deckhand.audits('run.denied')).toMatchObject([{ subject: run, actorId: denying.people.dev.user }]);
  });

  it.each([
    ['nobody has the role', { roles: { ada: null, ben: null } }, {}],
    ['the only one with the role asks', { roles: { ben: null } }, { notRequester: true, by: 'ada' as const }],
    ['the named people have no role', {}, { people: ['dev'] as const }],
  ])('promise 7: no approver means no (%s)', async (_name, people, rule) => {
    await deckhand.runner();
    const alone = await deckhand.world({ ...people });
    const named = 'people' in rule ? rule.people.map((name) => alone.people[name].user) : [];
    const approvers = { role: 'maintainer', people: named, notRequester: 'notRequester' in rule } as const;
    await deckhand.tx((tx) =>
      changePolicy(tx, alone.project, { ...askPolicy, approvers }, { by: alone.people.ada.user, at: new Date() }),
    );
    const { task, run } = await deckhand.create(alone, 'npm test', { by: alone.people['by' in rule ? rule.by : 'dev'] });
    expect(await deckhand.resultOf(run)).toMatchObject({ outcome: 'cancelled', cause: 'no_approver' });
    expect((await deckhand.columnOf(task)).reason).toContain('nobody who may give one');
    expect(await deckhand.db.interaction.count({ where: { taskId: task } })).toBe(0);
    expect(await deckhand.audits('approval.no_approver')).toMatchObject([{ subject: run }]);
  });

  it('members of a channel count as approvers when the role it gives is enough', async () => {
    await deckhand.runner();
    const roles = { ada: null, ben: null, dev: null, gus: null };
    const open = await deckhand.world({ policy: askPolicy, roles, channelRole: 'maintainer' });
    expect(await deckhand.stateOf((await deckhand.create(open, 'npm test')).run)).toBe('awaiting');
    const closed = await deckhand.world({ policy: askPolicy, roles, channelRole: 'developer' });
    expect(await deckhand.stateOf((await deckhand.create(closed, 'npm test')).run)).toBe('cancelled');
  });

  it('a named person may have the role from the channel', async () => {
    await deckhand.runner();
    const roles = { ada: null, ben: null, dev: null, gus: null };
    const given = await deckhand.world({ roles, channelRole: 'maintainer' });
    const approvers = { role: 'maintainer' as const, people: [given.people.gus.user], notRequester: true };
    await deckhand.tx((tx) =>
      changePolicy(tx, given.project, { ...askPolicy, approvers }, { by: given.people.ada.user, at: new Date() }),
    );
    const { run } = await deckhand.create(given, 'npm test');
    expect(await deckhand.stateOf(run)).toBe('awaiting');
    expect((await deckhand.decide(run, given.people.ben)).result).toBe('not_allowed');
    expect((await deckhand.decide(run, given.people.gus)).result).toBe('decided');
  });

  it('promise 7: a pinned policy that cannot be read asks for everything', async () => {
    const runner = await deckhand.runner();
    const { task, run } = await deckhand.create(world, 'ls');
    await deckhand.db.task.update({ where: { id: task }, data: { policy: { mode: 'everything' } } });
    const spec = await deckhand.claim(run, runner);
    expect(await deckhand.authorise(spec, runner)).toEqual({ verdict: 'ask' });
  });

  it('waits in the queue where no runner has said what it runs commands in; the last check asks', async () => {
    const asking = await deckhand.world({ policy: askPolicy });
    const { run } = await deckhand.create(asking, 'npm test');
    expect(await deckhand.stateOf(run)).toBe('queued');
    const runner = await deckhand.runner({ offer: undefined });
    expect(deckhand.queue.take()).toEqual([run]);
    const spec = await deckhand.claim(run, runner);
    expect(await deckhand.authorise(spec, runner)).toEqual({ verdict: 'ask' });
    expect(await deckhand.stateOf(run)).toBe('awaiting');
  });
});

describe('further runs, stopping and moving', () => {
  it('retries on the pinned base and with the head of the run before', async () => {
    const runner = await deckhand.runner();
    const { task, run } = await deckhand.create(world, 'npm test');
    await deckhand.execute(run, runner);
    await deckhand.runs.pinBase(run, runner, { branch: 'main', commit: 'c0' });
    await deckhand.finish(run, runner, { commit: 'c1', files: [{ path: 'a', added: 1, removed: 0 }] });
    expect(await deckhand.columnOf(task)).toEqual({ column: 'review', reason: null });
    const again = await deckhand.tx((tx) => deckhand.engine.tasks.retry(tx, task, world.people.ben));
    expect(again).toMatchObject({ task, number: 1 });
    expect(again.run).not.toBe(run);
    const spec = await deckhand.claim(again.run, runner);
    expect(spec).toMatchObject({ attempt: 2, base: { branch: 'main', commit: 'c0' }, head: 'c1', resume: null });
    expect(await deckhand.runs.pinBase(again.run, runner, { branch: 'dev', commit: 'c9' })).toEqual({
      branch: 'main',
      commit: 'c0',
    });
  });

  it('promise 2: of ten retries at once one makes a run', async () => {
    const runner = await deckhand.runner();
    const { task, run } = await deckhand.create(world, 'npm test');
    await deckhand.execute(run, runner);
    await deckhand.finish(run, runner);
    const retries = await Promise.allSettled(
      Array.from({ length: 10 }, () => deckhand.tx((tx) => deckhand.engine.tasks.retry(tx, task, world.people.dev))),
    );
    expect(retries.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
    for (const retry of retries) if (retry.status === 'rejected') expect(retry.reason).toMatchObject({ code: 'DH-300' });
    expect(await deckhand.db.run.count({ where: { taskId: task } })).toBe(2);
  });

  it('failed, timed out and interrupted runs send the task back with the reason', async () => {
    const runner = await deckhand.runner();
    for (const outcome of ['failed', 'timed_out', 'interrupted'] as const) {
      const { task, run } = await deckhand.create(world, 'npm test');
      await deckhand.execute(run, runner);
      await deckhand.finish(run, runner, { outcome, message: `It ${outcome}.` });
      expect(await deckhand.columnOf(task)).toEqual({ column: 'backlog', reason: `It ${outcome}.` });
    }
  });

  it('stops at once what has not started', async () => {
    const { task, run } = await deckhand.create(world, 'npm test');
    const stop = () => deckhand.tx((tx) => deckhand.engine.tasks.stop(tx, task, world.people.ben));
    expect(await stop()).toEqual({ number: 1, outcome: 'cancelled' });
    expect(await deckhand.resultOf(run)).toMatchObject({
      outcome: 'cancelled',
      cause: 'stopped',
      message: 'Ben stopped it before it started.',
    });
    expect(await deckhand.columnOf(task)).toMatchObject({ column: 'cancelled' });
    await expect(stop()).rejects.toMatchObject({ code: 'DH-300' });
  });

  it('cancels the request for an approval with the run', async () => {
    await deckhand.runner();
    const asking = await deckhand.world({ policy: askPolicy });
    const { task, run } = await deckhand.create(asking, 'npm test');
    const secret = await deckhand.secretOf(run);
    await deckhand.tx((tx) => deckhand.engine.tasks.stop(tx, task, asking.people.dev));
    expect(await deckhand.press(secret, asking.people.ben)).toEqual({
      result: 'already',
      what: 'The run ended before anybody decided.',
    });
    expect((await deckhand.events(run)).map(({ type }) => type)).toEqual([
      'lifecycle',
      'lifecycle',
      'interaction_opened',
      'interaction_decided',
      'lifecycle',
      'terminal',
    ]);
  });

  it('tells the runner to stop what runs, once, and says who asked', async () => {
    const runner = await deckhand.runner();
    const { task, run } = await deckhand.create(world, 'npm test');
    await deckhand.execute(run, runner);
    const stop = () => deckhand.tx((tx) => deckhand.engine.tasks.stop(tx, task, world.people.ben));
    const outcomes = await Promise.all([stop(), stop(), stop()]);
    expect(outcomes.map(({ outcome }) => outcome).sort()).toEqual(['already_stopping', 'already_stopping', 'stopping']);
    expect((await deckhand.events(run)).filter(({ type }) => type === 'note')).toMatchObject([
      { text: 'Ben stops the run.', actor: { name: 'Ben' } },
    ]);
    expect(await deckhand.stateOf(run)).toBe('executing');

    // The runner knows that it was stopped, the engine by whom.
    const stopped = { outcome: 'cancelled', cause: 'stopped', message: 'The command was stopped on request.' } as const;
    expect(await deckhand.finish(run, runner, { ...stopped, exitCode: 143 })).toBe(true);
    expect((await deckhand.resultOf(run))?.message).toBe('The command was stopped by Ben.');
    expect((await deckhand.columnOf(task)).reason).toBe('The command was stopped by Ben.');
  });

  it('says who asked for the stop of a run whose command had not started', async () => {
    const runner = await deckhand.runner();
    const { task, run } = await deckhand.create(world, 'npm test');
    await deckhand.claim(run, runner);
    await deckhand.tx((tx) => deckhand.engine.tasks.stop(tx, task, world.people.ben));
    const message = 'Stopped on request before the command started.';
    await deckhand.runs.finish(run, runner, {
      outcome: 'cancelled',
      cause: 'stopped',
      message,
      durationMs: 1,
      files: [],
      artifacts: [],
    });
    expect((await deckhand.resultOf(run))?.message).toBe('Stopped by Ben before the command started.');
  });

  it('moves cards between resting columns', async () => {
    const runner = await deckhand.runner();
    const { task, run } = await deckhand.create(world, 'npm test');
    await deckhand.execute(run, runner);
    await deckhand.finish(run, runner);
    const move = (to: 'backlog' | 'review' | 'done' | 'cancelled' | 'running' | 'blocked' | 'queued') =>
      deckhand.tx((tx) => deckhand.engine.tasks.move(tx, task, to, world.people.dev));
    expect(await move('review')).toEqual({ number: 1, from: 'done', to: 'review' });
    expect(await move('review')).toEqual({ number: 1, from: 'review', to: 'review' });
    expect(await move('cancelled')).toMatchObject({ from: 'review', to: 'cancelled' });
    expect(await move('backlog')).toMatchObject({ to: 'backlog' });
    await expect(move('running')).rejects.toMatchObject({ code: 'DH-300' });
    await expect(move('blocked')).rejects.toMatchObject({ code: 'DH-300' });
    expect(await move('queued')).toMatchObject({ from: 'backlog', to: 'queued' });
    expect(deckhand.queue.take()).toHaveLength(2);
    expect(await deckhand.audits('task.moved')).toHaveLength(3);
  });

  it('takes what waits out of the queue, and leaves what runs', async () => {
    const runner = await deckhand.runner();
    const waiting = await deckhand.create(world, 'npm test');
    const move = (task: string, to: 'backlog' | 'done' | 'cancelled') =>
      deckhand.tx((tx) => deckhand.engine.tasks.move(tx, task, to, world.people.dev));
    expect(await move(waiting.task, 'backlog')).toMatchObject({ from: 'queued', to: 'backlog' });
    expect(await deckhand.columnOf(waiting.task)).toEqual({ column: 'backlog', reason: null });
    expect(await deckhand.stateOf(waiting.run)).toBe('cancelled');
    const running = await deckhand.create(world, 'npm test');
    await deckhand.execute(running.run, runner);
    await expect(move(running.task, 'done')).rejects.toMatchObject({ code: 'DH-300' });
    expect(await move(running.task, 'cancelled')).toMatchObject({ from: 'running', to: 'cancelled' });
    expect(await deckhand.db.run.findUniqueOrThrow({ where: { id: running.run } })).toMatchObject({
      state: 'executing',
      stopRequestedBy: world.people.dev.user,
    });
  });

  it('promise 12: a task of another workspace does not exist', async () => {
    const { task } = await deckhand.create(world, 'ls');
    const stranger = (await deckhand.world()).people.ada;
    const { tasks } = deckhand.engine;
    for (const id of [task, newId('tsk')]) {
      await expect(deckhand.tx((tx) => tasks.stop(tx, id, stranger))).rejects.toMatchObject({ code: 'DH-204' });
      await expect(deckhand.tx((tx) => tasks.retry(tx, id, stranger))).rejects.toMatchObject({ code: 'DH-204' });
      await expect(deckhand.tx((tx) => tasks.move(tx, id, 'done', stranger))).rejects.toMatchObject({ code: 'DH-204' });
    }
  });
});
