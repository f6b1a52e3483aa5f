import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { prepareWorkspace, seedLab } from '../../src/access/first-start.ts';
import { type Actor, whoActs } from '../../src/access/who-acts.ts';
import type { InboundEvent } from '../../src/contracts/inbound.ts';
import { newId } from '../../src/runtime/ids.ts';
import { bindChannel, findOrCreateChannel, setDefaultRole } from '../../src/store/channels.ts';
import { createDatabase, type Database } from '../../src/store/database.ts';
import { lockPeople, splitPerson } from '../../src/store/linked-people.ts';
import { findOrCreatePerson, findPerson, membersOf, peopleByName, personById, setRole } from '../../src/store/people.ts';
import { projectByName } from '../../src/store/projects.ts';
import { createTestDatabase, type TestDatabase } from '../support/postgres.ts';

let server: TestDatabase;
let database: Database;
const tenant = { platform: 'slack' as const, tenant: 'T1', name: 'Acme', botUser: 'UBOT' };

beforeAll(async () => {
  server = await createTestDatabase();
  database = createDatabase({
    url: server.url,
    connections: 8,
    onEffectError: (error) => {
      throw error;
    },
  });
});
afterAll(async () => {
  await database.close();
  await server.close();
});

function command(overrides: { user?: string; name?: string; bot?: boolean; tenant?: string; channel?: string }): InboundEvent {
  return {
    type: 'command',
    key: newId('req'),
    at: '2026-11-20T12:00:00.000Z',
    conversation: { platform: 'slack', tenant: overrides.tenant ?? 'T1', channel: overrides.channel ?? 'C1', kind: 'channel' },
    channelName: 'general',
    actor: {
      user: overrides.user ?? 'UADA',
      bot: overrides.bot ?? false,
      ...(overrides.name === undefined ? {} : { name: overrides.name }),
    },
    text: 'help',
  };
}

async function acts(event: InboundEvent): Promise<Actor> {
  const actor = await database.transaction((tx) => whoActs(tx, event, []));
  if (typeof actor === 'string') throw new Error(actor);
  return actor;
}

describe('a start', () => {
  it('makes one workspace, registers tenants, makes configured owners and prints a code only while there is none', async () => {
    const prepare = (owners: Parameters<typeof prepareWorkspace>[1]['owners']) =>
      database.transaction((tx) => prepareWorkspace(tx, { name: 'Acme', tenants: [tenant], owners }));
    const [one, two] = await Promise.all([prepare([]), prepare([])]);
    expect(one.workspace.id).toBe(two.workspace.id);
    expect(one.claimCode).toBeDefined();
    const later = await prepare([
      { platform: 'slack', tenant: 'T1', user: 'UOWNER' },
      { platform: 'discord', user: '9' },
    ]);
    expect(later.claimCode).toBeUndefined();
    expect(later.unservedOwners).toEqual([{ platform: 'discord', user: '9' }]);
    const again = await prepare([{ platform: 'slack', tenant: 'T1', user: 'UOWNER' }]);
    expect(await database.transaction((tx) => membersOf(tx, again.workspace.id))).toEqual([
      { user: expect.stringMatching(/^usr_/), name: 'Slack account UOWNER', role: 'owner' },
    ]);
    expect(await database.db.audit.count({ where: { action: 'member.role' } })).toBe(1);
  });

  it('leaves a tenant alone that another workspace serves', async () => {
    await database.transaction(async (tx) => {
      const other = newId('wsp');
      await tx.db.workspace.create({ data: { id: other, name: 'Other' } });
      await tx.db.tenant.create({ data: { platform: 'slack', tenant: 'T9', workspaceId: other, name: 'Other', botUser: 'UB9' } });
    });
    const foreign = { ...tenant, tenant: 'T9' };
    const start = await database.transaction((tx) => prepareWorkspace(tx, { name: 'Acme', tenants: [foreign], owners: [] }));
    expect(start.foreignTenants).toEqual([foreign]);
    const row = await database.db.tenant.findFirst({ where: { tenant: 'T9' } });
    expect(row).toMatchObject({ name: 'Other', botUser: 'UB9' });
  });
});

describe('people', () => {
  it('who is first seen has no role; the name follows the platform', async () => {
    const first = await acts(command({ user: 'UBEN' }));
    expect(first.person).toMatchObject({ name: 'Slack account UBEN', role: undefined });
    expect((await acts(command({ user: 'UBEN', name: 'Ben' }))).person).toMatchObject({ user: first.person.user, name: 'Ben' });
    expect((await acts(command({ user: 'UBEN' }))).person.name).toBe('Ben');
  });

  it('two events of a new person at once make one person', async () => {
    const actors = await Promise.all(Array.from({ length: 6 }, () => acts(command({ user: 'UNEW', name: 'Nele' }))));
    expect(new Set(actors.map(({ person }) => person.user)).size).toBe(1);
    expect(new Set(actors.map(({ channel }) => channel.id)).size).toBe(1);
    expect(await database.db.user.count({ where: { name: 'Nele' } })).toBe(1);
  });

  it('an account that configuration names becomes owner when it is first seen', async () => {
    const owners = [{ platform: 'slack' as const, user: 'UCONF' }];
    const actor = await database.transaction((tx) => whoActs(tx, command({ user: 'UCONF' }), owners));
    expect(actor).toMatchObject({ ownRole: 'owner', ownRights: { role: 'owner' }, person: { role: 'owner' } });
  });

  it('bots are nobody, and leave no rows', async () => {
    expect(await database.transaction((tx) => whoActs(tx, command({ user: 'UROBOT', bot: true }), []))).toBe('bot');
    expect(await database.db.identity.count({ where: { externalId: 'UROBOT' } })).toBe(0);
  });

  it('are found by name without wildcards acting', async () => {
    const { person } = await acts(command({ user: 'UPCT', name: '100%_x' }));
    const find = (name: string) => database.transaction((tx) => peopleByName(tx, person.workspace, name));
    expect(await find('100%_X')).toHaveLength(1);
    expect(await find('%')).toEqual([]);
    expect(await find('____')).toEqual([]);
  });

  it('the last owner stays, also when two owners step down at once', async () => {
    const { person } = await acts(command({}));
    const workspace = person.workspace;
    await database.transaction((tx) => tx.db.user.updateMany({ where: { workspaceId: workspace }, data: { role: null } }));
    const ada = person.user;
    const ben = (await acts(command({ user: 'UBEN' }))).person.user;
    const set = (user: string, role: 'owner' | undefined) => database.transaction((tx) => setRole(tx, workspace, user, role));
    expect([await set(ada, 'owner'), await set(ben, 'owner')]).toEqual(['changed', 'changed']);
    expect((await Promise.all([set(ada, undefined), set(ben, undefined)])).sort()).toEqual(['changed', 'last_owner']);
    expect((await database.transaction((tx) => membersOf(tx, workspace))).map(({ role }) => role)).toEqual(['owner']);
    expect(await set(newId('usr'), 'owner')).toBe('unknown');
  });
});

describe('promise 12: tenant walls', () => {
  it('an event of a tenant that no workspace serves makes nobody and nothing', async () => {
    expect(await database.transaction((tx) => whoActs(tx, command({ tenant: 'T404', user: 'UX' }), []))).toBe('unknown_tenant');
    expect(await database.db.identity.count({ where: { tenant: 'T404' } })).toBe(0);
    expect(await database.db.channel.count({ where: { tenant: 'T404' } })).toBe(0);
  });

  it('an account or a channel that belongs to another workspace is nobody', async () => {
    const other = (await database.db.tenant.findFirstOrThrow({ where: { tenant: 'T9' } })).workspaceId;
    await database.transaction(async (tx) => {
      const identity = { platform: 'slack' as const, tenant: 'T1', user: 'USTRAY' };
      await findOrCreatePerson(tx, { workspace: other, identity, name: 'Stray', role: 'owner' });
      await findOrCreateChannel(
        tx,
        other,
        { platform: 'slack', tenant: 'T1', channel: 'CSTRAY', kind: 'channel' },
        { channelName: 'stray' },
      );
    });
    expect(await database.transaction((tx) => whoActs(tx, command({ user: 'USTRAY' }), []))).toBe('foreign_account');
    expect(await database.transaction((tx) => whoActs(tx, command({ channel: 'CSTRAY' }), []))).toBe('foreign_account');
  });

  it('a role of another workspace cannot be changed', async () => {
    const { person } = await acts(command({}));
    const stray = await database.db.user.findFirstOrThrow({ where: { name: 'Stray' } });
    expect(await database.transaction((tx) => setRole(tx, person.workspace, stray.id, 'guest'))).toBe('unknown');
    expect((await database.db.user.findUniqueOrThrow({ where: { id: stray.id } })).role).toBe('owner');
  });
});

describe('the lab', () => {
  const seed = {
    tenant: { platform: 'slack' as const, tenant: 'TLAB', name: 'Lab', botUser: 'UBOT' },
    people: [
      { user: 'U0ADA', name: 'Ada', role: 'owner' as const },
      { user: 'U0BEN', name: 'Ben', role: 'developer' as const },
      { user: 'U0GUS', name: 'Gus', role: 'guest' as const },
    ],
    project: { name: 'demo', source: { kind: 'path' as const, path: '/srv/demo' } },
    channel: { id: 'CDEMO', name: 'demo', defaultRole: 'guest' as const },
  };
  const inDemo = (user: string) => acts(command({ tenant: 'TLAB', user, channel: 'CDEMO' }));

  it('has its people, a project under the policy safe and a bound channel with a default role', async () => {
    const made = await database.transaction((tx) => seedLab(tx, seed));
    expect(made.created).toBe(true);
    expect(made.project).toMatchObject({ name: 'demo', policy: { mode: 'safe' }, sync: { state: 'checking' } });
    expect((await inDemo('U0ADA')).person).toMatchObject({ name: 'Ada', role: 'owner' });
    expect((await inDemo('U0BEN')).person.role).toBe('developer');
    expect((await inDemo('U0GUS')).person.role).toBe('guest');
    expect((await inDemo('U0NOBODY')).person.role).toBe('guest');
    expect((await inDemo('U0ADA')).channel.project).toBe(made.project.id);
  });

  it('keeps what people have changed when it starts again', async () => {
    const { person, channel } = await inDemo('U0BEN');
    await database.transaction(async (tx) => {
      await setRole(tx, person.workspace, person.user, 'maintainer');
      await setDefaultRole(tx, channel.id, 'developer');
      await bindChannel(tx, channel.id, { project: undefined, defaultRole: undefined });
    });
    const again = await database.transaction((tx) => seedLab(tx, seed));
    expect(again.created).toBe(false);
    expect((await inDemo('U0BEN')).person.role).toBe('maintainer');
    expect((await inDemo('U0BEN')).channel.project).toBeUndefined();
    expect(await database.transaction((tx) => projectByName(tx, person.workspace, 'DEMO'))).toMatchObject({
      id: again.project.id,
    });
  });

  it('makes its people on a second platform the same people, once: who was split stays so', async () => {
    const discord = { platform: 'discord' as const, tenant: '900', name: 'Discord', botUser: '900' };
    const also = { platform: 'slack', tenant: 'TLAB', user: 'U0BEN' } as const;
    const second = {
      ...seed,
      tenant: discord,
      people: [{ user: '102', name: 'Ben', role: 'developer' as const, also }],
      channel: { id: '201', name: 'demo', defaultRole: 'guest' as const },
    };
    const seedSecond = () => database.transaction((tx) => seedLab(tx, second));
    const account = { platform: 'discord', tenant: '900', user: '102' } as const;
    const { workspace, created } = await seedSecond();
    const both = () =>
      database.transaction(async (tx) => {
        const found = await Promise.all([also, account].map((one) => findPerson(tx, workspace.id, one)));
        return found.map((person) => person?.user);
      });
    expect(created).toBe(false);
    const [ben, same] = await both();
    expect(same).toBe(ben);
    await database.transaction(async (tx) => {
      await lockPeople(tx, workspace.id);
      const person = await personById(tx, workspace.id, ben ?? '');
      if (person !== undefined) await splitPerson(tx, person, 'discord');
    });
    await seedSecond();
    const [one, other] = await both();
    expect(other).not.toBe(one);
  });
});
