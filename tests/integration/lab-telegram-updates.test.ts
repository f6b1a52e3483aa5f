import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, expect, onTestFinished, test } from 'vitest';
import { personById } from '../../lab/telegram/people.ts';
import { press } from '../../lab/telegram/presses.ts';
import { botOf, startTelegram } from '../support/telegram-bot.ts';
import { waitFor } from '../support/wait-for.ts';

const OTHER = 'Conflict: terminated by other getUpdates request; make sure that only one bot instance is running';

describe('getUpdates', () => {
  test('hands out the same updates until a higher offset confirms them', async () => {
    const telegram = await startTelegram();
    const bot = botOf(telegram);
    const ada = telegram.person('ada');
    ada.say('demo', 'one');
    ada.say('demo', 'two');
    const first = await bot.call('getUpdates');
    expect(first.result).toMatchObject([{ message: { text: 'one' } }, { message: { text: 'two' } }]);
    expect((await bot.call('getUpdates')).result).toEqual(first.result);
    const [, second] = Array.isArray(first.result) ? first.result : [];
    expect((await bot.call('getUpdates', { offset: second.update_id })).result).toEqual([second]);
    expect((await bot.call('getUpdates', { offset: second.update_id + 1 })).result).toEqual([]);
    expect((await bot.call('getUpdates')).result).toEqual([]);
  });

  test('with a negative offset keeps so many from the end and forgets the rest', async () => {
    const telegram = await startTelegram();
    for (const text of ['one', 'two', 'three']) telegram.person('ada').say('demo', text);
    const bot = botOf(telegram);
    expect((await bot.call('getUpdates', { offset: -1 })).result).toMatchObject([{ message: { text: 'three' } }]);
    expect((await bot.call('getUpdates', { limit: 100 })).result).toHaveLength(1);
  });

  test('gives at most `limit`, and takes a limit out of range as the nearest one in it', async () => {
    const telegram = await startTelegram();
    const ada = telegram.person('ada');
    for (let n = 0; n < 3; n += 1) ada.say('demo', `${n}`);
    const bot = botOf(telegram);
    expect((await bot.call('getUpdates', { limit: 2 })).result).toHaveLength(2);
    expect((await bot.call('getUpdates', { limit: 0 })).result).toHaveLength(1);
    expect((await bot.call('getUpdates', { limit: 1000 })).result).toHaveLength(3);
  });

  test('waits for the first update, and answers with none when the time is up', async () => {
    const telegram = await startTelegram();
    const bot = botOf(telegram);
    const waiting = bot.call('getUpdates', { timeout: 30 });
    await waitFor('the poll to be open', () => telegram.core.updates.isPolled());
    telegram.person('ben').say('demo', 'now');
    expect((await waiting).result).toMatchObject([{ message: { text: 'now', from: { first_name: 'Ben' } } }]);
    expect((await bot.call('getUpdates', { timeout: 1, offset: 2 ** 31 })).result).toEqual([]);
  });

  test('ends an older poll with 409 when somebody else polls', async () => {
    const telegram = await startTelegram();
    const bot = botOf(telegram);
    const older = bot.call('getUpdates', { timeout: 30 });
    await waitFor('the poll to be open', () => telegram.core.updates.isPolled());
    const newer = bot.call('getUpdates', { timeout: 30 });
    expect(await older).toMatchObject({ status: 409, ok: false, error_code: 409, description: OTHER });
    telegram.person('ada').say('demo', 'hello');
    expect((await newer).result).toHaveLength(1);
  });

  test('keeps allowed_updates until it is given again, and does not filter what is queued already', async () => {
    const telegram = await startTelegram();
    const bot = botOf(telegram);
    const ada = telegram.person('ada');
    const said = ada.say('demo', 'one');
    await bot.call('getUpdates', { allowed_updates: ['edited_message', 'no_such_kind'] });
    ada.say('demo', 'not wanted');
    ada.edit(said, 'changed');
    expect(await bot.updates()).toMatchObject([{ message: { text: 'one' } }, { edited_message: { text: 'changed' } }]);
    expect((await bot.did('getWebhookInfo')).allowed_updates).toEqual(['edited_message']);
    await bot.call('getUpdates', { allowed_updates: [] });
    ada.say('demo', 'wanted again');
    expect(await bot.updates()).toMatchObject([{ message: { text: 'wanted again' } }]);
  });

  test('forgets updates after 24 hours, and presses after 150 seconds', async () => {
    let now = 1_795_000_000_000;
    const telegram = await startTelegram({ now: () => now });
    const bot = botOf(telegram);
    const ada = telegram.person('ada');
    const adaUser = personById(telegram.core, ada.id);
    const sent = await bot.did('sendMessage', {
      chat_id: ada.chat('demo').id,
      text: 'x',
      reply_markup: { inline_keyboard: [[{ text: 'Go', callback_data: 'go' }]] },
    });
    press(telegram.core, adaUser, { chat: ada.chat('demo').id, id: Number(sent.message_id), data: 'go' });
    ada.say('demo', 'kept');
    now += 151_000;
    expect((await bot.call('getUpdates')).result).toMatchObject([{ message: { text: 'kept' } }]);
    now += 24 * 3_600_000;
    expect((await bot.call('getUpdates')).result).toEqual([]);
  });

  test('does not answer a wrong token', async () => {
    const telegram = await startTelegram();
    expect(await botOf({ ...telegram, token: '1:wrong' }).call('getMe')).toMatchObject({
      status: 401,
      error_code: 401,
      description: 'Unauthorized',
    });
    expect(await botOf(telegram).call('noSuchMethod')).toMatchObject({ status: 404, description: 'Not Found: method not found' });
  });
});

/** A webhook that answers what the test tells it to. */
async function startHook(
  answer: (update: Record<string, unknown>, tries: number) => number | { status: number; retryAfter: number },
) {
  const got: { update: Record<string, unknown>; secret: unknown; at: number }[] = [];
  const server = createServer((request: IncomingMessage, response: ServerResponse) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const update: Record<string, unknown> = JSON.parse(Buffer.concat(chunks).toString());
      const tries = got.filter((entry) => entry.update.update_id === update.update_id).length;
      got.push({ update, secret: request.headers['x-telegram-bot-api-secret-token'], at: Date.now() });
      const told = answer(update, tries);
      const status = typeof told === 'number' ? told : told.status;
      response.writeHead(status, typeof told === 'number' ? {} : { 'retry-after': String(told.retryAfter) });
      response.end();
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });
  const { port } = server.address() as AddressInfo;
  return { url: `http://127.0.0.1:${port}/hook`, got };
}

const textOf = (update: Record<string, unknown>) => {
  const { message } = update;
  return typeof message === 'object' && message !== null && 'text' in message ? String(message.text) : '';
};

describe('a webhook', () => {
  test('gets every update with its secret; getUpdates answers 409 meanwhile', async () => {
    const telegram = await startTelegram();
    const bot = botOf(telegram);
    telegram.person('ada').say('demo', 'before');
    const hook = await startHook(() => 200);
    expect(await bot.call('setWebhook', { url: hook.url, secret_token: 'se_cret-1' })).toMatchObject({
      result: true,
      description: 'Webhook was set',
    });
    expect((await bot.call('setWebhook', { url: hook.url, secret_token: 'se_cret-1' })).description).toBe(
      'Webhook is already set',
    );
    telegram.person('ada').say('demo', 'after');
    await waitFor('both updates', () => hook.got.length === 2);
    expect(hook.got.map(({ update }) => textOf(update))).toEqual(['before', 'after']);
    expect(hook.got.map(({ secret }) => secret)).toEqual(['se_cret-1', 'se_cret-1']);
    await telegram.controls.updatesSettled();
    expect(await bot.did('getWebhookInfo')).toMatchObject({ url: hook.url, pending_update_count: 0, max_connections: 40 });
    expect(await bot.call('getUpdates')).toMatchObject({
      status: 409,
      description: "Conflict: can't use getUpdates method while webhook is active; use deleteWebhook to delete the webhook first",
    });
    expect((await bot.call('deleteWebhook')).description).toBe('Webhook was deleted');
    expect((await bot.call('deleteWebhook')).description).toBe('Webhook is already deleted');
    expect((await bot.call('getUpdates')).ok).toBe(true);
  });

  test('setting one ends the poll under way', async () => {
    const telegram = await startTelegram();
    const bot = botOf(telegram);
    const poll = bot.call('getUpdates', { timeout: 30 });
    await waitFor('the poll to be open', () => telegram.core.updates.isPolled());
    const hook = await startHook(() => 200);
    await bot.did('setWebhook', { url: hook.url });
    expect((await poll).description).toBe('Conflict: terminated by setWebhook request');
  });

  test('that fails gets the update again, and the chat waits for it while others go on', async () => {
    const telegram = await startTelegram({ timing: { retryDelays: [0, 20] } });
    const bot = botOf(telegram);
    const hook = await startHook((update, tries) => (textOf(update) === 'poison' && tries < 3 ? 500 : 200));
    await bot.did('setWebhook', { url: hook.url });
    const ada = telegram.person('ada');
    ada.say('demo', 'poison');
    ada.say('demo', 'behind');
    ada.dm('elsewhere');
    await waitFor('all three', () => hook.got.some(({ update }) => textOf(update) === 'behind'));
    const texts = hook.got.map(({ update }) => textOf(update));
    expect(texts.filter((text) => text === 'poison')).toHaveLength(4);
    expect(texts.indexOf('elsewhere')).toBeLessThan(texts.indexOf('behind'));
    expect(texts.lastIndexOf('poison')).toBeLessThan(texts.indexOf('behind'));
    expect(await bot.did('getWebhookInfo')).toMatchObject({
      last_error_message: 'Wrong response from the webhook: 500 Internal Server Error',
    });
    expect(telegram.deliveries.filter(({ outcome }) => outcome !== 'ok').map(({ attempt }) => attempt)).toEqual([0, 1, 2]);
  });

  test('is left alone as long as its Retry-After says', async () => {
    const telegram = await startTelegram({ timing: { retryDelays: [0] } });
    const bot = botOf(telegram);
    const hook = await startHook((_update, tries) => (tries === 0 ? { status: 503, retryAfter: 1 } : 200));
    await bot.did('setWebhook', { url: hook.url });
    telegram.person('ada').say('demo', 'x');
    await waitFor('the second try', () => hook.got.length === 2);
    const [first, second] = hook.got;
    expect((second?.at ?? 0) - (first?.at ?? 0)).toBeGreaterThanOrEqual(990);
  });

  test('gets an update twice when told to', async () => {
    const telegram = await startTelegram();
    const hook = await startHook(() => 200);
    await botOf(telegram).did('setWebhook', { url: hook.url });
    telegram.person('ada').say('demo', 'x');
    await waitFor('the update', () => hook.got.length === 1);
    await telegram.controls.redeliver(Number(hook.got[0]?.update.update_id));
    expect(hook.got.map(({ update }) => update.update_id)).toEqual([500_000_000, 500_000_000]);
  });

  test('must have an HTTPS address on a known port and a plain secret, unless it is on this machine', async () => {
    const bot = botOf(await startTelegram());
    expect(await bot.refused('setWebhook', { url: 'http://example.com/x' })).toBe(
      'Bad Request: bad webhook: An HTTPS URL must be provided for webhook',
    );
    expect(await bot.refused('setWebhook', { url: 'https://example.com:9000/x' })).toBe(
      'Bad Request: bad webhook: Webhook can be set up only on ports 80, 88, 443 or 8443',
    );
    expect(await bot.refused('setWebhook', { url: 'https://example.com/x', secret_token: 'a b' })).toBe(
      'Bad Request: secret token contains unallowed characters',
    );
  });
});
