import { expect, test } from 'vitest';
import { discordCommands as commands, mistakes, commandOption as option, rest, startDiscordLab } from '../support/discord-lab.ts';

test.each<[string, unknown, string[] | number]>([
  ['a capital letter in its name', [{ name: 'Deckhand', description: 'x' }], ['0.name APPLICATION_COMMAND_INVALID_NAME']],
  ['no description', [{ name: 'a' }], ['0.description BASE_TYPE_REQUIRED']],
  [
    '26 options',
    [{ name: 'a', description: 'x', options: Array.from({ length: 26 }, (_, n) => option(`o${n}`, 3)) }],
    ['0.options BASE_TYPE_MAX_LENGTH'],
  ],
  [
    'a required option last',
    [{ name: 'a', description: 'x', options: [option('b', 3), option('c', 3, { required: true })] }],
    ['0.options.1 APPLICATION_COMMAND_OPTIONS_REQUIRED_INVALID'],
  ],
  [
    'subcommands beside options',
    [{ name: 'a', description: 'x', options: [option('b', 1), option('c', 3)] }],
    ['0.options APPLICATION_COMMAND_OPTIONS_TYPE_INVALID'],
  ],
  [
    'a group in a group',
    [{ name: 'a', description: 'x', options: [option('b', 2, { options: [option('c', 2)] })] }],
    ['0.options.0.options.0.type UNION_TYPE_CHOICES'],
  ],
  [
    'choices and completions',
    [{ name: 'a', description: 'x', options: [option('b', 3, { autocomplete: true, choices: [{ name: 'x', value: 'x' }] })] }],
    ['0.options.0.autocomplete APPLICATION_COMMAND_OPTIONS_CHOICES_AUTOCOMPLETE'],
  ],
  [
    'an option twice',
    [{ name: 'a', description: 'x', options: [option('b', 3), option('b', 3)] }],
    ['0.options.1.name APPLICATION_COMMAND_OPTIONS_NAME_ALREADY_EXISTS'],
  ],
  [
    'more than 8,000 characters',
    [
      {
        name: 'a',
        description: 'x',
        options: Array.from({ length: 4 }, (_, n) =>
          option(`o${n}`, 3, {
            choices: Array.from({ length: 25 }, (_x, m) => ({ name: `${m}`.padEnd(50, 'x'), value: `${m}`.padEnd(50, 'x') })),
          }),
        ),
      },
    ],
    ['0 APPLICATION_COMMAND_TOO_LARGE'],
  ],
  [
    'its name twice',
    [
      { name: 'a', description: 'x' },
      { name: 'a', description: 'x' },
    ],
    ['1 APPLICATION_COMMANDS_DUPLICATE_NAME'],
  ],
  [
    'a description on a message command',
    [{ name: 'Do It', type: 3, description: 'x' }],
    ['0.description APPLICATION_COMMAND_DESCRIPTION_CANNOT_BE_SET'],
  ],
  ['101 commands', Array.from({ length: 101 }, (_, n) => ({ name: `c${n}`, description: 'x' })), 30032],
])('registering a command with %s is refused', async (_what, body, expected) => {
  const discord = await startDiscordLab();
  const answer = await rest(discord, 'PUT', `/applications/${discord.applicationId}/commands`, { body });
  expect(answer.status).toBe(400);
  if (typeof expected === 'number') expect(answer.json.code).toBe(expected);
  else expect(mistakes(answer)).toEqual(expected);
});

test('replacing all commands keeps ids and versions of those that are the same; guild commands are for the guild alone', async () => {
  const discord = await startDiscordLab();
  const base = `/applications/${discord.applicationId}`;
  const first = await rest(discord, 'PUT', `${base}/commands`, { body: commands });
  const changed = [commands[0], { name: 'new', description: 'x', contexts: [1] }];
  const second = await rest(discord, 'PUT', `${base}/commands`, { body: changed });
  expect(second.list[0]).toEqual(first.list[0]);
  expect((await rest(discord, 'GET', `${base}/commands`)).list.map(({ name }) => name)).toEqual(['deckhand', 'new']);
  const made = await rest(discord, 'POST', `${base}/guilds/${discord.guildId}/commands`, {
    body: { name: 'here', description: 'x' },
  });
  expect([made.status, made.json.guild_id]).toEqual([201, discord.guildId]);
  const again = await rest(discord, 'POST', `${base}/guilds/${discord.guildId}/commands`, {
    body: { name: 'here', description: 'y' },
  });
  expect([again.status, again.json.id]).toEqual([200, made.json.id]);
  const ada = discord.person('ada');
  await expect(ada.slash('dm', '/here')).rejects.toMatchObject({ code: 'unknown_command' });
  await expect(ada.slash('#demo', '/new')).rejects.toMatchObject({ code: 'unknown_command' });
  expect((await rest(discord, 'DELETE', `${base}/commands/${String(second.list[1]?.id)}`)).status).toBe(204);
  expect((await rest(discord, 'GET', `${base}/commands/${String(second.list[1]?.id)}`)).json.code).toBe(10063);
});

test('commands are for members with the rights they ask for, and for the owner always', async () => {
  const discord = await startDiscordLab({ timing: { respond: 20 } });
  const base = `/applications/${discord.applicationId}/commands`;
  const body = [
    { name: 'all', description: 'x', default_member_permissions: String(1 << 11) },
    { name: 'managers', description: 'x', default_member_permissions: String((1 << 11) | (1 << 13)) },
    { name: 'admins', description: 'x', default_member_permissions: '0' },
  ];
  await rest(discord, 'PUT', base, { body });
  // Whoever may use it finds the app silent; whoever may not does not find the command.
  const outcome = (person: string, name: string) =>
    discord
      .person(person)
      .slash('#demo', name)
      .catch((error: Error & { code?: string }) => error.code ?? error.name);
  expect(await Promise.all(body.map(({ name }) => outcome('ben', name)))).toEqual([
    'NotAnswered',
    'unknown_command',
    'unknown_command',
  ]);
  expect(await Promise.all(body.map(({ name }) => outcome('ada', name)))).toEqual(['NotAnswered', 'NotAnswered', 'NotAnswered']);
});

test('two hundred commands a day can be made, however often the list is replaced', async () => {
  let day = 0;
  const discord = await startDiscordLab({ now: () => Date.now() + day * 24 * 60 * 60_000 });
  const base = `/applications/${discord.applicationId}/commands`;
  const fill = (prefix: string) =>
    rest(discord, 'PUT', base, { body: Array.from({ length: 100 }, (_, n) => ({ name: `${prefix}${n}`, description: 'x' })) });
  expect((await fill('a')).status).toBe(200);
  expect((await fill('a')).status).toBe(200);
  expect((await fill('b')).status).toBe(200);
  const refused = await fill('c');
  expect([refused.status, refused.json.code]).toEqual([429, 30034]);
  day = 1;
  expect((await fill('c')).status).toBe(200);
});
