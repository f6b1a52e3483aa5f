import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { rightsAbout } from '../../src/access/role-about.ts';
import { judgeToken } from '../../src/access/token-access.ts';
import { type Permission, permissionsOf } from '../../src/contracts/permissions.ts';
import { tokenByHash } from '../../src/store/access-tokens.ts';
import { findChannel } from '../../src/store/channels.ts';
import { joinPeople, splitPerson } from '../../src/store/linked-people.ts';
import { peopleById, personById, setRole } from '../../src/store/people.ts';
import { sessionByHash } from '../../src/store/sessions.ts';
import { registerTenant } from '../../src/store/workspaces.ts';
import { type Account, type Desk, openDesk, slash } from '../support/desk.ts';

let desk: Desk;

const say = async (who: Account, use: string) => (await desk.act(slash(who, use)))[0]?.text ?? '';
const userOf = async (name: string) => (await desk.database.db.user.findFirstOrThrow({ where: { name } })).id;
const personOf = async (name: string) => {
  const user = await userOf(name);
  return desk.database.transaction((tx) => personById(tx, desk.workspace, user));
};
const mayAt = async (name: string, place = desk.demo.id): Promise<Permission[]> => {
  const user = await userOf(name);
  return permissionsOf(await desk.database.transaction((tx) => rightsAbout(tx, { workspace: desk.workspace, place, user })));
};
const audits = async (action: string) =>
  (await desk.database.db.audit.findMany({ where: { action }, orderBy: { id: 'asc' } })).map(({ data }) => data);
const releases: Permission[] = ['task.see', 'change.publish', 'action.approve'];

beforeAll(async () => {
  desk = await openDesk();
  await say('ada', 'role add release-manager with=change.publish,action.approve');
  // Members of the workspace of the platform, as it tells when they write.
  for (const who of ['ben', 'gus'] as const) await say(who, 'help');
});
afterAll(() => desk[Symbol.asyncDispose]());

describe('making roles', () => {
  it('is for owners alone, from permissions that there are, under a name that is free', async () => {
    expect(await say('mia', 'role add helper with=agent.run')).toContain('DH-202');
    expect(await say('ada', 'role add Release-Manager')).toContain('DH-244');
    expect(await say('ada', 'role add developer')).toContain('is a built-in role');
    expect(await say('ada', 'role add helper with=change.publsh')).toMatch(/Did you mean `change\.publish`\?[\s\S]*DH-246/);
    expect(await say('ada', 'role add helper with=workspace.own')).toMatch(/owners alone[\s\S]*DH-246/);
    expect(await say('ada', 'role add helper without=task.see')).toContain('DH-300');
    expect(await say('ada', 'role add helper with=agent.run without=agent.run')).toContain('DH-201');
    expect(await say('ada', 'role add helper from=nobody')).toContain('DH-245');
    expect(await desk.database.db.customRole.count()).toBe(1);
  });

  it('begins as another role, and says what came of it', async () => {
    const said = await say('ada', 'role add intern from=developer without=change.publish,rule.revoke with=audit.read');
    expect(said).toMatch(/There is a role intern now: all that guests may, and .*audit\.read/);
    const { permissions } = await desk.database.db.customRole.findFirstOrThrow({ where: { key: 'intern' } });
    expect(permissions).toEqual(['task.see', 'agent.run', 'command.run', 'task.manage', 'action.approve', 'audit.read']);
    expect((await audits('role.add')).at(-1)).toEqual({ name: 'intern', permissions: permissions.join(', ') });
  });

  it('lists and shows them to everybody with a role, with who has them as far as the asker may see', async () => {
    expect(await say('gus', 'role list')).toMatch(
      /guest · may look[\s\S]*Custom roles · 2[\s\S]*release-manager · all that guests may, and change\.publish, action\.approve/,
    );
    for (const use of ['project add hidden https://example.com/acme/hidden.git', 'member role Gus none project=hidden'])
      await say('ada', use);
    await say('ada', 'member add Nia guest');
    await say('ada', 'member role Ben release-manager project=hidden');
    expect(await say('ada', 'role show release-manager')).toMatch(/bring changes out[\s\S]*Ben about hidden/);
    expect(await say('gus', 'role show release-manager')).toMatch(/bring changes out[\s\S]*nobody/);
    expect(await say('gus', 'role show maintainer')).toMatch(/member\.manage[\s\S]*change members/);
    expect(await say('gus', 'role show relase-manager')).toMatch(/Did you mean `release-manager`[\s\S]*DH-245/);
    expect(await say('nobody', 'role list')).toContain('DH-202');
    await say('ada', 'member remove Ben project=hidden');
  });
});

describe('a custom role', () => {
  it('given in the workspace is what counts, everywhere it is asked', async () => {
    expect(await say('ada', 'member role Gus release-manager')).toMatch(
      /is release-manager now: may see tasks.*bring changes out/,
    );
    expect(await mayAt('Gus')).toEqual(releases);
    expect(await personOf('Gus')).toMatchObject({
      role: 'guest',
      extra: ['change.publish', 'action.approve'],
      named: ['release-manager'],
    });
    expect(await say('ada', 'member role Gus release-manager')).toContain('is release-manager already');
    expect(await say('ada', 'who')).toMatch(/release-manager[\s\S]*Gus/);
    expect(await say('ada', 'who Gus project=demo')).toContain('Gus is release-manager about demo: role in the workspace.');
    expect((await audits('member.role')).at(-1)).toEqual({ from: 'guest', to: 'release-manager' });
  });

  it('is changed for all who have it at once', async () => {
    expect(await say('ada', 'role change release-manager')).toContain('DH-201');
    expect(await say('ada', 'role change release-manager with=action.approve')).toContain('is that already');
    expect(await say('mia', 'role change release-manager with=policy.manage')).toContain('DH-202');
    expect(await say('ada', 'role change release-manager with=audit.read')).toContain('It counts at once');
    expect(await mayAt('Gus')).toEqual([...releases, 'audit.read']);
    expect(await say('ada', 'role change release-manager without=audit.read')).toContain('It counts at once');
    expect(await mayAt('Gus')).toEqual(releases);
    expect((await audits('role.change')).at(-1)).toMatchObject({ name: 'release-manager', added: '', taken: 'audit.read' });
  });

  it('that somebody has is not removed, and the refusal says who', async () => {
    expect(await say('ada', 'role remove release-manager')).toMatch(/in use: Gus[\s\S]*DH-247/);
    await say('ada', 'role add short-lived with=agent.run');
    expect(await say('ada', 'role remove short-lived')).toContain('is removed');
    expect(await desk.database.db.customRole.count({ where: { key: 'short-lived' } })).toBe(0);
    // Nor by a way around the command: the database refuses it.
    await expect(
      desk.database.db.customRole.delete({ where: { workspaceId_key: { workspaceId: desk.workspace, key: 'release-manager' } } }),
    ).rejects.toThrow();
  });

  it('about a project, in a folder and by a team counts as a built-in one would, and several teams add up', async () => {
    for (const use of [
      'project add web https://example.com/acme/web.git',
      'folder add Payments',
      'folder move web Payments',
      'team add Core',
      'team add Ops',
      'team join Core Ben',
      'team join Ops Ben',
    ])
      await say('ada', use);
    const web = (await desk.database.db.project.findFirstOrThrow({ where: { name: 'web' } })).id;
    expect(await say('ada', 'team link Core Payments release-manager')).toContain(
      'Members of the team Core are release-manager in Payments now',
    );
    expect(await mayAt('Ben', web)).toEqual(releases);
    await say('ada', 'role add auditor with=audit.read');
    await say('ada', 'team link Ops Payments auditor');
    expect(await mayAt('Ben', web)).toEqual([...releases, 'audit.read']);
    expect(await say('ada', 'who Ben project=web')).toMatch(
      /Ben is release-manager and auditor about web: team Core, linked to the folder Payments and team Ops, linked to the folder Payments\./,
    );
    expect(await say('ada', 'team show Core')).toContain('release-manager in Payments');
    await say('ada', 'member role Ben auditor folder=Payments');
    expect(await mayAt('Ben', web)).toEqual(['task.see', 'audit.read']);
    await say('ada', 'member role Ben release-manager project=web');
    expect(await mayAt('Ben', web)).toEqual(releases);
    expect(await say('ada', 'role remove auditor')).toMatch(
      /Ben in the folder Payments; team Ops in the folder Payments[\s\S]*DH-247/,
    );
    for (const use of [
      'member remove Ben project=web',
      'member remove Ben folder=Payments',
      'team remove Core',
      'team remove Ops',
    ])
      await say('ada', use);
    expect(await say('ada', 'role remove auditor')).toContain('is removed');
  });

  it('is given by maintainers as far as they have all of it, and never with the right to change members', async () => {
    await say('ada', 'role add hr with=member.manage');
    await say('ada', 'role add owner-like with=account.manage');
    expect(await say('mia', 'member role Ben release-manager')).toContain('is release-manager now');
    expect(await say('mia', 'member role Ben hr')).toContain('DH-202');
    expect(await say('mia', 'member role Ben owner-like')).toContain('DH-202');
    expect(await say('mia', 'invite hr')).toContain('DH-202');
    for (const use of ['team add Empty', 'folder add Quiet']) await say('ada', use);
    expect(await say('mia', 'team link Empty Quiet hr')).toContain('DH-202');
    expect(await say('mia', 'member role Ben owner-like project=demo')).toContain('DH-202');
    await say('ada', 'member role Gus hr');
    // Whoever may change members, and little else, gives and takes no more than that.
    expect(await say('gus', 'member role Ben guest')).toContain('DH-202');
    await say('ada', 'member role Ben guest');
    expect(await say('gus', 'member role Ben developer')).toContain('DH-202');
    expect(await say('gus', 'member remove Ben')).toContain('has no role of their own any more');
    expect(await say('gus', 'member add Ben guest')).toContain('is a guest now');
    expect(await say('mia', 'member role Gus guest')).toContain('DH-202');
    await say('ada', 'member role Gus release-manager');
    await say('ada', 'member role Ben developer');
  });

  it('is given by a channel where it holds no more than developers may, and to external people as looking', async () => {
    expect(await say('ada', 'settings role=hr')).toMatch(/no more than developers may[\s\S]*DH-245/);
    expect(await say('ada', 'settings role=release-manager')).toContain('release-manager');
    const conversation = { platform: 'slack', tenant: 'T1', channel: 'CDEMO', kind: 'channel' } as const;
    const channel = await desk.database.transaction((tx) => findChannel(tx, desk.workspace, conversation));
    expect(channel).toMatchObject({
      defaultRole: 'guest',
      extra: ['change.publish', 'action.approve'],
      named: ['release-manager'],
    });
    expect(await say('nobody', 'who')).toMatch(/are release-manager here[\s\S]*You are release-manager here\./);
    expect(await say('ada', 'bind demo')).toContain('are release-manager here');
    expect(await say('ada', 'role change release-manager with=member.manage')).toContain('DH-300');
    expect(await say('ada', 'role remove release-manager')).toContain('members of 1 channel');
    expect(await say('ada', 'settings role=none')).toContain('none: people need a role of their own');
  });
});

describe('linked accounts with custom roles', () => {
  it('are one person who may what any of them may alone, and get their own back when they are split', async () => {
    const { workspace } = desk;
    const ids = await desk.database.transaction(async (tx) => {
      await registerTenant(tx, workspace, { platform: 'telegram', tenant: 'bot', name: 'Acme', botUser: '1' });
      const made: string[] = [];
      for (const [at, name] of ['Lea', 'lea_t'].entries()) {
        const id = `usr_linked${at}`;
        await tx.db.user.create({ data: { id, workspaceId: workspace, name, role: null } });
        await tx.db.identity.create({
          data: {
            id: `idn_linked${at}`,
            workspaceId: workspace,
            userId: id,
            platform: at === 0 ? 'slack' : 'telegram',
            tenant: at === 0 ? 'T1' : 'bot',
            externalId: name,
            name,
          },
        });
        made.push(id);
      }
      return made;
    });
    const [first = '', second = ''] = ids;
    const role = await desk.database.db.customRole.findFirstOrThrow({ where: { key: 'release-manager' } });
    const custom = { id: role.id, workspace, name: role.name, permissions: releases };
    const both = () => desk.database.transaction((tx) => peopleById(tx, workspace, ids));
    await desk.database.transaction(async (tx) => {
      await setRole(tx, workspace, first, custom);
      await setRole(tx, workspace, second, 'developer');
      const [one, other] = [await personById(tx, workspace, first), await personById(tx, workspace, second)];
      if (one !== undefined && other !== undefined) await joinPeople(tx, one, other);
    });
    expect(await both()).toMatchObject([
      {
        user: first,
        role: 'developer',
        linked: {
          rows: [
            { user: first, role: 'guest', named: ['release-manager'] },
            { user: second, role: 'developer' },
          ],
        },
      },
    ]);
    // As a process reads it that knows built-in roles alone.
    const rows = await desk.database.db.user.findMany({ where: { id: { in: ids } }, orderBy: { id: 'asc' } });
    expect(rows.map((row) => [row.role, row.aloneRole])).toEqual([
      ['developer', 'guest'],
      ['developer', null],
    ]);
    await desk.database.transaction(async (tx) => {
      const person = await personById(tx, workspace, first);
      if (person !== undefined) await splitPerson(tx, person, 'telegram');
    });
    expect(await both()).toMatchObject([{ role: 'guest', named: ['release-manager'] }, { role: 'developer' }]);
    // A role taken away is taken from all of them.
    await desk.database.transaction(async (tx) => {
      const [one, other] = [await personById(tx, workspace, first), await personById(tx, workspace, second)];
      if (one !== undefined && other !== undefined) await joinPeople(tx, one, other);
      await setRole(tx, workspace, first, undefined);
    });
    expect((await both()).map((one) => permissionsOf(one))).toEqual([[]]);
  });
});

describe('renaming', () => {
  it('is for owners, under a name that is free, and changes nothing but the name', async () => {
    expect(await say('mia', 'role rename release-manager releaser')).toContain('DH-202');
    expect(await say('ada', 'role rename release-manager intern')).toContain('DH-244');
    expect(await say('ada', 'role rename release-manager owner')).toContain('is a built-in role');
    expect(await say('ada', 'role rename developer hacker')).toMatch(/built-in role, which stays as it is[\s\S]*DH-245/);
    expect(await say('ada', 'role rename release-manager release-manager')).toContain('is called release-manager already');
    expect(await say('ada', 'role rename release-manager Releaser')).toContain('is called Releaser now');
    expect((await audits('role.rename')).at(-1)).toEqual({ name: 'Releaser', from: 'release-manager', to: 'Releaser' });
    expect(await mayAt('Gus')).toEqual(releases);
    expect(await say('ada', 'who Gus project=demo')).toContain('Gus is Releaser about demo');
    expect(await say('ada', 'role rename Releaser release-manager')).toContain('is called release-manager now');
  });
});

describe('an access token with a custom role', () => {
  const capped = { scope: 'read', action: 'try it' } as const;
  const standing = async (name: string) => {
    const { hash } = await desk.database.db.accessToken.findFirstOrThrow({ where: { name } });
    return tokenByHash(desk.database, hash);
  };
  const may = async (name: string, permission: Permission) =>
    !(judgeToken(await standing(name), { ...capped, permission }, new Date()) instanceof Error);

  it('may what both its owner and the role may at each use; one of a service what the role may', async () => {
    expect(await say('gus', 'token create ship role=release-manager')).toContain('as release-manager');
    expect(await say('mia', 'token create service=ship-it role=Release-Manager')).toContain('as release-manager');
    expect(await say('mia', 'token create mine role=release-manager')).toContain('as release-manager');
    expect((await audits('token.create')).at(-1)).toMatchObject({ name: 'mine', role: 'release-manager' });
    expect(await say('gus', 'token list')).toContain('as release-manager');
    const both = async (permission: Permission) => [await may('ship', permission), await may('ship-it', permission)];
    expect([await both('change.publish'), await both('agent.run')]).toEqual([
      [true, true],
      [false, false],
    ]);
    expect(await may('mine', 'member.manage')).toBe(false);
    await say('ada', 'role change release-manager without=change.publish');
    expect(await both('change.publish')).toEqual([false, false]);
    await say('ada', 'role change release-manager with=change.publish');
    await say('ada', 'member role Gus guest');
    expect(await both('change.publish')).toEqual([false, true]);
    await say('ada', 'member role Gus release-manager');
    // As a process reads it that knows built-in roles alone.
    expect(
      await desk.database.db.accessToken.findMany({ where: { customRoleId: { not: null } }, select: { role: true } }),
    ).toEqual(Array(3).fill({ role: 'guest' }));
  });

  it('is made with no more than its maker may, by names that there are', async () => {
    await say('ada', 'role add keeper with=account.manage');
    expect(await say('mia', 'token create up role=keeper')).toMatch(
      /make tokens with the role keeper\. Owners can, and whoever has all of that role\..*DH-202/,
    );
    expect(await say('mia', 'token create service=up role=keeper')).toContain('DH-202');
    expect(await say('mia', 'token create up role=keepr')).toMatch(/Did you mean `keeper`[\s\S]*DH-245/);
  });

  it('keeps the role from being removed until it has ended', async () => {
    expect(await say('ada', 'token create keeping role=keeper')).toContain('as keeper');
    expect(await say('ada', 'role show keeper')).toContain('1 access token');
    expect(await say('ada', 'role remove keeper')).toMatch(/in use: 1 access token[\s\S]*DH-247/);
    const { id } = await desk.database.db.customRole.findFirstOrThrow({ where: { key: 'keeper' } });
    await expect(desk.database.db.customRole.delete({ where: { id } })).rejects.toThrow();
    await say('ada', 'token revoke keeping');
    expect(await say('ada', 'role remove keeper')).toContain('is removed');
    expect(await standing('keeping')).toMatchObject({ ceiling: { role: 'guest' } });
    for (const name of ['ship', 'mine']) await say(name === 'ship' ? 'gus' : 'mia', `token revoke ${name}`);
    await say('mia', 'token revoke ship-it');
  });
});

it('quotas of the workspace and of people are for owners, and for custom roles that have them', async () => {
  await say('ada', 'role add finance with=quota.workspace');
  await say('ada', 'member role Gus finance');
  expect(await say('mia', 'quota add workspace runs=90/day')).toMatch(
    /Owners can, and whoever has the role finance: Ada, Gus\..*DH-202/,
  );
  expect(await say('gus', 'quota add workspace runs=90/day')).toContain('90 runs a day in the whole workspace');
  expect(await say('gus', 'quota add person=Ben tokens=2M/day')).toContain('for Ben');
  expect(await say('gus', 'quota add project=demo runs=5/day')).toContain('DH-202');
  expect((await audits('quota.add')).at(-1)).toMatchObject({ scope: 'person', role: 'finance' });
  expect(await say('gus', 'quota')).toContain('for Ben');
  expect(await say('gus', 'quota remove runs/day workspace')).toContain('is removed');
  expect(await desk.database.db.quota.count({ where: { scope: 'workspace' } })).toBe(0);
  await say('ada', 'member role Gus release-manager');
});

describe('a process of another version', () => {
  it('that knows no custom roles sees guests, and what it writes counts', async () => {
    const gus = await userOf('Gus');
    const stored = () => desk.database.db.user.findUniqueOrThrow({ where: { id: gus } });
    expect((await stored()).role).toBe('guest');
    // It gives, and takes away, by the column that it knows.
    await desk.database.db.user.update({ where: { id: gus }, data: { role: 'developer' } });
    expect(await personOf('Gus')).toMatchObject({ role: 'developer' });
    expect((await personOf('Gus'))?.named).toBeUndefined();
    await desk.database.db.user.update({ where: { id: gus }, data: { role: null } });
    expect(await mayAt('Gus')).toEqual([]);
    await desk.database.db.user.update({ where: { id: gus }, data: { role: 'guest' } });
    expect(await mayAt('Gus')).toEqual(releases);
  });

  it('may have stored permissions that are none here: they give nothing', async () => {
    const where = { workspaceId_key: { workspaceId: desk.workspace, key: 'release-manager' } };
    await desk.database.db.customRole.update({ where, data: { permissions: [...releases, 'cake.eat', 'workspace.own'] } });
    expect(await mayAt('Gus')).toEqual(releases);
    expect(await say('gus', 'owner transfer Gus')).toContain('DH-202');
    await desk.database.db.customRole.update({ where, data: { permissions: releases } });
  });
});

it('sessions and access tokens stand for somebody with the custom role they have at that moment', async () => {
  const gus = await userOf('Gus');
  const at = new Date();
  const expiresAt = new Date(at.getTime() + 60_000);
  const own = { workspaceId: desk.workspace, userId: gus, createdAt: at, expiresAt };
  await desk.database.db.session.create({
    data: { ...own, id: 'ses_a', hash: 'a', method: 'link', device: 'x', lastSeenAt: at },
  });
  await desk.database.db.accessToken.create({
    data: { ...own, id: 'tok_a', hash: 'b', kind: 'personal', name: 'x', end: 'x', scopes: [], role: 'owner' },
  });
  expect(await sessionByHash(desk.database, 'a')).toMatchObject({ role: 'guest', extra: ['change.publish', 'action.approve'] });
  expect(await tokenByHash(desk.database, 'b')).toMatchObject({
    personRole: 'guest',
    personExtra: ['change.publish', 'action.approve'],
  });
  await say('ada', 'member role Gus guest');
  expect((await sessionByHash(desk.database, 'a'))?.extra).toBeUndefined();
  expect((await tokenByHash(desk.database, 'b'))?.personExtra).toBeUndefined();
});
