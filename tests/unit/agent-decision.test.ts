import { describe, expect, it } from 'vitest';
import { decodePress } from '../../src/contracts/press.ts';
import { type DecisionFacts, decisionCard, reminder } from '../../src/delivery/decision-card.ts';
import { planAction, question, questionAction, spendAction, toolAction, working } from '../support/agent-cards.ts';
import { context, decision, find, labels, runAfter, start, text } from '../support/cards.ts';

const card = (action: DecisionFacts['action'], more: Partial<DecisionFacts> = {}) =>
  decisionCard(decision({ action, ...more }), runAfter(...working), context());
const attached = (view: ReturnType<typeof card>) =>
  (view.files ?? []).flatMap((file) => (file.from === 'text' ? [[file.name, file.text]] : []));
const tokens = (view: ReturnType<typeof card>) =>
  find(view, 'buttons').flatMap(({ buttons }) => buttons.map(({ token }) => decodePress(token)));

describe('a request of an agent', () => {
  it('shows a command to the letter, with whatever else is in the call', () => {
    const input = JSON.stringify({ command: 'npm install left-pad@1.3.0', timeout: 60_000, run_in_background: true });
    const view = card(toolAction({ command: 'npm install left-pad@1.3.0', input }));
    expect(text(view)).toBe(
      [
        '#142 wants to run a command · approval needed',
        'npm install left-pad@1.3.0',
        'where: /workspace in a container, no network',
        'because: the policy asks for everything',
        'risk: network, changes lockfile',
        'with: timeout: 60000, run_in_background: true',
        'until: 2026-01-01 13:00 UTC, then it counts as no',
        'web · main@3f9c2e1 · claude-code (opus, auto) · asked by Ada',
        'Ben Maintainers and owners can decide.',
      ].join('\n'),
    );
    expect(labels(view)).toEqual(['Approve', 'Approve for this task', 'Deny', 'Deny with reason…', 'Details']);
    const other = card(toolAction({ command: 'ls', input: JSON.stringify({ command: 'ls', cmd: ['bash', '-c', 'rm -rf /'] }) }));
    expect(text(other), 'an argument that says something else is shown').toContain('rm -rf /');
    const long = card(toolAction({ command: 'ls', input: JSON.stringify({ command: 'ls', env: 'x'.repeat(5000) }) }));
    expect(attached(long)).toEqual([['142-arguments.json', `env: ${'x'.repeat(5000)}`]]);
  });

  it('promise 7: shows a change with its diff, as a file when it is long', () => {
    const edit = (diff: string, path = 'src/session.ts') => ({ path, change: 'edit' as const, diff });
    const short = card(
      toolAction({ tool: 'Edit', title: 'Edit src/session.ts', files: [edit('@@ -1 +1 @@\n-let a\n+const a')] }),
    );
    expect(find(short, 'title')[0]?.spans).toEqual([{ type: 'text', text: '#142 wants to change a file' }]);
    expect(find(short, 'code')).toEqual([{ type: 'code', text: '@@ -1 +1 @@\n-let a\n+const a', language: 'diff' }]);
    const diff = Array.from({ length: 100 }, (_, n) => `+line ${n}`).join('\n');
    const two = card(toolAction({ tool: 'MultiEdit', files: [edit(diff, 'a.ts'), edit('+x\u202e', 'b.ts')] }));
    expect(attached(two)).toEqual([['142-changes.diff', `# edits a.ts\n${diff}\n# edits b.ts\n+x⟨U+202E⟩`]]);
    expect(text(two)).toContain('is in the attached 142-changes.diff. Read it before you decide.');
    expect(text(two)).toContain('Hidden characters: U+202E');
  });

  it('shows the input of any other tool, and of a change without its diff', () => {
    const view = card(toolAction({ tool: 'mcp__tracker__post', title: 'mcp__tracker__post', input: '{"a":{"b":1}}' }));
    expect(find(view, 'title')[0]?.spans).toEqual([{ type: 'text', text: '#142 wants to use mcp__tracker__post' }]);
    expect(find(view, 'code')[0]).toEqual({ type: 'code', text: '{\n  "a": {\n    "b": 1\n  }\n}', language: 'json' });
    const blind = card(toolAction({ tool: 'Write', input: '{"x":1}', files: [{ path: 'a.ts', change: 'create' }] }));
    expect(find(blind, 'code')[0]?.text).toBe('{\n  "x": 1\n}');
    expect(find(card(toolAction({ tool: 'odd', input: 'no json' })), 'code')[0]?.text).toBe('no json');
  });

  it('shows a plan readably, whole or as a file with its beginning, and what can be done with it', () => {
    const view = card(planAction('# Plan\n1. Lock `refresh`\n2. Add a test\n\n**Risk**: none'));
    expect(text(view)).toContain('#142 has a plan · plan to review\nPlan\n1. Lock refresh\n2. Add a test\n\nRisk: none\n');
    expect(labels(view)).toEqual(['Implement', 'Implement, ask first', 'Revise…', 'Details']);
    expect(tokens(view).map((token) => token?.kind === 'decide' && token.verb)).toEqual([
      'implement',
      'implement_ask',
      'revise',
      'details',
    ]);
    expect(find(view, 'buttons')[0]?.buttons.map(({ form }) => form === true)).toEqual([false, false, true, false]);
    const long = `${'A sentence of the plan. '.repeat(400)}The end.`;
    const whole = card(planAction(long));
    expect(attached(whole)).toEqual([['142-plan.md', long]]);
    expect(text(whole)).toContain('A sentence of the plan.');
    expect(text(whole)).toContain('is in the attached 142-plan.md. Read it before you decide.');
  });

  it('shows a question with its choices: a button for each of a few, a select for more, a form for several', () => {
    const one = card(questionAction(question()));
    expect(text(one)).toContain(
      '#142 asks a question · answer needed\nWhich test runner?\n1. vitest: fast, and here already\n2. jest\n',
    );
    expect(labels(one)).toEqual(['vitest', 'jest', 'Own words…', 'No answer']);
    expect(tokens(one).slice(0, 2)).toEqual([
      { kind: 'choose', secret: 'abcdefghijklmnopqrstuv', question: 0, option: 0 },
      { kind: 'choose', secret: 'abcdefghijklmnopqrstuv', question: 0, option: 1 },
    ]);
    const alike = card(
      questionAction(question({ free: false, options: [{ label: 'x'.repeat(60) }, { label: `${'x'.repeat(60)}y` }] })),
    );
    expect(labels(alike)).toEqual([`1. ${'x'.repeat(36)}…`, `2. ${'x'.repeat(36)}…`, 'No answer']);
    const six = card(questionAction(question({ options: Array.from({ length: 6 }, (_, n) => ({ label: `choice ${n}` })) })));
    expect(find(six, 'select')[0]).toMatchObject({
      placeholder: 'Runner',
      options: { length: 6, 5: { value: '5', label: 'choice 5' } },
    });
    expect(decodePress(find(six, 'select')[0]?.token ?? '')).toEqual({
      kind: 'choose',
      secret: 'abcdefghijklmnopqrstuv',
      question: 0,
    });
    const two = card(questionAction(question(), question({ id: 'q2', text: 'Which targets?', multiple: true })));
    expect(text(two)).toContain('Question 1: Which test runner?');
    expect(text(two)).toContain('Several can be chosen.');
    expect(labels(two)).toEqual(['Answer…', 'No answer']);
  });

  it('asks for more money with both sums', () => {
    const view = card(spendAction);
    expect(text(view)).toContain('It has cost $5.02 of $5.00 and waits. May it go on up to $10.00 in all?');
    expect(labels(view)).toEqual(['Go on up to $10.00', 'Deny', 'Deny with reason…']);
    expect(text(view)).not.toContain('risk');
  });

  it('promise 7: asks about a model without a known price by its name, to the letter', () => {
    const action = { ...spendAction, spentUsd: 1, unpriced: 'mystery\u202e-1' };
    const view = card(action);
    expect(text(view)).toContain(
      'mystery⟨U+202E⟩-1 has no known price, so what it costs is not counted against the budget of $5.00 ($1.00 of it is spent). Go on with it without a limit?',
    );
    expect(labels(view)).toEqual(['Go on without a limit', 'Deny', 'Deny with reason…']);
    expect(text(card(action, { ...by, state: 'approved', choice: 'raise' }))).toContain(
      'Ben let it go on without a limit on Telegram',
    );
  });

  const by = { decidedAt: new Date(start + 60_000), decidedBy: { user: 'usr_ben', name: 'Ben' }, decidedOn: 'telegram' as const };
  const q = questionAction(question());
  const outcomes: [action: DecisionFacts['action'], facts: Partial<DecisionFacts>, heading: string, says: string][] = [
    [toolAction({}), { state: 'approved', choice: 'task' }, 'approved', 'Ben approved it for this task on Telegram, 12:01 UTC.'],
    [planAction('x'), { state: 'approved', choice: 'implement' }, 'approved', 'Ben approved the plan on Telegram, 12:01 UTC.'],
    [
      planAction('x'),
      { state: 'approved', choice: 'implement_ask' },
      'approved',
      'Ben approved the plan, step by step, on Telegram',
    ],
    [planAction('x'), { state: 'denied', choice: 'revise', reason: 'keep the API' }, 'to be revised', '12:01 UTC: keep the API'],
    [q, { state: 'answered', choice: 'answer', answers: { q1: ['vitest', 'own'] } }, 'answered', 'Runner: vitest, own'],
    [q, { state: 'denied', choice: 'no' }, 'not answered', 'Ben gave no answer on Telegram, 12:01 UTC.'],
    [spendAction, { state: 'approved', choice: 'raise' }, 'approved', 'Ben raised the budget to $10.00 on Telegram, 12:01 UTC.'],
    [q, { state: 'cancelled', decidedBy: undefined }, 'no longer needed', 'It is no longer needed: the agent went on without it'],
  ];
  it.each(outcomes)('promise 7: after the decision it says who, what, when and where: %o %o', (action, facts, heading, says) => {
    const settled = { ...by, ...facts, remindedAt: new Date(start + 1000) };
    const view = card(action, settled);
    expect(find(view, 'title')[0]?.state?.text).toBe(heading);
    expect(text(view)).toContain(says);
    for (const shown of [view, reminder(decision({ action, ...settled }), context())]) {
      expect(labels(shown)).toEqual([]);
      expect(find(shown, 'select')).toEqual([]);
      expect(JSON.stringify(shown)).not.toContain('"notify":true');
    }
  });

  it('reminds with the same choices', () => {
    const again = reminder(decision({ action: q, remindedAt: new Date(start + 600_000) }), context());
    expect(labels(again)).toEqual(['vitest', 'jest', 'Own words…', 'No answer']);
  });
});
