import type { Question } from '../../src/contracts/agent.ts';
import type { PlanAction, QuestionAction, SpendAction, ToolAction } from '../../src/contracts/policy.ts';
import type { RunEventData } from '../../src/contracts/run-event.ts';
import { queued } from './cards.ts';

/** A piece of what is said or thought. */
type Spoken = Omit<Extract<RunEventData, { part: string }>, 'type'>;
type Of<T extends RunEventData['type']> = Omit<Extract<RunEventData, { type: T }>, 'type'>;

export const agent: RunEventData = {
  type: 'agent',
  agent: 'claude-code',
  version: '2.1.197',
  model: 'opus',
  mode: 'auto',
  effort: null,
};

/** The turn of an agent up to where it begins to work. */
export const working: RunEventData[] = [
  ...queued,
  agent,
  { type: 'context', messages: 12, files: 2 },
  { type: 'lifecycle', from: 'queued', to: 'preparing' },
  { type: 'stage', stage: 'repository', detail: 'fetching web' },
  { type: 'git', branch: 'deckhand/142-login', baseBranch: 'main', baseCommit: '3f9c2e1abcdef' },
  { type: 'stage', stage: 'sandbox', detail: 'starting a container' },
  { type: 'sandbox', kind: 'docker', isolated: true, ref: 'c1' },
  { type: 'stage', stage: 'agent', detail: 'starting claude-code' },
  { type: 'lifecycle', from: 'preparing', to: 'executing' },
];

export const says = (text: string, more: Partial<Spoken> = {}): RunEventData => ({
  type: 'assistant',
  part: 'p1',
  text,
  final: true,
  ...more,
});
export const thinks = (text: string, more: Partial<Spoken> = {}): RunEventData => ({
  type: 'thinking',
  part: 'h1',
  text,
  final: false,
  ...more,
});
export const calls = (id: string, title: string, parent?: string): RunEventData => ({
  type: 'tool',
  id,
  tool: title.split(':')[0] ?? title,
  title,
  ...(parent === undefined ? {} : { parent }),
});
export const ends = (id: string, ok = true, summary = 'done'): RunEventData => ({ type: 'tool_ended', id, ok, summary });
export const uses = (more: Partial<Of<'usage'>> = {}): RunEventData => ({
  type: 'usage',
  model: 'opus',
  input: 1000,
  output: 500,
  cacheRead: 20_000,
  cacheWrite: 500,
  costUsd: 0.06,
  firstByteMs: 400,
  ...more,
});
export const steps = (...items: Of<'checklist'>['items']): RunEventData => ({ type: 'checklist', items });
export const message = (name: string, text: string, by = 'Ada'): RunEventData => ({
  type: 'message',
  message: name,
  by,
  text,
  when: 'next',
});
export const settled = (name: string, how: 'read' | 'dropped' = 'read'): RunEventData => ({
  type: 'message_settled',
  message: name,
  how,
});

const place = {
  agent: 'claude-code',
  project: 'prj_1',
  cwd: '/workspace',
  sandbox: 'docker',
  image: 'deckhand-agents',
  network: 'none',
} as const;

export const toolAction = (call: Partial<ToolAction['call']>): ToolAction => ({
  type: 'tool',
  ask: 'toolu_1',
  ...place,
  call: { tool: 'Bash', title: 'Bash: npm test', input: '{}', readOnly: false, ...call },
});
export const planAction = (text: string): PlanAction => ({ type: 'plan', ask: 'toolu_2', ...place, text });
export const questionAction = (...questions: Question[]): QuestionAction => ({
  type: 'question',
  ask: 'toolu_3',
  ...place,
  questions,
});
export const question = (change: Partial<Question> = {}): Question => ({
  id: 'q1',
  header: 'Runner',
  text: 'Which test runner?',
  options: [{ label: 'vitest', description: 'fast, and here already' }, { label: 'jest' }],
  multiple: false,
  free: true,
  ...change,
});
export const spendAction: SpendAction = {
  type: 'spend',
  ask: 'spend/5',
  project: 'prj_1',
  spentUsd: 5.02,
  budgetUsd: 5,
  raisedUsd: 10,
};
