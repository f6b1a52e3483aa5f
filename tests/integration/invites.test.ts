import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { mostInvites, redeemInvite } from '../../src/access/invites.ts';
import { mostWrongCodes } from '../../src/access/wrong-codes.ts';
import type { InboundEvent } from '../../src/contracts/inbound.ts';
import { viewSecretContext } from '../../src/delivery/view-secret.ts';
import { customRolesOf } from '../../src/store/custom-roles.ts';
import { personById, setRole } from '../../src/store/people.ts';
import { type Account, accounts, type Desk, mention, openDesk, press, type Said, slash } from '../support/desk.ts';

let now = new Date();
let desk: Desk;
beforeAll(async () => {
  desk = await openDesk({ now: () => now });
});
afterAll(() => desk[Symbol.asyncDispose]());
beforeEach(async () => {
  const { db } = desk.database;
  await db.invite.deleteMany();
  for (const [who, role] of [
    ['ada', 'owner'],
    ['mia', 'maintainer'],
    ['ben', 'developer'],
  ] as const) {
    await db.user.update({ where: { id: await userOf(who) }, data: { role } });
  }
  now = new Date();
});

let seen = 0;
/** Somebody whom Deckhand has never heard of, or an account of a person it has. */
function somebody(text: string, change: Partial<InboundEvent['actor']> = {}): InboundEvent {
  seen += 1;
  const event = mention('nobody', text, { direct: true, channel: `DNEW${seen}` });
  return {
    ...event,
    actor: { user: `UNEW${seen}`, name: `Nele ${seen}`, bot: false, affiliation: { kind: 'member' }, ...change },
  };
}

async function userOf(who: Account): Promise<string> {
  const where = { externalId: accounts[who], workspaceId: desk.workspace };
  return (await desk.database.db.identity.findFirstOrThrow({ where })).userId;
}
const roleOf = async (externalId: string) =>
  (await desk.database.db.identity.findFirstOrThrow({ where: { externalId }, include: { user: true } })).user.role;

async function code(who: Account, text = 'invite developer for=Nele'): Promise<string> {
  const [said] = await desk.act(slash(who, text));
  const payload = said?.payload;
  const view = payload !== undefined && 'view' in payload ? payload.view : undefined;
  expect(said?.only).toBe(accounts[who]);
  expect(said?.text).not.toMatch(/[A-Z2-9]{4}-[A-Z2-9]{4}-[A-Z2-9]{4}/);
  return desk.secretBox.open(view?.secret ?? '', viewSecretContext) ?? expect.unreachable();
}
const text = (said: readonly Said[]) => said.map((one) => one.text).join('\n');

describe('an invitation', () => {
  it('gives whoever sends its code the role, once, and tells who invited them', async () => {
    const invitation = await code('mia');
    const said = await desk.act(somebody(`join ${invitation.toLowerCase().replaceAll('-', ' ')}`));
    expect(text(said)).toContain('You are a developer now');
    expect(said.find(({ only }) => only === accounts.mia)?.text).toBe(
      `Nele ${seen} has used your invitation for Nele and is a developer now.`,
    );
    expect(await roleOf(`UNEW${seen}`)).toBe('developer');
    expect(text(await desk.act(somebody(`join ${invitation}`)))).toContain('not the code of an invitation that is open');
    expect(await roleOf(`UNEW${seen}`)).toBeNull();
    const row = await desk.database.db.audit.findFirstOrThrow({ where: { action: 'invite.used' } });
    expect(row.data).toMatchObject({ by: await userOf('mia'), from: 'none', to: 'developer' });
    expect(JSON.stringify(await desk.database.db.audit.findMany())).not.toContain(invitation);
  });

  it('is for a custom role too, keeps that from being removed while it is open, and takes nothing from who has more', async () => {
    await desk.act(slash('ada', 'role add release-manager with=change.publish'));
    await desk.act(slash('ada', 'role add auditor with=audit.read'));
    const [first, second] = [await code('mia', 'invite release-manager for=Nele'), await code('ada', 'invite developer')];
    expect(text(await desk.act(slash('ada', 'role remove release-manager')))).toMatch(/1 open invitation[\s\S]*DH-247/);
    expect(text(await desk.act(somebody(`join ${first}`)))).toContain('You are release-manager now');
    const { userId } = await desk.database.db.identity.findFirstOrThrow({ where: { externalId: `UNEW${seen}` } });
    expect(await desk.database.transaction((tx) => personById(tx, desk.workspace, userId))).toMatchObject({
      role: 'guest',
      named: ['release-manager'],
    });
    await desk.database.transaction(async (tx) => {
      const custom = (await customRolesOf(tx, desk.workspace)).find(({ name }) => name === 'auditor');
      return setRole(tx, desk.workspace, userId, custom);
    });
    const said = text(await desk.act(somebody(`join ${second}`, { user: `UNEW${seen}` })));
    expect(said).toContain('You are auditor, which lets you do what the role of this invitation does not');
    await desk.act(slash('ada', 'role remove release-manager'));
    expect(await desk.database.db.customRole.count({ where: { key: 'release-manager' } })).toBe(0);
  });

  it('used by two at once makes one of them what it says', async () => {
    const invitation = await code('mia');
    for (const user of ['UONE', 'UTWO']) await desk.act(somebody('help', { user }));
    const users = await desk.database.db.identity.findMany({ where: { externalId: { in: ['UONE', 'UTWO'] } } });
    const results = await Promise.all(
      users.map(({ userId }) =>
        desk.database.transaction((tx) => redeemInvite(tx, { workspace: desk.workspace, user: userId }, invitation, now)),
      ),
    );
    expect(results.map(({ result }) => result).sort()).toEqual(['joined', 'wrong']);
  });

  it('is for roles that the inviter may give, and never for ownership', async () => {
    expect(text(await desk.act(slash('ben', 'invite guest')))).toContain('DH-202');
    expect(text(await desk.act(slash('mia', 'invite maintainer')))).toContain('Owners can: Ada');
    expect(text(await desk.act(slash('ada', 'invite owner')))).toContain('DH-245');
  });

  it('is worth nothing once the inviter may not give the role any more, and good again when they may', async () => {
    const invitation = await code('ada', 'invite maintainer');
    const { db } = desk.database;
    const ada = { where: { id: await userOf('ada') } };
    await db.user.update({ where: { id: await userOf('mia') }, data: { role: 'owner' } });
    await desk.act(slash('mia', `member role <@${accounts.ada}> maintainer`));
    expect(text(await desk.act(somebody(`join ${invitation}`)))).toContain('may not give you this role');
    expect(await roleOf(`UNEW${seen}`)).toBeNull();
    await db.user.update({ ...ada, data: { role: 'owner' } });
    expect(text(await desk.act(somebody(`join ${invitation}`)))).toContain('You are a maintainer now');
  });

  it('is over after its time, and when it is taken back', async () => {
    const old = await code('mia', 'invite developer expires=1h');
    const taken = await code('mia', 'invite guest for=Paul');
    const [list] = await desk.act(slash('mia', 'invite list'));
    expect(list?.text).toContain('guest, for Paul · from Mia');
    const id = (await desk.database.db.invite.findFirstOrThrow({ where: { label: 'Paul' } })).id;
    expect(text(await desk.act(slash('ben', `invite revoke ${id}`)))).toContain('DH-202');
    expect(text(await desk.act(press('mia', `c:invite revoke ${id}`)))).toContain('is taken back');
    expect(text(await desk.act(press('mia', `c:invite revoke ${id}`)))).toContain('DH-300');
    now = new Date(now.getTime() + 61 * 60_000);
    for (const dead of [old, taken]) {
      expect(text(await desk.act(somebody(`join ${dead}`)))).toContain('not the code of an invitation');
    }
    expect((await desk.act(slash('mia', 'invite list')))[0]?.text).toContain('Open invitations · 0');
  });

  it('of others is seen and taken back by owners alone', async () => {
    await code('ada', 'invite guest for=Quin');
    const { id } = await desk.database.db.invite.findFirstOrThrow({ where: { label: 'Quin' } });
    expect((await desk.act(slash('mia', 'invite list')))[0]?.text).not.toContain('Quin');
    expect(text(await desk.act(slash('mia', `invite revoke ${id}`)))).toContain('DH-300');
    await code('mia', 'invite guest for=Rita');
    expect((await desk.act(slash('ada', 'invite list')))[0]?.text).toContain('Rita');
  });

  it('never takes anything from who has more, nor is it used up by them or by the inviter', async () => {
    const invitation = await code('mia', 'invite guest');
    expect(text(await desk.act(mention('ben', `join ${invitation}`, { direct: true })))).toContain('You are a developer already');
    expect(text(await desk.act(mention('mia', `join ${invitation}`, { direct: true })))).toContain('your own');
    expect(await roleOf(accounts.ben)).toBe('developer');
    expect(text(await desk.act(somebody(`join ${invitation}`)))).toContain('You are a guest now');
  });

  it('lets external people do more than look only when an owner made it', async () => {
    const outside = { affiliation: { kind: 'organisation' as const } };
    const ofMia = await code('mia');
    expect(text(await desk.act(somebody(`join ${ofMia}`, outside)))).toContain('may not give you this role');
    expect(text(await desk.act(somebody(`join ${await code('mia', 'invite guest')}`, outside)))).toContain('You are a guest now');
    expect(text(await desk.act(somebody(`join ${await code('ada')}`, outside)))).toContain('You are a developer now');
  });

  it('cannot be guessed: after a few wrong codes an account has to wait; there is a limit to open ones', async () => {
    const invitation = await code('mia');
    const guesser = { user: 'UGUESS' };
    for (let tries = 0; tries < mostWrongCodes; tries += 1) await desk.act(somebody('join AAAA-BBBB-CCCC', guesser));
    expect(text(await desk.act(somebody(`join ${invitation}`, guesser)))).toContain('wrong codes');
    for (let made = 1; made < mostInvites; made += 1) await desk.act(slash('mia', 'invite guest'));
    expect(text(await desk.act(slash('mia', 'invite guest')))).toContain(`You have ${mostInvites} invitations open`);
  });

  it('promise 12: is no invitation in another workspace', async () => {
    const invitation = await code('ada');
    const elsewhere = await desk.database.transaction((tx) =>
      redeemInvite(tx, { workspace: 'wsp_other', user: 'usr_other' }, invitation, now),
    );
    expect(elsewhere).toEqual({ result: 'wrong' });
  });
});
