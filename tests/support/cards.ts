import type { CommandAction } from '../../src/contracts/policy.ts';
import type { RunEvent, RunEventData, RunResult } from '../../src/contracts/run-event.ts';
import type { Block, View } from '../../src/contracts/view.ts';
import type { CardContext } from '../../src/delivery/card-context.ts';
import type { DecisionFacts } from '../../src/delivery/decision-card.ts';
import { plainText } from '../../src/delivery/plain-text.ts';
import { emptyRunView, foldRuns, type RunView } from '../../src/delivery/run-view.ts';

export const start = Date.UTC(2026, 0, 1, 12, 0, 0);
export const ben = { type: 'user', user: 'usr_ben', name: 'Ben' } as const;

export function runAfter(...data: RunEventData[]): RunView {
  const events = data.map(
    (item, at): RunEvent => ({
      run: 'run_1',
      seq: at + 1,
      at: new Date(start + at * 1000),
      actor: item.type === 'interaction_decided' ? ben : { type: 'system', part: 'runner' },
      data: item,
    }),
  );
  return foldRuns(emptyRunView('run_1'), events);
}

export const queued: RunEventData[] = [{ type: 'lifecycle', from: null, to: 'queued' }];
export const executing: RunEventData[] = [
  ...queued,
  { type: 'lifecycle', from: 'queued', to: 'preparing' },
  { type: 'stage', stage: 'repository', detail: 'fetching web' },
  { type: 'git', branch: 'deckhand/142-npm-test', baseBranch: 'main', baseCommit: '3f9c2e1abcdef' },
  { type: 'stage', stage: 'workspace', detail: 'making the working copy at main@3f9c2e1' },
  { type: 'sandbox', kind: 'docker', isolated: true, ref: 'c1' },
  { type: 'stage', stage: 'sandbox', detail: 'starting a container' },
  { type: 'lifecycle', from: 'preparing', to: 'executing' },
  { type: 'stage', stage: 'command', detail: 'running the command' },
];
export const output = (text: string): RunEventData => ({ type: 'output', stream: 'stdout', from: 0, to: text.length, text });
export const ended = (result: Partial<RunResult>): RunEventData => ({
  type: 'terminal',
  result: { outcome: 'succeeded', message: 'The command succeeded.', durationMs: 372_000, files: [], artifacts: [], ...result },
});

export function context(
  change: {
    task?: Partial<CardContext['task']>;
    run?: Partial<CardContext['run']>;
    thread?: Partial<CardContext['thread']>;
  } & Partial<Pick<CardContext, 'now' | 'place' | 'quota' | 'docs'>> = {},
): CardContext {
  const { task, run, thread, ...rest } = change;
  return {
    task: {
      task: 'tsk_01m7yrmgctesbv2kwhqydyvtht',
      number: 142,
      title: 'npm test',
      command: 'npm test',
      agent: false,
      project: 'web',
      branch: 'deckhand/142-npm-test',
      base: undefined,
      requester: { user: 'usr_ada', name: 'Ada' },
      ...task,
    },
    run: { run: 'run_1', attempt: 1, newest: 1, stopRequested: false, ...run },
    thread: {
      thread: 'thr_1',
      platform: 'slack',
      verbosity: 'steps',
      accounts: new Map([
        ['usr_ada', 'UADA'],
        ['usr_ben', 'UBEN'],
      ]),
      ...thread,
    },
    now: new Date(start + 107_000),
    place: undefined,
    docs: undefined,
    ...rest,
  };
}

export const commandAction: CommandAction = {
  type: 'command',
  command: 'npm install left-pad@1.3.0',
  cwd: '/workspace',
  project: 'prj_1',
  sandbox: 'docker',
  image: 'deckhand-sandbox',
  network: 'none',
  timeoutMs: 1_800_000,
};

export function decision(change: Partial<DecisionFacts> = {}): DecisionFacts {
  return {
    id: 'int_1',
    secret: 'abcdefghijklmnopqrstuv',
    state: 'pending',
    action: commandAction,
    because: 'the policy asks for everything',
    risks: ['network', 'changes lockfile'],
    openedAt: new Date(start),
    expiresAt: new Date(start + 3_600_000),
    remindedAt: undefined,
    decidedAt: undefined,
    decidedBy: undefined,
    decidedOn: undefined,
    reason: undefined,
    who: { text: 'Maintainers and owners can decide.', mention: [{ user: 'usr_ben', name: 'Ben' }] },
    ...change,
  };
}

export const text = (view: View) =>
  view.blocks
    .map(plainText)
    .filter((part) => part !== '')
    .join('\n');
export const labels = (view: View) =>
  view.blocks.flatMap((block) => (block.type === 'buttons' ? block.buttons.map(({ label }) => label) : []));
export const find = <T extends Block['type']>(view: View, type: T) =>
  view.blocks.filter((block): block is Extract<Block, { type: T }> => block.type === type);
