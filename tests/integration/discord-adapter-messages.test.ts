import { describe, expect, it } from 'vitest';
import { LEAST_BOT_PERMISSIONS } from '../../lab/discord/permissions.ts';
import type { Missed } from '../../src/contracts/chat-adapter.ts';
import { type DiscordOptions, type DiscordSetup, discordForTest, ofType } from '../support/discord-adapter.ts';
import { eventually, waitFor } from '../support/wait-for.ts';

const start = (options: DiscordOptions = {}) => discordForTest(options);

const textsOf = (setup: DiscordSetup) => ofType(setup, 'message').map(({ text }) => text);

async function heard(setup: DiscordSetup, ...texts: string[]): Promise<void> {
  await eventually(() => expect(textsOf(setup)).toEqual(texts));
}

describe('messages of people', () => {
  it('are mentions, direct messages and replies in threads, each with where it was said and by whom', async () => {
    const setup = await start();
    const { discord, inbox } = setup;
    const [ada, ben] = [discord.person('ada'), discord.person('ben')];
    const asked = ada.mention('#demo', 'fix the login & the *test*');
    ada.say('#demo', 'channel talk');
    const thread = ada.startThread(asked, 'the login');
    ben.say(thread.id, 'now https://example.com/x?a=1&b=2');
    ada.dm('tasks');
    await eventually(() => expect(inbox.events).toHaveLength(3));
    const demo = setup.channel('demo');
    expect(ofType(setup, 'message').sort((one, other) => (BigInt(one.message) < BigInt(other.message) ? -1 : 1))).toMatchObject([
      {
        key: `msg:${demo.channel}:${asked.id}`,
        text: 'fix the login & the *test*',
        addressed: 'mention',
        conversation: demo,
        channelName: 'demo',
        channelPrivate: false,
        actor: { user: ada.id, name: 'Ada', bot: false },
      },
      {
        text: 'now https://example.com/x?a=1&b=2',
        addressed: 'thread',
        conversation: { ...demo, thread: thread.id },
        actor: { user: ben.id, name: 'Ben', bot: false },
      },
      { text: 'tasks', addressed: 'direct', conversation: { kind: 'direct', tenant: discord.applicationId } },
    ]);
  });

  it('are deleted with the permission to manage messages; without it, and in direct conversations, that is said', async () => {
    const setup = await start();
    const { discord, adapter } = setup;
    const ada = discord.person('ada');
    const said = ada.mention('#demo', 'a key');
    const thread = ada.startThread(said, 'a thread');
    const inside = ada.say(thread.id, 'another key');
    const demo = setup.channel('demo');
    const refs = [
      { ...demo, message: said.id },
      { ...demo, thread: thread.id, message: inside.id },
    ];
    const refusal = { failure: { kind: 'not_permitted' } };
    for (const ref of refs) await expect(adapter.remove?.(ref)).rejects.toMatchObject(refusal);
    discord.controls.botPermissions(...LEAST_BOT_PERMISSIONS, 'MANAGE_MESSAGES');
    for (const ref of refs.toReversed()) await adapter.remove?.(ref);
    for (const ref of refs) await expect(adapter.remove?.(ref)).rejects.toMatchObject({ failure: { kind: 'gone' } });
    const direct = ada.dm('a key');
    await expect(adapter.remove?.({ ...demo, channel: direct.channel, message: direct.id })).rejects.toMatchObject(refusal);
  });

  it('that answer one of the bot outside its thread name it; answers to people are talk', async () => {
    const setup = await start();
    const { discord, adapter } = setup;
    const [ada, ben] = [discord.person('ada'), discord.person('ben')];
    const card = await adapter.send(setup.channel('demo'), { fallback: 'the card', blocks: [] }, 'k1');
    const shown = ada.look(card.message);
    const [pinged, quiet] = [ada.reply(shown, 'retry'), ben.reply(shown, 'stop', { ping: false })];
    ben.reply(pinged, 'why?');
    const thread = ada.startThread(card.message, 'a thread');
    const inside = ben.say(thread.id, 'show');
    ada.mention('#demo', 'tasks');
    await waitFor('four messages', () => setup.inbox.events.length === 4);
    const said = ofType(setup, 'message').map(({ message, addressed, replyTo }) => ({ message, addressed, replyTo }));
    expect(said.toSorted((one, other) => (BigInt(one.message) < BigInt(other.message) ? -1 : 1))).toEqual([
      { message: pinged.id, addressed: 'mention', replyTo: card.message },
      { message: quiet.id, addressed: 'thread', replyTo: card.message },
      { message: inside.id, addressed: 'thread', replyTo: undefined },
      { message: expect.any(String), addressed: 'mention', replyTo: undefined },
    ]);
  });

  it('of bots, of webhooks and of the bot itself are not heard', async () => {
    const setup = await start();
    const { discord, adapter } = setup;
    const mention = `<@${discord.botUserId}> sh make`;
    discord.controls.sayAsBot('demo', mention);
    discord.controls.sayAsWebhook('demo', 'ci', mention);
    await adapter.send(setup.channel('demo'), { fallback: mention, blocks: [] }, 'k1');
    discord.person('ada').mention('#demo', 'tasks');
    await heard(setup, 'tasks');
    expect(setup.inbox.offered).toHaveLength(1);
  });

  it('carry their attachments, edits with the new words, and deletions with whose message it was', async () => {
    const setup = await start();
    const { discord } = setup;
    const ada = discord.person('ada');
    const file = ada.upload('trace.log', 'one line\n');
    const asked = ada.mention('#demo', 'look at this', { files: [file] });
    await waitFor('the message', () => setup.inbox.events.length === 1);
    ada.edit(asked, `<@${discord.botUserId}> look at that`);
    await waitFor('the edit', () => setup.inbox.events.length === 2);
    ada.delete(asked);
    await waitFor('the deletion', () => setup.inbox.events.length === 3);
    expect(setup.inbox.events).toMatchObject([
      { type: 'message', attachments: [{ id: file.id, name: 'trace.log', mime: 'text/plain', bytes: 9 }] },
      { type: 'message_edited', text: 'look at that', message: asked.id },
      { type: 'message_deleted', message: asked.id, actor: { user: ada.id } },
    ]);
  });

  it('of a server that the bot is added to while it runs are heard at once, as of the same tenant', async () => {
    const setup = await start();
    const { discord, adapter } = setup;
    const [guild, channel] = ['1100000000000009001', '1100000000000009002'];
    const frame = (s: number, t: string, d: object) => discord.controls.gateway.sendRaw({ op: 0, s, t, d });
    const hidden = [{ id: guild, type: 0, allow: '0', deny: '1024' }];
    const channels = [{ id: channel, type: 0, name: 'ops', permission_overwrites: hidden }];
    frame(3, 'GUILD_CREATE', { id: guild, name: 'Another', channels, threads: [] });
    const author = { id: discord.person('ada').id, username: 'ada', global_name: 'Ada' };
    const content = `<@${discord.botUserId}> tasks`;
    frame(4, 'MESSAGE_CREATE', { id: discord.core.state.nextId(), channel_id: channel, guild_id: guild, author, content });
    await heard(setup, 'tasks');
    const { tenant } = setup.channel('demo');
    expect(setup.inbox.events).toMatchObject([
      { conversation: { tenant, channel, kind: 'channel' }, channelName: 'ops', channelPrivate: true },
    ]);
    expect(adapter.tenants().map((one) => one.tenant)).toEqual([tenant]);
  });

  it('promise 3: stay in order while the store fails, and are all stored in the end', async () => {
    const setup = await start();
    const ada = setup.discord.person('ada');
    setup.inbox.fail(3);
    for (const text of ['one', 'two', 'three']) ada.mention('#demo', text);
    await heard(setup, 'one', 'two', 'three');
  });

  it('promise 3: one channel does not wait for what the store does with another', async () => {
    const setup = await start();
    const { discord } = setup;
    const held = setup.inbox.hold();
    discord.person('ada').mention('#demo', 'slow');
    await waitFor('the first to be offered', () => setup.inbox.offered.length === 1);
    discord.person('ben').mention('#general', 'other');
    await waitFor('the second to be offered', () => setup.inbox.offered.length === 2);
    held.release();
    await eventually(() => expect(textsOf(setup).sort()).toEqual(['other', 'slow']));
  });
});

describe('what was said while nobody listened', () => {
  it('promise 8: is looked up after a restart: in channels, threads and direct conversations, once and in order', async () => {
    const setup = await start();
    const { discord, adapter, inbox } = setup;
    const ada = discord.person('ada');
    const asked = ada.mention('#demo', 'before');
    const thread = ada.startThread(asked, 'about it');
    await heard(setup, 'before');
    const since = new Date().toISOString();
    await adapter.stop();
    for (const text of ['one', 'two']) ada.mention('#demo', text);
    ada.say('#demo', 'channel talk');
    ada.say(thread.id, 'three');
    ada.dm('four');

    const next = setup.another();
    await next.start(inbox.sink);
    expect(setup.gaps()).toBe(2);
    const missed: Missed[] = [setup.channel('demo'), setup.channel('demo', thread.id)].map((conversation) => ({
      conversation,
      since,
    }));
    missed.push({ conversation: await next.direct(setup.identity('ada')), since });
    await next.backfill?.(missed);
    await next.backfill?.(missed);
    expect(textsOf(setup)).toEqual(['before', 'one', 'two', 'three', 'four']);
    expect(ofType(setup, 'message').slice(2)).toMatchObject([
      { conversation: setup.channel('demo') },
      { conversation: { thread: thread.id }, addressed: 'thread' },
      { conversation: { kind: 'direct' }, addressed: 'direct' },
    ]);
  });

  it('is the same event as the one of the gateway', async () => {
    const setup = await start();
    const since = new Date().toISOString();
    setup.discord.person('ada').mention('#demo', 'tasks');
    await heard(setup, 'tasks');
    await setup.adapter.backfill?.([{ conversation: setup.channel('demo'), since }]);
    expect(setup.inbox.offered).toHaveLength(2);
    expect(setup.inbox.events).toHaveLength(1);
  });

  it('is looked up page by page, waiting when Discord says so', async () => {
    const setup = await start();
    const { discord, adapter, inbox } = setup;
    await adapter.stop();
    const since = new Date().toISOString();
    const ada = discord.person('ada');
    const texts = Array.from({ length: 130 }, (_, at) => `number ${at}`);
    for (const text of texts) ada.mention('#demo', text);
    const next = setup.another();
    await next.start(inbox.sink);
    discord.controls.failNext('list_messages', { status: 429, retryAfter: 0.2 });
    await next.backfill?.([{ conversation: setup.channel('demo'), since }]);
    expect(textsOf(setup)).toEqual(texts);
  });

  it('promise 1: is not taken for looked up when the adapter stops meanwhile', async () => {
    const setup = await start();
    const { discord, adapter } = setup;
    discord.controls.failNext('list_messages', { status: 429, retryAfter: 60 });
    const looking = adapter.backfill?.([{ conversation: setup.channel('demo'), since: new Date().toISOString() }]);
    await waitFor('the question', () => discord.calls.some(({ method }) => method === 'list_messages'));
    await Promise.all([expect(looking).rejects.toThrow(), adapter.stop()]);
  });

  it('is nothing in a channel that is gone or hidden, and everything in the next one', async () => {
    const setup = await start();
    const { discord, adapter } = setup;
    const since = new Date().toISOString();
    const gone = { ...setup.channel('demo'), channel: '1100000000000007777' };
    discord.person('ada').mention('#demo', 'tasks');
    await heard(setup, 'tasks');
    const places = [gone, setup.channel('ops'), setup.channel('demo')];
    await adapter.backfill?.(places.map((conversation) => ({ conversation, since })));
    expect(setup.inbox.offered).toHaveLength(2);
  });
});
