import { dollars } from '../approvals/action-text.ts';
import { promptInShort } from '../changes/errand-prompt.ts';
import { encodePress } from '../contracts/press.ts';
import { warnedFrom } from '../contracts/quotas.ts';
import type { Verbosity } from '../contracts/settings.ts';
import { type Block, type Button, bold, plain, type Span } from '../contracts/view.ts';
import { redactText } from '../runtime/redact-patterns.ts';
import { actLines, newestSentences, nowLines } from './agent-lines.ts';
import { type AgentView, lastSaid, type MessageView } from './agent-view.ts';
import { contextText, estimateText, usageSpans } from './agent-words.ts';
import { type CardContext, joined, taskButton } from './card-context.ts';
import { cleanText, oneLine, shorten } from './neutralise.ts';
import { proseSpans } from './prose-spans.ts';

type Items = Extract<Block, { type: 'steps' }>['items'];
type Step = Items[number]['state'];

const promptLength = 400;
const stepLength = 300;
/** A list of steps up to this long stands as it is. */
const stepsShown = 20;
const stepsLength = 1500;
/** Steps ahead that are named, when a list is far too long for a card. */
const aheadShown = 15;
const linesShown = 15;
const linesLength = 1600;
const sentencesShown = { quiet: 0, steps: 320, everything: 700 } as const;
const messagesShown = 3;
const messageLength = 120;

/** What the agent was asked, where the thread does not say it above: in a further turn. */
export function requestBlocks({ run, task }: CardContext): Block[] {
  const { prompt } = run;
  if (prompt === undefined || prompt === task.command) return [];
  const text = shorten(oneLine(redactText(promptInShort(prompt), [])), promptLength);
  return [{ type: 'context', spans: [plain(`“${text}”`)] }];
}

/** What of the thread the agent was given. */
export function receiptBlocks(agent: AgentView, verbosity: Verbosity): Block[] {
  const text = contextText(agent);
  return text === undefined || verbosity === 'quiet' ? [] : [{ type: 'context', spans: [plain(text)] }];
}

/** What the task will probably use, until it is known what it does use. */
export function estimateBlocks({ estimate, agent }: AgentView, verbosity: Verbosity): Block[] {
  if (estimate === undefined || verbosity === 'quiet') return [];
  return [{ type: 'context', spans: [plain(estimateText(estimate, agent))] }];
}

/** What the agent does, says and costs while it works. */
export function workBlocks(agent: AgentView, { thread }: CardContext): Block[] {
  const { verbosity } = thread;
  return [
    ...(verbosity === 'quiet' ? [] : stepBlocks(agent)),
    ...doing(agent, verbosity),
    ...saying(agent, verbosity),
    ...(verbosity === 'quiet' ? [] : messageBlocks(agent.messages)),
  ];
}

/** `$0.18 · 41k tokens · $4.10 of the budget of $5.00 · 812 of 1,000 requests to models a day in the project`. */
export function costBlocks({ usage }: AgentView, { task, quota }: Pick<CardContext, 'task' | 'quota'>): Block[] {
  const used = usageSpans(usage);
  const parts = used.length === 0 ? [] : [...used, ...budgetSpans(task.spending)];
  const spans = joined([...parts, ...(quota === undefined ? [] : [[quota.warns ? bold(quota.text) : plain(quota.text)]])]);
  return spans.length === 0 ? [] : [{ type: 'context', spans }];
}

/** `$4.10 of the budget of $5.00`: of all runs of the task; bold where most of it is used. */
function budgetSpans(spending: CardContext['task']['spending']): Span[][] {
  if (spending === undefined || spending.budgetUsd === null) return [];
  const { usd, budgetUsd } = spending;
  const text = `${dollars(usd)} of the budget of ${dollars(budgetUsd)}`;
  return [[usd >= warnedFrom * budgetUsd ? bold(text) : plain(text)]];
}

/**
 * The agent's own list of steps. What is done is counted, when all of it is more than a card carries; nothing ahead is lost. `active`: what
 * became of the step under way.
 */
export function stepBlocks({ checklist }: Pick<AgentView, 'checklist'>, active: Step = 'active'): Block[] {
  if (checklist === undefined || checklist.length === 0) return [];
  const items: Items = checklist.map(({ state, text }) => ({
    state: state === 'active' ? active : state,
    text: shorten(oneLine(text), stepLength),
  }));
  if (fits(items)) return [{ type: 'steps', items }];
  const done = items.filter(({ state }) => state === 'done' || state === 'skipped').length;
  const left = items.filter(({ state }) => state !== 'done' && state !== 'skipped');
  const head: Items = done === 0 ? [] : [{ state: 'done', text: `${done} done` }];
  if (left.length <= stepsShown) return [{ type: 'steps', items: [...head, ...left] }];
  const shown = left.slice(0, aheadShown);
  const ahead: Items = [{ state: 'open', text: `${left.length - shown.length} more after that` }];
  return [{ type: 'steps', items: [...head, ...shown, ...ahead] }];
}

function fits(items: Items): boolean {
  return items.length <= stepsShown && items.reduce((sum, { text }) => sum + text.length + 3, 0) <= stepsLength;
}

function doing(agent: AgentView, verbosity: Verbosity): Block[] {
  if (verbosity === 'quiet') return [];
  if (verbosity === 'steps') {
    // A line each: in small print not every platform keeps line ends.
    return nowLines(agent).map((spans) => ({ type: 'context', spans }));
  }
  const lines = actLines(agent, linesShown);
  const kept: string[] = [];
  for (const line of lines.toReversed()) {
    if (kept.join('\n').length + line.length > linesLength) break;
    kept.unshift(line);
  }
  return kept.length === 0 ? [] : [{ type: 'code', text: kept.join('\n') }];
}

function saying(agent: AgentView, verbosity: Verbosity): Block[] {
  const max = sentencesShown[verbosity];
  const text = newestSentences(cleanText(lastSaid(agent).slice(-4 * max)), max);
  return max === 0 || text === '' ? [] : [{ type: 'text', spans: proseSpans(text) }];
}

/** Messages that the agent has not read, and the last one that it has. */
function messageBlocks(messages: readonly MessageView[]): Block[] {
  const waiting = messages.filter(({ state }) => state === 'waiting');
  const read = messages.findLast(({ state }) => state === 'read');
  const shown = waiting.slice(0, messagesShown).map((one) => `○ ${quoted(one)}${whenRead[one.when]}`);
  const more = waiting.length - shown.length;
  const lines = [...(read === undefined ? [] : [`✔ ${quoted(read)}, read`]), ...shown, ...(more > 0 ? [`○ ${more} more`] : [])];
  return lines.map((line) => ({ type: 'context', spans: [plain(line)] }));
}

const whenRead = { next: ', read at the next step', now: ', read now', btw: ', answered beside the work' } as const;

function quoted({ by, text }: MessageView): string {
  return `${oneLine(by)}: “${shorten(oneLine(text), messageLength)}”`;
}

/** What was said before can be seen, and until a runner has the run the agent can be spared it. */
function contextButtons(agent: AgentView, context: CardContext, waits: boolean): Button[] {
  const { messages = 0 } = agent.context ?? {};
  if (messages === 0) return [];
  return [
    taskButton(context, 'context', 'Show context'),
    ...(waits && !context.run.stopRequested ? [taskButton(context, 'alone', 'Only my message')] : []),
  ];
}

/** Buttons of a card whose agent is at work, or will be. `waits`: no runner has its run yet. */
export function agentButtons(agent: AgentView, context: CardContext, waits = false): Block[] {
  const { stopRequested, among, attempt } = context.run;
  // Of several attempts what stops or steers one does so with all: they are one task.
  const all = among === undefined ? '' : ' all';
  const log = among === undefined ? taskButton(context, 'log', 'Log') : logButton(context.task.number, attempt);
  const buttons: Button[] = [
    ...(stopRequested ? [] : [taskButton(context, 'stop', `Stop${all}`, 'danger')]),
    ...(agent.calls.all > 0 || agent.saying.length > 0 ? [log] : []),
    ...(stopRequested ? [] : [{ ...taskButton(context, 'steer', `Steer${all}…`), form: true as const }]),
    ...contextButtons(agent, context, waits),
  ];
  return buttons.length === 0 ? [] : [{ type: 'buttons', buttons }];
}

/** The log of one run, whichever is the newest of its task. */
export function logButton(task: number, attempt: number): Button {
  return { token: encodePress({ kind: 'command', text: `logs #${task} run=${attempt}` }), label: 'Log', style: 'default' };
}
