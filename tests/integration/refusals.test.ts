import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createChainer } from '../../src/audit/chainer.ts';
import { verifyDatabase } from '../../src/audit/verify-database.ts';
import type { InboundEvent } from '../../src/contracts/inbound.ts';
import { encodePress } from '../../src/contracts/press.ts';
import { viewSecretContext } from '../../src/delivery/view-secret.ts';
import { systemClock } from '../../src/runtime/clock.ts';
import { newId } from '../../src/runtime/ids.ts';
import { createLogger } from '../../src/runtime/logger.ts';
import { createSecretBox } from '../../src/runtime/secret-box.ts';
import { mostRefusals, recordRefusal } from '../../src/store/audit.ts';
import { accounts, type Desk, mention, openDesk, press, type Said, slash } from '../support/desk.ts';
import { offer, offerAgents } from '../support/desk-agent.ts';
import { type DeskPlatform, deskPlaces, deskPlatforms, on, openPlatforms } from '../support/desk-platforms.ts';
import { type DeskSite, openDeskSite } from '../support/desk-site.ts';

let desk: Desk;
let site: DeskSite;
let foreign: string;
let runner: string;
let made = 0;

beforeAll(async () => {
  desk = await openDesk();
  ({ foreign } = await openPlatforms(desk));
  runner = await offerAgents(desk, offer('claude'));
  site = await openDeskSite(desk);
  await desk.act(slash('ada', 'settings policy=ask'));
  for (const platform of deskPlatforms) await desk.act(on(platform, slash('ada', 'help'), { foreign: true }));
  await desk.database.db.user.updateMany({ where: { workspaceId: foreign }, data: { role: 'owner' } });
});
afterAll(async () => {
  await site?.[Symbol.asyncDispose]();
  await desk?.[Symbol.asyncDispose]();
});

const userOf = async (name: string) =>
  (await desk.database.db.user.findFirstOrThrow({ where: { name, workspaceId: desk.workspace, linkedToId: null } })).id;
const words = (said: readonly Said[]) => said.map(({ text }) => text).join('\n');
const say = async (event: InboundEvent) => words(await desk.act(event));
const latest = () => desk.database.db.interaction.findFirstOrThrow({ where: { state: 'pending' }, orderBy: { id: 'desc' } });
const approve = (secret: string) => encodePress({ kind: 'decide', secret, verb: 'approve' });

/** A command of Ben's that waits for an approval. */
async function waiting(command = 'touch file', who: 'ben' | 'ada' = 'ben') {
  made += 1;
  await desk.act(mention(who, `sh ${command}`, { message: `${made}00.000` }));
  return latest();
}

/** One that Mia has approved, on its runner, just before it would run. */
async function approved() {
  const asked = await waiting();
  await desk.act(press('mia', approve(asked.secret)));
  await desk.engine.runs.beat(runner);
  await desk.engine.sweep();
  const claimed = await desk.engine.runs.claim(asked.runId, runner);
  if (!claimed.ok) throw new Error(`not claimed: ${claimed.reason}`);
  const { command, timeoutMs, project } = claimed.spec;
  const box = { cwd: '/workspace', sandbox: 'docker', image: 'deckhand/sandbox', network: 'none' } as const;
  const action = { type: 'command' as const, command, project: project.id, timeoutMs, ...box };
  const authorise = async (change: object = {}) =>
    JSON.stringify(await desk.engine.runs.authorise(asked.runId, runner, { ...action, ...change }));
  return { ...asked, authorise };
}

async function facts(): Promise<unknown> {
  const { db } = desk.database;
  const by = { orderBy: { id: 'asc' } } as const;
  return {
    tasks: await db.task.findMany({ ...by, select: { id: true, column: true, projectId: true } }),
    runs: await db.run.findMany({ ...by, select: { id: true, state: true } }),
    interactions: await db.interaction.findMany({ ...by, select: { id: true, state: true, approvals: true, consumedBy: true } }),
    publications: await db.publication.count(),
    rules: await db.rule.findMany(by),
    people: await db.user.findMany({ ...by, select: { id: true, role: true } }),
    memberships: await db.membership.findMany(by),
    invites: await db.invite.findMany({ ...by, select: { id: true, usedById: true, revokedAt: true } }),
    sessions: await db.session.findMany({ ...by, select: { id: true, endedAt: true } }),
    tokens: await db.accessToken.findMany({ ...by, select: { id: true, revokedAt: true } }),
  };
}

interface Line {
  /** Undefined: that of the desk. */
  workspace?: string;
  action: string;
  /** Name of the person; null: Deckhand itself. */
  actor: string | null;
  /** Undefined: the person. */
  subject?: string;
  data: object;
  /** Where it was tried. */
  via?: object;
}

interface Refusal {
  /** Completes "… is refused". */
  what: string;
  /** Makes what it takes and returns the try, which returns all that people read. */
  given(): Promise<{ attempt(): Promise<string>; line: Line }>;
  says: RegExp;
  /** What does change, so that it is not looked at. */
  but?: string[];
}

const each = (of: (platform: DeskPlatform) => Refusal): Refusal[] => deskPlatforms.map(of);

const table: Refusal[] = [
  ...each((platform) => ({
    what: `a wrong presser on ${platform}`,
    async given() {
      const { id, secret } = await waiting();
      return {
        attempt: () => say(on(platform, press('gus', approve(secret)))),
        line: {
          action: 'approval.refused',
          actor: 'Gus',
          subject: id,
          data: { decision: 'approve', on: platform, role: 'guest' },
        },
      };
    },
    says: /^Not allowed\. Gus may not decide this\. Developers, maintainers and owners can decide: Ada, Mia, Ben\. DH-202/,
  })),
  ...each((platform) => ({
    what: `a reason for a no by a wrong presser on ${platform}`,
    async given() {
      const { secret } = await waiting();
      const token = encodePress({ kind: 'decide', secret, verb: 'deny_reason' });
      return {
        attempt: () => say(on(platform, press('gus', token))),
        line: {
          action: 'refused',
          actor: 'Gus',
          data: { code: 'DH-202', action: expect.stringMatching(/^decide on #\d+$/), role: 'guest' },
        },
      };
    },
    says: /Gus may not decide on #\d+\. Developers, maintainers and owners can decide: Ada, Mia, Ben\. DH-202/,
  })),
  ...each((platform) => ({
    what: `an owner of a foreign tenant on ${platform}`,
    async given() {
      const { secret } = await waiting();
      const event = on(platform, press('ada', approve(secret)), { foreign: true });
      const { tenant, channel } = event.conversation;
      const where = { platform, tenant, externalId: event.actor.user };
      const { userId } = await desk.database.db.identity.findFirstOrThrow({ where });
      return {
        attempt: () => say(event),
        line: {
          workspace: foreign,
          action: 'refused',
          actor: userId,
          subject: userId,
          data: { code: 'DH-208', action: 'use a button of something that is not here, or not any more' },
          via: { platform, tenant, channel },
        },
      };
    },
    says: /^This button no longer works\. What it was for is gone or has changed\..*DH-208/,
  })),
  ...each((platform) => ({
    what: `a tenant that no workspace serves, on ${platform}`,
    async given() {
      const { secret } = await waiting();
      const event = on(platform, press('ada', approve(secret)));
      const from = `${platform}/T404`;
      return {
        attempt: () => say({ ...event, conversation: { ...event.conversation, tenant: 'T404' } }),
        line: {
          workspace: 'installation',
          action: 'stranger.refused',
          actor: null,
          subject: from,
          data: { from, why: 'no workspace belongs to it' },
        },
      };
    },
    // Whoever is nobody is answered nothing.
    says: /^$/,
  })),
  ...each((platform) => ({
    what: `a guest in a shared channel on ${platform}`,
    async given() {
      const { channel } = deskPlaces[platform];
      await desk.act(on(platform, slash('ada', 'settings role=developer external=guest')));
      const event = on(platform, slash('pia', 'sh ls'), { outside: true });
      await desk.act(on(platform, slash('pia', 'tasks'), { outside: true }));
      const where = { platform, externalId: event.actor.user };
      const { userId } = await desk.database.db.identity.findFirstOrThrow({ where });
      return {
        attempt: () => say(event),
        line: {
          action: 'refused',
          actor: userId,
          subject: userId,
          data: { code: 'DH-202', action: 'run commands', role: 'guest' },
          via: { platform, channel, account: event.actor.user },
        },
      };
    },
    says: /may not run commands\..* (of another organisation|who are new here) get at most the role guest from a channel/,
  })),
  {
    what: 'whoever asked, where the policy says not-requester,',
    async given() {
      await desk.act(slash('ada', 'settings not-requester=on'));
      const { id, secret } = await waiting('touch mine', 'ada');
      await desk.act(slash('ada', 'settings not-requester=off'));
      return {
        attempt: () => say(press('ada', approve(secret))),
        line: { action: 'approval.refused', actor: 'Ada', subject: id, data: { role: 'owner' } },
      };
    },
    says: /Ada may not decide this\. .* can decide: Mia, Ben\. The requester cannot\. DH-202/,
  },
  {
    what: 'a yes from a channel where decisions do not count',
    async given() {
      await desk.act(slash('ada', 'bind demo', { channel: 'COPS' }));
      await desk.database.db.channel.updateMany({ where: { externalId: 'COPS' }, data: { name: 'ops' } });
      const { id: ops } = await desk.database.db.channel.findFirstOrThrow({ where: { externalId: 'COPS' } });
      await desk.act(slash('ada', `settings decide-in=${ops}`));
      const { id, secret, approvers } = await waiting();
      await desk.act(slash('ada', 'settings decide-in=none'));
      expect(approvers).toMatchObject({ channels: [ops] });
      return {
        attempt: () => say(press('ada', approve(secret))),
        line: { action: 'approval.elsewhere', actor: 'Ada', subject: id, data: { decision: 'approve', on: 'slack' } },
      };
    },
    says: /You may decide on #\d+, but not here\. It counts in #ops on Slack only\. Press the button there.*DH-403/,
  },
  {
    what: 'a yes that comes from no channel where decisions count in some',
    async given() {
      const { id: ops } = await desk.database.db.channel.findFirstOrThrow({ where: { externalId: 'COPS' } });
      await desk.act(slash('ada', `settings decide-in=${ops}`));
      const { id, secret } = await waiting();
      await desk.act(slash('ada', 'settings decide-in=none'));
      const identity = { platform: 'console', tenant: 'local', user: 'ada' } as const;
      const by = { workspace: desk.workspace, user: await userOf('Ada'), name: 'Ada', role: 'owner', identity } as const;
      return {
        attempt: async () =>
          JSON.stringify(
            await desk.database.transaction((tx) =>
              desk.engine.tasks.decide(tx, { secret, decision: 'approve', by, on: 'console' }),
            ),
          ),
        line: { action: 'approval.elsewhere', actor: 'Ada', subject: id, data: { decision: 'approve', on: 'console' } },
      };
    },
    says: /"elsewhere","where":"It counts in #ops on Slack only\."/,
  },
  {
    what: 'what an access bundle of the channel does not allow',
    async given() {
      const { number } = await desk.database.db.task.findFirstOrThrow({ orderBy: { number: 'desc' } });
      for (const use of ['bundle add support may=guest', 'bind demo']) await desk.act(slash('ada', use, { channel: 'CSUPPORT' }));
      await desk.act(slash('ada', 'settings bundle=support', { channel: 'CSUPPORT' }));
      return {
        attempt: () => say(slash('ada', `move #${number} done`, { channel: 'CSUPPORT' })),
        line: { action: 'refused', actor: 'Ada', data: { code: 'DH-248', bundle: 'support', action: 'move tasks' } },
      };
    },
    says: /Ada may move tasks, but not from .*: its access bundle `?support`? does not allow it\..*DH-248/,
  },
  {
    what: 'what a revoked rule allowed',
    async given() {
      const { secret, taskId } = await waiting('touch rules');
      await desk.act(press('mia', encodePress({ kind: 'decide', secret, verb: 'approve_task' })));
      const rule = await desk.database.db.rule.findFirstOrThrow({ where: { taskId } });
      const { number } = await desk.database.db.task.findUniqueOrThrow({ where: { id: taskId } });
      await desk.act(slash('ben', `stop #${number}`));
      await desk.act(slash('mia', `rules revoke ${rule.id}`));
      return {
        attempt: async () => {
          const said = await say(slash('ben', `retry #${number}`));
          const again = await latest();
          expect(again).toMatchObject({ taskId, state: 'pending' });
          const run = await desk.database.db.run.findUniqueOrThrow({ where: { id: again.runId } });
          expect(run.state).toBe('awaiting');
          return `${said} ${again.because}`;
        },
        line: { action: 'approval.opened', actor: null, data: { task: taskId, command: 'touch rules' } },
      };
    },
    says: /this project asks before every command, and Mia has taken back the rule that allowed it/,
    but: ['tasks', 'runs', 'interactions'],
  },
  {
    what: 'an expired approval',
    async given() {
      const { id, secret, runId } = await waiting();
      await desk.database.db.interaction.update({ where: { id }, data: { expiresAt: new Date(Date.now() - 1000) } });
      return {
        attempt: async () => {
          const said = await say(press('mia', approve(secret)));
          const run = await desk.database.db.run.findUniqueOrThrow({ where: { id: runId } });
          expect(run.state).toBe('cancelled');
          return said;
        },
        line: { action: 'approval.late', actor: 'Mia', subject: id, data: { state: 'expired', decision: 'approve' } },
      };
    },
    says: /Nobody decided within .*, so it counts as no\..*DH-400/,
    but: ['tasks', 'runs', 'interactions'],
  },
  ...each((platform) => ({
    what: `a replayed press on ${platform}`,
    async given() {
      const { id, secret } = await waiting();
      await desk.act(on(platform, press('mia', approve(secret))));
      return {
        attempt: () => say(on(platform, press('mia', approve(secret)))),
        line: { action: 'approval.late', actor: 'Mia', subject: id, data: { state: 'approved', on: platform } },
      };
    },
    says: /You approved it .* ago on .*DH-400/,
  })),
  {
    what: 'an approval that another run has used',
    async given() {
      const { id, authorise } = await approved();
      await desk.database.db.interaction.update({ where: { id }, data: { consumedAt: new Date(), consumedBy: newId('run') } });
      return {
        attempt: () => authorise(),
        line: { action: 'approval.void', actor: null, subject: id, data: { because: 'it was used before' } },
      };
    },
    says: /^\{"verdict":"ask"\}$/,
    but: ['tasks', 'runs', 'interactions'],
  },
  {
    what: 'an action that is another than the task says',
    async given() {
      const { authorise, runId } = await approved();
      return {
        attempt: () => authorise({ command: 'rm -rf /' }),
        line: { action: 'run.not_authorised', actor: null, subject: runId, data: { cause: 'denied' } },
      };
    },
    says: /"deny".*the runner would run something else than the task says \(another command\)/,
    but: ['tasks', 'runs'],
  },
  {
    what: 'an action that is another than was approved',
    async given() {
      const { id, authorise } = await approved();
      return {
        attempt: () => authorise({ network: 'host' }),
        line: {
          action: 'approval.void',
          actor: null,
          subject: id,
          data: { because: 'it is of something else than what would run now' },
        },
      };
    },
    says: /^\{"verdict":"ask"\}$/,
    but: ['tasks', 'runs', 'interactions'],
  },
  {
    what: 'an approval whose action was changed where it is stored',
    async given() {
      const { id, action, authorise } = await approved();
      const changed = { ...(action as object), command: 'rm -rf /' };
      await desk.database.db.interaction.update({ where: { id }, data: { action: changed } });
      return {
        attempt: () => authorise(),
        line: { action: 'approval.void', actor: null, subject: id, data: { because: 'what is stored is not what people saw' } },
      };
    },
    says: /^\{"verdict":"ask"\}$/,
    but: ['tasks', 'runs', 'interactions'],
  },
  {
    what: 'an approval of somebody who may not decide any more',
    async given() {
      const { id, authorise } = await approved();
      await desk.act(slash('ada', 'member role Mia guest'));
      return {
        async attempt() {
          const said = await authorise();
          await desk.act(slash('ada', 'member role Mia maintainer'));
          return said;
        },
        line: { action: 'approval.void', actor: null, subject: id, data: { because: 'whoever gave it may not decide any more' } },
      };
    },
    says: /^\{"verdict":"ask"\}$/,
    but: ['tasks', 'runs', 'interactions', 'people'],
  },
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
    what: 'a token of a service beyond its project',
    async given() {
      await desk.act(slash('ada', 'project add away https://example.com/acme/away.git'));
      const { id: project } = await desk.database.db.project.findFirstOrThrow({ where: { name: 'away' } });
      const { id, secret } = await site.token({ person: 'Ada', role: 'guest', kind: 'service', project });
      const { runId } = await waiting();
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
  ...each((platform) => ({
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
  it.each(table)(
    '$what is refused with a reason and a line of the audit, and nothing happens',
    async ({ given, says, but = [] }) => {
      const { db } = desk.database;
      const { attempt, line } = await given();
      const before = (await facts()) as Record<string, unknown>;
      const seen = (await db.audit.findMany({ select: { id: true } })).map(({ id }) => id);
      expect(await attempt()).toMatch(says);
      const after = (await facts()) as Record<string, unknown>;
      for (const kind of Object.keys(before)) if (!but.includes(kind)) expect(after[kind], kind).toEqual(before[kind]);
      const actor = line.actor === null || line.actor.startsWith('usr_') ? line.actor : await userOf(line.actor);
      const lines = await db.audit.findMany({ where: { id: { notIn: seen }, action: line.action } });
      const {
        workspace = desk.workspace,
        subject = line.action === 'refused' ? actor : expect.any(String),
        data,
        via = {},
      } = line;
      expect(lines).toMatchObject([
        { workspaceId: workspace, actorId: actor, subject, data, ...(Object.keys(via).length === 0 ? {} : { via }) },
      ]);
    },
  );
});

describe('refusals', () => {
  it('of the same are one line, and no more than so many of one person in a minute, of which the last says so', async () => {
    const { db } = desk.database;
    const count = () =>
      db.audit.count({ where: { action: 'refused', actorId: { not: null }, via: { path: ['account'], equals: 'UFLOOD' } } });
    const flood = (text: string): InboundEvent => {
      const event = slash('nobody', text);
      return { ...event, actor: { ...event.actor, user: 'UFLOOD', affiliation: { kind: 'member' } } };
    };
    await desk.act(slash('ada', 'settings role=none'));
    for (let at = 0; at < 5; at += 1) await desk.act(flood('doctor'));
    expect(await count()).toBe(1);
    const { userId } = await db.identity.findFirstOrThrow({ where: { externalId: 'UFLOOD' } });
    for (let at = 0; at < mostRefusals + 5; at += 1) {
      const line = { workspace: desk.workspace, actor: userId, action: 'refused', subject: userId, data: { action: `do ${at}` } };
      await desk.database.transaction((tx) => recordRefusal(tx, line));
    }
    const lines = await db.audit.findMany({ where: { action: 'refused', actorId: userId }, orderBy: { id: 'asc' } });
    expect(lines).toHaveLength(mostRefusals);
    expect(lines.at(-1)?.data).toMatchObject({ more: 'not written' });
  });

  it('are in what `audit kind=refused` lists, in words', async () => {
    const pages: string[] = [];
    for (let page = 1; page < 12; page += 1) pages.push(await say(slash('ada', `audit kind=refused page=${page}`)));
    const text = pages.join('\n');
    for (const words of [
      'where the request was approved already',
      'count no more: it was used before',
      'was refused with a session: a page elsewhere sent a form',
      'sent a code that is not that of an open invitation',
    ])
      expect(text).toContain(words);
    expect(text).not.toMatch(/did [a-z]+\.[a-z_]+/);
  });
});

it('an edit of one line of the audit is found', async () => {
  const box = createSecretBox([randomBytes(32)]);
  await createChainer({
    database: desk.database,
    wakeups: { subscribe: () => () => undefined },
    clock: systemClock,
    logger: createLogger({ level: 'silent' }),
    secretBox: box,
    keepMs: 1e9,
  }).chain();
  const wrong = async () =>
    (await verifyDatabase(desk.database, { check: box.check })).chains.map(({ workspace, problems }) => ({
      workspace,
      problems,
    }));
  expect((await wrong()).every(({ problems }) => problems === 0)).toBe(true);
  const line = await desk.database.db.audit.findFirstOrThrow({ where: { action: 'approval.refused' } });
  await desk.database.db.audit.update({ where: { id: line.id }, data: { actorId: await userOf('Mia') } });
  expect((await wrong()).filter(({ problems }) => problems > 0)).toEqual([{ workspace: desk.workspace, problems: 1 }]);
});
