import type { Mail } from '../../src/contracts/agent.ts';
import type { RunEventData } from '../../src/contracts/run-event.ts';
import type { CliProtocol, Step } from './cli-protocol.ts';
import { whyFailed } from './codex-errors.ts';
import { onCompleted, onDelta, onStarted } from './codex-items.ts';
import {
  type CodexLine,
  deltaParams,
  errorParams,
  itemParams,
  planParams,
  readCodexLine,
  resolvedParams,
  turnParams,
} from './codex-lines.ts';
import { goOn, onResponse, opening } from './codex-opening.ts';
import { onDecision, onRequest, withdraw } from './codex-requests.ts';
import { type CodexState, codexStateSchema } from './codex-state.ts';
import { andThen, interrupt, startTurn, steer } from './codex-talk.ts';
import { onTurnOver } from './codex-turn-over.ts';
import type { Turn, TurnEnd } from './port.ts';

/** Codex by its app server: every command, change of files and question comes as a request, and waits there for the answer. */
export const codexProtocol: CliProtocol<CodexState> = {
  state: codexStateSchema,

  begin: opening,

  line(state, { text, stream, cut }, turn) {
    if (stream === 'stderr') return { state: { ...state, complaint: `${state.complaint}${text}\n`.slice(-2000) } };
    const read = cut ? undefined : readCodexLine(text);
    if (read === undefined) return { state };
    if (read.method === undefined) return onResponse(state, read, turn);
    return read.id === undefined ? onNotification(state, read, turn) : onRequest(state, read, turn);
  },

  mail: onMail,

  park(state) {
    const waiting = Object.entries(state.pending);
    if (waiting.length === 0) return { state };
    const parked = waiting.map(([ask, pending]) => ({ ...pending, ask, decided: null, early: false }));
    const next: CodexState = { ...state, pending: {}, parked, parking: true };
    // The program cannot wait at a call longer than it lives: the call is given up, and made again after the decision.
    return state.turn === null ? { state: { ...next, end: { end: 'parked' } }, inputs: [{ type: 'end' }] } : interrupt(next);
  },

  over(state, stopped) {
    const session = state.thread ?? undefined;
    if (state.end?.end === 'parked') return { end: 'parked', session };
    if (stopped) return { end: 'stopped', session };
    if (state.end?.end === 'done') return { end: 'done', session };
    if (state.end?.end === 'failed') return { ...state.end, session, resumable: session !== undefined };
    const complaint = state.complaint.trim().split('\n').at(-1) ?? '';
    const why = `Codex ended before its turn was over${complaint === '' ? '' : `: ${complaint.slice(0, 300)}`}`;
    return { end: 'failed', why, session, resumable: session !== undefined } satisfies TurnEnd;
  },
};

function onNotification(state: CodexState, { method, params }: CodexLine, turn: Turn): Step<CodexState> {
  switch (method) {
    case 'turn/started': {
      const read = turnParams.safeParse(params).data;
      if (read === undefined || read.threadId !== state.thread) return { state };
      const begun = { ...state, turn: read.turn.id, starting: false };
      return state.interrupted ? interrupt(begun) : { state: begun };
    }
    case 'turn/completed': {
      const read = turnParams.safeParse(params).data;
      return read === undefined || read.threadId !== state.thread ? { state } : onTurnOver(state, read.turn);
    }
    case 'item/started':
    case 'item/completed': {
      const read = itemParams.safeParse(params).data;
      if (read === undefined) return { state };
      return (method === 'item/started' ? onStarted : onCompleted)(state, read.item, read.threadId, turn);
    }
    case 'item/agentMessage/delta':
    case 'item/reasoning/summaryTextDelta': {
      const read = deltaParams.safeParse(params).data;
      if (read === undefined) return { state };
      const { itemId, delta, summaryIndex, threadId } = read;
      const parent = state.parents[threadId];
      if (method === 'item/agentMessage/delta') return onDelta(state, 'assistant', { part: itemId, delta, parent });
      return onDelta(state, 'thinking', { part: `${itemId}:${summaryIndex ?? 0}`, delta, parent });
    }
    case 'turn/plan/updated': {
      const read = planParams.safeParse(params).data;
      return read === undefined || read.threadId !== state.thread ? { state } : { state, events: [checklist(read.plan)] };
    }
    case 'serverRequest/resolved': {
      const read = resolvedParams.safeParse(params).data;
      return read === undefined ? { state } : withdraw(state, read.requestId);
    }
    case 'error': {
      const read = errorParams.safeParse(params).data;
      if (read === undefined || !read.willRetry) return { state };
      const text = `The model server does not answer as it should: ${whyFailed(read.error.message)} It is tried again.`;
      return { state, events: [{ type: 'note', level: 'warning', text }] };
    }
    default:
      return { state };
  }
}

function checklist(plan: readonly { step: string; status: string }[]): RunEventData {
  const states: Record<string, 'done' | 'active'> = { completed: 'done', inProgress: 'active', in_progress: 'active' };
  return { type: 'checklist', items: plan.map(({ step, status }) => ({ text: step, state: states[status] ?? 'open' })) };
}

function onMail(state: CodexState, mail: Mail, turn: Turn): Step<CodexState> {
  switch (mail.type) {
    case 'decision':
      return andThen(onDecision(state, mail), (next) => goOn(next, turn));
    case 'message': {
      const held = [...state.held, { message: mail.message, text: `${mail.by} says in the thread: ${mail.text}` }];
      if (mail.when === 'now') return onNow({ ...state, held });
      // While a call is made the program takes it with the result; before that it can still be changed.
      const waits = Object.keys(state.pending).length > 0;
      return state.calls.length > 0 && !waits && !state.interrupted ? steer({ ...state, held }) : { state: { ...state, held } };
    }
    case 'message_changed': {
      const old = state.held.find(({ message }) => message === mail.message);
      if (old === undefined) return { state };
      const { text } = mail;
      if (text !== null) {
        const said = `${old.text.slice(0, old.text.indexOf(' says in the thread: '))} says in the thread: ${text}`;
        return { state: { ...state, held: state.held.map((one) => (one === old ? { ...one, text: said } : one)) } };
      }
      const held = state.held.filter((one) => one !== old);
      return { state: { ...state, held }, events: [{ type: 'message_settled', message: mail.message, how: 'dropped' }] };
    }
    case 'settings':
      return onSettings(state, mail, turn);
  }
}

/** A plan that waits for a word is given up for what somebody says now; a turn is interrupted for it. */
function onNow(state: CodexState): Step<CodexState> {
  const plans = Object.entries(state.pending).filter(([, { request }]) => request === null);
  if (state.turn !== null || state.starting) return interrupt(state);
  if (plans.length === 0) return { state };
  return { ...startTurn({ ...state, pending: {} }, null), withdrawn: plans.map(([ask]) => ask) };
}

/** Model and effort count from the next turn on. Planning begins and ends at once: the program is told by a turn of its own. */
function onSettings(state: CodexState, mail: Extract<Mail, { type: 'settings' }>, { settings }: Turn): Step<CodexState> {
  const mode = mail.mode ?? state.mode;
  const next = { ...state, mode, model: mail.model ?? state.model, effort: mail.effort ?? state.effort };
  const event: RunEventData = { type: 'agent', agent: settings.agent, model: next.model, mode, effort: next.effort };
  const turns = (mode === 'plan') !== (state.mode === 'plan');
  if (!turns || (state.turn === null && !state.starting)) return { state: next, events: [event] };
  const text =
    mode === 'plan'
      ? 'This task is in plan mode from now on: only look, then propose a plan.'
      : 'Plan mode is over: go on with the work.';
  const told = interrupt({ ...next, held: [{ message: null, text }, ...next.held] });
  return { ...told, events: [event] };
}
