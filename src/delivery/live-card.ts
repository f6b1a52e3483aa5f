import { runsNothing } from '../contracts/rebase.ts';
import type { RunState } from '../contracts/states.ts';
import { isTerminal } from '../contracts/states.ts';
import { type Block, plain, type Tone, type View } from '../contracts/view.ts';
import { redactText } from '../runtime/redact-patterns.ts';
import { agentButtons, costBlocks, estimateBlocks, receiptBlocks, requestBlocks, workBlocks } from './agent-card.ts';
import type { AgentView } from './agent-view.ts';
import { type CardContext, joined, type QueueStand, taskButton, taskTitle, whereSpans } from './card-context.ts';
import { marked } from './error-view.ts';
import { moment } from './moments.ts';
import { cleanText, oneLine, shorten } from './neutralise.ts';
import { lastLines } from './output-tail.ts';
import { spansText } from './plain-text.ts';
import type { RunView, Step } from './run-view.ts';
import { about, coarse, duration, noRunnerWith, ordinal } from './units.ts';

const stages: readonly [stage: Step['stage'], label: string][] = [
  ['repository', 'fetch the repository'],
  ['workspace', 'make the working copy'],
  ['sandbox', 'start the sandbox'],
  ['command', 'run the command'],
  ['agent', 'start the agent'],
  ['results', 'collect the changes'],
  ['checks', 'run the check'],
];
/** Of a run that runs nothing. */
const ofCommits: ReadonlySet<Step['stage']> = new Set(['repository', 'results', 'checks']);
const linesShown = { quiet: 0, steps: 4, everything: 15 } as const;
const notesShown = { quiet: 0, steps: 1, everything: 3 } as const;
const commandLength = 600;
/** Most characters of output: one message must always be enough for the card. */
const lengthShown = 1200;

/** The card of a run while it goes on, edited in place; when the run is over it says so and points to nothing any more. */
export function liveCard(view: RunView, context: CardContext): View {
  const state = stateOf(view, context);
  const over = isTerminal(view.state);
  const { verbosity } = context.thread;
  const blocks: Block[] = [
    { type: 'title', spans: taskTitle(context), state },
    { type: 'context', spans: small(view, context) },
    ...(view.agent === undefined
      ? work(context)
      : [...requestBlocks(context), ...receiptBlocks(view.agent, context.thread.verbosity)]),
    ...(view.state === 'queued' ? [...labelBlocks(context), ...quotaBlocks(context)] : []),
  ];
  if (view.agent !== undefined && view.executingAt !== undefined) {
    if (!over) blocks.push(...atWork(view, view.agent, context));
    return { fallback: `${spansText(taskTitle(context))}: ${state.text}`, blocks };
  }
  if (view.agent !== undefined && !over) blocks.push(...estimateBlocks(view.agent, verbosity));
  const began = view.state !== 'queued' && view.state !== 'awaiting';
  // What went well is told by the end card; a stage that went wrong stays to be seen.
  if (verbosity !== 'quiet' && began && view.state !== 'succeeded') blocks.push(...checklist(view, context));
  if (!over) blocks.push(...output(view, context), ...notes(view, context), ...buttons(view, context));
  return { fallback: `${spansText(taskTitle(context))}: ${state.text}`, blocks };
}

/** An agent is at work, or waits. Between two of its sandboxes it says what it has done so far. */
function atWork(view: RunView, agent: AgentView, context: CardContext): Block[] {
  return [...workBlocks(agent, context), ...notes(view, context), ...costBlocks(agent, context), ...agentButtons(agent, context)];
}

function stateOf(view: RunView, context: CardContext): { text: string; tone: Tone } {
  const { stopRequested } = context.run;
  if (stopRequested && !isTerminal(view.state)) return { text: 'stopping', tone: 'active' };
  switch (view.state) {
    case 'queued':
      return { text: queueText(context.place), tone: 'waiting' };
    case 'preparing':
      return { text: 'preparing', tone: 'active' };
    case 'awaiting':
      return { text: 'waits for a decision', tone: 'waiting' };
    case 'planning':
    case 'executing': {
      const ms = context.now.getTime() - (view.executingAt ?? context.now).getTime();
      return { text: timed(view.state === 'planning' ? 'planning' : 'running', ms), tone: 'active' };
    }
    case 'finishing':
      return { text: view.steps.some(isChecking) ? 'checking the changes' : 'collecting the changes', tone: 'active' };
    default:
      return endState(view.state, view.result?.durationMs ?? 0);
  }
}

function isChecking({ stage, state }: Step): boolean {
  return stage === 'checks' && state === 'active';
}

/** "done in 3 s", "failed after 2 min": how it ended and how long the command took, when it ran at all. */
export function endState(state: RunState, durationMs: number): { text: string; tone: Tone } {
  const end = outcomeState(state);
  if (durationMs === 0) return end;
  return { ...end, text: `${end.text} ${state === 'succeeded' ? 'in' : 'after'} ${duration(durationMs)}` };
}

/** The words of the five ends. */
export function outcomeState(state: RunState): { text: string; tone: Tone } {
  switch (state) {
    case 'succeeded':
      return { text: 'done', tone: 'good' };
    case 'cancelled':
      return { text: 'cancelled', tone: 'muted' };
    case 'timed_out':
      return { text: 'timed out', tone: 'bad' };
    case 'interrupted':
      return { text: 'interrupted', tone: 'bad' };
    default:
      return { text: 'failed', tone: 'bad' };
  }
}

/** "running", later "running 40 s": the first seconds change too fast to be told. */
function timed(doing: string, ms: number): string {
  return ms < 10_000 ? doing : `${doing} ${coarse(ms)}`;
}

/** What to do about a run that no runner fits. */
function labelBlocks({ place, task }: CardContext): Block[] {
  if (place?.waitsFor !== 'labels') return [];
  const labels = (place.missing ?? []).join(',');
  const text = `It needs a runner with \`${labels}\`, and none takes runs now. It begins by itself when one does: when one with \`RUNNER_LABELS=${labels}\` starts, or one that is being emptied takes runs again. Or \`stop #${task.number}\` and ask again with other \`runs-on\`; \`status\` shows the runners and their labels.`;
  return [{ type: 'context', spans: marked(text) }];
}

/** When it begins that waits for a quota. Which one, and who can raise it, is said once, as a note. */
function quotaBlocks({ place }: CardContext): Block[] {
  if (place?.waitsFor !== 'quota' || place.until === undefined) return [];
  return [
    { type: 'context', spans: [plain('It begins by itself '), moment(place.until), plain(', or when the quota is raised.')] },
  ];
}

/** "queued, 2nd, about 3 min". */
function queueText(stand: QueueStand | undefined): string {
  if (stand === undefined) return 'queued';
  if (stand.place === 0) return 'starts now';
  if (stand.waitsFor === 'no_runner') return `queued, ${ordinal(stand.place)}; no runner is up`;
  if (stand.waitsFor === 'labels') return `queued; ${noRunnerWith(stand.missing ?? [])}`;
  if (stand.waitsFor === 'quota' && stand.until === undefined) return 'queued; a quota lets no more run at once';
  if (stand.waitsFor === 'quota') return 'queued; waits for a quota';
  if (stand.waitsFor === 'left') return 'queued; waits for the runner that has what the task left';
  const when = stand.estimateMs === null ? '' : `, ${about(stand.estimateMs)}`;
  return `queued, ${ordinal(stand.place)}${when}`;
}

function small(view: RunView, context: CardContext) {
  const where = whereSpans(context, view);
  if (isTerminal(view.state) || view.executingAt === undefined) return where;
  return joined([where, [plain('started '), moment(view.executingAt)]]);
}

/** The command, when the title does not say all of it. */
/** What a run without an agent does. */
function work({ task, run }: CardContext): Block[] {
  if (runsNothing(run.rebase)) {
    const onto = task.base === undefined ? 'the base branch' : oneLine(task.base.branch);
    const what = run.rebase === 'revert' ? 'Undoes what was merged,' : 'Puts the change';
    return [
      {
        type: 'text',
        spans: [plain(`${what} on the newest commit of ${onto}. Nothing is run but the project's check, if it has one.`)],
      },
    ];
  }
  const text = redactText(task.command, []).trim();
  if (oneLine(task.title) === text) return [];
  return [{ type: 'code', text: shorten(cleanText(text), commandLength) }];
}

type Item = Extract<Block, { type: 'steps' }>['items'][number];

/** Stages that have been, the one that is, and those that will be. */
function checklist(view: RunView, { run }: CardContext): Block[] {
  const over = isTerminal(view.state);
  const other = view.agent === undefined ? 'agent' : 'command';
  const items = stages.flatMap(([stage, label]): Item[] => {
    if (stage === other || (runsNothing(run.rebase) && !ofCommits.has(stage))) return [];
    const step = view.steps.find((known) => known.stage === stage);
    if (step !== undefined) return [{ state: step.state, text: shorten(oneLine(step.detail), 150) }];
    // Whether there will be one is not known before.
    return over || stage === 'checks' ? [] : [{ state: 'open', text: label }];
  });
  return items.length === 0 ? [] : [{ type: 'steps', items }];
}

function output(view: RunView, context: CardContext): Block[] {
  const { lines } = lastLines(view.tail, linesShown[context.thread.verbosity], lengthShown);
  if (lines.length === 0) return [];
  return [{ type: 'code', text: cleanText(lines.map((line) => shorten(line, 200)).join('\n')) }];
}

function notes(view: RunView, context: CardContext): Block[] {
  const shown = notesShown[context.thread.verbosity];
  // Quiet does not mean that nobody is told why nothing happens.
  const notes = shown === 0 ? view.notes.slice(-1).filter(({ level }) => level === 'warning') : view.notes.slice(-shown);
  return notes.map(({ level, text, at }) => ({
    type: level === 'warning' ? 'text' : 'context',
    spans: [...marked(shorten(oneLine(text), 300)), plain(' · '), moment(at)],
  }));
}

function buttons(view: RunView, context: CardContext): Block[] {
  if (view.agent !== undefined) return agentButtons(view.agent, context, view.state === 'queued');
  const all = [
    ...(context.run.stopRequested ? [] : [taskButton(context, 'stop', 'Stop', 'danger')]),
    ...(view.tail.count > 0 || lastLines(view.tail, 1).lines.length > 0 ? [taskButton(context, 'log', 'Log')] : []),
  ];
  return all.length === 0 ? [] : [{ type: 'buttons', buttons: all }];
}
