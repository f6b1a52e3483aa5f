import { actionLines, actionTitle } from '../approvals/action-text.ts';
import type { Notify } from '../contracts/notify.ts';
import { type Platform, platformNames } from '../contracts/platform.ts';
import type { Action, CommandAction } from '../contracts/policy.ts';
import { type DecisionVerb, encodePress } from '../contracts/press.ts';
import type { InteractionState } from '../contracts/states.ts';
import { type Block, type Button, bold, plain, type Span, type Tone, type View, type ViewFile } from '../contracts/view.ts';
import { type CardContext, moment, person, whereSpans } from './card-context.ts';
import { marked } from './error-view.ts';
import { cleanText, oneLine, type Revealed, reveal } from './neutralise.ts';
import { spansText } from './plain-text.ts';
import { isQuiet } from './quiet-hours.ts';
import type { RunView } from './run-view.ts';
import { bytes, count, duration } from './units.ts';

/** A request for a decision and what became of it. */
export interface DecisionFacts {
  id: string;
  /** What the buttons carry. */
  secret: string;
  state: InteractionState;
  action: Action;
  because: string;
  risks: readonly string[];
  openedAt: Date;
  expiresAt: Date;
  remindedAt: Date | undefined;
  decidedAt: Date | undefined;
  decidedBy: { user: string; name: string } | undefined;
  decidedOn: Platform | undefined;
  reason: string | undefined;
  /** Who may decide, in words ("Maintainers and owners can decide."), and those of them who are mentioned. */
  who: { text: string; mention: readonly { user: string; name: string; notify?: Notify | undefined }[] };
}

/** A command up to this long is shown as a whole; a longer one is attached, with its first and last lines shown. */
const shownLines = 25;
const shownLength = 1500;
const excerptHead = 10;
const excerptTail = 6;

/** The message that asks, and that later says who decided what. The whole action is shown or attached, never cut silently. */
export function decisionCard(facts: DecisionFacts, view: RunView, context: CardContext): View {
  const { action } = facts;
  return action.type === 'command' ? commandCard({ ...facts, action }, view, context) : agentCard(facts, view, context);
}

/** What else than a command is asked: all that the decision is bound to, as a text. */
function agentCard(facts: DecisionFacts, view: RunView, context: CardContext): View {
  const pending = facts.state === 'pending';
  const { text } = reveal(actionLines(facts.action, context.task.project).join('\n'));
  const { blocks: body, files } = textBlocks(text, `${context.task.number}-request.txt`, 'request');
  const { heading, tone } = headingOf(facts.state);
  const blocks: Block[] = [
    {
      type: 'title',
      spans: [plain(`#${context.task.number} ${pending ? 'asks' : 'asked'}`)],
      state: { text: heading, tone },
    },
    ...(pending ? [] : [{ type: 'text' as const, spans: outcome(facts, context) }]),
    ...body,
    { type: 'fields', items: commonFields(facts) },
    { type: 'context', spans: whereSpans(context, { ...view, sandbox: undefined }) },
    ...(pending ? asking(facts, context) : []),
  ];
  const said = pending
    ? `Decision needed: #${context.task.number} ${oneLine(actionTitle(facts.action))}`
    : `#${context.task.number}: ${spansText(outcome(facts, context))}`;
  return { fallback: said, blocks, ...(files.length === 0 ? {} : { files }) };
}

function commandCard(facts: DecisionFacts & { action: CommandAction }, view: RunView, context: CardContext): View {
  const pending = facts.state === 'pending';
  const revealed = reveal(facts.action.command);
  const { blocks: command, files } = textBlocks(revealed.text, `${context.task.number}-command.sh`, 'command');
  const { heading, tone } = headingOf(facts.state);
  const title: Span[] = [plain(`#${context.task.number} ${pending ? 'wants to run a command' : 'wanted to run a command'}`)];
  const blocks: Block[] = [
    { type: 'title', spans: title, state: { text: heading, tone } },
    ...(pending ? [] : [{ type: 'text' as const, spans: outcome(facts, context) }]),
    ...command,
    ...warnings(revealed),
    { type: 'fields', items: fields(facts) },
    { type: 'context', spans: whereSpans(context, { ...view, sandbox: undefined }) },
    ...(pending ? asking(facts, context) : []),
  ];
  const first = oneLine(revealed.text.split('\n', 1)[0] ?? '');
  const said = pending
    ? `Approval needed: #${context.task.number} wants to run ${first}`
    : `#${context.task.number}: ${spansText(outcome(facts, context))}`;
  return { fallback: said, blocks, ...(files.length === 0 ? {} : { files }) };
}

/** Says again that a decision is waited for; once it is made, that nothing is waited for any more. */
export function reminder(facts: DecisionFacts, context: CardContext): View {
  const number = `#${context.task.number}`;
  if (facts.state !== 'pending') {
    const spans = [bold(number), plain(' no longer waits for a decision. '), ...outcome(facts, context)];
    return { fallback: spansText(spans), blocks: [{ type: 'text', spans }] };
  }
  const since = duration((facts.remindedAt ?? context.now).getTime() - facts.openedAt.getTime());
  const spans = [
    bold(number),
    plain(` has waited ${since} for a decision. Without one it counts as no at `),
    moment(facts.expiresAt),
    plain('. '),
    ...mentions(facts, context, facts.remindedAt ?? context.now),
  ];
  return {
    fallback: spansText(spans),
    blocks: [
      { type: 'text', spans },
      { type: 'buttons', buttons: decisionButtons(facts) },
    ],
  };
}

function headingOf(state: InteractionState): { heading: string; tone: Tone } {
  switch (state) {
    case 'pending':
      return { heading: 'approval needed', tone: 'waiting' };
    case 'approved':
    case 'answered':
      return { heading: 'approved', tone: 'good' };
    case 'denied':
      return { heading: 'denied', tone: 'bad' };
    case 'expired':
      return { heading: 'expired', tone: 'bad' };
    case 'superseded':
      return { heading: 'replaced', tone: 'muted' };
    case 'cancelled':
      return { heading: 'no longer needed', tone: 'muted' };
  }
}

/** Who, what, when, on which platform, and why. */
function outcome(facts: DecisionFacts, context: CardContext): Span[] {
  const at = facts.decidedAt === undefined ? [] : [plain(', '), moment(facts.decidedAt)];
  switch (facts.state) {
    case 'approved':
    case 'answered':
    case 'denied': {
      const verb = facts.state === 'denied' ? 'denied' : 'approved';
      const by: Span = facts.decidedBy === undefined ? plain('Somebody') : person(context, facts.decidedBy);
      const where = facts.decidedOn === undefined ? '' : ` on ${platformNames[facts.decidedOn]}`;
      const reason = facts.reason === undefined ? [plain('.')] : [plain(`: ${cleanText(facts.reason)}`)];
      return [by, plain(` ${verb} it${where}`), ...at, ...reason];
    }
    case 'expired':
      return [plain('Nobody decided in time, which counts as no'), ...at, plain('.')];
    case 'superseded':
      return [plain('A newer request has replaced this one'), ...at, plain('.')];
    case 'cancelled':
      return [plain('The run ended before anybody decided'), ...at, plain('.')];
    case 'pending':
      return [];
  }
}

/** A text as a whole, or attached with its beginning and its end. */
function textBlocks(text: string, name: string, what: 'command' | 'request'): { blocks: Block[]; files: ViewFile[] } {
  const lines = text.split('\n');
  if (lines.length <= shownLines && text.length <= shownLength) return { blocks: [{ type: 'code', text }], files: [] };
  const short = (line: string) => line.length <= 120;
  const head = lines.slice(0, excerptHead);
  const tail = lines.slice(excerptHead).slice(-excerptTail);
  const between = lines.length - head.length - tail.length;
  const size = bytes(new TextEncoder().encode(text).length);
  const whole = `The whole ${what}, ${count(lines.length, 'line')} and ${size}, is in the attached ${name}. Read it before you decide.`;
  const note: Block = { type: 'text', spans: [bold(whole)] };
  const excerpt: Block[] = [...head, ...tail].every(short)
    ? [
        { type: 'code', text: head.join('\n') },
        ...(between === 0 ? [] : [{ type: 'context' as const, spans: [plain(`${count(between, 'line')} not shown here`)] }]),
        ...(tail.length === 0 ? [] : [{ type: 'code' as const, text: tail.join('\n') }]),
      ]
    : [];
  return { blocks: [note, ...excerpt], files: [{ from: 'text', name, text, ...(what === 'command' ? { language: 'sh' } : {}) }] };
}

/** What a reader's eye would miss. */
function warnings({ hidden, mixed }: Revealed): Block[] {
  const blocks: Block[] = [];
  if (hidden.length > 0) {
    const which = hidden.slice(0, 6).join(', ');
    const more = hidden.length > 6 ? ` and ${hidden.length - 6} more` : '';
    blocks.push({ type: 'text', spans: [bold('Hidden characters: '), plain(`${which}${more}, written out between ⟨ and ⟩.`)] });
  }
  if (mixed.length > 0) {
    const words = mixed.slice(0, 4).join(', ');
    blocks.push({ type: 'text', spans: [bold('Mixed alphabets: '), plain(`${words} has letters that look like others.`)] });
  }
  return blocks;
}

type Fields = Extract<Block, { type: 'fields' }>['items'];

function fields({ action, ...facts }: DecisionFacts & { action: CommandAction }): Fields {
  const [because, risk, ...rest] = commonFields(facts);
  const limit = { label: 'time limit', spans: [plain(duration(action.timeoutMs))] };
  return [{ label: 'where', spans: where(action) }, ...[because, risk].filter((field) => field !== undefined), limit, ...rest];
}

function commonFields({ risks, because, expiresAt, state }: Omit<DecisionFacts, 'action'>): Fields {
  return [
    { label: 'because', spans: marked(oneLine(because)) },
    { label: 'risk', spans: [plain(risks.length === 0 ? 'none noticed' : risks.map(oneLine).join(', '))] },
    ...(state === 'pending' ? [{ label: 'until', spans: [moment(expiresAt), plain(', then it counts as no')] }] : []),
  ];
}

function where({ cwd, sandbox, network }: CommandAction): Span[] {
  const reach = network === 'none' ? 'no network' : 'the network of the machine';
  if (sandbox === 'docker') return [plain(`${oneLine(cwd)} in a container, ${reach}`)];
  return [plain(`${oneLine(cwd)} on the machine of the runner, `), bold('not isolated'), plain(`, ${reach}`)];
}

function asking(facts: DecisionFacts, context: CardContext): Block[] {
  return [
    { type: 'text', spans: mentions(facts, context, facts.openedAt) },
    { type: 'buttons', buttons: decisionButtons(facts) },
  ];
}

/** Who may decide. Whoever wants direct messages, or had quiet hours when this was asked, is named without a ping. */
function mentions({ who }: DecisionFacts, context: CardContext, askedAt: Date): Span[] {
  const pings = (notify: Notify | undefined) => notify?.by !== 'direct' && !isQuiet(notify?.quiet, askedAt);
  return [...who.mention.flatMap((one) => [person(context, one, pings(one.notify)), plain(' ')]), plain(who.text)];
}

function decisionButtons({ secret, action }: DecisionFacts): Button[] {
  const button = (verb: DecisionVerb, label: string, style: Button['style'] = 'default'): Button => ({
    token: encodePress({ kind: 'decide', secret, verb }),
    label,
    style,
  });
  const forTask = action.type === 'command' || action.type === 'tool';
  return [
    ...(action.type === 'question' ? [] : [button('approve', 'Approve', 'primary')]),
    ...(forTask ? [button('approve_task', 'Approve for this task')] : []),
    button('deny', 'Deny', 'danger'),
    { ...button('deny_reason', 'Deny with reason…'), form: true },
    button('details', 'Details'),
  ];
}
