import { afterEach, describe, expect, it } from 'vitest';
import type { InboundEvent } from '../../src/contracts/inbound.ts';
import {
  createLeases,
  startTelegram,
  type TelegramOptions,
  type TelegramSetup,
  telegramModes,
  webhookSecret,
} from '../support/telegram-adapter.ts';
import { eventually, waitFor } from '../support/wait-for.ts';

/** How updates reach the adapter when something is in the way. */

let running: TelegramSetup | undefined;

afterEach(async () => {
  const errors = running?.telegram.controls.errors ?? [];
  await running?.[Symbol.asyncDispose]();
  running = undefined;
  expect(errors).toEqual([]);
});

async function start(options: TelegramOptions): Promise<TelegramSetup> {
  running = await startTelegram(options);
  return running;
}

const texts = (events: readonly InboundEvent[]) => events.flatMap((event) => (event.type === 'message' ? [event.text] : []));

describe('polling', () => {
  it('promise 8: what was fetched and not stored by one process is stored by the next', async () => {
    const leases = createLeases();
    const { telegram, adapter, another, inbox } = await start({ mode: 'polling', acquireLease: leases.acquire });
    inbox.fail(Number.POSITIVE_INFINITY);
    telegram.person('ada').dm('never lost');
    await waitFor('the first process to fail', () => inbox.offered.length > 0);
    await adapter.stop();
    expect(telegram.core.updates.pending()).toHaveLength(1);
    inbox.fail(0);
    await another(leases.acquire).start(inbox.sink);
    await eventually(() => expect(texts(inbox.events)).toEqual(['never lost']));
  });

  it('is done by the holder of the right alone; the next goes on when the right is lost, without loss or doubling', async () => {
    const leases = createLeases();
    const { telegram, adapter, another, inbox } = await start({ mode: 'polling', acquireLease: leases.acquire });
    const second = another(leases.acquire);
    await second.start(inbox.sink);
    const ada = telegram.person('ada');
    ada.dm('one');
    await eventually(() => expect(texts(inbox.events)).toEqual(['one']));
    expect(leases.holders).toEqual([`telegram:${telegram.botId}`]);
    expect(await second.health()).toMatchObject({ ok: true, detail: expect.stringContaining('another process') });

    leases.take();
    ada.dm('two');
    await eventually(() => expect(texts(inbox.events)).toEqual(['one', 'two']));
    await adapter.stop();
    ada.dm('three');
    await eventually(() => expect(texts(inbox.events)).toEqual(['one', 'two', 'three']));
    const conflicts = telegram.callsOf('getUpdates').filter(({ status }) => status === 409);
    expect(conflicts).toEqual([]);
  });

  it('waits as long as Telegram says when it is told to', async () => {
    const { telegram, inbox } = await start({ mode: 'polling', started: false });
    telegram.controls.failNext('getUpdates', { status: 429, retryAfter: 1 });
    await running?.adapter.start(inbox.sink);
    await waitFor('the refusal', () => telegram.callsOf('getUpdates').length === 1);
    const since = performance.now();
    telegram.person('ada').dm('after the wait');
    await eventually(() => expect(texts(inbox.events)).toEqual(['after the wait']));
    expect(performance.now() - since).toBeGreaterThan(800);
    expect(telegram.callsOf('getUpdates').length).toBeLessThan(4);
  });

  it('takes the webhook of an earlier configuration away, and keeps what waits there', async () => {
    const { telegram, inbox, adapter } = await start({ mode: 'polling', started: false });
    const profile = telegram.core.state.profile();
    telegram.core.state.putProfile({ ...profile, webhook: { url: 'https://old.example/hook', max_connections: 40 } });
    telegram.person('ada').dm('sent to the old address');
    await adapter.start(inbox.sink);
    await eventually(() => expect(texts(inbox.events)).toEqual(['sent to the old address']));
    expect(telegram.callsOf('deleteWebhook')).toHaveLength(1);
  });

  it('health says when another program polls with the same token', async () => {
    const { telegram, adapter } = await start({ mode: 'polling' });
    telegram.controls.failNext('getUpdates', {
      status: 409,
      error: 'Conflict: terminated by other getUpdates request',
      times: 50,
    });
    telegram.core.updates.endPoll('terminated by other getUpdates request; make sure that only one bot instance is running');
    await eventually(async () =>
      expect(await adapter.health()).toMatchObject({ ok: false, remedy: expect.stringContaining('other program') }),
    );
  });
});

describe('the webhook', () => {
  const post = (url: string, body: string, secret: string | undefined) =>
    fetch(url, { method: 'POST', body, headers: secret === undefined ? {} : { 'x-telegram-bot-api-secret-token': secret } });
  const update = JSON.stringify({
    update_id: 1,
    message: {
      message_id: 5,
      date: 1_790_000_000,
      chat: { id: 700_000_001, type: 'private', first_name: 'Eve' },
      from: { id: 700_000_001, is_bot: false, first_name: 'Eve' },
      text: 'sh rm -rf /',
    },
  });

  it('takes nothing without the secret, and nothing that is no update', async () => {
    const { requestUrl, inbox } = await start({ mode: 'webhook' });
    for (const secret of [undefined, '', 'wrong', `${webhookSecret} `.repeat(2), webhookSecret.slice(0, -1)]) {
      expect((await post(requestUrl, update, secret)).status).toBe(401);
    }
    expect((await post(requestUrl, '{', webhookSecret)).status).toBe(400);
    expect((await post(requestUrl, ' '.repeat(2 * 1024 * 1024 + 1), webhookSecret)).status).toBe(413);
    expect(inbox.offered).toEqual([]);
    expect((await post(requestUrl, update, webhookSecret)).status).toBe(200);
    expect(texts(inbox.events)).toEqual(['sh rm -rf /']);
  });

  it('says no before the adapter runs and after it has stopped, so that Telegram keeps the update', async () => {
    const { requestUrl, adapter, inbox } = await start({ mode: 'webhook', started: false });
    expect((await post(requestUrl, update, webhookSecret)).status).toBe(503);
    await adapter.start(inbox.sink);
    expect((await post(requestUrl, update, webhookSecret)).status).toBe(200);
    await adapter.stop();
    expect((await post(requestUrl, update, webhookSecret)).status).toBe(503);
    expect(inbox.events).toHaveLength(1);
  });

  it('promise 2: takes an update that is delivered again once', async () => {
    const { telegram, inbox, settled } = await start({ mode: 'webhook' });
    telegram.person('ada').dm('once');
    await settled();
    const id = telegram.deliveries[0]?.update_id ?? 0;
    await telegram.controls.redeliver(id);
    expect(inbox.offered).toHaveLength(2);
    expect(texts(inbox.events)).toEqual(['once']);
  });
});

describe.each(telegramModes)('over %s', (mode) => {
  it('an update that can never be stored is left out when others could be, and its press is answered', async () => {
    const { telegram, adapter, inbox, chat, settled } = await start({ mode, started: false });
    const { sink } = inbox;
    await adapter.start(async (events) => {
      if (events.some((event) => event.type === 'press')) throw new Error('this one is impossible');
      return sink(events);
    });
    const view = {
      fallback: 'x',
      blocks: [{ type: 'buttons' as const, buttons: [{ token: 'c:x', label: 'Go', style: 'default' as const }] }],
    };
    const card = await adapter.send(chat('demo'), view, 'k');
    const pressed = telegram.person('ada').press({ chat: Number(card.channel), id: Number(card.message) }, 'Go');
    telegram.person('ben').dm('somebody else');
    telegram.person('ada').dm('and the presser, elsewhere');
    expect(await pressed).toEqual({ shown: 'none', text: '' });
    await settled();
    expect(texts(inbox.events).toSorted()).toEqual(['and the presser, elsewhere', 'somebody else']);
    expect(running?.log.join('')).toContain('cannot be stored is left out');
  }, 20_000);

  it('a press that means nothing is answered too', async () => {
    const { telegram, inbox, settled } = await start({ mode });
    const { core } = telegram;
    const ada = telegram.person('ada');
    const said = ada.say('ops', 'hello');
    // A button of an earlier life of the bot, whose data nothing reads today.
    const message = core.state.message(said.chat, said.id);
    if (message === undefined) throw new Error('the message is not there');
    core.state.putMessage({ ...message, from: telegram.botId, keyboard: [[{ text: 'Old', callback_data: '~9:gone' }]] });
    expect(await ada.press(said, 'Old')).toEqual({ shown: 'none', text: '' });
    await settled();
    expect(inbox.events).toEqual([]);
  });
});

it('files of an album are one message with all of them, its words with the first', async () => {
  const { telegram, inbox, adapter, settled } = await start({ mode: 'polling', started: false });
  telegram.person('ada').sendAlbum('dm', [
    { name: 'a.log', content: 'one', caption: 'look at these' },
    { name: 'b.log', content: 'three' },
  ]);
  await adapter.start(inbox.sink);
  await settled();
  expect(inbox.events).toMatchObject([
    {
      type: 'message',
      text: 'look at these',
      attachments: [
        { name: 'a.log', bytes: 3 },
        { name: 'b.log', bytes: 5 },
      ],
    },
  ]);
});

it.each(telegramModes)('%s: files of an album that arrive one by one name the message they belong to', async (mode) => {
  const { telegram, inbox, chat, settled } = await start({ mode });
  const ada = telegram.person('ada');
  const files = [
    { name: 'b.log', content: 'three' },
    { name: 'c.log', content: 'sixsix' },
  ];
  const caption = `@${telegram.botUsername} look at these`;
  const [first] = ada.sendAlbum('demo', [{ name: 'a.log', content: 'one', caption }, ...files]);
  await settled();
  ada.sendAlbum('demo', files);
  await settled();
  const said = inbox.events.filter((event) => event.type === 'message');
  expect(said[0]).toMatchObject({ message: String(first?.id), addressed: 'mention', text: 'look at these' });
  expect(said[0]).not.toHaveProperty('partOf');
  for (const part of said.slice(1)) {
    expect(part).toMatchObject({ partOf: String(first?.id), addressed: 'mention', text: '', conversation: chat('demo') });
  }
  expect(said.flatMap(({ attachments }) => attachments.map(({ name }) => name))).toEqual(['a.log', 'b.log', 'c.log']);
  expect(mode === 'polling' || said.length === 3).toBe(true);
});
