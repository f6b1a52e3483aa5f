import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { encodePress } from '../../src/contracts/press.ts';
import { accounts, type Desk, mention, openDesk, press, reply, slash, submit } from '../support/desk.ts';
import { atWork, eventsOf, offer, offerAgents } from '../support/desk-agent.ts';

let desk: Desk;
let runner: string;
const offers = [offer('claude'), offer('claude-code', { steering: { next: true, now: false } })];
beforeAll(async () => {
  desk = await openDesk();
  runner = await offerAgents(desk, ...offers);
});
afterAll(() => desk[Symbol.asyncDispose]());

const lastTask = async () =>
  (await desk.database.db.task.findFirst({
    orderBy: { number: 'desc' },
    include: { threads: true, runs: { orderBy: { attempt: 'asc' } } },
  })) ?? expect.unreachable();
const taskCount = () => desk.database.db.task.count();

/** An agent at work in a thread of its own. */
async function working(thread: string, options = '') {
  await desk.act(mention('ben', `run ${options} fix the failing test`, { message: thread }));
  return atWork(desk, runner);
}

describe('handing work to an agent', () => {
  it('free text in a mention or a direct message makes a task of the agent of the project', async () => {
    const said = await desk.act(mention('ben', ', fix the flaky login test please', { message: '10.001' }));
    const task = await lastTask();
    expect(task).toMatchObject({ kind: 'agent', command: 'fix the flaky login test please', projectId: desk.demo.id });
    expect(task.agent).toMatchObject({ agent: 'claude', mode: 'auto' });
    expect(task.threads).toMatchObject([{ externalId: '10.001' }]);
    expect(said.map(({ payload }) => payload)).toMatchObject([
      { type: 'reaction', mark: 'received', message: { message: '10.001' } },
    ]);
    await desk.act(mention('ben', 'add a dark theme', { direct: true }));
    expect(await lastTask()).toMatchObject({ kind: 'agent', command: 'add a dark theme' });
  });

  it('files that come with it are fetched for the agent', async () => {
    const event = mention('ben', 'read the report');
    if (event.type !== 'message') expect.unreachable();
    await desk.act({ ...event, attachments: [{ id: 'F1', name: 'report.pdf' }] });
    const files = await desk.database.db.attachedFile.findMany();
    expect(files).toMatchObject([{ name: 'report.pdf', by: 'Ben', state: 'pending', came: 'request' }]);
  });

  it('`run` says which agent, and how', async () => {
    await desk.act(slash('ben', 'run agent=claude-code mode=plan model=opus effort=high budget=2.50 make it faster'));
    expect(await lastTask()).toMatchObject({
      command: 'make it faster',
      budgetUsd: 2.5,
      agent: { agent: 'claude-code', mode: 'plan', model: 'opus', effort: 'high' },
    });
  });

  it('a sentence that begins like a command is work, a slip of the finger is not', async () => {
    for (const text of ['show me why the login test fails', 'move the button to the left', 'hello']) {
      await desk.act(mention('ben', text));
      expect(await lastTask(), text).toMatchObject({ kind: 'agent', command: text });
    }
    const before = await taskCount();
    for (const [text, code] of [
      ['bord please', 'DH-200'],
      ['tsks', 'DH-200'],
      ['shw #1', 'DH-200'],
      ['move #1 somewhere', 'DH-201'],
      ['project ad web', 'DH-200'],
    ] as const) {
      expect(await desk.act(mention('ben', text)), text).toMatchObject([
        { only: accounts.ben, text: expect.stringContaining(code) },
      ]);
    }
    expect(await taskCount()).toBe(before);
  });

  it('guests and strangers are told who may', async () => {
    for (const who of ['gus', 'nobody'] as const) {
      expect(await desk.act(mention(who, 'fix the login test'))).toMatchObject([
        { only: accounts[who], text: expect.stringContaining('DH-202') },
      ]);
    }
  });

  it('an agent that cannot work is refused with what to set and which one can', async () => {
    const before = await taskCount();
    const { runs } = desk.engine;
    await runs.offerAgents(runner, [
      offer('claude', { available: false, why: 'no model server is configured for it.', remedy: 'Set `ANTHROPIC_API_KEY`.' }),
      offer('codex', { efforts: ['low'] }),
    ]);
    const [said] = await desk.act(mention('ben', 'fix the login test'));
    expect(said?.text).toMatch(
      /`claude` cannot work now: no model server is configured for it\. Set `ANTHROPIC_API_KEY`\. Or use `run agent=codex …`\. DH-215/,
    );
    expect((await desk.act(slash('ben', 'run agent=claude-code x')))[0]?.text).toMatch(/no runner that is up has it.*DH-215/);
    expect((await desk.act(slash('ben', 'run agent=codex effort=max x')))[0]?.text).toMatch(
      /no effort `max`.*It has `low`.*DH-216/,
    );
    expect(await taskCount()).toBe(before);
    await runs.offerAgents(runner, offers);
  });

  it('promise 2: the same message handled again makes no second task', async () => {
    const event = mention('ben', 'do it once', { message: '11.001' });
    await desk.act(event);
    const before = await taskCount();
    expect(await desk.act(event)).toEqual([]);
    expect(await taskCount()).toBe(before);
  });
});

describe('speaking to an agent', () => {
  it('replies in its thread are said to it: at the next step, now, or beside', async () => {
    const turn = await working('20.001');
    const said = await desk.act(reply('ben', 'leave the old tests as they are', '20.001'));
    expect(said.map(({ payload }) => payload)).toMatchObject([{ type: 'reaction', mark: 'received' }]);
    await desk.act(mention('ben', 'now, look at session.ts first', { thread: '20.001' }));
    await desk.act(reply('ada', 'btw how long will it take', '20.001'));
    await desk.act(reply('ben', 'run the suite once more', '20.001'));
    expect(await turn.heard()).toEqual([
      { text: 'leave the old tests as they are', when: 'next' },
      { text: 'look at session.ts first', when: 'now' },
      { text: 'how long will it take', when: 'btw' },
      { text: 'run the suite once more', when: 'next' },
    ]);
    expect(await eventsOf(desk, turn.run, 'message')).toHaveLength(4);
  });

  it('talk of guests stays talk, and commands without a number still work', async () => {
    const turn = await working('21.001');
    expect(await desk.act(reply('gus', 'nice work so far', '21.001'))).toEqual([]);
    expect(await turn.heard()).toEqual([]);
    await desk.act(reply('ben', 'stop', '21.001'));
    expect((await desk.database.db.run.findUniqueOrThrow({ where: { id: turn.run } })).stopRequestedAt).not.toBeNull();
    expect(await turn.heard()).toEqual([]);
  });

  it('an interruption is refused where the agent cannot be interrupted; a side question is answered beside every one', async () => {
    const turn = await working('22.001', 'agent=claude-code');
    expect(await desk.act(reply('ben', 'now stop that', '22.001'))).toMatchObject([
      { only: accounts.ben, text: expect.stringMatching(/cannot be interrupted while it works.*without `now`.*DH-216/) },
    ]);
    expect(await turn.heard()).toEqual([]);
    await desk.act(reply('ben', 'btw why so', '22.001'));
    expect(await turn.heard()).toEqual([{ text: 'why so', when: 'btw' }]);
  });

  it('at rest a reply is a further run of the same task, once', async () => {
    const turn = await working('23.001');
    await turn.end();
    const event = reply('ben', 'now add a test for it', '23.001');
    await desk.act(event);
    await desk.act(event);
    const task = await lastTask();
    expect(task.id).toBe(turn.task);
    expect(task.runs.map(({ prompt }) => prompt)).toEqual(['fix the failing test', 'add a test for it']);
  });

  it('editing a message that is not read changes it, deleting it drops it, and nobody else is disturbed', async () => {
    const turn = await working('24.001');
    const first = reply('ben', 'use postgres 15', '24.001');
    if (first.type !== 'message') expect.unreachable();
    await desk.act(first);
    const { text: _, addressed: __, attachments: ___, below: ____, ...same } = first;
    expect(await desk.act({ ...same, key: 'edit:1', type: 'message_edited', text: 'use postgres 16' })).toEqual([]);
    await desk.act({ ...same, key: 'del:1', type: 'message_deleted' });
    await desk.act({ ...same, key: 'edit:2', type: 'message_edited', text: 'what', message: '99.999' });
    expect((await turn.heard()).map(({ text }) => text)).toEqual(['use postgres 15', 'use postgres 16', null]);
    expect(await eventsOf(desk, turn.run, 'message_settled')).toMatchObject([{ how: 'dropped' }]);
  });

  it('the form of *Steer…* says the same, to those who may', async () => {
    const turn = await working('25.001');
    const token = encodePress({ kind: 'task', task: turn.task, verb: 'steer' });
    expect(await desk.act(press('gus', token))).toMatchObject([{ text: expect.stringContaining('DH-202') }]);
    const [asked] = await desk.act(press('ben', token));
    expect(asked?.payload).toMatchObject({ type: 'form', form: { token, title: `Steer #${turn.number}` } });
    const [said] = await desk.act(submit('ben', token, { text: ['now stop reading'] }));
    expect(said).toMatchObject({ only: accounts.ben, text: `The agent of #${turn.number} is interrupted with it.` });
    expect(await turn.heard()).toEqual([{ text: 'stop reading', when: 'now' }]);
    await turn.end();
    const [later] = await desk.act(submit('ben', token, { text: ['and clean up'] }));
    expect(later?.text).toBe(`#${turn.number} goes on with it; its thread shows how it goes.`);
  });
});
