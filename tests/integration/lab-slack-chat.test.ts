import { describe, expect, test } from 'vitest';
import { defaultManifest } from '../../lab/slack/manifest.ts';
import { botClient, refusalOf, startSlack } from '../support/slack-app.ts';

const DEMO = 'C00000DEMO';
const divider = { type: 'divider' as const };
const section = (text: string) => ({ type: 'section' as const, text: { type: 'mrkdwn' as const, text } });
const withScopes = (change: (scopes: string[]) => string[]) => ({
  ...defaultManifest,
  oauth_config: { scopes: { bot: change(defaultManifest.oauth_config.scopes.bot) } },
});

describe('chat.postMessage', () => {
  test('posts text with blocks and returns the message as stored', async () => {
    const slack = await startSlack();
    const sent = await botClient(slack).chat.postMessage({ channel: DEMO, text: 'hi', blocks: [section('*hi*')] });
    expect(sent).toMatchObject({ ok: true, channel: DEMO, ts: expect.stringMatching(/^\d+\.\d{6}$/) });
    expect(sent.message).toMatchObject({
      text: 'hi',
      user: slack.botUserId,
      bot_id: slack.botId,
      bot_profile: { app_id: slack.appId },
    });
    expect(sent.message?.blocks?.[0]).toMatchObject({ type: 'section', text: { verbatim: false } });
    expect(slack.person('ada').messages('#demo')[0]?.plain).toBe('*hi*');
  });

  test('accepts a name, a person and a DM as destination', async () => {
    const slack = await startSlack();
    const client = botClient(slack);
    expect((await client.chat.postMessage({ channel: '#ops', text: 'a' })).channel).toBe('C000000OPS');
    expect((await client.chat.postMessage({ channel: 'U0000000ADA', text: 'b' })).channel).toBe('D0000000ADA');
    expect((await client.chat.postMessage({ channel: 'D0000000BEN', text: 'c' })).channel).toBe('D0000000BEN');
  });

  test.each([
    ['no_text', { channel: DEMO }],
    ['no_text', { channel: DEMO, text: '  ' }],
    ['channel_not_found', { channel: 'C404', text: 'x' }],
    ['not_in_channel', { channel: 'C0000RANDOM', text: 'x' }],
    ['thread_not_found', { channel: DEMO, text: 'x', thread_ts: '1.000000' }],
    ['invalid_thread_ts', { channel: DEMO, text: 'x', thread_ts: 'yesterday' }],
    ['markdown_text_conflict', { channel: DEMO, text: 'x', markdown_text: 'y' }],
    ['invalid_arguments', { channel: DEMO, markdown_text: 'x'.repeat(12_001) }],
    ['invalid_blocks_format', { channel: DEMO, blocks: 'nonsense' }],
    ['msg_blocks_too_long', { channel: DEMO, text: 'x', blocks: Array.from({ length: 5 }, () => section('x'.repeat(2900))) }],
    ['invalid_metadata_format', { channel: DEMO, text: 'x', metadata: 'nonsense' }],
    ['invalid_metadata_schema', { channel: DEMO, text: 'x', metadata: { event_type: 'job' } }],
    [
      'metadata_too_large',
      { channel: DEMO, text: 'x', metadata: { event_type: 'job', event_payload: { a: 'x'.repeat(17_000) } } },
    ],
    ['missing_scope', { channel: DEMO, text: 'x', username: 'Somebody else' }],
    ['as_user_not_supported', { channel: DEMO, text: 'x', as_user: true }],
    ['too_many_attachments', { channel: DEMO, attachments: Array.from({ length: 101 }, () => ({ text: 'a' })) }],
  ])('answers %s', async (code, args) => {
    const slack = await startSlack();
    expect((await refusalOf(botClient(slack).apiCall('chat.postMessage', args))).error).toBe(code);
    expect(slack.person('ada').messages('#demo')).toEqual([]);
  });

  test('answers invalid_blocks with the place of every problem', async () => {
    const slack = await startSlack();
    const blocks = [section(''), { type: 'header' }];
    const refusal = await refusalOf(botClient(slack).apiCall('chat.postMessage', { channel: DEMO, text: 'x', blocks }));
    expect(refusal).toEqual({
      error: 'invalid_blocks',
      messages: [
        '[ERROR] must be more than 0 characters [json-pointer:/blocks/0/text/text]',
        '[ERROR] missing required field: text [json-pointer:/blocks/1]',
      ],
    });
  });

  test('answers invalid_arguments when the channel is missing', async () => {
    const slack = await startSlack();
    const refusal = await refusalOf(botClient(slack).apiCall('chat.postMessage', { text: 'x' }));
    expect(refusal).toEqual({ error: 'invalid_arguments', messages: ['[ERROR] missing required field: channel'] });
  });

  test('cuts a text above 40,000 characters and says so', async () => {
    const slack = await startSlack();
    const sent = await botClient(slack).chat.postMessage({ channel: DEMO, text: 'x'.repeat(40_001) });
    expect(sent.message?.text).toHaveLength(40_000);
    expect(sent.response_metadata?.warnings).toContain('message_truncated');
  });

  test('stores markdown_text as a markdown block', async () => {
    const slack = await startSlack();
    await botClient(slack).apiCall('chat.postMessage', { channel: DEMO, markdown_text: '# Title' });
    expect(slack.person('ada').messages('#demo')[0]).toMatchObject({ plain: '# Title', blocks: [{ type: 'markdown' }] });
  });

  test('refuses a reply to a reply', async () => {
    const slack = await startSlack();
    const client = botClient(slack);
    const parent = await client.chat.postMessage({ channel: DEMO, text: 'parent' });
    const reply = await client.chat.postMessage({ channel: DEMO, text: 'reply', thread_ts: parent.ts ?? '' });
    const nested = client.chat.postMessage({ channel: DEMO, text: 'nested', thread_ts: reply.ts ?? '' });
    expect((await refusalOf(nested)).error).toBe('cannot_reply_to_message');
  });

  test('reaches channels without membership with chat:write.public, and private ones never', async () => {
    const slack = await startSlack({ manifest: withScopes((scopes) => [...scopes, 'chat:write.public']) });
    const hidden = slack.controls.addChannel({ name: 'hidden', private: true, members: ['U0000000ADA'] });
    const client = botClient(slack);
    expect((await client.chat.postMessage({ channel: 'C0000RANDOM', text: 'x' })).ok).toBe(true);
    expect((await refusalOf(client.chat.postMessage({ channel: hidden.id, text: 'x' }))).error).toBe('channel_not_found');
  });

  test('shows a broadcast reply in the channel as well', async () => {
    const slack = await startSlack();
    const client = botClient(slack);
    const parent = await client.chat.postMessage({ channel: DEMO, text: 'parent' });
    await client.chat.postMessage({ channel: DEMO, text: 'quiet', thread_ts: parent.ts ?? '' });
    await client.chat.postMessage({ channel: DEMO, text: 'loud', thread_ts: parent.ts ?? '', reply_broadcast: true });
    const { messages } = await client.conversations.history({ channel: DEMO });
    expect(messages?.map((message) => message.text)).toEqual(['loud', 'parent']);
  });
});

describe('chat.update', () => {
  test('replaces the text and drops the blocks when only text is sent', async () => {
    const slack = await startSlack();
    const client = botClient(slack);
    const { ts = '' } = await client.chat.postMessage({ channel: DEMO, text: 'a', blocks: [section('a')] });
    await client.chat.update({ channel: DEMO, ts, text: 'b' });
    const [message] = slack.person('ada').messages('#demo');
    expect(message).toMatchObject({ text: 'b', blocks: [], edited: { user: slack.botUserId } });
  });

  test('keeps the text when only blocks are sent, and shows no "edited" then', async () => {
    const slack = await startSlack();
    const client = botClient(slack);
    const { ts = '' } = await client.chat.postMessage({ channel: DEMO, text: 'a' });
    await client.chat.update({ channel: DEMO, ts, blocks: [section('b')] });
    const [message] = slack.person('ada').messages('#demo');
    expect(message).toMatchObject({ text: 'a', plain: 'b', edited: undefined });
  });

  test('keeps metadata unless {} is sent', async () => {
    const slack = await startSlack();
    const client = botClient(slack);
    const metadata = { event_type: 'job', event_payload: { id: 'tsk_1' } };
    const { ts = '' } = await client.chat.postMessage({ channel: DEMO, text: 'a', metadata });
    expect((await client.chat.update({ channel: DEMO, ts, text: 'b' })).message).toMatchObject({ metadata });
    const cleared = await client.apiCall('chat.update', { channel: DEMO, ts, text: 'c', metadata: {} });
    expect(cleared).toMatchObject({ message: { text: 'c' } });
    expect(cleared).not.toHaveProperty('message.metadata');
  });

  test.each([
    ['message_not_found', { ts: '1.000000', text: 'x' }],
    ['msg_too_long', { text: 'x'.repeat(4001) }],
    ['no_text', {}],
    ['channel_not_found', { channel: 'U0000000ADA', text: 'x' }],
  ])('answers %s', async (code, args) => {
    const slack = await startSlack();
    const client = botClient(slack);
    const { ts } = await client.chat.postMessage({ channel: DEMO, text: 'a' });
    expect((await refusalOf(client.apiCall('chat.update', { channel: DEMO, ts, ...args }))).error).toBe(code);
  });

  test('does not touch messages of people, and neither does chat.delete', async () => {
    const slack = await startSlack();
    const client = botClient(slack);
    const { ts } = slack.person('ada').say('#demo', 'mine');
    expect((await refusalOf(client.chat.update({ channel: DEMO, ts, text: 'yours' }))).error).toBe('cant_update_message');
    expect((await refusalOf(client.chat.delete({ channel: DEMO, ts }))).error).toBe('cant_delete_message');
  });
});

describe('chat.delete', () => {
  test('removes a message, but leaves a tombstone above replies', async () => {
    const slack = await startSlack();
    const client = botClient(slack);
    const lonely = await client.chat.postMessage({ channel: DEMO, text: 'lonely' });
    const parent = await client.chat.postMessage({ channel: DEMO, text: 'parent' });
    slack.person('ada').say('#demo', 'reply', { thread: parent.ts });
    await client.chat.delete({ channel: DEMO, ts: lonely.ts ?? '' });
    await client.chat.delete({ channel: DEMO, ts: parent.ts ?? '' });
    const [tombstone, reply] = slack.person('ada').messages('#demo');
    expect(tombstone).toMatchObject({ ts: parent.ts, subtype: 'tombstone' });
    expect(reply?.text).toBe('reply');
    expect((await refusalOf(client.chat.delete({ channel: DEMO, ts: lonely.ts ?? '' }))).error).toBe('message_not_found');
    expect((await refusalOf(client.chat.update({ channel: DEMO, ts: parent.ts ?? '', text: 'x' }))).error).toBe(
      'message_not_found',
    );
    expect((await client.chat.postMessage({ channel: DEMO, thread_ts: parent.ts ?? '', text: 'still works' })).ok).toBe(true);
  });
});

describe('chat.postEphemeral', () => {
  test('shows a message to one person, outside the history', async () => {
    const slack = await startSlack();
    const client = botClient(slack);
    const { message_ts } = await client.chat.postEphemeral({ channel: DEMO, user: 'U0000000ADA', text: 'psst' });
    expect(slack.person('ada').ephemerals()).toMatchObject([{ ts: message_ts, text: 'psst' }]);
    expect(slack.person('ben').ephemerals()).toEqual([]);
    expect((await client.conversations.history({ channel: DEMO })).messages).toEqual([]);
    const update = client.chat.update({ channel: DEMO, ts: message_ts ?? '', text: 'x' });
    expect((await refusalOf(update)).error).toBe('message_not_found');
  });

  test('needs the person and the bot in the channel', async () => {
    const slack = await startSlack();
    const client = botClient(slack);
    const small = slack.controls.addChannel({ name: 'small', members: [slack.botUserId, 'U0000000ADA'] });
    const toBen = client.chat.postEphemeral({ channel: small.id, user: 'U0000000BEN', text: 'x' });
    expect((await refusalOf(toBen)).error).toBe('user_not_in_channel');
    const toRandom = client.chat.postEphemeral({ channel: 'C0000RANDOM', user: 'U0000000BEN', text: 'x' });
    expect((await refusalOf(toRandom)).error).toBe('not_in_channel');
  });

  test('is accepted but never shown in a thread without replies, which the record notes', async () => {
    const slack = await startSlack();
    const client = botClient(slack);
    const ada = slack.person('ada');
    const parent = ada.say('#demo', 'parent');
    const ephemeral = () => client.chat.postEphemeral({ channel: DEMO, user: ada.id, text: 'x', thread_ts: parent.ts });
    expect((await ephemeral()).ok).toBe(true);
    expect(ada.ephemerals()).toEqual([]);
    expect(slack.callsOf('chat.postEphemeral')[0]?.note).toContain('never shows it');
    ada.reply(parent, 'active now');
    await ephemeral();
    expect(ada.ephemerals()).toMatchObject([{ text: 'x', thread_ts: parent.ts }]);
  });
});

test('chat.getPermalink points at messages and replies', async () => {
  const slack = await startSlack();
  const client = botClient(slack);
  const parent = await client.chat.postMessage({ channel: DEMO, text: 'parent' });
  const reply = await client.chat.postMessage({ channel: DEMO, text: 'reply', thread_ts: parent.ts ?? '' });
  const link = async (ts = '') => (await client.chat.getPermalink({ channel: DEMO, message_ts: ts })).permalink;
  expect(await link(parent.ts)).toBe(`https://deckhand-lab.slack.com/archives/${DEMO}/p${parent.ts?.replace('.', '')}`);
  expect(await link(reply.ts)).toContain(`?thread_ts=${parent.ts}&cid=${DEMO}`);
  expect((await refusalOf(link('1.000000'))).error).toBe('message_not_found');
});

test('50 blocks pass and a message without text but with blocks is fine', async () => {
  const slack = await startSlack();
  const sent = await botClient(slack).apiCall('chat.postMessage', {
    channel: DEMO,
    blocks: Array.from({ length: 50 }, () => divider),
  });
  expect(sent.ok).toBe(true);
});
