import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { encodePress } from '../../src/contracts/press.ts';
import { accounts, type Desk, mention, openDesk, press, reply, slash } from '../support/desk.ts';
import { atWork, eventsOf, offer, offerAgents } from '../support/desk-agent.ts';

let desk: Desk;
let runner: string;
beforeAll(async () => {
  desk = await openDesk();
  runner = await offerAgents(
    desk,
    offer('claude', {
      models: { names: ['claude-opus-5', 'claude-sonnet-4-5-20250929'], from: 'server', usual: 'claude-sonnet-5-5' },
    }),
    offer('claude-code', {
      models: { names: ['claude-opus-5'], from: 'prices', usual: null },
      changes: { mode: true, model: true, effort: false },
      steering: { next: true, now: false },
    }),
    offer('codex', { available: false, why: 'Codex is not installed where agents run.', remedy: 'Run `npm run image`.' }),
  );
});
afterAll(() => desk[Symbol.asyncDispose]());

const taskRow = (number: number) => desk.database.db.task.findFirstOrThrow({ where: { number }, include: { runs: true } });
const textOf = async (...event: Parameters<Desk['act']>) => (await desk.act(...event)).map(({ text }) => text).join('\n');
let threads = 50;

async function working(options = '') {
  threads += 1;
  await desk.act(mention('ben', `run ${options} fix the failing test`, { message: `${threads}.001` }));
  return { thread: `${threads}.001`, ...(await atWork(desk, runner)) };
}

describe('`agents`', () => {
  it('says which can work, with version, model and modes, and what to do for the others', async () => {
    const text = await textOf(slash('gus', 'agents'));
    expect(text).toMatch(/✔ claude the built-in loop/);
    expect(text).toMatch(
      /✔ claude-code Claude Code 1\.2\.3\n.*modes: auto, ask, acceptEdits, plan, bypass.*cannot be interrupted/,
    );
    expect(text).toContain('fixed while it works: effort');
    expect(text).toContain('models: claude-sonnet-5-5 (default), claude-opus-5, claude-sonnet-4-5-20250929');
    expect(text).toMatch(/models: claude-opus-5; the default is its own choice; its server does not list its models/);
    expect(text).toMatch(/✖ codex .*: Codex is not installed where agents run\. Run npm run image\./);
    expect(text).toContain('demo uses claude in mode auto, budget of a task: no limit');
  });
});

describe('how an agent works', () => {
  it('`mode`, `model` and `effort` change it in its thread or by number, and everybody there is told', async () => {
    const { number, run, thread } = await working();
    const [said] = await desk.act(reply('ben', 'mode ask', thread));
    expect(said).toMatchObject({ only: undefined, thread, text: `The mode of #${number} is ask from now on.` });
    await desk.act(slash('ben', `model #${number} claude-sonnet-4-5`));
    await desk.act(slash('ben', `effort #${number} high`));
    expect(await taskRow(number)).toMatchObject({ agent: { mode: 'ask', model: 'claude-sonnet-4-5', effort: 'high' } });
    expect((await eventsOf(desk, run, 'agent')).at(-1)).toMatchObject({
      mode: 'ask',
      model: 'claude-sonnet-4-5',
      effort: 'high',
    });
  });

  it('`model` knows what the server has: others are refused where it says so, and doubted where it does not', async () => {
    const { number } = await working();
    expect(await textOf(slash('ben', `model #${number} claude-opus-6`))).toMatch(
      /has no model `claude-opus-6`\. Did you mean `claude-opus-5`\?.*DH-216/,
    );
    expect(await textOf(slash('ben', `model #${number} zebra`))).toMatch(/It has `?claude-sonnet-5-5`? \(default\)/);
    for (const name of ['claude-sonnet-5-5', 'claude-sonnet-4-5', 'claude-opus-5[1m]']) {
      expect(await textOf(slash('ben', `model #${number} ${name}`)), name).toBe(
        `The model of #${number} is ${name} from now on.`,
      );
    }
    expect(await textOf(mention('ben', 'run model=zebra do it', { message: '48.001' }))).toMatch(/has no model `zebra`.*DH-216/);
    const other = await working('agent=claude-code');
    expect(await textOf(slash('ben', `model #${other.number} opus`))).toBe(`The model of #${other.number} is opus from now on.`);
    expect(await textOf(slash('ben', `model #${other.number} claude-opus-6`))).toMatch(
      /from now on\. It is not known here whether the server of claude-code has it.*Did you mean claude-opus-5\?/,
    );
    expect(await taskRow(other.number)).toMatchObject({ agent: { model: 'claude-opus-6' } });
  });

  it('`default` gives the choice of model and effort back to the agent, from its next run on', async () => {
    const turn = await working('model=claude-opus-5 effort=high');
    const { number, run } = turn;
    for (const what of ['model', 'effort']) {
      expect(await textOf(slash('ben', `${what} #${number} default`))).toBe(
        `The ${what} of #${number} is the agent's own choice from its next run on.`,
      );
    }
    const { agent, runs } = await taskRow(number);
    expect(agent).toMatchObject({ model: null, effort: null });
    expect(runs[0]?.agent).toMatchObject({ model: 'claude-opus-5', effort: 'high' });
    expect(await eventsOf(desk, run, 'agent')).toHaveLength(1);
    await turn.end();
    expect(await textOf(slash('ben', `model #${number} claude-opus-5`))).toContain('is claude-opus-5 from now on');
    expect(await textOf(slash('ben', `model #${number} default`))).toContain("is the agent's own choice from now on");
  });

  it('what the agent cannot change at work, and words that mean nothing, are refused', async () => {
    const { number, thread } = await working('agent=claude-code');
    expect(await textOf(slash('ben', `effort #${number} high`))).toMatch(/cannot change its effort while it works.*DH-216/);
    expect(await textOf(reply('ben', 'mode fast', thread))).toMatch(/`fast` is none of .*DH-201/);
    expect(await textOf(slash('ben', `mode #${number} bypass`))).toMatch(/DH-202/);
    expect(await textOf(slash('gus', `mode #${number} ask`))).toMatch(/DH-202/);
    expect(await taskRow(number)).toMatchObject({ agent: { mode: 'auto', effort: null } });
  });

  it('`budget` limits what a task may cost; more is for those who approve', async () => {
    const { number, thread } = await working();
    expect(await textOf(reply('ben', 'budget 2.50', thread))).toContain(`The budget of #${number} is $2.50; it has cost $0.00`);
    expect((await taskRow(number)).budgetUsd).toBe(2.5);
    await desk.act(slash('mia', `budget #${number} none`));
    expect((await taskRow(number)).budgetUsd).toBeNull();
    expect(await textOf(slash('ben', `budget #${number} much`))).toMatch(/`much` is not an amount of US dollars.*DH-201/);
  });

  it('the task of a command has none of it', async () => {
    await desk.act(mention('ben', 'sh make', { message: '49.001' }));
    const row = await desk.database.db.task.findFirstOrThrow({ where: { kind: 'command' } });
    for (const text of ['mode #N ask', 'budget #N 5', 'steer #N hello', 'fork #N do more']) {
      expect(await textOf(slash('ben', text.replace('N', String(row.number)))), text).toMatch(/DH-300/);
    }
    expect(await desk.act(reply('ben', 'nice work', '49.001'))).toEqual([]);
  });
});

describe('going on', () => {
  it('`steer #n` speaks to an agent from anywhere', async () => {
    const turn = await working();
    const text = await textOf(slash('ben', `steer #${turn.number} now look at "session.ts"`));
    expect(text).toBe(`The agent of #${turn.number} is interrupted with it.`);
    expect(await turn.heard()).toEqual([{ text: 'look at "session.ts"', when: 'now' }]);
  });

  it('`fork #n` makes a new task from one at rest', async () => {
    const turn = await working();
    expect(await textOf(slash('ben', `fork #${turn.number} another way`))).toMatch(/DH-300/);
    await turn.end();
    await desk.act(slash('ben', `fork #${turn.number} try a queue,\nwith two lines`));
    const made = await desk.database.db.task.findFirstOrThrow({ orderBy: { number: 'desc' } });
    expect(made).toMatchObject({ forkedFromId: turn.task, command: 'try a queue,\nwith two lines' });
    expect(await textOf(slash('ben', 'fork try a queue'))).toMatch(/#task is missing.*DH-201/);
  });

  it('`retry` runs it again as it was, or with another agent, mode or model', async () => {
    const turn = await working();
    await turn.end();
    expect(await textOf(slash('ben', `retry #${turn.number} agent=codex`))).toMatch(/Codex is not installed.*DH-215/);
    await desk.act(slash('ben', `retry #${turn.number} agent=claude-code mode=plan`));
    const row = await taskRow(turn.number);
    expect(row).toMatchObject({ agent: { agent: 'claude-code', mode: 'plan', model: null } });
    expect(row.runs).toHaveLength(2);
  });
});

describe('what agents of a project begin with', () => {
  it('is set by `settings`, shown there, and counts for new tasks', async () => {
    expect(await textOf(slash('ben', 'settings agent=claude-code'))).toMatch(/DH-202/);
    const shown = await textOf(
      slash('mia', 'settings agent=claude-code mode=ask model=opus effort=high budget=5 hosts=npm,files.example.org'),
    );
    for (const part of [
      /agent: claude-code in mode ask/,
      /model: opus/,
      /budget: \$5\.00 a task/,
      /hosts: npm, files\.example\.org/,
    ]) {
      expect(shown).toMatch(part);
    }
    const { number, run } = await working();
    expect(await taskRow(number)).toMatchObject({
      budgetUsd: 5,
      agent: { agent: 'claude-code', mode: 'ask', model: 'opus', effort: 'high' },
    });
    const claimed = await desk.engine.runs.claim(run, runner);
    expect(claimed).toMatchObject({
      spec: { agent: { hosts: ['registry.npmjs.org', 'registry.yarnpkg.com', 'files.example.org'] } },
    });
    await desk.act(slash('mia', 'settings agent=claude budget=none hosts-=npm'));
    const project = await desk.database.db.project.findUniqueOrThrow({ where: { id: desk.demo.id } });
    expect(project.agent).toMatchObject({
      agent: 'claude',
      model: null,
      effort: null,
      budgetUsd: null,
      hosts: ['files.example.org'],
    });
  });

  it.each(['*.com', '10.0.0.1', 'localhost', 'https://a.example', 'a.example:443', 'nmp'])('takes no host %s', async (host) => {
    expect(await desk.act(slash('mia', `settings hosts+=${host}`))).toMatchObject([
      { only: accounts.mia, text: expect.stringMatching(/DH-201/) },
    ]);
  });
});

describe('several attempts', () => {
  /** Lets every attempt at the newest task work, and end with a change of its own. */
  async function ended(): Promise<{ number: number; runs: string[] }> {
    const task = await desk.database.db.task.findFirstOrThrow({ orderBy: { number: 'desc' }, include: { runs: true } });
    const ids = task.runs.toSorted((one, other) => one.attempt - other.attempt).map(({ id }) => id);
    await desk.engine.runs.beat(runner);
    await desk.engine.sweep();
    for (const [place, run] of ids.entries()) {
      const claimed = await desk.engine.runs.claim(run, runner);
      if (!claimed.ok) throw new Error(`not claimed: ${claimed.reason}`);
      await desk.engine.runs.executing(run, runner, { kind: 'docker', ref: `box-${run}`, isolated: true });
      await desk.engine.runs.finishing(run, runner);
      const change = { commit: `${place}`.repeat(40), tree: 'a'.repeat(40), files: [{ path: 'a.ts', added: 1, removed: 0 }] };
      const result = { outcome: 'succeeded', message: 'It is done.', durationMs: 1, artifacts: [], ...change } as const;
      await desk.engine.runs.finish(run, runner, { ...result, files: [...result.files], artifacts: [] });
    }
    return { number: task.number, runs: ids };
  }

  it('`run attempts=2` begins them with the agents that are named; one is chosen by its button or by `choose`', async () => {
    await desk.act(mention('ben', 'run agents=claude,claude-code attempts=2 fix the failing test', { message: '90.001' }));
    expect(await textOf(slash('ben', 'choose 1'))).toContain('DH-207');
    const { number, runs } = await ended();
    expect((await taskRow(number)).runs.toSorted((one, other) => one.attempt - other.attempt)).toMatchObject([
      { agent: { agent: 'claude' } },
      { agent: { agent: 'claude-code' } },
    ]);
    expect(await textOf(slash('gus', 'tasks'))).toContain('2 attempts to choose from');
    for (const command of ['push', 'retry', 'rebase']) {
      expect(await textOf(slash('ben', `${command} #${number}`)), command).toContain('DH-315');
    }
    expect(await textOf(slash('ben', `diff #${number}`))).toContain(`diff #${number} attempt=1`);
    expect(await textOf(slash('gus', `diff #${number} attempt=2`))).toContain('changes: 1 file +1 −0');
    expect(await textOf(slash('ben', `choose #${number} 3`))).toContain('Its attempts are 1 to 2.');
    expect(await textOf(slash('gus', `choose #${number} 2`))).toContain('DH-202');
    await desk.act(press('ben', encodePress({ kind: 'change', run: runs[1] ?? '', verb: 'choose' })));
    expect(await taskRow(number)).toMatchObject({ chosenRunId: runs[1], head: '1'.repeat(40) });
    expect(await textOf(slash('ben', `choose #${number} 2`))).toContain(`#${number} goes on already from attempt 2.`);
    expect(await textOf(slash('ben', `choose #${number} 1`))).toContain('DH-316');
    expect(await textOf(slash('gus', `show #${number}`))).toMatch(/Attempt 1: .*\nAttempt 2: .*, chosen/);
  });

  it('`discard` takes none of them', async () => {
    await desk.act(mention('ben', 'run attempts=2 fix it', { message: '91.001' }));
    const { number } = await ended();
    await desk.act(slash('ben', `discard #${number}`));
    expect(await taskRow(number)).toMatchObject({ column: 'cancelled', comparison: 'open', head: null });
  });

  it.each([
    ['attempts=6', ' is not a whole number from 1 to 5.'],
    ['attempts=2 agents=claude,claude-code,claude', '3 agents do not fit 2 attempts.'],
    ['agents=claude', 'names several'],
    ['agents=claude,gpt', ' is none of '],
    ['agents=claude,claude-code model=claude-opus-5', "one agent's own"],
    ['agents=claude,claude-code agent=claude', 'in two ways'],
  ])('`run %s` is refused', async (options, why) => {
    expect(await textOf(slash('ben', `run ${options} fix it`))).toContain(why);
  });
});
