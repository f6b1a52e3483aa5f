import { describe, expect, test } from 'vitest';
import { rest, send, startDiscordLab } from '../support/discord-lab.ts';

const post = (discord: Awaited<ReturnType<typeof startDiscordLab>>, channel: string) =>
  rest(discord, 'POST', `/channels/${channel}/messages`, { body: { content: 'x' } });

describe('rate limits', () => {
  test('stand in the headers of every answer, and over-limit calls are recorded though nothing is refused', async () => {
    const now = 1_800_000_000_000;
    const discord = await startDiscordLab({ now: () => now });
    const answers = [];
    for (let n = 0; n < 6; n += 1) answers.push(await post(discord, discord.channelId('demo')));
    expect(answers.map(({ status, headers }) => [status, headers.get('x-ratelimit-remaining')])).toEqual([
      [200, '4'],
      [200, '3'],
      [200, '2'],
      [200, '1'],
      [200, '0'],
      [200, '0'],
    ]);
    expect(Object.fromEntries(answers[0]?.headers ?? [])).toMatchObject({
      'x-ratelimit-limit': '5',
      'x-ratelimit-reset': '1800000005.000',
      'x-ratelimit-reset-after': '5.000',
      'x-ratelimit-bucket': expect.stringMatching(/^[0-9a-f]{32}$/),
    });
    expect(discord.overLimit()).toMatchObject([{ method: 'create_message', over: 'bucket' }]);
  });

  test('are enforced when switched on: per channel, apart for edits, until the window ends', async () => {
    let now = 1_800_000_000_000;
    const discord = await startDiscordLab({ now: () => now, rateLimiting: true });
    const [demo, general] = [discord.channelId('demo'), discord.channelId('general')];
    const { id } = await send(discord, demo, { content: 'card' });
    for (let n = 0; n < 4; n += 1) await send(discord, demo, { content: 'x' });
    now += 1_250;
    const refused = await post(discord, demo);
    expect([refused.status, refused.json]).toEqual([
      429,
      { message: 'You are being rate limited.', retry_after: 3.75, global: false },
    ]);
    expect([refused.headers.get('retry-after'), refused.headers.get('x-ratelimit-scope')]).toEqual(['4', 'user']);
    expect((await post(discord, general)).status).toBe(200);
    expect((await rest(discord, 'PATCH', `/channels/${demo}/messages/${id}`, { body: { content: 'y' } })).status).toBe(200);
    now += 3_750;
    expect((await post(discord, demo)).status).toBe(200);
    expect(discord.overLimit()).toEqual([]);
    expect(discord.controls.invalidRequests()).toBe(1);
  });

  test('hold for the bot as a whole at fifty a second, interactions aside', async () => {
    const now = 1_800_000_000_000;
    const discord = await startDiscordLab({ now: () => now, rateLimiting: true });
    for (let n = 0; n < 50; n += 1)
      expect((await rest(discord, 'GET', `/users/${n % 2 ? '@me' : discord.botUserId}`)).status).toBe(200);
    const refused = await post(discord, discord.channelId('demo'));
    expect([refused.status, refused.json.global, refused.headers.get('x-ratelimit-global')]).toEqual([429, true, 'true']);
    expect((await rest(discord, 'POST', '/interactions/1/x/callback', { body: { type: 5 } })).json.code).toBe(10062);
  });

  test('are narrower for edits of messages older than an hour', async () => {
    let now = 1_800_000_000_000;
    const discord = await startDiscordLab({ now: () => now, rateLimiting: true });
    const { id } = await send(discord, discord.channelId('demo'), { content: 'card' });
    now += 61 * 60_000;
    const edit = (content: string) =>
      rest(discord, 'PATCH', `/channels/${discord.channelId('demo')}/messages/${id}`, { body: { content } });
    for (const text of ['1', '2', '3']) expect((await edit(text)).status).toBe(200);
    expect(await edit('4')).toMatchObject({ status: 429, json: { code: 30046 } });
  });
});

describe('access', () => {
  test('is refused with 401 for a bad token, 404 for unknown paths, 405 for other verbs, 50041 for other versions', async () => {
    const discord = await startDiscordLab();
    expect(await rest(discord, 'GET', '/users/@me', { token: 'x' })).toMatchObject({
      status: 401,
      json: { message: '401: Unauthorized', code: 0 },
    });
    expect(await rest(discord, 'GET', '/nothing/here')).toMatchObject({
      status: 404,
      json: { message: '404: Not Found', code: 0 },
    });
    expect((await rest(discord, 'PUT', '/users/@me')).status).toBe(405);
    expect(await (await fetch(`${discord.apiUrl}/v9/users/@me`)).json()).toMatchObject({ code: 50041 });
  });

  test('reads say who the bot is, where it is, and how to connect', async () => {
    const discord = await startDiscordLab();
    discord.controls.grantIntents('MESSAGE_CONTENT');
    const get = async (path: string) => (await rest(discord, 'GET', path)).json;
    expect(await get('/gateway/bot')).toMatchObject({
      url: discord.url.replace('http', 'ws'),
      shards: 1,
      session_start_limit: { total: 1000, remaining: 1000 },
    });
    expect(await get('/applications/@me')).toMatchObject({
      id: discord.applicationId,
      verify_key: discord.publicKey,
      flags: 1 << 19,
    });
    expect(await get('/users/@me')).toMatchObject({ id: discord.botUserId, bot: true });
    expect(await get(`/guilds/${discord.guildId}`)).toMatchObject({ owner_id: discord.person('ada').id });
    expect(await get(`/guilds/${discord.guildId}/members/${discord.person('gus').id}`)).toMatchObject({
      user: { username: 'gus' },
    });
    expect((await rest(discord, 'GET', `/guilds/${discord.guildId}/channels`)).list.map(({ name }) => name)).toEqual([
      'demo',
      'general',
      'ops',
    ]);
    expect((await get(`/guilds/${discord.guildId}/members/1`)).code).toBe(10007);
    expect((await get('/guilds/1')).code).toBe(10004);
  });
});

describe('faults', () => {
  test('fail, drop before or after the effect, hold and delay single calls', async () => {
    const discord = await startDiscordLab();
    const demo = discord.channelId('demo');
    discord.controls.failNext('create_message', { status: 403, code: 50013 });
    expect(await post(discord, demo)).toMatchObject({ status: 403, json: { code: 50013 } });
    discord.controls.failNext('create_message', { status: 429, retryAfter: 2 });
    const { headers } = await post(discord, demo);
    expect([headers.get('retry-after'), headers.get('x-ratelimit-remaining')]).toEqual(['2', '0']);
    expect(headers.get('x-ratelimit-bucket')).toBe((await post(discord, demo)).headers.get('x-ratelimit-bucket'));
    discord.controls.failNext('create_message', { dropConnectionBeforeEffect: true });
    await expect(post(discord, demo)).rejects.toThrow();
    expect(discord.person('ada').messages('#demo')).toHaveLength(1);
    discord.controls.failNext('create_message', { dropConnectionAfterEffect: true });
    await expect(post(discord, demo)).rejects.toThrow();
    expect(discord.person('ada').messages('#demo')).toHaveLength(2);
    const held = discord.controls.hold('create_message');
    const sending = post(discord, demo);
    await held.reached;
    expect(discord.person('ada').messages('#demo')).toHaveLength(2);
    held.release();
    expect((await sending).status).toBe(200);
    expect(discord.callsOf('create_message').map(({ status }) => status)).toEqual([403, 429, 200, 0, 0, 200]);
  });
});
