import { afterAll, beforeAll, beforeEach, expect, it, vi } from 'vitest';
import { botOf, PIXEL } from '../support/telegram-bot.ts';
import { openTelegramPane, type TelegramPane } from '../support/telegram-pane.ts';
import { eventually, waitFor } from '../support/wait-for.ts';

/** The Telegram pane of the lab in a real browser; the bot speaks the wire protocol. */

// For a person's patience on a busy machine.
vi.setConfig({ testTimeout: 60_000 });

let pane: TelegramPane;
let bot: ReturnType<typeof botOf>;
let demo: number;

beforeAll(async () => {
  pane = await openTelegramPane();
  bot = botOf(pane.telegram);
  demo = pane.telegram.person('ada').chat('demo').id;
}, 60_000);

afterAll(async () => {
  await pane?.close();
});

beforeEach(async () => {
  await pane.setPerson('ada');
  await chat('Demo').click();
});

const chat = (title: string) => pane.page.getByTitle(title, { exact: true });
const composer = () => pane.page.locator('.composer textarea');
const bubble = (text: string | RegExp) => pane.page.locator('.message').filter({ hasText: text });
const say = async (text: string) => {
  await composer().fill(text);
  await composer().press('Enter');
};
const stop = { inline_keyboard: [[{ text: 'Stop', callback_data: 't:1', style: 'danger' }]] };

it('completes commands from the menu the bot has set, and sends them', async () => {
  const commands = ['sh', 'show', 'tasks'].map((command) => ({ command, description: `About ${command}` }));
  await bot.did('setMyCommands', { commands, scope: { type: 'all_group_chats' } });
  await pane.page.locator('.menu-button').waitFor();
  await composer().fill('/s');
  const choices = pane.page.locator('.choices [role=option]');
  await eventually(async () =>
    expect(await choices.allInnerTexts()).toEqual([expect.stringContaining('/sh'), expect.stringContaining('/show')]),
  );
  await composer().press('Tab');
  expect(await composer().inputValue()).toBe('/sh ');
  await composer().pressSequentially('npm test');
  await composer().press('Enter');
  await bubble('/sh npm test').waitFor();
  expect(await bot.updates()).toMatchObject([{ message: { text: '/sh npm test', entities: [{ type: 'bot_command' }] } }]);
});

it('shows what the bot formats, takes nothing else for markup, and follows edits', async () => {
  const text = 'Bold and code <img src=x onerror="alert(1)"> docs\nlet a = 1;\nafter';
  const at = (part: string) => ({ offset: text.indexOf(part), length: part.length });
  const entities = [
    { type: 'bold', ...at('Bold') },
    { type: 'code', ...at('code') },
    { type: 'text_link', url: 'https://docs.example.com/', ...at('docs') },
    { type: 'pre', language: 'js', ...at('let a = 1;') },
  ];
  const card = await bot.did('sendMessage', { chat_id: demo, text, entities, reply_markup: stop });
  const shown = bubble('Bold and code');
  await shown.locator('b', { hasText: 'Bold' }).waitFor();
  expect(await shown.locator('.words > code').textContent()).toBe('code');
  expect(await shown.locator('.pre > code').textContent()).toBe('let a = 1;');
  expect(await shown.locator('.words a').getAttribute('href')).toBe('https://docs.example.com/');
  expect(await shown.textContent()).toContain('<img src=x onerror="alert(1)">');
  expect(await shown.locator('img').count()).toBe(0);

  await bot.did('editMessageText', { chat_id: demo, message_id: card.message_id, text: 'done in 6m' });
  await bubble('done in 6m').getByText('edited').waitFor();
  expect(await bubble('done in 6m').getByRole('button', { name: 'Stop' }).count()).toBe(0);
});

it('wraps long lines of code inside the message', async () => {
  const text = 'x'.repeat(600);
  await bot.did('sendMessage', { chat_id: demo, text, entities: [{ type: 'pre', offset: 0, length: text.length }] });
  await bubble(text).waitFor();
  const hidden = await pane.page
    .locator('.messages')
    .evaluate((list) => Number(Reflect.get(list, 'scrollWidth')) - Number(Reflect.get(list, 'clientWidth')));
  expect(hidden).toBe(0);
});

it('a pressed button waits until the bot answers, and shows the alert', async () => {
  const { queries } = pane.telegram.core.state;
  await bot.did('sendMessage', { chat_id: demo, text: 'a card to stop', reply_markup: stop });
  const button = bubble('a card to stop').getByRole('button', { name: 'Stop' });
  await button.click();
  await eventually(async () => expect(await button.getAttribute('aria-busy')).toBe('true'));
  const query = await waitFor('the press', () => queries.values().find(({ answer }) => answer === undefined));
  await bot.did('answerCallbackQuery', { callback_query_id: query.id, text: 'Only Ada may stop it.', show_alert: true });
  await pane.page.getByRole('alertdialog').getByText('Only Ada may stop it.').waitFor();
  await pane.page.getByRole('button', { name: 'OK' }).click();
  expect(await button.getAttribute('aria-busy')).toBe('false');
});

it('a question opens a reply for the person asked alone, and the answer is a reply to it', async () => {
  const asked = await bot.did('sendMessage', {
    chat_id: demo,
    text: '@ben_lab why not?',
    reply_markup: { force_reply: true, selective: true, input_field_placeholder: 'The reason' },
  });
  await bubble('why not?').waitFor();
  expect(await pane.page.locator('.about').count()).toBe(0);
  await pane.setPerson('ben');
  await pane.page.locator('.about').getByText('Reply to Deckhand').waitFor();
  expect(await composer().getAttribute('placeholder')).toBe('The reason');
  await say('not before the release');
  await bubble('not before the release').locator('.reply').getByText('why not?').waitFor();
  await pane.page.locator('.about').waitFor({ state: 'detached' });
  const [last] = pane.telegram.core.state.messagesOf(demo).slice(-1);
  expect(last).toMatchObject({ text: 'not before the release', reply_to: asked.message_id });
});

it('people edit, react to, answer and delete messages', async () => {
  await say('frist message');
  const mine = bubble('frist message');
  await mine.hover();
  await mine.getByTitle('Edit').click();
  await eventually(async () => expect(await composer().inputValue()).toBe('frist message'));
  await say('first message');
  const edited = bubble('first message');
  await edited.getByText('edited').waitFor();

  await edited.hover();
  await edited.getByTitle('React').click();
  await edited.getByText('👍').click();
  await edited.locator('.reactions').getByText('👍 1').waitFor();

  await edited.getByTitle('Reply').click();
  await say('an answer');
  const answer = bubble('an answer').filter({ has: pane.page.locator('.reply') });
  await answer.locator('.reply').getByText('first message').waitFor();
  await edited.first().hover();
  await edited.first().getByTitle('Delete').click();
  await answer.locator('.reply').getByText('Deleted message').waitFor();
});

it('documents are downloaded and photos shown', async () => {
  await bot.did('sendDocument', { chat_id: demo, caption: 'The change' }, { document: new File(['+ line'], '142.patch') });
  const [download] = await Promise.all([
    pane.page.waitForEvent('download'),
    bubble('142.patch').getByTitle('Download 142.patch').click(),
  ]);
  expect(download.suggestedFilename()).toBe('142.patch');
  await bot.did('sendPhoto', { chat_id: demo, caption: 'The picture' }, { photo: new File([PIXEL], 'a.png') });
  const photo = bubble('The picture').locator('.photo img');
  await eventually(async () => expect(await photo.evaluate((image) => Reflect.get(image, 'naturalWidth'))).toBe(1));
  await pane.page.locator('.attach input').setInputFiles({ name: 'run.log', mimeType: 'text/plain', buffer: Buffer.from('one') });
  await bubble('run.log').waitFor();
});

it('topics of a forum stand in tabs, and a message goes where the person looks', async () => {
  await chat('Forum').click();
  const forum = pane.telegram.person('ada').chat('forum').id;
  const topic = await bot.did('createForumTopic', { chat_id: forum, name: '#142 Fix the login' });
  await pane.page.getByRole('tab', { name: '#142 Fix the login' }).click();
  await pane.page.locator('.service', { hasText: 'Deckhand created the topic' }).waitFor();
  await say('now the linter');
  await bubble('now the linter').waitFor();
  expect(pane.telegram.core.state.messagesOf(forum).at(-1)).toMatchObject({ message_thread_id: topic.message_thread_id });
  await pane.page.getByRole('tab', { name: 'General' }).click();
  await bubble('now the linter').waitFor({ state: 'detached' });
});

it('a private chat begins with Start, and shows what the bot is writing until it is sent or stopped', async () => {
  await chat('Deckhand').click();
  await pane.page.getByRole('button', { name: 'Start', exact: true }).click();
  await bubble('/start').waitFor();
  const { id } = pane.telegram.person('ada');
  await bot.did('sendMessageDraft', { chat_id: id, draft_id: 7, text: 'I look at', can_stop: true });
  await bubble('I look at').waitFor();
  await bot.did('sendMessageDraft', { chat_id: id, draft_id: 7, text: 'I look at session.ts', can_stop: true });
  await bubble('I look at session.ts').getByRole('button', { name: 'Stop' }).click();
  await bubble('I look at session.ts').waitFor({ state: 'detached' });
  const blocks = [
    { type: 'heading', text: 'Nightly report', size: 1 },
    { type: 'table', cells: [[{ text: 'suite', is_header: true }], [{ text: 'login' }]] },
  ];
  await bot.did('sendRichMessage', { chat_id: id, rich_message: { blocks } });
  await bubble('Nightly report').locator('td', { hasText: 'login' }).waitFor();
});

it('each person has their own view: other private chats are theirs, and what they have not seen is counted', async () => {
  await bot.did('sendMessage', { chat_id: demo, text: 'for everybody' });
  await bubble('for everybody').waitFor();
  await chat('Operations').click();
  pane.telegram.person('gus').say('demo', 'anybody there?');
  await eventually(async () => expect(await chat('Demo').locator('.badge').textContent()).toBe('1'));
  await pane.setPerson('gus');
  await chat('Deckhand').click();
  await pane.page.getByRole('button', { name: 'Start', exact: true }).waitFor();
  expect(await bubble('/start').count()).toBe(0);
  expect(pane.pageErrors).toEqual([]);
});
