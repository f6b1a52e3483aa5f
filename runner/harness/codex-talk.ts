import type { ProcessInput } from '../../src/contracts/agent.ts';
import type { Step } from './cli-protocol.ts';
import type { CodexState, Said } from './codex-state.ts';
import { request, textInput } from './codex-wire.ts';

/** Begins a turn of the program with what it is told first, pictures (absolute paths), and with what has been said meanwhile. */
export function startTurn(state: CodexState, first: string | null, pictures: readonly string[] = []): Step<CodexState> {
  if (state.thread === null) throw new Error('a turn begins in a thread');
  const texts = [...(first === null ? [] : [first]), ...state.held.map(({ text }) => text)];
  const name = `said-${state.count + 1}`;
  const mode = state.mode === 'plan' ? 'plan' : 'default';
  const asked = request(state, { what: 'turn' }, 'turn/start', {
    threadId: state.thread,
    clientUserMessageId: name,
    input: [...textInput(texts.join('\n\n')), ...pictures.map((path) => ({ type: 'localImage', path }))],
    // Said again with every turn: nothing that was stored elsewhere may count.
    approvalPolicy: 'untrusted',
    sandboxPolicy: { type: 'dangerFullAccess' },
    summary: 'auto',
    collaborationMode: {
      mode,
      settings: { model: state.model, reasoning_effort: state.effort, developer_instructions: null },
    },
  });
  const sent = state.held.length === 0 ? state.sent : { ...state.sent, [name]: state.held };
  return { state: { ...asked.state, begun: true, starting: true, plan: null, held: [], sent }, inputs: [asked.input] };
}

/** Hands over what has been said, to be read at the next step of the turn. */
export function steer(state: CodexState): Step<CodexState> {
  const { thread, turn, held } = state;
  if (thread === null || turn === null || held.length === 0) return { state };
  const asked = steering(state, held, { thread, turn }, { what: 'other' });
  return { state: { ...asked.state, held: [] }, inputs: [asked.input] };
}

export function steering(
  state: CodexState,
  said: readonly Said[],
  to: { thread: string; turn: string },
  what: CodexState['asked'][string],
): { state: CodexState; input: ProcessInput } {
  const name = `said-${state.count + 1}`;
  const asked = request(state, what, 'turn/steer', {
    threadId: to.thread,
    expectedTurnId: to.turn,
    clientUserMessageId: name,
    input: textInput(said.map(({ text }) => text).join('\n\n')),
  });
  return { state: { ...asked.state, sent: { ...state.sent, [name]: [...said] } }, input: asked.input };
}

/** Ends the turn under way; what follows it comes with its end. */
export function interrupt(state: CodexState): Step<CodexState> {
  const { thread, turn } = state;
  const next = { ...state, interrupted: true };
  if (thread === null || turn === null) return { state: next };
  const asked = request(next, { what: 'other' }, 'turn/interrupt', { threadId: thread, turnId: turn });
  return { state: asked.state, inputs: [asked.input] };
}

/** Commands outlive the turn that was interrupted, unless they are ended. */
export function endCommands(state: CodexState): Step<CodexState> {
  if (state.thread === null) return { state };
  const asked = request(state, { what: 'other' }, 'thread/backgroundTerminals/clean', { threadId: state.thread });
  return { state: asked.state, inputs: [asked.input] };
}

/** The program begins to read what we have sent. */
export function taken(state: CodexState, name: string): Step<CodexState> {
  const said = state.sent[name];
  if (said === undefined) return { state };
  const { [name]: _, ...sent } = state.sent;
  const read = said.flatMap(({ message }) => (message === null ? [] : [message]));
  return { state: { ...state, sent }, events: read.map((message) => ({ type: 'message_settled', message, how: 'read' })) };
}

/** What was sent and not read is to be said again. */
export function takeBack(state: CodexState): CodexState {
  return { ...state, held: [...Object.values(state.sent).flat(), ...state.held], sent: {} };
}

/** One step after another. */
export function andThen(step: Step<CodexState>, next: (state: CodexState) => Step<CodexState>): Step<CodexState> {
  const second = next(step.state);
  return {
    state: second.state,
    events: [...(step.events ?? []), ...(second.events ?? [])],
    asks: [...(step.asks ?? []), ...(second.asks ?? [])],
    withdrawn: [...(step.withdrawn ?? []), ...(second.withdrawn ?? [])],
    inputs: [...(step.inputs ?? []), ...(second.inputs ?? [])],
  };
}
