import { afterEach, describe, expect, it } from 'vitest';
import type { InboundEvent } from '../../src/contracts/inbound.ts';
import type { View } from '../../src/contracts/view.ts';
import {
  createLeases,
  startTelegram,
  type TelegramOptions,
  type TelegramSetup,
  telegramModes,
} from '../support/telegram-adapter.ts';
import { eventually, waitFor } from '../support/wait-for.ts';

let running: TelegramSetup | undefined;

afterEach(async () => {
  const errors = running?.telegram.controls.errors ?? [];
  const log = running?.log.join('') ?? '';
  const token = running?.telegram.token ?? 'never';
  await running?.[Symbol.asyncDispose]();
  running = undefined;
  expect(errors).toEqual([]);
  expect(log).not.toContain(token);
  expect(log).not.toContain('a-secret_OF-the-webhook');
});

async function start(options: TelegramOptions): Promise<TelegramSetup> {
  running = await startTelegram(options);
  return running;
}

function ofType<T extends InboundEvent['type']>(setup: TelegramSetup, type: T): Extract<InboundEvent, { type: T }>[] {
  return setup.inbox.events.filter((event): event is Extract<InboundEvent, { type: T }> => event.type === type);
}

const said = (words: string): View => ({ fallback: words, blocks: [{ type: 'text', spans: [{ type: 'text', text: words }] }] });

describe.each(telegramModes)('the Telegram adapter over %s', (mode) => {
  it('takes commands, a mention, a reply and a direct message with who said it', async () => {
    const setup = await start({ mode });
    const { telegram, inbox } = setup;
    const ada = telegram.person('ada');
    ada.say('demo', '/sh npm test');
    ada.say('demo', `/project_add@${telegram.botUsername} web https://example.com/w.git`);
    const asked = ada.mention('demo', 'fix the login & the <b>');
    telegram.person('ben').reply(asked, 'now https://example.com/x?a=1&b=2');
    // Only within one chat are updates delivered one after another.
    await setup.settled();
    ada.start('claim_ABCD-EFGH');
    await setup.settled();
    const conversation = setup.chat('demo');
    expect(ofType(setup, 'command')).toMatchObject([
      {
        text: 'sh npm test',
        conversation,
        channelName: 'Demo',
        actor: { user: String(ada.id), name: 'Ada Lovelace', bot: false },
      },
      { text: 'project add web https://example.com/w.git', conversation },
      { text: 'claim ABCD-EFGH', conversation: { channel: String(ada.id), kind: 'direct' } },
    ]);
    expect(ofType(setup, 'message')).toMatchObject([
      { addressed: 'mention', text: 'fix the login & the <b>', conversation, message: String(asked.id) },
      { addressed: 'thread', text: 'now https://example.com/x?a=1&b=2', replyTo: String(asked.id), actor: { name: 'Ben Ortiz' } },
    ]);
    expect(new Set(inbox.offered).size).toBe(inbox.events.length);
  });

  it('promise 1: confirms an update only after it is stored', async () => {
    const setup = await start({ mode });
    const held = setup.inbox.hold();
    setup.telegram.person('ada').dm('sh make');
    await waitFor('the event to be offered', () => setup.inbox.offered.length === 1);
    expect(setup.telegram.core.updates.pending()).toHaveLength(1);
    held.release();
    await setup.settled();
    expect(setup.inbox.events).toMatchObject([{ text: 'sh make' }]);
  });

  it('promise 1: a message that cannot be stored comes again until it is, before what follows it', async () => {
    const setup = await start({ mode });
    setup.inbox.fail(4);
    const ada = setup.telegram.person('ada');
    ada.dm('first');
    ada.dm('second');
    await setup.settled();
    expect(ofType(setup, 'message').map(({ text }) => text)).toEqual(['first', 'second']);
  });

  it('promise 3: keeps the order in which one chat spoke', async () => {
    const setup = await start({ mode });
    const texts = Array.from({ length: 30 }, (_, at) => `message ${at}`);
    for (const text of texts) setup.telegram.person('ada').dm(text);
    await setup.settled();
    expect(ofType(setup, 'message').map(({ text }) => text)).toEqual(texts);
  });

  it('hears what privacy mode lets through, and leaves talk alone where it hears everything', async () => {
    const setup = await start({ mode });
    const ben = setup.telegram.person('ben');
    ben.say('ops', 'lunch?');
    ben.say('demo', 'lunch?');
    ben.mention('ops', 'tasks');
    const card = await setup.adapter.send(setup.chat('ops'), said('card'), 'k');
    ben.reply({ chat: Number(card.channel), id: Number(card.message) }, 'now the linter');
    await setup.settled();
    expect(ofType(setup, 'message')).toMatchObject([
      { addressed: 'mention', text: 'tasks' },
      { addressed: 'thread', text: 'now the linter', replyTo: card.message },
    ]);
    expect(setup.inbox.events).toHaveLength(2);
  });

  it('follows edits of messages that were meant for it', async () => {
    const setup = await start({ mode });
    const ada = setup.telegram.person('ada');
    const asked = ada.mention('demo', 'sh sleep 60');
    const talk = ada.say('demo', 'lunch?');
    await setup.settled();
    ada.edit(asked, `@${setup.telegram.botUsername} sh sleep 5`);
    ada.edit(talk, 'lunch!');
    await setup.settled();
    expect(setup.inbox.events.slice(1)).toMatchObject([
      { type: 'message_edited', message: String(asked.id), text: 'sh sleep 5', actor: { user: String(ada.id) } },
    ]);
  });

  it('promise 2: tells once that a group became a supergroup, though both chats say so', async () => {
    const setup = await start({ mode });
    const before = setup.chat('demo').channel;
    const after = setup.telegram.person('ada').migrate('demo');
    await setup.settled();
    expect(ofType(setup, 'channel_moved')).toMatchObject([{ conversation: { channel: before }, to: String(after.id) }]);
    expect(setup.inbox.offered.filter((key) => key.startsWith('move:'))).toHaveLength(2);
    const told = await setup.adapter
      .send({ ...setup.chat('forum'), channel: before }, said('x'), 'k')
      .catch((error) => error.failure);
    expect(told).toMatchObject({ kind: 'moved', channel: String(after.id) });
  });

  it('takes a file in a direct conversation, and leaves files alone that nobody gave it', async () => {
    const setup = await start({ mode });
    const ada = setup.telegram.person('ada');
    ada.sendFile('dm', 'run.log', 'one', { caption: 'look at this' });
    ada.sendFile('demo', 'ignored.log', 'one');
    await setup.settled();
    expect(ofType(setup, 'message')).toMatchObject([
      { text: 'look at this', addressed: 'direct', attachments: [{ name: 'run.log', bytes: 3 }] },
    ]);
  });

  it('answers presses: with an alert when there is something short to say, silently else', async () => {
    const setup = await start({ mode });
    const { telegram, adapter } = setup;
    const ada = telegram.person('ada');
    const card = await adapter.send(
      setup.chat('demo'),
      { fallback: 'x', blocks: [{ type: 'buttons', buttons: [{ token: 't:tsk_1:stop', label: 'Stop', style: 'danger' }] }] },
      'k',
    );
    const target = { chat: Number(card.channel), id: Number(card.message) };
    const silent = ada.press(target, 'Stop');
    await waitFor('the press', () => ofType(setup, 'press').length === 1);
    expect(await silent).toEqual({ shown: 'none', text: '' });

    const alerted = ada.press(target, 'Stop');
    await waitFor('the press', () => ofType(setup, 'press').length === 2);
    await adapter.ephemeral(setup.chat('demo'), setup.identity('ada'), said('not @ben_lab'), ofType(setup, 'press')[1]?.reply);
    expect(await alerted).toEqual({ shown: 'alert', text: 'not @ben_lab' });

    const long = ada.press(target, 'Stop');
    await waitFor('the press', () => ofType(setup, 'press').length === 3);
    const refused = adapter.ephemeral(
      setup.chat('demo'),
      setup.identity('ada'),
      said('y'.repeat(201)),
      ofType(setup, 'press')[2]?.reply,
    );
    await expect(refused).rejects.toMatchObject({ failure: { kind: 'not_permitted' } });
    expect(await long).toEqual({ shown: 'none', text: '' });
  }, 20_000);

  it('puts its commands into the menus, once', async () => {
    const setup = await start({ mode });
    const ada = setup.telegram.person('ada');
    expect(ada.commands('dm').map(({ command }) => command)).toEqual(['help', 'sh', 'stop', 'tasks', 'project_add', 'claim']);
    expect(ada.commands('demo').map(({ command }) => command)).toContain('bind');
    expect(setup.telegram.callsOf('setMyCommands')).toHaveLength(2);
    await setup.adapter.stop();
    const next = setup.another(createLeases().acquire);
    await next.start(setup.inbox.sink);
    expect(setup.telegram.callsOf('setMyCommands')).toHaveLength(2);
  });

  it('knows its bot after the start and is healthy', async () => {
    const setup = await start({ mode });
    const tenant = String(setup.telegram.botId);
    expect(setup.adapter.tenants()).toEqual([{ tenant, name: 'Deckhand', botUser: tenant }]);
    await eventually(async () =>
      expect(await setup.adapter.health()).toMatchObject({ ok: true, detail: expect.stringContaining('@deckhand_lab_bot') }),
    );
  });

  it('refuses to start with a token that Telegram refuses, and says what to do', async () => {
    const setup = await start({ mode, started: false });
    setup.telegram.controls.failNext('getMe', { status: 401, error: 'Unauthorized', times: 2 });
    await expect(setup.adapter.start(setup.inbox.sink)).rejects.toMatchObject({ failure: { kind: 'not_permitted' } });
    expect(await setup.adapter.health()).toMatchObject({ ok: false, remedy: expect.stringContaining('TELEGRAM_BOT_TOKEN') });
  });

  it('gives up a start in which Telegram was not reached in time, and can start again', async () => {
    const setup = await start({ mode, started: false, startWithinMs: 300 });
    setup.telegram.controls.failNext('getMe', { status: 502 });
    await expect(setup.adapter.start(setup.inbox.sink)).rejects.toMatchObject({ failure: { kind: 'unreachable' } });
    await setup.adapter.start(setup.inbox.sink);
    setup.telegram.person('ada').dm('tasks');
    await setup.settled();
    expect(setup.inbox.events).toHaveLength(1);
  });

  it('finishes what is in flight before it has stopped, and may be stopped twice', async () => {
    const setup = await start({ mode });
    const held = setup.inbox.hold();
    setup.telegram.person('ada').dm('tasks');
    await waitFor('the event to be offered', () => setup.inbox.offered.length === 1);
    const stopped = setup.adapter.stop();
    held.release();
    await stopped;
    await setup.adapter.stop();
    expect(setup.inbox.events).toHaveLength(1);
    expect(setup.telegram.core.updates.isPolled()).toBe(false);
  });
});

// What these wait for does not depend on how updates come.
describe('the Telegram adapter', () => {
  it('says that an answer comes too late, or that there is no press to answer', async () => {
    const setup = await start({ mode: 'webhook' });
    const to = [setup.chat('demo'), setup.identity('ada'), said('x')] as const;
    const card = await setup.adapter.send(
      setup.chat('demo'),
      { fallback: 'x', blocks: [{ type: 'buttons', buttons: [{ token: 'c:x', label: 'Go', style: 'default' }] }] },
      'k',
    );
    await setup.telegram.person('ada').press({ chat: Number(card.channel), id: Number(card.message) }, 'Go');
    const [press] = ofType(setup, 'press');
    for (const reply of [press?.reply, 'never sealed', undefined]) {
      await expect(setup.adapter.ephemeral(...to, reply)).rejects.toMatchObject({ failure: { kind: 'not_permitted' } });
    }
    expect(setup.telegram.callsOf('answerCallbackQuery')).toHaveLength(1);
  }, 20_000);

  it('deletes messages of people as an administrator who may, and in private chats; else it says what it lacks', async () => {
    const setup = await start({ mode: 'polling' });
    const ada = setup.telegram.person('ada');
    const said = (chat: string) => ada.say(chat, '/sh a key');
    const places = [setup.chat('demo'), setup.chat('ops')] as const;
    const [admin, member] = [said('demo'), said('ops')];
    const ref = (place: (typeof places)[number], message: { id: number }) => ({ ...place, message: String(message.id) });
    await setup.adapter.remove?.(ref(places[0], admin));
    const own = ada.start('x');
    const direct = { ...places[0], kind: 'direct' as const, channel: String(ada.id) };
    await setup.adapter.remove?.(ref(direct, own));
    await expect(setup.adapter.remove?.(ref(places[0], admin))).rejects.toMatchObject({ failure: { kind: 'gone' } });
    const refusal = { kind: 'not_permitted', detail: expect.stringContaining('administrator who may delete messages') };
    await expect(setup.adapter.remove?.(ref(places[1], member))).rejects.toMatchObject({ failure: refusal });
    await setup.settled();
    const [command] = ofType(setup, 'command').filter(({ text }) => text === 'sh a key');
    expect(command?.message).toBe(String(admin.id));
  });

  it('health tells that Telegram does not answer, within its three seconds', async () => {
    const setup = await start({ mode: 'webhook' });
    const held = setup.telegram.controls.hold('getMe');
    const since = performance.now();
    expect(await setup.adapter.health()).toMatchObject({ ok: false, detail: expect.stringContaining('does not answer') });
    expect(performance.now() - since).toBeLessThan(3000);
    held.release();
  });
});
