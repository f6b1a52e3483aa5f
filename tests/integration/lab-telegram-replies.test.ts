import { describe, expect, test } from 'vitest';
import { botOf, startTelegram } from '../support/telegram-bot.ts';

const DEMO = -4_000_001;

describe('a message that forces a reply', () => {
  test('cannot be edited, unless it has buttons', async () => {
    const bot = botOf(await startTelegram());
    const forced = { force_reply: true, selective: true };
    const { message_id } = await bot.did('sendMessage', { chat_id: DEMO, text: '@ben_lab why?', reply_markup: forced });
    expect(await bot.refused('editMessageText', { chat_id: DEMO, message_id, text: 'answered' })).toBe(
      "Bad Request: message can't be edited",
    );
    await bot.did('deleteMessage', { chat_id: DEMO, message_id });
    const reply_markup = { inline_keyboard: [[{ text: 'Cancel', callback_data: 'x' }]], force_reply: true };
    const card = await bot.did('sendMessage', { chat_id: DEMO, text: 'why?', reply_markup });
    await bot.did('editMessageText', { chat_id: DEMO, message_id: card.message_id, text: 'answered' });
  });

  test('opens it for whom the server aims it at, and beside buttons for everybody', async () => {
    const telegram = await startTelegram();
    const bot = botOf(telegram);
    const asked = () => (['ada', 'ben', 'gus'] as const).filter((name) => telegram.person(name).asked('demo') !== undefined);
    const said = telegram.person('ada').say('demo', '/deploy');
    await bot.did('sendMessage', {
      chat_id: DEMO,
      text: '@ben_lab, why?',
      reply_parameters: { message_id: said.id },
      reply_markup: { force_reply: true, selective: true },
    });
    expect(asked()).toEqual(['ada', 'ben']);
    const reply_markup = { inline_keyboard: [[{ text: 'Cancel', callback_data: 'x' }]], force_reply: true };
    await bot.did('sendMessage', { chat_id: DEMO, text: 'why?', reply_markup });
    expect(asked()).toEqual(['ada', 'ben', 'gus']);
    await bot.did('sendMessage', { chat_id: DEMO, text: 'why?', reply_markup: { ...reply_markup, selective: true } });
    expect(telegram.callsOf('sendMessage').at(-1)?.note).toBe('reply_markup.selective is unknown and was passed over');
    expect(asked()).toEqual(['ada', 'ben', 'gus']);
  });
});
