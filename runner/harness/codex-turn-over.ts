import type { RunEventData } from '../../src/contracts/run-event.ts';
import type { Step } from './cli-protocol.ts';
import { failureOf } from './codex-errors.ts';
import type { CodexTurnError } from './codex-lines.ts';
import type { CodexState } from './codex-state.ts';
import { endCommands, startTurn, takeBack } from './codex-talk.ts';

/** The end of a turn of the program: it may have a plan, there may be more to say, or all is done. */
export function onTurnOver(
  state: CodexState,
  turn: { id: string; status: string; error?: CodexTurnError | null | undefined },
): Step<CodexState> {
  if (turn.id !== state.turn) return { state };
  const withdrawn = Object.keys(state.pending);
  const events = state.calls.map((id): RunEventData => ({ type: 'tool_ended', id, ok: false, summary: 'Interrupted.' }));
  const over = takeBack({ ...state, turn: null, pending: {}, calls: [], changes: {}, parts: {}, interrupted: false });
  const { state: rest, inputs = [] }: Step<CodexState> = turn.status === 'interrupted' ? endCommands(over) : { state: over };
  const step = (next: Step<CodexState>): Step<CodexState> => ({
    ...next,
    inputs: [...inputs, ...(next.inputs ?? [])],
    withdrawn: [...withdrawn, ...(next.withdrawn ?? [])],
    events: [...events, ...(next.events ?? [])],
  });
  const ends = (end: CodexState['end']) => step({ state: { ...rest, end }, inputs: [{ type: 'end' }] });

  if (state.parking) return ends({ end: 'parked' });
  if (turn.status === 'failed') return ends({ end: 'failed', ...failureOf(turn.error ?? { message: 'Codex gave up' }) });
  // What was said meanwhile begins another turn of the same thread.
  if (rest.held.length > 0) return step(startTurn(rest, null));
  if (turn.status === 'interrupted') {
    // What it was interrupted for was taken back.
    return state.interrupted ? step(startTurn(rest, 'Go on.')) : ends({ end: 'failed', why: 'Codex was interrupted.' });
  }
  if (state.plan !== null && state.mode === 'plan') {
    const thread = state.thread ?? '';
    const pending = { kind: 'plan', request: null, thread, turn: turn.id, about: 'The plan', same: state.plan } as const;
    const ask = `plan/${turn.id}`;
    return step({
      state: { ...rest, pending: { [ask]: pending }, plan: null },
      asks: [{ type: 'plan', ask, text: state.plan }],
    });
  }
  return ends({ end: 'done' });
}
