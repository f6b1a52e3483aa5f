import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { InboundEvent } from '../../src/contracts/inbound.ts';
import { viewSecretContext } from '../../src/delivery/view-secret.ts';
import { accounts, type Desk, mention, slash } from '../support/desk.ts';
import { on } from '../support/desk-platforms.ts';
import { type DeskSite, openDeskSite } from '../support/desk-site.ts';
import { onEach, openRefusals, type Refusal, type RefusalWorld } from '../support/refusals.ts';

let world: RefusalWorld;
let desk: Desk;
let site: DeskSite;

beforeAll(async () => {
  world = await openRefusals();
  ({ desk } = world);
  site = await openDeskSite(desk);
});
afterAll(async () => {
  await site?.[Symbol.asyncDispose]();
  await world?.[Symbol.asyncDispose]();
});

const say = (event: InboundEvent) => world.say(event);

const table: Refusal[] = [
  {
    what: 'a token without the scope',
    async given() {
      const { id, secret } = await site.token({ person: 'Ada', role: 'owner', scopes: [] });
      return {
        attempt: () => site.ask('/api/v1/tasks', { headers: { authorization: `Bearer ${secret}` } }),
        line: { action: 'token.refused', actor: 'Ada', subject: id, data: { to: 'read tasks', why: 'it lacks the scope read' } },
      };
    },
    says: /^403 .*it lacks the scope read.*DH-223/,
  },
  {
    what: 'a token of somebody who has no role any more',
    async given() {
      const { id, secret } = await site.token({ person: 'Gus', role: 'owner' });
      await desk.act(slash('ada', 'member remove Gus'));
      return {
        async attempt() {
          const said = await site.ask('/api/v1/tasks', { headers: { authorization: `Bearer ${secret}` } });
          await desk.act(slash('ada', `member add <@${accounts.gus}> guest`));
          return said;
        },
        line: { action: 'token.refused', actor: 'Gus', subject: id, data: { why: expect.stringContaining('no role any more') } },
      };
    },
    says: /^403 .*no role any more.*DH-223/,
    but: ['people'],
  },
  {
    what: 'an access token with a custom role of more than its maker may',
    async given() {
      await desk.act(slash('ada', 'role add keeper with=account.manage'));
      return {
        attempt: () => say(slash('mia', 'token create service=up role=keeper')),
        line: { action: 'refused', actor: 'Mia', data: { code: 'DH-202', action: 'make tokens with the role keeper' } },
      };
    },
    says: /Mia may not make tokens with the role keeper\. Owners can, and whoever has all of that role\..*DH-202/,
  },
  {
    what: 'a token of a service beyond its project',
    async given() {
      await desk.act(slash('ada', 'project add away https://example.com/acme/away.git'));
      const { id: project } = await desk.database.db.project.findFirstOrThrow({ where: { name: 'away' } });
      const { id, secret } = await site.token({ person: 'Ada', role: 'guest', kind: 'service', project });
      const { runId } = await world.waiting();
      return {
        attempt: () => site.ask(`/api/v1/runs/${runId}`, { headers: { authorization: `Bearer ${secret}` } }),
        line: {
          action: 'token.refused',
          actor: null,
          subject: id,
          data: { to: 'read that run', why: 'there is none in its reach' },
        },
      };
    },
    says: /^404 .*DH-224/,
  },
  {
    what: 'a token of a service on a page of people',
    async given() {
      const { id, secret } = await site.token({ person: 'Ada', role: 'owner', kind: 'service' });
      return {
        attempt: () => site.ask('/account', { headers: { authorization: `Bearer ${secret}` } }),
        line: { action: 'token.refused', actor: null, subject: id, data: { to: 'use pages of people' } },
      };
    },
    says: /^403 [\s\S]*may not use pages of people: these take a browser in which somebody is signed in[\s\S]*DH-223/,
  },
  {
    what: 'a session that was ended',
    async given() {
      const { id, cookie, form } = await site.session('Ben');
      await desk.database.db.session.update({ where: { id }, data: { endedAt: new Date() } });
      const headers = { cookie, origin: site.url, 'sec-fetch-site': 'same-origin' };
      return {
        attempt: () => site.ask('/account/sessions/end-others', { method: 'POST', headers, form: { form } }),
        line: { action: 'session.refused', actor: 'Ben', subject: id, data: { why: 'you were signed out of this browser' } },
      };
    },
    says: /^401 [\s\S]*you were signed out of this browser[\s\S]*DH-230/,
  },
  {
    what: 'a form that a page elsewhere sends with the cookie of a session',
    async given() {
      const { id, cookie, form } = await site.session('Ben');
      const headers = { cookie, origin: 'https://evil.example.com', 'sec-fetch-site': 'cross-site' };
      return {
        attempt: () => site.ask('/account/sessions/end-others', { method: 'POST', headers, form: { form } }),
        line: { action: 'session.refused', actor: 'Ben', subject: id, data: { why: 'a page elsewhere sent a form' } },
      };
    },
    says: /^403 [\s\S]*It was not sent by a page of this server[\s\S]*DH-232/,
  },
  {
    what: 'a form that was made for another session',
    async given() {
      const { id, cookie } = await site.session('Ben');
      const { form } = await site.session('Ben');
      const headers = { cookie, origin: site.url, 'sec-fetch-site': 'same-origin' };
      return {
        attempt: () => site.ask('/account/sessions/end-others', { method: 'POST', headers, form: { form } }),
        line: { action: 'session.refused', actor: 'Ben', subject: id, data: { why: 'the form was not made for this session' } },
      };
    },
    says: /^403 [\s\S]*from an earlier session[\s\S]*DH-232/,
  },
  ...onEach((platform) => ({
    what: `an invitation that is used twice, on ${platform}`,
    async given() {
      const [said] = await desk.act(slash('mia', 'invite developer'));
      const view = said !== undefined && 'view' in said.payload ? said.payload.view : undefined;
      const code = desk.secretBox.open(view?.secret ?? '', viewSecretContext);
      const somebody = (user: string) => {
        const event = on(platform, mention('nobody', `join ${code}`, { direct: true, channel: `D${user}` }));
        return { ...event, actor: { ...event.actor, user: `${platform}-${user}`, name: user } };
      };
      expect(await say(somebody('Una'))).toContain('You are a developer now');
      await desk.act({ ...somebody('Otto'), type: 'message', text: 'help' } as InboundEvent);
      const where = { platform, externalId: `${platform}-Otto` };
      const { userId } = await desk.database.db.identity.findFirstOrThrow({ where });
      return {
        attempt: () => say(somebody('Otto')),
        line: { action: 'invite.wrong_code', actor: userId, subject: userId, data: {} },
      };
    },
    says: /This is not the code of an invitation that is open\. Codes work once.*DH-212/,
  })),
];

describe('promise 7 and 12', () => {
  it.each(table)('$what is refused with a reason and a line of the audit, and nothing happens', (refusal) =>
    world.isRefused(refusal),
  );

  it('is in what `audit kind=refused` lists, in words', async () => {
    const text = await world.listed();
    for (const words of [
      'was refused with a session: a page elsewhere sent a form',
      'sent a code that is not that of an open invitation',
    ])
      expect(text).toContain(words);
    expect(text).not.toMatch(/did [a-z]+\.[a-z_]+/);
  });
});
