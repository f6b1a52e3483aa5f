import type { ConversationsListResponse, ConversationsRepliesResponse } from '@slack/web-api';
import { describe, expect, test } from 'vitest';
import { defaultManifest } from '../../lab/slack/manifest.ts';
import { botClient, refusalOf, startSlack } from '../support/slack-app.ts';

const DEMO = 'C00000DEMO';

describe('conversations', () => {
  test('of every fresh workspace are #demo and #ops with the bot, #random without it, and a DM per person', async () => {
    const slack = await startSlack();
    const { channels = [] } = await botClient(slack).conversations.list({ types: 'public_channel,im' });
    const list = channels.map((channel) => (channel.is_im ? channel.user : `${channel.name} ${channel.is_member}`));
    expect(list).toEqual(['demo true', 'ops true', 'random false', 'U0000000ADA', 'U0000000BEN', 'U0000000GUS']);
  });

  test('are listed page by page', async () => {
    const slack = await startSlack();
    const names: (string | undefined)[] = [];
    let pages = 0;
    for await (const page of botClient(slack).paginate('conversations.list', { limit: 2 })) {
      pages += 1;
      names.push(...((page as ConversationsListResponse).channels ?? []).map((channel) => channel.name));
    }
    expect([pages, names]).toEqual([2, ['demo', 'ops', 'random']]);
    expect((await refusalOf(botClient(slack).conversations.list({ cursor: 'bogus' }))).error).toBe('invalid_cursor');
    expect((await refusalOf(botClient(slack).conversations.list({ types: 'secret' }))).error).toBe('invalid_types');
  });

  test('without the bot look as if they did not exist when they are private', async () => {
    const slack = await startSlack();
    const client = botClient(slack);
    const hidden = slack.controls.addChannel({ name: 'hidden', private: true, members: ['U0000000ADA'] });
    const shared = slack.controls.addChannel({ name: 'shared', private: true });
    expect((await refusalOf(client.conversations.info({ channel: hidden.id }))).error).toBe('channel_not_found');
    expect((await client.conversations.info({ channel: shared.id })).channel).toMatchObject({ is_private: true, is_group: true });
    const { channels } = await client.users.conversations({ types: 'public_channel,private_channel' });
    expect(channels?.map((channel) => channel.name)).toEqual(['demo', 'ops', 'shared']);
    expect((await client.conversations.members({ channel: DEMO })).members).toContain(slack.botUserId);
  });

  test('are opened with a person; with nobody or with strangers they are not', async () => {
    const slack = await startSlack();
    const client = botClient(slack);
    expect((await client.conversations.open({ users: 'U0000000GUS' })).channel?.id).toBe('D0000000GUS');
    expect((await refusalOf(client.conversations.open({ users: 'U404' }))).error).toBe('user_not_found');
    expect((await refusalOf(client.apiCall('conversations.open', {}))).error).toBe('users_list_not_supplied');
  });

  test('are joined with the scope for it, and history needs membership', async () => {
    const manifest = {
      ...defaultManifest,
      oauth_config: { scopes: { bot: [...defaultManifest.oauth_config.scopes.bot, 'channels:join'] } },
    };
    const slack = await startSlack({ manifest });
    const client = botClient(slack);
    const random = { channel: 'C0000RANDOM' };
    expect((await refusalOf(client.conversations.history(random))).error).toBe('not_in_channel');
    expect((await client.conversations.join(random)).channel?.is_member).toBe(true);
    expect((await client.conversations.join(random)).warning).toBe('already_in_channel');
    expect((await client.conversations.history(random)).messages).toMatchObject([{ subtype: 'channel_join' }]);
  });
});

describe('conversations.replies', () => {
  test('gives parent and replies, with metadata only when asked', async () => {
    const slack = await startSlack();
    const client = botClient(slack);
    const parent = slack.person('ada').say('#demo', 'parent');
    const metadata = { event_type: 'outbox', event_payload: { key: 'k1' } };
    await client.chat.postMessage({ channel: DEMO, thread_ts: parent.ts, text: 'one', metadata });
    slack.person('ben').reply(parent, 'two');
    const plain = await client.conversations.replies({ channel: DEMO, ts: parent.ts });
    expect(plain.messages?.map((message) => message.text)).toEqual(['parent', 'one', 'two']);
    expect(plain.messages?.[0]).toMatchObject({ thread_ts: parent.ts, reply_count: 2, reply_users_count: 2 });
    expect(plain.messages?.[1]).toMatchObject({ parent_user_id: 'U0000000ADA' });
    expect(plain.messages?.[1]).not.toHaveProperty('metadata');
    const full = await client.conversations.replies({ channel: DEMO, ts: parent.ts, include_all_metadata: true });
    expect(full.messages?.[1]).toMatchObject({ metadata });
  });

  test('pages through a thread without losing or repeating a reply', async () => {
    const slack = await startSlack();
    const client = botClient(slack);
    const ada = slack.person('ada');
    const parent = ada.say('#demo', 'parent');
    for (let n = 0; n < 5; n += 1) ada.reply(parent, `r${n}`);
    const texts: string[] = [];
    for await (const page of client.paginate('conversations.replies', { channel: DEMO, ts: parent.ts, limit: 2 })) {
      texts.push(...((page as ConversationsRepliesResponse).messages ?? []).map((message) => message.text ?? ''));
      if (texts.length < 4) ada.reply(parent, 'late');
    }
    expect(texts).toEqual(['parent', 'r0', 'r1', 'r2', 'r3', 'r4', 'late']);
  });

  test('starts after `oldest`, which is how missed replies are found', async () => {
    const slack = await startSlack();
    const client = botClient(slack);
    const ada = slack.person('ada');
    const parent = ada.say('#demo', 'parent');
    const first = ada.reply(parent, 'first');
    ada.reply(parent, 'second');
    const since = async (inclusive: boolean) => {
      const { messages } = await client.conversations.replies({ channel: DEMO, ts: parent.ts, oldest: first.ts, inclusive });
      return messages?.map((message) => message.text);
    };
    expect(await since(false)).toEqual(['parent', 'second']);
    expect(await since(true)).toEqual(['parent', 'first', 'second']);
  });

  test('answers thread_not_found', async () => {
    const slack = await startSlack();
    const call = botClient(slack).conversations.replies({ channel: DEMO, ts: '1.000000' });
    expect((await refusalOf(call)).error).toBe('thread_not_found');
  });
});

test('users and the team are as people see them', async () => {
  const slack = await startSlack();
  const client = botClient(slack);
  const { members = [] } = await client.users.list({});
  expect(members.map((member) => member.real_name)).toEqual(['Ada Lovelace', 'Ben Ortiz', 'Gus Meyer', 'Deckhand']);
  expect((await client.users.info({ user: 'U0000000ADA' })).user).toMatchObject({ name: 'ada', is_bot: false });
  expect((await refusalOf(client.users.info({ user: 'U404' }))).error).toBe('user_not_found');
  expect((await client.team.info()).team).toMatchObject({ id: slack.teamId, domain: 'deckhand-lab' });
  expect((await client.bots.info({ bot: slack.botId })).bot).toMatchObject({ user_id: slack.botUserId });
});

describe('reactions', () => {
  test('are added once, counted, and removed once', async () => {
    const slack = await startSlack();
    const client = botClient(slack);
    const ada = slack.person('ada');
    const target = ada.say('#demo', 'hi');
    const eyes = { channel: DEMO, timestamp: target.ts, name: 'eyes' };
    await client.reactions.add(eyes);
    expect((await refusalOf(client.reactions.add(eyes))).error).toBe('already_reacted');
    ada.react(target, 'eyes');
    const got = await client.reactions.get({ channel: DEMO, timestamp: target.ts });
    expect(got.message?.reactions).toEqual([{ name: 'eyes', users: [slack.botUserId, ada.id], count: 2 }]);
    await client.reactions.remove(eyes);
    expect((await refusalOf(client.reactions.remove(eyes))).error).toBe('no_reaction');
    expect(ada.messages('#demo')[0]?.reactions).toEqual([{ name: 'eyes', users: [ada.id] }]);
  });

  test.each([
    ['message_not_found', { timestamp: '1.000000' }],
    ['bad_timestamp', { timestamp: 'now' }],
    ['invalid_name', { name: 'Not A Name' }],
    ['no_item_specified', { timestamp: undefined }],
    ['channel_not_found', { channel: 'C404' }],
    ['not_in_channel', { channel: 'C0000RANDOM' }],
  ])('answer %s', async (code, change) => {
    const slack = await startSlack();
    const { ts } = slack.person('ada').say('#demo', 'hi');
    const call = botClient(slack).apiCall('reactions.add', { channel: DEMO, timestamp: ts, name: 'eyes', ...change });
    expect((await refusalOf(call)).error).toBe(code);
  });
});
