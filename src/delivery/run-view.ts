import type { Actor, RunEvent, RunResult } from '../contracts/run-event.ts';
import { type InteractionState, isTerminal, type RunCause, type RunState } from '../contracts/states.ts';
import { actsAtRest } from './agent-acts.ts';
import { type AgentView, foldAgent } from './agent-view.ts';
import type { BaseView } from './base-cards.ts';
import { addOutput, emptyTail, type OutputTail } from './output-tail.ts';
import { type ChangeView, emptyChangeView, foldChange } from './publication-view.ts';

/** What is known about a run after its events up to `seq`: all that cards need, and bounded in size. */
export interface RunView {
  run: string;
  /** Number of the last event folded in; 0 before the first. */
  seq: number;
  state: RunState;
  queuedAt: Date | undefined;
  /** When a runner took it first. */
  startedAt: Date | undefined;
  /** When the command, or the agent, started. */
  executingAt: Date | undefined;
  lastEventAt: Date | undefined;
  steps: readonly Step[];
  tail: OutputTail;
  sandbox: { kind: 'docker' | 'local'; isolated: boolean; image: string | undefined } | undefined;
  git: { branch: string; baseBranch: string; baseCommit: string } | undefined;
  /** The last few, oldest first. */
  notes: readonly { level: 'info' | 'warning'; text: string; at: Date }[];
  interactions: readonly InteractionView[];
  /** The turn of an agent; undefined: the run is of a command. */
  agent: AgentView | undefined;
  result: RunResult | undefined;
  /** What has become of its change since. */
  change: ChangeView;
  /** How the change of its task stands to the newest base; undefined: nothing was told of it. */
  base: BaseView | undefined;
  endedAt: Date | undefined;
  /** Who ended it, when it was a person. */
  endedBy: Actor | undefined;
}

export interface Step {
  stage: 'repository' | 'workspace' | 'sandbox' | 'command' | 'agent' | 'results' | 'checks';
  detail: string;
  state: 'active' | 'done' | 'failed' | 'skipped';
}

export interface InteractionView {
  id: string;
  state: InteractionState;
  openedAt: Date;
  remindedAt: Date | undefined;
  decidedAt: Date | undefined;
  decidedBy: Actor | undefined;
  reason: string | undefined;
}

const keptNotes = 5;

export function emptyRunView(run: string): RunView {
  return {
    run,
    seq: 0,
    state: 'queued',
    queuedAt: undefined,
    startedAt: undefined,
    executingAt: undefined,
    lastEventAt: undefined,
    steps: [],
    tail: emptyTail,
    sandbox: undefined,
    git: undefined,
    notes: [],
    interactions: [],
    agent: undefined,
    result: undefined,
    change: emptyChangeView,
    base: undefined,
    endedAt: undefined,
    endedBy: undefined,
  };
}

/** Folds one event in. Pure; events must come in order without gaps (but of old runs), one that was folded in already changes nothing. */
export function foldRun(view: RunView, event: RunEvent): RunView {
  if (event.seq <= view.seq) return view;
  if (event.seq !== view.seq + 1 && event.gaps !== true)
    throw new Error(`event ${event.seq} of ${event.run} does not follow ${view.seq}`);
  return { ...view, ...change(view, event), seq: event.seq, lastEventAt: event.at };
}

export function foldRuns(view: RunView, events: readonly RunEvent[]): RunView {
  return events.reduce(foldRun, view);
}

function change(view: RunView, event: RunEvent): Partial<RunView> {
  const { at, actor, data } = event;
  switch (data.type) {
    case 'lifecycle':
      return {
        state: data.to,
        queuedAt: view.queuedAt ?? (data.to === 'queued' ? at : undefined),
        startedAt: view.startedAt ?? (data.to === 'preparing' ? at : undefined),
        executingAt: view.executingAt ?? (data.to === 'executing' || data.to === 'planning' ? at : undefined),
        // The command has ended: what was worth a note while it ran is over too.
        ...(data.to === 'finishing' ? { notes: [] } : {}),
        ...(view.agent === undefined || goesOn.has(data.to) ? {} : { agent: { ...view.agent, ...actsAtRest(view.agent, at) } }),
        ...(isTerminal(data.to) ? { endedAt: at, endedBy: actor } : {}),
      };
    case 'stage':
      return { steps: advance(view.steps, data.stage, data.detail) };
    case 'output':
      return { tail: addOutput(view.tail, data.stream, data.text) };
    case 'sandbox':
      return { sandbox: { kind: data.kind, isolated: data.isolated, image: data.image } };
    case 'git':
      return { git: { branch: data.branch, baseBranch: data.baseBranch, baseCommit: data.baseCommit } };
    case 'note':
      return { notes: [...view.notes, { level: data.level, text: data.text, at }].slice(-keptNotes) };
    case 'agent':
    case 'context':
    case 'assistant':
    case 'thinking':
    case 'tool':
    case 'tool_ended':
    case 'checklist':
    case 'usage':
    case 'message':
    case 'message_settled':
    case 'aside':
      return { agent: foldAgent(view.agent, data, event) };
    case 'session':
    case 'conversation':
      // Not for people.
      return {};
    case 'interaction_approved':
    case 'interaction_escalated':
      // Who has approved, and who is asked besides, is read with the request itself.
      return {};
    case 'interaction_opened':
      return {
        interactions: [
          ...view.interactions,
          {
            id: data.interaction,
            state: 'pending',
            openedAt: at,
            remindedAt: undefined,
            decidedAt: undefined,
            decidedBy: undefined,
            reason: undefined,
          },
        ],
      };
    case 'interaction_reminded':
      return { interactions: update(view.interactions, data.interaction, { remindedAt: at }) };
    case 'interaction_decided':
      return {
        interactions: update(view.interactions, data.interaction, {
          state: data.state,
          decidedAt: at,
          decidedBy: actor,
          reason: data.reason,
        }),
      };
    case 'publication':
    case 'pull_request':
    case 'discarded':
    case 'compared':
    case 'chosen':
      return { change: { ...view.change, ...foldChange(view.change, data, event) } };
    case 'base': {
      const { branch, commit, state, files } = data;
      return { base: { branch, commit, state, files, seq: event.seq } };
    }
    case 'terminal':
      return {
        state: data.result.outcome,
        result: data.result,
        ...(view.git === undefined || data.result.base === undefined ? {} : { git: basedOn(view.git, data.result.base) }),
        endedAt: at,
        endedBy: actor,
        steps: settle(view.steps, data.result),
      };
  }
}

/** The same branch, with another place where its change begins. */
function basedOn(git: NonNullable<RunView['git']>, base: NonNullable<RunResult['base']>): RunView['git'] {
  return { ...git, baseBranch: base.branch, baseCommit: base.commit };
}

/** States in which an agent goes on with what it does. */
const goesOn: ReadonlySet<RunState> = new Set(['executing', 'planning', 'awaiting']);

/** A stage begins: the one before it is done. A stage that comes again (a runner took over) is active again in its old place. */
function advance(steps: readonly Step[], stage: Step['stage'], detail: string): Step[] {
  const others = steps.map((step): Step => (step.state === 'active' ? { ...step, state: 'done' } : step));
  const active: Step = { stage, detail, state: 'active' };
  return others.some((step) => step.stage === stage)
    ? others.map((step) => (step.stage === stage ? active : step))
    : [...others, active];
}

/** Why a run ended while its command was what went wrong: collecting its changes was no failure then. */
const causesOfCommand: ReadonlySet<RunCause | undefined> = new Set([
  'exit_code',
  'signal',
  'timed_out',
  'output_limit',
  'memory_limit',
  'disk_limit',
]);

/** The end: what was under way is done, failed or left; a command that failed has failed, though its changes were collected after it. */
function settle(steps: readonly Step[], result: RunResult): Step[] {
  const { check } = result;
  if (check !== undefined) {
    const end = check.outcome === 'passed' ? 'done' : check.outcome === 'not_run' ? 'skipped' : 'failed';
    return steps.map((step) =>
      step.stage === 'checks' ? { ...step, state: end } : step.state === 'active' ? { ...step, state: 'done' } : step,
    );
  }
  const { outcome, uncollected } = result;
  const left = outcome === 'cancelled' || outcome === 'interrupted';
  const last = outcome === 'succeeded' ? 'done' : left ? 'skipped' : 'failed';
  const collecting = steps.some(({ stage, state }) => stage === 'results' && state === 'active');
  if (!collecting || !(left || ofCommand(result))) {
    return steps.map((step) => (step.state === 'active' ? { ...step, state: last } : step));
  }
  const results = uncollected === true ? 'failed' : 'done';
  return steps.map((step) =>
    step.stage === 'command' ? { ...step, state: last } : step.state === 'active' ? { ...step, state: results } : step,
  );
}

/** A collecting that failed can have the cause of a command that did: the disk was full for either. */
function ofCommand({ cause, uncollected, exitCode, signal }: RunResult): boolean {
  return causesOfCommand.has(cause) && !(uncollected === true && exitCode === 0 && signal === undefined);
}

function update(interactions: readonly InteractionView[], id: string, patch: Partial<InteractionView>): InteractionView[] {
  return interactions.map((interaction) => (interaction.id === id ? { ...interaction, ...patch } : interaction));
}
