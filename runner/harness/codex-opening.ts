import type { RunEventData } from '../../src/contracts/run-event.ts';
import type { Step } from './cli-protocol.ts';
import { failureOf } from './codex-errors.ts';
import { type CodexLine, threadResult } from './codex-lines.ts';
import { planText, refuse, verdictText } from './codex-requests.ts';
import type { CodexState } from './codex-state.ts';
import { startTurn, takeBack } from './codex-talk.ts';
import { notification, request } from './codex-wire.ts';
import { pathOf, picturesIn } from './pictures.ts';
import type { Turn } from './port.ts';
import { instructionsOf, promptOf } from './prompt.ts';

/** The first inputs: who we are, and which thread. The turn begins when the thread is there. */
export function opening(turn: Turn, earlier: CodexState | null): Step<CodexState> {
  const { settings, session } = turn;
  const state: CodexState = {
    thread: null,
    version: null,
    model: settings.model,
    effort: settings.effort,
    mode: settings.mode,
    begun: false,
    turn: null,
    starting: false,
    asked: {},
    count: 0,
    pending: {},
    parked: turn.resumed ? (earlier?.parked ?? []) : [],
    parking: false,
    changes: {},
    calls: [],
    parents: {},
    parts: {},
    plan: null,
    held: earlier === null ? [] : takeBack(earlier).held,
    sent: {},
    interrupted: false,
    end: null,
    complaint: '',
  };
  const first = request(state, { what: 'other' }, 'initialize', {
    clientInfo: { name: 'deckhand', title: 'Deckhand', version: '1' },
    capabilities: { experimentalApi: true, requestAttestation: false },
  });
  const second = openThread(first.state, turn, session);
  return { state: second.state, inputs: [first.input, notification('initialized'), second.input] };
}

function openThread(state: CodexState, turn: Turn, session: string | undefined) {
  const settings = {
    cwd: turn.cwd,
    approvalPolicy: 'untrusted',
    sandbox: 'danger-full-access',
    modelProvider: 'deckhand',
    developerInstructions: instructionsOf(turn),
    ...(turn.settings.model === null ? {} : { model: turn.settings.model }),
  };
  if (session === undefined) return request(state, { what: 'thread' }, 'thread/start', settings);
  return request(state, { what: 'resume' }, 'thread/resume', { threadId: session, excludeTurns: true, ...settings });
}

export function onResponse(state: CodexState, read: CodexLine, turn: Turn): Step<CodexState> {
  const id = String(read.id);
  const asked = Object.hasOwn(state.asked, id) ? state.asked[id] : undefined;
  if (asked === undefined) return { state };
  const { [id]: _, ...rest } = state.asked;
  const next = { ...state, asked: rest };
  switch (asked.what) {
    case 'thread':
    case 'resume':
      return onThread(next, read, turn, asked.what);
    case 'turn':
      return read.error === undefined ? { state: next } : failed(next, read.error.message);
    case 'reason':
      return { state: next, inputs: refuse(asked.pending) };
    case 'other':
      return { state: next };
  }
}

function onThread(state: CodexState, { result, error }: CodexLine, turn: Turn, how: 'thread' | 'resume'): Step<CodexState> {
  if (error !== undefined && how === 'resume') {
    const again = openThread(state, turn, undefined);
    const text = "The agent's session could not be continued, so it begins a new one on the same branch.";
    return { state: again.state, inputs: [again.input], events: [{ type: 'note', level: 'warning', text }] };
  }
  const read = threadResult.safeParse(result).data;
  if (read === undefined) return failed(state, error?.message ?? 'it gave no thread');
  const { thread, model } = read;
  const next: CodexState = { ...state, thread: thread.id, version: thread.cliVersion ?? null, model: state.model ?? model };
  const { mode, effort } = next;
  const events: RunEventData[] = [
    { type: 'agent', agent: turn.settings.agent, version: thread.cliVersion, model: next.model, mode, effort },
  ];
  if (thread.id !== turn.session) events.push({ type: 'session', session: thread.id });
  const going = goOn(next, turn);
  return { ...going, events: [...events, ...(going.events ?? [])] };
}

/** Begins the first turn, as soon as everything that waited when the run was parked is decided. */
export function goOn(state: CodexState, turn: Turn): Step<CodexState> {
  if (state.thread === null || state.begun || state.end !== null) return { state };
  if (state.parked.some(({ decided }) => decided === null)) return { state };
  if (turn.resumed) return resume(state, turn);
  const pictures = picturesIn(turn.files ?? []).map((file) => pathOf(turn.cwd, file));
  return startTurn(state, promptOf(turn), pictures);
}

function resume(state: CodexState, turn: Turn): Step<CodexState> {
  const told = state.parked.flatMap(({ decided, ...pending }) => {
    if (decided === null) return [];
    return [pending.kind === 'plan' ? planText(decided) : verdictText(pending, decided)];
  });
  const plan = state.parked.find(({ kind, decided }) => kind === 'plan' && decided?.verdict === 'allow');
  const mode = plan === undefined ? state.mode : (plan.decided?.mode ?? 'auto');
  // A session that is lost has to be told everything.
  const lost = state.thread !== turn.session;
  const first = lost ? [promptOf({ ...turn, resumed: false }), ...told] : ['Go on.', ...told];
  const parked = state.parked.filter(({ early }) => early);
  return startTurn({ ...state, mode, parked }, first.join('\n\n'));
}

function failed(state: CodexState, message: string): Step<CodexState> {
  return { state: { ...state, starting: false, end: { end: 'failed', ...failureOf({ message }) } }, inputs: [{ type: 'end' }] };
}
