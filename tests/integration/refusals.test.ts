import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createChainer } from '../../src/audit/chainer.ts';
import { verifyDatabase } from '../../src/audit/verify-database.ts';
import type { InboundEvent } from '../../src/contracts/inbound.ts';
import { encodePress } from '../../src/contracts/press.ts';
import { systemClock } from '../../src/runtime/clock.ts';
import { newId } from '../../src/runtime/ids.ts';
import { createLogger } from '../../src/runtime/logger.ts';
import { createSecretBox } from '../../src/runtime/secret-box.ts';
import { mostRefusals, recordRefusal } from '../../src/store/audit.ts';
import { accounts, type Desk, mention, press, slash } from '../support/desk.ts';
import { aQuestion, atWork } from '../support/desk-agent.ts';
import { deskPlaces, on } from '../support/desk-platforms.ts';
import { onEach, openRefusals, type Refusal, type RefusalWorld } from '../support/refusals.ts';

let world: RefusalWorld;
let desk: Desk;
let runner: string;

beforeAll(async () => {
  world = await openRefusals();
  ({ desk, runner } = world);
});
afterAll(() => world?.[Symbol.asyncDispose]());

const say = (event: InboundEvent) => world.say(event);
const waiting: RefusalWorld['waiting'] = (command, who) => world.waiting(command, who);
const approve = (secret: string) => encodePress({ kind: 'decide', secret, verb: 'approve' });

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

const table: Refusal[] = [
  ...onEach((platform) => ({
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
  ...onEach((platform) => ({
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
  ...onEach((platform) => ({
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
          workspace: world.foreign,
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
  ...onEach((platform) => ({
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
  ...onEach((platform) => ({
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
      const by = { workspace: desk.workspace, user: await world.userOf('Ada'), name: 'Ada', role: 'owner', identity } as const;
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
    what: 'a yes of somebody without the custom role that the policy names',
    async given() {
      await desk.act(slash('ada', 'role add releaser with=action.approve'));
      await desk.act(slash('ada', 'settings approvers=releaser'));
      await desk.act(slash('ada', `member role <@${accounts.gus}> releaser project=demo`));
      const { id, secret } = await world.waiting();
      await desk.act(slash('ada', 'settings approvers=developer'));
      return {
        async attempt() {
          const said = await say(press('mia', approve(secret)));
          await desk.act(slash('ada', `member remove <@${accounts.gus}> project=demo`));
          return said;
        },
        line: { action: 'approval.refused', actor: 'Mia', subject: id, data: { decision: 'approve', role: 'maintainer' } },
      };
    },
    says: /Mia may not decide this\. Only people with the role releaser can decide: Gus\. DH-202/,
    but: ['memberships'],
  },
  {
    what: 'an answer to an agent by somebody who may only decide',
    async given() {
      await desk.act(slash('ada', 'role add decider with=action.approve-as-maintainer,action.approve'));
      await desk.act(slash('ada', `member role <@${accounts.gus}> decider project=demo`));
      await desk.act(mention('ben', 'run mode=ask fix it'));
      const turn = await atWork(desk, runner);
      await turn.step({ asks: [{ type: 'question', ask: 'q', questions: [aQuestion('base', ['main', 'next'])] }] });
      const { id, secret } = await world.latest();
      return {
        async attempt() {
          const said = await say(press('gus', encodePress({ kind: 'choose', secret, question: 0, option: 1 })));
          await desk.act(slash('ada', `member remove <@${accounts.gus}> project=demo`));
          return said;
        },
        line: { action: 'approval.refused', actor: 'Gus', subject: id, data: { decision: 'answer', role: 'decider' } },
      };
    },
    says: /Gus may not decide this\. Developers, maintainers and owners, and custom roles with `agent\.run`, can decide: Ada, Mia, Ben\. DH-202/,
    but: ['memberships'],
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
          const again = await world.latest();
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
  ...onEach((platform) => ({
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
];

describe('promise 7 and 12', () => {
  it.each(table)('$what is refused with a reason and a line of the audit, and nothing happens', (refusal) =>
    world.isRefused(refusal),
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
    const text = await world.listed();
    for (const words of ['where the request was approved already', 'count no more: it was used before'])
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
  await desk.database.db.audit.update({ where: { id: line.id }, data: { actorId: await world.userOf('Mia') } });
  expect((await wrong()).filter(({ problems }) => problems > 0)).toEqual([{ workspace: desk.workspace, problems: 1 }]);
});
