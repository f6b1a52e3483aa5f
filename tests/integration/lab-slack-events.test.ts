import type { App } from '@slack/bolt';
import { describe, expect, test } from 'vitest';
import type { SlackEmulator, SlackEmulatorOptions } from '../../lab/slack/emulator.ts';
import { defaultManifest } from '../../lab/slack/manifest.ts';
import { botClient, startHttpApp, startSlack, startSocketApp } from '../support/slack-app.ts';

/** Starts an app that hears every event, over either transport. */
const transports: [name: string, start: (slack: SlackEmulator, register: (app: App) => void) => Promise<App>][] = [
  ['Socket Mode', startSocketApp],
  ['signed HTTP', startHttpApp],
];

interface Heard {
  type: string;
  subtype: string | undefined;
  body: Record<string, unknown>;
  event: Record<string, unknown>;
}

async function listen(start: (typeof transports)[number][1], options: SlackEmulatorOptions = {}) {
  const slack = await startSlack(options);
  const heard: Heard[] = [];
  await start(slack, (app) => {
    app.use(async ({ body, next }) => {
      const { event, ...rest } = body as unknown as { event?: Record<string, unknown> };
      if (event)
        heard.push({ type: String(event.type), subtype: event.subtype ? String(event.subtype) : undefined, body: rest, event });
      await next();
    });
  });
  const names = async () => {
    await slack.controls.eventsSettled();
    return heard.map(({ type, subtype }) => (subtype ? `${type}.${subtype}` : type));
  };
  return { slack, heard, names };
}

describe.each(transports)('over %s', (_name, start) => {
  test('a mention is two events with different ids about the same message', async () => {
    const { slack, heard, names } = await listen(start);
    const said = slack.person('ada').mention('#demo', 'sh npm test');
    expect(await names()).toHaveLength(2);
    expect(heard.map(({ type }) => type).sort()).toEqual(['app_mention', 'message']);
    const [first, second] = heard;
    expect(first?.body.event_id).not.toBe(second?.body.event_id);
    for (const { event, body } of heard) {
      expect(event).toMatchObject({
        ts: said.ts,
        channel: 'C00000DEMO',
        user: 'U0000000ADA',
        text: '<@U00DECKHAND> sh npm test',
        event_ts: said.ts,
      });
      expect(body).toMatchObject({
        type: 'event_callback',
        team_id: slack.teamId,
        api_app_id: slack.appId,
        event_id: expect.stringMatching(/^Ev/),
        event_context: expect.any(String),
        authorizations: [{ team_id: slack.teamId, user_id: slack.botUserId, is_bot: true }],
      });
    }
    expect(heard.find(({ type }) => type === 'message')?.event).toMatchObject({
      channel_type: 'channel',
      client_msg_id: expect.any(String),
    });
    expect(said.plain).toBe('<@U00DECKHAND> sh npm test');
  });

  test('a direct message is one event, mention or not', async () => {
    const { slack, heard, names } = await listen(start);
    slack.person('ada').dm('@Deckhand hello');
    expect(await names()).toEqual(['message']);
    expect(heard[0]?.event).toMatchObject({ channel: 'D0000000ADA', channel_type: 'im' });
  });

  test('edits, deletions, replies, files and reactions arrive as Slack sends them', async () => {
    const { slack, heard, names } = await listen(start);
    const ada = slack.person('ada');
    const parent = ada.say('#demo', 'parent');
    await names();
    const reply = ada.reply(parent, 'reply');
    await names();
    ada.edit(reply, 'better');
    await names();
    const file = ada.upload('notes.txt', 'hello');
    ada.reply(parent, '', { files: [file.id] });
    await names();
    ada.react(parent, 'eyes');
    await names();
    ada.delete(reply);
    expect(await names()).toEqual([
      'message',
      'message',
      'message.message_changed',
      'message.file_share',
      'reaction_added',
      'message.message_deleted',
    ]);
    expect(heard[1]?.event).toMatchObject({ thread_ts: parent.ts, parent_user_id: ada.id });
    expect(heard[2]?.event).toMatchObject({
      hidden: true,
      message: { text: 'better', edited: { user: ada.id } },
      previous_message: { text: 'reply' },
    });
    expect(heard[3]?.event).toMatchObject({ thread_ts: parent.ts, files: [{ name: 'notes.txt', mimetype: 'text/plain' }] });
    expect(heard[4]?.event).toMatchObject({
      reaction: 'eyes',
      item: { type: 'message', channel: 'C00000DEMO', ts: parent.ts },
      item_user: ada.id,
    });
    expect(heard[5]?.event).toMatchObject({ deleted_ts: reply.ts, hidden: true, previous_message: { text: 'better' } });
  });

  test('the app hears its own posts, updates and deletions, with its bot_id', async () => {
    const { slack, names } = await listen(start);
    const client = botClient(slack);
    const { ts = '' } = await client.chat.postMessage({ channel: 'C00000DEMO', text: 'mine' });
    await client.chat.update({ channel: 'C00000DEMO', ts, text: 'changed' });
    await client.chat.delete({ channel: 'C00000DEMO', ts });
    await names();
    const events = slack.deliveries.map(({ payload }) => payload.event);
    expect(events).toMatchObject([
      { type: 'message', bot_id: slack.botId, user: slack.botUserId, text: 'mine' },
      { subtype: 'message_changed', message: { bot_id: slack.botId, text: 'changed' } },
      { subtype: 'message_deleted', previous_message: { bot_id: slack.botId } },
    ]);
  });
});

describe('events', () => {
  test('come in either order for a mention, as set', async () => {
    for (const [order, expected] of [
      ['app_mention_first', ['app_mention', 'message']],
      ['message_first', ['message', 'app_mention']],
    ] as const) {
      const { slack, names } = await listen(startSocketApp, { mentionOrder: order });
      slack.person('ada').mention('#demo', 'hi');
      expect(await names()).toEqual(expected);
    }
  });

  test('do not come from channels without the bot; the person is told to invite it', async () => {
    const { slack, names } = await listen(startSocketApp);
    const ada = slack.person('ada');
    const notice = ada.waitForNotice('Invite it');
    ada.mention('#random', 'are you there?');
    await notice;
    expect(await names()).toEqual([]);
    ada.invite('#random');
    await names();
    const sent = slack.deliveries.map(({ payload }) => payload.event);
    expect(sent).toMatchObject([
      { subtype: 'channel_join' },
      { type: 'member_joined_channel', user: slack.botUserId, inviter: ada.id },
    ]);
    ada.mention('#random', 'and now?');
    expect(await names()).toContain('app_mention');
  });

  test('come only as far as the manifest subscribes', async () => {
    const settings = { ...defaultManifest.settings, event_subscriptions: { bot_events: ['app_mention'] } };
    const { slack, names } = await listen(startSocketApp, { manifest: { ...defaultManifest, settings } });
    slack.person('ada').say('#demo', 'not for you');
    slack.person('ada').mention('#demo', 'for you');
    slack.person('ada').dm('not for you');
    expect(await names()).toEqual(['app_mention']);
  });

  test('come for a mention that an edit adds', async () => {
    const { slack, names } = await listen(startSocketApp);
    const ada = slack.person('ada');
    const said = ada.say('#demo', 'hello');
    ada.edit(said, '@Deckhand hello');
    expect(await names()).toEqual(['message', 'message.message_changed', 'app_mention']);
  });

  test('come for an opened Home, with its view once there is one', async () => {
    const { slack, heard, names } = await listen(startSocketApp);
    const ada = slack.person('ada');
    ada.openHome();
    await botClient(slack).views.publish({ user_id: ada.id, view: { type: 'home', blocks: [{ type: 'divider' }] } });
    ada.openHome();
    ada.openHome('messages');
    expect(await names()).toEqual(['app_home_opened', 'app_home_opened', 'app_home_opened']);
    expect(heard.map(({ event }) => [event.tab, event.channel, event.view !== undefined])).toEqual([
      ['home', 'D0000000ADA', false],
      ['home', 'D0000000ADA', true],
      ['messages', 'D0000000ADA', false],
    ]);
  });

  test('can be delivered again, as a retry of the same event', async () => {
    const { slack, heard, names } = await listen(startSocketApp);
    slack.person('ada').dm('once');
    await names();
    const eventId = String(heard[0]?.body.event_id);
    await slack.controls.redeliver(eventId);
    expect(heard.map(({ body }) => body.event_id)).toEqual([eventId, eventId]);
    expect(slack.deliveries.map(({ attempt, outcome }) => [attempt, outcome])).toEqual([
      [0, 'acked'],
      [1, 'acked'],
    ]);
    await expect(slack.controls.redeliver('Ev404')).rejects.toThrow(eventId);
  });
});
