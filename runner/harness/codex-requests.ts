import type { Ask, Mail, ProcessInput } from '../../src/contracts/agent.ts';
import { canonicalJson } from '../../src/runtime/canonical-json.ts';
import type { Step } from './cli-protocol.ts';
import { changeCall, commandCall, questionsOf } from './codex-calls.ts';
import { type CodexLine, changeParams, commandParams, questionParams } from './codex-lines.ts';
import type { CodexState, Pending, Verdict } from './codex-state.ts';
import { andThen, startTurn, steer, steering } from './codex-talk.ts';
import { answer, refusal } from './codex-wire.ts';
import type { Turn } from './port.ts';

/** The program asks: may it run a command, change files, or what do people want. Anything else is not served. */
export function onRequest(state: CodexState, { id, method, params }: CodexLine, turn: Turn): Step<CodexState> {
  if (id === undefined) return { state };
  switch (method) {
    case 'item/commandExecution/requestApproval':
      return onCommand(state, id, params, turn);
    case 'item/fileChange/requestApproval':
      return onChange(state, id, params, turn);
    case 'item/tool/requestUserInput':
      return onQuestion(state, id, params);
    default:
      return { state, inputs: [refusal(id, `${method ?? 'this'} is not served`)] };
  }
}

type Id = string | number;

function onCommand(state: CodexState, id: Id, given: unknown, turn: Turn): Step<CodexState> {
  const params = commandParams.safeParse(given).data;
  const { command, cwd, networkApprovalContext: network, additionalPermissions: more } = params ?? {};
  // What cannot be shown whole is refused; there is no network and there are no permissions to give.
  if (params === undefined || command == null || cwd == null || network != null || more != null) {
    return { state, inputs: [answer(id, { decision: 'decline' })] };
  }
  const call = commandCall(command, cwd, turn.cwd);
  const about = `The ${params.kind === 'writeStdin' ? 'input for the' : ''} command \`${call.command ?? ''}\``.replace('  ', ' ');
  const pending = {
    kind: 'command',
    request: id,
    thread: params.threadId,
    turn: params.turnId,
    about,
    same: call.input,
  } as const;
  const because = params.reason == null || params.reason === '' ? {} : { because: params.reason };
  const kept = params.kind === 'writeStdin' ? { ...call, input: canonicalJson({ ...params, startedAtMs: null }) } : call;
  return ask(state, pending, { type: 'tool', ask: nameOf(params.itemId, id), call: kept, ...because });
}

function onChange(state: CodexState, id: Id, given: unknown, turn: Turn): Step<CodexState> {
  const params = changeParams.safeParse(given).data;
  const changes = params === undefined ? undefined : state.changes[params.itemId];
  if (params === undefined || changes === undefined) return { state, inputs: [answer(id, { decision: 'decline' })] };
  const call = changeCall(changes, params.grantRoot ?? undefined, turn.cwd);
  const about = `The change "${call.title}"`;
  const pending = { kind: 'change', request: id, thread: params.threadId, turn: params.turnId, about, same: call.input } as const;
  const because = params.reason == null || params.reason === '' ? {} : { because: params.reason };
  return ask(state, pending, { type: 'tool', ask: nameOf(params.itemId, id), call, ...because });
}

function onQuestion(state: CodexState, id: Id, given: unknown): Step<CodexState> {
  const params = questionParams.safeParse(given).data;
  if (params === undefined || params.questions.length === 0) return { state, inputs: [answer(id, { answers: {} })] };
  const questions = questionsOf(params.questions);
  const about = `Your question "${questions.map(({ text }) => text).join(' / ')}"`;
  const same = canonicalJson(questions);
  const pending = { kind: 'question', request: id, thread: params.threadId, turn: params.turnId, about, same } as const;
  return ask(state, pending, { type: 'question', ask: nameOf(params.itemId, id), questions });
}

/** The same item may ask twice. */
function nameOf(item: string, id: Id): string {
  return `${item.slice(-150)}/${id}`;
}

function ask(state: CodexState, pending: Pending, asked: Ask): Step<CodexState> {
  // Decided in the last moment of an earlier process, for exactly this call.
  const early = state.parked.find(({ early, kind, same }) => early && kind === pending.kind && same === pending.same);
  if (early?.decided != null) {
    const parked = state.parked.filter((one) => one !== early);
    return settle({ ...state, parked }, pending, early.decided);
  }
  return { state: { ...state, pending: { ...state.pending, [asked.ask]: pending } }, asks: [asked] };
}

export function onDecision(state: CodexState, mail: Extract<Mail, { type: 'decision' }>): Step<CodexState> {
  const { verdict, reason, mode, answers } = mail;
  const decided: Verdict = { verdict, ...(reason && { reason }), ...(mode && { mode }), ...(answers && { answers }) };
  const pending = state.pending[mail.ask];
  if (pending !== undefined) {
    const { [mail.ask]: _, ...rest } = state.pending;
    return settle({ ...state, pending: rest }, pending, decided);
  }
  if (!state.parked.some(({ ask: name }) => name === mail.ask)) return { state };
  const parked = state.parked.map((one) => (one.ask === mail.ask ? { ...one, decided, early: state.parking } : one));
  return { state: { ...state, parked } };
}

/** The answer goes to what waits for it. The reason of a refusal goes first: the agent has it before it thinks again. */
function settle(state: CodexState, pending: Pending, decided: Verdict): Step<CodexState> {
  if (pending.request === null)
    return startTurn({ ...state, mode: decided.mode ?? modeAfter(state, decided) }, planText(decided));
  if (decided.verdict === 'deny') {
    const said = {
      message: null,
      text: `${verdictText(pending, decided)} Obey that, and do not try to do the same another way.`,
    };
    const asked = steering(state, [said], pending, { what: 'reason', pending });
    return { state: asked.state, inputs: [asked.input] };
  }
  const inputs = [answer(pending.request, positive(pending, decided))];
  return andThen({ state, inputs }, steer);
}

function modeAfter({ mode }: CodexState, { verdict }: Verdict): CodexState['mode'] {
  return verdict === 'allow' && mode === 'plan' ? 'auto' : mode;
}

export function planText({ verdict, reason }: Verdict): string {
  if (verdict === 'allow') return 'The plan was approved. Implement the plan.';
  return `The plan was not approved. ${reason ?? ''} Revise the plan and propose it again.`.replace('  ', ' ');
}

/** What the agent is told about something that was decided. */
export function verdictText({ kind, about }: Pending, { verdict, reason, answers }: Verdict): string {
  if (verdict === 'deny') {
    const what = kind === 'question' ? 'was not answered' : 'was not allowed';
    return `${about} ${what}. ${reason ?? ''}`.trim();
  }
  if (kind !== 'question') return `${about} was approved: ${kind === 'command' ? 'run exactly it now' : 'make exactly it now'}.`;
  return `${about} was answered: ${Object.values(answers ?? {})
    .flat()
    .join(', ')}.`;
}

function positive({ kind }: Pending, { answers }: Verdict): object {
  if (kind !== 'question') return { decision: 'accept' };
  return { answers: Object.fromEntries(Object.entries(answers ?? {}).map(([id, chosen]) => [id, { answers: chosen }])) };
}

/** The refusal itself, once its reason is with the agent. */
export function refuse({ kind, request }: Pending): ProcessInput[] {
  if (request === null) return [];
  return [answer(request, kind === 'question' ? { answers: {} } : { decision: 'decline' })];
}

/** The program does not wait for this answer any more. */
export function withdraw(state: CodexState, request: Id): Step<CodexState> {
  const found = Object.entries(state.pending).find(([, pending]) => pending.request === request);
  if (found === undefined) return { state };
  const { [found[0]]: _, ...pending } = state.pending;
  return { state: { ...state, pending }, withdrawn: [found[0]] };
}
