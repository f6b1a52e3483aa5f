import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { placeCommands } from '../../adapters/discord/command-names.ts';
import { applicationCommands } from '../../adapters/discord/command-schema.ts';
import { commandText, typedCommand, typingOf } from '../../adapters/discord/command-text.ts';
import type { CommandOption } from '../../adapters/discord/payloads.ts';
import { optional, required } from '../../src/commands/arguments.ts';
import { defineCommand } from '../../src/commands/command.ts';
import { createCommandMenu } from '../../src/commands/menu.ts';
import { parseText } from '../../src/commands/parse.ts';
import { sh } from '../../src/commands/sh.ts';
import type { CommandMenu, MenuCommand } from '../../src/contracts/command-menu.ts';
import type { Database } from '../../src/store/database.ts';
import { argument, menuCommand } from '../support/discord-adapter.ts';

const any = (hint: string) => ({ hint, about: hint, schema: z.string() });
const commands = [
  sh,
  defineCommand({
    name: 'project add',
    group: 'setup',
    summary: 'Adds a project',
    permission: 'project.manage',
    action: 'add projects',
    positional: { name: required(any('name')), source: required(any('source')) },
    options: { branch: optional(any('branch')), 'not-now': optional(any('not-now')) },
    examples: [],
    run: async () => undefined,
  }),
];
const menu: Pick<CommandMenu, 'commands'> = {
  commands: [
    menuCommand('sh', [argument('command', { required: true, rest: true })], [argument('project')]),
    menuCommand(
      'project add',
      [argument('name', { required: true }), argument('source', { required: true })],
      [argument('branch'), argument('not_now')],
    ),
  ],
};

const typed = (values: Record<string, string | undefined>, focused?: string) =>
  Object.entries(values).flatMap(([name, value]) =>
    value === undefined ? [] : [{ type: 3, name, value, ...(name === focused ? { focused: true } : {}) }],
  );

/** Options of Discord are one line, and none is empty. */
const word = fc
  .oneof(
    fc.string({ minLength: 1, maxLength: 12 }),
    fc.constantFrom(
      'a b',
      'x=1',
      '"',
      "don't",
      '“so”',
      '--',
      '\\',
      'branch=main',
      '-- x',
      '„a“',
      'a"b',
      "'",
      '$HOME',
      '--flag=1',
    ),
  )
  .filter((text) => text.trim() === text && text !== '' && !/[\n\r]/.test(text));
const line = fc
  .array(word, { minLength: 1, maxLength: 4 })
  .map((words) => words.join(' '))
  // Code marks around the whole are taken off, wherever a command is written.
  .filter((text) => !text.includes('`'));

describe('a command of Discord as text', () => {
  it('is read as what was typed into its options, whatever that is', () => {
    const optionalWord = fc.option(word, { nil: undefined });
    fc.assert(
      fc.property(word, word, optionalWord, optionalWord, (name, source, branch, notNow) => {
        const options = [
          {
            type: 2,
            name: 'project',
            options: [{ type: 1, name: 'add', options: typed({ branch, name, not_now: notNow, source }) }],
          },
        ];
        const text = commandText(menu, options) ?? '';
        const read = parseText(text, commands);
        const args = read.type === 'command' ? read.args : read;
        expect(args, text).toEqual({ name, source, branch, 'not-now': notNow });
      }),
      { numRuns: 300 },
    );
  });

  it('keeps the text of `sh` as it was typed, behind its options', () => {
    fc.assert(
      fc.property(line, fc.option(word, { nil: undefined }), (command, project) => {
        const text = commandText(menu, [{ type: 1, name: 'sh', options: typed({ command, project }) }]) ?? '';
        const read = parseText(text, commands);
        const args = read.type === 'command' ? read.args : read;
        expect(args, text).toEqual({ command, project });
      }),
      { numRuns: 300 },
    );
  });

  it('is written out when it has left the menu since Discord was told, so that somebody says what to do', () => {
    const options = [{ type: 1, name: 'deploy', options: typed({ where: 'the moon' }) }];
    expect(commandText(menu, options)).toBe('deploy "the moon"');
  });

  it('is known as the clients write it, so that it can be pasted and corrected', () => {
    const choices = typed({ name: 'the web', source: 'https://example.com/web.git' });
    const options: CommandOption[] = [{ type: 2, name: 'project', options: [{ type: 1, name: 'add', options: choices }] }];
    expect(typedCommand('deckhand-setup', options)).toBe(
      '/deckhand-setup project add name:the web source:https://example.com/web.git',
    );
    expect(typedCommand('deckhand', [{ type: 1, name: 'rules' }])).toBe('/deckhand rules');
  });

  it('is none for options of another shape', () => {
    expect(commandText(menu, [])).toBeUndefined();
    expect(commandText(menu, [{ type: 3, name: 'sh', value: 'x' }])).toBeUndefined();
    expect(commandText(menu, [{ type: 2, name: 'project', options: [{ type: 3, name: 'add' }] }])).toBeUndefined();
  });
});

describe('what is being typed', () => {
  const add = (values: Record<string, string>, focused: string) =>
    typingOf(menu, [{ type: 2, name: 'project', options: [{ type: 1, name: 'add', options: typed(values, focused) }] }]);

  it('stands at the end of the text that is to be completed, with what was typed before', () => {
    expect(add({ name: 'the web', source: 'htt' }, 'source')?.text).toBe('project add "the web" htt');
    expect(add({ name: 'web', source: 'x', branch: 'ma' }, 'branch')?.text).toBe('project add web x branch=ma');
  });

  it('takes a completion of the whole text as one of the option, and none that is about something else', () => {
    const typing = add({ name: 'web', source: 'x', branch: 'ma' }, 'branch');
    expect(typing?.valueOf({ value: 'project add web x branch=main ', hint: '' })).toBe('main');
    expect(typing?.valueOf({ value: 'project add web x branch="a b" ', hint: '' })).toBe('a b');
    expect(typing?.valueOf({ value: 'project add other x branch=main', hint: '' })).toBeUndefined();
    expect(add({ name: 'web' }, 'unknown')).toBeUndefined();
  });
});

describe('what Discord is told about the commands', () => {
  const slashes = (commandsOfMenu: readonly MenuCommand[]) =>
    applicationCommands({ commands: [...commandsOfMenu] }).flatMap((one) =>
      'options' in one ? [{ name: one.name, options: one.options ?? [], characters: charactersIn(one) }] : [],
    );
  const registered = (commandsOfMenu: readonly MenuCommand[]) => slashes(commandsOfMenu)[0]?.options ?? [];
  /** Counted another way than the adapter does. */
  const charactersIn = (value: unknown) =>
    [...JSON.stringify(value).matchAll(/"(?:name|description|value)":"((?:[^"\\]|\\.)*)"/g)]
      .map(([, text]) => (JSON.parse(`"${text}"`) as string).length)
      .reduce((sum, one) => sum + one, 0);

  it('stays within twenty-five entries each; `do` is always one of the first, and what it has no room for stands below the next', () => {
    const all = slashes(Array.from({ length: 40 }, (_, at) => menuCommand(`command-${at}`)));
    expect(all.map(({ name, options }) => [name, options.length, options.at(-1)?.name])).toEqual([
      ['deckhand', 25, 'do'],
      ['deckhand-more', 16, 'command-39'],
    ]);
  });

  it('stays within the characters that one command may have, and names what it can', () => {
    const long = Array.from({ length: 30 }, (_, at) =>
      menuCommand(
        `command-${at}`,
        Array.from({ length: 6 }, (_, one) => argument(`a${one}`, { about: 'x'.repeat(100) })),
      ),
    );
    const all = slashes(long);
    expect(all.map(({ name }) => name)).toEqual(['deckhand', 'deckhand-more']);
    for (const { characters, options } of all) {
      expect(characters).toBeLessThanOrEqual(8000);
      expect(options.length).toBeGreaterThan(5);
    }
    expect(all[0]?.options.at(-1)?.name).toBe('do');
  });

  it('has a place for every command that there is, in the part where the help has it', () => {
    const { commands: real } = createCommandMenu({ database: {} as Database, onError() {} });
    expect(new Set(placeCommands({ commands: real }).map(({ command }) => command.name))).toEqual(
      new Set(real.map(({ name }) => name)),
    );
    for (const { command, slash } of placeCommands({ commands: real })) {
      const part = {
        setup: 'deckhand-setup',
        people: 'deckhand-people',
        work: 'deckhand',
        look: 'deckhand',
        deckhand: 'deckhand',
      };
      expect(slash.startsWith(part[command.part]), command.name).toBe(true);
    }
    for (const { name, options, characters } of slashes(real)) {
      expect(options.length, name).toBeLessThanOrEqual(25);
      expect(characters, name).toBeLessThanOrEqual(8000);
      for (const one of options) expect('options' in one ? one.options?.length : 0, one.name).toBeLessThanOrEqual(25);
    }
  });

  it('has required options first, and completes what is neither a choice nor a text', () => {
    const [found] = registered([
      menuCommand('move', [
        argument('task'),
        argument('column', { required: true, values: ['review', 'done'] }),
        argument('why', { rest: true }),
      ]),
    ]);
    expect(found).toMatchObject({
      options: [
        {
          name: 'column',
          required: true,
          choices: [
            { name: 'review', value: 'review' },
            { name: 'done', value: 'done' },
          ],
        },
        { name: 'task', required: false, autocomplete: true },
        { name: 'why', required: false },
      ],
    });
    expect(JSON.stringify(found).match(/autocomplete/g)).toHaveLength(1);
  });

  it('calls a command `list` that is named as the group of others', () => {
    const found = registered([menuCommand('rules'), menuCommand('rules revoke'), menuCommand('deckhand nested words')]);
    expect(found.map(({ name }) => name)).toEqual(['rules', 'do']);
    expect(found[0]).toMatchObject({ type: 2, options: [{ name: 'list' }, { name: 'revoke' }] });
    const [invite] = registered([menuCommand('invite'), menuCommand('invite list')]);
    expect(invite).toMatchObject({ type: 2, options: [{ name: 'new' }, { name: 'list' }] });
  });
});
