import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import type { Span, View } from '../../src/contracts/view.ts';
import { putOutbox } from '../../src/store/outbox.ts';
import type { PlatformMessage } from '../support/chat-platform.ts';
import { accounts } from '../support/desk.ts';
import { command, type MirrorWorld, openMirrorWorld, pressOn, say } from '../support/mirror-world.ts';
import { eventually } from '../support/wait-for.ts';

let world: MirrorWorld;
beforeAll(async () => {
  world = await openMirrorWorld();
  await world.channel('telegram', 'GROUP', { project: world.desk.demo.id });
  await world.start();
  await world.desk.act(command('ada', 'settings policy=ask approvers=owner', { chat: 'slack', channel: 'CDEMO' }));
});
afterAll(() => world[Symbol.asyncDispose]());
beforeEach(async () => {
  await world.settled();
  world.clear();
});

/** Ada has not pressed Start. */
function refuseDirect() {
  world.platforms.telegram.fault = (_operation, { channel }) =>
    channel.includes(accounts.ada) ? { kind: 'not_permitted', detail: 'the person has never pressed Start' } : undefined;
}
const here = { chat: 'slack', channel: 'CDEMO' } as const;
const words = 'Deckhand cannot write to you on Telegram: open a chat with Deckhand there and press Start.';
/** What is said in channels of a platform that contains the words of a refusal. */
const said = (chat: 'slack' | 'telegram') => world.platforms[chat].messages.filter((one) => textOf(one).includes(words));
const textOf = (message: PlatformMessage) => message.views.at(-1)?.fallback ?? '';
const spans = (view: View | undefined): Span[] => view?.blocks.flatMap((block) => ('spans' in block ? block.spans : [])) ?? [];
const pinged = (view: View | undefined) =>
  spans(view).flatMap((span) => (span.type === 'person' && span.notify ? [span.user] : []));
const waits = async (text = 'touch x') => {
  await world.desk.act(say('ben', `sh ${text}`, here));
  await eventually(() => expect(world.platforms.slack.messages.some((one) => textOf(one).includes('Approval'))).toBe(true));
  await world.settled();
};
const requests = () => world.platforms.slack.messages.filter((one) => textOf(one).includes('Approval'));

it('promise 4: a request for a decision that cannot be written directly is told once in the thread, with a mention; then the request mentions', async () => {
  await world.desk.act(command('ada', 'settings notify direct on=telegram', here));
  refuseDirect();
  await waits();
  expect(requests().map(({ views }) => pinged(views[0]))).toEqual([[]]);
  await eventually(() => expect(said('slack')).toHaveLength(1));
  const [told] = said('slack');
  expect(told?.thread).toBe(requests()[0]?.thread);
  expect(pinged(told?.views[0])).toEqual([accounts.ada]);

  world.platforms.slack.messages.splice(0);
  await waits('touch y');
  expect(requests().map(({ views }) => pinged(views.at(-1)))).toEqual([[accounts.ada]]);
  expect(said('slack')).toEqual([]);
  const next = await world.desk.act(command('ada', 'tasks', here));
  expect(next.map(({ text }) => text).join()).not.toContain(words);
});

it('the preference says so for as long as it is known, and direct messages begin again once the person has written', async () => {
  const shown = async () => (await world.desk.act(command('ada', 'settings notify', here)))[0]?.text;
  expect(await shown()).toContain(words);
  expect((await world.desk.act(command('ada', 'settings notify direct on=discord', here)))[0]?.text).not.toContain(words);
  expect((await world.desk.act(command('ada', 'settings notify direct on=any', here)))[0]?.text).toContain(words);
  expect((await world.desk.act(command('ada', 'settings notify direct on=telegram', here)))[0]?.text).toContain(words);
  await world.desk.act(say('ada', 'help', { chat: 'telegram' }));
  expect(await shown()).not.toContain(words);
  await world.settled();
  world.clear();
  await waits('touch z');
  await eventually(() => expect(world.platforms.telegram.messages.map(textOf).join()).toContain('Approval'));
  expect(requests().map(({ views }) => pinged(views.at(-1)))).toEqual([[]]);
});

it('what is about no thread is told at the next command of the person, once, wherever that is', async () => {
  refuseDirect();
  const { platform, tenant, user } = { platform: 'telegram', tenant: 'B1', user: accounts.ada } as const;
  await world.desk.database.transaction((tx) =>
    putOutbox(tx, {
      workspace: world.desk.workspace,
      key: 'quiet:test',
      target: { type: 'conversation', conversation: { platform, tenant, channel: user, kind: 'direct' } },
      payload: {
        type: 'direct',
        user: { platform, tenant, user },
        view: {
          fallback: 'while it was quiet',
          blocks: [{ type: 'text', spans: [{ type: 'text', text: 'while it was quiet' }] }],
        },
      },
      priority: 0,
    }),
  );
  await eventually(async () =>
    expect(await world.desk.database.db.outbox.findFirst({ where: { key: 'quiet:test' } })).toMatchObject({ state: 'failed' }),
  );
  const next = await world.desk.act(command('ada', 'tasks', here));
  expect(next.filter(({ text }) => text.includes(words))).toMatchObject([{ only: accounts.ada }]);
  expect((await world.desk.act(command('ada', 'tasks', here))).map(({ text }) => text).join()).not.toContain(words);
  expect((await world.desk.act(command('ben', 'tasks', here))).map(({ text }) => text).join()).not.toContain(words);
});

it('an answer for one person that could be given neither here nor directly is known too', async () => {
  await world.desk.act(say('ada', 'help', { chat: 'telegram' }));
  await world.settled();
  refuseDirect();
  const fault = world.platforms.telegram.fault;
  world.platforms.telegram.fault = (operation, detail) =>
    operation === 'ephemeral' ? { kind: 'not_permitted', detail: 'only presses' } : fault(operation, detail);
  await world.desk.act(say('ada', 'settings notify', { chat: 'telegram', channel: 'GROUP' }));
  await eventually(() => expect(world.platforms.telegram.messages.map(textOf).join()).toContain('the answer is for you alone'));
  await world.settled();
  const [answer] = await world.desk.act(command('ada', 'settings notify', here));
  expect(answer?.text).toContain(words);
});

it('a direct message that was deleted says nothing about the next one', async () => {
  await world.desk.act(say('ada', 'settings notify direct on=telegram', { chat: 'telegram' }));
  await waits('touch deleted');
  await eventually(() => expect(world.platforms.telegram.messages.map(textOf).join()).toContain('Approval'));
  world.platforms.telegram.fault = (operation) =>
    operation === 'edit' ? { kind: 'gone', detail: 'message to edit not found' } : undefined;
  await world.desk.act(pressOn('ada', 'slack', requests().at(-1), 'Deny'));
  await eventually(() => expect(world.platforms.telegram.messages.map(textOf).join()).toMatch(/denied/i));
  await world.settled();
  expect(await world.desk.database.db.identity.count({ where: { directRefusedAt: { not: null } } })).toBe(0);
});
