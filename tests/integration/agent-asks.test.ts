import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { defaultAgentDefaults } from '../../src/contracts/agent.ts';
import { factsOf, readCardFacts } from '../../src/delivery/card-facts.ts';
import { setRole } from '../../src/store/people.ts';
import { changeAgentDefaults } from '../../src/store/projects.ts';
import { lockTask } from '../../src/store/tasks.ts';
import { working } from '../support/agent-cards.ts';
import { AgentTurn, editAsk, planAsk, questionAsk, toolAsk } from '../support/agent-turn.ts';
import { runAfter } from '../support/cards.ts';
import { askPolicy, openPolicy, TestEngine, type TestWorld, waitingForLock } from '../support/test-engine.ts';
import { waitFor } from '../support/wait-for.ts';

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

const audits = (action: string) => deckhand.db.audit.findMany({ where: { action, workspaceId: world.workspace } });

describe('a step of a harness', () => {
  it('promise 8: stores state, events, inputs, output and mail in one commit, once', async () => {
    const turn = await AgentTurn.begin(deckhand, world, runner);
    expect(turn.spec.agent).toMatchObject({ prompt: 'Fix the failing test.', state: null, mail: 0, inputs: 0, session: null });
    const step = {
      id: 'step-1',
      state: { at: 1 },
      events: [{ type: 'assistant', part: 'p1', text: 'Looking.', final: true }] as const,
      inputs: [
        { type: 'line', line: 'hello' },
        { type: 'signal', signal: 'SIGINT' },
      ] as const,
      cursor: { stdout: 40, stderr: 2 },
    };
    for (const _ of [1, 2]) expect(await turn.step({ ...step, events: [...step.events], inputs: [...step.inputs] })).toBe(true);
    expect((await deckhand.events(turn.run)).filter(({ type }) => type === 'assistant')).toMatchObject([{ text: 'Looking.' }]);
    expect(await deckhand.engine.agents.inputs(turn.run, 0)).toEqual([
      { seq: 1, input: { type: 'line', line: 'hello' } },
      { seq: 2, input: { type: 'signal', signal: 'SIGINT' } },
    ]);
    expect(await deckhand.engine.agents.inputs(turn.run, 1)).toMatchObject([{ seq: 2 }]);
    await deckhand.runs.unregister(runner);
    const spec = await turn.claim(await deckhand.runner({ capacity: 1000 }));
    expect(spec.resume).toMatchObject({ phase: 'executing', cursor: { stdout: 40, stderr: 2 } });
    expect(spec.agent).toMatchObject({ state: { at: 1 }, inputs: 2, mail: 0 });
    expect(spec.agent?.resumed).toBeUndefined();
  });

  it('promise 8: leaves nothing when its connection dies in the middle, and is stored once when it is repeated', async () => {
    const turn = await AgentTurn.begin(deckhand, world, runner);
    const event = { type: 'assistant', part: 'p1', text: 'Looking.', final: true } as const;
    const step = { id: 'step-1', state: { at: 1 }, events: [event], asks: [toolAsk('a')], cursor: { stdout: 9, stderr: 0 } };
    const other = deckhand.another();
    const lost = await deckhand.tx(async (tx) => {
      await lockTask(tx, turn.task);
      const outcome = turn.step(step, other).then(
        () => 'stored',
        () => 'lost',
      );
      await waitFor('the step to wait for the task', () => waitingForLock(deckhand));
      await deckhand.db.$queryRaw`
        SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'`;
      return outcome;
    });
    expect(lost).toBe('lost');
    expect(await turn.types()).not.toContain('assistant');
    expect(await turn.state()).toBe('executing');
    for (const _ of [1, 2]) expect(await turn.step(step)).toBe(true);
    expect((await turn.types()).filter((type) => type === 'assistant')).toHaveLength(1);
    expect(await deckhand.db.interaction.count({ where: { runId: turn.run } })).toBe(1);
  });

  it('promise 7: says which hosts the agent may fetch from; a rule made without them does not count with them', async () => {
    const allowing = (hosts: string[]) =>
      deckhand.tx((tx) => changeAgentDefaults(tx, world.project, { ...defaultAgentDefaults, hosts }));
    const turn = await AgentTurn.begin(deckhand, world, runner);
    await turn.step({ asks: [toolAsk('a', { command: 'npm install' })] });
    const first = await deckhand.db.interaction.findFirstOrThrow({ where: { runId: turn.run, ask: 'a' } });
    expect(first.action).not.toHaveProperty('hosts');
    await turn.decide('a', world.people.ben, 'approve_task');
    await allowing(['npm']);
    await turn.step({ asks: [toolAsk('b', { command: 'npm install' })] });
    const second = await deckhand.db.interaction.findFirstOrThrow({ where: { runId: turn.run, ask: 'b' } });
    expect(second).toMatchObject({ state: 'pending', action: { hosts: ['npm'] } });
  });

  it('is refused when the runner does not hold the run, and stores nothing', async () => {
    const turn = await AgentTurn.begin(deckhand, world, runner);
    const other = await deckhand.runner({ host: 'host-2' });
    const asks = [toolAsk('a')];
    expect(await deckhand.engine.agents.step(turn.run, other, { state: 1, events: [], asks, withdrawn: [], inputs: [] })).toBe(
      false,
    );
    expect(await turn.mail()).toEqual([]);
    expect(await turn.state()).toBe('executing');
  });

  it('cannot write what only the engine writes', async () => {
    const turn = await AgentTurn.begin(deckhand, world, runner);
    const event = { type: 'interaction_decided', interaction: 'int_1', state: 'approved' } as const;
    await expect(turn.step({ events: [event] })).rejects.toThrow('does not append interaction_decided');
  });

  it('wakes who waits for mail and inputs', async () => {
    const turn = await AgentTurn.begin(deckhand, world, runner);
    const until = new AbortController();
    let woken = 0;
    deckhand.engine.agents.onMail(turn.run, () => (woken += 1), until.signal);
    await turn.ask(toolAsk('a', { command: undefined, readOnly: true, tool: 'Grep' }));
    await waitFor('a wake-up', () => woken > 0);
    until.abort();
  });
});

describe('promise 7: what an agent asks', () => {
  it('is answered at once where the policy, the mode or the nature of the call know the answer', async () => {
    const turn = await AgentTurn.begin(deckhand, world, runner, { settings: { mode: 'plan' } });
    expect(await turn.state()).toBe('planning');
    await turn.ask(toolAsk('read', { command: undefined, readOnly: true, tool: 'Grep' }), editAsk('write', 'a.ts'));
    expect(await turn.decisions()).toMatchObject({
      read: { verdict: 'allow' },
      write: { verdict: 'deny', reason: expect.stringContaining('plan mode') },
    });
    expect(await turn.state()).toBe('planning');
    expect(await audits('call.denied')).toHaveLength(1);
  });

  it('waits for people, with the run kept by its runner, until nothing is left to decide', async () => {
    const turn = await AgentTurn.begin(deckhand, world, runner);
    await turn.ask(toolAsk('a'), editAsk('b', 'src/a.ts'));
    expect(await turn.state()).toBe('awaiting');
    expect(await deckhand.columnOf(turn.task)).toEqual({ column: 'blocked', reason: 'its agent asks 2 things' });
    expect(await deckhand.engine.agents.awaiting(turn.run)).toEqual({ since: deckhand.clock.now() });
    expect(deckhand.runs.watch(turn.run, runner, AbortSignal.timeout(1000)).aborted).toBe(false);
    expect(await turn.decide('a', world.people.ben)).toMatchObject({ result: 'decided', state: 'approved' });
    expect(await turn.state()).toBe('awaiting');
    expect(await turn.decide('b', world.people.ben, 'deny', { reason: 'Leave it.' })).toMatchObject({ state: 'denied' });
    expect(await turn.state()).toBe('executing');
    expect((await deckhand.columnOf(turn.task)).column).toBe('running');
    expect(await deckhand.engine.agents.awaiting(turn.run)).toBeNull();
    expect(await turn.decisions()).toMatchObject({
      a: { verdict: 'allow', reason: 'Ben approved it.' },
      b: { verdict: 'deny', reason: 'Ben denied it: Leave it.' },
    });
    const interactions = await deckhand.db.interaction.findMany({ where: { runId: turn.run }, orderBy: { id: 'asc' } });
    expect(interactions).toMatchObject([
      { kind: 'approval', ask: 'a', choice: 'once', consumedBy: turn.run, state: 'approved' },
      { kind: 'approval', ask: 'b', choice: 'no', consumedBy: null, state: 'denied' },
    ]);
    expect(await audits('approval.consumed')).toMatchObject([{ subject: interactions[0]?.id }]);
  });

  it('by a known name is not asked again, and another call by that name is denied', async () => {
    const turn = await AgentTurn.begin(deckhand, world, runner);
    await turn.ask(toolAsk('a'));
    await turn.ask(toolAsk('a'));
    expect(await deckhand.db.interaction.count({ where: { runId: turn.run } })).toBe(1);
    expect(await turn.mail()).toEqual([]);
    await turn.ask(toolAsk('a', { command: 'rm -rf .', input: '{"command":"rm -rf ."}' }));
    expect(await turn.decisions()).toMatchObject({ a: { verdict: 'deny', reason: expect.stringContaining('same name') } });
  });

  it('with characters that nobody can be shown is denied', async () => {
    const turn = await AgentTurn.begin(deckhand, world, runner);
    await turn.ask(toolAsk('nul', { command: 'ls \0' }), toolAsk('half', { title: '\ud800' }));
    expect(await turn.decisions()).toMatchObject({ nul: { verdict: 'deny' }, half: { verdict: 'deny' } });
    expect(await turn.state()).toBe('executing');
  });

  it('is denied where nobody may decide, and when the run is being stopped', async () => {
    const alone = await deckhand.world({ policy: askPolicy, roles: { ada: null, ben: null } });
    const turn = await AgentTurn.begin(deckhand, alone, runner);
    await turn.ask(toolAsk('a'));
    expect(await turn.decisions()).toMatchObject({
      a: { verdict: 'deny', reason: expect.stringContaining('nobody who may decide') },
    });
    await deckhand.tx((tx) => deckhand.engine.tasks.stop(tx, turn.task, alone.people.dev));
    await turn.ask(toolAsk('b', { readOnly: true, command: undefined }));
    expect(await turn.decisions()).toMatchObject({ b: { verdict: 'deny', reason: 'Not allowed: the run is being stopped.' } });
  });

  it('may be taken back: its buttons go and the run goes on', async () => {
    const turn = await AgentTurn.begin(deckhand, world, runner);
    await turn.ask(toolAsk('a'));
    const secret = await turn.secret('a');
    await turn.step({ withdrawn: ['a', 'unknown'] });
    expect(await turn.state()).toBe('executing');
    expect(await deckhand.press(secret, world.people.ben)).toMatchObject({ result: 'already' });
    expect(await turn.mail()).toEqual([]);
  });

  it('two at once: one decides, the other hears who did', async () => {
    const turn = await AgentTurn.begin(deckhand, world, runner);
    await turn.ask(toolAsk('a'));
    const secret = await turn.secret('a');
    const results = await Promise.all([
      deckhand.press(secret, world.people.ben),
      deckhand.press(secret, world.people.ada, 'deny'),
      deckhand.press(secret, world.people.ada),
    ]);
    expect(results.filter(({ result }) => result === 'decided')).toHaveLength(1);
    expect(results.filter(({ result }) => result === 'already')).toHaveLength(2);
    expect((await turn.mail()).filter(({ mail }) => mail.type === 'decision')).toHaveLength(1);
  });

  it('is decided by those who may, and a verb that is none for it decides nothing', async () => {
    const turn = await AgentTurn.begin(deckhand, world, runner);
    await turn.ask(toolAsk('a'));
    expect(await turn.decide('a', world.people.dev)).toMatchObject({ result: 'not_allowed' });
    expect(await turn.decide('a', world.people.ben, 'implement')).toEqual({ result: 'unknown' });
    expect(await turn.decide('a', world.people.ben, 'answer', { answers: {} })).toEqual({ result: 'unknown' });
    expect(await turn.state()).toBe('awaiting');
  });

  it('an approval is looked at once more when the agent is given it: the right that was lost counts', async () => {
    const turn = await AgentTurn.begin(deckhand, world, runner);
    await turn.ask(toolAsk('a'), toolAsk('b'));
    await turn.decide('a', world.people.ben);
    await turn.decide('b', world.people.ada);
    await deckhand.tx((tx) => setRole(tx, world.workspace, world.people.ben.user, 'developer'));
    const first = await turn.decisions();
    expect(first).toMatchObject({ a: { verdict: 'deny' }, b: { verdict: 'allow' } });
    expect(first.a?.reason).toBe('Not allowed: whoever made it may not decide any more.');
    await deckhand.tx((tx) => setRole(tx, world.workspace, world.people.ben.user, 'maintainer'));
    expect(await turn.decisions()).toEqual(first);
    expect((await deckhand.events(turn.run)).filter(({ type }) => type === 'note')).toMatchObject([{ level: 'warning' }]);
  });

  it('an approval of something that was changed in the database is none', async () => {
    const turn = await AgentTurn.begin(deckhand, world, runner);
    await turn.ask(toolAsk('a'));
    await turn.decide('a', world.people.ben);
    const { action, id } = await deckhand.db.interaction.findFirstOrThrow({ where: { runId: turn.run } });
    const changed = JSON.parse(JSON.stringify(action).replaceAll('npm test', 'npm publish'));
    await deckhand.db.interaction.update({ where: { id }, data: { action: changed } });
    expect(await turn.decisions()).toMatchObject({ a: { verdict: 'deny' } });
  });

  it('for this task: the same command, file and tool run from then on, in the same kind of sandbox only', async () => {
    const turn = await AgentTurn.begin(deckhand, world, runner);
    const mail = toolAsk('m', { tool: 'mcp__mail', command: undefined, input: '{"to":"x"}' });
    await turn.ask(toolAsk('a'), editAsk('b', 'src/a.ts', 'src/b.ts'), mail, editAsk('git', '.git/config'));
    for (const ask of ['a', 'b', 'm', 'git']) await turn.decide(ask, world.people.ben, 'approve_task');
    const rules = await deckhand.db.rule.findMany({ where: { taskId: turn.task }, orderBy: { id: 'asc' } });
    expect(rules.map(({ kind, match }) => `${kind} ${match}`)).toEqual([
      'command npm test',
      'path src/a.ts',
      'path src/b.ts',
      'tool mcp__mail',
    ]);
    const again = [toolAsk('a2'), editAsk('b2', 'src/b.ts'), toolAsk('m2', { tool: 'mcp__mail', command: undefined })];
    await turn.ask(...again, editAsk('git2', '.git/config'), editAsk('c', 'src/c.ts'));
    const decided = await turn.decisions();
    expect([decided.a2, decided.b2, decided.m2]).toMatchObject(Array(3).fill({ verdict: 'allow' }));
    expect(Object.keys(decided)).not.toContain('git2');
    expect(Object.keys(decided)).not.toContain('c');
    const [first] = rules;
    await deckhand.tx((tx) => deckhand.engine.tasks.revokeRule(tx, first?.id ?? '', world.people.ben));
    await turn.ask(toolAsk('a3'));
    await deckhand.db.run.update({ where: { id: turn.run }, data: { isolated: false } });
    await turn.ask(editAsk('b3', 'src/b.ts'));
    expect(await turn.decisions()).not.toHaveProperty('a3');
    expect(await turn.decisions()).not.toHaveProperty('b3');
  });

  it('where the requester may not decide, nobody may who has spoken to the agent', async () => {
    const policy = { ...askPolicy, approvers: { ...askPolicy.approvers, notRequester: true } };
    const strict = await deckhand.world({ policy });
    const { ada, ben, dev } = strict.people;
    const turn = await AgentTurn.begin(deckhand, strict, runner, { requester: dev });
    const said = { task: turn.task, text: 'Run the tests.', when: 'next', by: ben, origin: 'o1' } as const;
    await deckhand.tx((tx) => deckhand.engine.tasks.steer(tx, said));
    await turn.ask(toolAsk('a'), questionAsk('q'));
    // The card mentions those whose press would count, and nobody else.
    const facts = await readCardFacts(factsOf(deckhand.database), [turn.run], {
      now: deckhand.clock.now(),
      docs: undefined,
    });
    const shown = await facts.input({ ...runAfter(...working), run: turn.run });
    const mentioned = shown?.decisions.find(({ action }) => action.type === 'tool')?.who.mention.map(({ user }) => user);
    expect(mentioned).toEqual([ada.user]);
    expect(await turn.decide('a', ben)).toMatchObject({
      result: 'not_allowed',
      error: { code: 'DH-202', params: { whoCan: expect.stringMatching(/: Ada\. /) } },
    });
    expect(await turn.decide('a', ada)).toMatchObject({ result: 'decided' });
    // What was asked before is not Ada's, whatever she says now.
    deckhand.clock.advance(1);
    await deckhand.tx((tx) => deckhand.engine.tasks.steer(tx, { ...said, by: ada, origin: 'o2', text: 'Now publish it.' }));
    expect(await turn.decisions()).toMatchObject({ a: { verdict: 'allow' } });
    // Now nobody is left, so nobody is asked.
    await turn.ask(toolAsk('b', { command: 'npm publish' }));
    expect(await turn.decisions()).toMatchObject({
      b: { verdict: 'deny', reason: expect.stringContaining('there is nobody who may decide') },
    });
    expect(await turn.decide('q', dev, 'answer', { answers: { base: ['main'] } })).toMatchObject({ result: 'decided' });
  });

  it('details show all that is decided on', async () => {
    const turn = await AgentTurn.begin(deckhand, world, runner);
    await turn.ask(toolAsk('a', { command: 'ls \u202e' }));
    const secret = await turn.secret('a');
    const details = await deckhand.tx((tx) => deckhand.engine.tasks.details(tx, world.workspace, secret));
    expect(details?.text).toContain('ls ⟨U+202E⟩');
    expect(details?.text).toContain('Agent: claude-code');
    expect(details?.text).toMatch(/Bound to: sha256 [0-9a-f]{64}/);
  });
});

describe('plans and questions', () => {
  it.each([
    ['implement', 'auto'],
    ['approve', 'auto'],
    ['implement_ask', 'ask'],
  ] as const)('a plan that is to be carried out (%s) goes on in mode %s', async (verb, mode) => {
    const turn = await AgentTurn.begin(deckhand, world, runner, { settings: { mode: 'plan' } });
    await turn.ask(planAsk('p'));
    expect(await turn.state()).toBe('awaiting');
    expect(await turn.decide('p', world.people.ben, verb)).toMatchObject({ state: 'approved' });
    expect(await turn.state()).toBe('executing');
    expect(await turn.decisions()).toMatchObject({ p: { verdict: 'allow', mode } });
    expect(await deckhand.db.task.findUniqueOrThrow({ where: { id: turn.task } })).toMatchObject({ agent: { mode } });
    await turn.ask(editAsk('e', 'a.ts'));
    expect((await turn.decisions()).e?.verdict).toBe(mode === 'auto' ? 'allow' : undefined);
  });

  it('a plan to be revised stays one: the agent is told what to change', async () => {
    const turn = await AgentTurn.begin(deckhand, world, runner, { settings: { mode: 'plan' } });
    await turn.ask(planAsk('p'));
    await expect(turn.decide('p', world.people.ben, 'revise')).rejects.toMatchObject({ code: 'DH-201' });
    await turn.decide('p', world.people.ben, 'revise', { reason: 'Keep the tests.' });
    expect(await turn.state()).toBe('planning');
    expect(await turn.decisions()).toMatchObject({
      p: { verdict: 'deny', reason: 'Ben wants the plan changed: Keep the tests.' },
    });
  });

  it('promise 7: a plan whose approver lost the right before the agent heard of it is not carried out', async () => {
    const turn = await AgentTurn.begin(deckhand, world, runner, { settings: { mode: 'plan' } });
    await turn.ask(planAsk('p'));
    await turn.decide('p', world.people.ben, 'implement');
    await deckhand.tx((tx) => setRole(tx, world.workspace, world.people.ben.user, 'guest'));
    expect(await turn.decisions()).toMatchObject({ p: { verdict: 'deny' } });
    expect(await turn.state()).toBe('planning');
    await turn.ask(editAsk('e', 'a.ts'));
    expect(await turn.decisions()).toMatchObject({ e: { verdict: 'deny' } });
  });

  it('questions are answered by whoever may give work to an agent, with what is offered', async () => {
    const turn = await AgentTurn.begin(deckhand, world, runner);
    await turn.ask(questionAsk('q'));
    const answers = { base: ['next'] };
    expect(await turn.decide('q', world.people.gus, 'answer', { answers })).toMatchObject({ result: 'not_allowed' });
    await expect(turn.decide('q', world.people.dev, 'answer', { answers: { base: ['x'] } })).rejects.toMatchObject({
      code: 'DH-201',
    });
    expect(await turn.decide('q', world.people.dev, 'answer', { answers })).toMatchObject({ state: 'answered' });
    expect(await turn.decisions()).toMatchObject({ q: { verdict: 'allow', answers } });
    expect(await turn.state()).toBe('executing');
  });
});

describe('a run whose agent waits', () => {
  it('promise 7: nobody decides in time: the agent is told no, and goes on', async () => {
    const turn = await AgentTurn.begin(deckhand, world, runner);
    await turn.ask(toolAsk('a'));
    deckhand.clock.advance(askPolicy.expiresMs);
    await deckhand.runs.beat(runner);
    await deckhand.engine.sweep();
    expect(await turn.state()).toBe('executing');
    expect(await turn.decisions()).toMatchObject({
      a: { verdict: 'deny', reason: 'Nobody decided within 1h, so it counts as no.' },
    });
    expect(await audits('approval.expired')).toHaveLength(1);
  });

  it('is not told to be quiet', async () => {
    const turn = await AgentTurn.begin(deckhand, world, runner);
    await turn.ask(toolAsk('a'));
    deckhand.clock.advance(30 * 60_000);
    await deckhand.runs.beat(runner);
    await deckhand.engine.sweep();
    expect(await turn.types()).not.toContain('note');
  });

  it('an agent that is at work and says nothing is told to be quiet, in words about agents', async () => {
    const turn = await AgentTurn.begin(deckhand, world, runner);
    deckhand.clock.advance(11 * 60_000);
    await deckhand.runs.beat(runner);
    await deckhand.engine.sweep();
    const notes = (await deckhand.events(turn.run)).filter(({ type }) => type === 'note');
    expect(notes).toMatchObject([{ text: 'The agent has done nothing for 11m; it is still at work.' }]);
  });

  it('is stopped by its runner, and what waits is over with it', async () => {
    const turn = await AgentTurn.begin(deckhand, world, runner);
    await turn.ask(toolAsk('a'));
    const stopped = await deckhand.tx((tx) => deckhand.engine.tasks.stop(tx, turn.task, world.people.dev));
    expect(stopped.outcome).toBe('stopping');
    const result = { outcome: 'cancelled', cause: 'stopped', message: 'x', durationMs: 1, files: [], artifacts: [] } as const;
    expect(await deckhand.runs.finish(turn.run, runner, { ...result, files: [], artifacts: [] })).toBe(true);
    expect(await deckhand.db.interaction.findFirstOrThrow({ where: { runId: turn.run } })).toMatchObject({ state: 'cancelled' });
    expect(await deckhand.columnOf(turn.task)).toEqual({ column: 'cancelled', reason: 'The agent was stopped by Dev.' });
  });

  it('may end while it waits: what it asked is over, its results are collected', async () => {
    const turn = await AgentTurn.begin(deckhand, world, runner);
    await turn.ask(toolAsk('a'));
    expect(await deckhand.finish(turn.run, runner)).toBe(true);
    expect((await deckhand.columnOf(turn.task)).column).toBe('done');
    expect((await turn.types()).filter((type) => type === 'terminal')).toHaveLength(1);
  });

  it('promise 8: is taken over after a crash of its runner, and given up when none comes back', async () => {
    const turn = await AgentTurn.begin(deckhand, world, runner);
    await turn.ask(toolAsk('a'));
    deckhand.clock.advance(2 * 60_000);
    const next = await deckhand.runner({ capacity: 1000 });
    expect((await turn.claim(next)).resume).toMatchObject({ phase: 'executing', sandboxRef: `box-${turn.run}` });
    await turn.decide('a', world.people.ben);
    expect(await turn.state()).toBe('executing');
    await turn.ask(toolAsk('b'));
    deckhand.clock.advance(10 * 60_000);
    await deckhand.engine.sweep();
    expect(await turn.state()).toBe('interrupted');
    expect((await deckhand.columnOf(turn.task)).column).toBe('backlog');
  });
});

it('an agent whose project runs everything asks nothing about commands, but about what it does not know', async () => {
  const open = await deckhand.world({ policy: openPolicy });
  const turn = await AgentTurn.begin(deckhand, open, runner, { settings: { mode: 'auto' } });
  await turn.ask(toolAsk('a'), toolAsk('x', { tool: 'mcp__x', command: undefined }));
  expect(Object.keys(await turn.decisions())).toEqual(['a']);
  expect(await turn.state()).toBe('awaiting');
});
