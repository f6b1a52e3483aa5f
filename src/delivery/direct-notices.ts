import { type OutboxPut, priorities } from '../contracts/outbox.ts';
import type { IdentityRef } from '../contracts/platform.ts';
import type { View } from '../contracts/view.ts';
import type { CardContext } from './card-context.ts';
import { compareCard } from './compare-card.ts';
import { type DecisionFacts, decisionCard, reminder } from './decision-card.ts';
import { endCard } from './end-card.ts';
import { isQuiet } from './quiet-hours.ts';
import type { CardInput } from './run-cards.ts';

/** Somebody who wants direct messages, and where they get them. */
export interface DirectPerson {
  user: string;
  account: IdentityRef;
  /** A thread of the task in which others are too. */
  thread?: string | undefined;
  notify: CardContext['task']['requester']['notify'];
}

/** Whom direct messages about a run go to. */
export interface DirectFacts {
  /** By decision: those who may decide it while it waits, and whoever was sent it before. */
  decisions: ReadonlyMap<string, readonly DirectPerson[]>;
  /** Rows there are: what was sent is kept up to date, whoever it would go to now. */
  sent: ReadonlySet<string>;
  /** Who asked for the run, when they want a direct message and the task is in none. */
  requester: DirectPerson | undefined;
}

/** Names of the outbox rows. */
export const noticeKey = {
  decision: (interaction: string, user: string) => `tell:${interaction}:${user}`,
  reminder: (interaction: string, user: string) => `tell-again:${interaction}:${user}`,
  end: (run: string, user: string) => `tell-end:${run}:${user}`,
};

/**
 * The direct messages that a run makes: requests for a decision, which later say what was decided, and its end. Pure. What falls into the
 * quiet hours of a person is left out: it is told at their end.
 */
export function directNotices(input: CardInput, direct: DirectFacts): OutboxPut[] {
  const [first] = input.contexts;
  if (first === undefined) return [];
  const context = (person: DirectPerson): CardContext => ({
    ...first,
    thread: { ...first.thread, platform: person.account.platform, accounts: new Map(), mirror: undefined },
  });
  const decisions = input.decisions.flatMap((facts) =>
    (direct.decisions.get(facts.id) ?? []).flatMap((person) => ofDecision(input, facts, person, direct.sent, context(person))),
  );
  const { view } = input;
  const { requester } = direct;
  if (requester === undefined || view.result === undefined || view.endedAt === undefined) return decisions;
  if (isQuiet(requester.notify?.quiet, view.endedAt)) return decisions;
  const key = noticeKey.end(view.run, requester.user);
  const card = endOf(view, context(requester));
  return card === undefined ? decisions : [...decisions, put(input, requester, key, card, false)];
}

/** Of several attempts people are told once, when all have ended. */
function endOf(view: CardInput['view'], context: CardContext): View | undefined {
  if (context.run.among === undefined) return endCard(view, context);
  const { compared } = view.change;
  return compared === undefined ? undefined : compareCard(view, compared, context);
}

function ofDecision(
  input: CardInput,
  facts: DecisionFacts,
  person: DirectPerson,
  sent: ReadonlySet<string>,
  context: CardContext,
): OutboxPut[] {
  const quiet = person.notify?.quiet;
  const asks = (at: Date) => facts.state === 'pending' && !isQuiet(quiet, at);
  const key = noticeKey.decision(facts.id, person.user);
  const again = noticeKey.reminder(facts.id, person.user);
  const { remindedAt } = facts;
  return [
    ...(sent.has(key) || asks(facts.openedAt) ? [put(input, person, key, decisionCard(facts, input.view, context), true)] : []),
    ...(remindedAt !== undefined && (sent.has(again) || asks(remindedAt))
      ? [put(input, person, again, reminder(facts, context), true)]
      : []),
  ];
}

function put({ workspace }: CardInput, { account, thread }: DirectPerson, key: string, view: View, follows: boolean): OutboxPut {
  const { platform, tenant, user } = account;
  return {
    workspace,
    key,
    target: { type: 'conversation', conversation: { platform, tenant, channel: user, kind: 'direct' } },
    payload: {
      type: 'direct',
      user: account,
      view,
      ...(follows ? { follows: true as const } : {}),
      ...(thread === undefined ? {} : { thread }),
    },
    priority: follows ? priorities.decision : priorities.final,
  };
}
