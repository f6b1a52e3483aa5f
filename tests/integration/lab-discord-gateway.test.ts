import { Events } from 'discord.js';
import { describe, expect, test } from 'vitest';
import { identify, openGateway, rest, send, startClient, startDiscordLab } from '../support/discord-lab.ts';
import { waitFor } from '../support/wait-for.ts';

const MESSAGE_CONTENT = 1 << 15;

describe('a session', () => {
  test('begins with HELLO, READY and the guild with its channels and threads', async () => {
    const discord = await startDiscordLab();
    const ada = discord.person('ada');
    const thread = ada.startThread(ada.say('#demo', 'root'), 'work');
    const gateway = await openGateway(discord);
    expect(await gateway.next(({ op }) => op === 10)).toMatchObject({ d: { heartbeat_interval: 41_250 } });
    gateway.send(identify(discord));
    expect(await gateway.event('READY')).toMatchObject({
      v: 10,
      user: { id: discord.botUserId, bot: true },
      guilds: [{ id: discord.guildId, unavailable: true }],
      resume_gateway_url: discord.url.replace('http', 'ws'),
      application: { id: discord.applicationId },
    });
    const guild = await gateway.event('GUILD_CREATE');
    expect(guild).toMatchObject({ id: discord.guildId, unavailable: false, threads: [{ id: thread.id, type: 11 }] });
    expect(guild.channels).toHaveLength(3);
    expect(gateway.frames.flatMap(({ op, s }) => (op === 0 ? [s] : []))).toEqual([1, 2]);
  });

  test.each([
    ['a bad token', 4004, { token: 'nope' }],
    ['an intent that does not exist', 4013, { intents: 1 << 18 }],
    ['a privileged intent that is not switched on', 4014, { intents: (1 << 9) | MESSAGE_CONTENT }],
    ['a shard too many', 4010, { shard: [1, 2] }],
  ])('is closed for %s with %i', async (_what, code, more) => {
    const discord = await startDiscordLab();
    discord.controls.grantIntents();
    const gateway = await openGateway(discord);
    gateway.send(identify(discord, { intents: 1, ...more }));
    expect(await gateway.closed).toBe(code);
  });

  test.each([
    ['an unknown opcode', 4001, { op: 77 }],
    ['text that is no JSON', 4002, 'hello'],
    ['a frame over 4,096 bytes', 4002, { op: 1, d: 'x'.repeat(4_100) }],
    ['commands before IDENTIFY', 4003, { op: 3, d: {} }],
    ['a RESUME with a bad token', 4004, { op: 6, d: { token: 'nope', session_id: 'x', seq: 1 } }],
  ])('is closed for %s with %i', async (_what, code, frame) => {
    const gateway = await openGateway(await startDiscordLab());
    gateway.send(frame);
    expect(await gateway.closed).toBe(code);
  });

  test('is closed for a second IDENTIFY, for too many frames and for another version', async () => {
    const discord = await startDiscordLab();
    const twice = await openGateway(discord);
    twice.send(identify(discord));
    twice.send(identify(discord));
    expect(await twice.closed).toBe(4005);
    const eager = await openGateway(discord);
    for (let n = 0; n < 121; n += 1) eager.send({ op: 1, d: null });
    expect(await eager.closed).toBe(4008);
    expect(await (await openGateway(discord, '?v=9&encoding=json')).closed).toBe(4012);
  });

  test('is invalid when it is asked for within five seconds of another, where limits are on', async () => {
    let later = 0;
    const discord = await startDiscordLab({ rateLimiting: true, now: () => Date.now() + later });
    const open = async () => {
      const gateway = await openGateway(discord);
      gateway.send(identify(discord));
      return (await gateway.next(({ op, t }) => op === 9 || t === 'READY')).op;
    };
    expect([await open(), await open()]).toEqual([0, 9]);
    later = 5_000;
    expect(await open()).toBe(0);
    expect(discord.controls.gateway.stats).toMatchObject({ identified: 2, tooSoon: 1 });
  });

  test('acknowledges heartbeats, asks for them, and closes clients that send none', async () => {
    const discord = await startDiscordLab({ timing: { heartbeat: 1_000 } });
    const gateway = await openGateway(discord);
    gateway.send(identify(discord));
    gateway.send({ op: 1, d: null });
    await gateway.next(({ op }) => op === 11);
    discord.controls.gateway.requestHeartbeat();
    await gateway.next(({ op }) => op === 1);
    expect(await gateway.closed).toBe(4009);
  });
});

describe('coming back', () => {
  /** A client that has read everything up to `root` and was then cut off. */
  async function cutOff() {
    const discord = await startDiscordLab();
    const gateway = await openGateway(discord);
    gateway.send(identify(discord));
    const { session_id } = await gateway.event('READY');
    await gateway.event('GUILD_CREATE');
    discord.controls.gateway.cut();
    await gateway.closed;
    await waitFor('the cut', () => discord.controls.gateway.count() === 0);
    return { discord, resume: (seq: number) => ({ op: 6, d: { token: discord.token, session_id, seq } }) };
  }

  test('with RESUME replays what was missed, in order, then goes on', async () => {
    const { discord, resume } = await cutOff();
    const ada = discord.person('ada');
    ada.say('#demo', 'one');
    ada.say('#demo', 'two');
    const again = await openGateway(discord);
    again.send(resume(2));
    await again.event('RESUMED');
    ada.say('#demo', 'three');
    await again.next(({ d }) => (d as { content?: string } | null)?.content === 'three');
    expect(again.frames.flatMap(({ op, t, s }) => (op === 0 ? [`${t} ${s}`] : []))).toEqual([
      'MESSAGE_CREATE 3',
      'MESSAGE_CREATE 4',
      'RESUMED 5',
      'MESSAGE_CREATE 6',
    ]);
    expect(discord.controls.gateway.stats).toEqual({ identified: 1, resumed: 1, invalidated: 0, tooSoon: 0 });
  });

  test('with a number that was never sent is closed with 4007', async () => {
    const { discord, resume } = await cutOff();
    const again = await openGateway(discord);
    again.send(resume(99));
    expect(await again.closed).toBe(4007);
  });

  test('is refused after a polite close, and after an invalidation', async () => {
    const discord = await startDiscordLab();
    for (const end of ['polite', 'invalid']) {
      const gateway = await openGateway(discord);
      gateway.send(identify(discord));
      const { session_id } = await gateway.event('READY');
      if (end === 'polite') gateway.socket.close(1000);
      else discord.controls.gateway.invalidate(false);
      if (end === 'polite') await gateway.closed;
      else await gateway.next(({ op, d }) => op === 9 && d === false);
      await waitFor('the end of the session', () => discord.controls.gateway.count() === 0);
      const again = await openGateway(discord);
      again.send({ op: 6, d: { token: discord.token, session_id, seq: 1 } });
      expect((await again.next(({ op }) => op === 9)).d).toBe(false);
    }
  });

  test('is refused after too long a time', async () => {
    let now = Date.now();
    const discord = await startDiscordLab({ now: () => now });
    const gateway = await openGateway(discord);
    gateway.send(identify(discord));
    const { session_id } = await gateway.event('READY');
    discord.controls.gateway.cut();
    await waitFor('the cut', () => discord.controls.gateway.count() === 0);
    now += 4 * 60_000;
    const again = await openGateway(discord);
    again.send({ op: 6, d: { token: discord.token, session_id, seq: 1 } });
    expect((await again.next(({ op }) => op === 9)).d).toBe(false);
  });

  test('works with discord.js after a cut, after RECONNECT, and after an outage of everything', async () => {
    const discord = await startDiscordLab();
    const heard: string[] = [];
    const client = await startClient(discord, (bot) => bot.on(Events.MessageCreate, ({ content }) => heard.push(content)));
    const ada = discord.person('ada');
    const { gateway } = discord.controls;
    gateway.cut();
    ada.say('#demo', 'during the cut');
    await waitFor('the message', () => heard.includes('during the cut'));
    gateway.requestReconnect();
    await waitFor('the second resume', () => gateway.stats.resumed === 2);
    ada.say('#demo', 'after it');
    await waitFor('the message', () => heard.includes('after it'));
    discord.controls.outage(true);
    expect((await rest(discord, 'GET', '/users/@me')).status).toBe(503);
    discord.controls.outage(false);
    await waitFor('the third connection', () => gateway.count() === 1, { timeoutMs: 15_000 });
    ada.say('#demo', 'after the outage');
    await waitFor('the message', () => heard.includes('after the outage'));
    expect(client.isReady()).toBe(true);
  });
});

describe('what a session hears', () => {
  test('follows its intents, and the rights of the bot', async () => {
    const discord = await startDiscordLab();
    const [all, guildsOnly] = [await openGateway(discord), await openGateway(discord)];
    all.send(identify(discord));
    guildsOnly.send(identify(discord, { intents: 1 }));
    await Promise.all([all.event('GUILD_CREATE'), guildsOnly.event('GUILD_CREATE')]);
    const ada = discord.person('ada');
    ada.say('#ops', 'secret');
    ada.say('#demo', 'open');
    ada.dm('psst');
    discord.controls.denyIn('ops');
    ada.say('#ops', 'now the bot sees it');
    const thread = discord.person('ben').startThread('#general', 'plan');
    await Promise.all([all.event('THREAD_CREATE'), guildsOnly.event('THREAD_CREATE')]);
    const heard = (gateway: typeof all) =>
      gateway.frames.flatMap(({ t, d }) => (t === 'MESSAGE_CREATE' ? [(d as { content: string }).content] : []));
    expect(heard(all)).toEqual(['open', 'psst', 'now the bot sees it', 'plan']);
    expect(heard(guildsOnly)).toEqual([]);
    expect(await all.event('THREAD_LIST_SYNC')).toMatchObject({ channel_ids: [discord.channelId('ops')], threads: [] });
    expect(await guildsOnly.event('THREAD_CREATE')).toMatchObject({ id: thread.id, newly_created: true, name: 'plan' });
  });

  test('holds no text without MESSAGE_CONTENT, except in own messages, DMs and mentions', async () => {
    const discord = await startDiscordLab();
    discord.controls.grantIntents();
    const gateway = await openGateway(discord);
    gateway.send(identify(discord, { intents: 1 | (1 << 9) | (1 << 12) }));
    await gateway.event('GUILD_CREATE');
    const ada = discord.person('ada');
    const hidden = ada.say('#demo', 'plain', { files: [ada.upload('a.txt', 'a')] });
    ada.mention('#demo', 'with a mention');
    ada.dm('direct');
    const own = await send(discord, discord.channelId('demo'), { content: 'own' });
    ada.reply(ada.look(own.id), 'a reply that pings');
    ada.reply(ada.look(own.id), 'a reply that does not', { ping: false });
    const told = async () =>
      gateway.frames.filter(({ t }) => t === 'MESSAGE_CREATE').map(({ d }) => d as Record<string, unknown>);
    await waitFor('six messages', async () => (await told()).length === 6);
    const texts = (await told()).map(({ content }) => content);
    expect(texts).toEqual(['', `<@${discord.botUserId}> with a mention`, 'direct', 'own', 'a reply that pings', '']);
    expect((await told())[0]).toMatchObject({ attachments: [], author: { id: ada.id }, guild_id: discord.guildId });
    const read = await rest(discord, 'GET', `/channels/${hidden.channel}/messages/${hidden.id}`);
    expect(read.json).toMatchObject({ content: '', attachments: [] });
  });

  test('carries the member in guilds, edits with their time, deletions, and no time for the mark of a thread', async () => {
    const discord = await startDiscordLab();
    const gateway = await openGateway(discord);
    gateway.send(identify(discord));
    await gateway.event('GUILD_CREATE');
    const ada = discord.person('ada');
    const message = ada.say('#demo', 'first @ben');
    expect(await gateway.event('MESSAGE_CREATE')).toMatchObject({
      member: { roles: [expect.any(String)] },
      mentions: [{ id: discord.person('ben').id, member: expect.any(Object) }],
      edited_timestamp: null,
    });
    ada.startThread(message, 'work');
    expect(await gateway.event('MESSAGE_UPDATE')).toMatchObject({ id: message.id, edited_timestamp: null, flags: 32 });
    ada.edit(message, 'second');
    const edited = await gateway.next(({ t, d }) => t === 'MESSAGE_UPDATE' && (d as { content: string }).content === 'second');
    expect(edited.d).toMatchObject({ edited_timestamp: expect.stringMatching(/^\d{4}-/) });
    ada.delete(message);
    expect(await gateway.event('MESSAGE_DELETE')).toEqual({
      id: message.id,
      channel_id: message.channel,
      guild_id: discord.guildId,
    });
  });
});
