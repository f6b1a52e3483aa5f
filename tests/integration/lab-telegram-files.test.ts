import { describe, expect, test } from 'vitest';
import { botOf, PIXEL, startTelegram } from '../support/telegram-bot.ts';

const DEMO = -4_000_001;
const file = (name: string, content: Buffer | string) => new File([new Uint8Array(Buffer.from(content))], name);

async function start() {
  const telegram = await startTelegram();
  return { telegram, bot: botOf(telegram), ada: telegram.person('ada') };
}

describe('files', () => {
  test('go up by multipart, and come back under their id and by their link', async () => {
    const { telegram, bot } = await start();
    const sent = await bot.did('sendDocument', { chat_id: DEMO, caption: 'the change' }, { document: file('142.patch', '+1') });
    expect(sent).toMatchObject({ caption: 'the change', document: { file_name: '142.patch', file_size: 2 } });
    const file_id = String(Object(sent.document).file_id);
    await bot.did('sendDocument', { chat_id: DEMO, document: file_id });
    const link = await bot.did('getFile', { file_id });
    const address = (token: string) => `${telegram.apiRoot}/file/bot${token}/${link.file_path}`;
    expect(await (await fetch(address(telegram.token))).text()).toBe('+1');
    expect((await fetch(address('1:wrong'))).status).toBe(404);
    expect(await bot.refused('getFile', { file_id: 'nonsense' })).toBe('Bad Request: invalid file_id');
  });

  test('that people send reach the bot', async () => {
    const { bot, ada } = await start();
    ada.sendFile('demo', 'log.txt', 'hello', { caption: '/sh cat' });
    ada.sendFile('demo', 'shot.png', PIXEL, { photo: true });
    const [document, photo] = await bot.updates();
    expect(document).toMatchObject({
      message: { document: { file_name: 'log.txt' }, caption: '/sh cat', caption_entities: [{ type: 'bot_command' }] },
    });
    expect(photo).toMatchObject({ message: { photo: [{ width: 1, height: 1 }] } });
  });

  test('sent as an album come as several messages with one group id', async () => {
    const { bot, ada } = await start();
    const media = ['a', 'b'].map((name) => ({ type: 'document', media: `attach://${name}` }));
    const files = { a: file('a.txt', 'a'), b: file('b.txt', 'b') };
    const { value } = await bot.did('sendMediaGroup', { chat_id: DEMO, media }, files);
    const groups = (Array.isArray(value) ? value : []).map((message) => message.media_group_id);
    expect(groups).toEqual([groups[0], groups[0]]);
    expect(groups[0]).toBeTypeOf('string');
    ada.sendAlbum('demo', [
      { name: 'c.txt', content: 'c' },
      { name: 'd.txt', content: 'd' },
    ]);
    const updates = await bot.updates();
    expect(new Set(updates.map((update) => Object(update.message).media_group_id)).size).toBe(1);
  });

  test('are refused when there is none, when empty, too big, no picture, mixed or too many', async () => {
    const { bot } = await start();
    const chat_id = DEMO;
    expect(await bot.refused('sendDocument', { chat_id })).toBe('Bad Request: there is no document in the request');
    expect(await bot.refused('sendDocument', { chat_id }, { document: file('x', '') })).toBe(
      'Bad Request: file must be non-empty',
    );
    expect(await bot.refused('sendPhoto', { chat_id }, { photo: file('x.png', 'text') })).toBe(
      'Bad Request: IMAGE_PROCESS_FAILED',
    );
    const wide = Buffer.from(PIXEL);
    wide.writeUInt32BE(21, 16);
    expect(await bot.refused('sendPhoto', { chat_id }, { photo: file('x.png', wide) })).toBe(
      'Bad Request: PHOTO_INVALID_DIMENSIONS',
    );
    expect(await bot.refused('sendDocument', { chat_id, caption: 'x'.repeat(1025) }, { document: file('x', 'x') })).toBe(
      'Bad Request: message caption is too long',
    );
    const items = (count: number) => Array.from({ length: count }, () => ({ type: 'document', media: 'attach://a' }));
    expect(await bot.refused('sendMediaGroup', { chat_id, media: items(11) }, { a: file('a', 'a') })).toBe(
      'Bad Request: too many messages to send as an album',
    );
    const mixed = [...items(1), { type: 'photo', media: 'attach://a' }];
    expect(await bot.refused('sendMediaGroup', { chat_id, media: mixed }, { a: file('a', 'a') })).toBe(
      "Bad Request: document can't be mixed with other media types",
    );
    const big = await bot.call('sendDocument', { chat_id }, { document: file('big', Buffer.alloc(52 * 1024 * 1024)) });
    expect(big).toMatchObject({ status: 413, description: 'Request Entity Too Large' });
  });
});
