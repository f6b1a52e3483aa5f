import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { type Permission, permissionSchema, permissions } from '../../src/contracts/permissions.ts';
import { encodePress } from '../../src/contracts/press.ts';
import { giveCustomRole, takeCustomRoles } from '../support/custom-role.ts';
import { accounts, type Desk, mention, openDesk, press, reply, slash, submit, tokenOf } from '../support/desk.ts';
import { aQuestion, atWork, offer, offerAgents, secretOf } from '../support/desk-agent.ts';

let desk: Desk;
let runner: string;
beforeAll(async () => {
  desk = await openDesk();
  runner = await offerAgents(desk, offer('claude'));
  await desk.act(slash('ada', 'settings policy=ask'));
});
afterAll(() => desk[Symbol.asyncDispose]());
afterEach(() => takeCustomRoles(desk));

const give = (...given: Permission[]) => giveCustomRole(desk, 'nobody', ['task.see', ...given]);
const told = async (event: Parameters<Desk['act']>[0]) => (await desk.act(event)).map(({ text }) => text).join('\n');
const said = (use: string) => told(slash('nobody', use));
const newest = () =>
  desk.database.db.run.findFirstOrThrow({
    orderBy: [{ task: { number: 'desc' } }, { attempt: 'desc' }],
    include: { task: { include: { threads: true } } },
  });

/** A command of Ben's that waits for an approval; the secret of its buttons, and what became of it. */
async function waiting() {
  await desk.act(mention('ben', 'sh touch file'));
  const { id } = await newest();
  const secret = await secretOf(desk, id);
  const state = async () => (await desk.database.db.interaction.findFirstOrThrow({ where: { runId: id } })).state;
  return { secret, approve: () => told(press('nobody', encodePress({ kind: 'decide', secret, verb: 'approve' }))), state };
}

describe('decisions', () => {
  const developers = permissionSchema.options.filter((one) => permissions[one].role === 'developer');
  const table: [string, 'developer' | 'maintainer' | 'owner', Permission[], boolean][] = [
    ['who may decide like developers, where these decide', 'developer', ['action.approve'], true],
    ['who may decide like developers, where it takes maintainers', 'maintainer', ['action.approve'], false],
    ['who may decide like maintainers, where it takes these', 'maintainer', ['action.approve-as-maintainer'], true],
    ['who may decide like maintainers, where developers decide', 'developer', ['action.approve-as-maintainer'], true],
    [
      'who may decide like maintainers, where it takes owners',
      'owner',
      ['action.approve-as-maintainer', 'action.approve'],
      false,
    ],
    ['who may do all that developers may but decide', 'developer', developers.filter((one) => one !== 'action.approve'), false],
  ];
  it.each(table)('promise 7: by somebody %s', async (_, approvers, given, able) => {
    await desk.act(slash('ada', `settings approvers=${approvers}`));
    await give(...given);
    const { approve, state } = await waiting();
    const answer = await approve();
    expect(await state()).toBe(able ? 'approved' : 'pending');
    if (!able) expect(answer).toContain('DH-202');
  });
});

describe('settings', () => {
  it('are of three kinds, each with a permission of its own, and all that is said at once needs all', async () => {
    await give('policy.manage');
    expect(await said('settings remind=1m')).not.toContain('DH-2');
    for (const use of ['settings concurrency=7', 'settings verbosity=quiet', 'settings remind=2m concurrency=7']) {
      expect(await said(use), use).toContain('DH-202');
    }
    await give('project.manage');
    expect(await said('settings concurrency=5')).not.toContain('DH-2');
    expect(await said('settings deny+=make')).toContain('DH-202');
    await give('channel.manage');
    expect(await said('settings verbosity=steps')).not.toContain('DH-2');
    // A channel gives nobody more than who says so has.
    expect(await said('settings role=developer')).toContain('DH-202');
    expect(await said('settings role=guest')).not.toContain('DH-2');
    await desk.act(slash('ada', 'settings role=none'));
    const { policy, limits } = await desk.database.db.project.findUniqueOrThrow({ where: { id: desk.demo.id } });
    expect({ policy, limits }).toMatchObject({ policy: { remindMs: 60_000, deny: [] }, limits: { concurrency: 5 } });
  });
});

describe('agents', () => {
  it('work without asking for those who may let them, and for nobody else', async () => {
    await give('agent.run');
    expect(await said('run mode=bypass do it')).toMatch(/may not let an agent run without asking/);
    await give('agent.run', 'agent.bypass');
    expect(await said('run mode=bypass do it')).not.toContain('DH-2');
    await desk.act(slash('ada', `stop #${(await newest()).task.number}`));
  });

  it('are begun again by those who may both manage tasks and give work to agents', async () => {
    await desk.act(mention('ben', 'fix it'));
    const { task } = await newest();
    await desk.act(slash('ada', `stop #${task.number}`));
    await give('task.manage');
    expect(await said(`retry #${task.number}`)).toMatch(/may not give work to an agent/);
    await give('task.manage', 'agent.run');
    expect(await said(`retry #${task.number}`)).not.toContain('DH-2');
    await desk.act(slash('ada', `stop #${task.number}`));
  });

  it('hear replies of those who may speak to them; commands are obeyed of those who may more than look', async () => {
    await desk.act(mention('ben', 'fix the login', { message: '77.000' }));
    const turn = await atWork(desk, runner);
    await desk.act(reply('gus', 'tasks', '77.000'));
    await give('task.manage');
    expect(await told(reply('nobody', 'try something else', '77.000'))).toBe('');
    expect(await turn.heard()).toEqual([]);
    await give('agent.run');
    await desk.act(reply('nobody', 'try something else', '77.000'));
    expect((await turn.heard()).map(({ text }) => text)).toEqual(['try something else']);
    expect(await told(reply('gus', 'stop', '77.000'))).toBe('');
    await give('task.manage');
    await desk.act(reply('nobody', 'stop', '77.000'));
    expect((await newest()).stopRequestedAt).not.toBeNull();
  });
});

describe('questions of agents', () => {
  const asked = async (mode: string) => {
    await desk.act(mention('ada', `run mode=${mode} fix it`));
    const turn = await atWork(desk, runner);
    const questions = [aQuestion('base', ['main', 'next'], { free: true })];
    await turn.step({ asks: [{ type: 'question', ask: 'q', questions }] });
    const secret = await secretOf(desk, turn.run);
    const token = encodePress({ kind: 'decide', secret, verb: 'answer' });
    const ways = {
      button: () => told(press('nobody', encodePress({ kind: 'choose', secret, question: 0, option: 1 }))),
      opened: () => told(press('nobody', token)),
      form: () => told(submit('nobody', token, { q0: ['0'] })),
      no: () => told(press('nobody', encodePress({ kind: 'decide', secret, verb: 'deny' }))),
    };
    const state = async () => (await desk.database.db.interaction.findFirstOrThrow({ where: { secret } })).state;
    return { ...ways, all: Object.values(ways), state, end: turn.end };
  };

  it('promise 7: are answered, by buttons and in forms, by those who may speak to agents and not by those who only decide', async () => {
    await give('action.approve', 'action.approve-as-maintainer');
    const first = await asked('ask');
    for (const way of first.all) {
      expect(await way()).toMatch(
        /may not .*Developers, maintainers and owners, and custom roles with `agent\.run`, can decide: Ada, Mia, Ben\..*DH-202/,
      );
    }
    expect(await first.state()).toBe('pending');
    await give('agent.run');
    await first.button();
    expect(await first.state()).toBe('answered');
    await first.end();
    const second = await asked('ask');
    await second.form();
    expect(await second.state()).toBe('answered');
    await second.end();
  });

  it('promise 7: of an agent that runs without asking take what it takes to speak to it', async () => {
    await give('agent.run');
    const { all, button, state, end } = await asked('bypass');
    for (const way of all)
      expect(await way()).toMatch(/custom roles with `agent\.run` and `agent\.bypass`, can decide: Ada, Mia\..*DH-202/);
    expect(await state()).toBe('pending');
    await give('agent.run', 'agent.bypass');
    await button();
    expect(await state()).toBe('answered');
    await end();
  });
});

describe('a policy that names a custom role', () => {
  const releaser = ['task.see', 'action.approve'] as const;
  const own = (use: string) => told(slash('ada', use));
  const policy = async () => (await desk.database.db.project.findUniqueOrThrow({ where: { id: desk.demo.id } })).policy;
  let id = '';
  beforeAll(async () => {
    await giveCustomRole(desk, 'nobody', releaser, 'releaser');
    ({ id } = await desk.database.db.customRole.findFirstOrThrow({ where: { key: 'releaser' } }));
  });
  afterAll(() => own('settings approvers=developer'));
  const have = () =>
    desk.database.db.user.updateMany({
      where: { identities: { some: { externalId: accounts.nobody } } },
      data: { role: 'guest', customRoleId: id },
    });

  it('promise 7: lets those decide who have it about the project, and nobody else, however much they may', async () => {
    await have();
    expect(await own('settings approvers=releaser')).toContain('who has the role releaser decides');
    // A process that knows no roles in policies finds a team without members, and lets nobody decide.
    expect(await policy()).toMatchObject({ approvers: { role: 'developer', people: [], teams: [id] } });
    const { approve, secret, state } = await waiting();
    expect(await told(press('ada', encodePress({ kind: 'decide', secret, verb: 'approve' })))).toMatch(
      /Ada may not decide this\. Only people with the role releaser can decide: Slack account UNOBODY\..*DH-202/i,
    );
    // What a membership on the project says counts before the role in the workspace.
    await own(`member role <@${accounts.nobody}> developer project=demo`);
    expect(await approve()).toContain('DH-202');
    await own(`member remove <@${accounts.nobody}> project=demo`);
    expect(await state()).toBe('pending');
    await approve();
    expect(await state()).toBe('approved');
  });

  it('does so in a demand too, with nobody else beside it; `policy`, its test and its form say it', async () => {
    await have();
    await own('settings approvers=developer');
    expect(await policy()).toMatchObject({ approvers: { role: 'developer' } });
    expect(await policy()).not.toHaveProperty('approvers.teams');
    expect(await own('policy add command="npm publish *" approvers=releaser')).toContain(
      'with the command npm publish *: only who has the role releaser may',
    );
    expect(await told(slash('gus', 'policy test npm publish'))).toMatch(
      /Only people with the role releaser can decide: Slack account/,
    );
    for (const use of ['policy add kind=push approvers=releaser people=@mia', 'settings approvers=releaser people=@mia']) {
      expect(await own(use), use).toMatch(/no people and no team are named besides.*DH-201/);
    }
    await own('settings approvers=releaser');
    const [shown] = await desk.act(slash('ada', 'policy'));
    const [form] = await desk.act(press('ada', tokenOf(shown, 'Edit…')));
    if (form?.payload.type !== 'form') return expect.unreachable();
    const select = form.payload.form.fields.find((field) => field.id === 'approvers');
    expect(select).toMatchObject({
      initial: 'releaser',
      options: expect.arrayContaining([{ value: 'releaser', label: 'Only the role releaser' }]),
    });
    const filled = { policy: ['ask'], approvers: ['owner'], people: [''], approvals: ['1'], expires: ['1h'] };
    await desk.act(submit('ada', form.payload.form.token, filled));
    expect(await policy()).toMatchObject({ approvers: { role: 'owner' }, demands: [{ needs: { teams: [id] } }] });
  });

  it('keeps it when it is renamed, and from being removed; what cannot decide is not named', async () => {
    await own('role rename releaser shipper');
    expect(await own('policy')).toContain('who has the role shipper may');
    await takeCustomRoles(desk);
    expect(await own('role remove shipper')).toMatch(/in use: the policy of demo, where it decides[\s\S]*DH-247/);
    expect(await own('role show shipper')).toContain('the policy of demo, where it decides');
    expect(await own('role change shipper without=action.approve')).toMatch(
      /may not decide, and a policy names it: what asks for it in demo is refused/,
    );
    await own('policy remove 1');
    expect(await own('role remove shipper')).toContain('is removed');
    await own('role add looker with=audit.read');
    expect(await own('settings approvers=looker')).toMatch(
      /Who has the role `looker` may not decide: it lacks `action\.approve`\..*DH-201/,
    );
    expect(await own('policy add kind=push approvers=nothing')).toContain('DH-245');
  });
});

it('a refusal names the custom roles by which some could, and who they are', async () => {
  await giveCustomRole(desk, 'nobody', ['task.see', 'copy.prune'], 'janitor');
  const named = await desk.database.db.user.findFirstOrThrow({ where: { customRoleId: { not: null } } });
  expect(await told(slash('gus', 'copies'))).toContain(
    `Maintainers and owners can, and whoever has the role janitor: Ada, Mia, ${named.name}.`,
  );
  expect(await told(slash('gus', 'doctor'))).toContain('Maintainers and owners can: Ada, Mia.');
});
