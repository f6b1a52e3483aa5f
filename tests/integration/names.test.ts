import { afterEach, beforeEach, expect, it } from 'vitest';
import { makeConfiguredOwners } from '../../src/access/owners.ts';
import { DeliveryError, type DeliveryFailure } from '../../src/contracts/chat-adapter.ts';
import type { IdentityRef } from '../../src/contracts/platform.ts';
import { createNames } from '../../src/names.ts';
import { createLogger } from '../../src/runtime/logger.ts';
import { TestPlatform } from '../support/chat-platform.ts';
import { type Desk, openDesk, slash } from '../support/desk.ts';
import { eventually } from '../support/wait-for.ts';

let desk: Desk;
const cleanUp: (() => Promise<void>)[] = [];
beforeEach(async () => {
  desk = await openDesk();
});
afterEach(async () => {
  for (const act of cleanUp.splice(0)) await act();
  await desk[Symbol.asyncDispose]();
});

/** A platform that calls people what `answers` says, once after the other; the last one stays. */
async function start(answers: (string | undefined | DeliveryFailure)[]) {
  const asked: IdentityRef[] = [];
  let now = new Date('2026-11-21T10:00:00.000Z');
  const adapter = {
    ...new TestPlatform().adapter(),
    tenants: () => [{ tenant: 'T1', name: 'Acme', botUser: 'UBOT' }],
    async nameOf(user: IdentityRef) {
      const answer = answers[Math.min(asked.length, answers.length - 1)];
      asked.push(user);
      if (typeof answer === 'object') throw new DeliveryError(answer);
      return answer;
    },
  };
  const names = createNames({
    database: desk.database,
    adapters: [adapter],
    clock: { now: () => now },
    logger: createLogger({ level: 'silent' }),
  });
  names.start();
  cleanUp.push(() => names.stop());
  return {
    asked,
    later(minutes: number) {
      now = new Date(now.getTime() + minutes * 60_000);
      names.wake();
    },
  };
}

const who = () => desk.act(slash('ada', 'who')).then(([said]) => said?.text ?? '');
const owner = { platform: 'slack', tenant: 'T1', user: 'UZOE' } as const;
const configure = () => desk.database.transaction((tx) => makeConfiguredOwners(tx, [owner], [owner]));

it('an owner by configuration who never wrote is called as the platform does, and until then by a name that says what it is', async () => {
  await configure();
  const refused = () => desk.act(slash('gus', 'project add x https://example.com/x.git')).then(([said]) => said?.text);
  expect(await refused()).toContain('Slack account UZOE');
  expect(await who()).toContain('Slack account UZOE');
  const { asked } = await start(['Zoe']);
  await eventually(async () => expect(await who()).toContain('Zoe'));
  expect(await who()).not.toContain('UZOE');
  expect(await refused()).toContain('Zoe');
  expect(asked).toEqual([owner]);
});

it('a platform that does not tell is asked again later, sooner when it could not be reached', async () => {
  await configure();
  const { asked, later } = await start([{ kind: 'unreachable', detail: 'not now' }, undefined, 'Zoe']);
  await eventually(() => expect(asked).toHaveLength(1));
  later(1);
  later(5);
  await eventually(() => expect(asked).toHaveLength(2));
  later(60);
  later(301);
  await eventually(async () => expect(await who()).toContain('Zoe'));
  expect(asked).toHaveLength(3);
});

it('people whose name is known are not asked about, nor those of another tenant', async () => {
  await desk.database.db.tenant.create({
    data: { platform: 'slack', tenant: 'T2', workspaceId: desk.workspace, name: 'Other', botUser: 'UBOT' },
  });
  const other = { ...owner, tenant: 'T2' };
  await desk.database.transaction((tx) => makeConfiguredOwners(tx, [owner, other], [owner, other]));
  const { asked, later } = await start(['Zoe']);
  await eventually(async () => expect(await who()).toContain('Zoe'));
  later(24 * 60);
  await eventually(async () => expect(await who()).toContain('Slack account UZOE'));
  expect(asked).toEqual([owner]);
});

it('somebody whose name is not known can be named by the id of the account, or as lists call them', async () => {
  await desk.act(slash('nobody', 'help'));
  const add = (name: string, role: string) => desk.act(slash('ada', `member role ${name} ${role}`)).then(([said]) => said?.text);
  expect(await add('UNOBODY', 'guest')).toContain('Slack account UNOBODY is a guest now');
  expect(await add('"Slack account UNOBODY"', 'developer')).toContain('Slack account UNOBODY is a developer now');
});
