import { type OutboxPut, priorities } from '../contracts/outbox.ts';
import { isTerminal } from '../contracts/states.ts';
import { withAllowedLinks } from './allowed-links.ts';
import type { CardContext } from './card-context.ts';
import { compareCard } from './compare-card.ts';
import { type DecisionFacts, decisionCard, escalation, reminder } from './decision-card.ts';
import { endCard, pingsAtEnd } from './end-card.ts';
import { liveCard } from './live-card.ts';
import type { RunView } from './run-view.ts';

/** A run with everything its cards show, one context per thread of its task. */
export interface CardInput {
  workspace: string;
  view: RunView;
  decisions: readonly DecisionFacts[];
  contexts: readonly CardContext[];
}

/**
 * Every message that a run has in the threads of its task, as they must look now. Pure. `progress`: nothing but output is new, so that
 * it may wait longer than what people act on.
 */
export function runCards(input: CardInput, progress: boolean): OutboxPut[] {
  const { view } = input;
  return input.contexts.flatMap((context) => {
    const live = shows(context, `live:${view.run}`, isTerminal(view.state) ? view.endedAt : undefined);
    return [
      ...(live
        ? [
            put(input, context, `live:${view.run}`, liveCard(view, context), {
              anchor: opens(context),
              priority: progress ? priorities.progress : priorities.card,
            }),
          ]
        : []),
      ...input.decisions.flatMap((facts) => decisionCards(input, facts, context)),
      ...endCards(input, context, !live && opens(context)),
      ...compareCards(input, context),
    ];
  });
}

/** The end cards alone, for a run that a later one has followed. */
export function endCardsOf(input: CardInput): OutboxPut[] {
  return input.contexts.flatMap((context) => [...endCards(input, context, false), ...compareCards(input, context)]);
}

/** Of several attempts that begin at once only the first opens a thread. */
function opens({ run: { among } }: CardContext): boolean {
  return among === undefined || among.variant === 1;
}

function compareCards(input: CardInput, context: CardContext): OutboxPut[] {
  const { view } = input;
  const { compared } = view.change;
  const { attempt, newest } = context.run;
  const name = `compare:${view.run}`;
  if (compared === undefined || !shows(context, name, newest > attempt ? view.endedAt : undefined)) return [];
  const card = compareCard(view, compared, context, pingsAtEnd(view, context));
  return [put(input, context, name, card, { priority: priorities.final })];
}

function decisionCards(input: CardInput, facts: DecisionFacts, context: CardContext): OutboxPut[] {
  // What was decided by the press that asked for it was never a question.
  if (facts.action.type === 'publish' && !input.view.interactions.some(({ id }) => id === facts.id)) return [];
  const priority = priorities.decision;
  const over = facts.state === 'pending' ? undefined : (facts.decidedAt ?? facts.openedAt);
  return [
    ...(shows(context, `decision:${facts.id}`, over)
      ? [put(input, context, `decision:${facts.id}`, decisionCard(facts, input.view, context), { priority })]
      : []),
    ...(facts.remindedAt !== undefined && shows(context, `remind:${facts.id}`, facts.remindedAt)
      ? [put(input, context, `remind:${facts.id}`, reminder(facts, context), { priority })]
      : []),
    ...(facts.escalated !== undefined && shows(context, `escalate:${facts.id}`, facts.escalated.at)
      ? [put(input, context, `escalate:${facts.id}`, escalation(facts, facts.escalated, context), { priority })]
      : []),
  ];
}

/** `anchor`: the thread has no live card of the run, so that its end opens the thread. */
function endCards(input: CardInput, context: CardContext, anchor: boolean): OutboxPut[] {
  const { view } = input;
  if (view.result === undefined || !isTerminal(view.state)) return [];
  const { attempt, newest } = context.run;
  if (!shows(context, `end:${view.run}`, newest > attempt ? view.endedAt : undefined)) return [];
  return [put(input, context, `end:${view.run}`, endCard(view, context), { priority: priorities.final, anchor })];
}

/**
 * Whether a thread shows a card. One that follows the task from the start shows all; a mirror what it has, and what was not over
 * (`overAt`) when it began. What it has counts first: clocks of two machines differ, and a card must never be left as it was.
 */
function shows({ thread }: CardContext, name: string, overAt: Date | undefined): boolean {
  const { mirror } = thread;
  return mirror === undefined || overAt === undefined || overAt >= mirror.since || mirror.keys.has(`${name}:${thread.thread}`);
}

function put(
  { workspace }: CardInput,
  { thread, task }: CardContext,
  name: string,
  view: Extract<OutboxPut['payload'], { type: 'message' }>['view'],
  options: { priority: OutboxPut['priority']; anchor?: boolean },
): OutboxPut {
  return {
    workspace,
    key: `${name}:${thread.thread}`,
    target: { type: 'thread', thread: thread.thread, anchor: options.anchor === true },
    payload: { type: 'message', view: withAllowedLinks(view, task.links ?? []) },
    priority: options.priority,
  };
}
