import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { changingRoles } from '../../src/access/change-roles.ts';
import { membersAbout, projectsSeenBy, roleAbout, rolesAbout } from '../../src/access/role-about.ts';
import { deciderNow, somebodyMayDecide } from '../../src/approvals/approvers.ts';
import { createFolder } from '../../src/store/folders.ts';
import { joinPeople, splitPerson } from '../../src/store/linked-people.ts';
import { personById } from '../../src/store/people.ts';
import { projectByName } from '../../src/store/projects.ts';
import { createTeam } from '../../src/store/teams.ts';
import { registerTenant } from '../../src/store/workspaces.ts';
import { type Account, type Desk, mention, openDesk, slash } from '../support/desk.ts';

let desk: Desk;
let web: string;
let api: string;

const say = async (who: Account, use: string) => (await desk.act(slash(who, use)))[0]?.text ?? '';
const ask = async (who: Account, use: string) => (await desk.act(mention(who, use, { direct: true })))[0]?.text ?? '';
const userOf = async (name: string) => (await desk.database.db.user.findFirstOrThrow({ where: { name } })).id;
const about = async (name: string, place = web) => {
  const user = await userOf(name);
  return desk.database.transaction((tx) => roleAbout(tx, { workspace: desk.workspace, place, user }));
};

beforeAll(async () => {
  desk = await openDesk();
  for (const use of [
    'project add web https://example.com/acme/web.git',
    'project add api https://example.com/acme/api.git',
    'folder add Payments',
    'folder move web Payments',
    'team add Core',
    'team add Ops',
  ]) {
    await say('ada', use);
  }
  // Somebody who has written here and has no role.
  await say('nobody', 'help');
  await desk.database.db.user.updateMany({ where: { identities: { some: { externalId: 'UNOBODY' } } }, data: { name: 'Nia' } });
  await desk.database.db.identity.updateMany({ where: { externalId: 'UNOBODY' }, data: { name: 'Nia' } });
  const [one, other] = await desk.database.transaction(async (tx) => [
    await projectByName(tx, desk.workspace, 'web'),
    await projectByName(tx, desk.workspace, 'api'),
  ]);
  web = one?.id ?? '';
  api = other?.id ?? '';
});
afterAll(() => desk[Symbol.asyncDispose]());

describe('what somebody is about a project', () => {
  it('follows each level in turn, the closest first, and what it was once that is taken away', async () => {
    expect(await about('Gus')).toBe('guest');
    await say('ada', 'team join Core Gus');
    expect(await say('ada', 'team link Core Payments maintainer')).toContain('maintainers in Payments');
    expect(await about('Gus')).toBe('maintainer');
    expect(await say('ada', 'who Gus project=web')).toContain(
      'Gus is a maintainer about web: team Core, linked to the folder Payments.',
    );
    expect(await say('ada', 'who project=web')).toContain('Gus (team Core, linked to the folder Payments)');
    expect(await say('ada', 'folder show Payments')).toMatch(/web[\s\S]*Core as maintainer[\s\S]*Gus/);
    expect(await say('ada', 'team show Core')).toMatch(/Gus[\s\S]*maintainer in Payments/);
    await say('ada', 'member role Gus developer folder=Payments');
    expect(await about('Gus')).toBe('developer');
    await say('ada', 'member role Gus none project=web');
    expect(await about('Gus')).toBeUndefined();
    expect(await say('gus', 'who Ada project=web')).toContain('DH-205');
    expect(await say('gus', 'who Ada')).not.toContain('web');
    expect(await say('gus', 'folder list')).not.toContain('web');
    expect([await about('Gus', api), await about('Gus', desk.demo.id)]).toEqual(['guest', 'guest']);
    await say('ada', 'member remove Gus project=web');
    expect(await about('Gus')).toBe('developer');
    await say('ada', 'member remove Gus folder=Payments');
    expect(await about('Gus')).toBe('maintainer');
    await say('ada', 'team leave Core Gus');
    expect(await about('Gus')).toBe('guest');
  });

  it('moves with the project, and goes with the folder', async () => {
    await say('ada', 'member role Ben maintainer folder=Payments');
    expect([await about('Ben'), await about('Ben', api)]).toEqual(['maintainer', 'developer']);
    await say('ada', 'folder move web none');
    expect(await about('Ben')).toBe('developer');
    await say('ada', 'folder move web Payments');
    await say('ada', 'folder add Gone');
    await say('ada', 'folder move api Gone');
    await say('ada', 'member role Ben guest folder=Gone');
    expect(await about('Ben', api)).toBe('guest');
    await say('ada', 'folder remove Gone');
    expect(await about('Ben', api)).toBe('developer');
    await say('ada', 'member remove Ben folder=Payments');
  });

  it('is owner for owners, whatever is said of them', async () => {
    expect(await say('ada', 'member role Ada none project=web')).toContain('owners are that everywhere');
    const ada = await userOf('Ada');
    await desk.database.db.membership.create({
      data: { id: 'mbr_x', workspaceId: desk.workspace, userId: ada, projectId: web, role: 'none' },
    });
    expect(await about('Ada')).toBe('owner');
    await desk.database.db.membership.delete({ where: { id: 'mbr_x' } });
  });
});

describe('somebody who is only a member of one project', () => {
  it('works there, also from a direct message, and nothing else exists for them', async () => {
    expect(await ask('nobody', 'tasks')).toContain('DH-202');
    await say('ada', 'member add Nia developer project=web');
    expect(await ask('nobody', 'project list')).toMatch(/Projects · 1\n.*web/);
    await ask('nobody', 'sh make it');
    const task = await desk.database.db.task.findFirstOrThrow({ where: { command: 'make it' } });
    expect(task.projectId).toBe(web);
    expect(await ask('nobody', 'tasks')).toContain('make it');
    await say('ben', 'sh project=api secret-thing');
    const other = await desk.database.db.task.findFirstOrThrow({ where: { command: 'secret-thing' } });
    expect(await ask('nobody', `show #${other.number}`)).toBe(
      (await ask('nobody', 'show #999')).replace('999', `${other.number}`),
    );
    expect(await ask('nobody', 'sh project=api ls')).toBe((await ask('nobody', 'sh project=apx ls')).replace('apx', 'api'));
    for (const use of ['tasks all project=all', 'board project=all', 'queue project=all', 'pending project=all', 'rules']) {
      expect(await ask('nobody', use), use).not.toContain('secret');
    }
  });

  it('does nothing that is about the workspace, however strong they are about the project', async () => {
    await say('ada', 'member role Nia maintainer project=web');
    for (const use of [
      'project add own https://example.com/acme/own.git',
      'member add Ben guest',
      'folder add Mine',
      'team add Mine',
      'audit',
      'doctor',
      'member role Ben guest project=api',
    ]) {
      expect(await ask('nobody', use), use).toMatch(/DH-20[25]/);
    }
    expect(await ask('nobody', 'settings project=web timeout=20m')).not.toContain('DH-202');
    expect(await ask('nobody', 'settings project=demo timeout=20m')).toContain('DH-205');
  });

  it('decides where the role is enough, is counted among those who may, and stops when it is taken away', async () => {
    const nia = await userOf('Nia');
    const approvers = { role: 'maintainer' as const, people: [nia], notRequester: false };
    const may = () =>
      desk.database.transaction(async (tx) => [
        await somebodyMayDecide(tx, { workspace: desk.workspace, project: web, approvers, requester: '' }),
        (await deciderNow(tx, desk.workspace, web, nia))?.role,
        (await deciderNow(tx, desk.workspace, api, nia))?.role,
      ]);
    expect(await may()).toEqual([true, 'maintainer', undefined]);
    await say('ada', 'member remove Nia project=web');
    expect(await may()).toEqual([false, undefined, undefined]);
  });
});

it('a membership that says less holds in the channel of the project too, and hides its tasks from those who are barred', async () => {
  await say('ben', 'sh visible-thing');
  expect(await say('gus', 'tasks')).toContain('visible-thing');
  await say('ada', 'member role Gus none project=demo');
  for (const use of ['tasks', 'board', 'queue', 'pending', 'settings', 'policy']) {
    expect(await say('gus', use), use).toContain('DH-202');
  }
  expect(await say('gus', 'tasks all project=all')).not.toContain('visible-thing');
  await say('ada', 'bind demo role=developer');
  expect(await say('gus', 'sh ls')).toContain('DH-202');
  await say('ada', 'bind demo role=none');
  await say('ada', 'member remove Gus project=demo');
});

describe('nobody gives what they do not have', () => {
  it('maintainers of a folder give up to developer within it, and nothing beside it', async () => {
    await say('ada', 'member role Ben maintainer folder=Payments');
    expect(await say('ben', 'member role Gus developer folder=Payments')).toContain('is a developer in the folder Payments now');
    expect(await say('ben', 'member role Gus developer project=web')).toContain('developer about web');
    for (const use of [
      'member role Gus maintainer folder=Payments',
      'member role Mia guest project=web',
      'member role Ben developer folder=Payments',
      'member role Gus developer project=api',
      'member role Gus developer',
      'team link Core Payments maintainer',
      'folder move api Payments',
    ]) {
      expect(await say('ben', use), use).toContain('DH-202');
    }
    expect(await say('ben', 'team link Core Payments developer')).toContain('developers in Payments');
  });

  it('nor by a detour: joining, leaving, linking, moving and removing are undone where they would', async () => {
    await say('ada', 'team link Core Payments maintainer');
    for (const place of ['folder=Payments', 'project=web']) await say('ada', `member remove Gus ${place}`);
    for (const use of ['team join Core Gus', 'team join Core Mia', 'folder remove Payments']) {
      const before = await desk.database.db.teamMember.count();
      expect(await say('mia', use), use).toContain('DH-202');
      expect(await desk.database.db.teamMember.count()).toBe(before);
    }
    expect(await desk.database.db.folder.count({ where: { name: 'Payments' } })).toBe(1);
    await say('ada', 'team unlink Core Payments');
    await say('ada', 'member remove Ben folder=Payments');
  });

  it('every change is a line of the audit', async () => {
    const rows = await desk.database.db.audit.findMany({ select: { action: true } });
    expect(new Set(rows.map(({ action }) => action))).toEqual(
      new Set([
        ...rows.map(({ action }) => action),
        'folder.add',
        'folder.remove',
        'project.folder',
        'team.add',
        'team.join',
        'team.leave',
        'team.link',
        'member.place',
      ]),
    );
    expect(rows.filter(({ action }) => action === 'member.place').length).toBeGreaterThan(10);
  });
});

it('linked accounts may together what one of them could alone; a bar on the person holds for both, and both keep no more when split', async () => {
  const { db } = desk.database;
  const rows = ['usr_one', 'usr_two'].map((id) => ({ id, workspaceId: desk.workspace, name: id, role: 'developer' }));
  await db.user.createMany({ data: rows });
  await db.identity.createMany({
    data: rows.map(({ id }, at) => {
      const platform = at === 0 ? 'slack' : 'telegram';
      return { id: `idn_${id}`, workspaceId: desk.workspace, userId: id, platform, tenant: 'T1', externalId: id, name: id };
    }),
  });
  const person = (id: string) => desk.database.transaction((tx) => personById(tx, desk.workspace, id));
  const [one, two] = [await person('usr_one'), await person('usr_two')];
  if (one === undefined || two === undefined) throw new Error('no people');
  await desk.database.transaction((tx) => joinPeople(tx, one, two));
  await say('ada', 'member role usr_one none project=web');
  expect(await about('usr_one')).toBeUndefined();
  const joined = await person('usr_one');
  if (joined === undefined) throw new Error('nobody');
  await desk.database.transaction((tx) => splitPerson(tx, joined, 'telegram'));
  expect([await about('usr_one'), await about('usr_two')]).toEqual([undefined, undefined]);
});

describe('promise 12: tenant walls', () => {
  it('folders, teams and memberships of another workspace say nothing here, even where their rows point here', async () => {
    const { db } = desk.database;
    await db.workspace.create({ data: { id: 'wsp_other', name: 'Other' } });
    await desk.database.transaction((tx) =>
      registerTenant(tx, 'wsp_other', { platform: 'slack', tenant: 'T2', name: 'Other', botUser: 'UB2' }),
    );
    const gus = await userOf('Gus');
    const [folder, team] = await desk.database.transaction(async (tx) => [
      await createFolder(tx, 'wsp_other', 'Payments'),
      await createTeam(tx, 'wsp_other', 'Core'),
    ]);
    if (folder === undefined || team === undefined) throw new Error('the names are free there');
    await db.teamMember.create({ data: { teamId: team.id, userId: gus, workspaceId: 'wsp_other' } });
    await db.teamLink.create({ data: { teamId: team.id, folderId: folder.id, workspaceId: 'wsp_other', role: 'maintainer' } });
    await db.membership.create({
      data: { id: 'mbr_y', workspaceId: 'wsp_other', userId: gus, projectId: web, role: 'maintainer' },
    });
    await db.project.update({ where: { id: api }, data: { folderId: folder.id } });
    expect([await about('Gus'), await about('Gus', api)]).toEqual(['guest', 'guest']);
    const others = await desk.database.transaction(async (tx) => ({
      roles: await rolesAbout(tx, { workspace: 'wsp_other', place: web, people: [gus] }),
      members: await membersAbout(tx, 'wsp_other', web),
      seen: await projectsSeenBy(tx, 'wsp_other', gus),
    }));
    expect(others).toEqual({ roles: [], members: [], seen: [] });
    expect(await say('ada', 'folder show Payments')).not.toContain('api');
    await expect(
      desk.database.transaction((tx) =>
        changingRoles(tx, { workspace: 'wsp_other', user: gus, name: 'Gus' }, [{ id: web, name: 'web' }], async () => {
          await tx.db.membership.updateMany({ where: { projectId: web, workspaceId: 'wsp_other' }, data: { role: 'guest' } });
        }),
      ),
    ).resolves.toBeUndefined();
    expect(await about('Gus')).toBe('guest');
  });
});
