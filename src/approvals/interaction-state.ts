import type { InteractionState } from '../contracts/states.ts';

/**
 * What a request for a decision may become. Everything but `pending` is final.
 *
 *                  +--> approved     a person with the right said yes
 *                  +--> denied       … said no
 *      pending ----+--> answered     a question was answered (agents)
 *                  +--> expired      nobody decided in time: counts as no
 *                  +--> superseded   what would run has changed: asked anew
 *                  +--> cancelled    the run ended first
 *
 * An approval is used up by `consumedAt`, beside the state: once, by the run it was given for.
 */
export type InteractionEventName = 'approve' | 'deny' | 'answer' | 'expire' | 'supersede' | 'cancel';

export type InteractionTransition = { ok: true; to: InteractionState } | { ok: false; reason: string };

type Row = Record<InteractionEventName, { to: InteractionState } | string>;

function closed(reason: string): Row {
  return { approve: reason, deny: reason, answer: reason, expire: reason, supersede: reason, cancel: reason };
}

/** Every state with every event: a new state or the reason why not. */
const table: Record<InteractionState, Row> = {
  pending: {
    approve: { to: 'approved' },
    deny: { to: 'denied' },
    answer: { to: 'answered' },
    expire: { to: 'expired' },
    supersede: { to: 'superseded' },
    cancel: { to: 'cancelled' },
  },
  approved: closed('it is approved'),
  denied: closed('it is denied'),
  answered: closed('it is answered'),
  expired: closed('the time for it is over'),
  superseded: closed('it was asked anew'),
  cancelled: closed('the run ended before'),
};

export function interactionTransition(state: InteractionState, event: InteractionEventName): InteractionTransition {
  const cell = table[state][event];
  return typeof cell === 'string' ? { ok: false, reason: cell } : { ok: true, to: cell.to };
}
