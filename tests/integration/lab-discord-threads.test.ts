import { expect, test } from 'vitest';
import type { DiscordEmulator } from '../../lab/discord/emulator.ts';
import { mistakes, rest, send, startDiscordLab } from '../support/discord-lab.ts';

const from = (discord: DiscordEmulator, message: { id: string }, body: unknown = { name: 'work' }) =>
  rest(discord, 'POST', `/channels/${discord.channelId('demo')}/messages/${message.id}/threads`, { body });
const code = async (answer: Promise<{ json: Record<string, unknown> }>) => (await answer).json.code;

test('a thread from a message has its id, and marks the message; the second is refused', async () => {
  const discord = await startDiscordLab();
  const root = await send(discord, discord.channelId('demo'), { content: 'root' });
  const made = await from(discord, root, { name: 'work', auto_archive_duration: 10080 });
  expect([made.status, made.json]).toMatchObject([
    201,
    {
      id: root.id,
      type: 11,
      parent_id: discord.channelId('demo'),
      owner_id: discord.botUserId,
      thread_metadata: { archived: false, auto_archive_duration: 10080 },
    },
  ]);
  expect(await code(from(discord, root))).toBe(160004);
  const inside = await send(discord, root.id, { content: 'inside' });
  const ada = discord.person('ada');
  expect(ada.look(root)).toMatchObject({ flags: 32, thread: root.id, channel: discord.channelId('demo') });
  expect(ada.messages(root).map(({ type, plain }) => [type, plain])).toEqual([
    [21, ''],
    [0, 'inside'],
  ]);
  // The starter lives in the parent: there it can be edited, and not in the thread.
  expect(
    (await rest(discord, 'PATCH', `/channels/${discord.channelId('demo')}/messages/${root.id}`, { body: { content: 'new' } }))
      .status,
  ).toBe(200);
  expect(await code(rest(discord, 'PATCH', `/channels/${root.id}/messages/${root.id}`, { body: { content: 'x' } }))).toBe(10008);
  const starter = ada.messages(root)[0]?.id;
  expect(await code(rest(discord, 'PATCH', `/channels/${root.id}/messages/${starter}`, { body: { content: 'x' } }))).toBe(50021);
  expect((await rest(discord, 'GET', `/channels/${root.id}`)).json).toMatchObject({
    message_count: 1,
    member: { user_id: discord.botUserId },
  });
  expect((await rest(discord, 'GET', `/guilds/${discord.guildId}/threads/active`)).json.threads).toMatchObject([
    { id: root.id, last_message_id: inside.id },
  ]);
});

test('a thread without message is private unless asked otherwise; names and durations are checked', async () => {
  const discord = await startDiscordLab();
  const open = (body: unknown) => rest(discord, 'POST', `/channels/${discord.channelId('demo')}/threads`, { body });
  expect(await code(open({ name: 'x' }))).toBe(50013);
  expect((await open({ name: 'plan', type: 11 })).json).toMatchObject({ type: 11, name: 'plan' });
  expect(discord.person('ada').messages('#demo')).toMatchObject([{ type: 18, content: 'plan' }]);
  const wrong = await open({ name: 'x'.repeat(101), type: 11, auto_archive_duration: 61 });
  expect(mistakes(wrong)).toEqual(['name BASE_TYPE_BAD_LENGTH', 'auto_archive_duration BASE_TYPE_CHOICES']);
  discord.controls.denyIn('demo', 'CREATE_PUBLIC_THREADS');
  expect(await code(open({ name: 'x', type: 11 }))).toBe(50013);
});

test('an archived thread refuses edits and wakes with a message; a locked one refuses both', async () => {
  const discord = await startDiscordLab();
  const ada = discord.person('ada');
  const root = await send(discord, discord.channelId('demo'), { content: 'root' });
  await from(discord, root);
  const card = await send(discord, root.id, { content: 'card' });
  const edit = () => rest(discord, 'PATCH', `/channels/${root.id}/messages/${card.id}`, { body: { content: 'new' } });
  const set = (body: unknown) => rest(discord, 'PATCH', `/channels/${root.id}`, { body });
  ada.setThread(root, { archived: true });
  expect(await code(edit())).toBe(50083);
  expect((await set({ archived: false })).json.thread_metadata).toMatchObject({ archived: false });
  expect((await edit()).status).toBe(200);
  ada.setThread(root, { archived: true });
  await send(discord, root.id, { content: 'wakes it' });
  expect(ada.threads()).toMatchObject([{ thread: { archived: false } }]);
  ada.setThread(root, { archived: true, locked: true });
  expect(await code(rest(discord, 'POST', `/channels/${root.id}/messages`, { body: { content: 'x' } }))).toBe(160005);
  expect(await code(set({ archived: false }))).toBe(160005);
  expect(() => discord.person('ben').say(root, 'x')).toThrow('locked');
  expect(() => discord.person('ben').setThread(root, { locked: false })).toThrow('may not');
});

test('threads are archived when nothing was said for as long as they wait', async () => {
  let now = Date.now();
  const discord = await startDiscordLab({ now: () => now });
  const ada = discord.person('ada');
  const thread = ada.startThread('#demo', 'plan');
  now += 3 * 24 * 60 * 60_000 - 1;
  ada.say(thread, 'still here');
  now += 2 * 60_000;
  discord.controls.archiveIdle();
  expect(ada.threads()).toMatchObject([{ thread: { archived: false } }]);
  now += 3 * 24 * 60 * 60_000;
  discord.controls.archiveIdle();
  expect(ada.threads()).toMatchObject([{ thread: { archived: true } }]);
  const listed = await rest(discord, 'GET', `/channels/${discord.channelId('demo')}/threads/archived/public`);
  expect(listed.json).toMatchObject({ threads: [{ id: thread.id }], has_more: false });
});
