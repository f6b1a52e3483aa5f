import { rolesFrom } from '../access/not-allowed.ts';
import { dollars } from '../approvals/action-text.ts';
import { moreNeeded } from '../approvals/several-words.ts';
import type { Notify } from '../contracts/notify.ts';
import { type Platform, platformNames } from '../contracts/platform.ts';
import type { Action } from '../contracts/policy.ts';
import type { Role } from '../contracts/roles.ts';
import type { DecisionChoice, InteractionState } from '../contracts/states.ts';
import { type Block, bold, plain, type Span, type Tone, type View } from '../contracts/view.ts';
import { type CardContext, person, whereSpans } from './card-context.ts';
import { decisionBody, reasonShown } from './decision-body.ts';
import { decisionControls } from './decision-controls.ts';
import { marked } from './error-view.ts';
import { deadline, moment } from './moments.ts';
import { cleanText, oneLine, shorten } from './neutralise.ts';
import { spansText } from './plain-text.ts';
import { isQuiet } from './quiet-hours.ts';
import type { RunView } from './run-view.ts';
import { duration } from './units.ts';

type Mentioned = readonly { user: string; name: string; notify?: Notify | undefined }[];

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
  /** Null: it waits however long that takes. */
  expiresAt: Date | null;
  remindedAt: Date | undefined;
  /** When people with a stronger role were asked besides, and those of them who are mentioned. */
  escalated?: { at: Date; to: Role; mention: Mentioned } | undefined;
  decidedAt: Date | undefined;
  decidedBy: { user: string; name: string } | undefined;
  decidedOn: Platform | undefined;
  reason: string | undefined;
  /** Which of several ways to say yes or no was taken. */
  choice?: DecisionChoice | undefined;
  /** Where several people must say yes: those who have, and how many are missing. */
  approvals?: readonly { user: string; name: string }[] | undefined;
  missing?: number | undefined;
  /** Which owners of files must still say yes, in words. */
  owners?: string | undefined;
  /** Answers to questions by their ids. */
  answers?: Readonly<Record<string, readonly string[]>> | undefined;
  /** Who may decide, in words ("Maintainers and owners can decide."), and those of them who are mentioned. */
  who: { text: string; mention: Mentioned };
}

/** The message that asks, and that later says who decided what. The whole action is shown or attached, never cut silently. */
export function decisionCard(facts: DecisionFacts, view: RunView, context: CardContext): View {
  const pending = facts.state === 'pending';
  const number = `#${context.task.number}`;
  const body = decisionBody(facts.action, context.task.number, view.result);
  const { heading, tone } = headingOf(facts);
  const items = fieldsOf(body.fields, facts);
  const blocks: Block[] = [
    { type: 'title', spans: [plain(`${number} ${pending ? body.asks : body.asked}`)], state: { text: heading, tone } },
    ...(pending ? [] : [{ type: 'text' as const, spans: outcome(facts, context) }, ...answers(facts)]),
    ...body.blocks,
    ...(items.length === 0 ? [] : [{ type: 'fields' as const, items }]),
    { type: 'context', spans: whereSpans(context, { ...view, sandbox: undefined }) },
    ...(pending
      ? [
          ...approvedSoFar(facts, context),
          { type: 'text' as const, spans: mentions(facts, context, facts.openedAt) },
          ...decisionControls(facts, view.run),
        ]
      : []),
  ];
  const approval = facts.action.type === 'command' || facts.action.type === 'tool' || facts.action.type === 'publish';
  const what = approval ? 'Approval' : 'Decision';
  const fallback = pending ? `${what} needed: ${number} ${body.says}` : `${number}: ${spansText(outcome(facts, context))}`;
  return { fallback, blocks, ...(body.files.length === 0 ? {} : { files: body.files }) };
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
    plain(` has waited ${since} for a decision. `),
    ...untilSpans(facts),
    ...mentions(facts, context, facts.remindedAt ?? context.now),
  ];
  return askedAgain(facts, spans, context);
}

/** Asks people with a stronger role besides; once it is decided, says that nothing is waited for any more. */
export function escalation(facts: DecisionFacts, escalated: NonNullable<DecisionFacts['escalated']>, context: CardContext): View {
  if (facts.state !== 'pending') return reminder(facts, context);
  const since = duration(escalated.at.getTime() - facts.openedAt.getTime());
  const spans = [
    bold(`#${context.task.number}`),
    plain(` has waited ${since} for a decision, so ${rolesFrom(escalated.to).toLowerCase()} are asked too. `),
    ...untilSpans(facts),
    ...mentions({ who: { text: facts.who.text, mention: escalated.mention } }, context, escalated.at),
  ];
  return askedAgain(facts, spans, context);
}

function askedAgain(facts: DecisionFacts, spans: Span[], context: CardContext): View {
  const blocks: Block[] = [
    { type: 'text', spans },
    ...approvedSoFar(facts, context),
    ...decisionControls(facts, context.run.run),
  ];
  return { fallback: spansText(spans), blocks };
}

function untilSpans({ expiresAt }: DecisionFacts): Span[] {
  if (expiresAt === null) return [plain('It waits on. ')];
  return [plain('It waits until '), deadline(expiresAt), plain(', then it counts as no. ')];
}

const needed = {
  command: 'approval needed',
  tool: 'approval needed',
  plan: 'plan to review',
  question: 'answer needed',
  spend: 'approval needed',
  quota: 'approval needed',
  publish: 'approval needed',
} as const;

function headingOf({ state, action, choice }: DecisionFacts): { heading: string; tone: Tone } {
  switch (state) {
    case 'pending':
      return { heading: needed[action.type], tone: 'waiting' };
    case 'approved':
      return { heading: 'approved', tone: 'good' };
    case 'answered':
      return { heading: 'answered', tone: 'good' };
    case 'denied':
      if (choice === 'revise') return { heading: 'to be revised', tone: 'neutral' };
      return { heading: action.type === 'question' ? 'not answered' : 'denied', tone: 'bad' };
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
      const by = deciders(facts, context);
      const where = facts.decidedOn === undefined ? '' : ` on ${platformNames[facts.decidedOn]}`;
      const reason = facts.reason === undefined ? [plain('.')] : [plain(`: ${cleanText(facts.reason)}`)];
      return [...by, plain(` ${didOf(facts)}${where}`), ...at, ...reason];
    }
    case 'expired':
      return [plain('Nobody decided in time, which counts as no'), ...at, plain('.')];
    case 'superseded':
      if (facts.action.type === 'publish')
        return [plain('The task goes on, so this is not its newest change'), ...at, plain('.')];
      return [plain('A newer request has replaced this one'), ...at, plain('.')];
    case 'cancelled':
      if (facts.action.type === 'publish') return [plain('The change was discarded before anybody decided'), ...at, plain('.')];
      return facts.action.type === 'command'
        ? [plain('The run ended before anybody decided'), ...at, plain('.')]
        : [plain('It is no longer needed: the agent went on without it, or its run ended'), ...at, plain('.')];
    case 'pending':
      return [];
  }
}

/** Whoever decided; all of them where several had to say yes. */
function deciders({ state, decidedBy, approvals = [] }: DecisionFacts, context: CardContext): Span[] {
  if (state === 'approved' && approvals.length > 1) return names(approvals, context);
  return [decidedBy === undefined ? plain('Somebody') : person(context, decidedBy)];
}

/** "Ada, Ben and Cem". */
function names(people: readonly { user: string; name: string }[], context: CardContext): Span[] {
  return people.flatMap((one, at) => {
    const before = at === 0 ? '' : at === people.length - 1 ? ' and ' : ', ';
    return before === '' ? [person(context, one)] : [plain(before), person(context, one)];
  });
}

/** Who has said yes already, while others must. */
function approvedSoFar({ approvals = [], missing = 0, owners }: DecisionFacts, context: CardContext): Block[] {
  if (approvals.length === 0) return [];
  return [
    { type: 'text', spans: [plain('✔ '), ...names(approvals, context), plain(` approved it. ${moreNeeded(missing, owners)}`)] },
  ];
}

/** What the person did, as a word after the name. */
function didOf({ state, action, choice }: DecisionFacts): string {
  if (state === 'answered') return 'answered';
  if (state === 'denied') {
    if (choice === 'revise') return 'asked for another plan';
    return action.type === 'question' ? 'gave no answer' : 'denied it';
  }
  switch (choice) {
    case 'task':
      return 'approved it for this task';
    case 'implement':
      return 'approved the plan';
    case 'implement_ask':
      return 'approved the plan, step by step,';
    case 'raise':
      if (action.type === 'quota') return `let it go on up to ${action.upTo}`;
      if (action.type !== 'spend') return 'approved it';
      return action.unpriced === undefined ? `raised the budget to ${dollars(action.raisedUsd)}` : 'let it go on without a limit';
    default:
      return 'approved it';
  }
}

/** What was answered. Own words of people are words like any other. */
function answers({ action, answers: given, state }: DecisionFacts): Block[] {
  if (action.type !== 'question' || given === undefined || state !== 'answered') return [];
  const items = action.questions.flatMap(({ id, header, text }) => {
    const said = given[id];
    if (said === undefined || said.length === 0) return [];
    const label = shorten(oneLine(header.trim() === '' ? text : header), 60);
    return [{ label: label === '' ? 'answer' : label, spans: [bold(said.map(cleanText).join(', '))] }];
  });
  return items.length === 0 ? [] : [{ type: 'fields', items }];
}

type Fields = Extract<Block, { type: 'fields' }>['items'];

function fieldsOf([first, ...others]: Fields, { action, risks, because, expiresAt, state }: DecisionFacts): Fields {
  const judged = action.type === 'command' || action.type === 'tool' || action.type === 'publish';
  return [
    ...(first === undefined ? [] : [first]),
    ...(judged ? [{ label: 'because', spans: [...said(action), ...marked(oneLine(because))] }] : []),
    ...(judged ? [{ label: 'risk', spans: [plain(risks.length === 0 ? 'none noticed' : risks.map(oneLine).join(', '))] }] : []),
    ...others,
    ...(state === 'pending'
      ? [
          {
            label: 'until',
            spans:
              expiresAt === null
                ? [plain('somebody decides')]
                : [
                    deadline(expiresAt),
                    plain(action.type === 'question' ? ', then it goes on without' : ', then it counts as no'),
                  ],
          },
        ]
      : []),
  ];
}

/** Why the agent says that it wants to: quoted, so that nobody takes its words for ours, and told apart from why it is asked about. */
function said(action: DecisionFacts['action']): Span[] {
  const words = action.type === 'tool' ? reasonShown(action) : undefined;
  return words === undefined ? [] : [plain(`"${words}", says the agent; asked about because `)];
}

/** Who may decide. Whoever wants direct messages, or had quiet hours when this was asked, is named without a ping. */
function mentions({ who }: Pick<DecisionFacts, 'who'>, context: CardContext, askedAt: Date): Span[] {
  const pings = (notify: Notify | undefined) => notify?.by !== 'direct' && !isQuiet(notify?.quiet, askedAt);
  return [...who.mention.flatMap((one) => [person(context, one, pings(one.notify)), plain(' ')]), plain(who.text)];
}
