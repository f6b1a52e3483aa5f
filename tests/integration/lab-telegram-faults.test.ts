import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { botOf, startTelegram } from '../support/telegram-bot.ts';

const DEMO = -4_000_001;
const FORUM = -1_001_000_000_003;
const send = { chat_id: DEMO, text: 'x' };

describe('rate limiting', () => {
  test('answers 429 with retry_after after a burst in one chat, while others go on', async () => {
    const now = 1_795_000_000_000;
    const telegram = await startTelegram({ rateLimiting: true, now: () => now });
    const bot = botOf(telegram);
    for (let n = 0; n < 3; n += 1) await bot.did('sendMessage', send);
    expect(await bot.call('sendMessage', send)).toMatchObject({
      status: 429,
      description: 'Too Many Requests: retry after 1',
      parameters: { retry_after: 1 },
    });
    await bot.did('sendMessage', { ...send, chat_id: FORUM });
    expect(telegram.overLimit()).toEqual([]);
  });

  test('allows a group 20 messages a minute, edits included', async () => {
    let now = 1_795_000_000_000;
    const telegram = await startTelegram({ rateLimiting: true, now: () => now });
    const bot = botOf(telegram);
    const { message_id } = await bot.did('sendMessage', send);
    for (let n = 1; n < 20; n += 1) {
      now += 1_000;
      await bot.did('editMessageText', { chat_id: DEMO, message_id, text: `${n}` });
    }
    now += 1_000;
    expect((await bot.call('sendMessage', send)).parameters).toEqual({ retry_after: 39 });
    now += 39_000;
    await bot.did('sendMessage', send);
  });

  test('when off refuses nothing, and still says which calls were too many', async () => {
    const telegram = await startTelegram({ now: () => 1_795_000_000_000 });
    const bot = botOf(telegram);
    for (let n = 0; n < 5; n += 1) await bot.did('sendMessage', { ...send, text: `${n}` });
    expect(telegram.overLimit().map(({ args }) => args.text)).toEqual(['3', '4']);
  });
});

describe('faults', () => {
  test('answer what they are told, cut the connection before or after the effect, and hold a call', async () => {
    const telegram = await startTelegram();
    const bot = botOf(telegram);
    const texts = () =>
      telegram
        .person('ada')
        .messages('demo')
        .map(({ text }) => text);
    telegram.controls.failNext('sendMessage', { status: 502 });
    expect(await bot.call('sendMessage', send)).toMatchObject({ status: 502, description: 'Internal Server Error' });
    telegram.controls.failNext('*', { status: 429, retryAfter: 7 });
    expect((await bot.call('sendMessage', send)).parameters).toEqual({ retry_after: 7 });
    telegram.controls.failNext('sendMessage', { dropConnectionBeforeEffect: true });
    await expect(bot.call('sendMessage', { ...send, text: 'before' })).rejects.toThrow();
    telegram.controls.failNext('sendMessage', { dropConnectionAfterEffect: true });
    await expect(bot.call('sendMessage', { ...send, text: 'after' })).rejects.toThrow();
    expect(texts()).toEqual(['after']);
    const held = telegram.controls.hold('sendMessage');
    const sending = bot.did('sendMessage', { ...send, text: 'held' });
    expect((await held.reached).args.text).toBe('held');
    expect(texts()).toEqual(['after']);
    held.release();
    await sending;
    expect(texts()).toEqual(['after', 'held']);
  });

  test('are forgotten on reset, with messages and updates, while ids count on', async () => {
    const telegram = await startTelegram();
    const bot = botOf(telegram);
    const before = telegram.person('ada').say('demo', 'x');
    telegram.controls.failNext('*', { status: 500 });
    telegram.reset();
    expect((await bot.call('getUpdates')).result).toEqual([]);
    expect(telegram.person('ada').say('demo', 'y').id).toBeGreaterThan(before.id);
  });

  test('a wait that runs out says what was there instead', async () => {
    const telegram = await startTelegram();
    await botOf(telegram).did('sendMessage', { ...send, text: 'something else' });
    const waiting = telegram.person('ada').waitForMessage('this', { timeoutMs: 10 });
    await expect(waiting).rejects.toThrow(/fits "this"; the last ones are\n.*something else/);
  });
});

describe('persistence', () => {
  test('keeps chats, messages, topics, files, commands, webhook and unconfirmed updates', async () => {
    const directory = mkdtempSync(join(tmpdir(), 'lab-telegram-'));
    onTestFinished(() => rmSync(directory, { recursive: true, force: true }));
    const before = await startTelegram({ persistPath: directory, token: '800000001:fixed' });
    const bot = botOf(before);
    const ada = before.person('ada');
    ada.start();
    const topic = ada.createTopic('forum', 'Kept');
    await bot.did('setMyCommands', { commands: [{ command: 'sh', description: 'Run' }] });
    const document = new File(['+1'], 'a.patch');
    const sent = await bot.did('sendDocument', { chat_id: ada.id }, { document });
    const waiting = (await bot.call('getUpdates')).result;
    await before.close();

    const after = await startTelegram({ persistPath: directory, token: '800000001:fixed' });
    const again = botOf(after);
    expect((await again.call('getUpdates')).result).toEqual(waiting);
    expect(after.person('ada').commands('dm')).toEqual([{ command: 'sh', description: 'Run' }]);
    await again.did('sendMessage', { chat_id: FORUM, message_thread_id: topic.id, text: 'on' });
    const next = await again.did('sendMessage', { chat_id: ada.id, text: 'on' });
    expect(Number(next.message_id)).toBeGreaterThan(Number(sent.message_id));
    const { file_path } = await again.did('getFile', { file_id: Object(sent.document).file_id });
    expect(await (await fetch(`${after.apiRoot}/file/bot${after.token}/${file_path}`)).text()).toBe('+1');
  });
});
