import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { stepTransfer } from '../../src/access/owner-transfer.ts';
import type { Account, Desk, Said } from '../support/desk.ts';
import { accounts, mention, openDesk, press, slash, tokenOf } from '../support/desk.ts';

let now = new Date('2026-11-22T10:00:00.000Z');
let desk: Desk;
beforeAll(async () => {
  desk = await openDesk({ now: () => now });
});
afterAll(() => desk[Symbol.asyncDispose]());
beforeEach(async () => {
  for (const [who, role] of [
    ['ada', 'owner'],
    ['mia', 'maintainer'],
    ['ben', 'developer'],
  ] as const) {
    await desk.database.db.user.update({ where: { id: await userOf(who) }, data: { role } });
  }
});

async function userOf(who: Account): Promise<string> {
  const where = { externalId: accounts[who], workspaceId: desk.workspace };
  return (await desk.database.db.identity.findFirstOrThrow({ where })).userId;
}
const roleOf = async (who: Account) => (await desk.database.db.user.findUniqueOrThrow({ where: { id: await userOf(who) } })).role;
const audited = (action: string) => desk.database.db.audit.findFirst({ where: { action }, orderBy: { at: 'desc' } });

async function asked(text = `owner transfer <@${accounts.mia}>`): Promise<Said | undefined> {
  return (await desk.act(mention('ada', text, { direct: true })))[0];
}
async function confirmed(): Promise<{ own: Said | undefined; question: Said | undefined }> {
  const own = await asked();
  const said = await desk.act(press('ada', tokenOf(own, 'Hand over'), { direct: true }));
  return { own, question: said.find(({ only }) => only === accounts.mia) };
}

describe('owner transfer', () => {
  it('hands the ownership over once both have agreed, tells both and leaves a trail', async () => {
    const own = await asked();
    expect(own?.text).toContain('Hand the ownership of this workspace over to');
    expect(own?.text).toContain('You are a maintainer afterwards.');
    expect([await roleOf('ada'), await roleOf('mia')]).toEqual(['owner', 'maintainer']);
    const said = await desk.act(press('ada', tokenOf(own, 'Hand over'), { direct: true }));
    const question = said.find(({ only }) => only === accounts.mia);
    expect(question?.text).toContain('wants to hand the ownership');
    expect(said.find(({ key }) => key === own?.key)?.text).toContain('is asked to take the ownership over');
    expect([await roleOf('ada'), await roleOf('mia')]).toEqual(['owner', 'maintainer']);
    const told = await desk.act(press('mia', tokenOf(question, 'Become the owner'), { direct: true }));
    expect([await roleOf('ada'), await roleOf('mia')]).toEqual(['maintainer', 'owner']);
    expect(told.find(({ only }) => only === accounts.ada)?.text).toContain('is the owner now');
    expect(told.find(({ key }) => key === question?.key)?.text).toContain('is the owner now');
    expect((await audited('owner.transferred'))?.data).toMatchObject({
      from: await userOf('ada'),
      to: await userOf('mia'),
      keeps: 'maintainer',
      heirWas: 'maintainer',
    });
    expect((await audited('owner.transferred'))?.actorId).toBe(await userOf('mia'));
  });

  it('leaves the owner what they choose, also nothing', async () => {
    const own = await asked(`owner transfer <@${accounts.mia}> keeps=none`);
    expect(own?.text).toContain('You are without a role afterwards.');
    const said = await desk.act(press('ada', tokenOf(own, 'Hand over'), { direct: true }));
    await desk.act(
      press(
        'mia',
        tokenOf(
          said.find(({ only }) => only === accounts.mia),
          'Become the owner',
        ),
        { direct: true },
      ),
    );
    expect([await roleOf('ada'), await roleOf('mia')]).toEqual([null, 'owner']);
  });

  it('listens to nobody but the two, each for their own buttons', async () => {
    const { own, question } = await confirmed();
    for (const [who, token] of [
      ['mia', tokenOf(own, 'Hand over')],
      ['ben', tokenOf(question, 'Become the owner')],
      ['ada', tokenOf(question, 'Become the owner')],
      ['mia', tokenOf(own, 'Cancel')],
      ['gus', tokenOf(question, 'Decline')],
    ] as const) {
      const [said] = await desk.act(press(who, token, { direct: true }));
      expect(said?.text, who).toContain('DH-209');
    }
    expect([await roleOf('ada'), await roleOf('mia')]).toEqual(['owner', 'maintainer']);
  });

  it('is off when one of them says no, once for all, and the other hears of it', async () => {
    const declined = await confirmed();
    const said = await desk.act(press('mia', tokenOf(declined.question, 'Decline'), { direct: true }));
    expect(said.find(({ only }) => only === accounts.ada)?.text).toContain('has declined');
    const [late] = await desk.act(press('mia', tokenOf(declined.question, 'Become the owner'), { direct: true }));
    expect(late?.text).toContain('answered already');
    const { own, question } = await confirmed();
    const back = await desk.act(press('ada', tokenOf(own, 'Cancel'), { direct: true }));
    expect(back.some(({ only, text }) => only === accounts.mia && text.includes('has taken the offer back'))).toBe(true);
    const [over] = await desk.act(press('mia', tokenOf(question, 'Become the owner'), { direct: true }));
    expect(over?.text).toContain('answered already');
    expect([await roleOf('ada'), await roleOf('mia')]).toEqual(['owner', 'maintainer']);
  });

  it('is void when another one is asked for, when its time is over, and when the owner is none any more', async () => {
    const first = await confirmed();
    await asked(`owner transfer <@${accounts.ben}>`);
    expect((await desk.act(press('mia', tokenOf(first.question, 'Become the owner'), { direct: true })))[0]?.text).toContain(
      'DH-300',
    );
    const second = await confirmed();
    now = new Date(now.getTime() + 25 * 60 * 60_000);
    expect((await desk.act(press('mia', tokenOf(second.question, 'Become the owner'), { direct: true })))[0]?.text).toContain(
      'DH-300',
    );
    const third = await confirmed();
    await desk.database.db.user.update({ where: { id: await userOf('ben') }, data: { role: 'owner' } });
    await desk.act(slash('ben', `member role <@${accounts.ada}> developer`));
    const [said] = await desk.act(press('mia', tokenOf(third.question, 'Become the owner'), { direct: true }));
    expect(said?.text).toContain('no owner any more');
    expect([await roleOf('ada'), await roleOf('mia')]).toEqual(['developer', 'maintainer']);
  });

  it('has one effect when accepted twice at once, and none in another workspace', async () => {
    const { question } = await confirmed();
    const id = tokenOf(question, 'Become the owner').split(':')[1] ?? '';
    const mia = { workspace: desk.workspace, user: await userOf('mia') };
    const accept = (who: typeof mia) => desk.database.transaction((tx) => stepTransfer(tx, who, id, 'accept', now));
    expect(await accept({ ...mia, workspace: 'wsp_other' })).toEqual({ result: 'unknown' });
    const both = await Promise.all([accept(mia), accept(mia)]);
    expect(both.map(({ result }) => result).sort()).toEqual(['accepted', 'no_owner']);
    expect([await roleOf('ada'), await roleOf('mia')]).toEqual(['maintainer', 'owner']);
  });

  it('is not for those who are owners already, and the last owner cannot leave in another way', async () => {
    expect((await asked(`owner transfer <@${accounts.ada}>`))?.text).toContain('You are the owner yourself');
    expect((await desk.act(slash('ada', `member role <@${accounts.ada}> developer`)))[0]?.text).toContain('DH-211');
    expect((await desk.act(slash('ada', `member remove <@${accounts.ada}>`)))[0]?.text).toContain('DH-211');
  });
});
