import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseText } from '../../src/commands/parse.ts';
import { commands } from '../../src/commands/registry.ts';

function parse(text: string) {
  const parsed = parseText(text, commands);
  if (parsed.type === 'command') return { command: parsed.command.name, args: parsed.args };
  if (parsed.type === 'invalid') return { invalid: parsed.command.name, problem: parsed.problem };
  return parsed;
}

describe('commands', () => {
  it.each([
    ['stop', 'stop', {}],
    ['STOP #142', 'stop', { task: 142 }],
    ['stop 142', 'stop', { task: 142 }],
    ['move #142 done', 'move', { task: 142, column: 'done' }],
    ['move Queued', 'move', { column: 'queued' }],
    ['tasks', 'tasks', {}],
    ['tasks mine project=web page=2', 'tasks', { filter: 'mine', project: 'web', page: 2 }],
    [
      'project add web https://example.com/acme/web.git?a=b branch=main',
      'project add',
      { name: 'web', source: 'https://example.com/acme/web.git?a=b', branch: 'main' },
    ],
    ['project  list', 'project list', {}],
    ['rules', 'rules', {}],
    ['rules 3', 'rules', { task: 3 }],
    ['member add <@U012AB> developer', 'member add', { person: '<@U012AB>', role: 'developer' }],
    ['member add "Ben Smith" Guest', 'member add', { person: 'Ben Smith', role: 'Guest' }],
    ['claim abcd efgh', 'claim', { code: 'abcd efgh' }],
    ['help project add', 'help', { topic: 'project add' }],
    ['bind none', 'bind', { project: 'none' }],
    [
      'settings timeout=1h30m concurrency=3 not-requester=on',
      'settings',
      { timeout: 5_400_000, concurrency: 3, 'not-requester': true },
    ],
    [
      'settings allow+="npm test" allow+=“npm run *”',
      'settings',
      { allow: { set: undefined, add: ['npm test', 'npm run *'], remove: [] } },
    ],
    [
      'settings deny=none people=@ada',
      'settings',
      { deny: { set: [], add: [], remove: [] }, people: { set: ['@ada'], add: [], remove: [] } },
    ],
    ['`stop`', 'stop', {}],
    ['```\nstop #1\n```', 'stop', { task: 1 }],
  ])('%j is read', (text, command, args) => {
    expect(parse(text)).toEqual({ command, args });
  });

  it.each([
    ['stop foo', 'stop', '`foo` is not a task number.'],
    ['show #1 #2', 'show', '`#2` is more than this command takes.'],
    ['move #1 somewhere', 'move', '`somewhere` is none of `backlog`, `queued`, `review`, `done`, `cancelled`.'],
    ['sh', 'sh', 'command is missing: what the shell runs.'],
    ['sh   \n ', 'sh', 'command is missing: what the shell runs.'],
    ['bind', 'bind', 'project is missing: the name of the project, or `none`.'],
    ['settings timout=3m', 'settings', '`settings` has no option `timout`. Did you mean `timeout`?'],
    ['settings timeout=soon', 'settings', '`soon` is not a length of time, such as `90s`, `20m` or `1h30m`.'],
    ['settings timeout=3d', 'settings', 'The time must be between 1s and 1d.'],
    ['settings timeout+=3m', 'settings', '`timeout` takes one value: `timeout=30m`.'],
    ['settings timeout=3m timeout=4m', 'settings', '`timeout` is given twice.'],
    ['settings concurrency=0', 'settings', '`0` is not a whole number from 1 to 100.'],
    ['settings verbosity=loud', 'settings', '`loud` is none of `quiet`, `steps`, `everything`.'],
    ['project add my/web x', 'project add', '`my/web` is not a name: letters, digits, dots, dashes and underscores, at most 28.'],
    ['project add web x branch=-q', 'project add', '`-q` is not the name of a branch.'],
    ['bind "web', 'bind', 'The quote in `"web` is not closed.'],
    ['rules revoke 7', 'rules revoke', '`7` is not a rule.'],
  ])('%j does not fit', (text, command, problem) => {
    expect(parse(text)).toEqual({ invalid: command, problem });
  });

  it('a group without its second word, an unknown one and an empty text are told apart', () => {
    expect(parse('project')).toEqual({ type: 'group', group: 'project' });
    expect(parse('project ad web')).toEqual({ type: 'unknown', word: 'project ad', suggestions: ['project add'] });
    expect(parse('project zzz')).toEqual({
      type: 'unknown',
      word: 'project zzz',
      suggestions: ['project add', 'project list', 'project test', 'project remove'],
    });
    expect(parse('tsks mine')).toEqual({ type: 'unknown', word: 'tsks', suggestions: ['tasks'] });
    expect(parse('xyzzy')).toEqual({ type: 'unknown', word: 'xyzzy', suggestions: [] });
    expect(parse('  ')).toEqual({ type: 'empty' });
  });

  it('every example of the registry is right', () => {
    for (const command of commands) {
      expect(command.examples.length).toBeGreaterThan(0);
      for (const [text] of command.examples) expect(parse(text)).toMatchObject({ command: command.name });
    }
  });
});

describe('sh', () => {
  const commandOf = (text: string) => {
    const parsed = parseText(text, commands);
    return parsed.type === 'command' ? parsed.args.command : parsed;
  };

  it.each([
    ['sh npm test', 'npm test'],
    ['sh echo "a  b" | sed \'s/x/y/\' && FOO=bar make', `echo "a  b" | sed 's/x/y/' && FOO=bar make`],
    ["sh echo it's", "echo it's"],
    ['sh\necho a\necho b', 'echo a\necho b'],
    ['sh `npm test`', 'npm test'],
    ['sh `a` && `b`', '`a` && `b`'],
    ['sh ```npm test```', 'npm test'],
    ['sh ```bash\nnpm ci\nnpm test\n```', 'npm ci\nnpm test'],
    ['sh ```\n  indented\n```', 'indented'],
    ['sh ```python\n1```', 'python\n1'],
    ['sh echo “smart” ‘quotes’', 'echo “smart” ‘quotes’'],
    ['sh FOO=bar npm test', 'FOO=bar npm test'],
    ['sh constructor=1 x', 'constructor=1 x'],
    ['sh -- project=web', 'project=web'],
    ['sh #142', '#142'],
    ['`sh npm test`', 'npm test'],
    ['sh echo "never closed', 'echo "never closed'],
  ])('%j runs %j', (text, command) => {
    expect(commandOf(text)).toBe(command);
  });

  it('a project may be named in front', () => {
    expect(parse('sh project=web npm test')).toEqual({ command: 'sh', args: { project: 'web', command: 'npm test' } });
    expect(parse('sh project="web" -- ls')).toEqual({ command: 'sh', args: { project: 'web', command: 'ls' } });
  });

  it('options may be written as on a command line, where their names are known', () => {
    const fix = { attempts: 3, mode: 'ask', prompt: 'fix --it now' };
    for (const text of ['--attempts 3 --mode=ask', '—attempts 3 mode=ask', '--attempts=3 -- ', '--mode "ask" --attempts  3']) {
      const { mode, ...rest } = fix;
      const args = text.includes('mode') ? fix : rest;
      expect(parse(`run ${text} fix --it now`)).toEqual({ command: 'run', args });
    }
    expect(parse('tasks --mine')).toMatchObject({ problem: expect.stringContaining('--mine') });
    expect(commandOf('sh --project web npm test --project x')).toBe('npm test --project x');
    expect(commandOf('sh --verbose 3')).toBe('--verbose 3');
    expect(commandOf('sh --project')).toBe('--project');
  });

  it('passes every other text on exactly as it is typed', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme', minLength: 1, maxLength: 300 }), (typed) => {
        const text = typed.trim();
        fc.pre(text !== '' && !text.includes('`') && !/^(project=|--(\s|$))/.test(text));
        expect(commandOf(`sh ${text}`)).toBe(text);
      }),
    );
  });
});

it('any text is read without an exception', () => {
  const start = fc.constantFrom(...commands.map(({ name }) => name), 'project', 'member', '`', '```', '');
  const piece = fc.oneof(
    fc.string({ unit: 'binary' }),
    fc.constantFrom('#1', '"', "'", 'project=', 'allow+="', '--', '=', '\n', '__proto__=1', 'constructor=x'),
  );
  fc.assert(
    fc.property(start, fc.array(piece, { maxLength: 8 }), (name, pieces) => {
      const parsed = parseText([name, ...pieces].join(' '), commands);
      expect(['command', 'invalid', 'group', 'unknown', 'empty']).toContain(parsed.type);
    }),
    { numRuns: 1000 },
  );
});
