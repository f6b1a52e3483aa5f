import { describe, expect, test } from 'vitest';
import type { DiscordEmulator } from '../../lab/discord/emulator.ts';
import { mistakes, rest, send, startDiscordLab } from '../support/discord-lab.ts';

const row = (...components: unknown[]) => ({ type: 1, components });
const button = (more: Record<string, unknown> = {}) => ({ type: 2, style: 1, label: 'Go', custom_id: 'go', ...more });
const option = (value: string) => ({ label: value, value });
const select = (more: Record<string, unknown> = {}) => ({
  type: 3,
  custom_id: 'pick',
  options: [option('a'), option('b')],
  ...more,
});
const text = (content: string) => ({ type: 10, content });
const V2 = 1 << 15;

const post = (discord: DiscordEmulator, body: unknown, channel = discord.channelId('demo')) =>
  rest(discord, 'POST', `/channels/${channel}/messages`, { body });

describe('sending', () => {
  test('answers with the message and its nonce, which a later read does not carry', async () => {
    const discord = await startDiscordLab();
    const sent = await send(discord, discord.channelId('demo'), { content: 'hello', nonce: 'n1' });
    expect(sent).toMatchObject({ content: 'hello', nonce: 'n1', author: { id: discord.botUserId, bot: true }, type: 0 });
    const read = await rest(discord, 'GET', `/channels/${discord.channelId('demo')}/messages/${sent.id}`);
    expect(read.json).not.toHaveProperty('nonce');
    expect(read.json).toMatchObject({ id: sent.id, content: 'hello', edited_timestamp: null });
  });

  test('gives the same message for the same enforced nonce within minutes, and a new one later or without enforcing', async () => {
    let now = Date.now();
    const discord = await startDiscordLab({ now: () => now });
    const body = { content: 'once', nonce: 'x'.repeat(25), enforce_nonce: true };
    const channel = discord.channelId('demo');
    const first = await send(discord, channel, body);
    expect((await send(discord, channel, { ...body, content: 'twice' })).id).toBe(first.id);
    expect((await send(discord, channel, { ...body, enforce_nonce: false })).id).not.toBe(first.id);
    now += 6 * 60_000;
    expect((await send(discord, channel, body)).id).not.toBe(first.id);
  });

  test('notifies whom allowed_mentions lets it, and nobody else', async () => {
    const discord = await startDiscordLab();
    const [ada, ben] = [discord.person('ada').id, discord.person('ben').id];
    const content = `<@${ada}> <@${ben}> @everyone`;
    const channel = discord.channelId('demo');
    const ids = (message: Record<string, unknown>) => (message.mentions as { id: string }[]).map(({ id }) => id);
    const none = await send(discord, channel, { content, allowed_mentions: { parse: [] } });
    expect([ids(none), none.mention_everyone]).toEqual([[], false]);
    expect(ids(await send(discord, channel, { content, allowed_mentions: { parse: [], users: [ben] } }))).toEqual([ben]);
    const all = await send(discord, channel, { content });
    expect([ids(all), all.mention_everyone]).toEqual([[ada, ben], true]);
    const v2 = await send(discord, channel, { flags: V2, components: [text(content)], allowed_mentions: { parse: ['users'] } });
    expect([ids(v2), v2.mention_everyone]).toEqual([[ada, ben], false]);
  });

  test('as a reply refers to the message, or fails when that is gone and must not be', async () => {
    const discord = await startDiscordLab();
    const asked = discord.person('ada').say('#demo', 'a question');
    const message_reference = { message_id: asked.id };
    const reply = await post(discord, { content: 'an answer', message_reference, allowed_mentions: { parse: [] } });
    expect(reply.json).toMatchObject({ type: 19, referenced_message: { id: asked.id, content: 'a question' }, mentions: [] });
    discord.person('ada').delete(asked);
    expect(mistakes(await post(discord, { content: 'x', message_reference }))).toEqual([
      'message_reference REPLIES_UNKNOWN_MESSAGE',
    ]);
    const tolerant = await post(discord, {
      content: 'x',
      message_reference: { ...message_reference, fail_if_not_exists: false },
    });
    expect(tolerant.json).toMatchObject({ type: 0 });
  });

  test('takes files with names and descriptions, and serves them at addresses that end', async () => {
    let now = Date.now();
    const discord = await startDiscordLab({ now: () => now });
    const sent = await rest(discord, 'POST', `/channels/${discord.channelId('demo')}/messages`, {
      body: { attachments: [{ id: 0, filename: 'log.txt', description: 'the log' }] },
      files: [
        { name: 'x', content: 'line 1\n' },
        { name: 'two words.patch', content: '+1' },
      ],
    });
    const attachments = sent.json.attachments as { filename: string; url: string }[];
    expect(attachments).toMatchObject([
      { filename: 'log.txt', description: 'the log', size: 7 },
      { filename: 'two_words.patch', content_type: expect.stringContaining('diff') },
    ]);
    const [{ url } = { url: '' }] = attachments;
    expect(await (await fetch(url)).text()).toBe('line 1\n');
    expect((await fetch(url.replace(/hm=./, 'hm=z'))).status).toBe(404);
    now += 25 * 60 * 60_000;
    expect((await fetch(url)).status).toBe(404);
  });
});

test.each<[what: string, body: unknown, mistake: string[] | number]>([
  ['nothing', {}, 50006],
  ['blank text', { content: '   ' }, 50006],
  ['2,001 characters', { content: 'x'.repeat(2001) }, ['content BASE_TYPE_MAX_LENGTH']],
  ['a nonce of 26', { content: 'x', nonce: 'x'.repeat(26) }, ['nonce BASE_TYPE_MAX_LENGTH']],
  ['11 embeds', { embeds: Array.from({ length: 11 }, () => ({ title: 'x' })) }, ['embeds BASE_TYPE_MAX_LENGTH']],
  ['an embed title of 257', { embeds: [{ title: 'x'.repeat(257) }] }, ['embeds.0.title BASE_TYPE_MAX_LENGTH']],
  [
    '6,001 in embeds',
    { embeds: [{ description: 'x'.repeat(4000) }, { description: 'x'.repeat(2001) }] },
    ['embeds MAX_EMBED_SIZE_EXCEEDED'],
  ],
  [
    'users both parsed and listed',
    { content: 'x', allowed_mentions: { parse: ['users'], users: ['1'] } },
    ['allowed_mentions MESSAGE_ALLOWED_MENTIONS_PARSE_EXCLUSIVE'],
  ],
  [
    'a label of 81',
    { content: 'x', components: [row(button({ label: 'x'.repeat(81) }))] },
    ['components.0.components.0.label BASE_TYPE_MAX_LENGTH'],
  ],
  [
    'a custom id of 101',
    { content: 'x', components: [row(button({ custom_id: 'x'.repeat(101) }))] },
    ['components.0.components.0.custom_id BASE_TYPE_BAD_LENGTH'],
  ],
  [
    'a custom id twice',
    { content: 'x', components: [row(button(), button())] },
    ['components.0.components.1.custom_id COMPONENT_CUSTOM_ID_DUPLICATED'],
  ],
  [
    'a link with a custom id',
    { content: 'x', components: [row(button({ style: 5, url: 'https://a.example' }))] },
    ['components.0.components.0 BUTTON_COMPONENT_CUSTOM_ID_URL_MUTUALLY_EXCLUSIVE'],
  ],
  [
    'a link of an odd scheme',
    { content: 'x', components: [row({ type: 2, style: 5, label: 'x', url: 'javascript://x' })] },
    ['components.0.components.0.url URL_TYPE_INVALID_SCHEME'],
  ],
  [
    'a button without an id',
    { content: 'x', components: [row({ type: 2, style: 1, label: 'x' })] },
    ['components.0.components.0 BUTTON_COMPONENT_CUSTOM_ID_REQUIRED'],
  ],
  [
    'six rows',
    { content: 'x', components: Array.from({ length: 6 }, (_, n) => row(button({ custom_id: `${n}` }))) },
    ['components BASE_TYPE_MAX_LENGTH'],
  ],
  [
    'six buttons in a row',
    { content: 'x', components: [row(...Array.from({ length: 6 }, (_, n) => button({ custom_id: `${n}` })))] },
    ['components.0.components BASE_TYPE_BAD_LENGTH'],
  ],
  [
    'a select beside a button',
    { content: 'x', components: [row(button(), select())] },
    ['components.0.components.1 COMPONENT_LAYOUT_WIDTH_EXCEEDED'],
  ],
  [
    '26 options',
    { content: 'x', components: [row(select({ options: Array.from({ length: 26 }, (_, n) => option(`${n}`)) }))] },
    ['components.0.components.0.options BASE_TYPE_BAD_LENGTH'],
  ],
  [
    'an option twice',
    { content: 'x', components: [row(select({ options: [option('a'), option('a')] }))] },
    ['components.0.components.0.options.1.value SELECT_COMPONENT_OPTION_VALUE_DUPLICATED'],
  ],
  ['a text display without the flag', { content: 'x', components: [text('x')] }, ['components.0.type UNION_TYPE_CHOICES']],
  [
    'content with the flag',
    { content: 'x', flags: V2, components: [text('x')] },
    ['content MESSAGE_CANNOT_USE_LEGACY_FIELDS_WITH_COMPONENTS_V2'],
  ],
  [
    'embeds with the flag',
    { embeds: [{ title: 'x' }], flags: V2, components: [text('x')] },
    ['embeds MESSAGE_CANNOT_USE_LEGACY_FIELDS_WITH_COMPONENTS_V2'],
  ],
  [
    '4,001 characters over texts',
    { flags: V2, components: [text('x'.repeat(4000)), text('x')] },
    ['components COMPONENT_DISPLAYABLE_TEXT_SIZE_EXCEEDED'],
  ],
  [
    '41 components, nested ones counted',
    { flags: V2, components: [{ type: 17, components: Array.from({ length: 40 }, () => text('x')) }] },
    ['components COMPONENT_MAX_TOTAL_COMPONENTS_EXCEEDED'],
  ],
  [
    'a section without accessory',
    { flags: V2, components: [{ type: 9, components: [text('x')] }] },
    ['components.0.accessory BASE_TYPE_REQUIRED'],
  ],
  [
    'a file that is not sent',
    { flags: V2, components: [{ type: 13, file: { url: 'attachment://a.txt' } }] },
    ['components.0.file.url UNFURLED_MEDIA_ITEM_REFERENCED_ATTACHMENT_NOT_FOUND'],
  ],
  ['an attachment that is not sent', { content: 'x', attachments: [{ id: 3 }] }, ['attachments.0 ATTACHMENT_NOT_FOUND']],
  ['broken JSON', '{"content":', 50109],
])('a message with %s is refused', async (_what, body, mistake) => {
  const discord = await startDiscordLab();
  const answer = await post(discord, body);
  expect(answer.status).toBe(400);
  if (typeof mistake === 'number') expect(answer.json.code).toBe(mistake);
  else {
    expect(answer.json).toMatchObject({ code: 50035, message: 'Invalid Form Body' });
    expect(mistakes(answer)).toEqual(mistake);
  }
  expect(discord.person('ada').messages('#demo')).toEqual([]);
});

describe('everything at its limit is taken', () => {
  test('text, components and files', async () => {
    const discord = await startDiscordLab();
    const rows = Array.from({ length: 5 }, (_, r) =>
      row(...Array.from({ length: 5 }, (_, n) => button({ custom_id: `${r}${n}`.padEnd(100, '.') }))),
    );
    expect((await post(discord, { content: 'x'.repeat(2000), components: rows })).status).toBe(200);
    const tree = [
      {
        type: 17,
        accent_color: 0xff0000,
        components: [text('y'.repeat(4000)), ...Array.from({ length: 38 }, () => ({ type: 14 }))],
      },
    ];
    const v2 = await post(discord, { flags: V2, components: tree });
    expect(v2.json).toMatchObject({
      flags: V2,
      components: [{ id: 1, components: expect.arrayContaining([{ type: 14, id: 3, spacing: 1, divider: true }]) }],
    });
    const files = Array.from({ length: 10 }, (_, n) => ({ name: `${n}.txt`, content: 'x' }));
    expect(
      (await rest(discord, 'POST', `/channels/${discord.channelId('demo')}/messages`, { files })).json.attachments,
    ).toHaveLength(10);
  });

  test('but not a file of more than 10 MiB, more than 25 MiB, or an eleventh file', async () => {
    const discord = await startDiscordLab();
    const to = `/channels/${discord.channelId('demo')}/messages`;
    const big = (n: number, bytes: number) => ({ name: `${n}.bin`, content: Buffer.alloc(bytes) });
    const MiB = 1024 * 1024;
    for (const files of [[big(0, 10 * MiB + 1)], [big(0, 9 * MiB), big(1, 9 * MiB), big(2, 9 * MiB)]]) {
      const answer = await rest(discord, 'POST', to, { files });
      expect([answer.status, answer.json.code]).toEqual([413, 40005]);
    }
    const eleven = Array.from({ length: 11 }, (_, n) => big(n, 1));
    expect(mistakes(await rest(discord, 'POST', to, { files: eleven }))).toEqual(['attachments BASE_TYPE_MAX_LENGTH']);
  });
});

describe('changing', () => {
  test('edits own messages, keeps listed attachments only, and never takes the V2 flag away', async () => {
    const discord = await startDiscordLab();
    const channel = discord.channelId('demo');
    const files = [
      { name: 'a.txt', content: 'a' },
      { name: 'b.txt', content: 'b' },
    ];
    const sent = await rest(discord, 'POST', `/channels/${channel}/messages`, { body: { content: 'x' }, files });
    const [first] = sent.json.attachments as { id: string }[];
    const to = `/channels/${channel}/messages/${String(sent.json.id)}`;
    const edited = await rest(discord, 'PATCH', to, { body: { content: 'y', attachments: [{ id: first?.id }] } });
    expect(edited.json).toMatchObject({
      content: 'y',
      attachments: [{ filename: 'a.txt' }],
      edited_timestamp: expect.any(String),
    });
    const card = await send(discord, channel, { flags: V2, components: [text('one')] });
    const again = await rest(discord, 'PATCH', `/channels/${channel}/messages/${card.id}`, {
      body: { flags: 0, components: [text('two')] },
    });
    expect(again.json).toMatchObject({ flags: V2, components: [{ content: 'two' }] });
    const legacy = await rest(discord, 'PATCH', `/channels/${channel}/messages/${card.id}`, { body: { content: 'z' } });
    expect(mistakes(legacy)).toEqual(['content MESSAGE_CANNOT_USE_LEGACY_FIELDS_WITH_COMPONENTS_V2']);
  });

  test('refuses messages of others, unknown ones, hidden channels, and deleting without the right', async () => {
    const discord = await startDiscordLab();
    const other = discord.person('ada').say('#demo', 'mine');
    const hidden = discord.person('ada').say('#ops', 'secret');
    const at = ({ channel, id }: { channel: string; id: string }) => `/channels/${channel}/messages/${id}`;
    const code = async (verb: string, path: string, body?: unknown) => (await rest(discord, verb, path, { body })).json.code;
    expect(await code('PATCH', at(other), { content: 'x' })).toBe(50005);
    expect(await code('DELETE', at(other))).toBe(50013);
    expect(await code('PATCH', at({ ...other, id: '123' }), { content: 'x' })).toBe(10008);
    expect(await code('GET', at(hidden))).toBe(50001);
    expect(await code('POST', `/channels/${hidden.channel}/messages`, { content: 'x' })).toBe(50001);
    expect(await code('GET', '/channels/1')).toBe(10003);
    discord.controls.denyIn('demo', 'SEND_MESSAGES');
    expect(await code('POST', `/channels/${other.channel}/messages`, { content: 'x' })).toBe(50013);
  });

  test('reacts, with its limit of twenty and its rights', async () => {
    const discord = await startDiscordLab({
      botPermissions: ['VIEW_CHANNEL', 'READ_MESSAGE_HISTORY', 'ADD_REACTIONS', 'SEND_MESSAGES'],
    });
    const message = discord.person('ada').say('#demo', 'x');
    const react = (emoji: string, verb = 'PUT') =>
      rest(discord, verb, `/channels/${message.channel}/messages/${message.id}/reactions/${encodeURIComponent(emoji)}/@me`);
    const done = await react('👀');
    expect([done.status, done.headers.get('content-type')]).toEqual([204, null]);
    expect(discord.person('ada').look(message).reactions).toEqual([{ emoji: '👀', users: [discord.botUserId] }]);
    expect((await react('👀', 'DELETE')).status).toBe(204);
    expect((await react('eyes')).json.code).toBe(10014);
    for (let n = 0; n < 20; n += 1) await react(String.fromCodePoint(0x1f600 + n));
    expect((await react('🚀')).json.code).toBe(30010);
    discord.controls.botPermissions('VIEW_CHANNEL', 'READ_MESSAGE_HISTORY');
    const plain = discord.person('ada').say('#demo', 'y');
    expect(
      (await rest(discord, 'PUT', `/channels/${plain.channel}/messages/${plain.id}/reactions/%F0%9F%91%80/@me`)).json.code,
    ).toBe(50013);
  });
});

test('components and embeds come back with what the app left out, and with the addresses of their files', async () => {
  const discord = await startDiscordLab();
  const gallery = { type: 12, items: [{ media: { url: 'attachment://a.txt' } }, { media: { url: 'https://a.example/x.png' } }] };
  const select = { type: 1, components: [{ type: 5, custom_id: 'who' }] };
  const components = [
    { type: 17, components: [{ type: 14 }, { type: 13, file: { url: 'attachment://a.txt' } }, gallery, select] },
  ];
  const path = `/channels/${discord.channelId('demo')}/messages`;
  const card = await rest(discord, 'POST', path, {
    body: { flags: 1 << 15, components },
    files: [{ name: 'a.txt', content: 'abc' }],
  });
  const file = expect.objectContaining({ url: expect.stringContaining(`${discord.url}/attachments/`), id: expect.any(String) });
  expect(card.json.components).toEqual([
    {
      type: 17,
      id: 1,
      accent_color: null,
      spoiler: false,
      components: [
        { type: 14, id: 2, spacing: 1, divider: true },
        { type: 13, id: 3, file, spoiler: false, name: 'a.txt', size: 3 },
        {
          type: 12,
          id: 4,
          items: [
            { media: file, description: null, spoiler: false },
            {
              media: expect.objectContaining({ url: 'https://a.example/x.png', id: expect.stringMatching(/^\d+$/) }),
              description: null,
              spoiler: false,
            },
          ],
        },
        { type: 1, id: 5, components: [{ type: 5, id: 6, custom_id: 'who', min_values: 1, max_values: 1 }] },
      ],
    },
  ]);
  const embed = await rest(discord, 'POST', path, { body: { embeds: [{ title: 't', fields: [{ name: 'a', value: 'b' }] }] } });
  expect(embed.json.embeds).toEqual([{ type: 'rich', title: 't', fields: [{ name: 'a', value: 'b', inline: false }] }]);
});

test('messages are listed newest first, before, after and around a message, at most a hundred', async () => {
  const discord = await startDiscordLab();
  const ada = discord.person('ada');
  const ids = Array.from({ length: 9 }, (_, n) => ada.say('#demo', `${n}`).id);
  const list = async (query: string) => {
    const { list: found, status } = await rest(discord, 'GET', `/channels/${discord.channelId('demo')}/messages?${query}`);
    return status === 200 ? found.map(({ content }) => content).join('') : status;
  };
  expect(await list('limit=3')).toBe('876');
  expect(await list(`limit=2&before=${ids[4]}`)).toBe('32');
  expect(await list(`limit=2&after=${ids[4]}`)).toBe('65');
  expect(await list(`limit=3&around=${ids[4]}`)).toBe('543');
  expect(await list('limit=101')).toBe(400);
});

test('direct messages open with one call, and say so when the person has closed them', async () => {
  const discord = await startDiscordLab();
  const ada = discord.person('ada');
  const opened = await rest(discord, 'POST', '/users/@me/channels', { body: { recipient_id: ada.id } });
  expect(opened.json).toMatchObject({ type: 1, recipients: [{ id: ada.id }] });
  await send(discord, String(opened.json.id), { content: 'hello' });
  expect((await ada.waitForMessage('hello', { channel: 'dm' })).author).toBe(discord.botUserId);
  ada.allowDms(false);
  expect((await post(discord, { content: 'x' }, String(opened.json.id))).json.code).toBe(50007);
  expect((await rest(discord, 'POST', '/users/@me/channels', { body: { recipient_id: '1' } })).json.code).toBe(10013);
});
