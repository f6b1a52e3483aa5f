import { describe, expect, test } from 'vitest';
import { botOf, startTelegram } from '../support/telegram-bot.ts';

const DEMO = -4_000_001;
const keyboard = (data: string, text = 'Go') => ({ inline_keyboard: [[{ text, callback_data: data }]] });

async function start() {
  const telegram = await startTelegram();
  return { telegram, bot: botOf(telegram), ada: telegram.person('ada') };
}

describe('sending', () => {
  test('stores the text with its entities and finds mentions, commands and links by itself', async () => {
    const { bot, ada } = await start();
    const sent = await bot.did('sendMessage', {
      chat_id: DEMO,
      text: '  bold @ada_lab /sh example.com  ',
      entities: [{ type: 'bold', offset: 2, length: 4 }],
    });
    expect(sent).toMatchObject({
      text: 'bold @ada_lab /sh example.com',
      entities: [
        { type: 'bold', offset: 0, length: 4 },
        { type: 'mention', offset: 5, length: 8 },
        { type: 'bot_command', offset: 14, length: 3 },
        { type: 'url', offset: 18, length: 11 },
      ],
    });
    expect((await ada.waitForMessage('bold', { chat: 'demo' })).id).toBe(sent.message_id);
  });

  test('finds nothing inside code', async () => {
    const { bot } = await start();
    const sent = await bot.did('sendMessage', {
      chat_id: DEMO,
      text: '@ada_lab',
      entities: [{ type: 'code', offset: 0, length: 8 }],
    });
    expect(sent.entities).toEqual([{ type: 'code', offset: 0, length: 8 }]);
  });

  test.each([
    ['no chat', { text: 'x' }, 'Bad Request: chat_id is empty'],
    ['an unknown chat', { chat_id: 1, text: 'x' }, 'Bad Request: chat not found'],
    ['no text', { chat_id: DEMO, text: ' \n ' }, 'Bad Request: message text is empty'],
    ['4,097 characters', { chat_id: DEMO, text: 'x'.repeat(4097) }, 'Bad Request: message is too long'],
    ['an unknown parse mode', { chat_id: DEMO, text: 'x', parse_mode: 'rtf' }, 'Bad Request: unsupported parse_mode'],
    [
      'an entity past the end',
      { chat_id: DEMO, text: 'hello', entities: [{ type: 'bold', offset: 0, length: 100 }] },
      'Bad Request: entity beginning at UTF-16 offset 0 ends after the end of the text at UTF-16 offset 100',
    ],
    [
      'an entity outside',
      { chat_id: DEMO, text: 'hello', entities: [{ type: 'bold', offset: 100, length: 1 }] },
      'Bad Request: entity begins after the end of the text at UTF-16 offset 100',
    ],
    [
      'an unknown entity',
      { chat_id: DEMO, text: 'hello', entities: [{ type: 'blink', offset: 0, length: 1 }] },
      "Bad Request: can't parse MessageEntity: Unsupported type specified",
    ],
    [
      '65 bytes of data',
      { chat_id: DEMO, text: 'x', reply_markup: keyboard('é'.repeat(33)) },
      'Bad Request: BUTTON_DATA_INVALID',
    ],
    [
      'a button that does nothing',
      { chat_id: DEMO, text: 'x', reply_markup: { inline_keyboard: [[{ text: 'a' }]] } },
      "Bad Request: can't parse inline keyboard button: Text buttons are unallowed in the inline keyboard",
    ],
    [
      'a reply to nothing',
      { chat_id: DEMO, text: 'x', reply_parameters: { message_id: 99 } },
      'Bad Request: message to be replied not found',
    ],
    ['an unknown topic', { chat_id: DEMO, text: 'x', message_thread_id: 5 }, 'Bad Request: message thread not found'],
  ])('refuses %s', async (_what, args, description) => {
    const { bot, ada } = await start();
    expect(await bot.refused('sendMessage', args)).toBe(description);
    expect(ada.messages('demo')).toEqual([]);
  });

  test('takes 4,096 characters, 64 bytes of data, and a missing message to reply to where that is allowed', async () => {
    const { bot } = await start();
    const sent = await bot.did('sendMessage', {
      chat_id: DEMO,
      text: 'x'.repeat(4096),
      reply_markup: keyboard('d'.repeat(64)),
      reply_parameters: { message_id: 99, allow_sending_without_reply: true },
    });
    expect(sent.reply_to_message).toBeUndefined();
  });

  test('notes what the server passes over in silence', async () => {
    const { telegram, bot } = await start();
    await bot.did('sendMessage', { chat_id: DEMO, text: 'x', thread: 1, link_preview_options: { disabled: true } });
    await bot.did('sendMessage', {
      chat_id: DEMO,
      text: 'y',
      link_preview_options: { is_disabled: true },
      reply_markup: keyboard('d'),
    });
    expect(telegram.callsOf('sendMessage').map(({ note }) => note)).toEqual([
      'thread is unknown and was passed over; link_preview_options.disabled is unknown and was passed over',
      undefined,
    ]);
  });
});

describe('parse modes', () => {
  test.each([
    ['HTML', '<b>a <i>b</i></b> &lt;c&gt;', 'a b <c>', ['bold 0 3', 'italic 2 1']],
    ['HTML', '<pre><code class="language-ts">x</code></pre>', 'x', ['pre 0 1 ts']],
    [
      'HTML',
      '<blockquote expandable>q</blockquote><a href="https://t.me/x">l</a>',
      'ql',
      ['expandable_blockquote 0 1', 'text_link 1 1'],
    ],
    ['MarkdownV2', '*a _b_* `c` \\.', 'a b c .', ['bold 0 3', 'italic 2 1', 'code 4 1']],
    ['MarkdownV2', '```ts\nx```', 'x', ['pre 0 1 ts']],
    [
      'MarkdownV2',
      '__u__ ~s~ ||p|| [l](https://t.me/x)',
      'u s p l',
      ['underline 0 1', 'strikethrough 2 1', 'spoiler 4 1', 'text_link 6 1'],
    ],
    ['MarkdownV2', '>q\n>r\nafter', 'q\nr\nafter', ['blockquote 0 3']],
    ['Markdown', '*a* _b_ \\*', 'a b *', ['bold 0 1', 'italic 2 1']],
  ])('%s: %s', async (parse_mode, text, shown, entities) => {
    const { bot } = await start();
    const sent = await bot.did('sendMessage', { chat_id: DEMO, text, parse_mode });
    expect(sent.text).toBe(shown);
    const found = Array.isArray(sent.entities) ? sent.entities : [];
    expect(found.map((e) => `${e.type} ${e.offset} ${e.length}${e.language ? ` ${e.language}` : ''}`)).toEqual(entities);
  });

  test.each([
    ['HTML', 'é <x>', 'Unsupported start tag "x" at byte offset 3'],
    ['HTML', 'a < b', 'Unsupported start tag "" at byte offset 2'],
    ['HTML', '<b>a', 'Can\'t find end tag corresponding to start tag "b"'],
    ['HTML', '<b>a</i>', 'Unmatched end tag at byte offset 4, expected "</b>", found "</i>"'],
    ['HTML', 'a</b>', 'Unexpected end tag at byte offset 1'],
    ['MarkdownV2', 'done.', "Character '.' is reserved and must be escaped with the preceding '\\'"],
    ['MarkdownV2', '🏟 🏟_abacaba', "Can't find end of Italic entity at byte offset 9"],
    ['MarkdownV2', '🏟 🏟```a ', "Can't find end of PreCode entity at byte offset 9"],
    ['MarkdownV2', '🏟 🏟_🏟 🏟__', "Can't find end of Underline entity at byte offset 19"],
    ['Markdown', 'a *b', "Can't find end of the entity starting at byte offset 2"],
  ])('%s refuses %s', async (parse_mode, text, detail) => {
    const { bot } = await start();
    expect(await bot.refused('sendMessage', { chat_id: DEMO, text, parse_mode })).toBe(
      `Bad Request: can't parse entities: ${detail}`,
    );
  });
});

describe('editing and deleting', () => {
  test('refuses an edit that changes nothing, and one of a message that is gone or not its own', async () => {
    const { bot, ada } = await start();
    const said = ada.say('demo', 'mine');
    const { message_id } = await bot.did('sendMessage', { chat_id: DEMO, text: 'a', reply_markup: keyboard('d') });
    const edit = { chat_id: DEMO, message_id, text: 'a', reply_markup: keyboard('d') };
    expect(await bot.refused('editMessageText', edit)).toMatch(/^Bad Request: message is not modified: /);
    // Without a keyboard the buttons vanish, so this is a change.
    expect((await bot.did('editMessageText', { chat_id: DEMO, message_id, text: 'a' })).reply_markup).toBeUndefined();
    expect(await bot.refused('editMessageText', { ...edit, message_id: 99 })).toBe('Bad Request: message to edit not found');
    expect(await bot.refused('editMessageText', { ...edit, message_id: said.id })).toBe("Bad Request: message can't be edited");
    expect(await bot.refused('editMessageText', { chat_id: DEMO, text: 'a' })).toBe(
      'Bad Request: message identifier is not specified',
    );
    expect(await bot.refused('editMessageText', { ...edit, text: 'x'.repeat(4097) })).toBe('Bad Request: MESSAGE_TOO_LONG');
  });

  test('changes the keyboard alone without marking the message as edited', async () => {
    const { bot } = await start();
    const { message_id } = await bot.did('sendMessage', { chat_id: DEMO, text: 'a' });
    const edited = await bot.did('editMessageReplyMarkup', { chat_id: DEMO, message_id, reply_markup: keyboard('e') });
    expect(edited).toMatchObject({ text: 'a', reply_markup: keyboard('e') });
    expect(edited.edit_date).toBeUndefined();
  });

  test('deletes within 48 hours, and people see it go', async () => {
    let now = 1_795_000_000_000;
    const telegram = await startTelegram({ now: () => now });
    const bot = botOf(telegram);
    const ada = telegram.person('ada');
    ada.start();
    const { message_id } = await bot.did('sendMessage', { chat_id: ada.id, text: 'a' });
    const later = await bot.did('sendMessage', { chat_id: ada.id, text: 'b' });
    await bot.did('deleteMessage', { chat_id: ada.id, message_id });
    await ada.waitForDeleted({ chat: ada.id, id: Number(message_id) });
    expect(await bot.refused('deleteMessage', { chat_id: ada.id, message_id })).toBe('Bad Request: message to delete not found');
    now += 49 * 3_600_000;
    expect(await bot.refused('deleteMessage', { chat_id: ada.id, message_id: later.message_id })).toBe(
      "Bad Request: message can't be deleted for everyone",
    );
  });
});

describe('presses', () => {
  test('show the answer as a toast or an alert, and can be answered once', async () => {
    const { bot, ada, telegram } = await start();
    const { message_id } = await bot.did('sendMessage', { chat_id: DEMO, text: 'a', reply_markup: keyboard('d', 'Approve') });
    for (const show_alert of [false, true]) {
      const pressed = ada.press({ chat: DEMO, id: Number(message_id) }, 'Approve');
      const [update] = await bot.updates(5);
      expect(update?.callback_query).toMatchObject({ data: 'd', from: { id: ada.id }, message: { message_id } });
      const callback_query_id = String(Object(update?.callback_query).id);
      expect(await bot.refused('answerCallbackQuery', { callback_query_id, text: 'x'.repeat(201) })).toBe(
        'Bad Request: MESSAGE_TOO_LONG',
      );
      await bot.did('answerCallbackQuery', { callback_query_id, text: 'Approved', show_alert });
      expect(await pressed).toEqual({ shown: show_alert ? 'alert' : 'toast', text: 'Approved' });
      expect(await bot.refused('answerCallbackQuery', { callback_query_id })).toBe(
        'Bad Request: query is too old and response timeout expired or query ID is invalid',
      );
    }
    expect(telegram.controls.errors).toEqual([]);
  });

  test('leave a spinner when nobody answers in time', async () => {
    const telegram = await startTelegram({ timing: { callback: 50 } });
    const bot = botOf(telegram);
    const { message_id } = await bot.did('sendMessage', { chat_id: DEMO, text: 'a', reply_markup: keyboard('d') });
    expect(await telegram.person('ben').press({ chat: DEMO, id: Number(message_id) }, 'Go')).toEqual({
      shown: 'spinner',
      text: '',
    });
    const [update] = await bot.updates();
    expect(await bot.refused('answerCallbackQuery', { callback_query_id: Object(update?.callback_query).id })).toContain(
      'too old',
    );
  });

  test('of a button that is gone are refused by the client', async () => {
    const { bot, ada } = await start();
    const { message_id } = await bot.did('sendMessage', { chat_id: DEMO, text: 'a', reply_markup: keyboard('d') });
    await expect(ada.press({ chat: DEMO, id: Number(message_id) }, 'Deny')).rejects.toThrow(
      'nothing is called "Deny"; there is "Go"',
    );
  });
});

describe('rich messages and drafts', () => {
  const table = {
    blocks: [{ type: 'table', cells: [[{ text: 'file', is_header: true }, { text: 'lines' }]] }],
    skip_entity_detection: true,
  };

  test('are completed as the API returns them, and edited like text', async () => {
    const { bot, ada } = await start();
    const sent = await bot.did('sendRichMessage', { chat_id: DEMO, rich_message: table });
    expect(sent.text).toBeUndefined();
    const cells = [
      [
        { text: 'file', is_header: true, align: 'left', valign: 'middle' },
        { text: 'lines', align: 'left', valign: 'middle' },
      ],
    ];
    expect(sent.rich_message).toEqual({ blocks: [{ type: 'table', cells }] });
    expect(ada.messages('demo')[0]?.plain).toBe('file\nlines');
    const rich_message = { blocks: [{ type: 'paragraph', text: 'see @ada_lab' }] };
    const edited = await bot.did('editMessageText', { chat_id: DEMO, message_id: sent.message_id, rich_message });
    expect(edited.rich_message).toEqual({
      blocks: [{ type: 'paragraph', text: ['see ', { type: 'mention', text: '@ada_lab', username: 'ada_lab' }] }],
    });
  });

  test.each([
    [{ blocks: [] }, 'rich message is empty'],
    [{ blocks: [{ type: 'paragraph', text: 'x'.repeat(32_769) }] }, 'rich message text is too long'],
    [{ blocks: Array.from({ length: 501 }, () => ({ type: 'divider' })) }, 'rich message has too many blocks'],
    [
      { blocks: [{ type: 'table', cells: [Array.from({ length: 21 }, () => ({ text: 'x' }))] }] },
      'table can have at most 20 columns',
    ],
    [{ blocks: [{ type: 'thinking', text: 'hm' }] }, 'can be used only in drafts'],
    [{ blocks: [{ type: 'marquee', text: 'x' }] }, 'block type "marquee" is unsupported'],
    [{ blocks: [{ type: 'buttons', buttons: [{ text: 'x', callback_data: 'x'.repeat(65) }] }] }, 'BUTTON_DATA_INVALID'],
  ])('refuse what is over a limit %#', async (rich_message, detail) => {
    const { bot } = await start();
    expect(await bot.refused('sendRichMessage', { chat_id: DEMO, rich_message })).toContain(detail);
  });

  test('are read from HTML too', async () => {
    const { bot, ada } = await start();
    const html =
      '<h2>Report</h2>one <b>bold</b> &amp; <a href="https://t.me/x">link</a><ul><li><input type="checkbox" checked>done</li></ul>' +
      '<pre><code class="language-ts">a\n b</code></pre><table bordered><tr><th>k</th><td align="right">v</td></tr></table>';
    const sent = await bot.did('sendRichMessage', { chat_id: DEMO, rich_message: { html, skip_entity_detection: true } });
    expect(sent.rich_message).toEqual({
      blocks: [
        { type: 'heading', text: ['Report'], size: 2 },
        {
          type: 'paragraph',
          text: ['one ', { type: 'bold', text: ['bold'] }, ' & ', { type: 'url', text: ['link'], url: 'https://t.me/x' }],
        },
        {
          type: 'list',
          items: [{ label: '•', blocks: [{ type: 'paragraph', text: ['done'] }], has_checkbox: true, is_checked: true }],
        },
        { type: 'pre', text: ['a\n b'], language: 'ts' },
        {
          type: 'table',
          cells: [
            [
              { text: ['k'], is_header: true, align: 'left', valign: 'middle' },
              { text: ['v'], align: 'right', valign: 'middle' },
            ],
          ],
          is_bordered: true,
        },
      ],
    });
    expect(ada.messages('demo')[0]?.plain).toContain('one bold & link');
    const refused = (source: string) => bot.refused('sendRichMessage', { chat_id: DEMO, rich_message: { html: source } });
    expect(await refused('<blink>x</blink>')).toContain('Unsupported tag "blink" at byte offset 0');
    expect(await refused('<p>x')).toContain('Can\'t find end tag corresponding to start tag "p"');
    expect(await bot.refused('sendRichMessage', { chat_id: DEMO, rich_message: { markdown: '*x*' } })).toContain('not markdown');
  });

  test('drafts show in private chats only, until the message comes or nobody refreshes them', async () => {
    const telegram = await startTelegram({ timing: { draft: 50 } });
    const bot = botOf(telegram);
    const ada = telegram.person('ada');
    ada.start();
    expect(await bot.refused('sendMessageDraft', { chat_id: DEMO, draft_id: 1, text: 'x' })).toBe(
      'Bad Request: TEXTDRAFT_PEER_INVALID',
    );
    const gone = new Promise((resolve) =>
      telegram.core.state.subscribe((change) => change.type === 'draft_removed' && resolve(change)),
    );
    await bot.did('sendMessageDraft', { chat_id: ada.id, draft_id: 1, text: 'work' });
    expect((await ada.waitForDraft('work')).draft_id).toBe(1);
    await gone;
    expect(telegram.core.drafts.of(ada.id)).toEqual([]);
    await bot.did('sendMessageDraft', { chat_id: ada.id, draft_id: 2, text: 'more', can_stop: true });
    ada.stopDraft(2);
    expect((await bot.updates()).at(-1)).toMatchObject({ stopped_message_generation: { draft_id: 2, chat: { id: ada.id } } });
  });
});
