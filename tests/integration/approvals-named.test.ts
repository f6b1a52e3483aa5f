import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { defaultPolicy, type Policy } from '../../src/contracts/policy.ts';
import type { RunResult } from '../../src/contracts/run-event.ts';
import { createCustomRole } from '../../src/store/custom-roles.ts';
import { setCodeOwner } from '../../src/store/named-people.ts';
import { setRole } from '../../src/store/people.ts';
import type { Person } from '../../src/tasks/task-engine.ts';
import { changed, publishing } from '../support/publish-world.ts';
import { TestEngine, type TestWorld } from '../support/test-engine.ts';

const anybody: Policy['approvers'] = { role: 'developer', people: [], notRequester: false };
const owners: Policy = {
  ...defaultPolicy,
  mode: 'yolo',
  approvers: anybody,
  demands: [{ when: { kind: 'push' }, needs: { codeowners: true } }],
};
const infra: RunResult['ownership'] = {
  state: 'read',
  file: '.github/CODEOWNERS',
  owned: [{ owners: ['@acme/infra'], paths: ['infra/main.tf'], files: 1 }],
  skipped: 0,
};

let deckhand: TestEngine;
let runner: string;

beforeEach(async () => {
  deckhand = await TestEngine.start();
  runner = await deckhand.runner();
});
afterEach(() => deckhand.close());

const stands = (world: TestWorld, owner: string, people: readonly Person[], teams: string[] = []) =>
  deckhand.tx((tx) =>
    setCodeOwner(tx, {
      workspace: world.workspace,
      owner,
      people: people.map(({ user }) => user),
      teams,
      by: world.people.ada.user,
      at: new Date(),
    }),
  );

async function team(world: TestWorld, name: string, people: readonly Person[]): Promise<string> {
  const id = `team_${name}`;
  await deckhand.db.team.create({ data: { id, workspaceId: world.workspace, name, key: name } });
  await deckhand.db.teamMember.createMany({
    data: people.map(({ user }) => ({ teamId: id, userId: user, workspaceId: world.workspace })),
  });
  return id;
}

describe('promise 7: where owners of files must approve', () => {
  it('a yes of somebody else is not enough, that of an owner is, and both stand behind the push', async () => {
    const world = await deckhand.world({ policy: owners });
    const { ada, ben } = world.people;
    await stands(world, '@acme/infra', [ada]);
    const { run } = await changed(deckhand, world, runner, { ownership: infra });
    const { push } = publishing(deckhand, 'any');
    const asked = await push(run, ben);
    expect(asked).toMatchObject({
      outcome: 'asked',
      whoCan: expect.stringContaining('An owner of `infra/main.tf` must approve: Ada'),
    });
    expect(await push(run, ada)).toMatchObject({ outcome: 'approved' });
  });

  it('who an owner is counts at the press and just before the push', async () => {
    const world = await deckhand.world({ policy: owners });
    const { ada, ben, dev } = world.people;
    await stands(world, '@acme/infra', [ada]);
    const { run } = await changed(deckhand, world, runner, { ownership: infra });
    const host = (await deckhand.db.run.findUniqueOrThrow({ where: { id: run } })).hostId ?? '';
    const { push, claim, control, stateOf } = publishing(deckhand, host);
    expect(await push(run, ben)).toMatchObject({ outcome: 'asked' });
    expect(await push(run, ada)).toMatchObject({ outcome: 'approved' });
    await stands(world, '@acme/infra', [dev]);
    const { publication } = await claim(runner);
    expect(await control.beginPush(publication, runner)).toEqual({ verdict: 'stop' });
    expect(await stateOf(publication)).toBe('failed');
  });

  it('nobody stands for an unknown owner: the request says who is unknown, and is met as soon as an owner has said it', async () => {
    const world = await deckhand.world({ policy: owners });
    const { ada } = world.people;
    const { run } = await changed(deckhand, world, runner, { ownership: infra });
    const { push } = publishing(deckhand, 'any');
    expect(await push(run, ada)).toMatchObject({
      outcome: 'asked',
      whoCan: expect.stringContaining('nobody here is known by that: an owner says who it is with `codeowners set @acme/infra'),
    });
    const known = await team(world, 'infra', [ada]);
    await stands(world, '@acme/infra', [], [known]);
    expect(await push(run, ada)).toMatchObject({ outcome: 'approved' });
  });

  it.each([
    ['nobody has looked', undefined],
    ['the file is unclear', { state: 'unclear', file: 'CODEOWNERS', detail: 'it is no plain file' }],
  ] as const)('nobody is an owner where %s', async (_, ownership) => {
    const world = await deckhand.world({ policy: owners });
    const { run } = await changed(deckhand, world, runner, ownership === undefined ? {} : { ownership });
    const { push } = publishing(deckhand, 'any');
    expect(await push(run, world.people.ada)).toMatchObject({
      outcome: 'asked',
      whoCan: expect.stringContaining('Who owns the files is not known'),
    });
  });

  it('nobody else is needed where no file has an owner', async () => {
    const world = await deckhand.world({ policy: owners });
    const { run } = await changed(deckhand, world, runner, { ownership: { state: 'none' } });
    expect(await publishing(deckhand, 'any').push(run, world.people.ben)).toMatchObject({ outcome: 'approved' });
  });
});

describe('promise 7: where a team decides', () => {
  it('who is in it at the press may, and still is when the command begins', async () => {
    const world = await deckhand.world({ policy: defaultPolicy });
    const { ben, dev } = world.people;
    const id = await team(world, 'ops', [ben]);
    await deckhand.db.project.update({
      where: { id: world.project },
      data: { policy: { ...defaultPolicy, approvers: { ...anybody, teams: [id] } } },
    });
    const { run } = await deckhand.create(world, 'npm test');
    expect(await deckhand.decide(run, dev)).toMatchObject({
      result: 'not_allowed',
      error: { code: 'DH-202', params: { whoCan: expect.stringContaining('Ben') } },
    });
    expect(await deckhand.decide(run, ben)).toMatchObject({ result: 'decided' });
    await deckhand.db.teamMember.deleteMany({ where: { teamId: id } });
    // Nobody is left who could: it is not asked anew.
    expect(await deckhand.authorise(await deckhand.claim(run, runner), runner)).toMatchObject({ verdict: 'deny' });
  });

  it('of a demand, whoever decides must be in it as well as among those whom the policy names', async () => {
    const world = await deckhand.world({ policy: defaultPolicy });
    const { ada, ben, dev } = world.people;
    const id = await team(world, 'ops', [ben, dev]);
    const policy: Policy = {
      ...defaultPolicy,
      approvers: { ...anybody, people: [ada.user, ben.user] },
      demands: [{ when: { command: 'npm publish *' }, needs: { teams: [id] } }],
    };
    await deckhand.db.project.update({ where: { id: world.project }, data: { policy } });
    const { run } = await deckhand.create(world, 'npm publish');
    for (const person of [ada, dev]) expect(await deckhand.decide(run, person)).toMatchObject({ result: 'not_allowed' });
    expect(await deckhand.decide(run, ben)).toMatchObject({ result: 'decided' });
  });
});

describe('promise 7: where a custom role decides', () => {
  it('who has it about the project at the press may, by a team of its folder too, and still has it when the command begins', async () => {
    const world = await deckhand.world({ policy: defaultPolicy });
    const { workspace, project } = world;
    const { ada, ben, dev } = world.people;
    const role = await deckhand.tx((tx) =>
      createCustomRole(tx, {
        workspace,
        name: 'releaser',
        permissions: ['task.see', 'action.approve'],
        by: ada.user,
        at: new Date(),
      }),
    );
    if (role === undefined) return expect.unreachable();
    const ops = await team(world, 'ops', [dev]);
    await deckhand.db.folder.create({ data: { id: 'fld_x', workspaceId: workspace, name: 'x', key: 'x' } });
    await deckhand.tx((tx) => setRole(tx, workspace, ben.user, role));
    await deckhand.db.project.update({
      where: { id: project },
      data: { folderId: 'fld_x', policy: { ...defaultPolicy, approvers: { ...anybody, teams: [role.id] } } },
    });
    const link = { teamId: ops, folderId: 'fld_x', workspaceId: workspace, role: 'guest', customRoleId: role.id };
    await deckhand.db.teamLink.create({ data: link });
    const able = { role: 'guest', extra: ['action.approve'] } as const;
    const first = await deckhand.create(world, 'npm test');
    expect(await deckhand.decide(first.run, ada)).toMatchObject({
      result: 'not_allowed',
      error: {
        params: { whoCan: expect.stringMatching(/^Only people with the role releaser can decide: (Ben, Dev|Dev, Ben)\.$/) },
      },
    });
    expect(await deckhand.decide(first.run, { ...dev, ...able })).toMatchObject({ result: 'decided' });
    const second = await deckhand.create(world, 'npm publish');
    expect(await deckhand.decide(second.run, { ...ben, ...able })).toMatchObject({ result: 'decided' });
    await deckhand.tx((tx) => setRole(tx, workspace, ben.user, 'maintainer'));
    await deckhand.db.teamLink.deleteMany();
    expect(await deckhand.authorise(await deckhand.claim(second.run, runner), runner)).toMatchObject({ verdict: 'deny' });
    // Nobody has the role, or it is gone: a further request has nobody who may decide.
    const { run } = await deckhand.create(world, 'npm pack');
    expect(await deckhand.stateOf(run)).toBe('cancelled');
  });
});

describe('promise 7: where decisions count in one channel', () => {
  it('a press elsewhere is refused with the place, and the task is shown there', async () => {
    const world = await deckhand.world({ policy: defaultPolicy });
    const { ada } = world.people;
    const first = await deckhand.db.channel.findFirstOrThrow({ where: { id: world.channel } });
    await deckhand.db.channel.create({ data: { ...first, id: 'chn_ops', externalId: 'COPS', name: 'ops' } });
    const policy: Policy = { ...defaultPolicy, approvers: { ...anybody, channels: ['chn_ops'] } };
    await deckhand.db.project.update({ where: { id: world.project }, data: { policy } });
    const { run, task } = await deckhand.create(world, 'npm test');
    const threads = await deckhand.db.thread.findMany({ where: { taskId: task } });
    expect(threads.map(({ channelId }) => channelId).sort()).toEqual([world.channel, 'chn_ops'].sort());
    for (const at of [undefined, world.channel]) {
      expect(await deckhand.decide(run, { ...ada, at })).toEqual({
        result: 'elsewhere',
        where: 'It counts in #ops on Slack only.',
        unseen: '',
      });
    }
    // The same of the same person is one line.
    expect(await deckhand.audits('approval.elsewhere')).toHaveLength(1);
    expect(await deckhand.decide(run, { ...ada, at: 'chn_ops' })).toMatchObject({ result: 'decided' });
  });
});

describe('a request that waits without an end', () => {
  it('is never overdue, is reminded of all the same, and a demand can still give it an end', async () => {
    const demands = [{ when: { command: 'npm publish *' }, needs: { expiresMs: 60_000 } }];
    const world = await deckhand.world({ policy: { ...defaultPolicy, waits: true, demands } });
    const waiting = await deckhand.create(world, 'npm test');
    const ending = await deckhand.create(world, 'npm publish');
    const of = (run: string) => deckhand.db.interaction.findFirstOrThrow({ where: { runId: run } });
    expect(await of(waiting.run)).toMatchObject({ expiresAt: null, remindAt: expect.any(Date) });
    expect((await of(ending.run)).expiresAt).not.toBeNull();
    expect(await deckhand.stateOf(waiting.run)).toBe('awaiting');
  });
});
