import { WebClient } from '@slack/web-api';
import { describe, expect, test } from 'vitest';
import { createSlackEmulator } from '../../lab/slack/emulator.ts';
import { defaultManifest } from '../../lab/slack/manifest.ts';
import { botClient, refusalOf, silent, startSlack } from '../support/slack-app.ts';

const post = (url: string, headers: Record<string, string>, body: string) => fetch(url, { method: 'POST', headers, body });

describe('tokens', () => {
  test('are told apart: none, wrong, of the wrong kind', async () => {
    const slack = await startSlack();
    const as = (token?: string) =>
      new WebClient(token, { slackApiUrl: slack.apiUrl, retryConfig: { retries: 0 }, logger: silent });
    expect((await refusalOf(as().auth.test())).error).toBe('not_authed');
    expect((await refusalOf(as('xoxb-wrong').auth.test())).error).toBe('invalid_auth');
    expect((await refusalOf(as(slack.credentials.appToken).auth.test())).error).toBe('not_allowed_token_type');
    expect((await refusalOf(as(slack.credentials.botToken).apps.connections.open())).error).toBe('not_allowed_token_type');
    expect(await as(slack.credentials.botToken).auth.test()).toMatchObject({
      user_id: slack.botUserId,
      bot_id: slack.botId,
      team_id: slack.teamId,
    });
    expect((await as(slack.credentials.appToken).apps.connections.open()).url).toMatch(/^ws:\/\/127\.0\.0\.1:\d+\/link\//);
  });

  test('do not appear in the record of calls', async () => {
    const slack = await startSlack();
    await post(
      `${slack.apiUrl}auth.test`,
      { 'content-type': 'application/x-www-form-urlencoded' },
      `token=${slack.credentials.botToken}`,
    );
    expect(slack.calls).toMatchObject([{ method: 'auth.test', ok: true }]);
    expect(JSON.stringify(slack.calls)).not.toContain(slack.credentials.botToken);
  });
});

describe('scopes', () => {
  test('are those of the manifest; a missing one is named', async () => {
    const scopes = ['chat:write', 'channels:read'];
    const manifest = {
      ...defaultManifest,
      features: { bot_user: { display_name: 'D' } },
      oauth_config: { scopes: { bot: scopes } },
      settings: {},
    };
    const slack = await startSlack({ manifest });
    const client = botClient(slack);
    const refusal = async (call: Promise<unknown>) => {
      const error = await call.then(
        () => undefined,
        (reason: { data: { error: string; needed: string; provided: string } }) => reason.data,
      );
      return [error?.error, error?.needed, error?.provided];
    };
    const provided = scopes.join(',');
    expect(await refusal(client.reactions.add({ channel: 'C00000DEMO', name: 'eyes', timestamp: '1.0' }))).toEqual([
      'missing_scope',
      'reactions:write',
      provided,
    ]);
    // One of the four read scopes is there, but not the one for direct messages.
    expect(await refusal(client.conversations.info({ channel: 'D0000000ADA' }))).toEqual(['missing_scope', 'im:read', provided]);
    expect((await client.conversations.info({ channel: 'C00000DEMO' })).ok).toBe(true);
    expect(await refusal(client.conversations.history({ channel: 'C00000DEMO' }))).toContain('missing_scope');
  });

  test('come back in the headers, as the SDK reads them', async () => {
    const slack = await startSlack();
    const answer = await botClient(slack).chat.postMessage({ channel: 'C00000DEMO', text: 'x' });
    expect(answer.response_metadata).toMatchObject({
      scopes: defaultManifest.oauth_config.scopes.bot,
      acceptedScopes: ['chat:write'],
    });
  });
});

describe('a manifest', () => {
  const bad: [string, unknown, RegExp][] = [
    ['with a name of 36 characters', { display_information: { name: 'x'.repeat(36) } }, /display_information\.name/],
    ['without a bot', { features: {} }, /features\.bot_user/],
    [
      'that takes a command of Slack',
      { features: { ...defaultManifest.features, slash_commands: [{ command: '/remind', description: 'x' }] } },
      /\/remind is a command of Slack itself/,
    ],
    [
      'that subscribes without the scope',
      { oauth_config: { scopes: { bot: ['chat:write', 'commands'] } } },
      /message\.im needs the scope im:history/,
    ],
    [
      'with eleven shortcuts',
      {
        features: {
          ...defaultManifest.features,
          shortcuts: Array.from({ length: 11 }, (_, n) => ({
            name: 's',
            type: 'message',
            callback_id: `c${n}`,
            description: 'd',
          })),
        },
      },
      /features\.shortcuts/,
    ],
  ];
  test.each(bad)('%s is refused', async (_name, change, message) => {
    await expect(createSlackEmulator({ manifest: { ...defaultManifest, ...(change as object) } })).rejects.toThrow(message);
  });
});

describe('requests', () => {
  test('may be forms, JSON or multipart', async () => {
    const slack = await startSlack();
    const auth = { authorization: `Bearer ${slack.credentials.botToken}` };
    const url = `${slack.apiUrl}chat.postMessage`;
    const blocks = [{ type: 'divider' }];
    const json = await post(
      url,
      { ...auth, 'content-type': 'application/json; charset=utf-8' },
      JSON.stringify({ channel: 'C00000DEMO', text: 'json', blocks }),
    );
    const form = await post(
      url,
      { ...auth, 'content-type': 'application/x-www-form-urlencoded' },
      new URLSearchParams({ channel: 'C00000DEMO', text: 'form', blocks: JSON.stringify(blocks) }).toString(),
    );
    const data = new FormData();
    data.append('channel', 'C00000DEMO');
    data.append('text', 'multipart');
    const multipart = await fetch(url, { method: 'POST', headers: auth, body: data });
    for (const response of [json, form, multipart]) expect(await response.json()).toMatchObject({ ok: true });
    expect(
      slack
        .person('ada')
        .messages('#demo')
        .map((message) => message.text),
    ).toEqual(['json', 'form', 'multipart']);
  });

  test('that are no JSON, or name no method of the table, are refused in Slack’s words', async () => {
    const slack = await startSlack();
    const headers = { authorization: `Bearer ${slack.credentials.botToken}`, 'content-type': 'application/json' };
    const errorOf = async (method: string, body: string) =>
      ((await (await post(`${slack.apiUrl}${method}`, headers, body)).json()) as { error: string }).error;
    expect(await errorOf('chat.postMessage', '{')).toBe('invalid_json');
    expect(await errorOf('chat.postMessage', '[]')).toBe('json_not_object');
    expect(await errorOf('chat.scheduleMessage', '{}')).toBe('unknown_method');
    expect(await errorOf('api.test', '{"error":"as_asked"}')).toBe('as_asked');
  });
});
