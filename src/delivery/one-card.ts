import { type OutboxPut, priorities } from '../contracts/outbox.ts';
import { type Platform, platformNames } from '../contracts/platform.ts';
import { totalsOf } from '../contracts/run-event.ts';
import { isTerminal } from '../contracts/states.ts';
import { type Block, code, plain, type Span, type View } from '../contracts/view.ts';
import { redactText } from '../runtime/redact-patterns.ts';
import { requestBlocks, stepBlocks } from './agent-card.ts';
import { lastSaid } from './agent-view.ts';
import { type CardContext, joined, taskTitle, whereSpans } from './card-context.ts';
import { checkSpans } from './check-words.ts';
import type { DecisionFacts } from './decision-card.ts';
import { marked } from './error-view.ts';
import { endState } from './live-card.ts';
import { cleanText, oneLine, shorten } from './neutralise.ts';
import { lastLines } from './output-tail.ts';
import { spansText } from './plain-text.ts';
import { proseBlocks } from './prose.ts';
import { changeBlocks } from './publication-words.ts';
import type { CardInput } from './run-cards.ts';
import type { RunView } from './run-view.ts';
import { count, digits } from './units.ts';

/** Most characters of what the agent said last: all of it stands in the chat threads of the task. */
const answerLength = 10_000;
const linesShown = 12;
const linesLength = 1500;

/** A run with the contexts of its task's threads, told apart. */
export interface Shown {
  /** Threads in which every card has a message of its own. */
  many: CardInput;
  /** Threads in which one message tells all of a run. */
  one: CardInput;
}

/** `platforms`: those where a request is answered by one message (contracts/chat-adapter.ts, `cards`). */
export function toldApart(input: CardInput, platforms: ReadonlySet<Platform>): Shown {
  const isOne = ({ thread }: CardContext) => platforms.has(thread.platform);
  return {
    many: { ...input, contexts: input.contexts.filter((context) => !isOne(context)) },
    one: { ...input, contexts: input.contexts.filter(isOne) },
  };
}

/**
 * The one message of a run in each of these threads: how it stands, edited until it tells how it ended and what became of the change. Pure.
 * `chats`: where people decide about it.
 */
export function oneCards({ workspace, view, decisions, contexts }: CardInput, chats: readonly CardContext[]): OutboxPut[] {
  return contexts
    .filter((context) => shows(context, view))
    .map(
      (context): OutboxPut => ({
        workspace,
        key: keyOf(context, view),
        target: { type: 'thread', thread: context.thread.thread, anchor: false },
        payload: { type: 'message', view: oneCard(view, context, waitingFor(decisions, view), chats) },
        priority: isTerminal(view.state) ? priorities.final : priorities.card,
      }),
    );
}

function keyOf({ thread }: CardContext, { run }: RunView): string {
  return `live:${run}:${thread.thread}`;
}

/** A thread that began to follow the task later shows the runs that were not over by then. */
function shows(context: CardContext, view: RunView): boolean {
  const { mirror } = context.thread;
  const over = isTerminal(view.state) ? view.endedAt : undefined;
  return mirror === undefined || over === undefined || over >= mirror.since || mirror.keys.has(keyOf(context, view));
}

/** What was decided by the press that asked for it was never waited for. */
function waitingFor(decisions: readonly DecisionFacts[], view: RunView): number {
  const asked = new Set(view.interactions.map(({ id }) => id));
  return decisions.filter(({ id, state, action }) => state === 'pending' && (action.type !== 'publish' || asked.has(id))).length;
}

/** `waiting`: how many decisions are waited for. No buttons, no files, no clock: each edit is one that somebody learns something from. */
export function oneCard(view: RunView, context: CardContext, waiting: number, chats: readonly CardContext[]): View {
  const over = isTerminal(view.state) && view.result !== undefined;
  const state = over
    ? endState(view.state, view.result?.durationMs ?? 0)
    : ({ text: stateText(view, context, waiting), tone: waiting > 0 ? 'waiting' : 'active' } as const);
  const title = taskTitle(context);
  const blocks: Block[] = [
    { type: 'title', spans: title, state },
    ...requestBlocks(context),
    ...(over ? endBlocks(view, context) : view.agent === undefined ? [] : stepBlocks(view.agent)),
    ...changeBlocks(view, context),
    ...(waiting > 0 ? [{ type: 'text' as const, spans: whereToDecide(context, chats) }] : []),
    { type: 'context', spans: joined([whereSpans(withoutIssue(context), view), ...changedSpans(view, context)]) },
  ];
  return { fallback: `${spansText(title)}: ${state.text}`, blocks };
}

/** It stands in its issue. */
function withoutIssue(context: CardContext): CardContext {
  return { ...context, task: { ...context.task, issue: undefined } };
}

function stateText(view: RunView, { run }: CardContext, waiting: number): string {
  if (run.stopRequested) return 'stopping';
  if (waiting > 0) return 'waits for a decision';
  switch (view.state) {
    case 'queued':
      return 'queued';
    case 'awaiting':
      return 'waits for a decision';
    case 'preparing':
      return 'preparing';
    case 'planning':
      return 'planning';
    case 'finishing':
      return 'collecting the changes';
    default:
      return 'running';
  }
}

function endBlocks(view: RunView, { run }: CardContext): Block[] {
  const { result, agent } = view;
  if (result === undefined) return [];
  const said = agent === undefined ? '' : lastSaid(agent).trim();
  const tail = agent === undefined ? lastLines(view.tail, linesShown, linesLength).lines : [];
  return [
    ...(result.outcome === 'succeeded' ? [] : [{ type: 'text' as const, spans: marked(oneLine(result.message)) }]),
    ...(said === '' ? [] : proseBlocks(shorten(redactText(said, []), answerLength))),
    ...(said.length > answerLength ? [note('It goes on in the thread of the task.')] : []),
    ...(tail.length === 0 ? [] : [{ type: 'code' as const, text: cleanText(tail.join('\n')) }]),
    ...(result.check === undefined ? [] : [{ type: 'text' as const, spans: checkSpans(result.check) }]),
    ...(run.newest > run.attempt ? [note(`Run ${run.attempt} of ${run.newest}; a later run follows below.`)] : []),
  ];
}

function note(text: string): Block {
  return { type: 'context', spans: [plain(text)] };
}

function changedSpans({ result, git }: RunView, { task }: CardContext): Span[][] {
  if (result === undefined || result.files.length === 0) return [];
  const { files, added, removed } = totalsOf(result);
  return [[code(oneLine(git?.branch ?? task.branch)), plain(` ${count(files, 'file')} +${digits(added)} −${digits(removed)}`)]];
}

/** Decisions are made by people whose roles are known, and with the whole action before their eyes: in chat. */
function whereToDecide({ task }: CardContext, chats: readonly CardContext[]): Span[] {
  const platforms = [...new Set(chats.map(({ thread }) => platformNames[thread.platform]))];
  if (platforms.length > 0) return [plain(`⏸ Waits for a decision in the thread of the task on ${listed(platforms)}.`)];
  return marked(
    `⏸ Waits for a decision, which nobody can make here. \`bind ${oneLine(task.project)}\` in a chat channel, then \`mirror #${task.number} here\`, shows it there.`,
  );
}

/** `Slack, Telegram and Discord` */
function listed(names: readonly string[]): string {
  const last = names.at(-1) ?? '';
  return names.length < 2 ? last : `${names.slice(0, -1).join(', ')} and ${last}`;
}
