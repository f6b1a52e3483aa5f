import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type DecisionVerb, encodePress, type TaskVerb } from '../../src/contracts/press.ts';
import { newId } from '../../src/runtime/ids.ts';
import {
  accounts,
  type Desk,
  mention,
  offerSandbox,
  openDesk,
  press,
  type Said,
  slash,
  submit,
  tokenOf,
} from '../support/desk.ts';

let desk: Desk;
beforeAll(async () => {
  desk = await openDesk();
  await offerSandbox(desk);
});
afterAll(() => desk[Symbol.asyncDispose]());

let made = 0;

/** A task that waits for an approval, asked for by Ben. */
async function waiting() {
  made += 1;
  await desk.act(mention('ben', `sh touch file-${made}`, { message: `20.${made}` }));
  const task = await desk.database.db.task.findFirstOrThrow({ orderBy: { number: 'desc' }, include: { interactions: true } });
  const interaction = task.interactions[0] ?? expect.unreachable();
  return { task, interaction, token: (verb: DecisionVerb) => encodePress({ kind: 'decide', secret: interaction.secret, verb }) };
}

const stateOf = async (id: string) => (await desk.database.db.interaction.findUniqueOrThrow({ where: { id } })).state;
const sent = (said: Said | undefined, message: string) =>
  desk.database.db.outbox.updateMany({
    where: { key: said?.key ?? expect.unreachable() },
    data: { externalId: message, state: 'sent' },
  });

describe('promise 7: deciding', () => {
  it('by somebody who may decides, and a second press hears who did', async () => {
    const { task, interaction, token } = await waiting();
    expect(await desk.act(press('ben', token('approve')))).toMatchObject([
      { only: accounts.ben, text: `#${task.number} is approved.` },
    ]);
    expect(await stateOf(interaction.id)).toBe('approved');
    const late = await desk.act(press('ada', token('deny')));
    expect(late).toMatchObject([{ only: accounts.ada, text: expect.stringMatching(/^Already decided\. .*Ben.* DH-400$/) }]);
    expect(await stateOf(interaction.id)).toBe('approved');
  });

  it('by somebody who may not is refused with who can, and the try is kept in the audit', async () => {
    const { interaction, token } = await waiting();
    for (const who of ['gus', 'nobody'] as const) {
      for (const verb of ['approve', 'approve_task', 'deny'] as const) {
        const said = await desk.act(press(who, token(verb)));
        expect(said).toMatchObject([
          { only: accounts[who], text: expect.stringMatching(/^Not allowed\. .* can decide.* DH-202$/) },
        ]);
      }
    }
    expect(await stateOf(interaction.id)).toBe('pending');
    expect(await desk.database.db.audit.count({ where: { action: 'approval.refused', subject: interaction.id } })).toBe(6);
  });

  it('looks at the presser as they are at the moment of the press', async () => {
    const { interaction, token } = await waiting();
    await desk.act(slash('ada', 'member remove Ben'));
    expect((await desk.act(press('ben', token('approve'))))[0]?.text).toContain('DH-202');
    await desk.act(slash('ada', 'member add Ben developer'));
    await desk.act(press('ben', token('approve')));
    expect(await stateOf(interaction.id)).toBe('approved');
  });

  it('of two who press at once one decides and the other hears of it', async () => {
    const { interaction, token } = await waiting();
    const events = [press('ada', token('approve')), press('mia', token('deny'))];
    await Promise.all(events.map((event) => desk.act(event)));
    const rows = await desk.database.db.outbox.findMany({
      where: { key: { in: events.map(({ key }) => `answer:slack:T1:${key}`) } },
    });
    const texts = rows.map(({ payload }) => JSON.stringify(payload));
    expect(texts.filter((text) => text.includes('Already decided'))).toHaveLength(1);
    expect(['approved', 'denied']).toContain(await stateOf(interaction.id));
  });

  it('with a reason asks for it in a form, and the reason is kept', async () => {
    const { task, interaction, token } = await waiting();
    const [form] = await desk.act(press('mia', token('deny_reason')));
    expect(form?.payload).toMatchObject({
      type: 'form',
      trigger: expect.stringMatching(/^trigger-/),
      user: { user: accounts.mia },
      form: { title: `Deny #${task.number}`, fields: [{ id: 'reason' }] },
    });
    const formToken = form?.payload.type === 'form' ? form.payload.form.token : expect.unreachable();
    await desk.act(submit('mia', formToken, { reason: ['use staging'] }));
    const row = await desk.database.db.interaction.findUniqueOrThrow({ where: { id: interaction.id } });
    expect(row).toMatchObject({ state: 'denied', reason: 'use staging' });
  });

  it('opens no form for who may not decide or when it is decided, and a form sent by such a person decides nothing', async () => {
    const { interaction, token } = await waiting();
    expect((await desk.act(press('gus', token('deny_reason'))))[0]?.text).toContain('DH-202');
    expect((await desk.act(submit('gus', token('deny'), { reason: ['no'] })))[0]?.text).toContain('DH-202');
    expect(await stateOf(interaction.id)).toBe('pending');
    await desk.act(press('ben', token('approve')));
    expect((await desk.act(press('mia', token('deny_reason'))))[0]?.text).toContain('DH-400');
  });

  it('details show the whole action to whoever has a role, and to nobody else', async () => {
    const { task, token } = await waiting();
    const [details] = await desk.act(press('gus', token('details')));
    expect(details).toMatchObject({ only: accounts.gus });
    expect(details?.text).toContain(task.command);
    expect(details?.text).toContain('Bound to: sha256 ');
    expect((await desk.act(press('nobody', token('details'))))[0]?.text).toContain('DH-202');
  });

  it('from the card needs no further word, from the list of what is pending it does', async () => {
    const { task, token, interaction } = await waiting();
    const [list] = await desk.act(mention('ben', 'pending', { message: '21.001' }));
    expect(list?.text).toContain(task.command);
    expect(tokenOf(list, 'Approve')).toMatch(/^d:/);
    await sent(list, '21.002');
    expect(await desk.act(press('ben', token('deny'), { message: '21.002', thread: '21.001' }))).toMatchObject([
      { only: accounts.ben },
    ]);
    expect(await stateOf(interaction.id)).toBe('denied');
    const other = await waiting();
    await desk.database.db.outbox.create({
      data: {
        id: newId('out'),
        workspaceId: desk.workspace,
        key: 'a card',
        platform: 'slack',
        tenant: 'T1',
        channel: 'CDEMO',
        channelKind: 'channel',
        payload: { type: 'message', view: { fallback: 'card', blocks: [] } },
        payloadType: 'message',
        priority: 0,
        state: 'sent',
        externalId: '21.900',
      },
    });
    expect(await desk.act(press('ben', other.token('deny'), { message: '21.900' }))).toEqual([]);
    expect(await stateOf(other.interaction.id)).toBe('denied');
  });

  it.each(['nonsense', 'd:', 'd:unknownsecret:approve', `t:${newId('tsk')}:stop`, `p:${newId('req')}`, 'd:x:explode'])(
    'a made-up token %s does nothing',
    async (token) => {
      expect((await desk.act(press('ada', token, { values: ['x'] })))[0]?.text).toContain('DH-208');
    },
  );
});

describe('buttons of a task', () => {
  const button = (task: string, verb: TaskVerb) => encodePress({ kind: 'task', task, verb });

  it('do what the command does, under the same rights', async () => {
    const { task } = await waiting();
    for (const verb of ['stop', 'retry', 'move'] as const) {
      expect((await desk.act(press('gus', button(task.id, verb))))[0]?.text, verb).toContain('DH-202');
      expect((await desk.act(press('nobody', button(task.id, verb))))[0]?.text, verb).toContain('DH-202');
    }
    expect((await desk.act(press('nobody', button(task.id, 'log'))))[0]?.text).toContain('DH-202');
    expect((await desk.act(press('gus', button(task.id, 'show'))))[0]).toMatchObject({
      only: accounts.gus,
      text: expect.stringContaining(task.command),
    });
    expect(await desk.act(press('ben', button(task.id, 'stop')))).toEqual([]);
    expect(await desk.database.db.task.findUniqueOrThrow({ where: { id: task.id } })).toMatchObject({ column: 'cancelled' });
    expect((await desk.act(press('ben', button(task.id, 'stop'))))[0]?.text).toContain('DH-300');
    expect(await desk.act(press('ben', button(task.id, 'retry')))).toEqual([]);
    expect(await desk.database.db.run.count({ where: { taskId: task.id } })).toBe(2);
  });

  it('move asks where to and then moves', async () => {
    const { task } = await waiting();
    await desk.act(press('ben', button(task.id, 'stop')));
    const [ask] = await desk.act(press('ben', button(task.id, 'move')));
    const token = tokenOf(ask, 'Move to…');
    expect((await desk.act(press('ben', token, { values: ['done'] })))[0]?.text).toContain(
      `#${task.number} moves from Cancelled to Done.`,
    );
    expect(await desk.database.db.task.findUniqueOrThrow({ where: { id: task.id } })).toMatchObject({ column: 'done' });
  });

  it('the log goes into the thread of the task for everybody, also when the card opened that thread', async () => {
    await desk.act(slash('ben', 'sh cat README.md'));
    const task = await desk.database.db.task.findFirstOrThrow({ orderBy: { number: 'desc' }, include: { runs: true } });
    await desk.database.db.thread.updateMany({ where: { taskId: task.id }, data: { externalId: '22.001' } });
    expect(await desk.act(press('gus', button(task.id, 'log')))).toMatchObject([
      { only: undefined, thread: '22.001', text: expect.stringContaining('It has written nothing so far.') },
    ]);
    expect((await desk.act(press('gus', button(task.id, 'patch'))))[0]).toMatchObject({
      only: accounts.gus,
      text: expect.stringContaining('DH-300'),
    });
  });
});

describe('lists with buttons', () => {
  it('change in place when they are messages: those for all by anybody, one’s own only by oneself', async () => {
    const [board] = await desk.act(mention('gus', 'board', { message: '23.001' }));
    await sent(board, '23.002');
    const at = { message: '23.002', thread: '23.001' };
    const queued = async () => desk.database.db.task.count({ where: { column: 'queued' } });
    await desk.act(slash('ben', 'sh ls in place'));
    expect(await desk.act(press('ben', tokenOf(board, 'Refresh'), at))).toMatchObject([
      { key: board?.key, version: 2, text: expect.stringContaining(`Queued (${await queued()})`) },
    ]);
    const [mine] = await desk.act(mention('ben', 'tasks mine', { message: '23.003' }));
    await sent(mine, '23.004');
    const mineAt = { message: '23.004', thread: '23.003' };
    expect(await desk.act(press('gus', tokenOf(mine, 'Refresh'), mineAt))).toMatchObject([
      { only: accounts.gus, text: expect.stringContaining('Your tasks of demo · 0') },
    ]);
    await desk.act(slash('ben', 'sh ls once more'));
    expect(await desk.act(press('ben', tokenOf(mine, 'Refresh'), mineAt))).toMatchObject([{ key: mine?.key }]);
  });

  it('the board asks where a chosen card goes', async () => {
    const [board] = await desk.act(slash('ben', 'board'));
    const number = (await desk.database.db.task.findFirstOrThrow({ where: { title: 'ls in place' } })).number;
    const [ask] = await desk.act(press('ben', tokenOf(board, 'Move to…'), { values: [`#${number}`] }));
    expect(ask?.text).toContain(`Where does #${number}`);
    expect((await desk.act(press('gus', tokenOf(board, 'Move to…'), { values: [`#${number}`] })))[0]?.text).toContain('DH-202');
  });

  it('a value of a select cannot become another command or another argument', async () => {
    const [board] = await desk.act(slash('ben', 'board'));
    const said = await desk.act(press('ben', tokenOf(board, 'Move to…'), { values: ['#1 cancelled'] }));
    expect(said[0]?.text).toContain('DH-201');
  });
});

it('promise 12: buttons of another workspace name nothing here', async () => {
  const { task, interaction, token } = await waiting();
  const other = newId('wsp');
  await desk.database.db.workspace.create({ data: { id: other, name: 'Other' } });
  await desk.database.db.tenant.create({
    data: { platform: 'slack', tenant: 'T2', workspaceId: other, name: 'Other', botUser: 'B' },
  });
  await desk.act(slash('ada', 'help', { tenant: 'T2' }));
  await desk.database.db.user.updateMany({ where: { workspaceId: other }, data: { role: 'owner' } });
  for (const verb of ['approve', 'deny', 'details', 'deny_reason'] as const) {
    expect((await desk.act(press('ada', token(verb), { tenant: 'T2', channel: 'C2' })))[0]?.text, verb).toContain('DH-208');
  }
  for (const verb of ['stop', 'show', 'log'] as const) {
    const foreign = encodePress({ kind: 'task', task: task.id, verb });
    expect((await desk.act(press('ada', foreign, { tenant: 'T2', channel: 'C2' })))[0]?.text, verb).toContain('DH-208');
  }
  expect((await desk.act(submit('ada', token('deny'), { reason: ['x'] }, { tenant: 'T2', channel: 'C2' })))[0]?.text).toContain(
    'DH-208',
  );
  expect(await stateOf(interaction.id)).toBe('pending');
});
