import { type ChatInputCommandInteraction, Events, type Interaction } from 'discord.js';
import { describe, expect, test } from 'vitest';
import type { DiscordEmulator } from '../../lab/discord/emulator.ts';
import { isRecord, type Json } from '../../lab/slack/json.ts';
import {
  identify,
  mistakes,
  openGateway,
  registerCommands,
  rest,
  send,
  startClient,
  startDiscordLab,
} from '../support/discord-lab.ts';

const row = (...components: unknown[]) => ({ type: 1, components });
const button = (label: string, more: Json = {}) => ({ type: 2, style: 1, label, custom_id: label.toLowerCase(), ...more });
const form = {
  custom_id: 'why',
  title: 'Deny',
  components: [
    { type: 18, label: 'Reason', component: { type: 4, custom_id: 'reason', style: 2, max_length: 20 } },
    {
      type: 18,
      label: 'Scope',
      component: {
        type: 3,
        custom_id: 'scope',
        options: [
          { label: 'Once', value: 'o' },
          { label: 'Task', value: 't' },
        ],
      },
    },
    { type: 18, label: 'Loud', component: { type: 23, custom_id: 'loud' } },
    { type: 18, label: 'Log', component: { type: 19, custom_id: 'log', required: false } },
  ],
};

/** discord.js with the commands registered; `onInteraction` answers everything. */
async function startApp(onInteraction: (interaction: Interaction) => Promise<unknown>, timing = {}): Promise<DiscordEmulator> {
  const discord = await startDiscordLab({ timing });
  await startClient(discord, (client) => client.on(Events.InteractionCreate, (interaction) => void onInteraction(interaction)));
  await registerCommands(discord);
  return discord;
}

/** A bare gateway client that keeps interactions and leaves the answer to the test. */
async function startBare(timing = {}) {
  const discord = await startDiscordLab({ timing });
  await registerCommands(discord);
  const gateway = await openGateway(discord);
  gateway.send(identify(discord));
  await gateway.event('GUILD_CREATE');
  const callback = (interaction: Json, body: unknown, query = '') =>
    rest(discord, 'POST', `/interactions/${String(interaction.id)}/${String(interaction.token)}/callback${query}`, { body });
  const webhook = (interaction: Json, verb: string, path = '', body?: unknown) =>
    rest(discord, verb, `/webhooks/${discord.applicationId}/${String(interaction.token)}${path}`, { body });
  return { discord, gateway, callback, webhook };
}

describe('slash commands', () => {
  test('carry the typed options, resolved files and people, and what the app may do', async () => {
    const seen: ChatInputCommandInteraction[] = [];
    const discord = await startApp(async (interaction) => {
      if (!interaction.isChatInputCommand()) return;
      seen.push(interaction);
      await interaction.reply({ content: 'ok', flags: 64 });
    });
    const ada = discord.person('ada');
    const log = ada.upload('run.log', 'line');
    const ben = discord.person('ben').id;
    await ada.slash('#demo', '/deckhand sh', { command: 'npm\ntest', how: 'Fast', times: 3, log: log.id, who: ben });
    const [first] = seen;
    expect(first?.options.getSubcommand()).toBe('sh');
    expect([first?.options.getString('command'), first?.options.getString('how'), first?.options.getInteger('times')]).toEqual([
      'npm test',
      'f',
      3,
    ]);
    expect(first?.options.getAttachment('log')).toMatchObject({ name: 'run.log', size: 4 });
    expect(first?.options.getUser('who')?.username).toBe('ben');
    expect([first?.guildId, first?.channelId, first?.appPermissions.has('SendMessages')]).toEqual([
      discord.guildId,
      discord.channelId('demo'),
      true,
    ]);
    await ada.slash('#demo', '/deckhand project add', { name: 'web' });
    expect([seen[1]?.options.getSubcommandGroup(), seen[1]?.options.getSubcommand()]).toEqual(['project', 'add']);
    expect(await ada.waitForEphemeral('ok')).toMatchObject({ visible_to: ada.id, type: 20 });
    expect(discord.person('ben').ephemerals()).toEqual([]);
    expect(ada.messages('#demo')).toEqual([]);
  });

  test.each<[string, string, Record<string, string | number>, string]>([
    ['an unknown command', '/nope', {}, 'unknown_command'],
    ['a command without its subcommand', '/deckhand', {}, 'incomplete_command'],
    ['a missing option', '/deckhand sh', {}, 'option_missing'],
    ['an unknown option', '/deckhand sh', { command: 'x', nope: 1 }, 'unknown_option'],
    ['a choice that is not offered', '/deckhand sh', { command: 'x', how: 'slow' }, 'wrong_option'],
    ['a text that is too long', '/deckhand sh', { command: 'x'.repeat(21) }, 'wrong_option'],
    ['a fraction for a whole number', '/deckhand sh', { command: 'x', times: 1.5 }, 'wrong_option'],
  ])('are not sent by the client with %s', async (_what, command, options, code) => {
    const discord = await startDiscordLab();
    await registerCommands(discord);
    await expect(discord.person('ada').slash('#demo', command, options)).rejects.toMatchObject({ code });
  });

  test('complete what is typed', async () => {
    const discord = await startApp(async (interaction) => {
      if (interaction.isAutocomplete()) await interaction.respond([{ name: `${interaction.options.getFocused()}1`, value: '1' }]);
    });
    expect(await discord.person('ada').autocomplete('#demo', '/deckhand find', 'text', { text: '#' })).toEqual([
      { name: '#1', value: '1' },
    ]);
    await expect(discord.person('ada').autocomplete('#demo', '/deckhand sh', 'command')).rejects.toMatchObject({
      code: 'no_autocomplete',
    });
  });

  test('work from the menu of a message, whose text they carry without the intent', async () => {
    const texts: string[] = [];
    const discord = await startApp(async (interaction) => {
      if (!interaction.isMessageContextMenuCommand()) return;
      texts.push(interaction.targetMessage.content);
      await interaction.reply('taken');
    });
    discord.controls.grantIntents();
    const ada = discord.person('ada');
    await ada.messageCommand(discord.person('ben').say('#demo', 'fix this'), 'Hand to Deckhand');
    expect(texts).toEqual(['fix this']);
    expect((await ada.waitForMessage('taken')).type).toBe(23);
  });
});

describe('components and forms', () => {
  test('a press updates the message; a form opens, checks its fields and comes back with values', async () => {
    const fields: unknown[] = [];
    const discord = await startApp(async (interaction) => {
      if (interaction.isButton() && interaction.customId === 'approve')
        await interaction.update({ content: `approved by ${interaction.user.username}`, components: [] });
      else if (interaction.isButton()) await interaction.showModal(form);
      else if (interaction.isModalSubmit() && interaction.isFromMessage()) {
        const { fields: given } = interaction;
        fields.push(
          given.getTextInputValue('reason'),
          given.getStringSelectValues('scope'),
          given.getCheckbox('loud'),
          given.getUploadedFiles('log')?.map(({ name }) => name),
        );
        await interaction.update({ content: 'denied', components: [] });
      }
    });
    const [ada, ben] = [discord.person('ada'), discord.person('ben')];
    const channel = discord.channelId('demo');
    const ask = {
      content: 'Approval needed',
      components: [row(button('Approve'), button('Deny'), button('Gone', { disabled: true }))],
    };
    const first = await send(discord, channel, ask);
    await expect(ada.press(first, 'Gone')).rejects.toMatchObject({ code: 'component_disabled' });
    await ada.press(first, 'Approve');
    expect(await ada.waitForMessage('approved by ada')).toMatchObject({ id: first.id, components: [] });
    const second = await send(discord, channel, ask);
    await ben.press(second, 'Deny');
    const open = await ben.waitForModal('Deny');
    await expect(ben.submit(open, { Scope: 'Task' })).rejects.toMatchObject({ code: 'field_missing' });
    await expect(ben.submit(open, { Reason: 'x'.repeat(21), Scope: 'Task' })).rejects.toMatchObject({ code: 'wrong_length' });
    await expect(ben.submit(open, { Reason: 'no', Scope: 'Never' })).rejects.toMatchObject({ code: 'wrong_choice' });
    await ben.submit(open, { Reason: 'not today', Scope: 'Task', Loud: true, Log: [ben.upload('a.log', 'x').id] });
    expect(fields).toEqual(['not today', ['t'], true, ['a.log']]);
    expect(await ben.waitForMessage('denied')).toMatchObject({ id: second.id });
    expect(ben.modals()).toEqual([]);
  });

  test('a choice carries its values', async () => {
    const discord = await startApp(async (interaction) => {
      if (interaction.isStringSelectMenu())
        await interaction.update({ content: `took ${interaction.values.join('+')}`, components: [] });
    });
    const ada = discord.person('ada');
    const options = ['a', 'b', 'c'].map((value) => ({ label: value.toUpperCase(), value }));
    const menu = { type: 3, custom_id: 'pick', placeholder: 'Choose', options, max_values: 2 };
    const message = await send(discord, discord.channelId('demo'), { content: 'which', components: [row(menu)] });
    await expect(ada.select(message, 'Choose', ['A', 'B', 'C'])).rejects.toMatchObject({ code: 'wrong_choice' });
    await ada.select(message, 'Choose', ['A', 'C']);
    await ada.waitForMessage('took a+c');
  });
});

describe('the first answer', () => {
  test('is asked for once, within three seconds, and only in a form that fits', async () => {
    const { discord, gateway, callback } = await startBare({ respond: 20_000 });
    const ada = discord.person('ada');
    const asking = ada.slash('#demo', '/deckhand sh', { command: 'x' });
    const interaction = await gateway.event('INTERACTION_CREATE');
    expect((await callback({ ...interaction, token: 'x' }, { type: 4, data: { content: 'x' } })).json.code).toBe(10062);
    for (const type of [1, 6, 7, 8])
      expect(mistakes(await callback(interaction, { type }))).toEqual(['type INTERACTION_CALLBACK_TYPE_INVALID']);
    expect((await callback(interaction, { type: 4, data: {} })).json.code).toBe(50006);
    const answer = await callback(interaction, { type: 5, data: { flags: 64 } }, '?with_response=true');
    expect(answer.json).toMatchObject({
      interaction: { id: interaction.id, response_message_loading: true, response_message_ephemeral: true },
      resource: { type: 5 },
    });
    expect((await callback(interaction, { type: 9, data: form })).json.code).toBe(40060);
    await asking;
    discord.core.timing.respond = 50;
    const told = ada.waitForNotice('did not respond');
    await expect(ada.slash('#demo', '/deckhand sh', { command: 'late' })).rejects.toThrow('did not respond');
    await told;
    const isLate = (d: unknown): d is Json => isRecord(d) && d.id !== interaction.id;
    const { d } = await gateway.next((frame) => frame.t === 'INTERACTION_CREATE' && isLate(frame.d));
    expect((await callback(isLate(d) ? d : {}, { type: 5 })).json.code).toBe(10062);
  });

  test.each<[string, Json, string[]]>([
    ['no title', { ...form, title: '' }, ['data.title BASE_TYPE_REQUIRED']],
    ['a title of 46', { ...form, title: 'x'.repeat(46) }, ['data.title BASE_TYPE_BAD_LENGTH']],
    [
      'six fields',
      { ...form, components: Array.from({ length: 6 }, () => ({ type: 10, content: 'x' })) },
      ['data.components BASE_TYPE_BAD_LENGTH'],
    ],
    [
      'a label of 46',
      { ...form, components: [{ ...form.components[0], label: 'x'.repeat(46) }] },
      ['data.components.0.label BASE_TYPE_BAD_LENGTH'],
    ],
    ['a button', { ...form, components: [row(button('x'))] }, ['data.components.0.components.0.type UNION_TYPE_CHOICES']],
    [
      'an id twice',
      { ...form, components: [form.components[0], form.components[0]] },
      ['data.components.1.component.custom_id COMPONENT_CUSTOM_ID_DUPLICATED'],
    ],
  ])('refuses a form with %s', async (_what, data, expected) => {
    const { discord, gateway, callback } = await startBare();
    const asking = discord.person('ada').slash('#demo', '/deckhand sh', { command: 'x' });
    const interaction = await gateway.event('INTERACTION_CREATE');
    expect(mistakes(await callback(interaction, { type: 9, data }))).toEqual(expected);
    await callback(interaction, { type: 9, data: form });
    await asking;
  });
});

describe('the token', () => {
  async function answered(first: Json) {
    const bare = await startBare();
    const ada = bare.discord.person('ada');
    const asking = ada.slash('#demo', '/deckhand sh', { command: 'x' });
    const interaction = await bare.gateway.event('INTERACTION_CREATE');
    expect((await bare.webhook(interaction, 'POST', '', { content: 'too early' })).json.code).toBe(10015);
    await bare.callback(interaction, first);
    await asking;
    return { ...bare, ada, interaction };
  }

  test('fills the deferred message with the first follow-up, and keeps its visibility', async () => {
    const { webhook, interaction, ada } = await answered({ type: 5, data: { flags: 64 } });
    await ada.waitForEphemeral('is thinking');
    const filled = await webhook(interaction, 'POST', '', { content: 'for all?' });
    expect(filled.json).toMatchObject({ flags: 64, edited_timestamp: null });
    expect(ada.ephemerals().map(({ plain }) => plain)).toEqual(['for all?']);
    const second = await webhook(interaction, 'POST', '', { content: 'for all' });
    expect(second.json).toMatchObject({ flags: 0, webhook_id: expect.any(String) });
    expect(ada.messages('#demo').map(({ plain }) => plain)).toEqual(['for all']);
  });

  test('reads, edits and deletes @original and follow-ups, then nothing after fifteen minutes', async () => {
    const { discord, webhook, interaction, ada } = await answered({ type: 4, data: { content: 'one', flags: 64 } });
    expect((await webhook(interaction, 'GET', '/messages/@original')).json.content).toBe('one');
    expect((await webhook(interaction, 'PATCH', '/messages/@original', { content: 'two' })).json).toMatchObject({
      content: 'two',
      flags: 64,
    });
    const [shown] = ada.ephemerals();
    expect(
      (await rest(discord, 'PATCH', `/channels/${shown?.channel}/messages/${shown?.id}`, { body: { content: 'x' } })).json.code,
    ).toBe(10008);
    const more = await webhook(interaction, 'POST', '', { content: 'three' });
    expect((await webhook(interaction, 'DELETE', `/messages/${String(more.json.id)}`)).status).toBe(204);
    expect((await webhook(interaction, 'DELETE', '/messages/@original')).status).toBe(204);
    expect((await webhook(interaction, 'GET', '/messages/@original')).json.code).toBe(10008);
    const foreign = ada.say('#demo', 'mine');
    expect((await webhook(interaction, 'PATCH', `/messages/${foreign.id}`, { content: 'x' })).json.code).toBe(10008);
    discord.controls.expireTokens();
    const late = await webhook(interaction, 'POST', '', { content: 'late' });
    expect([late.status, late.json.code]).toEqual([401, 50027]);
  });
});
