import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeEach, describe, expect, test } from 'vitest';
import { createDiscordEmulator } from '../../lab/discord/emulator.ts';
import { identify, openGateway, rest, send, startDiscordLab } from '../support/discord-lab.ts';

describe('people', () => {
  test('say, mention, reply, edit, delete and react as the client lets them', async () => {
    const discord = await startDiscordLab();
    const [ada, ben] = [discord.person('ada'), discord.person('ben')];
    const first = ada.say('#demo', 'look, @ben, in #general');
    expect(first).toMatchObject({ plain: 'look, @Ben, in #general', mentions: [ben.id] });
    expect(first.content).toContain(`<#${discord.channelId('general')}>`);
    expect(ada.mention('#demo', 'tasks')).toMatchObject({
      content: `<@${discord.botUserId}> tasks`,
      mentions: [discord.botUserId],
    });
    expect(ben.reply(first, 'yes')).toMatchObject({ type: 19, mentions: [ada.id], reference: { message_id: first.id } });
    expect(ada.edit(first, 'changed')).toMatchObject({ content: 'changed', edited_at: expect.any(Number) });
    expect(() => ben.edit(first, 'x')).toThrow('own messages');
    expect(() => ada.say('#demo', ' ')).toThrow('Type something');
    expect(() => ada.say('#demo', 'x'.repeat(2001))).toThrow('2000');
    ben.react(first, '👍');
    expect(() => ben.react(first, '👍')).toThrow('Nothing to change');
    ada.delete(first);
    expect(() => ada.look(first)).toThrow('not there any more');
  });

  test('do not see the DMs and private channels of others', async () => {
    const discord = await startDiscordLab();
    const [ada, ben] = [discord.person('ada'), discord.person('ben')];
    const secret = ada.dm('just us');
    expect(() => ben.look(secret)).toThrow('does not exist');
    const room = discord.controls.addChannel({ name: 'room', private: [ada.id] });
    ada.say('#room', 'in here');
    expect(() => ben.say(room.id, 'x')).toThrow('sees no channel');
    expect((await rest(discord, 'GET', `/channels/${room.id}/messages`)).list).toMatchObject([{ content: 'in here' }]);
  });

  test('share the guild with other bots and webhooks, which the app can tell apart', async () => {
    const discord = await startDiscordLab();
    const gateway = await openGateway(discord);
    gateway.send(identify(discord));
    await gateway.event('GUILD_CREATE');
    discord.controls.sayAsBot('#demo', 'from a bot');
    discord.controls.sayAsWebhook('#demo', 'CI', 'from a webhook');
    const heard = (text: string) => gateway.next(({ d }) => (d as { content?: string } | null)?.content === text);
    expect((await heard('from a bot')).d).toMatchObject({ author: { bot: true } });
    expect((await heard('from a webhook')).d).toMatchObject({
      author: { bot: true, username: 'CI' },
      webhook_id: expect.any(String),
    });
  });

  test('wait for what comes later, and are told what was there instead', async () => {
    const discord = await startDiscordLab();
    const ada = discord.person('ada');
    const later = ada.waitForMessage(/second/, { channel: '#demo' });
    await send(discord, discord.channelId('demo'), { content: 'first' });
    await send(discord, discord.channelId('demo'), { content: 'second' });
    expect((await later).plain).toBe('second');
    const typing = ada.waitForTyping('#demo');
    expect((await rest(discord, 'POST', `/channels/${discord.channelId('demo')}/typing`)).status).toBe(204);
    await typing;
    await expect(ada.waitForMessage('third', { timeoutMs: 20 })).rejects.toThrow('first');
  });
});

describe('a guild on disk', () => {
  let directory: string;
  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'lab-discord-'));
    return () => rmSync(directory, { recursive: true, force: true });
  });

  test('keeps messages, threads, files, commands and tokens, but nothing ephemeral', async () => {
    const before = await createDiscordEmulator({ persistPath: directory });
    const demo = before.channelId('demo');
    await rest(before, 'PUT', `/applications/${before.applicationId}/commands`, { body: [{ name: 'go', description: 'x' }] });
    const gateway = await openGateway(before);
    gateway.send(identify(before));
    await gateway.event('GUILD_CREATE');
    const ada = before.person('ada');
    const asking = ada.slash('#demo', '/go');
    const { id, token } = await gateway.event('INTERACTION_CREATE');
    await rest(before, 'POST', `/interactions/${String(id)}/${String(token)}/callback`, {
      body: { type: 4, data: { content: 'x', flags: 64 } },
    });
    await asking;
    const root = await send(before, demo, { content: 'card', nonce: 'n', enforce_nonce: true });
    await rest(before, 'POST', `/channels/${demo}/messages/${root.id}/threads`, { body: { name: 'work' } });
    ada.say(root, 'with a file', { files: [ada.upload('a.txt', 'content')] });
    ada.upload('never sent.txt', 'x');
    await before.close();

    const after = await createDiscordEmulator({ persistPath: directory });
    const again = after.person('ada');
    expect(again.messages('#demo').map(({ plain }) => plain)).toEqual(['card']);
    const [file = ''] = again.messages(root).at(-1)?.attachments ?? [];
    expect(again.content(file)?.toString()).toBe('content');
    expect(readdirSync(join(directory, 'files'))).toHaveLength(1);
    expect(again.ephemerals()).toEqual([]);
    expect((await send(after, demo, { content: 'card', nonce: 'n', enforce_nonce: true })).id).toBe(root.id);
    const late = await rest(after, 'POST', `/webhooks/${after.applicationId}/${String(token)}`, {
      body: { content: 'follow-up' },
    });
    expect(late.status).toBe(200);
    expect(BigInt(String(late.json.id)) > BigInt(root.id)).toBe(true);
    expect((await rest(after, 'GET', `/applications/${after.applicationId}/commands`)).list).toMatchObject([{ name: 'go' }]);
    after.reset();
    expect(again.messages('#demo')).toEqual([]);
    await after.close();
  });
});
