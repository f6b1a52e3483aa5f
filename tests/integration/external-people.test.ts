import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { deciderNow } from '../../src/approvals/approvers.ts';
import type { Affiliation } from '../../src/contracts/affiliation.ts';
import type { InboundEvent } from '../../src/contracts/inbound.ts';
import { accounts, type Desk, mention, openDesk, slash } from '../support/desk.ts';

let desk: Desk;
beforeAll(async () => {
  desk = await openDesk();
  await desk.act(slash('ada', 'bind demo role=developer'));
});
afterAll(() => desk[Symbol.asyncDispose]());

const first = async (event: InboundEvent) => (await desk.act(event))[0]?.text ?? '';
/** The same act with something else, or nothing, told about the account. */
function told(event: InboundEvent, affiliation: Affiliation | undefined): InboundEvent {
  const { affiliation: _, ...actor } = event.actor;
  return { ...event, actor: { ...actor, ...(affiliation === undefined ? {} : { affiliation }) } };
}
const userOf = async (externalId: string) =>
  (await desk.database.db.identity.findFirstOrThrow({ where: { externalId, workspaceId: desk.workspace } })).userId;

describe('somebody of another organisation in a channel that gives its members a role', () => {
  it('gets nothing of it, and reads why and who could change that', async () => {
    for (const use of ['sh ls', 'tasks', 'who']) {
      const said = await first(slash('pia', use));
      expect(said, use).toContain('DH-202');
      expect(said, use).toContain('People of another organisation get at most the role guest from a channel');
    }
    expect(await first(mention('pia', 'fix the login'))).toContain('DH-202');
    expect(await first(slash('nobody', 'tasks'))).not.toContain('DH-202');
  });

  it('may look, and no more, where the channel says external=guest', async () => {
    expect(await first(slash('ben', 'settings external=guest'))).toContain('DH-202');
    expect(await first(slash('mia', 'settings external=guest'))).toContain('guest: external people may look');
    expect(await first(slash('pia', 'tasks'))).not.toContain('DH-202');
    expect(await first(slash('pia', 'sh ls'))).toContain('DH-202');
    expect(await first(slash('gus', 'who'))).toContain('external people are guests');
    const audited = await desk.database.db.audit.findFirstOrThrow({ where: { action: 'channel.settings' } });
    expect(audited.data).toMatchObject({ external: 'guest', role: 'developer' });
  });

  it('cannot speak to a task, and does not decide by what channels give', async () => {
    await desk.act(mention('ben', 'sh make', { message: '1.000' }));
    expect(await first(mention('pia', 'stop', { thread: '1.000' }))).toContain('DH-202');
    const [pia, nobody] = [await userOf(accounts.pia), await userOf(accounts.nobody)];
    const role = (user: string) =>
      desk.database.transaction(async (tx) => (await deciderNow(tx, desk.workspace, desk.demo.id, user))?.role);
    expect(await role(nobody)).toBe('developer');
    expect(await role(pia)).toBeUndefined();
  });

  it('loses what it was let in for when the channel is bound to another project', async () => {
    await desk.act(slash('ada', 'project add api https://example.com/acme/api.git'));
    await desk.act(slash('ada', 'bind api role=developer'));
    expect(await first(slash('pia', 'tasks'))).toContain('DH-202');
    await desk.act(slash('ada', 'bind demo role=developer'));
    expect(await first(slash('pia', 'tasks'))).toContain('DH-202');
  });
});

describe('a role by name', () => {
  it('beyond looking is given to external people by owners only', async () => {
    expect(await first(slash('mia', `member add <@${accounts.pia}> developer`))).toContain('only an owner gives such people');
    expect(await first(slash('mia', `member add <@${accounts.pia}> guest`))).toContain('is a guest now');
    expect(await first(slash('mia', `member role <@${accounts.pia}> developer`))).toContain('Owners can: Ada');
    expect(await first(slash('ada', `member role <@${accounts.pia}> developer`))).toContain('is a developer now');
    expect(await first(slash('pia', 'sh ls -l'))).not.toContain('DH-202');
  });

  it('is given by others once it is known that the account is no external one', async () => {
    const unseen = '<@UUNSEEN>';
    expect(await first(slash('mia', `member add ${unseen} developer`))).toContain('that is not known yet');
    expect(await first(slash('mia', `member add ${unseen} guest`))).toContain('is a guest now');
    const help = slash('nobody', 'help');
    await desk.act({ ...help, key: 'unseen', actor: { user: 'UUNSEEN', bot: false, affiliation: { kind: 'member' } } });
    expect(await first(slash('mia', `member role ${unseen} developer`))).toContain('is a developer now');
  });

  it('stands with the mark in lists and on cards', async () => {
    expect(await first(slash('gus', 'who'))).toContain('UPIA (external, Initech)');
    expect(await first(slash('gus', 'show #2'))).toMatch(/asked by .*UPIA \(external, Initech\)/);
  });
});

describe('what the platform says of an account', () => {
  it('counts until it says something else; what cannot be found out is no reason to let somebody in', async () => {
    const organisation = 'Initech';
    const stored = () => desk.database.db.identity.findFirstOrThrow({ where: { externalId: 'UQUIN' } });
    const act = (affiliation: Affiliation | undefined) => {
      const event = told(slash('nobody', 'tasks'), affiliation);
      return first({ ...event, actor: { ...event.actor, user: 'UQUIN' } });
    };
    const unknown = await act({ kind: 'unknown' });
    expect(unknown).toContain('DH-202');
    expect(unknown).toContain('try again in a minute');
    expect(await stored()).toMatchObject({ affiliation: null });
    expect(await act({ kind: 'member' })).not.toContain('DH-202');
    expect(await act({ kind: 'unknown' })).not.toContain('DH-202');
    expect(await act({ kind: 'guest' })).toContain('People with a guest account get');
    expect(await act(undefined)).toContain('DH-202');
    expect(await act({ kind: 'organisation', organisation })).toContain('DH-202');
    expect(await act({ kind: 'organisation' })).toContain('DH-202');
    expect(await stored()).toMatchObject({ affiliation: 'organisation', organisation });
    expect(await act({ kind: 'member' })).not.toContain('DH-202');
    expect(await stored()).toMatchObject({ affiliation: 'member', organisation: null });
  });
});
