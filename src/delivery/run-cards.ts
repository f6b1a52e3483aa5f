import { type OutboxPut, priorities } from '../contracts/outbox.ts';
import { isTerminal } from '../contracts/states.ts';
import type { CardContext } from './card-context.ts';
import { type DecisionFacts, decisionCard, reminder } from './decision-card.ts';
import { endCard } from './end-card.ts';
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
  return input.contexts.flatMap((context) => [
    put(input, context, `live:${input.view.run}`, liveCard(input.view, context), {
      anchor: true,
      priority: progress ? priorities.progress : priorities.card,
    }),
    ...input.decisions.flatMap((facts) => [
      put(input, context, `decision:${facts.id}`, decisionCard(facts, input.view, context), { priority: priorities.decision }),
      ...(facts.remindedAt === undefined
        ? []
        : [put(input, context, `remind:${facts.id}`, reminder(facts, context), { priority: priorities.decision })]),
    ]),
    ...endCards(input, context),
  ]);
}

/** The end cards alone, for a run that a later one has followed. */
export function endCardsOf(input: CardInput): OutboxPut[] {
  return input.contexts.flatMap((context) => endCards(input, context));
}

function endCards(input: CardInput, context: CardContext): OutboxPut[] {
  const { view } = input;
  if (view.result === undefined || !isTerminal(view.state)) return [];
  return [put(input, context, `end:${view.run}`, endCard(view, context), { priority: priorities.final })];
}

function put(
  { workspace }: CardInput,
  { thread }: CardContext,
  name: string,
  view: Extract<OutboxPut['payload'], { type: 'message' }>['view'],
  options: { priority: OutboxPut['priority']; anchor?: boolean },
): OutboxPut {
  return {
    workspace,
    key: `${name}:${thread.thread}`,
    target: { type: 'thread', thread: thread.thread, anchor: options.anchor === true },
    payload: { type: 'message', view },
    priority: options.priority,
  };
}
