import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { AppError } from '../../src/contracts/errors.ts';
import { newId } from '../../src/runtime/ids.ts';
import { accounts, type Desk, mention, openDesk, reply, slash } from '../support/desk.ts';

let desk: Desk;
beforeAll(async () => {
  desk = await openDesk();
});
afterAll(() => desk[Symbol.asyncDispose]());

const tasks = () => desk.database.db.task.findMany({ orderBy: { number: 'asc' }, include: { threads: true } });
const lastTask = async () => (await tasks()).at(-1) ?? expect.unreachable();

describe('starting a command task', () => {
  it('by a mention makes a task in the thread of the message, which gets a receipt', async () => {
    const said = await desk.act(mention('ben', 'sh echo "a  b" && ls', { message: '10.001' }));
    const task = await lastTask();
    expect(task).toMatchObject({ command: 'echo "a  b" && ls', projectId: desk.demo.id, column: 'queued' });
    expect(task.threads).toMatchObject([{ externalId: '10.001' }]);
    expect(said.map(({ payload }) => payload)).toMatchObject([
      { type: 'reaction', mark: 'received', message: { message: '10.001' } },
    ]);
  });

  it('by a slash command makes a task whose card opens the thread', async () => {
    expect(await desk.act(slash('ben', 'sh make'))).toEqual([]);
    expect((await lastTask()).threads).toMatchObject([{ externalId: null }]);
  });

  it("within another task's thread makes a task of its own, and says so in that thread", async () => {
    const said = await desk.act(mention('ben', 'sh make again', { thread: '10.001' }));
    const task = await lastTask();
    expect(task.command).toBe('make again');
    expect(task.threads).toMatchObject([{ externalId: null }]);
    expect(said.find(({ payload }) => payload.type === 'message')).toMatchObject({
      thread: '10.001',
      text: `#${task.number} is a task of its own: its card and its thread are in this channel.`,
    });
  });

  it('promise 2: the same event handled again makes the same task', async () => {
    const event = mention('ben', 'sh once', { message: '11.001' });
    await desk.act(event);
    const before = await tasks();
    expect(await desk.act(event)).toEqual([]);
    expect(await tasks()).toEqual(before);
  });

  it('passes typographic quotes on as they are and tells the person', async () => {
    const said = await desk.act(slash('ben', 'sh echo “hi”'));
    expect((await lastTask()).command).toBe('echo “hi”');
    expect(said).toMatchObject([{ only: accounts.ben, text: expect.stringContaining('typographic quotes') }]);
  });

  it('in a direct message runs in the only project there is', async () => {
    await desk.act(mention('ben', 'sh pwd', { direct: true }));
    expect(await lastTask()).toMatchObject({ command: 'pwd', projectId: desk.demo.id, threads: [{ externalId: null }] });
  });
});

describe('talking to the bot', () => {
  it('an unknown command gets the nearest ones, wrong arguments what is wrong and a right example, each seen by the asker alone', async () => {
    expect(await desk.act(slash('ben', 'tsks'))).toMatchObject([
      { only: accounts.ben, text: expect.stringMatching(/There is no command `tsks`\. Did you mean `tasks`\?.* DH-200$/) },
    ]);
    expect(await desk.act(mention('ben', 'move #1 somewhere'))).toMatchObject([
      { only: accounts.ben, text: expect.stringMatching(/`somewhere` is none of .* For example: `move #142 done` DH-201$/) },
    ]);
  });

  it('a refused slash command comes back as it was typed, to be copied; what stays standing anyway does not', async () => {
    const blocksOf = async (event: ReturnType<typeof slash>) => {
      const [said] = await desk.act(event);
      return said !== undefined && 'view' in said.payload ? said.payload.view.blocks : [];
    };
    const refusals: [code: string, Parameters<typeof slash>][] = [
      ['DH-200', ['ben', 'tsks mine', {}]],
      ['DH-201', ['ben', 'move #1 somewhere', {}]],
      ['DH-202', ['gus', 'sh touch x', {}]],
      ['DH-203', ['ben', 'sh ls', { channel: 'CNOWHERE' }]],
      ['DH-207', ['ben', 'stop', {}]],
    ];
    for (const [errorCode, [who, text, where]] of refusals) {
      const typed = `/deckhand ${text}`;
      const blocks = await blocksOf(slash(who, text, { ...where, typed }));
      expect(JSON.stringify(blocks[1]), text).toContain(errorCode);
      expect(blocks[2]).toMatchObject({ spans: [{ text: 'You wrote: ' }, { text: typed, style: ['code'] }] });
      expect(await blocksOf(slash(who, text, where)), text).toHaveLength(2);
    }
    const long = `/deckhand tsks ${'x'.repeat(300)}\nand more`;
    expect((await blocksOf(slash('ben', 'tsks', { typed: long }))).at(-1)).toEqual({ type: 'code', text: long });
  });

  it('nothing, a group and help show help', async () => {
    for (const text of ['', '  ', 'help', 'HELP']) expect((await desk.act(mention('ben', text)))[0]?.text).toContain('Look');
    expect((await desk.act(slash('ben', 'member')))[0]?.text).toContain('member add <@person> <role>');
  });

  it('a refusal in a direct message is a message, elsewhere only the person sees it', async () => {
    expect(await desk.act(mention('ben', 'show #999', { direct: true }))).toMatchObject([
      { only: undefined, channel: `D${accounts.ben}`, payload: { type: 'message' } },
    ]);
    expect(await desk.act(mention('ben', 'show #999'))).toMatchObject([{ only: accounts.ben, thread: null, channel: 'CDEMO' }]);
  });

  it('lists come into the thread for a message, and to the asker alone for a slash command', async () => {
    expect(await desk.act(mention('ben', 'tasks', { message: '12.001' }))).toMatchObject([{ only: undefined, thread: '12.001' }]);
    expect(await desk.act(slash('ben', 'tasks'))).toMatchObject([
      { only: accounts.ben, payload: { type: 'ephemeral', reply: expect.stringMatching(/^reply-/) } },
    ]);
  });
});

describe('replies in threads that do not name the bot', () => {
  it("in a task's thread a complete command is obeyed", async () => {
    const task = (await tasks()).find(({ threads }) => threads[0]?.externalId === '10.001') ?? expect.unreachable();
    const said = await desk.act(reply('ben', 'show', '10.001'));
    expect(said).toMatchObject([{ thread: '10.001', text: expect.stringContaining(`#${task.number}`) }]);
    await desk.act(reply('ben', 'Stop', '10.001'));
    expect((await tasks()).find(({ id }) => id === task.id)?.column).toBe('cancelled');
  });

  it.each([
    'stop it, that is wrong',
    'show me what you mean',
    'who did this?',
    'retry later maybe',
    'hello',
    '',
    'project',
    '#1',
  ])('people who say %j are left alone', async (text) => {
    expect(await desk.act(reply('ben', text, '10.001'))).toEqual([]);
  });

  it('guests, strangers and bots are not obeyed', async () => {
    await desk.act(mention('ben', 'sh stay', { message: '13.001' }));
    for (const who of ['gus', 'nobody'] as const) expect(await desk.act(reply(who, 'stop', '13.001'))).toEqual([]);
    const bot = reply('ada', 'stop', '13.001');
    expect(await desk.act({ ...bot, actor: { ...bot.actor, bot: true } })).toEqual([]);
    expect((await lastTask()).column).toBe('queued');
  });

  it('in any other thread nobody is answered, and nothing is stored about who talks', async () => {
    const before = await desk.database.db.identity.count();
    const event = reply('ben', 'tasks', '99.999');
    expect(await desk.act({ ...event, actor: { user: 'UCHATTY', bot: false } })).toEqual([]);
    expect(await desk.database.db.identity.count()).toBe(before);
  });
});

describe('an error inside Deckhand', () => {
  it('is answered with its reference, seen by the person alone', async () => {
    const event = mention('ben', 'tasks');
    const error = new AppError('DH-299', { reference: 'in-7' });
    await desk.database.transaction((tx) => desk.bus.refuse(tx, event, error));
    const row = await desk.database.db.outbox.findFirstOrThrow({ where: { key: `answer:slack:T1:${event.key}` } });
    expect(row.payload).toMatchObject({ type: 'ephemeral', user: { user: accounts.ben } });
    expect(JSON.stringify(row.payload)).toContain('in-7');
  });

  it('says nothing to bots, unknown tenants and acts that asked for nothing', async () => {
    const event = mention('ben', 'tasks');
    const { text: _, addressed: __, attachments: ___, ...deleted } = event as Extract<typeof event, { type: 'message' }>;
    const before = await desk.database.db.outbox.count();
    for (const silent of [
      { ...event, actor: { ...event.actor, bot: true } },
      slash('ben', 'tasks', { tenant: 'T404' }),
      { ...deleted, type: 'message_deleted' as const },
    ]) {
      await desk.database.transaction((tx) => desk.bus.refuse(tx, silent, new AppError('DH-299', { reference: 'x' })));
    }
    expect(await desk.database.db.outbox.count()).toBe(before);
  });
});

it('editing or deleting a message changes nothing that was started with it', async () => {
  await desk.act(mention('ben', 'sh first', { message: '14.001' }));
  const before = await tasks();
  const {
    attachments: _,
    addressed: __,
    ...event
  } = mention('ben', 'sh second', { message: '14.001' }) as Extract<ReturnType<typeof mention>, { type: 'message' }>;
  expect(await desk.act({ ...event, type: 'message_edited' })).toEqual([]);
  const { text: ___, ...deleted } = event;
  expect(await desk.act({ ...deleted, type: 'message_deleted' })).toEqual([]);
  expect(await tasks()).toEqual(before);
});

it('files that follow what was asked with the first of them ask nothing', async () => {
  const event = mention('ben', '', { direct: true });
  expect(await desk.act({ ...event, ...{ partOf: '9.001' } })).toEqual([]);
  expect(await desk.act(event)).toMatchObject([{ text: expect.stringContaining('help') }]);
});

describe('promise 12: tenant walls', () => {
  it('an event of an unknown tenant has no effect but a line in the log', async () => {
    expect(await desk.act(slash('ada', 'sh ls', { tenant: 'T404' }))).toEqual([]);
    expect(desk.warnings).toContainEqual({ platform: 'slack', tenant: 'T404', why: 'unknown_tenant', type: 'command' });
  });

  it('tasks of another workspace behave as if they did not exist, whatever names them', async () => {
    const other = await otherWorkspace();
    const mine = slash('ada', 'show #500');
    const unknown = slash('ada', 'show #501');
    const texts = async (event: typeof mine) => (await desk.act(event)).map(({ text }) => text.replaceAll(/#50\d/g, '#n'));
    expect(await texts(mine)).toEqual(await texts(unknown));
    for (const use of ['stop #500', 'retry #500', 'move #500 done', 'logs #500', 'rules #500']) {
      expect((await desk.act(slash('ada', use)))[0]?.text, use).toContain('DH-204');
    }
    expect((await desk.act(slash('ada', `rules revoke ${other.rule}`)))[0]?.text).toContain('DH-300');
    expect((await desk.act(slash('ada', 'bind theirs')))[0]?.text).toContain('DH-205');
    expect((await desk.act(slash('ada', 'tasks all project=all')))[0]?.text).not.toContain('secret command');
    expect((await desk.act(slash('ada', 'project list')))[0]?.text).not.toContain('theirs');
    expect((await desk.act(slash('ada', 'who')))[0]?.text).not.toContain('Zoe');
    expect(await desk.database.db.task.findUnique({ where: { id: other.task } })).toMatchObject({ column: 'queued' });
  });
});

/** A second workspace with task #500, a rule and a member. */
async function otherWorkspace(): Promise<{ task: string; rule: string }> {
  const { database, demo } = desk;
  const [workspaceId, projectId, task, rule] = [newId('wsp'), newId('prj'), newId('tsk'), newId('rul')];
  await database.transaction(async ({ db }) => {
    await db.workspace.create({ data: { id: workspaceId, name: 'Other' } });
    const user = await db.user.create({ data: { id: newId('usr'), workspaceId, name: 'Zoe', role: 'owner' } });
    const { policy, limits } = demo;
    await db.project.create({
      data: { id: projectId, workspaceId, name: 'theirs', sourceKind: 'path', source: '/x', policy, limits },
    });
    await db.task.create({
      data: {
        id: task,
        workspaceId,
        number: 500,
        projectId,
        title: 'secret command',
        kind: 'command',
        command: 'secret command',
        column: 'queued',
        rank: 1,
        branch: 'deckhand/500',
        policy,
        policyVersion: 1,
        requesterId: user.id,
        originKey: 'x',
      },
    });
    await db.rule.create({ data: { id: rule, workspaceId, taskId: task, kind: 'command', match: 'ls', createdById: user.id } });
  });
  return { task, rule };
}
