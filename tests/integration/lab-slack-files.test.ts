import { describe, expect, test } from 'vitest';
import { botClient, refusalOf, startSlack } from '../support/slack-app.ts';

const DEMO = 'C00000DEMO';
const PNG = Buffer.from(
  'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==',
  'base64',
);

describe('uploading', () => {
  test('through filesUploadV2 shares a snippet in a thread', async () => {
    const slack = await startSlack();
    const ada = slack.person('ada');
    const parent = ada.say('#demo', 'parent');
    const content = 'diff --git a/é b/é\n+1\n';
    await botClient(slack).filesUploadV2({
      channel_id: DEMO,
      thread_ts: parent.ts,
      content,
      filename: '142.patch',
      snippet_type: 'diff',
      initial_comment: 'the patch',
    });
    const shared = await ada.waitForMessage('142.patch', { thread: parent });
    expect(shared.plain).toBe('the patch\n142.patch');
    const { file } = await botClient(slack).files.info({ file: shared.files[0] ?? '' });
    expect(file).toMatchObject({ filetype: 'diff', mode: 'snippet', size: Buffer.byteLength(content), preview: content });
    expect(file?.shares?.public).toMatchObject({ [DEMO]: [{ ts: shared.ts, thread_ts: parent.ts }] });
    const bytes = await fetch(file?.url_private ?? '', { headers: { authorization: `Bearer ${slack.credentials.botToken}` } });
    expect(await bytes.text()).toBe(content);
  });

  test('answers before the message is there, as Slack does', async () => {
    const slack = await startSlack();
    const upload = await botClient(slack).filesUploadV2({ channel_id: DEMO, file: PNG, filename: 'shot.png' });
    const [completion] = (upload as unknown as { files: { files: { shares?: unknown }[] }[] }).files;
    expect(completion?.files[0]?.shares).toEqual({});
    const message = await slack.person('ada').waitForMessage('shot.png');
    expect(message.files).toHaveLength(1);
  });

  test('puts several files into one message', async () => {
    const slack = await startSlack();
    const file_uploads = ['a.txt', 'b.txt'].map((filename) => ({ content: filename, filename }));
    await botClient(slack).filesUploadV2({ channel_id: DEMO, file_uploads, initial_comment: 'two' });
    expect((await slack.person('ada').waitForMessage('two')).plain).toBe('two\na.txt\nb.txt');
  });

  test('refuses bytes that are not as many as announced', async () => {
    const slack = await startSlack();
    const client = botClient(slack);
    const text = 'grün';
    const { upload_url = '', file_id = '' } = await client.files.getUploadURLExternal({ filename: 'a.txt', length: text.length });
    const response = await fetch(upload_url, { method: 'POST', body: text });
    expect([response.status, await response.text()]).toEqual([400, 'expected 4 bytes, received 5']);
    const complete = client.files.completeUploadExternal({ files: [{ id: file_id, title: 'a' }], channel_id: DEMO });
    expect((await refusalOf(complete)).error).toBe('file_not_found');
  });

  test.each([
    ['unknown_snippet_type', { filename: 'a', length: 1, snippet_type: 'runes' }],
    ['snippet_too_large', { filename: 'a', length: 2 * 1024 * 1024, snippet_type: 'diff' }],
    ['file_upload_size_restricted', { filename: 'a', length: 2 ** 31 }],
    ['alt_txt_too_large', { filename: 'a', length: 1, alt_txt: 'x'.repeat(1001) }],
    ['invalid_arguments', { filename: 'a', length: 0 }],
    ['invalid_arguments', { length: 1 }],
  ])('files.getUploadURLExternal answers %s', async (code, args) => {
    const slack = await startSlack();
    expect((await refusalOf(botClient(slack).apiCall('files.getUploadURLExternal', args))).error).toBe(code);
  });

  test.each([
    ['not_in_channel', { channel_id: 'C0000RANDOM' }],
    ['channel_not_found', { channel_id: 'C404' }],
    ['invalid_channel', { channel_id: 'U0000000ADA' }],
    ['thread_not_found', { channel_id: DEMO, thread_ts: '1.000000' }],
    ['invalid_arguments', { thread_ts: '1.000000' }],
    ['invalid_arguments', { channel_id: DEMO, initial_comment: 'a', blocks: [{ type: 'divider' }] }],
    ['invalid_blocks', { channel_id: DEMO, blocks: [{ type: 'header' }] }],
    ['file_not_found', { channel_id: DEMO, files: [{ id: 'F404' }] }],
  ])('files.completeUploadExternal answers %s', async (code, args) => {
    const slack = await startSlack();
    const client = botClient(slack);
    const { upload_url = '', file_id } = await client.files.getUploadURLExternal({ filename: 'a.txt', length: 1 });
    await fetch(upload_url, { method: 'POST', body: 'a' });
    expect((await refusalOf(client.apiCall('files.completeUploadExternal', { files: [{ id: file_id }], ...args }))).error).toBe(
      code,
    );
  });
});

describe('an uploaded file', () => {
  test('is served to the bot token only; others get the login page with status 200', async () => {
    const slack = await startSlack();
    await botClient(slack).filesUploadV2({ channel_id: DEMO, content: 'secret', filename: 'a.txt' });
    const { files } = await slack.person('ada').waitForMessage('a.txt');
    const { file } = await botClient(slack).files.info({ file: files[0] ?? '' });
    const stranger = await fetch(file?.url_private ?? '');
    expect([stranger.status, stranger.headers.get('content-type')]).toEqual([200, 'text/html; charset=utf-8']);
    expect(await stranger.text()).not.toContain('secret');
  });

  test('can be shown in an image block once it is uploaded, if it is an image', async () => {
    const slack = await startSlack();
    const client = botClient(slack);
    const upload = async (filename: string) => {
      const result = await client.filesUploadV2({ file: PNG, filename });
      return (result as unknown as { files: { files: { id: string }[] }[] }).files[0]?.files[0]?.id ?? '';
    };
    const show = (id: string) =>
      client.chat.postMessage({ channel: DEMO, text: 'x', blocks: [{ type: 'image', alt_text: 'shot', slack_file: { id } }] });
    expect((await show(await upload('shot.png'))).ok).toBe(true);
    expect((await refusalOf(show(await upload('shot.txt')))).messages).toEqual([
      '[ERROR] invalid slack file [json-pointer:/blocks/0/slack_file]',
    ]);
  });

  test('is deleted by its owner only, and leaves its message', async () => {
    const slack = await startSlack();
    const client = botClient(slack);
    const ada = slack.person('ada');
    await client.filesUploadV2({ channel_id: DEMO, content: 'x', filename: 'mine.txt' });
    const { files, ts } = await ada.waitForMessage('mine.txt');
    await client.files.delete({ file: files[0] ?? '' });
    expect(ada.messages('#demo').find((message) => message.ts === ts)?.files).toEqual([]);
    expect((await refusalOf(client.files.info({ file: files[0] ?? '' }))).error).toBe('file_not_found');
    const theirs = ada.upload('ada.txt', 'hers');
    ada.say('#demo', 'see', { files: [theirs.id] });
    expect((await refusalOf(client.files.delete({ file: theirs.id }))).error).toBe('cant_delete_file');
  });
});
