import Fastify from 'fastify';
import { describe, expect, onTestFinished, test } from 'vitest';
import { FORUM } from '../../lab/telegram/seed.ts';
import type { PageMessage, TelegramPageEvent, TelegramPageState } from '../../lab/telegram-page-api.ts';
import { type TelegramLabHost, telegramLabRoutes } from '../../lab/telegram-routes.ts';
import { readEvents } from '../support/server-events.ts';
import { botOf, PIXEL, startTelegram } from '../support/telegram-bot.ts';
import { waitFor } from '../support/wait-for.ts';

/** The routes of the Telegram pane behind a real server, as a page sees them. */
async function startPane(host: TelegramLabHost = {}) {
  const telegram = await startTelegram();
  const server = Fastify({ forceCloseConnections: true });
  await server.register(telegramLabRoutes(telegram, host));
  const url = `${await server.listen({ host: '127.0.0.1', port: 0 })}/lab/telegram/api`;
  onTestFinished(() => server.close());
  const send = async (path: string, init: RequestInit) => {
    const response = await fetch(`${url}/${path}`, { method: 'POST', ...init });
    return { status: response.status, body: (await response.json()) as Answer };
  };
  const post = (path: string, body: object, headers: Record<string, string> = {}) =>
    send(path, { headers: { 'content-type': 'application/json', ...headers }, body: JSON.stringify(body) });
  const state = async () => (await fetch(`${url}/state`)).json() as Promise<TelegramPageState>;
  const demo = telegram.person('ada').chat('demo').id;
  return { telegram, bot: botOf(telegram), url, post, send, state, demo };
}

/** What the lab answers to one action or another; the assertions check that it is there. */
interface Answer {
  message: PageMessage;
  topic: { id: number };
  chat: number;
  error: { code: string; message: string };
  [other: string]: unknown;
}

describe('the state', () => {
  test('shows people, chats with who is in them, the bot, settings and the host’s suggestions', async () => {
    const suggestions = [{ text: '/sh npm test', hint: 'runs the tests' }];
    const { state, demo } = await startPane({ suggestions: () => suggestions });
    const now = await state();
    expect(now.users.filter(({ is_bot }) => !is_bot).map(({ key, name }) => [key, name])).toEqual([
      ['ada', 'Ada Lovelace'],
      ['ben', 'Ben Ortiz'],
      ['gus', 'Gus Meyer'],
    ]);
    expect(now.chats.map(({ title, kind, is_forum, bot_is }) => [title, kind, is_forum, bot_is])).toEqual([
      ['Demo', 'group', false, 'administrator'],
      ['Operations', 'supergroup', false, 'member'],
      ['Forum', 'supergroup', true, 'administrator'],
      ['Deckhand', 'private', false, 'member'],
      ['Deckhand', 'private', false, 'member'],
      ['Deckhand', 'private', false, 'member'],
    ]);
    const ada = now.users.find(({ key }) => key === 'ada')?.id ?? 0;
    expect(now.chats.find(({ id }) => id === demo)?.members).toContain(ada);
    expect(now.chats.filter(({ members, kind }) => kind === 'private' && members.includes(ada))).toHaveLength(1);
    expect(now.bot).toMatchObject({ username: 'deckhand_lab_bot', connected: false });
    expect(now.settings).toEqual({ rate_limiting: false, privacy_mode: true, latency_ms: 0 });
    expect(now.suggestions).toEqual(suggestions);
  });

  test('shows formatted text, replies, keyboards, questions, files, rich messages, drafts and what happens to the chat', async () => {
    const { telegram, bot, state, demo } = await startPane();
    const ada = telegram.person('ada');
    const asked = ada.say('demo', '/sh npm test');
    await bot.did('sendMessage', {
      chat_id: demo,
      text: 'card & code',
      entities: [{ type: 'code', offset: 7, length: 4 }],
      reply_parameters: { message_id: asked.id },
      reply_markup: { inline_keyboard: [[{ text: 'Stop', callback_data: 't:1', style: 'danger' }]] },
    });
    await bot.did('sendMessage', {
      chat_id: demo,
      text: 'Why?',
      reply_parameters: { message_id: asked.id },
      reply_markup: { force_reply: true, selective: true, input_field_placeholder: 'The reason' },
    });
    await bot.did('sendPhoto', { chat_id: demo, caption: 'look' }, { photo: new File([PIXEL], 'a.png') });
    await bot.did('sendRichMessage', {
      chat_id: demo,
      rich_message: { blocks: [{ type: 'heading', text: 'Report', size: 1 }] },
    });
    ada.createTopic('forum', 'Releases');
    ada.start();
    await bot.did('sendMessageDraft', { chat_id: ada.id, draft_id: 7, text: 'thinking aloud' });
    const { messages, topics, drafts } = await state();
    expect(messages).toMatchObject([
      { text: '/sh npm test', entities: [{ type: 'bot_command' }], from: ada.id, edited: false },
      {
        entities: [{ type: 'code', offset: 7, length: 4 }],
        reply: { id: asked.id, name: 'Ada', text: '/sh npm test' },
        keyboard: [[{ text: 'Stop', callback_data: 't:1', style: 'danger' }]],
      },
      { text: 'Why?', asks: { of: [ada.id], placeholder: 'The reason' } },
      { text: 'look', file: { is_photo: true, type: 'image/jpeg', size: PIXEL.length } },
      { text: '', blocks: [{ type: 'heading', text: 'Report' }] },
      { service: 'Ada created the topic “Releases”' },
      { text: '/start' },
    ]);
    expect(topics).toMatchObject([{ chat: FORUM, name: 'Releases', color: '#6fb9f0', state: 'open' }]);
    expect(drafts).toMatchObject([{ chat: ada.id, draft_id: 7, text: 'thinking aloud', can_stop: false }]);
  });
});

describe('the events', () => {
  test('tell every change since the state, and begin with a reset when the resume point is unknown', async () => {
    const { telegram, bot, url, post, state, demo } = await startPane();
    const { version } = await state();
    const said = await post('messages', { as: 'ada', chat: demo, text: 'hello' });
    await bot.did('sendChatAction', { chat_id: demo, action: 'typing' });
    await bot.did('setMyCommands', { commands: [{ command: 'sh', description: 'Run a command' }] });
    telegram.person('ada').delete({ chat: demo, id: said.body.message.id });
    const events = async (after: number, count: number) =>
      (await readEvents<TelegramPageEvent>(`${url}/events?after=${after}`, count)).map(({ event }) => event);
    expect(await events(version, 4)).toMatchObject([
      { type: 'message', message: { text: 'hello' } },
      { type: 'action', chat: demo, action: 'typing' },
      { type: 'commands' },
      { type: 'message_removed', chat: demo, id: said.body.message.id },
    ]);
    expect(await events(version - 1_000_000, 1)).toEqual([{ type: 'reset' }]);
  });
});

describe('acting', () => {
  test('people write, reply, edit, react and delete, and the bot hears what it may', async () => {
    const { bot, post, state, demo } = await startPane();
    const { body } = await post('messages', { as: 'ada', chat: demo, text: '@deckhand_lab_bot fix it' });
    const at = { as: 'ada', chat: demo, id: body.message.id };
    expect(await post('messages', { as: 'ben', chat: demo, text: 'now', reply_to: at.id, quote: 'fix' })).toMatchObject({
      status: 200,
      body: { message: { reply: { id: at.id, name: 'Ada', text: 'fix' } } },
    });
    expect((await post('messages/edit', { ...at, text: '@deckhand_lab_bot fix that' })).body.message).toMatchObject({
      edited: true,
    });
    await post('reactions', { ...at, as: 'gus', emoji: '👍' });
    expect((await state()).messages[0]?.reactions).toMatchObject([{ emoji: '👍' }]);
    await post('messages/delete', at);
    expect((await state()).messages).toMatchObject([{ text: 'now', reply: { id: at.id, name: '', text: '' } }]);
    expect(await bot.updates()).toMatchObject([{ message: {} }, { message: {} }, { edited_message: {} }]);
  });

  test('a press answers with what the bot shows', async () => {
    const { telegram, bot, post, demo } = await startPane();
    const reply_markup = { inline_keyboard: [[{ text: 'Stop', callback_data: 't:1' }]] };
    const card = await bot.did('sendMessage', { chat_id: demo, text: 'card', reply_markup });
    const pressed = post('press', { as: 'gus', chat: demo, id: card.message_id, data: 't:1' });
    const query = await waitFor('the press', () => telegram.core.state.queries.values()[0]);
    await bot.did('answerCallbackQuery', { callback_query_id: query.id, text: 'You may not.', show_alert: true });
    expect(await pressed).toEqual({ status: 200, body: { shown: 'alert', text: 'You may not.' } });
    expect(await post('press', { as: 'gus', chat: demo, id: card.message_id, data: 'gone' })).toMatchObject({ status: 404 });
  });

  test('files go up and come down as they are, and no page is shown in place', async () => {
    const { url, send, demo } = await startPane();
    const upload = (name: string, kind: string, body: NonNullable<RequestInit['body']>) =>
      send(`files?${new URLSearchParams({ as: 'ada', chat: String(demo), name, kind, caption: 'see' })}`, {
        body,
        headers: { 'content-type': 'application/octet-stream' },
      });
    const page = (await upload('a.html', 'document', '<b>x</b>')).body.message;
    expect(page).toMatchObject({ text: 'see', file: { name: 'a.html', type: 'text/html', size: 8, is_photo: false } });
    const down = await fetch(new URL(page.file?.url ?? '', url));
    expect(await down.text()).toBe('<b>x</b>');
    expect(down.headers.get('content-type')).toBe('text/plain; charset=utf-8');
    expect(down.headers.get('content-security-policy')).toContain('sandbox');
    expect((await upload('b.png', 'photo', PIXEL)).body.message.file).toMatchObject({ is_photo: true, width: 1, height: 1 });
    expect(await upload('c.txt', 'photo', 'no picture')).toMatchObject({ status: 400, body: { error: { code: 'bad_file' } } });
  });

  test('each person sees the menu of the chat', async () => {
    const { bot, url, demo } = await startPane();
    const scope = { type: 'all_group_chats' };
    await bot.did('setMyCommands', { scope, commands: [{ command: 'bind', description: 'Bind this channel' }] });
    const answer = await fetch(`${url}/commands?as=gus&chat=${demo}`);
    expect(await answer.json()).toEqual({ commands: [{ command: 'bind', description: 'Bind this channel' }] });
  });

  test('topics, drafts, groups and settings can be changed', async () => {
    const { telegram, bot, post, state, demo } = await startPane();
    const { topic } = (await post('topics', { as: 'ben', chat: FORUM, name: 'Releases' })).body;
    const there = await post('messages', { as: 'ben', chat: FORUM, text: 'hi', topic: topic.id });
    expect(there.body.message).toMatchObject({ topic: topic.id });
    await post('start', { as: 'ada' });
    const ada = telegram.person('ada').id;
    await bot.did('sendMessageDraft', { chat_id: ada, draft_id: 7, text: 'x', can_stop: true });
    expect((await post('drafts/stop', { as: 'ada', draft_id: 7 })).status).toBe(200);
    await post('block', { as: 'ada', on: true });
    await post('bot', { as: 'ada', chat: demo, on: false });
    const migrated = await post('migrate', { as: 'ada', chat: demo });
    await post('settings', { rate_limiting: true, privacy_mode: false });
    const now = await state();
    expect(now.drafts).toEqual([]);
    expect(now.chats.find(({ id }) => id === ada)).toMatchObject({ state: 'blocked' });
    expect(now.chats.find(({ id }) => id === demo)).toMatchObject({ bot_is: 'absent', migrated_to: migrated.body.chat });
    expect(now.settings).toEqual({ rate_limiting: true, privacy_mode: false, latency_ms: 0 });
    await post('reset', {});
    expect((await state()).messages).toEqual([]);
  });
});

describe('refusals', () => {
  test('are told in words, and other sites are refused', async () => {
    const { post, demo } = await startPane();
    const hello = { as: 'ada', chat: demo, text: 'hello' };
    expect(await post('messages', { ...hello, text: ' ' })).toEqual({
      status: 400,
      body: { error: { code: 'no_text', message: 'Type something first.' } },
    });
    expect(await post('messages', { ...hello, chat: 5 })).toMatchObject({
      status: 404,
      body: { error: { code: 'chat_not_found' } },
    });
    expect(await post('messages', { ...hello, as: 'eve' })).toMatchObject({
      status: 400,
      body: { error: { code: 'invalid_input' } },
    });
    expect(await post('messages', hello, { origin: 'https://evil.example' })).toMatchObject({
      status: 403,
      body: { error: { code: 'foreign_site' } },
    });
  });
});
