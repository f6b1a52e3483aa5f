import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { type Permission, permissionSchema, permissions } from '../../src/contracts/permissions.ts';
import { encodePress } from '../../src/contracts/press.ts';
import { giveCustomRole, takeCustomRoles } from '../support/custom-role.ts';
import { type Desk, mention, openDesk, press, reply, slash } from '../support/desk.ts';
import { atWork, offer, offerAgents, secretOf } from '../support/desk-agent.ts';

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
  return { approve: () => told(press('nobody', encodePress({ kind: 'decide', secret, verb: 'approve' }))), state };
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

it('a refusal names the custom roles by which some could, and who they are', async () => {
  await giveCustomRole(desk, 'nobody', ['task.see', 'copy.prune'], 'janitor');
  const named = await desk.database.db.user.findFirstOrThrow({ where: { customRoleId: { not: null } } });
  expect(await told(slash('gus', 'copies'))).toContain(
    `Maintainers and owners can, and whoever has the role janitor: Ada, Mia, ${named.name}.`,
  );
  expect(await told(slash('gus', 'doctor'))).toContain('Maintainers and owners can: Ada, Mia.');
});
