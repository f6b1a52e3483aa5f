import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { encodePress } from '../../src/contracts/press.ts';
import { newId } from '../../src/runtime/ids.ts';
import { type Account, accounts, type Desk, mention, openDesk, press, slash, submit } from '../support/desk.ts';
import { offer, offerAgents, secretOf } from '../support/desk-agent.ts';

let desk: Desk;
let runner: string;
/** Bound to the same project, and never with a bundle. */
const open = { channel: 'COPEN' };

beforeAll(async () => {
  desk = await openDesk();
  runner = await offerAgents(desk, offer('claude'), offer('codex'));
  await desk.act(slash('ada', 'help', open));
  const where = { externalId: open.channel };
  await desk.database.db.channel.updateMany({ where, data: { projectId: desk.demo.id, name: 'open' } });
  await desk.act(slash('ada', 'settings policy=ask'));
});
afterAll(() => desk[Symbol.asyncDispose]());
afterEach(async () => {
  await desk.act(slash('ada', 'settings bundle=none'));
});

const said = async (who: Account, use: string, where = {}) =>
  (await desk.act(slash(who, use, where))).map(({ text }) => text.replaceAll('`', '')).join('\n');
const audits = (action: string) => desk.database.db.audit.findMany({ where: { action }, orderBy: { id: 'asc' } });

/** Makes a bundle of this name and gives it to #demo. */
async function limit(name: string, what: string): Promise<void> {
  expect(await said('ada', `bundle add ${name} ${what}`)).toContain(name);
  expect(await said('ada', `settings bundle=${name}`)).toContain(name);
}

/** The newest run. */
const newest = () =>
  desk.database.db.run.findFirstOrThrow({
    orderBy: [{ task: { number: 'desc' } }, { attempt: 'desc' }],
    include: { task: true },
  });

describe('what somebody may in a channel', () => {
  it('is what both their role and its bundle allow, for owners too, and the refusal says which of the two it is', async () => {
    await limit('support', 'may=guest,command.run');
    expect(await said('ada', 'move #999 done')).toMatch(
      /Ada may move tasks, but not from #demo: its access bundle support does not allow it.*DH-248/s,
    );
    expect(await said('ada', 'member add stranger guest')).toContain('DH-248');
    expect(await said('ben', 'push #999')).toContain('DH-248');
    for (const who of ['ada', 'mia', 'ben'] as const) expect(await said(who, 'sh true')).not.toContain('DH-2');
    // A bundle gives nothing.
    expect(await said('gus', 'sh true')).toContain('DH-202');
    expect(await said('nobody', 'tasks')).toContain('DH-202');
    expect(await said('gus', 'tasks')).not.toContain('DH-2');
    const rows = (await audits('refused')).map(({ data }) => data);
    expect(rows).toContainEqual({ code: 'DH-248', bundle: 'support', role: 'guest', action: 'move tasks' });
  });

  it('is not limited in a direct message, nor in another channel', async () => {
    await limit('looking', 'may=guest');
    for (const where of [{ direct: true }, open]) {
      expect(await said('ben', 'move #999 done', where)).toContain('DH-204');
      expect(await said('ben', 'tasks', where)).not.toContain('DH-2');
    }
    expect(await said('ben', 'move #999 done')).toContain('DH-248');
  });

  it('follows a change of the bundle at once', async () => {
    await limit('moving', 'may=guest');
    expect(await said('ben', 'move #999 done')).toContain('DH-248');
    await desk.act(slash('ada', 'bundle change moving may+=task.manage', open));
    expect(await said('ben', 'move #999 done')).toContain('DH-204');
    await desk.act(slash('ada', 'bundle change moving may-=task.manage', open));
    expect(await said('ben', 'move #999 done')).toContain('DH-248');
  });

  it('lets nobody give there what they may not there, whatever they may elsewhere', async () => {
    await limit('people', 'may=guest,member.manage');
    expect(await said('ada', 'member role Gus developer')).toContain('DH-202');
    expect(await said('ada', 'member role Gus developer project=demo')).toContain('DH-202');
    expect(await said('ada', 'invite developer')).toContain('DH-248');
    expect(await said('ada', 'invite guest')).not.toContain('DH-2');
    expect(await desk.database.db.user.findFirstOrThrow({ where: { name: 'Gus' } })).toMatchObject({ role: 'guest' });
    expect(await desk.database.db.membership.count()).toBe(0);
  });

  it('is taken off again by owners, whatever the bundle allows, and by nobody else', async () => {
    await limit('nothing', 'may=none');
    for (const who of ['mia', 'ben', 'nobody'] as const) expect(await said(who, 'settings bundle=none')).toContain('DH-202');
    expect(await said('ada', 'bundle add other agents=none')).toContain('DH-248');
    expect(await said('ada', 'settings bundle=none')).toContain('no access bundle any more');
    expect(await said('ada', 'move #999 done')).toContain('DH-204');
    expect((await audits('channel.bundle')).at(-1)?.data).toEqual({ from: 'nothing', to: 'none' });
  });

  it('is shown by settings, who and policy test', async () => {
    await limit('shown', 'may=developer');
    expect(await said('gus', 'settings')).toContain('shown: at most what developers may');
    expect(await said('ada', 'who')).toContain('You are an owner here, as far as its access bundle allows');
    for (const use of ['who', 'policy test ls']) {
      expect(await said('ben', use)).toContain(
        'This channel has the access bundle shown: nobody may do more here than what developers may.',
      );
    }
    expect(await said('ben', 'who', open)).not.toContain('access bundle');
  });
});

describe('decisions', () => {
  const approve = (secret: string) => encodePress({ kind: 'decide', secret, verb: 'approve' });

  it('promise 7: a bundle that was changed while a run waits counts at the press, and the same person decides elsewhere', async () => {
    await limit('deciding', 'may=maintainer');
    await desk.act(mention('ben', 'sh touch file'));
    const { id, taskId } = await newest();
    await desk.act(slash('ada', 'bundle change deciding may-=action.approve,action.approve-as-maintainer', open));
    const secret = await secretOf(desk, id);
    const state = async () => (await desk.database.db.interaction.findFirstOrThrow({ where: { runId: id } })).state;
    for (const event of [
      press('mia', approve(secret)),
      submit('mia', encodePress({ kind: 'decide', secret, verb: 'deny' }), { reason: ['no'] }),
    ]) {
      const [refused] = await desk.act(event);
      expect(refused?.text).toMatch(/Mia may decide this, but not from #demo: its access bundle `deciding` does not allow it/);
    }
    expect(await state()).toBe('pending');
    const refusal = (await audits('approval.refused')).at(-1);
    expect(refusal).toMatchObject({ subject: expect.any(String), data: { task: taskId, bundle: 'deciding' } });
    // Who may not decide anywhere is told that.
    const [never] = await desk.act(press('gus', approve(secret)));
    expect(never?.text).toContain('DH-202');
    await desk.act(press('mia', approve(secret), open));
    expect(await state()).toBe('approved');
  });
});

describe('what work may use', () => {
  const refusedBy = (name: string) => new RegExp(`in #demo does not use the .*: its access bundle ${name} does not allow it`);

  it('is asked when it is asked for, and again when each run begins', async () => {
    await limit('agents', 'agents=codex');
    expect(await said('ben', 'run agent=claude do it')).toMatch(/agent claude.*It allows agent=codex.*DH-250/s);
    await desk.act(mention('ben', 'run agent=codex do it'));
    const waiting = await newest();
    expect(waiting.task).toMatchObject({ kind: 'agent' });
    await desk.act(slash('ada', 'bundle change agents agents=claude'));
    await desk.engine.sweep();
    expect(await desk.engine.runs.claim(waiting.id, runner)).toMatchObject({ ok: false });
    const ended = await desk.database.db.run.findUniqueOrThrow({ where: { id: waiting.id } });
    const message = expect.stringContaining('does not use the agent `codex`');
    expect(ended).toMatchObject({ state: 'cancelled', result: { cause: 'denied', message } });
    expect(await said('ben', `retry #${waiting.task.number}`)).toMatch(refusedBy('agents'));
    // From elsewhere too: the task stays one of its channel.
    expect(await said('ben', `retry #${waiting.task.number}`, open)).toMatch(refusedBy('agents'));
    expect(await said('ben', `fork #${waiting.task.number} go on`, open)).not.toContain('DH-250');
    expect(await said('ben', 'run agent=codex do it', open)).not.toContain('DH-2');
  });

  it('are no model servers but those it names', async () => {
    const at = new Date();
    const account = {
      id: newId('acc'),
      workspaceId: desk.workspace,
      name: 'main',
      activeName: 'main',
      createdById: newId('usr'),
    };
    await desk.database.db.agentAccount.create({
      data: { ...account, protocol: 'anthropic', baseUrl: 'http://127.0.0.1:9', credential: 'none', createdAt: at },
    });
    await limit('servers', 'accounts=main');
    expect(await said('ben', 'run agent=claude do it')).toMatch(
      /model servers that the runner is configured with.*account=main/s,
    );
    expect(await said('ada', 'bundle change servers accounts=nowhere', open)).toContain('DH-201');
    expect(await said('ada', 'bundle change servers accounts+=runner', open)).toContain('main, runner');
    expect(await said('ben', 'run agent=claude do it')).not.toContain('DH-2');
  });

  it('are the hosts that both the project and the bundle allow, when each run begins', async () => {
    await desk.act(slash('ada', 'settings hosts=npm,files.example.org'));
    await limit('hosts', 'hosts=files.example.org,pypi');
    await desk.act(mention('ben', 'run agent=claude fetch it'));
    const { id } = await newest();
    await desk.engine.sweep();
    const claim = await desk.engine.runs.claim(id, runner);
    expect(claim.ok && claim.spec.agent?.hosts).toEqual(['files.example.org']);
  });

  it('is not limited for the task of a command beyond what people may', async () => {
    await limit('commands', 'agents=none accounts=none hosts=none');
    expect(await said('ben', 'sh touch other')).not.toContain('DH-2');
    expect(await said('ben', 'run do it')).toMatch(/It allows no agent at all/);
  });
});

describe('bundles', () => {
  it('are named once, say what they allow, and stay while a channel has them', async () => {
    await limit('kept', 'may=developer,action.approve-as-maintainer agents=claude hosts=npm');
    expect(await said('mia', 'bundle show Kept')).toMatch(
      /at most what developers may, plus action\.approve-as-maintainer[\s\S]*claude[\s\S]*Channels: #demo on Slack/,
    );
    expect(await said('mia', 'bundle list')).toContain('kept · in 1 channel · at most what developers may');
    expect(await said('ada', 'bundle add KEPT may=guest', open)).toContain('DH-244');
    expect(await said('ada', 'bundle remove kept', open)).toContain('#demo on Slack');
    await expect(desk.database.db.accessBundle.deleteMany({ where: { key: 'kept' } })).rejects.toThrow();
    await desk.act(slash('ada', 'settings bundle=none'));
    expect(await said('ada', 'bundle remove kept')).toContain('is removed');
    const actions = (
      await desk.database.db.audit.findMany({ where: { action: { startsWith: 'bundle.' } }, orderBy: { id: 'asc' } })
    ).slice(-2);
    expect(actions.map(({ action }) => action)).toEqual(['bundle.add', 'bundle.remove']);
  });

  it.each([
    ['bundle add empty', 'What it allows is missing'],
    ['bundle add wrong may=comand.run', 'Did you mean command.run'],
    ['bundle add wrong agents=hal', 'is not an agent'],
    ['bundle add wrong hosts=10.0.0.1', 'nor the name of a host'],
    ['bundle add none may=guest', 'stands for no bundle'],
    ['settings bundle=kpt', 'DH-249'],
    ['settings bundle=kept verbosity=quiet', 'is changed by itself'],
  ])('%j is refused: %s', async (use, why) => {
    expect(await said('ada', use)).toContain(why);
  });

  it('are set in a channel that is bound to nothing, and in no direct message', async () => {
    await desk.act(slash('ada', 'bundle add early may=guest'));
    const free = { channel: 'CFREE' };
    expect(await said('ada', 'settings bundle=early', free)).toContain('has the access bundle early');
    expect(await said('ada', 'settings', free)).toContain('DH-203');
    expect(await said('ada', 'bind demo', free)).toContain('DH-248');
    expect(await said('ada', 'settings bundle=none', free)).toContain('no access bundle any more');
    expect(await said('ada', 'settings bundle=early', { direct: true })).toContain('direct conversation');
  });

  it('promise 12: of another workspace are unknown', async () => {
    const { db } = desk.database;
    const { id: workspaceId } = await db.workspace.create({ data: { id: newId('wsp'), name: 'Other' } });
    const lists = { permissions: ['*'], agents: ['*'], accounts: ['*'], hosts: ['*'] };
    await db.accessBundle.create({
      data: {
        id: newId('bdl'),
        workspaceId,
        name: 'foreign',
        key: 'foreign',
        createdById: accounts.ada,
        createdAt: new Date(),
        ...lists,
      },
    });
    for (const use of [
      'bundle show foreign',
      'bundle change foreign agents=none',
      'bundle remove foreign',
      'settings bundle=foreign',
    ]) {
      const answers = [await said('ada', use), await said('ada', use.replace('foreign', 'fOrElse'))];
      expect(answers[0]).toContain('DH-249');
      expect(answers[1]).toContain('DH-249');
    }
    expect(await said('ada', 'bundle list')).not.toContain('foreign');
  });
});
