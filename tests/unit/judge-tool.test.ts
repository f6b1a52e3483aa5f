import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { judgeTool, noRules, type TaskRules } from '../../src/approvals/judge-tool.ts';
import { filePlace, isOwnPlan } from '../../src/approvals/touched-files.ts';
import type { AgentMode, ToolCall } from '../../src/contracts/agent.ts';
import { defaultPolicy, type Policy, type ToolAction } from '../../src/contracts/policy.ts';

const modes = ['ask', 'acceptEdits', 'auto', 'plan', 'bypass'] as const satisfies AgentMode[];
const policies = {
  ask: defaultPolicy,
  safe: { ...defaultPolicy, mode: 'safe' },
  custom: { ...defaultPolicy, mode: 'custom', allow: ['npm test'], deny: ['git push *'] },
  yolo: { ...defaultPolicy, mode: 'yolo' },
} satisfies Record<string, Policy>;

function call(change: Partial<ToolCall>): ToolCall {
  return { tool: 'Other', title: 'Other', input: '{}', readOnly: false, ...change };
}

function action(of: ToolCall, sandbox: 'docker' | 'local' = 'docker'): ToolAction {
  const place = { cwd: '/workspace', sandbox, image: sandbox === 'docker' ? 'img:1' : null } as const;
  return { type: 'tool', ask: 'a1', agent: 'claude', project: 'prj_1', ...place, network: 'none', call: of };
}

const bash = (command: string) => call({ tool: 'Bash', title: `Bash: ${command}`, command });
const edit = (...paths: string[]) =>
  call({ tool: 'Edit', title: 'Edit', files: paths.map((path) => ({ path, change: 'edit' as const })) });
const read = (path: string) => call({ tool: 'Read', title: 'Read', files: [{ path, change: 'read' }], readOnly: true });

const calls = {
  'a search': call({ tool: 'Grep', readOnly: true }),
  'reading a file': read('src/a.ts'),
  'reading outside': read('/etc/passwd'),
  'reading in .git': read('.git/config'),
  'an edit': edit('src/a.ts'),
  'an edit outside': edit('/etc/hosts'),
  'an edit in .git': edit('.git/hooks/pre-commit'),
  'an edit in and outside': edit('src/a.ts', '../b.ts'),
  'a reading command': bash('git status --short'),
  'an allowed command': bash('npm test'),
  'another command': bash('npm install left-pad'),
  'a denied command': bash('git push origin main'),
  'an unknown tool': call({ tool: 'mcp__mail__send' }),
  'its own plan': call({ tool: 'Write', files: [{ path: '.git/deckhand/home/claude/plans/a-b.md', change: 'create' }] }),
};

/** For each policy the verdicts in the order of `modes`: r runs, a asks, d is denied. */
const table: Record<keyof typeof calls, Record<keyof typeof policies, string>> = {
  //                           ask accept auto plan bypass
  'a search': { ask: 'rrrrr', safe: 'rrrrr', custom: 'rrrrr', yolo: 'rrrrr' },
  'reading a file': { ask: 'rrrrr', safe: 'rrrrr', custom: 'rrrrr', yolo: 'rrrrr' },
  'reading outside': { ask: 'aaaaa', safe: 'aaaaa', custom: 'aaaaa', yolo: 'aaaaa' },
  'reading in .git': { ask: 'aaaaa', safe: 'aaaaa', custom: 'aaaaa', yolo: 'aaaaa' },
  'an edit': { ask: 'arrdr', safe: 'arrdr', custom: 'arrdr', yolo: 'arrdr' },
  'an edit outside': { ask: 'aaada', safe: 'aaada', custom: 'aaada', yolo: 'aaada' },
  'an edit in .git': { ask: 'aaada', safe: 'aaada', custom: 'aaada', yolo: 'aaada' },
  'an edit in and outside': { ask: 'aaada', safe: 'aaada', custom: 'aaada', yolo: 'aaada' },
  'a reading command': { ask: 'aaaar', safe: 'rrrrr', custom: 'aaaar', yolo: 'rrrrr' },
  'an allowed command': { ask: 'aaadr', safe: 'aaadr', custom: 'arrdr', yolo: 'arrdr' },
  'another command': { ask: 'aaadr', safe: 'aaadr', custom: 'aaadr', yolo: 'arrdr' },
  'a denied command': { ask: 'aaadr', safe: 'aaadr', custom: 'ddddd', yolo: 'arrdr' },
  'an unknown tool': { ask: 'aaadr', safe: 'aaadr', custom: 'aaadr', yolo: 'aaadr' },
  'its own plan': { ask: 'rrrrr', safe: 'rrrrr', custom: 'rrrrr', yolo: 'rrrrr' },
};
const words = { r: 'run', a: 'ask', d: 'deny' } as const;

describe('promise 7: what an agent may do without asking', () => {
  for (const [name, row] of Object.entries(table) as [keyof typeof calls, Record<keyof typeof policies, string>][]) {
    for (const [policy, verdicts] of Object.entries(row) as [keyof typeof policies, string][]) {
      it(`${name} under policy ${policy}`, () => {
        const got = modes.map((mode) => judgeTool(policies[policy], mode, action(calls[name]), noRules).verdict);
        expect(got).toEqual([...verdicts].map((letter) => words[letter as keyof typeof words]));
      });
    }
  }

  it.each(Object.keys(calls) as (keyof typeof calls)[])('on the host, mode bypass treats %s as mode ask does', (name) => {
    for (const policy of Object.values(policies)) {
      const host = action(calls[name], 'local');
      const { verdict } = judgeTool(policy, 'bypass', host, noRules);
      expect(verdict).toBe(judgeTool(policy, 'ask', host, noRules).verdict);
    }
  });

  it('a denial in plan mode tells the agent what to do instead', () => {
    const verdict = judgeTool(policies.yolo, 'plan', action(edit('src/a.ts')), noRules);
    expect(verdict).toMatchObject({ verdict: 'deny', because: expect.stringContaining('present it') });
  });

  it('what asks names the risks and that the host is not isolated', () => {
    const remove = call({ tool: 'apply_patch', files: [{ path: '/etc/hosts', change: 'delete' }] });
    expect(judgeTool(policies.yolo, 'auto', action(remove, 'local'), noRules)).toMatchObject({
      verdict: 'ask',
      because: '`/etc/hosts` is outside of the working copy',
      risks: ['not isolated', 'deletes files', 'writes outside the working copy'],
    });
    expect(judgeTool(policies.ask, 'auto', action(bash('rm -rf dist'), 'local'), noRules)).toMatchObject({
      risks: ['not isolated', 'deletes files'],
    });
  });

  it('what is said to be read only is not believed of a command', () => {
    const lie = { ...bash('rm -rf src'), readOnly: true };
    expect(judgeTool(policies.yolo, 'plan', action(lie), noRules).verdict).toBe('deny');
    expect(judgeTool(policies.safe, 'auto', action(lie), noRules).verdict).toBe('ask');
  });

  it('a call that changes a file is none that reads, whatever is said', () => {
    const lie = { ...edit('src/a.ts'), readOnly: true };
    expect(judgeTool(policies.yolo, 'plan', action(lie), noRules).verdict).toBe('deny');
    expect(judgeTool(policies.yolo, 'ask', action(lie), noRules).verdict).toBe('ask');
  });

  it('a command that may hide a denied one asks, in mode bypass too', () => {
    const hidden = bash('$(echo git) push origin main');
    expect(judgeTool(policies.custom, 'bypass', action(hidden), noRules).verdict).toBe('ask');
  });
});

describe('rules of a task', () => {
  const rules: TaskRules = {
    commands: ['npm install left-pad'],
    paths: ['src/a.ts', '/etc/hosts'],
    tools: ['mcp__mail__send', 'Edit'],
  };

  it('allow the exact command in the modes that may change something', () => {
    const verdicts = modes.map((mode) => judgeTool(policies.ask, mode, action(calls['another command']), rules).verdict);
    expect(verdicts).toEqual(['run', 'run', 'run', 'deny', 'run']);
    expect(judgeTool(policies.ask, 'auto', action(bash('npm install left-pad@2')), rules).verdict).toBe('ask');
  });

  it('allow changes of exactly these files, all of them', () => {
    expect(judgeTool(policies.ask, 'ask', action(edit('src/a.ts')), rules).verdict).toBe('run');
    expect(judgeTool(policies.ask, 'ask', action(edit('src/a.ts', 'src/b.ts')), rules).verdict).toBe('ask');
    expect(judgeTool(policies.ask, 'ask', action(edit('./src/a.ts')), rules).verdict).toBe('ask');
  });

  it('allow a tool, but no files by the name of the tool, and nothing outside', () => {
    expect(judgeTool(policies.ask, 'ask', action(calls['an unknown tool']), rules).verdict).toBe('run');
    expect(judgeTool(policies.ask, 'ask', action(edit('src/b.ts')), rules).verdict).toBe('ask');
    expect(judgeTool(policies.ask, 'ask', action(edit('/etc/hosts')), rules).verdict).toBe('ask');
  });

  it('change nothing in plan mode, and nothing that the policy denies', () => {
    expect(judgeTool(policies.ask, 'plan', action(calls['an unknown tool']), rules).verdict).toBe('deny');
    const pushes: TaskRules = { ...noRules, commands: ['git push origin main'] };
    expect(judgeTool(policies.custom, 'auto', action(calls['a denied command']), pushes).verdict).toBe('deny');
  });
});

describe('where files of a call are', () => {
  it.each([
    ['src/a.ts', 'inside'],
    ['./a', 'inside'],
    ['a/../b', 'inside'],
    ['.github/workflows/ci.yml', 'inside'],
    ['', 'outside'],
    ['/workspace/a', 'outside'],
    ['~/.ssh/config', 'outside'],
    ['../a', 'outside'],
    ['a/../../b', 'outside'],
    ['C:/a', 'outside'],
    ['a\\..\\b', 'outside'],
    ['a\nb', 'outside'],
    ['.git', 'git'],
    ['.GIT/config', 'git'],
    ['a/../.git/hooks/x', 'git'],
    ['vendor/lib/.git/config', 'git'],
  ])('%j is %s', (path, place) => {
    expect(filePlace(path)).toBe(place);
  });

  it.each([
    '.git/deckhand/home/plans/../../config.md',
    '.git/deckhand/home/claude/plans/a.sh',
    '.git/deckhand/home/claude/settings.json',
    '.git/deckhand/home/a/b/plans/x.md',
    'plans/a.md',
  ])('%s is no plan of the agent', (path) => {
    expect(isOwnPlan({ files: [{ path, change: 'create' }] })).toBe(false);
  });
});

const path = fc.oneof(
  fc.constantFrom('src/a.ts', '/etc/hosts', '.git/config', '../x', 'a/.git/b', '.git/deckhand/home/c/plans/p.md'),
  fc.string({ maxLength: 12 }),
);
const anyCall = fc.record(
  {
    tool: fc.constantFrom('Bash', 'Edit', 'Read', 'x'),
    title: fc.string(),
    input: fc.json(),
    readOnly: fc.boolean(),
    command: fc.oneof(fc.constantFrom('ls', 'rm -rf .', 'npm test', 'git push', 'cat a > b'), fc.string({ maxLength: 20 })),
    files: fc.array(fc.record({ path, change: fc.constantFrom('read', 'create', 'edit', 'delete') }), { maxLength: 3 }),
  },
  { requiredKeys: ['tool', 'title', 'input', 'readOnly'] },
);
const anyPolicy = fc.constantFrom(...Object.values(policies));

describe('promise 7: whatever an agent calls', () => {
  it('nothing that changes something runs in plan mode, but its own plan', () => {
    fc.assert(
      fc.property(anyPolicy, anyCall, (policy, any) => {
        const changes =
          any.files?.some(({ change }) => change !== 'read') === true || (any.command === undefined && !any.readOnly);
        if (!changes || isOwnPlan(any)) return;
        expect(judgeTool(policy, 'plan', action(any), noRules).verdict).not.toBe('run');
      }),
    );
  });

  it('no file outside of the working copy passes unasked, in any mode, with any rule', () => {
    fc.assert(
      fc.property(anyPolicy, fc.constantFrom(...modes), anyCall, (policy, mode, any) => {
        const paths = (any.files ?? []).map((file) => file.path);
        if (!paths.some((one) => filePlace(one) !== 'inside') || isOwnPlan(any)) return;
        const all: TaskRules = { commands: [any.command ?? ''], paths, tools: [any.tool] };
        expect(judgeTool(policy, mode, action(any), all).verdict).not.toBe('run');
      }),
    );
  });

  it('a stricter mode never lets run what a looser one asks about', () => {
    const order: AgentMode[] = ['plan', 'ask', 'acceptEdits', 'auto', 'bypass'];
    fc.assert(
      fc.property(anyPolicy, anyCall, fc.nat(4), fc.nat(4), (policy, any, one, other) => {
        const [strict, loose] = one < other ? [one, other] : [other, one];
        const verdictOf = (at: number) => judgeTool(policy, order[at] ?? 'plan', action(any), noRules).verdict;
        if (verdictOf(strict) === 'run') expect(verdictOf(loose)).toBe('run');
      }),
    );
  });
});
