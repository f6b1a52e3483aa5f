import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { roleAbout } from '../../src/access/role-about.ts';
import type { InboundEvent } from '../../src/contracts/inbound.ts';
import { viewSecretContext } from '../../src/delivery/view-secret.ts';
import { newId } from '../../src/runtime/ids.ts';
import { accounts, type Desk, mention, openDesk, press, type Said, slash, tokenOf } from '../support/desk.ts';
import { deskPlatforms, on, openPlatforms } from '../support/desk-platforms.ts';

let desk: Desk;
let web: string;
let api: string;

beforeAll(async () => {
  desk = await openDesk();
  await openPlatforms(desk);
  for (const use of [
    'project add web https://example.com/acme/web.git',
    'project add api https://example.com/acme/api.git',
    'folder add Clients',
    'folder move web Clients',
    'member role Ben maintainer project=web',
  ]) {
    expect(await say(slash('ada', use)), use).not.toContain('DH-');
  }
  const { db } = desk.database;
  web = (await db.project.findFirstOrThrow({ where: { name: 'web' } })).id;
  api = (await db.project.findFirstOrThrow({ where: { name: 'api' } })).id;
});
afterAll(() => desk[Symbol.asyncDispose]());

const words = (said: readonly Said[]) => said.map(({ text }) => text).join('\n');
const say = async (event: InboundEvent) => words(await desk.act(event));

/** Somebody new, on this platform. */
function somebody(text: string, platform: (typeof deskPlatforms)[number] = 'slack', user: string = newId('usr')): InboundEvent {
  const event = on(platform, mention('nobody', text, { direct: true, channel: `D${user}` }));
  return { ...event, actor: { ...event.actor, user, name: `Nele ${user}`, affiliation: { kind: 'member' } } };
}

const userOf = async (externalId: string) => (await desk.database.db.identity.findFirstOrThrow({ where: { externalId } })).userId;
const about = async (externalId: string, place = web) => {
  const user = await userOf(externalId);
  return desk.database.transaction((tx) => roleAbout(tx, { workspace: desk.workspace, place, user }));
};

/** The code that the first answer holds. */
async function code(event: InboundEvent): Promise<string> {
  const [said] = await desk.act(event);
  const view = said !== undefined && 'view' in said.payload ? said.payload.view : undefined;
  return desk.secretBox.open(view?.secret ?? '', viewSecretContext) ?? expect.unreachable(said?.text);
}

describe('an invitation to a project or a folder', () => {
  it.each(deskPlatforms)('gives the role there alone, on %s', async (platform) => {
    const [said] = await desk.act(slash('ben', 'invite developer project=web for=Nele'));
    expect(said?.text).toContain('becomes a developer about web, once');
    const invitation = await code(slash('ben', 'invite developer project=web'));
    const user = `${platform}1`;
    expect(await say(somebody(`join ${invitation}`, platform, user))).toContain('You are a developer about web now');
    expect([await about(user), await about(user, api)]).toEqual(['developer', undefined]);
    expect((await desk.database.db.user.findUniqueOrThrow({ where: { id: await userOf(user) } })).role).toBeNull();
    const line = await desk.database.db.audit.findFirstOrThrow({ where: { action: 'invite.used', subject: await userOf(user) } });
    expect(line.data).toMatchObject({ from: 'none', to: 'developer', in: 'web', project: web });
    expect(await say(slash('ben', 'invite list'))).toContain('developer about web, for Nele · from Ben');
  });

  it('to a folder reaches each of its projects', async () => {
    const invitation = await code(slash('mia', 'invite guest folder=Clients'));
    expect(await say(somebody(`join ${invitation}`, 'slack', 'UFOLD'))).toContain('You are a guest in the folder Clients now');
    expect([await about('UFOLD'), await about('UFOLD', api)]).toEqual(['guest', undefined]);
    expect(await say(somebody(`join ${invitation}`))).toContain('not the code of an invitation');
  });

  it('to a folder gives nothing where who made it may give it no more about one of its projects', async () => {
    const invitation = await code(slash('mia', 'invite developer folder=Clients'));
    await desk.act(slash('ada', 'member role Mia guest project=web'));
    expect(await say(somebody(`join ${invitation}`, 'slack', 'UPART'))).toMatch(
      /Mia may not make .* into a developer about Clients\..*DH-202/,
    );
    expect(await about('UPART')).toBeUndefined();
    const { id } = await desk.database.db.user.findUniqueOrThrow({ where: { id: await userOf('UPART') } });
    expect(await desk.database.db.membership.count({ where: { userId: id } })).toBe(0);
    expect(await desk.database.db.audit.count({ where: { action: 'invite.used', subject: id } })).toBe(0);
    await desk.act(slash('ada', 'member remove Mia project=web'));
    expect(await say(somebody(`join ${invitation}`, 'slack', 'UPART'))).toContain(
      'You are a developer in the folder Clients now',
    );
    expect(await about('UPART')).toBe('developer');
  });

  it('is made by those who may give the role there, and about nothing that they may not see', async () => {
    expect(await say(slash('ben', 'invite maintainer project=web'))).toContain('DH-202');
    expect(await say(slash('ben', 'invite guest project=api'))).toContain('DH-202');
    expect(await say(slash('ben', 'invite guest'))).toContain('DH-202');
    expect(await say(slash('ada', 'invite guest project=web folder=Clients'))).toContain('DH-201');
    await desk.act(slash('ada', 'member role Gus none project=api'));
    expect(await say(slash('gus', 'invite guest project=api'))).toMatch(/DH-20[25]/);
  });

  it('is worth no more than who made it may give there when it is used, and is left when they may not', async () => {
    const invitation = await code(slash('ben', 'invite developer project=web'));
    await desk.act(slash('ada', 'member role Ben developer project=web'));
    expect(await say(somebody(`join ${invitation}`, 'slack', 'ULATE'))).toContain('may not give you this role');
    expect(await about('ULATE')).toBeUndefined();
    const line = await desk.database.db.audit.findFirstOrThrow({ where: { action: 'invite.void' } });
    expect(line.data).toMatchObject({ in: 'web', role: 'developer' });
    await desk.act(slash('ada', 'member role Ben maintainer project=web'));
    expect(await say(somebody(`join ${invitation}`, 'slack', 'ULATE'))).toContain('You are a developer about web now');
  });

  it('takes nothing from who has more there, and is nothing once its project is gone', async () => {
    const invitation = await code(slash('ben', 'invite guest project=web'));
    expect(await say(mention('mia', `join ${invitation}`, { direct: true }))).toContain('You are a maintainer about web already');
    await desk.act(slash('ada', 'project add gone https://example.com/acme/gone.git'));
    const lost = await code(slash('ada', 'invite guest project=gone'));
    await desk.act(slash('ada', 'project remove gone'));
    expect(await say(somebody(`join ${lost}`))).toContain('not the code of an invitation');
  });
});

describe('an invitation by name', () => {
  it('asks the person directly with a button, which nobody else can use', async () => {
    await desk.act(somebody('help', 'slack', 'UNINA'));
    const said = await desk.act(slash('ada', 'invite developer <@UNINA> project=web'));
    const asked = said.find(({ only }) => only === 'UNINA');
    expect(asked?.text).toContain('Ada invites you to be a developer about web. It is good until');
    const own = said.find(({ only }) => only === accounts.ada);
    expect(own?.text).toContain('is asked in a direct message, with a button, to become a developer about web');
    const button = tokenOf(asked, 'Join');
    expect(await say(press('gus', button))).toContain('not the code of an invitation');
    const view = own !== undefined && 'view' in own.payload ? own.payload.view : undefined;
    const typed = desk.secretBox.open(view?.secret ?? '', viewSecretContext);
    expect(await say(somebody(`join ${typed}`))).toContain('not the code of an invitation');
    const event = press('nobody', button, { direct: true, channel: 'DUNINA' });
    const hers = { ...event, actor: { ...event.actor, user: 'UNINA' } };
    const joined = await desk.act(hers);
    expect(words(joined)).toContain('You are a developer about web now');
    const over = joined.find(({ key }) => key === asked?.key);
    expect(over?.text).toBe('You were invited to be a developer about web, and have joined.');
    expect(() => tokenOf(over, 'Join')).toThrow('no button');
    expect(await about('UNINA')).toBe('developer');
    expect(await say(hers)).toContain('not the code of an invitation');
  });

  it('is told to who made it where the person cannot be reached, and is for that person alone all the same', async () => {
    await desk.act(somebody('help', 'slack', 'UFAR'));
    await desk.database.db.identity.updateMany({ where: { externalId: 'UFAR' }, data: { directRefusedAt: new Date() } });
    const said = await desk.act(slash('ada', 'invite guest <@UFAR>'));
    expect(said).toHaveLength(1);
    expect(said[0]?.text).toContain('Deckhand cannot write to Nele UFAR directly');
    const invitation = await code(slash('ada', 'invite guest <@UFAR>'));
    expect(await say(somebody(`join ${invitation}`))).toContain('not the code of an invitation');
    expect(await say(somebody(`join ${invitation}`, 'slack', 'UFAR'))).toContain('You are a guest now');
  });
});
