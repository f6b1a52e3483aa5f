import { describe, expect, it } from 'vitest';
import { actionHash } from '../../src/approvals/action.ts';
import { actionLines, actionTitle, dollars } from '../../src/approvals/action-text.ts';
import { callHash } from '../../src/approvals/agent-action.ts';
import { checkAnswers } from '../../src/approvals/answers.ts';
import { rulesFrom } from '../../src/approvals/make-rules.ts';
import type { Question, ToolCall } from '../../src/contracts/agent.ts';
import { type Action, actionSchema } from '../../src/contracts/policy.ts';
import { raisedFrom } from '../../src/tasks/agent-spend.ts';

const place = {
  agent: 'claude',
  project: 'prj_1',
  cwd: '/workspace',
  sandbox: 'docker',
  image: 'img:1',
  network: 'none',
} as const;
const call: ToolCall = {
  tool: 'Bash',
  title: 'Bash: npm test',
  input: '{"command":"npm test"}',
  command: 'npm test',
  files: [{ path: 'a.ts', change: 'edit', diff: '-a\n+b' }],
  readOnly: false,
};
const tool: Action = { type: 'tool', ask: 'call-1', ...place, call };

describe('the hash that binds a decision to what an agent asks', () => {
  it('promise 7: differs when anything of the call differs', () => {
    const changes: Partial<ToolCall>[] = [
      { tool: 'Shell' },
      { title: 'npm test' },
      { input: '{"command":"npm test "}' },
      { command: 'npm test ' },
      { files: [{ path: 'b.ts', change: 'edit', diff: '-a\n+b' }] },
      { files: [{ path: 'a.ts', change: 'delete', diff: '-a\n+b' }] },
      { files: [{ path: 'a.ts', change: 'edit' }] },
      { readOnly: true },
    ];
    const others = [
      { ask: 'call-2' },
      { image: 'img:2' },
      { sandbox: 'local' as const },
      { network: 'host' as const },
      { cwd: '/' },
    ];
    const actions: Action[] = [
      tool,
      ...changes.map((change): Action => ({ ...tool, call: { ...call, ...change } })),
      ...others.map((change): Action => ({ ...tool, ...change })),
    ];
    expect(new Set(actions.map(actionHash)).size).toBe(1 + changes.length + others.length);
  });

  it('of the call alone does not depend on the name the agent has for it, and on nothing less', () => {
    expect(callHash({ ...tool, ask: 'other' })).toBe(callHash(tool));
    expect(callHash({ ...tool, image: 'img:2' })).not.toBe(callHash(tool));
  });
});

describe('the whole of what is asked, for people', () => {
  it('spells out hidden characters of a call, its files and its input', () => {
    const lines = actionLines(
      { ...tool, call: { ...call, command: 'ls \u202e', input: '{"a":"\u200b"}', title: 'a\nb' } },
      'web',
    );
    const text = lines.join('\n');
    expect(text).toContain('  ls ⟨U+202E⟩');
    expect(text).toContain('  {"a":"⟨U+200B⟩"}');
    expect(text).toContain('Hidden characters: U+200B');
    expect(text).toContain('Call: a⏎b');
    expect(text).toContain('File: a.ts (edit)\n  -a\n  +b');
    expect(text).toContain('Sandbox: container of img:1');
  });

  it('has a line for every kind of request', () => {
    const question: Question = {
      id: 'q',
      header: 'Base',
      text: 'Which?',
      options: [{ label: 'a' }],
      multiple: false,
      free: true,
    };
    const actions: Action[] = [
      tool,
      { type: 'plan', ask: 'p', ...place, text: '\n# Plan\n1. do' },
      { type: 'question', ask: 'q', ...place, questions: [question] },
      { type: 'spend', ask: 's', project: 'prj_1', spentUsd: 1.004, budgetUsd: 1, raisedUsd: 3 },
    ];
    for (const action of actions) expect(actionSchema.parse(action)).toEqual(action);
    expect(actions.map(actionTitle)).toEqual(['Bash: npm test', '# Plan', 'Which?', 'Go on up to $3.00']);
    expect(actions.map((action) => actionLines(action, 'web').at(0))).toEqual([
      'Call: Bash: npm test',
      'Plan:',
      'Question (Base):',
      'Spent: $1.00 of $1.00',
    ]);
  });

  it('small amounts of money keep their digits', () => {
    expect([0, 0.004, 0.0123, 12.5].map(dollars)).toEqual(['$0.00', '$0.0040', '$0.01', '$12.50']);
  });
});

describe('rules that "for this task" makes', () => {
  const of = (change: Partial<ToolCall>) => rulesFrom({ ...tool, call: { ...call, ...change } });
  const { command: _, files: __, ...bare } = call;

  it('are the exact command, each changed file, or the tool', () => {
    expect(of({ files: [] })).toEqual([{ kind: 'command', match: 'npm test' }]);
    const files = [
      { path: 'a.ts', change: 'edit' },
      { path: 'b.ts', change: 'create' },
      { path: 'a.ts', change: 'edit' },
      { path: 'c.ts', change: 'read' },
    ] as const;
    expect(rulesFrom({ ...tool, call: { ...bare, files: [...files] } })).toEqual([
      { kind: 'path', match: 'a.ts' },
      { kind: 'path', match: 'b.ts' },
    ]);
    expect(rulesFrom({ ...tool, call: bare })).toEqual([{ kind: 'tool', match: 'Bash' }]);
  });

  it('promise 7: are none for files outside of the working copy or in its repository', () => {
    expect(of({ files: [{ path: '.git/config', change: 'edit' }] })).toEqual([]);
    expect(of({ files: [{ path: '/etc/hosts', change: 'read' }] })).toEqual([]);
  });
});

describe('answers to the questions of an agent', () => {
  const one: Question = {
    id: 'q1',
    header: 'H',
    text: 'One?',
    options: [{ label: 'a' }, { label: 'b' }],
    multiple: false,
    free: false,
  };
  const many: Question = { ...one, id: 'q2', text: 'Many?', multiple: true, free: true };

  it('are the labels that were chosen, or own words where these are possible', () => {
    expect(checkAnswers([one, many], { q1: ['a'], q2: ['a', 'b', 'a', ' mine '] })).toEqual({
      ok: true,
      answers: { q1: ['a'], q2: ['a', 'b', 'mine'] },
    });
  });

  it.each([
    [{ q2: ['a'] }, 'an answer is missing'],
    [{ q1: [' '], q2: ['a'] }, 'an answer is missing'],
    [{ q1: ['c'], q2: ['a'] }, 'one of the choices'],
    [{ q1: ['a', 'b'], q2: ['a'] }, 'only one answer'],
    [{ q1: ['a'], q2: ['x', 'y'] }, 'own words'],
    [{ q1: ['a'], q2: ['x'.repeat(4001)] }, 'longer than'],
    [{ q1: ['a'], q2: ['a'], q3: ['a'] }, 'belongs to no question'],
  ])('%j are refused: %s', (given, problem) => {
    expect(checkAnswers([one, many], given)).toEqual({ ok: false, problem: expect.stringContaining(problem) });
  });
});

it('money that is asked for is as much again, above what is spent, in whole cents', () => {
  expect([raisedFrom(5, 5.01), raisedFrom(0.1, 0.2), raisedFrom(2, 9), raisedFrom(0, 0), raisedFrom(1, 1.2)]).toEqual([
    10.01, 1.2, 11, 1, 2.2,
  ]);
});
