import type { Mail, ProcessInput } from '../../src/contracts/agent.ts';
import { type ClaudeLine, type HookInput, readHook } from './claude-code-lines.ts';
import { send } from './claude-code-messages.ts';
import { type ClaudeState, omit } from './claude-code-state.ts';
import { needsNobody, questionsOf, reasonOf, toolCallOf } from './claude-code-tools.ts';
import { allow, answer, deny, failure, hookAnswer, line } from './claude-code-wire.ts';
import type { Step } from './cli-protocol.ts';
import type { Turn } from './port.ts';

type Request = Extract<ClaudeLine, { type: 'control_request' }>;

/** The program asks before every call of a tool: by its hook, and some calls a second time as a permission. */
export function onRequest(state: ClaudeState, { request_id: id, request }: Request, turn: Turn): Step<ClaudeState> {
  if (request.subtype === 'hook_callback') {
    const hook = readHook(request);
    if (hook === undefined) return { state, inputs: [line(hookAnswer(id, deny('The call could not be read.')))] };
    return onCall(state, { request: id, by: 'hook', ...hook }, turn);
  }
  if (request.subtype === 'can_use_tool') {
    const call = request.tool_use_id ?? '';
    const tool = request.tool_name ?? '';
    // The hook has been answered for this very call; what was not asked there is not allowed here.
    const known = Object.hasOwn(state.allowed, call) ? state.allowed[call] : undefined;
    // A turn that was parked may be at its call again before the program has read that there are hooks.
    if (known === undefined && turn.resumed && call !== '' && !Object.hasOwn(state.pending, call))
      return onCall(state, { request: id, by: 'permission', tool, input: request.input ?? {}, toolUse: call }, turn);
    if (known === undefined)
      return { state, inputs: [line(answer(id, { behavior: 'deny', message: `${tool} was not allowed.` }))] };
    const updatedInput = known === null ? (request.input ?? {}) : JSON.parse(known);
    return { state, inputs: [line(answer(id, { behavior: 'allow', updatedInput }))] };
  }
  return { state, inputs: [line(failure(id, `${request.subtype} is not served`))] };
}

type Waiting = Pick<ClaudeState['pending'][string], 'request' | 'by'>;

function allowing({ request, by }: Waiting, input: object): ProcessInput {
  return line(by === 'hook' ? hookAnswer(request, allow(input)) : answer(request, { behavior: 'allow', updatedInput: input }));
}

function denying({ request, by }: Waiting, message: string): ProcessInput {
  return line(by === 'hook' ? hookAnswer(request, deny(message)) : answer(request, { behavior: 'deny', message }));
}

function onCall(state: ClaudeState, { toolUse, ...waits }: HookInput & Waiting, turn: Turn): Step<ClaudeState> {
  const { tool, input } = waits;
  if (needsNobody(tool)) return { state, inputs: [allowing(waits, input)] };
  const pending = { ...state.pending, [toolUse]: waits };
  const waiting = { ...state, pending };
  if (tool === 'AskUserQuestion') {
    const questions = questionsOf(input);
    if (questions.length === 0) return { state, inputs: [denying(waits, 'There is no question in it.')] };
    return { state: waiting, asks: [{ type: 'question', ask: toolUse, questions }] };
  }
  if (tool === 'ExitPlanMode') {
    const text = typeof input.plan === 'string' ? input.plan : '';
    return { state: waiting, asks: [{ type: 'plan', ask: toolUse, text }] };
  }
  const because = reasonOf(tool, input);
  const call = toolCallOf(tool, input, turn.cwd);
  return { state: waiting, asks: [{ type: 'tool', ask: toolUse, call, ...(because === undefined ? {} : { because }) }] };
}

/** The program does not wait for this answer any more. */
export function withdraw(state: ClaudeState, request: string): Step<ClaudeState> {
  const found = Object.entries(state.pending).find(([, pending]) => pending.request === request);
  if (found === undefined) return { state };
  return { state: { ...state, pending: omit(state.pending, found[0]) }, withdrawn: [found[0]] };
}

/** The answer of the engine goes to the call that waits for it. */
export function onDecision(state: ClaudeState, mail: Extract<Mail, { type: 'decision' }>): Step<ClaudeState> {
  const pending = state.pending[mail.ask];
  if (pending === undefined) return { state };
  const next = { ...state, pending: omit(state.pending, mail.ask) };
  if (mail.verdict === 'deny') {
    return { state: next, inputs: [denying(pending, mail.reason ?? 'Denied.')] };
  }
  const input = pending.tool === 'AskUserQuestion' ? withAnswers(pending.input, mail.answers ?? {}) : pending.input;
  const allowed = { ...state.allowed, [mail.ask]: JSON.stringify(input) };
  const answered = allowing(pending, input);
  const mode = pending.tool === 'ExitPlanMode' ? (mail.mode ?? 'auto') : state.mode;
  const sending = send({ ...next, allowed, mode });
  return { state: sending.state, inputs: [answered, ...(sending.inputs ?? [])] };
}

function withAnswers(input: Record<string, unknown>, answers: Record<string, string[]>): Record<string, unknown> {
  const given = Object.fromEntries(Object.entries(answers).map(([question, chosen]) => [question, chosen.join(', ')]));
  return { ...input, answers: given };
}
