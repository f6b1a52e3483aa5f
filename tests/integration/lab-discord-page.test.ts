import { Events, type Interaction, MessageFlags } from 'discord.js';
import Fastify from 'fastify';
import { describe, expect, onTestFinished, test } from 'vitest';
import type { DiscordEmulatorOptions } from '../../lab/discord/emulator.ts';
import type {
  DiscordChannel,
  DiscordChoice,
  DiscordEvent,
  DiscordFile,
  DiscordMessage,
  DiscordState,
} from '../../lab/discord-page-api.ts';
import { type DiscordLabHost, discordLabRoutes } from '../../lab/discord-routes.ts';
import { registerCommands, rest, send, startClient, startDiscordLab } from '../support/discord-lab.ts';
import { readEvents } from '../support/server-events.ts';
import { eventually } from '../support/wait-for.ts';

/** What the lab answers to one action or another; the assertions check that it is there. */
interface Answer {
  message: DiscordMessage;
  channel: DiscordChannel;
  file: DiscordFile;
  choices: DiscordChoice[];
  error: { code: string; message: string };
  [other: string]: unknown;
}

const button = (label: string) => ({ type: 2, style: 1, label, custom_id: label.toLowerCase() });
const card = (text: string, ...buttons: string[]) => ({
  flags: MessageFlags.IsComponentsV2,
  components: [
    {
      type: 17,
      accent_color: 0x5865f2,
      components: [{ type: 10, content: text }, ...(buttons.length === 0 ? [] : [{ type: 1, components: buttons.map(button) }])],
    },
  ],
});

/** The routes of the pane behind a real server, as a page sees them, and the emulator behind them. */
async function startPane(options: DiscordEmulatorOptions = {}, host: DiscordLabHost = {}) {
  const discord = await startDiscordLab(options);
  const server = Fastify({ forceCloseConnections: true });
  await server.register(discordLabRoutes(discord, host));
  const url = `${await server.listen({ host: '127.0.0.1', port: 0 })}/lab/discord/api`;
  onTestFinished(async () => {
    await server.close();
  });
  const post = async (path: string, body: object, headers: Record<string, string> = {}) => {
    const init = { method: 'POST', headers: { 'content-type': 'application/json', ...headers }, body: JSON.stringify(body) };
    const response = await fetch(`${url}/${path}`, init);
    return { status: response.status, body: (await response.json()) as Answer };
  };
  const state = async (): Promise<DiscordState> => (await fetch(`${url}/state`)).json() as Promise<DiscordState>;
  const ids = { ada: discord.person('ada').id, ben: discord.person('ben').id, demo: discord.channelId('demo') };
  return { discord, url, post, state, ...ids };
}

describe('the state', () => {
  test('shows people, channels with who reads and writes them, commands, and what the host proposes', async () => {
    const suggestions = [{ text: '/deckhand sh npm test', hint: 'Runs the tests' }];
    const { discord, state, ada, ben } = await startPane({}, { suggestions: () => suggestions });
    discord.controls.addChannel({ name: 'secret', private: [ada], bot: false });
    await registerCommands(discord);
    const now = await state();
    expect(now.people.map(({ username, bot }) => [username, bot])).toEqual([
      ['ada', false],
      ['ben', false],
      ['gus', false],
      ['deckhand', true],
      ['relay', true],
    ]);
    const secret = now.channels.find(({ name }) => name === 'secret');
    expect(secret).toMatchObject({ kind: 'text', readers: [ada], writers: [ada], bot_sees: false });
    expect(now.channels.filter(({ kind, readers }) => kind === 'dm' && readers.includes(ben))).toHaveLength(1);
    expect(now.commands.map(({ name, type, in_dm }) => [name, type, in_dm])).toEqual([
      ['deckhand', 1, true],
      ['Hand to Deckhand', 3, true],
    ]);
    expect(now.app).toMatchObject({ name: 'Deckhand', connected: false });
    expect(now.suggestions).toEqual(suggestions);
  });

  test('shows cards, threads, files, replies, reactions and deferred answers', async () => {
    const { discord, state, demo, ada } = await startPane();
    const asked = discord.person('ada').mention('demo', 'fix it');
    discord.person('ben').react(asked, '👀');
    const sent = await send(discord, demo, { ...card('**#1** runs', 'Stop'), message_reference: { message_id: asked.id } });
    const opened = await rest(discord, 'POST', `/channels/${demo}/messages/${sent.id}/threads`, { body: { name: '#1' } });
    const files = [{ name: '1.patch', content: '+one\n' }];
    await rest(discord, 'POST', `/channels/${String(opened.json.id)}/messages`, { body: { content: 'done' }, files });
    const now = await state();
    const find = (id: string) => now.messages.find((message) => message.id === id);
    expect(find(asked.id)).toMatchObject({ author: ada, mentions: [discord.botUserId], reactions: [{ emoji: '👀' }] });
    expect(find(sent.id)).toMatchObject({ v2: true, has_thread: true, reply_to: asked.id, thinking: false });
    expect(now.channels.find(({ id }) => id === sent.id)).toMatchObject({
      kind: 'thread',
      thread: { parent: demo, archived: false },
    });
    const [file] = now.messages.find(({ content }) => content === 'done')?.files ?? [];
    expect(file).toMatchObject({ name: '1.patch', preview: '+one\n', size: 5 });
  });
});

describe('the events', () => {
  test('tell every change since the state in order, resume without loss, and begin anew when they cannot', async () => {
    const { discord, url, state, demo, ada } = await startPane();
    const { version } = await state();
    const first = discord.person('ada').say('demo', 'one');
    discord.person('ada').edit(first, 'two');
    discord.controls.latency(5);
    discord.person('ada').delete(first);
    const all = await readEvents<DiscordEvent>(`${url}/events?after=${version}`, 4);
    expect(all.map(({ event }) => event)).toMatchObject([
      { type: 'message', message: { content: 'one', channel: demo, author: ada } },
      { type: 'message', message: { content: 'two', edited: true } },
      { type: 'settings', settings: { latency_ms: 5 } },
      { type: 'message_removed', id: first.id },
    ]);
    const rest = await readEvents<DiscordEvent>(`${url}/events`, 2, { 'last-event-id': String(all[1]?.id) });
    expect(rest).toEqual(all.slice(2));
    expect(await readEvents<DiscordEvent>(`${url}/events?after=7`, 1)).toMatchObject([{ event: { type: 'reset' } }]);
  });

  test('tell who sees the threads of a channel when the channel changes', async () => {
    const { discord, url, state, demo } = await startPane();
    const thread = discord.person('ada').startThread('demo', 'plans');
    const { version } = await state();
    discord.controls.denyIn('demo', 'VIEW_CHANNEL');
    const events = await readEvents<DiscordEvent>(`${url}/events?after=${version}`, 2);
    expect(events.map(({ event }) => event)).toMatchObject([
      { type: 'channel', channel: { id: demo, bot_sees: false } },
      { type: 'channel', channel: { id: thread.id, bot_sees: false } },
    ]);
  });
});

describe('acting', () => {
  test('a command with options, its completions, a press, a form and the menu of a message reach the app', async () => {
    const { discord, post, state, demo, ada, ben } = await startPane();
    const seen: string[] = [];
    const answer = async (interaction: Interaction) => {
      if (interaction.isAutocomplete())
        await interaction.respond([{ name: `for ${interaction.options.getFocused()}`, value: 'v' }]);
      if (interaction.isChatInputCommand()) {
        seen.push(`sh ${interaction.options.getString('command')} x${interaction.options.getInteger('times')}`);
        await interaction.deferReply({ flags: MessageFlags.Ephemeral });
        await interaction.editReply('queued');
      }
      if (interaction.isMessageContextMenuCommand()) {
        seen.push(interaction.targetMessage.content);
        await interaction.reply({ content: 'taken', flags: MessageFlags.Ephemeral });
      }
      if (interaction.isButton()) {
        const input = { type: 4, custom_id: 'reason', style: 2 };
        const form = { custom_id: 'why', title: 'Deny', components: [{ type: 18, label: 'Reason', component: input }] };
        await rest(discord, 'POST', `/interactions/${interaction.id}/${interaction.token}/callback`, {
          body: { type: 9, data: form },
        });
      }
      if (interaction.isModalSubmit()) {
        seen.push(interaction.fields.getTextInputValue('reason'));
        await interaction.reply('denied');
      }
    };
    await startClient(discord, (client) => client.on(Events.InteractionCreate, (interaction) => void answer(interaction)));
    await registerCommands(discord);

    const path = ['deckhand', 'sh'];
    const sent = await post('commands', { as: ada, channel: demo, path, options: { command: 'npm test', times: 2 } });
    expect(sent).toEqual({ status: 200, body: {} });
    await discord.person('ada').waitForEphemeral('queued');
    const typed = { as: ada, channel: demo, path: ['deckhand', 'find'], options: { text: 'ab' }, focused: 'text' };
    expect((await post('autocomplete', typed)).body.choices).toEqual([{ name: 'for ab', value: 'v' }]);

    const said = discord.person('gus').say('demo', 'the tests fail');
    expect((await post('message-commands', { as: ben, id: said.id, name: 'Hand to Deckhand' })).status).toBe(200);
    await discord.person('ben').waitForEphemeral('taken');

    const ask = await send(discord, demo, card('May I?', 'Deny'));
    expect((await post('press', { as: ben, id: ask.id, custom_id: 'deny' })).status).toBe(200);
    const [modal] = (await state()).modals;
    expect(modal).toMatchObject({ user: ben, title: 'Deny' });
    expect((await post('modals/submit', { as: ada, id: modal?.id, values: {} })).body.error.code).toBe('modal_not_found');
    expect((await post('modals/submit', { as: ben, id: modal?.id, values: { reason: 'not today' } })).status).toBe(200);
    await discord.person('ben').waitForMessage('denied');

    expect(seen).toEqual(['sh npm test x2', 'the tests fail', 'not today']);
    const now = await state();
    expect(now.modals).toEqual([]);
    const queued = now.messages.find(({ content }) => content === 'queued');
    expect(queued).toMatchObject({ visible_to: ada, answers: { user: ada, type: 2, name: 'deckhand sh' }, thinking: false });
    await post('messages/delete', { as: ada, id: queued?.id });
    expect((await state()).messages.some(({ id }) => id === queued?.id)).toBe(false);
  });

  test('an app that stays silent is told as the client tells it', async () => {
    const { discord, post, demo, ada } = await startPane({ timing: { respond: 50 } });
    await registerCommands(discord);
    const { id } = await send(discord, demo, card('Press me', 'Stop'));
    const pressed = await post('press', { as: ada, id, custom_id: 'stop' });
    expect(pressed).toEqual({ status: 424, body: { error: { code: 'not_answered', message: 'This interaction failed' } } });
    const typed = { as: ada, channel: demo, path: ['deckhand', 'sh'], options: { command: 'ls' } };
    expect((await post('commands', typed)).body.error.message).toBe('The application did not respond');
  });

  test('people write, reply, edit, react, open and archive threads, and shut their DMs', async () => {
    const { post, state, demo, ada, ben } = await startPane();
    const { message } = (await post('messages', { as: ada, channel: demo, text: 'hello @ben' })).body;
    expect(message).toMatchObject({ content: `hello <@${ben}>`, mentions: [ben] });
    const reply = await post('messages', { as: ben, channel: demo, text: 'hi', reply_to: message.id, ping: false });
    expect(reply.body.message).toMatchObject({ type: 19, reply_to: message.id, mentions: [] });
    expect((await post('messages/edit', { as: ada, id: message.id, text: 'hello' })).body.message.edited).toBe(true);
    expect((await post('messages/edit', { as: ben, id: message.id, text: 'no' })).body.error.code).toBe('not_own_message');
    expect((await post('reactions', { as: ben, id: message.id, emoji: '👍', action: 'add' })).status).toBe(200);
    const { channel } = (await post('threads', { as: ben, channel: demo, name: 'plans', message: message.id })).body;
    expect(channel).toMatchObject({ id: message.id, thread: { parent: demo, owner: ben } });
    expect((await post('threads/set', { as: ada, id: channel.id, archived: true })).body.channel.thread?.archived).toBe(true);
    await post('dms', { as: ada, open: false });
    const now = await state();
    expect(now.channels.find(({ kind, readers }) => kind === 'dm' && readers.includes(ada))?.dm_open).toBe(false);
    expect((await post('messages', { as: 'nobody', channel: demo, text: 'x' })).body.error.code).toBe('unknown_person');
  });

  test('files go up with a message and come down without becoming pages of this origin', async () => {
    const { url, post, demo, ada } = await startPane();
    const upload = async (name: string, body: Uint8Array<ArrayBuffer>) => {
      const query = new URLSearchParams({ as: ada, name });
      const init = { method: 'POST', headers: { 'content-type': 'application/octet-stream' }, body };
      const response = await fetch(`${url}/files?${query}`, init);
      return { status: response.status, body: (await response.json()) as Answer };
    };
    const page = await upload('page.html', new Uint8Array(Buffer.from('<script>alert(1)</script>')));
    const sent = await post('messages', { as: ada, channel: demo, text: '', files: [page.body.file.id] });
    const [file] = sent.body.message.files;
    const shown = await fetch(new URL(file?.url ?? '', url));
    expect(await shown.text()).toBe('<script>alert(1)</script>');
    expect(shown.headers.get('content-type')).toMatch(/^(text\/plain|application\/octet-stream)/);
    expect(shown.headers.get('content-security-policy')).toContain('sandbox');
    const saved = await fetch(new URL(`${file?.url}?download=1`, url));
    expect(saved.headers.get('content-disposition')).toBe("attachment; filename*=UTF-8''page.html");
    const tooLarge = await upload('big.bin', new Uint8Array(10 * 1024 * 1024 + 1));
    expect(tooLarge.body.error).toMatchObject({ code: 'file_too_large' });
  });

  test('settings change, everything is forgotten on request, and neither is done for a foreign site or a wrong body', async () => {
    const { discord, post, state, demo, ada } = await startPane();
    discord.person('ada').say('demo', 'keep me');
    const foreign = await post('reset', {}, { origin: 'https://elsewhere.example' });
    expect(foreign).toMatchObject({ status: 403, body: { error: { code: 'foreign_site' } } });
    expect((await post('messages', { as: ada, channel: demo })).body.error.code).toBe('invalid_input');
    expect((await state()).messages).toHaveLength(1);
    expect((await post('settings', { rate_limiting: true })).body.settings).toMatchObject({ rate_limiting: true });
    await post('reset', {});
    await eventually(async () => expect((await state()).messages).toEqual([]));
  });
});
