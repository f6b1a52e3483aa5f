import { describe, expect, it } from 'vitest';
import { type InteractionEventName, interactionTransition } from '../../src/approvals/interaction-state.ts';
import type { InteractionState } from '../../src/contracts/states.ts';

type Row = Record<InteractionEventName, InteractionState | undefined>;
const closed: Row = {
  approve: undefined,
  deny: undefined,
  answer: undefined,
  expire: undefined,
  supersede: undefined,
  cancel: undefined,
};
const expected: Record<InteractionState, Row> = {
  pending: {
    approve: 'approved',
    deny: 'denied',
    answer: 'answered',
    expire: 'expired',
    supersede: 'superseded',
    cancel: 'cancelled',
  },
  approved: closed,
  denied: closed,
  answered: closed,
  expired: closed,
  superseded: closed,
  cancelled: closed,
};

describe('the states of a request for a decision', () => {
  for (const [state, row] of Object.entries(expected) as [InteractionState, Row][]) {
    for (const [event, to] of Object.entries(row) as [InteractionEventName, InteractionState | undefined][]) {
      it(`${state} with ${event} ${to === undefined ? 'is refused with a reason' : `becomes ${to}`}`, () => {
        const transition = interactionTransition(state, event);
        if (to === undefined) expect(transition).toEqual({ ok: false, reason: expect.stringMatching(/^\w.{5,}/) });
        else expect(transition).toEqual({ ok: true, to });
      });
    }
  }
});
