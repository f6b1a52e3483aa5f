import type { AgentKind, AgentMode, Effort } from '../contracts/agent.ts';
import type { Estimate } from '../contracts/estimate.ts';
import type { RunEvent, RunEventData } from '../contracts/run-event.ts';
import { type Act, actsAfter, type SubAgent } from './agent-acts.ts';

/** What is known about the turn of an agent after the events of its run so far. Bounded in size but for what the agent says last. */
export interface AgentView {
  agent: AgentKind;
  version: string | undefined;
  model: string | null;
  mode: AgentMode;
  effort: Effort | null;
  /** Name of its account; undefined: what the runner is configured with. */
  account?: string | undefined;
  /** What the task will probably use; undefined: nobody knows. */
  estimate?: Estimate | undefined;
  /** What of the thread it was given. */
  context: Omit<Extract<RunEventData, { type: 'context' }>, 'type'> | undefined;
  /** Its list of steps, whole; undefined: it has made none. */
  checklist: Extract<RunEventData, { type: 'checklist' }>['items'] | undefined;
  /** The last calls and thoughts, oldest first, those of its sub-agents too. */
  acts: readonly Act[];
  /** How many calls there were, and how many of them failed. */
  calls: { all: number; failed: number };
  /** What sub-agents at work say, by the call that began them. */
  subAgents: ReadonlyMap<string, SubAgent>;
  /** What it says since its last call, piece by piece; nothing yet: empty. */
  saying: readonly Part[];
  /** What it said before that last call. */
  saidBefore: string | undefined;
  usage: UsageSum;
  /** What people said to it in this turn: all that is not read yet, and the last few of the others. */
  messages: readonly MessageView[];
  /** Answers to side questions. */
  asides: readonly { message: string; text: string; seq: number }[];
}

export interface Part {
  part: string;
  text: string;
  final: boolean;
}

export interface UsageSum {
  requests: number;
  /** Tokens read anew and written. */
  tokens: number;
  /** Tokens read from the cache. */
  cached: number;
  costUsd: number;
  /** Some request had no known price. */
  unpriced: boolean;
}

export interface MessageView {
  message: string;
  by: string;
  text: string;
  when: 'next' | 'now' | 'btw';
  state: 'waiting' | 'read' | 'dropped';
  /** Number of the event that settled it. */
  settled: number | undefined;
}

type AgentEvent = Extract<
  RunEventData,
  {
    type:
      | 'agent'
      | 'context'
      | 'assistant'
      | 'thinking'
      | 'tool'
      | 'tool_ended'
      | 'checklist'
      | 'usage'
      | 'message'
      | 'message_settled'
      | 'aside';
  }
>;

type Numbered = Pick<RunEvent, 'seq' | 'at'>;

const keptMessages = 40;
const keptAsides = 50;
/** Longest text that is kept of what an agent says at once, in characters: far more than a model writes in one answer. */
const longestSaid = 2_000_000;

const nothing: Omit<AgentView, 'agent' | 'version' | 'model' | 'mode' | 'effort'> = {
  context: undefined,
  checklist: undefined,
  acts: [],
  calls: { all: 0, failed: 0 },
  subAgents: new Map(),
  saying: [],
  saidBefore: undefined,
  usage: { requests: 0, tokens: 0, cached: 0, costUsd: 0, unpriced: false },
  messages: [],
  asides: [],
};

/** Folds one event in. Undefined as long as no event has said which agent works; what comes before that is lost. */
export function foldAgent(known: AgentView | undefined, data: AgentEvent, event: Numbered): AgentView | undefined {
  if (data.type === 'agent') {
    const { agent, version, model, mode, effort, account, estimate } = data;
    // Whoever changes the mode need not know which model the program has chosen.
    return {
      ...(known ?? nothing),
      agent,
      version: version ?? known?.version,
      model: model ?? known?.model ?? null,
      mode,
      effort,
      account: account ?? known?.account,
      estimate: estimate ?? known?.estimate,
    };
  }
  return known === undefined ? undefined : { ...known, ...change(known, data, event) };
}

function change(view: AgentView, data: Exclude<AgentEvent, { type: 'agent' }>, { seq, at }: Numbered): Partial<AgentView> {
  switch (data.type) {
    case 'context':
      return { context: receiptOf(data) };
    case 'assistant':
      return data.parent === undefined ? { saying: say(view.saying, data) } : actsAfter(view, data, at);
    case 'thinking':
      return actsAfter(view, data, at);
    case 'tool':
      return { ...actsAfter(view, data, at), ...(data.parent === undefined ? saidAll(view) : {}) };
    case 'tool_ended':
      return actsAfter(view, data, at);
    case 'checklist':
      return { checklist: data.items };
    case 'usage':
      return { usage: sum(view.usage, data) };
    case 'message':
      return { messages: received(view.messages, data) };
    case 'message_settled':
      return {
        messages: bounded(
          view.messages.map((one) => (one.message === data.message ? { ...one, state: data.how, settled: seq } : one)),
        ),
        ...(data.how === 'read' ? saidAll(view) : {}),
      };
    case 'aside':
      return {
        asides: [...view.asides, { message: data.message, text: data.text.slice(0, longestSaid), seq }].slice(-keptAsides),
      };
  }
}

function receiptOf({ type: _, ...receipt }: Extract<AgentEvent, { type: 'context' }>): AgentView['context'] {
  return receipt;
}

/** What the agent says since its last call, as one text: parts with an empty line between them. */
export function sayingText({ saying }: Pick<AgentView, 'saying'>): string {
  return saying
    .map(({ text }) => text.trim())
    .filter((text) => text !== '')
    .join('\n\n');
}

/** What the agent said last, whole: at the end of its turn that is its answer. Empty: it has said nothing. */
export function lastSaid(view: Pick<AgentView, 'saying' | 'saidBefore'>): string {
  const text = sayingText(view);
  return text === '' ? (view.saidBefore ?? '') : text;
}

/** The agent goes over to something else. */
function saidAll(view: AgentView): Partial<AgentView> {
  const text = sayingText(view);
  return { saying: [], ...(text === '' ? {} : { saidBefore: text }) };
}

function say(saying: readonly Part[], { part, text, final }: { part: string; text: string; final: boolean }): Part[] {
  const known = saying.find((one) => one.part === part && !one.final);
  if (known === undefined) return [...saying, { part, text: text.slice(0, longestSaid), final }];
  const grown = { part, text: (known.text + text).slice(0, longestSaid), final };
  return saying.map((one) => (one === known ? grown : one));
}

function sum(usage: UsageSum, data: Extract<AgentEvent, { type: 'usage' }>): UsageSum {
  return {
    requests: usage.requests + 1,
    tokens: usage.tokens + data.input + data.cacheWrite + data.output,
    cached: usage.cached + data.cacheRead,
    costUsd: usage.costUsd + (data.costUsd ?? 0),
    unpriced: usage.unpriced || data.costUsd === null,
  };
}

/** A message that comes again was edited before the agent read it. */
function received(messages: readonly MessageView[], data: Extract<AgentEvent, { type: 'message' }>): MessageView[] {
  const { message, by, text, when } = data;
  const next: MessageView = { message, by, text, when, state: 'waiting', settled: undefined };
  if (messages.some((one) => one.message === message)) return messages.map((one) => (one.message === message ? next : one));
  return bounded([...messages, next]);
}

/** Those that wait, and as many of the others as there is room for, the newest. */
function bounded(all: readonly MessageView[]): MessageView[] {
  const settled = all.filter(({ state }) => state !== 'waiting');
  const forgotten = new Set(settled.slice(0, Math.max(0, all.length - keptMessages)));
  return all.filter((one) => !forgotten.has(one));
}
