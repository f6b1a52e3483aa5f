import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { viewSecretContext, withSecret } from '../../src/delivery/view-secret.ts';
import { refusedHostText } from '../../src/store/run-acts.ts';
import { type Desk, mention, openDesk, type Said, slash } from '../support/desk.ts';
import { atWork, offer, offerAgents } from '../support/desk-agent.ts';
import { on, openPlatforms } from '../support/desk-platforms.ts';
import { type DeskSite, openDeskSite } from '../support/desk-site.ts';

let desk: Desk;
let site: DeskSite;
let runner: string;
let at = '';

beforeAll(async () => {
  desk = await openDesk({ apiUrl: () => at });
  await openPlatforms(desk);
  runner = await offerAgents(desk, offer('claude'));
  site = await openDeskSite(desk);
  at = site.url;
  for (const use of [
    'project add web https://example.com/acme/web.git',
    'project add api https://example.com/acme/api.git',
    'folder add Clients',
    'folder move web Clients',
  ]) {
    await desk.act(slash('ada', use));
  }
  await desk.act(slash('nobody', 'help'));
  await desk.act(slash('ada', 'member role <@UNOBODY> developer folder=Clients'));
  await desk.act(slash('ada', 'sh project=web echo seen'));
  await desk.act(slash('ada', 'sh project=api echo hidden'));
});
afterAll(async () => {
  await site?.[Symbol.asyncDispose]();
  await desk?.[Symbol.asyncDispose]();
});

const lines = (action: string) => desk.database.db.audit.findMany({ where: { action }, orderBy: { id: 'asc' } });
const secretOf = ([said]: readonly Said[]) => {
  const view = said !== undefined && 'view' in said.payload ? said.payload.view : undefined;
  return desk.secretBox.open(view?.secret ?? '', viewSecretContext) ?? expect.unreachable(said?.text);
};

describe('somebody with memberships alone', () => {
  it('signs in, and the account says what they are where, and nothing of what they may not see', async () => {
    const [said] = await desk.act(slash('nobody', 'signin'));
    if (said === undefined || !('view' in said.payload)) return expect.unreachable();
    const view = withSecret(said.payload.view, (sealed) => desk.secretBox.open(sealed, viewSecretContext));
    const link = view.blocks.flatMap((block) => (block.type === 'code' ? [block.text] : []))[0] ?? '';
    const code = new URL(link).searchParams.get('code') ?? '';
    const headers = { origin: site.url, 'sec-fetch-site': 'same-origin' };
    const answer = await fetch(`${site.url}/signin/link`, {
      method: 'POST',
      headers,
      body: new URLSearchParams({ code }),
      redirect: 'manual',
    });
    expect(answer.status).toBe(303);
    const cookie = answer.headers.getSetCookie()[0]?.split(';')[0] ?? '';
    const account = await site.ask('/account', { headers: { cookie } });
    expect(account).toMatch(/^200 [\s\S]*<dt>Role<\/dt><dd>none in/);
    expect(account).toContain('developer in the folder Clients <small>member of the folder</small>');
    expect(account).toContain('developer about web <small>member of the folder Clients</small>');
    expect(account).not.toContain('api');
    await desk.act(slash('ada', 'member role <@UNOBODY> none project=web'));
    expect(await site.ask('/account', { headers: { cookie } })).not.toContain('about web');
    await desk.act(slash('ada', 'member remove <@UNOBODY> project=web'));
    await desk.act(slash('ada', 'member remove <@UNOBODY> folder=Clients'));
    expect(await site.ask('/account', { headers: { cookie } })).toMatch(/^303/);
    expect((await lines('session.end')).map(({ data }) => data)).toContainEqual({ why: 'no role' });
    await desk.act(slash('ada', 'member role <@UNOBODY> developer folder=Clients'));
    expect(await site.ask('/account', { headers: { cookie } })).toMatch(/^303/);
  });

  it('makes tokens that see their projects alone, up to what they are there, and none of services', async () => {
    expect((await desk.act(slash('nobody', 'token create strong role=maintainer')))[0]?.text).toContain('DH-202');
    expect((await desk.act(slash('nobody', 'token create service=deploy')))[0]?.text).toContain('DH-202');
    const token = secretOf(await desk.act(slash('nobody', 'token create mine role=developer')));
    const read = (path: string) => site.ask(path, { headers: { authorization: `Bearer ${token}` } });
    const tasks = await read('/api/v1/tasks');
    expect(tasks).toMatch(/^200 .*echo seen/);
    expect(tasks).not.toContain('hidden');
    const { db } = desk.database;
    const hidden = await db.run.findFirstOrThrow({ where: { task: { title: { contains: 'hidden' } } }, include: { task: true } });
    const seen = await db.run.findFirstOrThrow({ where: { task: { title: { contains: 'seen' } } } });
    expect(await read(`/api/v1/runs/${seen.id}`)).toMatch(/^200/);
    const unknown = (text: string) => text.replaceAll(/"reference":"[^"]*"/g, '');
    const nothing = unknown(await read('/api/v1/tasks/999')).replaceAll('999', String(hidden.task.number));
    expect(unknown(await read(`/api/v1/tasks/${hidden.task.number}`))).toBe(nothing);
    for (const path of [`/api/v1/runs/${hidden.id}`, `/api/v1/runs/${hidden.id}/events`])
      expect(await read(path)).toMatch(/^404/);
    expect(await read('/api/v1/tasks?project=api')).toMatch(/^404 .*DH-205/);
    await desk.act(slash('ada', 'member remove <@UNOBODY> folder=Clients'));
    expect(await read('/api/v1/tasks')).toMatch(/^403 .*DH-223/);
  });
});

describe('lines of the audit', () => {
  it('count what an agent did in a run, by tool, what failed and which hosts its sandbox may not reach', async () => {
    await desk.act(mention('ben', 'fix the login', { message: '500.000' }));
    const turn = await atWork(desk, runner);
    const call = (id: string, tool: string, ok: boolean) => [
      { type: 'tool' as const, id, tool, title: tool },
      { type: 'tool_ended' as const, id, ok, summary: 'done' },
    ];
    await turn.step({
      events: [
        ...call('1', 'bash', true),
        ...call('2', 'bash', false),
        ...call('3', 'edit', true),
        { type: 'note', level: 'warning', text: refusedHostText('evil.example.com') },
      ],
    });
    await turn.end();
    const [line] = await lines('run.acts');
    expect(line).toMatchObject({ actorId: null, subject: turn.run });
    expect(line?.data).toEqual({
      task: turn.task,
      calls: 3,
      failed: 1,
      tools: { bash: 2, edit: 1 },
      refusedHosts: ['evil.example.com'],
    });
  });

  it('say that sessions end when accounts are unlinked', async () => {
    const { id, cookie } = await site.session('Ben');
    expect(await site.ask('/account', { headers: { cookie } })).toMatch(/^200/);
    expect((await desk.act(on('telegram', slash('ben', 'unlink discord'))))[0]?.text).not.toContain('DH-');
    expect(await site.ask('/account', { headers: { cookie } })).toMatch(/^303/);
    const ended = (await lines('session.end')).find(({ subject }) => subject === id);
    expect(ended).toMatchObject({ actorId: null, data: { why: 'accounts were unlinked' } });
  });
});
