import type { Mail, ProcessInput } from '../../src/contracts/agent.ts';
import type { RunEventData } from '../../src/contracts/run-event.ts';
import { failureOf, wasCutOff } from './claude-code-errors.ts';
import { type ClaudeLine, readClaudeLine } from './claude-code-lines.ts';
import { send, uuidOf } from './claude-code-messages.ts';
import { onDecision, onRequest, withdraw } from './claude-code-requests.ts';
import { onAssistant, onUser } from './claude-code-spoken.ts';
import { type ClaudeState, claudeStateSchema } from './claude-code-state.ts';
import { onStream } from './claude-code-stream.ts';
import { control, hookAnswer, line, said } from './claude-code-wire.ts';
import type { CliProtocol, Step } from './cli-protocol.ts';
import type { Turn, TurnEnd } from './port.ts';
import { instructionsOf, promptOf } from './prompt.ts';

/** Claude Code by its control protocol: every call of a tool comes by a hook first, and waits there for the answer. */
export const claudeCodeProtocol: CliProtocol<ClaudeState> = {
  state: claudeStateSchema,

  begin(turn, earlier) {
    const state: ClaudeState = {
      session: turn.session ?? null,
      mode: turn.settings.mode,
      part: null,
      pending: {},
      allowed: {},
      // The call that was put off is made now.
      calls: turn.resumed ? (earlier?.calls ?? {}) : {},
      steps: earlier?.steps ?? [],
      held: earlier?.held ?? [],
      sent: {},
      interrupted: false,
      parking: false,
      end: null,
      cutOff: 0,
      asked: 0,
      complaint: '',
    };
    const hooks = { PreToolUse: [{ matcher: '*', hookCallbackIds: ['before'], timeout: hookSeconds }] };
    // One that continues a session may go on before it reads this, and has them from its start.
    const instructions = turn.session === undefined ? { appendSystemPrompt: instructionsOf(turn) } : {};
    const inputs = [line(control('initialize', { subtype: 'initialize', ...instructions, hooks }))];
    // A session that was parked goes on by itself at the call it waits for.
    if (!turn.resumed) inputs.push(line(said(promptOf(turn), uuidOf(turn.run))));
    return { state, inputs };
  },

  line(state, { text, stream, cut }, turn) {
    if (stream === 'stderr') return { state: { ...state, complaint: `${state.complaint}${text}\n`.slice(-2000) } };
    const read = cut ? undefined : readClaudeLine(text);
    return read === undefined ? { state } : onLine(state, read, turn);
  },

  mail: onMail,

  park(state) {
    const waiting = Object.entries(state.pending);
    const [first] = waiting;
    // The program keeps one call that waits; of several at once it would forget some.
    if (first === undefined || waiting.length > 1 || Object.keys(state.calls).length > 1 || first[1].by !== 'hook')
      return { state };
    const [call, { request }] = first;
    const { [call]: _, ...pending } = state.pending;
    return { state: { ...state, pending, parking: true }, inputs: [line(hookAnswer(request, { permissionDecision: 'defer' }))] };
  },

  over(state, stopped) {
    const session = state.session ?? undefined;
    if (state.end?.end === 'parked') return { end: 'parked', session };
    if (stopped) return { end: 'stopped', session };
    if (state.end?.end === 'done') return { end: 'done', session };
    if (state.end?.end === 'failed') return { ...state.end, session, resumable: session !== undefined };
    const complaint = state.complaint.trim().split('\n').at(-1) ?? '';
    const why = `Claude Code ended before its turn was over${complaint === '' ? '' : `: ${complaint.slice(0, 300)}`}`;
    return { end: 'failed', why, session, resumable: session !== undefined } satisfies TurnEnd;
  },
};

/** More often than a runner is killed in the answers of one turn. */
const mostCutOff = 5;
/** A day: people may take their time, and a turn that waits longer is parked. */
const hookSeconds = 7 * 24 * 60 * 60;

function onLine(state: ClaudeState, read: ClaudeLine, turn: Turn): Step<ClaudeState> {
  switch (read.type) {
    case 'system':
      return onSystem(state, read, turn);
    case 'stream_event':
      return read.parent_tool_use_id ? { state } : onStream(state, read.event);
    case 'assistant':
      return onAssistant(state, read, turn);
    case 'user':
      return onUser(state, read);
    case 'control_request':
      return onRequest(state, read, turn);
    case 'control_cancel_request':
      return withdraw(state, read.request_id);
    case 'control_response':
      if (read.response.subtype !== 'error') return { state };
      return {
        state,
        events: [{ type: 'note', level: 'warning', text: `Claude Code refused a request: ${read.response.error ?? ''}` }],
      };
    case 'result':
      return onResult(state, read);
  }
}

function onSystem(state: ClaudeState, read: Extract<ClaudeLine, { type: 'system' }>, { settings }: Turn): Step<ClaudeState> {
  if (read.subtype === 'init') {
    const session = read.session_id ?? state.session;
    const { agent, effort } = settings;
    const events: RunEventData[] = [
      { type: 'agent', agent, version: read.claude_code_version, model: read.model ?? settings.model, mode: state.mode, effort },
    ];
    if (session !== null && session !== state.session) events.push({ type: 'session', session });
    return { state: { ...state, session }, events };
  }
  if (read.subtype !== 'api_retry') return { state };
  const status = read.error_status == null ? 'does not answer' : `answers ${read.error_status}`;
  const text = `The model server ${status}; trying again (${read.attempt ?? 1} of ${read.max_retries ?? '?'}).`;
  return { state, events: [{ type: 'note', level: 'warning', text }] };
}

function onResult(state: ClaudeState, read: Extract<ClaudeLine, { type: 'result' }>): Step<ClaudeState> {
  const session = read.session_id ?? state.session;
  const withdrawn = Object.keys(state.pending);
  const next: ClaudeState = { ...state, session, pending: {}, allowed: {}, calls: {}, part: null };
  if (state.parking && read.stop_reason === 'tool_deferred') {
    return { state: { ...next, end: { end: 'parked' } }, inputs: [{ type: 'end' }] };
  }
  // What people have said meanwhile begins another round of the same turn.
  if (state.held.length > 0) return { ...send({ ...next, interrupted: false }), withdrawn };
  if (state.interrupted || Object.keys(state.sent).length > 0) return { state: { ...next, interrupted: false }, withdrawn };
  if (wasCutOff(read) && state.cutOff < mostCutOff) return { ...goOn(next), withdrawn };
  const end = read.is_error ? ({ end: 'failed', ...failureOf(read) } as const) : ({ end: 'done' } as const);
  return { state: { ...next, end }, withdrawn, inputs: [{ type: 'end' }] };
}

/** It has all that was said and done until then. */
function goOn(state: ClaudeState): Step<ClaudeState> {
  const words = 'Go on where you were: the connection to the model broke off in the middle of your answer.';
  return {
    state: { ...state, cutOff: state.cutOff + 1, asked: state.asked + 1 },
    inputs: [line(said(words, uuidOf(`go-on-${state.asked}`)))],
    events: [
      {
        type: 'note',
        level: 'warning',
        text: 'The connection to the model broke off in the middle of an answer; the agent goes on.',
      },
    ],
  };
}

function onMail(state: ClaudeState, mail: Mail, turn: Turn): Step<ClaudeState> {
  switch (mail.type) {
    case 'decision':
      return onDecision(state, mail);
    case 'message': {
      const held = [...state.held, { message: mail.message, by: mail.by, text: mail.text }];
      if (mail.when === 'now') {
        const stop = line(control(`interrupt-${state.asked}`, { subtype: 'interrupt' }));
        return { state: { ...state, held, interrupted: true, asked: state.asked + 1 }, inputs: [stop] };
      }
      // While a tool runs the program takes it with the result; while the model speaks it can still be changed.
      const busy = Object.keys(state.calls).some((call) => Object.hasOwn(state.allowed, call));
      return busy ? send({ ...state, held }) : { state: { ...state, held } };
    }
    case 'message_changed': {
      if (!state.held.some(({ message }) => message === mail.message)) return { state };
      const { text } = mail;
      if (text !== null) {
        return { state: { ...state, held: state.held.map((one) => (one.message === mail.message ? { ...one, text } : one)) } };
      }
      const held = state.held.filter(({ message }) => message !== mail.message);
      return { state: { ...state, held }, events: [{ type: 'message_settled', message: mail.message, how: 'dropped' }] };
    }
    case 'settings':
      return onSettings(state, mail, turn);
  }
}

function onSettings(
  state: ClaudeState,
  { mode, model }: Extract<Mail, { type: 'settings' }>,
  { settings }: Turn,
): Step<ClaudeState> {
  const inputs: ProcessInput[] = [];
  let { asked } = state;
  const request = (body: object) => {
    inputs.push(line(control(`set-${asked}`, body)));
    asked += 1;
  };
  // The engine decides what is asked about; the program only needs to know whether it plans.
  const plans = (mode ?? state.mode) === 'plan';
  if (mode !== undefined && plans !== (state.mode === 'plan'))
    request({ subtype: 'set_permission_mode', mode: plans ? 'plan' : 'default' });
  if (model !== undefined) request({ subtype: 'set_model', model });
  const now = mode ?? state.mode;
  const event: RunEventData = {
    type: 'agent',
    agent: settings.agent,
    model: model ?? settings.model,
    mode: now,
    effort: settings.effort,
  };
  return { state: { ...state, mode: now, asked }, inputs, events: [event] };
}
