import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { linkLifeMs } from '../../src/access/link.ts';
import type { InboundEvent } from '../../src/contracts/inbound.ts';
import type { Platform } from '../../src/contracts/platform.ts';
import type { Role } from '../../src/contracts/roles.ts';
import { createProjector } from '../../src/delivery/projector.ts';
import { systemClock } from '../../src/runtime/clock.ts';
import { newId } from '../../src/runtime/ids.ts';
import { findOrCreatePerson, findPerson, membersOf, setRole } from '../../src/store/people.ts';
import { registerTenant } from '../../src/store/workspaces.ts';
import { silent } from '../support/delivery-world.ts';
import { type Desk, offerSandbox, openDesk, type Said, slash, tokenOf } from '../support/desk.ts';
import { eventually } from '../support/wait-for.ts';

let desk: Desk;
let shift = 0;
beforeAll(async () => {
  desk = await openDesk({ now: () => new Date(systemClock.now().getTime() + shift) });
  await desk.database.transaction(async (tx) => {
    await registerTenant(tx, desk.workspace, { platform: 'telegram', tenant: '900', name: 'Bot', botUser: '900' });
    await registerTenant(tx, desk.workspace, { platform: 'discord', tenant: '800', name: 'Bot', botUser: '800' });
  });
});
afterAll(() => desk[Symbol.asyncDispose]());

const tenants: Record<string, string> = { slack: 'T1', telegram: '900', discord: '800' };

/** An account that acts in its direct conversation with the bot. */
interface Account {
  platform: Platform;
  user: string;
  name: string;
  tenant: string;
}
let made = 0;
async function account(platform: 'slack' | 'telegram' | 'discord', name: string, role?: Role): Promise<Account> {
  made += 1;
  const one = { platform, user: `${platform[0]}${made}`, name, tenant: tenants[platform] ?? '' };
  const identity = { platform, tenant: one.tenant, user: one.user };
  await desk.database.transaction((tx) => findOrCreatePerson(tx, { workspace: desk.workspace, identity, name, role }));
  return one;
}

let acts = 0;
function base(who: Account, kind: 'direct' | 'channel') {
  acts += 1;
  return {
    key: `link-test:${acts}`,
    at: systemClock.now().toISOString(),
    conversation: {
      platform: who.platform,
      tenant: who.tenant,
      channel: kind === 'direct' ? `D-${who.user}` : `C-${who.platform}`,
      kind,
    },
    actor: { user: who.user, name: who.name, bot: false },
    reply: `reply-${acts}`,
  };
}
const say = (who: Account, text: string, kind: 'direct' | 'channel' = 'direct'): Promise<Said[]> => {
  const event: InboundEvent = { ...base(who, kind), type: 'command', text };
  return desk.act(event);
};
const press = (who: Account, token: string): Promise<Said[]> =>
  desk.act({ ...base(who, 'direct'), type: 'press', token, values: [] });
const told = (said: readonly Said[]) => said.map(({ text }) => text).join('\n');

const idOf = ({ platform, tenant, user }: Account) => ({ platform, tenant, user });
const personOf = (who: Account) =>
  desk.database.transaction(async (tx) => (await findPerson(tx, desk.workspace, idOf(who))) ?? expect.unreachable());
async function codeFor(who: Account): Promise<string> {
  const text = told(await say(who, 'link'));
  return /[A-Z2-9]{4}-[A-Z2-9]{4}-[A-Z2-9]{4}/.exec(text)?.[0] ?? expect.unreachable(text);
}
/** Everything up to the last button. */
async function upToJoin(asker: Account, other: Account): Promise<string> {
  const [offer] = await say(other, `link ${await codeFor(asker)}`);
  const asked = await press(other, tokenOf(offer, 'Both are mine'));
  return tokenOf(
    asked.find(({ key }) => key.endsWith('/asker')),
    'Join the accounts',
  );
}
async function linked(asker: Account, other: Account): Promise<void> {
  expect(told(await press(asker, await upToJoin(asker, other)))).toContain('are joined');
}
const audits = (action: string) => desk.database.db.audit.findMany({ where: { action }, orderBy: { id: 'asc' } });

describe('link', () => {
  it('joins two accounts once both have agreed, tells both, and gives them the stronger role', async () => {
    const ann = await account('slack', 'Ann', 'developer');
    const ann2 = await account('telegram', 'ann_t');
    const code = await codeFor(ann);
    const [offer] = await say(ann2, `link ${code.toLowerCase().replaceAll('-', ' ')}`);
    expect(offer?.text).toContain('Ann on Slack');
    expect(offer?.text).toContain(
      'Ann on Slack is a developer, ann_t on Telegram has no role of its own; joined, both are a developer',
    );
    expect((await personOf(ann)).user).not.toBe((await personOf(ann2)).user);

    const asked = await press(ann2, tokenOf(offer, 'Both are mine'));
    const question = asked.find(({ channel }) => channel === `D-${ann.user}`);
    expect(question?.text).toContain('ann_t on Telegram has sent your code back');
    expect(told(asked)).toContain('You agreed.');
    expect((await personOf(ann2)).role).toBeUndefined();

    const joined = await press(ann, tokenOf(question, 'Join the accounts'));
    expect(joined.map(({ channel }) => channel).sort()).toEqual([`D-${ann.user}`, `D-${ann2.user}`, `D-${ann2.user}`].sort());
    expect(told(joined)).toContain('On both you are a developer.');
    expect((await personOf(ann2)).user).toBe((await personOf(ann)).user);
    expect((await personOf(ann2)).role).toBe('developer');
    const [entry] = (await audits('link.joined')).slice(-1);
    expect(entry).toMatchObject({
      actorId: (await personOf(ann)).user,
      data: {
        asker: `slack:T1/${ann.user}`,
        other: `telegram:900/${ann2.user}`,
        roles: { asker: 'developer', other: 'none', joined: 'developer' },
      },
    });
    const who = told(await say(ann2, 'who'));
    expect(who).toContain('Ann (Slack, Telegram)');
    expect(who).toContain('Your accounts: Ann on Slack, ann_t on Telegram.');
  });

  it('shows the code to its owner alone, and stores no code', async () => {
    const one = await account('slack', 'Carl');
    const [said] = await say(one, 'link', 'channel');
    expect(said?.only).toBe(one.user);
    const code = /[A-Z2-9]{4}-[A-Z2-9]{4}-[A-Z2-9]{4}/.exec(said?.text ?? '')?.[0] ?? expect.unreachable();
    const rows = JSON.stringify(await desk.database.db.linkCode.findMany());
    expect(rows).not.toContain(code);
    expect(JSON.stringify(await audits('link.code'))).not.toContain(code);
  });

  it('a code joins nothing by itself: neither side can press for the other, and no third one for either', async () => {
    const dan = await account('slack', 'Dan', 'owner');
    const thief = await account('telegram', 'thief');
    const third = await account('discord', 'third');
    const [offer] = await say(thief, `link ${await codeFor(dan)}`);
    const agree = tokenOf(offer, 'Both are mine');
    const join = agree.replace(':agree', ':join');
    expect(told(await press(thief, join))).toContain('DH-209');
    expect(told(await press(dan, join))).toContain('DH-300');
    expect(told(await press(dan, agree))).toContain('DH-209');
    expect(told(await press(third, agree))).toContain('DH-209');
    await press(thief, agree);
    expect(told(await press(thief, join))).toContain('DH-209');
    expect(told(await press(third, join))).toContain('DH-209');
    const said = await press(dan, agree.replace(':agree', ':refuse'));
    expect(told(said)).toContain('the other side said no');
    expect(told(await press(dan, join))).toContain('DH-300');
    expect((await personOf(thief)).role).toBeUndefined();
    expect((await audits('link.refused')).at(-1)).toMatchObject({ actorId: (await personOf(dan)).user });
  });

  it('promise 2: a code works once, for another account, and not when it is old', async () => {
    const eve = await account('slack', 'Eve');
    const eve2 = await account('telegram', 'eve_t');
    const other = await account('discord', 'eve_d');
    const code = await codeFor(eve);
    expect(told(await say(eve, `link ${code}`))).toContain('given to this very account');
    await say(eve2, `link ${code}`);
    expect(told(await say(other, `link ${code}`))).toContain('DH-212');
    const old = await codeFor(eve);
    const newer = await codeFor(eve);
    expect(told(await say(other, `link ${old}`))).toContain('DH-212');
    shift = linkLifeMs + 1000;
    expect(told(await say(other, `link ${newer}`))).toContain('DH-212');
    shift = 0;
    const late = await upToJoin(await account('slack', 'Late'), eve2);
    shift = linkLifeMs + 1000;
    const asker = await desk.database.db.linkCode.findFirstOrThrow({ where: { state: 'agreed', otherAccount: eve2.user } });
    expect(told(await press({ platform: 'slack', tenant: 'T1', user: asker.account, name: 'Late' }, late))).toContain('DH-300');
    shift = 0;
  });

  it('counts wrong codes and gives no more than a few codes', async () => {
    const fay = await account('telegram', 'fay');
    const right = await codeFor(await account('slack', 'Fay'));
    const tries = await Promise.all(Array.from({ length: 8 }, () => say(fay, 'link AAAA-BBBB-CCCC')));
    expect(tries.flat()).not.toHaveLength(0);
    expect((await audits('link.wrong_code')).filter(({ actorId }) => actorId !== null).length).toBeGreaterThanOrEqual(5);
    expect(
      await desk.database.db.audit.count({ where: { action: 'link.wrong_code', actorId: (await personOf(fay)).user } }),
    ).toBe(5);
    expect(told(await say(fay, `link ${right}`))).toContain('You have sent 5 wrong codes.');
    for (let n = 0; n < 5; n += 1) await codeFor(fay);
    expect(told(await say(fay, 'link'))).toContain('5 codes within an hour');
  });

  it('promise 12: knows no code of another workspace', async () => {
    const workspace = newId('wsp');
    await desk.database.db.workspace.create({ data: { id: workspace, name: 'Other' } });
    await desk.database.transaction((tx) =>
      registerTenant(tx, workspace, { platform: 'telegram', tenant: '901', name: 'Other', botUser: '901' }),
    );
    const far: Account = { platform: 'telegram', tenant: '901', user: 'far', name: 'far' };
    const near = await account('slack', 'Near', 'owner');
    const code = await codeFor(near);
    const rejected = told(await say(far, `link ${code}`));
    expect(rejected).toContain('DH-212');
    const here = await account('telegram', 'near_t');
    const [offer] = await say(here, `link ${code}`);
    expect(told(await press(far, tokenOf(offer, 'Both are mine')))).toContain('DH-208');
  });

  it('refuses a second account on a platform, and accounts that are joined already', async () => {
    const [one, two] = [await account('slack', 'Kim'), await account('slack', 'Kim2')];
    expect(told(await say(two, `link ${await codeFor(one)}`))).toContain('Both sides have an account on Slack');
    const far = await account('telegram', 'kim_t');
    await linked(one, far);
    expect(told(await say(far, `link ${await codeFor(one)}`))).toContain('joined already');
  });

  it('two links at once with the same account: those that fit together join, of two that do not one wins', async () => {
    const [a, b, c] = [await account('slack', 'A1'), await account('telegram', 'B1'), await account('discord', 'C1', 'guest')];
    const tokens = [await upToJoin(a, b), await upToJoin(c, b)] as const;
    await Promise.all([press(a, tokens[0]), press(c, tokens[1])]);
    const people = await Promise.all([a, b, c].map(personOf));
    expect(new Set(people.map(({ user }) => user)).size).toBe(1);
    expect(people[0]?.role).toBe('guest');

    const [d, e, f] = [await account('slack', 'D1'), await account('telegram', 'E1'), await account('slack', 'F1')];
    const rivals = [await upToJoin(d, e), await upToJoin(f, e)] as const;
    const said = await Promise.all([press(d, rivals[0]), press(f, rivals[1])]);
    expect(said.flat().filter(({ text }) => text.includes('DH-300')).length).toBeGreaterThanOrEqual(1);
    const after = await Promise.all([d, e, f].map(personOf));
    expect(new Set(after.map(({ user }) => user)).size).toBe(2);
    expect(after[0]?.user).not.toBe(after[2]?.user);
  });

  it('two presses at once on the last button join once', async () => {
    const [a, b] = [await account('slack', 'G1'), await account('telegram', 'H1')];
    const before = (await audits('link.joined')).length;
    const token = await upToJoin(a, b);
    await Promise.all([press(a, token), press(a, token)]);
    expect((await audits('link.joined')).length).toBe(before + 1);
  });
});

describe('linked accounts', () => {
  it('a role that is taken away is taken from all accounts, also after they are split', async () => {
    const [a, b] = [await account('slack', 'Ina', 'maintainer'), await account('telegram', 'ina_t', 'developer')];
    await linked(a, b);
    expect((await personOf(b)).role).toBe('maintainer');
    await desk.database.transaction(async (tx) => setRole(tx, desk.workspace, (await personOf(a)).user, 'guest'));
    expect((await personOf(b)).role).toBe('guest');
    await say(b, 'unlink telegram');
    expect([(await personOf(a)).role, (await personOf(b)).role]).toEqual(['guest', 'guest']);
  });

  it('unlink gives each account what it had, tells both, and leaves no role twice', async () => {
    const [a, b] = [await account('slack', 'Jon'), await account('telegram', 'jon_t', 'developer')];
    const before = [(await personOf(a)).user, (await personOf(b)).user];
    await linked(b, a);
    expect((await personOf(a)).role).toBe('developer');
    await desk.database.transaction(async (tx) => setRole(tx, desk.workspace, (await personOf(b)).user, 'maintainer'));
    expect([(await personOf(a)).role, (await personOf(b)).role]).toEqual(['maintainer', 'maintainer']);
    const said = await say(a, 'unlink telegram');
    expect(said.map(({ only }) => only).filter((only) => only !== undefined)).toEqual([b.user]);
    expect(told(said)).toContain('two people again');
    expect([(await personOf(a)).user, (await personOf(b)).user]).toEqual(before);
    const roles = [(await personOf(a)).role, (await personOf(b)).role];
    expect(roles.filter((role) => role === 'maintainer')).toHaveLength(1);
    expect((await audits('link.unlinked')).at(-1)).toMatchObject({ data: { platform: 'telegram' } });
    expect(told(await say(a, 'unlink telegram'))).toContain('DH-300');
  });

  it('splitting the account that stands for all leaves the others joined', async () => {
    const [a, b, c] = [
      await account('slack', 'Lea'),
      await account('telegram', 'lea_t', 'guest'),
      await account('discord', 'lea_d'),
    ];
    const lea = await personOf(a);
    await linked(a, b);
    await linked(b, c);
    await say(c, 'unlink slack');
    expect((await personOf(b)).user).toBe((await personOf(c)).user);
    expect((await personOf(a)).user).not.toBe((await personOf(b)).user);
    expect([(await personOf(a)).role, (await personOf(c)).role]).toEqual([undefined, 'guest']);
    const members = await desk.database.transaction((tx) => membersOf(tx, desk.workspace));
    expect(members.filter(({ linked: parts }) => parts?.kin.includes(lea.user) === true)).toHaveLength(1);
  });

  it('the last owner is counted as one person, whatever accounts there are', async () => {
    const ada = await desk.database.db.user.findFirstOrThrow({ where: { name: 'Ada', role: 'owner' } });
    await desk.database.db.user.updateMany({ where: { role: 'owner', NOT: { id: ada.id } }, data: { role: 'developer' } });
    const [slackAda, far]: [Account, Account] = [
      { platform: 'slack', tenant: 'T1', user: 'UADA', name: 'Ada' },
      await account('telegram', 'ada_t', 'owner'),
    ];
    await linked(slackAda, far);
    const result = await desk.database.transaction((tx) => setRole(tx, desk.workspace, ada.id, 'guest'));
    expect(result).toBe('last_owner');
    await say(far, 'unlink telegram');
    expect([(await personOf(slackAda)).role, (await personOf(far)).role]).toEqual(['owner', 'owner']);
  });

  it('tasks are those of the person, whichever account asked, before or after', async () => {
    const [a, b] = [await account('slack', 'Mara', 'developer'), await account('telegram', 'mara_t', 'developer')];
    await say(a, 'sh project=demo echo from-slack');
    await say(b, 'sh project=demo echo from-telegram');
    await linked(a, b);
    const mine = told(await say(b, 'tasks mine project=all'));
    expect(mine).toContain('from-slack');
    expect(mine).toContain('from-telegram');
    expect(mine).not.toContain('mara_t');
  });
});

describe('promise 7: linked accounts are one pair of eyes', () => {
  it('a requester cannot approve through the other account, nor after splitting them', async () => {
    await offerSandbox(desk);
    await desk.act(slash('ada', 'settings policy=ask approvers=developer not-requester=on'));
    const [a, b] = [await account('slack', 'Nils', 'developer'), await account('telegram', 'nils_t', 'developer')];
    await linked(a, b);
    await say(a, 'sh project=demo npm install left-pad');
    const waiting = await desk.database.db.interaction.findFirstOrThrow({
      where: { state: 'pending', requesterId: (await personOf(a)).user },
    });
    const approve = `d:${waiting.secret}:approve`;
    expect(told(await press(b, approve))).toContain('DH-202');
    await say(b, 'unlink telegram');
    expect(told(await press(b, approve))).toContain('DH-202');
    expect(await audits('approval.refused')).toHaveLength(2);
    expect(told(await desk.act(slash('mia', 'pending project=all')))).toContain('npm install left-pad');
    expect((await desk.database.db.interaction.findUniqueOrThrow({ where: { id: waiting.id } })).state).toBe('pending');
  });

  it('promise 7: accounts that were one person count as one until an owner lifts it, who is not that person; it is written down', async () => {
    const [a, b, c] = [
      await account('slack', 'Runa', 'developer'),
      await account('telegram', 'runa_t', 'developer'),
      await account('discord', 'runa_d', 'developer'),
    ];
    await linked(a, b);
    await linked(a, c);
    const kinOf = async (who: Account) => ((await personOf(who)).linked?.kin ?? []).length;
    const ada = (text: string) => desk.act(slash('ada', text)).then(told);
    expect(await ada('member separate runa_t'), 'they are one person still').toContain('DH-300');
    await say(b, 'unlink telegram');
    expect(await Promise.all([a, b, c].map(kinOf))).toEqual([3, 3, 3]);

    expect(told(await desk.act(slash('mia', 'member separate runa_t')))).toContain('DH-202');
    expect(await kinOf(b)).toBe(3);
    expect(await ada('member separate runa_t')).toContain('runa_t counts as a person of their own again');
    expect(await Promise.all([a, b, c].map(kinOf))).toEqual([2, 0, 2]);
    expect((await audits('member.separate')).at(-1)).toMatchObject({ subject: (await personOf(b)).user, data: { on: 'slack' } });
    expect(await ada('member separate runa_t'), 'a second time').toContain('with nobody else');

    await say(a, 'sh project=demo npm install runa');
    const waiting = await desk.database.db.interaction.findFirstOrThrow({
      where: { state: 'pending', requesterId: (await personOf(a)).user },
    });
    await say(c, 'unlink discord');
    expect(told(await press(c, `d:${waiting.secret}:approve`)), 'the others keep together').toContain('DH-202');
    await press(b, `d:${waiting.secret}:approve`);
    expect((await desk.database.db.interaction.findUniqueOrThrow({ where: { id: waiting.id } })).state).toBe('approved');
  });

  it('an owner cannot lift it for accounts of their own, another owner can, and linking again counts again', async () => {
    const [a, b] = [await account('slack', 'Olga', 'owner'), await account('telegram', 'olga_t', 'developer')];
    await linked(a, b);
    await say(a, 'unlink telegram');
    expect(told(await say(a, 'member separate olga_t'))).toContain('These are accounts that were yours.');
    expect(told(await say(a, 'member separate Olga'))).toContain('These are accounts that were yours.');
    expect((await personOf(b)).linked?.kin).toHaveLength(2);
    expect(told(await desk.act(slash('ada', 'member separate Olga')))).toContain('Olga counts as a person');
    expect([(await personOf(a)).linked, (await personOf(b)).linked]).toEqual([undefined, undefined]);
    await linked(a, b);
    expect((await personOf(a)).linked?.kin).toHaveLength(2);
    await desk.database.transaction(async (tx) => setRole(tx, desk.workspace, (await personOf(a)).user, 'developer'));
  });

  it('promise 5: cards name the person and mention the account that the platform of the thread knows', async () => {
    const [a, b] = [await account('slack', 'Olga', 'developer'), await account('telegram', 'olga_t')];
    await say(b, 'help');
    await linked(b, a);
    const wakeups = { subscribe: () => () => undefined };
    const projector = createProjector({ database: desk.database, wakeups, clock: systemClock, logger: silent });
    await desk.act(slash('ada', 'settings people=Olga not-requester=off'));
    await say(b, 'sh project=demo npm run olga');
    await projector.start();
    const card = async () =>
      JSON.stringify(
        await desk.database.db.outbox.findMany({ where: { key: { startsWith: 'decision:' }, channel: `D-${b.user}` } }),
      );
    await eventually(async () => expect(await card()).toContain(`"user":"${b.user}"`));
    await projector.stop();
  });
});
