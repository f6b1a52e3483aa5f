import { describe, expect, it } from 'vitest';
import type { FileDownload } from '../../src/contracts/given-file.ts';
import { collected } from '../../src/tasks/file-fetcher.ts';
import { startDiscord } from '../support/discord-adapter.ts';
import { startSlack } from '../support/slack-adapter.ts';
import { startTelegram } from '../support/telegram-adapter.ts';
import { waitFor } from '../support/wait-for.ts';

it('Slack: tells what was said in a thread, or in the channel, before a message', async () => {
  await using setup = await startSlack({ mode: 'socket' });
  const { slack, adapter, inbox } = setup;
  const root = slack.person('gus').say('#demo', 'the login fails & more');
  slack.person('ada').say('#demo', 'me too', { thread: root.ts });
  const asked = slack.person('ben').mention('#demo', 'fix it', { thread: root.ts });
  slack.person('ada').say('#demo', 'after that', { thread: root.ts });
  const event = await waitFor('the mention', () => inbox.events.find((one) => one.type === 'message'), { timeoutMs: 30_000 });
  if (event.type !== 'message') expect.unreachable();
  const told = await adapter.history?.(event.conversation, asked.ts, 50);
  expect(told).toMatchObject([
    { message: root.ts, text: 'the login fails & more', author: { user: slack.person('gus').id, bot: false, own: false } },
    { text: 'me too', author: { user: slack.person('ada').id } },
  ]);
  const { thread: _, ...top } = event.conversation;
  expect(await adapter.history?.(top, asked.ts, 1)).toMatchObject([{ text: 'the login fails & more' }]);
});

it('Discord: tells what was said in a channel before a message, and which of it is its own', async () => {
  await using setup = await startDiscord({ mode: 'gateway' });
  const { discord, adapter, channel } = setup;
  discord.person('gus').say('#demo', 'the login fails');
  await adapter.send(
    channel('demo'),
    { fallback: 'hello', blocks: [{ type: 'text', spans: [{ type: 'text', text: 'hello' }] }] },
    'k',
  );
  const asked = discord.person('ben').say('#demo', 'fix it');
  const told = await adapter.history?.(channel('demo'), asked.id, 50);
  expect(told).toMatchObject([
    { text: 'the login fails', author: { user: discord.person('gus').id, bot: false, own: false } },
    { author: { own: true, bot: true } },
  ]);
});

it('Discord: begins with the message that a thread was opened on, also where the thread is long', async () => {
  await using setup = await startDiscord({ mode: 'gateway' });
  const { discord, adapter, channel } = setup;
  const gus = discord.person('gus');
  const screen = gus.upload('screen.png', 'not really a picture');
  const starter = gus.say('#demo', 'the login fails', { files: [screen] });
  const thread = discord.person('ada').startThread(starter, 'Login');
  const inThread = channel('demo', thread.id);
  discord.person('ada').say(thread.id, 'me too');
  const first = await adapter.history?.(inThread, undefined, 50);
  expect(first?.map(({ text }) => text)).toEqual(['the login fails', 'me too']);
  expect(first?.[0]).toMatchObject({ message: starter.id, attachments: [{ id: screen.id, name: 'screen.png', bytes: 20 }] });
  discord.person('ben').say(thread.id, 'and me');
  const last = await adapter.history?.(inThread, undefined, 2);
  expect(last?.map(({ text }) => text)).toEqual(['the login fails', 'me too', 'and me']);
  // Its file is a file of the channel, not of the thread.
  const source = { conversation: inThread, message: starter.id, id: screen.id };
  expect(await contentOf(await adapter.download?.(source, AbortSignal.timeout(5000)))).toBe('not really a picture');
});

async function contentOf(file: FileDownload | undefined): Promise<string> {
  const bytes = await collected(file?.content ?? (async function* () {})());
  return Buffer.from(bytes ?? []).toString();
}

const soon = () => AbortSignal.timeout(10_000);

describe('a file that a person attached is fetched', () => {
  it('from Slack with the token of the bot, and not without the right to read files', async () => {
    await using setup = await startSlack({ mode: 'socket' });
    const { slack, adapter, inbox } = setup;
    const ada = slack.person('ada');
    const file = ada.upload('../../.ssh/log.txt', 'a line of the log\n');
    ada.mention('#demo', 'look at this', { files: [file.id] });
    const event = await waitFor('the mention', () => inbox.events.find((one) => one.type === 'message'), { timeoutMs: 30_000 });
    if (event.type !== 'message') expect.unreachable();
    const [attached] = event.attachments;
    expect(attached).toMatchObject({ id: file.id, bytes: 18 });
    const source = { conversation: event.conversation, message: event.message, id: file.id };
    const found = await adapter.download?.(source, soon());
    expect(found).toMatchObject({ name: '../../.ssh/log.txt', mime: 'text/plain', bytes: 18 });
    expect(await contentOf(found)).toBe('a line of the log\n');
    await expect(adapter.download?.({ ...source, id: 'F0NOSUCH' }, soon())).rejects.toMatchObject({ failure: { kind: 'gone' } });
    // Of another organisation, in a shared channel: the message tells no more than its id.
    const foreign = ada.upload('theirs.txt', 'of theirs');
    slack.core.state.files.put({ ...foreign, connected: true });
    ada.mention('#demo', 'and at this', { files: [foreign.id] });
    const other = await waitFor('the other mention', () => inbox.events.filter((one) => one.type === 'message')[1]);
    if (other.type !== 'message') expect.unreachable();
    expect(other.attachments).toEqual([{ id: foreign.id, name: foreign.id }]);
    const theirs = await adapter.download?.({ ...source, message: other.message, id: foreign.id }, soon());
    expect(theirs).toMatchObject({ name: 'theirs.txt', mime: 'text/plain', bytes: 9 });
    const rights = slack.core.manifest.oauth_config.scopes.bot;
    rights.splice(rights.indexOf('files:read'), 1);
    await expect(adapter.download?.(source, soon())).rejects.toMatchObject({
      failure: { kind: 'not_permitted', detail: expect.stringContaining('files:read') },
    });
  });

  it('from Telegram by an address that is made for it, up to the size that bots are given', async () => {
    await using setup = await startTelegram({ mode: 'polling' });
    const { telegram, adapter, inbox } = setup;
    const ada = telegram.person('ada');
    ada.sendFile('dm', 'log.txt', 'a line of the log\n', { caption: 'look at this' });
    const event = await waitFor('the file', () => inbox.events.find((one) => one.type === 'message'), { timeoutMs: 30_000 });
    if (event.type !== 'message') expect.unreachable();
    const id = event.attachments[0]?.id ?? '';
    const source = { conversation: event.conversation, message: event.message, id };
    const found = await adapter.download?.(source, soon());
    expect(found).toMatchObject({ bytes: 18 });
    expect(await contentOf(found)).toBe('a line of the log\n');
    await expect(adapter.download?.({ ...source, id: 'BQACnosuch' }, soon())).rejects.toMatchObject({
      failure: { kind: 'gone' },
    });
    ada.sendFile('dm', 'large.bin', Buffer.alloc(20 * 1024 * 1024 + 1), { caption: 'and this' });
    const large = await waitFor('the large file', () => inbox.events.filter((one) => one.type === 'message')[1], {
      timeoutMs: 30_000,
    });
    if (large.type !== 'message') expect.unreachable();
    const tooLarge = { ...source, message: large.message, id: large.attachments[0]?.id ?? '' };
    await expect(adapter.download?.(tooLarge, soon())).rejects.toMatchObject({
      failure: { kind: 'rejected', detail: expect.stringContaining('20 MB') },
    });
  });

  it('from Discord by an address that is looked up anew, whatever has become of the one the message came with', async () => {
    await using setup = await startDiscord({ mode: 'gateway' });
    const { discord, adapter, channel } = setup;
    const ada = discord.person('ada');
    const file = ada.upload('log.txt', 'a line of the log\n');
    const message = ada.say('#demo', 'look at this', { files: [file] });
    const source = { conversation: channel('demo'), message: message.id, id: file.id };
    const found = await adapter.download?.(source, soon());
    expect(found).toMatchObject({ name: 'log.txt', mime: 'text/plain', bytes: 18 });
    expect(await contentOf(found)).toBe('a line of the log\n');
    ada.delete(message.id);
    await expect(adapter.download?.(source, soon())).rejects.toMatchObject({ failure: { kind: 'gone' } });
  });

  it('not from an address of Discord that has expired', async () => {
    await using setup = await startDiscord({ mode: 'gateway', timing: { fileUrl: -1000 } });
    const { discord, adapter, channel } = setup;
    const ada = discord.person('ada');
    const file = ada.upload('log.txt', 'a line of the log\n');
    const message = ada.say('#demo', 'look at this', { files: [file] });
    const source = { conversation: channel('demo'), message: message.id, id: file.id };
    await expect(adapter.download?.(source, soon())).rejects.toMatchObject({ failure: { kind: 'gone' } });
  });
});
