import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { InboundEvent } from '../../src/contracts/inbound.ts';
import {
  type Account,
  accounts,
  type Desk,
  mention,
  openDesk,
  press,
  type Said,
  slash,
  submit,
  tokenOf,
} from '../support/desk.ts';

let desk: Desk;
let now = new Date();
beforeAll(async () => {
  desk = await openDesk({ now: () => now });
});
afterAll(() => desk[Symbol.asyncDispose]());

const lastTask = async () =>
  (await desk.database.db.task.findFirst({ orderBy: { number: 'desc' }, include: { threads: true, project: true } })) ??
  undefined;
const options = (said: Said | undefined) => {
  const view = said !== undefined && 'view' in said.payload ? said.payload.view : undefined;
  return view?.blocks.flatMap((block) => (block.type === 'select' ? block.options : [])) ?? [];
};

function shortcut(
  who: Account,
  text: string,
  where: { channel?: string; message?: string; thread?: string; direct?: boolean } = {},
): InboundEvent {
  const { type: _, text: __, ...base } = slash(who, '', where) as Extract<InboundEvent, { type: 'command' }>;
  const message = where.message ?? '30.500';
  return { ...base, type: 'shortcut', message, below: message, text, author: 'USOMEBODY' };
}

function home(who: Account): InboundEvent {
  const { type: _, text: __, ...base } = slash(who, '', { direct: true }) as Extract<InboundEvent, { type: 'command' }>;
  return { ...base, type: 'home' };
}

describe('which project', () => {
  it('the only one needs no question; with two the person is asked, and the very request goes on', async () => {
    await desk.act(slash('ada', 'project add api https://example.com/acme/api.git'));
    const [ask] = await desk.act(mention('ben', 'sh make it', { direct: true, message: '31.001' }));
    expect(ask?.text).toContain('Which project?');
    expect(options(ask).map(({ label }) => label)).toEqual(['api', 'demo']);
    expect(await lastTask()).toBeUndefined();

    const api = options(ask)[0]?.value ?? expect.unreachable();
    const said = await desk.act(press('ben', tokenOf(ask, 'Project'), { direct: true, values: [api] }));
    expect(await lastTask()).toMatchObject({ command: 'make it', project: { name: 'api' }, threads: [{ externalId: null }] });
    expect(said.map(({ key, text, payload }) => [key, text || payload.type])).toEqual([
      [ask?.key, 'Project: api'],
      [expect.stringMatching(/^react:/), 'reaction'],
    ]);
  });

  it('is answered once, by who asked, with a project there is, in time', async () => {
    const ask = async () => (await desk.act(mention('ben', 'sh who asks', { direct: true })))[0];
    const count = () => desk.database.db.task.count({ where: { command: 'who asks' } });
    const [first, second] = [await ask(), await ask()];
    const values = [options(first)[1]?.value ?? expect.unreachable()];
    for (const other of ['ada', 'nobody'] as const) {
      expect((await desk.act(press(other, tokenOf(first, 'Project'), { direct: true, values })))[0]?.text).toContain('DH-209');
    }
    for (const wrong of [[], ['nowhere'], ['demo']]) {
      expect((await desk.act(press('ben', tokenOf(first, 'Project'), { direct: true, values: wrong })))[0]?.text).toContain(
        'DH-208',
      );
    }
    expect(await count()).toBe(0);
    await desk.act(press('ben', tokenOf(first, 'Project'), { direct: true, values }));
    expect((await desk.act(press('ben', tokenOf(first, 'Project'), { direct: true, values })))[0]?.text).toContain('DH-208');
    expect(await count()).toBe(1);
    now = new Date(now.getTime() + 61 * 60 * 1000);
    expect((await desk.act(press('ben', tokenOf(second, 'Project'), { direct: true, values })))[0]?.text).toContain('DH-208');
    expect(await count()).toBe(1);
  });

  it('promise 2: two presses at once go on with one request once', async () => {
    const [ask] = await desk.act(mention('ben', 'sh pressed twice', { direct: true }));
    const values = [options(ask)[1]?.value ?? expect.unreachable()];
    await Promise.all([1, 2].map(() => desk.act(press('ben', tokenOf(ask, 'Project'), { direct: true, values }))));
    expect(await desk.database.db.task.count({ where: { command: 'pressed twice' } })).toBe(1);
  });

  it('a refusal after the choice leaves the question open', async () => {
    const [ask] = await desk.act(mention('ben', 'settings concurrency=3', { direct: true }));
    expect(ask?.text).toContain('DH-202');
    const [question] = await desk.act(mention('ben', 'sh later', { direct: true }));
    await desk.act(slash('ada', 'member role Ben guest'));
    const values = [options(question)[1]?.value ?? expect.unreachable()];
    expect((await desk.act(press('ben', tokenOf(question, 'Project'), { direct: true, values })))[0]?.text).toContain('DH-202');
    await desk.act(slash('ada', 'member role Ben developer'));
    await desk.act(press('ben', tokenOf(question, 'Project'), { direct: true, values }));
    expect(await lastTask()).toMatchObject({ command: 'later', project: { name: 'demo' } });
  });

  it('a name in the text decides, also in a channel that is bound to another project', async () => {
    await desk.act(mention('ben', 'sh project=api make there', { direct: true }));
    expect(await lastTask()).toMatchObject({ command: 'make there', project: { name: 'api' } });
    await desk.act(slash('ben', 'sh project=API make here'));
    expect(await lastTask()).toMatchObject({ command: 'make here', project: { name: 'api' } });
    expect((await desk.act(slash('ben', 'sh project=ap x')))[0]?.text).toContain('Did you mean `api`?');
  });

  it("in the thread of a task in a direct conversation it is that task's", async () => {
    const [ask] = await desk.act(mention('ben', 'sh opens a thread', { direct: true, thread: '32.001' }));
    const values = [options(ask).find(({ label }) => label === 'api')?.value ?? expect.unreachable()];
    await desk.act(press('ben', tokenOf(ask, 'Project'), { direct: true, thread: '32.001', values }));
    await desk.act(mention('ben', 'sh in that thread', { direct: true, thread: '32.001' }));
    expect(await lastTask()).toMatchObject({
      command: 'in that thread',
      project: { name: 'api' },
      threads: [{ externalId: null }],
    });
  });
});

describe('"Hand to Deckhand" on a message', () => {
  const agentWork = 'Work for an agent';
  const aCommand = 'A command';
  const formOf = (said: Said[]) => (said[0]?.payload.type === 'form' ? said[0].payload : undefined);

  it('opens a form with the text, and what is submitted runs in the thread of that message, as who submitted it', async () => {
    const opened = formOf(await desk.act(shortcut('ben', 'npm run build', { message: '33.001' })));
    expect(opened).toMatchObject({
      user: { user: accounts.ben },
      form: {
        fields: [
          { id: 'text', initial: 'npm run build', multiline: true },
          { id: 'as', initial: agentWork },
        ],
      },
    });
    await desk.act(
      submit('ben', opened?.form.token ?? '', { text: ['npm run build && ls'], as: [aCommand] }, { thread: '33.001' }),
    );
    const task = await lastTask();
    expect(task).toMatchObject({ command: 'npm run build && ls', threads: [{ externalId: '33.001' }] });
    expect(await desk.database.db.user.findUnique({ where: { id: task?.requesterId ?? '' } })).toMatchObject({ name: 'Ben' });
  });

  it('what is submitted as work for an agent is its task', async () => {
    const token = formOf(await desk.act(shortcut('ben', 'the login fails', { message: '33.005' })))?.form.token ?? '';
    await desk.act(submit('ben', token, { text: ['find out why the login fails'], as: [agentWork] }, { thread: '33.005' }));
    expect(await lastTask()).toMatchObject({ kind: 'agent', command: 'find out why the login fails' });
  });

  it('takes `sh` and code marks off what it proposes', async () => {
    for (const text of ['sh `npm test`', '```\nsh npm test\n```', 'sh npm test']) {
      const fields = formOf(await desk.act(shortcut('ben', text)))?.form.fields;
      expect(fields, text).toMatchObject([{ initial: 'npm test' }, { initial: aCommand }]);
    }
  });

  it('is for people who may run commands, where commands run, and for texts that fit', async () => {
    expect((await desk.act(shortcut('gus', 'ls')))[0]?.text).toContain('DH-202');
    expect((await desk.act(shortcut('ben', 'ls', { channel: 'CFREE' })))[0]?.text).toContain('DH-203');
    expect((await desk.act(shortcut('ben', 'x'.repeat(3001))))[0]?.text).toContain('DH-300');
  });

  it('a form filled in by somebody who may not is refused, an empty one too', async () => {
    const token = formOf(await desk.act(shortcut('ben', 'ls')))?.form.token ?? '';
    const before = await lastTask();
    const refused = (await desk.act(submit('gus', token, { text: ['ls -la'], as: [aCommand] }, { thread: '33.002' })))[0]?.text;
    expect(refused, 'what was typed is not lost').toMatch(/DH-202\nYou wrote: ls -la/);
    expect((await desk.act(submit('ben', token, { text: ['  '], as: [aCommand] }, { thread: '33.002' })))[0]?.text).toContain(
      'DH-201',
    );
    expect((await desk.act(submit('ben', 'c:nothing', { command: ['ls'] })))[0]?.text).toContain('DH-208');
    expect((await lastTask())?.id).toBe(before?.id);
  });

  it('in a direct conversation it asks for the project in the same form', async () => {
    const opened = formOf(await desk.act(shortcut('ben', 'ls', { direct: true, message: '34.001' })));
    expect(opened?.form.fields[2]).toMatchObject({ id: 'project', options: [{ value: 'api' }, { value: 'demo' }] });
    await desk.act(
      submit('ben', opened?.form.token ?? '', { text: ['ls -la'], as: [aCommand], project: ['demo'] }, { direct: true }),
    );
    expect(await lastTask()).toMatchObject({ command: 'ls -la', project: { name: 'demo' } });
  });
});

describe('the home of a person', () => {
  it('shows decisions, what runs and waits, and what was there lately', async () => {
    const [page] = await desk.act(home('ada'));
    expect(page?.payload).toMatchObject({ type: 'home', user: { user: accounts.ada } });
    for (const part of ['Waiting for your decision', 'Running', 'Queue', 'Lately', 'npm run build'])
      expect(page?.text).toContain(part);
    expect((await desk.act(home('ada')))[0]?.key ?? page?.key).toBe(page?.key);
  });

  it('helps people without a role to get started, and shows them nothing of the tasks', async () => {
    const [page] = await desk.act(home('nobody'));
    expect(page?.text).toContain('Welcome to Deckhand');
    expect(page?.text).not.toContain('npm run build');
  });
});
