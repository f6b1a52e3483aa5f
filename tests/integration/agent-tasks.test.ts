import fc from 'fast-check';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { defaultAgentDefaults } from '../../src/contracts/agent.ts';
import { firstCards, lastCards } from '../../src/delivery/thread-cards.ts';
import { changeAgentDefaults } from '../../src/store/projects.ts';
import { messageOrigins } from '../../src/store/run-mail.ts';
import { createThread, holdRuns } from '../../src/store/threads.ts';
import { type UsageWhich, usageByDay, usageOf } from '../../src/store/usage.ts';
import type { Person } from '../../src/tasks/task-engine.ts';
import { AgentTurn, createAgent, toolAsk } from '../support/agent-turn.ts';
import { askPolicy, openPolicy, TestEngine, type TestWorld } from '../support/test-engine.ts';

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

const tasks = () => deckhand.engine.tasks;
const taskRow = (id: string) => deckhand.db.task.findUniqueOrThrow({ where: { id } });
const runRow = (id: string) => deckhand.db.run.findUniqueOrThrow({ where: { id } });
const session = { id: 'ses-1', artifact: 'art_1' };

/** A turn that has ended, with its session kept. */
async function ended(change: Parameters<typeof createAgent>[2] = {}): Promise<AgentTurn> {
  const turn = await AgentTurn.begin(deckhand, world, runner, change);
  await deckhand.engine.agents.keepSession(turn.run, runner, session);
  await deckhand.runs.pinBase(turn.run, runner, { branch: 'main', commit: 'aaa' });
  const files = [{ path: 'a.ts', added: 1, removed: 0 }];
  await deckhand.finish(turn.run, runner, { commit: 'bbb', files });
  return turn;
}

function steer(turn: { task: string }, by: Person, origin: string, text = 'Use node 24.') {
  return deckhand.tx((tx) => tasks().steer(tx, { task: turn.task, text, when: 'next', by, origin }));
}

function follow(task: string, by: Person, originKey: string, rest: object = {}) {
  return deckhand.tx((tx) => tasks().followUp(tx, { task, text: 'And now the docs.', by, originKey, ...rest }));
}

describe('the task of an agent', () => {
  it('promise 2: is made once, queued without an approval, and says what it works with', async () => {
    const context = { text: '> Ben: it fails since monday', messages: 3 };
    const made = await createAgent(deckhand, world, { originKey: 'k1', context });
    expect(await createAgent(deckhand, world, { originKey: 'k1', context })).toEqual(made);
    expect(await deckhand.stateOf(made.run)).toBe('queued');
    expect(await deckhand.events(made.run)).toMatchObject([
      { type: 'lifecycle', to: 'queued' },
      { type: 'agent', agent: 'claude-code', mode: 'ask', model: null },
      { type: 'context', messages: 3, files: 0 },
    ]);
    const spec = await deckhand.claim(made.run, runner);
    expect(spec.agent).toMatchObject({ context: context.text, files: [], budgetUsd: null });
  });

  it('begins with what the project says', async () => {
    const agent = { ...defaultAgentDefaults, agent: 'codex', model: 'big', mode: 'plan', budgetUsd: 2 } as const;
    await deckhand.tx((tx) => changeAgentDefaults(tx, world.project, agent));
    const { task } = await createAgent(deckhand, world, { settings: { model: 'small' } });
    expect(await taskRow(task)).toMatchObject({
      kind: 'agent',
      budgetUsd: 2,
      agent: { agent: 'codex', model: 'small', mode: 'plan' },
    });
    await expect(createAgent(deckhand, world, { budgetUsd: 3 })).rejects.toMatchObject({ code: 'DH-202' });
    const more = await createAgent(deckhand, world, { budgetUsd: null, requester: world.people.ben });
    expect(await taskRow(more.task)).toMatchObject({ budgetUsd: null });
  });

  it('promise 7: guests give none, and only maintainers one that runs without asking', async () => {
    await expect(createAgent(deckhand, world, { requester: world.people.gus })).rejects.toMatchObject({ code: 'DH-202' });
    const settings = { mode: 'bypass' } as const;
    await expect(createAgent(deckhand, world, { settings })).rejects.toMatchObject({ code: 'DH-202' });
    const turn = await AgentTurn.begin(deckhand, world, runner, { settings, requester: world.people.ben });
    await turn.ask(toolAsk('a'));
    expect(await turn.decisions()).toMatchObject({ a: { verdict: 'allow' } });
  });

  it('is never run as a command', async () => {
    const { run } = await createAgent(deckhand, world);
    const spec = await deckhand.claim(run, runner);
    expect(await deckhand.authorise(spec, runner)).toMatchObject({ verdict: 'deny' });
  });

  it('a text that no agent can be given is refused', async () => {
    await expect(createAgent(deckhand, world, { prompt: ' \n' })).rejects.toMatchObject({ code: 'DH-201' });
    await expect(createAgent(deckhand, world, { prompt: 'x'.repeat(100_001) })).rejects.toMatchObject({ code: 'DH-201' });
  });
});

describe('what is said to an agent at work', () => {
  it('promise 2: is one mail and one event, is read once, and its origin is known', async () => {
    const turn = await AgentTurn.begin(deckhand, world, runner);
    const sent = await steer(turn, world.people.dev, 'slack/T/C/1');
    expect(sent).toMatchObject({ outcome: 'sent', message: 'm1', run: turn.run });
    expect(await steer(turn, world.people.dev, 'slack/T/C/1')).toMatchObject({ outcome: 'known', message: 'm1' });
    expect(await turn.mail()).toEqual([
      { seq: 1, mail: { type: 'message', message: 'm1', by: 'Dev', text: 'Use node 24.', when: 'next' } },
    ]);
    const read = { type: 'message_settled', message: 'm1', how: 'read' } as const;
    await turn.step({ state: 1, events: [read], mail: 1 });
    await turn.step({ state: 2, events: [read, { ...read, message: 'm9' }] });
    expect((await turn.types()).filter((type) => type === 'message_settled')).toHaveLength(1);
    expect(await messageOrigins(deckhand.db, [turn.run])).toEqual([
      { run: turn.run, message: 'm1', origin: 'slack/T/C/1', state: 'read' },
    ]);
  });

  it('may be edited and taken back until it is read', async () => {
    const turn = await AgentTurn.begin(deckhand, world, runner);
    for (const origin of ['o1', 'o2', 'o3']) await steer(turn, world.people.dev, origin);
    const change = (origin: string, text: string | null) =>
      deckhand.tx((tx) => tasks().changeMessage(tx, { workspace: world.workspace, origin, text, by: world.people.dev }));
    expect(await change('o1', 'Use node 22.')).toEqual({ outcome: 'changed' });
    expect(await change('o2', null)).toEqual({ outcome: 'dropped' });
    expect(await change('o2', 'again')).toEqual({ outcome: 'too_late' });
    expect(await change('o9', null)).toEqual({ outcome: 'unknown' });
    await turn.step({ state: 1, events: [{ type: 'message_settled', message: 'm3', how: 'read' }] });
    expect(await change('o3', 'late')).toEqual({ outcome: 'too_late' });
    expect((await turn.mail(3)).map(({ mail }) => mail)).toEqual([
      { type: 'message_changed', message: 'm1', text: 'Use node 22.' },
      { type: 'message_changed', message: 'm2', text: null },
    ]);
  });

  it('is told to be dropped when the run ends before it is read', async () => {
    const turn = await AgentTurn.begin(deckhand, world, runner);
    await steer(turn, world.people.dev, 'o1');
    await deckhand.runs.finishing(turn.run, runner);
    await expect(steer(turn, world.people.dev, 'late')).rejects.toMatchObject({ code: 'DH-300' });
    await deckhand.finish(turn.run, runner);
    expect(await deckhand.events(turn.run)).toContainEqual(
      expect.objectContaining({ type: 'message_settled', message: 'm1', how: 'dropped' }),
    );
    expect(await steer(turn, world.people.dev, 'o2')).toMatchObject({ outcome: 'at_rest' });
  });

  it('promise 7: grants nothing that the person does not have', async () => {
    const turn = await AgentTurn.begin(deckhand, world, runner, { requester: world.people.ben });
    await expect(steer(turn, world.people.gus, 'o1')).rejects.toMatchObject({ code: 'DH-202' });
    const change = (mode: 'bypass' | 'auto', by: Person) =>
      deckhand.tx((tx) => tasks().changeSettings(tx, turn.task, { mode }, by));
    await expect(change('bypass', world.people.dev)).rejects.toMatchObject({ code: 'DH-202' });
    await change('bypass', world.people.ben);
    await expect(steer(turn, world.people.dev, 'o2')).rejects.toMatchObject({ code: 'DH-202' });
    await expect(change('auto', world.people.dev)).rejects.toMatchObject({ code: 'DH-202' });
    expect(await steer(turn, world.people.ada, 'o3')).toMatchObject({ outcome: 'sent' });
    expect((await turn.mail()).map(({ mail }) => mail.type)).toEqual(['settings', 'message']);
  });

  it('promise 12: a task of another workspace is none', async () => {
    const turn = await AgentTurn.begin(deckhand, world, runner);
    const other = await deckhand.world();
    await expect(steer(turn, other.people.ada, 'o1')).rejects.toMatchObject({ code: 'DH-204' });
    const gone = { workspace: world.workspace, origin: 'o1', text: null, by: other.people.ada };
    expect(await deckhand.tx((tx) => tasks().changeMessage(tx, gone))).toEqual({ outcome: 'unknown' });
  });
});

describe('mode, model and effort', () => {
  it('change for the run and the task, by mail, and the run is planning or not as the mode says', async () => {
    const turn = await AgentTurn.begin(deckhand, world, runner);
    const change = (what: object) => deckhand.tx((tx) => tasks().changeSettings(tx, turn.task, what, world.people.dev));
    expect(await change({ mode: 'plan', model: 'big' })).toMatchObject({ settings: { mode: 'plan', model: 'big' } });
    expect(await turn.state()).toBe('planning');
    await change({ mode: 'plan' });
    await change({ mode: 'auto', effort: 'high' });
    expect(await turn.state()).toBe('executing');
    expect((await turn.mail()).map(({ mail }) => mail)).toEqual([
      { type: 'settings', mode: 'plan', model: 'big' },
      { type: 'settings', mode: 'auto', effort: 'high' },
    ]);
    expect(await taskRow(turn.task)).toMatchObject({ agent: { mode: 'auto', model: 'big', effort: 'high' } });
  });

  it('promise 7: bypass is refused where the agent is not isolated', async () => {
    const created = await createAgent(deckhand, world);
    const turn = await AgentTurn.of(deckhand, created, runner);
    await deckhand.db.run.update({ where: { id: turn.run }, data: { isolated: false } });
    const change = deckhand.tx((tx) => tasks().changeSettings(tx, turn.task, { mode: 'bypass' }, world.people.ada));
    await expect(change).rejects.toMatchObject({ code: 'DH-300' });
  });
});

describe('what follows a turn', () => {
  it('promise 2: a follow-up is one further run in the same session, on the same branch', async () => {
    const turn = await ended();
    const next = await follow(turn.task, world.people.dev, 'f1', { context: { text: '> x', messages: 1 } });
    expect(await follow(turn.task, world.people.dev, 'f1')).toEqual(next);
    await expect(follow(turn.task, world.people.dev, 'f2')).rejects.toMatchObject({ code: 'DH-300' });
    const spec = await deckhand.claim(next.run, runner);
    expect(spec).toMatchObject({ attempt: 2, head: 'bbb', base: { commit: 'aaa' }, subject: 'And now the docs.' });
    expect(turn.spec).not.toHaveProperty('subject');
    expect(spec.agent).toMatchObject({ prompt: 'And now the docs.', session, context: '> x', state: null });
  });

  it('promise 7: a follow-up by somebody else has no more than they could choose', async () => {
    const turn = await ended({ settings: { mode: 'bypass' }, requester: world.people.ben });
    await expect(follow(turn.task, world.people.gus, 'f0')).rejects.toMatchObject({ code: 'DH-202' });
    const next = await follow(turn.task, world.people.dev, 'f1');
    expect(await runRow(next.run)).toMatchObject({ agent: { mode: 'auto' } });
  });

  it('retry with another account begins a conversation of its own, on the same branch, and says the account', async () => {
    const turn = await ended();
    const other = await deckhand.tx((tx) => tasks().retry(tx, turn.task, world.people.dev, { account: 'team' }));
    const { agent, head } = await deckhand.claim(other.run, runner);
    expect(agent).toMatchObject({ settings: { account: 'team' }, session: null });
    expect(head).toBe('bbb');
    expect(await deckhand.events(other.run)).toContainEqual(expect.objectContaining({ type: 'agent', account: 'team' }));
    expect((await taskRow(turn.task)).agent).toMatchObject({ account: 'team' });
  });

  it('retry says the same again; with another agent it begins a conversation of its own', async () => {
    const turn = await ended({ settings: { agent: 'claude-code', model: 'big' } });
    const again = await deckhand.tx((tx) => tasks().retry(tx, turn.task, world.people.dev));
    expect((await deckhand.claim(again.run, runner)).agent).toMatchObject({ prompt: 'Fix the failing test.', session });
    await deckhand.runs.finish(again.run, runner, {
      outcome: 'failed',
      cause: 'internal',
      message: 'x',
      durationMs: 1,
      files: [],
      artifacts: [],
    });
    const other = await deckhand.tx((tx) => tasks().retry(tx, turn.task, world.people.dev, { agent: 'codex' }));
    const spec = await deckhand.claim(other.run, runner);
    expect(spec).toMatchObject({ branch: turn.spec.branch, head: 'bbb' });
    expect(spec.agent).toMatchObject({ session: null, settings: { agent: 'codex', model: null } });
  });

  it('promise 2: a fork is a task of its own that begins where the other is', async () => {
    const turn = await ended();
    const input = { task: turn.task, text: 'Try it with redis.', by: world.people.dev, channel: world.channel, thread: null };
    const fork = () => deckhand.tx((tx) => tasks().fork(tx, { ...input, originKey: 'fork-1' }));
    const made = await fork();
    expect(await fork()).toEqual(made);
    expect(made.task).not.toBe(turn.task);
    expect(await taskRow(made.task)).toMatchObject({ forkedFromId: turn.task, spentUsd: 0 });
    const spec = await deckhand.claim(made.run, runner);
    expect(spec).toMatchObject({ head: 'bbb', base: { branch: 'main', commit: 'aaa' } });
    expect(spec.branch).not.toBe(turn.spec.branch);
    expect(spec.agent).toMatchObject({ session, prompt: 'Try it with redis.' });
  });

  it('a command is no agent to speak to', async () => {
    const { task } = await deckhand.create(world, 'ls');
    await expect(steer({ task }, world.people.dev, 'o1')).rejects.toMatchObject({ code: 'DH-300' });
    await expect(follow(task, world.people.dev, 'f1')).rejects.toMatchObject({ code: 'DH-300' });
  });
});

describe('what an agent costs', () => {
  const asked = (request: string) => ({ request, model: 'm', mostUsd: 0.01 });
  const usage = { model: 'm', input: 100, output: 20, cacheRead: 5, cacheWrite: 7, costUsd: 0.6, firstByteMs: 12 };

  it('is counted on run, task, person and project', async () => {
    const turn = await AgentTurn.begin(deckhand, world, runner);
    for (const costUsd of [0.6, null]) {
      expect(await deckhand.engine.agents.used(turn.run, runner, { ...usage, costUsd })).toBe(true);
    }
    expect(await deckhand.engine.agents.used(turn.run, 'rnr_other', usage)).toBe(false);
    const spent = { costUsd: 0.6, input: 200, output: 40, cacheRead: 10, cacheWrite: 14 };
    expect(await usageOf(deckhand.db, { run: turn.run })).toEqual(spent);
    expect(await usageOf(deckhand.db, { task: turn.task })).toEqual(spent);
    const used = (which: Partial<UsageWhich>) =>
      usageByDay(deckhand.db, { workspace: world.workspace, since: '2026-03-01', until: '2026-03-01', ...which }, []);
    const day = { ...spent, day: '2026-03-01', parts: {}, requests: 2, unpriced: 1 };
    expect(await used({})).toEqual([day]);
    expect(await used({ projects: [world.project], people: [world.people.dev.user], channel: world.channel })).toEqual([day]);
    for (const none of [{ people: [world.people.ben.user] }, { projects: [] }, { since: '2026-03-02', until: '2026-04-01' }]) {
      expect(await used(none)).toEqual([]);
    }
  });

  it('promise 8: a request to a model is counted once, however often the runner says so', async () => {
    const turn = await AgentTurn.begin(deckhand, world, runner);
    for (const request of ['r1', 'r1', 'r2']) await deckhand.engine.agents.used(turn.run, runner, usage, request);
    expect(await usageOf(deckhand.db, { run: turn.run })).toMatchObject({ costUsd: 1.2, input: 200 });
    expect((await turn.types()).filter((type) => type === 'usage')).toHaveLength(2);
  });

  it('promise 7: with the budget used up people are asked once, and their word counts', async () => {
    const turn = await AgentTurn.begin(deckhand, world, runner, { budgetUsd: 1, requester: world.people.ben });
    const may = (request: string) => deckhand.engine.agents.maySpend(turn.run, runner, asked(request));
    expect(await may('r1')).toEqual({ verdict: 'go' });
    for (const _ of [1, 2]) await deckhand.engine.agents.used(turn.run, runner, usage);
    expect([await may('r2'), await may('r3')]).toEqual([{ verdict: 'wait' }, { verdict: 'wait' }]);
    expect(await turn.state()).toBe('awaiting');
    expect(await deckhand.db.interaction.count({ where: { runId: turn.run, kind: 'spend' } })).toBe(1);
    expect(await turn.decide('spend/1', world.people.dev)).toMatchObject({ result: 'not_allowed' });
    expect(await turn.decide('spend/1', world.people.ben)).toMatchObject({ result: 'decided', state: 'approved' });
    expect(await turn.state()).toBe('executing');
    expect(await may('r2')).toEqual({ verdict: 'go' });
    expect(await taskRow(turn.task)).toMatchObject({ budgetUsd: 2.2 });
    for (const _ of [1, 2]) await deckhand.engine.agents.used(turn.run, runner, usage);
    expect(await may('r4')).toEqual({ verdict: 'wait' });
    await turn.decide('spend/2.2', world.people.ben, 'deny', { reason: 'Enough.' });
    expect(await may('r4')).toMatchObject({ verdict: 'deny', because: expect.stringContaining('Enough.') });
    expect(await turn.mail()).toEqual([]);
  });

  it('a budget that is raised by hand settles what waits; raising it is for those who approve', async () => {
    const turn = await AgentTurn.begin(deckhand, world, runner, { budgetUsd: 0.5, requester: world.people.ben });
    await deckhand.engine.agents.used(turn.run, runner, usage);
    await deckhand.engine.agents.maySpend(turn.run, runner, asked('r1'));
    const set = (usd: number | null, by: Person) => deckhand.tx((tx) => tasks().setBudget(tx, turn.task, usd, by, 'slack'));
    await expect(set(2, world.people.dev)).rejects.toMatchObject({ code: 'DH-202' });
    await expect(set(null, world.people.dev)).rejects.toMatchObject({ code: 'DH-202' });
    await set(0.4, world.people.dev);
    expect(await turn.state()).toBe('awaiting');
    await set(2, world.people.ben);
    expect(await turn.state()).toBe('executing');
    expect(await deckhand.engine.agents.maySpend(turn.run, runner, asked('r1'))).toEqual({ verdict: 'go' });
  });

  it('a project that runs everything still asks for money', async () => {
    const open = await deckhand.world({ policy: openPolicy });
    const turn = await AgentTurn.begin(deckhand, open, runner, { budgetUsd: 0, requester: open.people.ben });
    expect(await deckhand.engine.agents.maySpend(turn.run, runner, asked('r1'))).toEqual({ verdict: 'wait' });
  });
});

describe('attempts side by side', () => {
  const files = [{ path: 'a.ts', added: 1, removed: 0 }];
  const ids = async (task: string) => {
    const rows = await deckhand.db.run.findMany({ where: { taskId: task }, orderBy: { attempt: 'asc' }, select: { id: true } });
    return rows.map(({ id }) => id);
  };
  const choose = (run: string, by: Person = world.people.dev) => deckhand.tx((tx) => tasks().choose(tx, run, by));
  const refused = (work: Promise<unknown>) => work.then(() => undefined).catch((error: { code?: string }) => error.code);
  const comparisons = async (runs: readonly string[]) =>
    (await Promise.all(runs.map((run) => deckhand.events(run)))).flatMap((events) =>
      events.filter(({ type }) => type === 'compared'),
    );

  /** A task whose attempts are at work. */
  async function begun(count: number, budgetUsd: number | null = null, by: 'dev' | 'ben' = 'dev'): Promise<AgentTurn[]> {
    world = await deckhand.world({ policy: askPolicy, limits: { concurrency: 5 } });
    const attempts = Array.from({ length: count }, () => ({}));
    const created = await createAgent(deckhand, world, { attempts, requester: world.people[by], budgetUsd });
    const turns: AgentTurn[] = [];
    for (const run of await ids(created.task)) turns.push(await AgentTurn.of(deckhand, { ...created, run }, runner));
    return turns;
  }

  /** Ends an attempt with a change of its own, or with nothing changed. */
  async function end(turn: AgentTurn, name: string, commit: string | undefined, result: object = {}): Promise<void> {
    await deckhand.engine.agents.keepSession(turn.run, runner, { id: `ses-${name}`, artifact: null });
    await deckhand.runs.pinBase(turn.run, runner, { branch: 'main', commit: name });
    const changed = commit === undefined ? {} : { commit, tree: `tree-${commit}`, files };
    await deckhand.finish(turn.run, runner, { ...changed, ...result });
  }

  it('promise 2: begin once, with what each has of its own, at one base, and are from two to five', async () => {
    const attempts = [{}, { agent: 'codex' } as const];
    const created = await createAgent(deckhand, world, { originKey: 'k3', attempts });
    await createAgent(deckhand, world, { originKey: 'k3', attempts });
    const runs = await deckhand.db.run.findMany({ where: { taskId: created.task }, orderBy: { attempt: 'asc' } });
    expect(runs).toMatchObject([
      { attempt: 1, variant: 1, state: 'queued', agent: { agent: 'claude-code' } },
      { attempt: 2, variant: 2, state: 'queued', agent: { agent: 'codex', mode: 'ask' } },
    ]);
    expect(await taskRow(created.task)).toMatchObject({ comparison: 'running', attempts: 2, column: 'queued', head: null });
    for (const many of [1, 6]) {
      const some = Array.from({ length: many }, () => ({}));
      expect(await refused(createAgent(deckhand, world, { attempts: some }))).toBe('DH-201');
    }
    expect(await refused(createAgent(deckhand, world, { attempts: [{}, { mode: 'bypass' }] }))).toBe('DH-202');
  });

  it('keep what they leave apart; the task goes on from the one that is chosen, once', async () => {
    const [one, two, three] = await begun(3);
    if (one === undefined || two === undefined || three === undefined) throw new Error('three begin');
    expect(two.spec).toMatchObject({ variant: 2, head: null });
    await end(one, 'one', 'c1');
    expect(await deckhand.columnOf(one.task)).toMatchObject({ column: 'running' });
    await end(two, 'two', 'c2');
    expect(await refused(choose(one.run))).toBe('DH-300');
    expect(await taskRow(one.task)).toMatchObject({ head: null, session: null, baseCommit: 'one' });
    await end(three, 'three', undefined);
    expect(await deckhand.columnOf(one.task)).toEqual({ column: 'review', reason: '3 attempts are to be compared.' });
    expect(await comparisons(await ids(one.task))).toMatchObject([
      { attempts: [{ variant: 1, totals: { files: 1 } }, { variant: 2 }, { variant: 3, outcome: 'succeeded' }] },
    ]);
    const { dev, gus, ben } = world.people;
    const publish = (run: string) => deckhand.tx((tx) => tasks().publish(tx, { run, what: 'push', by: ben, on: 'slack' }));
    const open = [publish(one.run), follow(one.task, dev, 'f1'), deckhand.tx((tx) => tasks().retry(tx, one.task, dev))];
    expect(await Promise.all(open.map(refused))).toEqual(['DH-315', 'DH-315', 'DH-315']);
    expect(await refused(deckhand.tx((tx) => tasks().move(tx, one.task, 'queued', dev)))).toBe('DH-315');
    expect(await refused(choose(two.run, gus))).toBe('DH-202');
    expect(await refused(choose(three.run))).toBe('DH-300');
    const other = await deckhand.world({});
    expect(await refused(choose(two.run, other.people.ada))).toBe('DH-208');

    expect(await choose(two.run)).toMatchObject({ variant: 2, outcome: 'chosen' });
    expect(await choose(two.run)).toMatchObject({ variant: 2, outcome: 'known' });
    expect(await refused(choose(one.run))).toBe('DH-316');
    expect(await refused(publish(one.run))).toBe('DH-316');
    expect(await taskRow(one.task)).toMatchObject({
      comparison: 'chosen',
      chosenRunId: two.run,
      head: 'c2',
      session: { id: 'ses-two' },
      column: 'review',
      reason: null,
    });
    for (const run of await ids(one.task)) {
      expect((await deckhand.events(run)).filter(({ type }) => type === 'chosen')).toMatchObject([{ run: two.run, variant: 2 }]);
    }
    expect((await deckhand.audits('attempt.chosen')).filter(({ subject }) => subject === two.run)).toHaveLength(1);
    expect(await publish(two.run)).toMatchObject({ outcome: 'approved' });
    const { run } = await follow(one.task, dev, 'f2');
    expect(await deckhand.claim(run, runner)).toMatchObject({ attempt: 4, head: 'c2', agent: { session: { id: 'ses-two' } } });
  });

  it('promise 8: what ends the last of them, and what chooses one, is whole or nothing when the process is killed on the way', async () => {
    const [one, two] = await begun(2);
    if (one === undefined || two === undefined) throw new Error('two begin');
    const { db } = deckhand;
    /** Ends the connection when an event of this type is stored: what the database sees of a kill. */
    const killedAt = async (type: string, work: () => Promise<unknown>) => {
      await db.$executeRawUnsafe(
        'CREATE FUNCTION die() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN PERFORM pg_terminate_backend(pg_backend_pid()); RETURN NEW; END $$',
      );
      await db.$executeRawUnsafe(
        `CREATE TRIGGER die AFTER INSERT ON "RunEvent" FOR EACH ROW WHEN (NEW."type" = '${type}') EXECUTE FUNCTION die()`,
      );
      await expect(work()).rejects.toThrow();
      await db.$executeRawUnsafe('DROP FUNCTION die() CASCADE');
    };
    const eventsOf = async (type: string) =>
      (await Promise.all((await ids(one.task)).map((run) => deckhand.events(run)))).flat().filter((event) => event.type === type);

    await end(one, 'one', 'c1');
    await killedAt('compared', () => end(two, 'two', 'c2'));
    expect(await taskRow(one.task)).toMatchObject({ comparison: 'running', column: 'running' });
    expect([(await eventsOf('terminal')).length, (await eventsOf('compared')).length]).toEqual([1, 0]);
    await deckhand.finish(two.run, runner, { commit: 'c2', tree: 'tree-c2', files });
    expect([(await eventsOf('terminal')).length, (await eventsOf('compared')).length]).toEqual([2, 1]);
    expect(await taskRow(one.task)).toMatchObject({ comparison: 'open', column: 'review' });

    await killedAt('chosen', () => choose(two.run));
    expect(await taskRow(one.task)).toMatchObject({ comparison: 'open', chosenRunId: null, head: null, session: null });
    expect(await eventsOf('chosen')).toEqual([]);
    const pressed = await Promise.allSettled([choose(one.run), choose(two.run, world.people.ben)]);
    const heard = pressed.findIndex(({ status }) => status === 'fulfilled');
    expect(pressed[1 - heard]).toMatchObject({ status: 'rejected', reason: { code: 'DH-316' } });
    expect(await taskRow(one.task)).toMatchObject({ comparison: 'chosen', head: ['c1', 'c2'][heard] });
    expect(await eventsOf('chosen')).toHaveLength(2);
  });

  it('are stopped and spoken to together, each message once, edited and taken back in all', async () => {
    const [one, two] = await begun(2);
    if (one === undefined || two === undefined) throw new Error('two begin');
    await steer(one, world.people.dev, 'both');
    expect(await steer(one, world.people.dev, 'both')).toMatchObject({ outcome: 'known' });
    for (const turn of [one, two]) expect(await turn.mail()).toMatchObject([{ mail: { type: 'message', text: 'Use node 24.' } }]);
    await two.step({ events: [{ type: 'message_settled', message: 'm1', how: 'read' }], mail: 1 });
    const changed = { workspace: world.workspace, origin: 'both', text: null, by: world.people.dev };
    expect(await deckhand.tx((tx) => tasks().changeMessage(tx, changed))).toEqual({ outcome: 'dropped' });
    expect((await one.mail()).map(({ mail }) => mail.type)).toEqual(['message', 'message_changed']);
    expect(await two.mail()).toHaveLength(1);
    const stop = () => deckhand.tx((tx) => tasks().stop(tx, one.task, world.people.dev));
    expect([(await stop()).outcome, (await stop()).outcome]).toEqual(['stopping', 'already_stopping']);
    for (const turn of [one, two])
      await deckhand.finish(turn.run, runner, { outcome: 'cancelled', cause: 'stopped', message: 'Stopped.' });
    expect(await deckhand.columnOf(one.task)).toMatchObject({ column: 'cancelled' });
    expect(await taskRow(one.task)).toMatchObject({ comparison: 'unchanged' });
    const again = await deckhand.tx((tx) => tasks().retry(tx, one.task, world.people.dev));
    expect(await runRow(again.run)).toMatchObject({ attempt: 3, variant: null });
  });

  it('may all be discarded, and are taken up again by a choice', async () => {
    const [one, two] = await begun(2);
    if (one === undefined || two === undefined) throw new Error('two begin');
    await end(one, 'one', 'c1');
    await end(two, 'two', 'c2', { outcome: 'failed', cause: 'agent', message: 'It gave up.' });
    const discard = () => deckhand.tx((tx) => tasks().discard(tx, two.run, world.people.dev));
    for (const _ of [1, 2]) await discard();
    expect(await deckhand.columnOf(one.task)).toEqual({ column: 'cancelled', reason: 'Dev discarded all attempts.' });
    expect((await one.types()).filter((type) => type === 'discarded')).toHaveLength(1);
    await choose(two.run);
    expect(await taskRow(one.task)).toMatchObject({ column: 'review', head: 'c2' });
  });

  it('are all shown to a thread that begins to follow them, the first of them opening it, with what compares them', async () => {
    const [one, two] = await begun(2);
    if (one === undefined || two === undefined) throw new Error('two begin');
    const { workspace, channel } = world;
    const followed = () =>
      deckhand.tx(async (tx) => {
        const thread = await createThread(tx, { workspace, task: one.task, channel, externalId: null, at: deckhand.clock.now() });
        const at = { task: one.task, thread, now: deckhand.clock.now(), docs: undefined };
        const cards = await firstCards(tx, at);
        const last = await lastCards(tx, { ...at, workspace, number: 1, by: 'Ben', runs: await holdRuns(tx, one.task) });
        const opening = cards.filter(({ target }) => target.type === 'thread' && target.anchor);
        expect([opening.map(({ key }) => key.split(':')[1]), last]).toEqual([[one.run], []]);
        return cards.map(({ key }) => key.split(':').slice(0, 2).join(' '));
      });
    expect(await followed()).toEqual([`live ${one.run}`, `live ${two.run}`]);
    await end(one, 'one', 'c1');
    expect(await followed()).toEqual([`live ${one.run}`, `end ${one.run}`, `live ${two.run}`]);
    await end(two, 'two', 'c2');
    expect(await followed()).toEqual([
      `live ${one.run}`,
      `end ${one.run}`,
      `compare ${one.run}`,
      `live ${two.run}`,
      `end ${two.run}`,
    ]);
  });

  it('promise 8: go on from what they had themselves when they waited without a sandbox', async () => {
    const [one, two] = await begun(2);
    if (one === undefined || two === undefined) throw new Error('two begin');
    await deckhand.runs.pinBase(one.run, runner, { branch: 'main', commit: 'base' });
    await one.ask(toolAsk('a'));
    expect(await deckhand.columnOf(one.task)).toMatchObject({ column: 'running' });
    await deckhand.engine.agents.release(one.run, runner, { session: { id: 'ses-one', artifact: null }, head: 'c1' });
    expect(await taskRow(one.task)).toMatchObject({ head: null, session: null });
    await end(two, 'two', 'c2');
    expect(await deckhand.columnOf(one.task)).toMatchObject({ column: 'blocked' });
    await one.decide('a', world.people.ben);
    expect(await one.claim()).toMatchObject({ head: 'c1', agent: { session: { id: 'ses-one' }, resumed: true } });
  });

  it('promise 7: share one budget; raising it for one lets all go on', async () => {
    const [one, two] = await begun(2, 1, 'ben');
    if (one === undefined || two === undefined) throw new Error('two begin');
    const used = { model: 'm', input: 1, output: 1, cacheRead: 0, cacheWrite: 0, costUsd: 0.5, firstByteMs: 1 };
    for (const { run } of [one, two]) await deckhand.engine.agents.used(run, runner, used);
    const may = ({ run }: AgentTurn) => deckhand.engine.agents.maySpend(run, runner, { request: 'r', model: 'm', mostUsd: 0.1 });
    expect([await may(one), await may(two)]).toEqual([{ verdict: 'wait' }, { verdict: 'wait' }]);
    await one.decide('spend/1', world.people.ben);
    expect([await one.state(), await two.state()]).toEqual(['executing', 'executing']);
    expect([await may(one), await may(two)]).toEqual([{ verdict: 'go' }, { verdict: 'go' }]);
  });

  it('however they end, are stopped and are chosen from: one comparison, one choice at most, and its commit', async () => {
    const step = fc.oneof(
      fc.record({ type: fc.constantFrom('change', 'nothing', 'fail', 'choose'), at: fc.nat(2) }),
      fc.record({ type: fc.constantFrom('stop', 'discard'), at: fc.nat(2) }),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 12 }), async (steps) => {
        const turns = await begun(3);
        const [{ task } = { task: '' }] = turns;
        const over = new Set<string>();
        const finish = async (turn: AgentTurn, how: string) => {
          if (over.has(turn.run)) return;
          over.add(turn.run);
          const failed = { outcome: 'failed', cause: 'agent', message: 'It gave up.' } as const;
          await end(turn, turn.run, how === 'change' ? `c-${turn.run}` : undefined, how === 'fail' ? failed : {});
        };
        for (const { type, at } of steps) {
          const turn = turns[at];
          if (turn === undefined) throw new Error('three begin');
          if (type === 'choose') await refused(choose(turn.run));
          else if (type === 'stop') await refused(deckhand.tx((tx) => tasks().stop(tx, task, world.people.dev)));
          else if (type === 'discard') await refused(deckhand.tx((tx) => tasks().discard(tx, turn.run, world.people.dev)));
          else await finish(turn, type);
        }
        const runs = turns.map(({ run }) => run);
        expect(await comparisons(runs)).toHaveLength(over.size === 3 ? 1 : 0);
        for (const turn of turns) await finish(turn, 'nothing');
        expect(await comparisons(runs)).toHaveLength(1);
        const { comparison, chosenRunId, head, column } = await taskRow(task);
        const changed = await deckhand.db.run.count({ where: { taskId: task, head: { not: null } } });
        if (changed === 0) expect([comparison, head]).toEqual(['unchanged', null]);
        else expect(comparison).toBe(chosenRunId === null ? 'open' : 'chosen');
        expect(head).toBe(chosenRunId === null ? null : `c-${chosenRunId}`);
        expect(['review', 'done', 'backlog', 'cancelled']).toContain(column);
        expect((await deckhand.events(runs[0] ?? '')).filter(({ type }) => type === 'chosen')).toHaveLength(
          chosenRunId === null ? 0 : 1,
        );
      }),
      { numRuns: 8 },
    );
  });
});
