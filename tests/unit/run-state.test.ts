import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isTerminal, type RunOutcome, type RunState } from '../../src/contracts/states.ts';
import { type RunEventName, runTransition } from '../../src/tasks/run-state.ts';

const no = undefined;
type Row = Record<RunEventName, RunState | undefined>;

const nowhere: Row = {
  claim: no,
  park: no,
  approve: no,
  plan: no,
  execute: no,
  wait: no,
  collect: no,
  succeeded: no,
  failed: no,
  cancelled: no,
  timed_out: no,
  interrupted: no,
};
const breaks = { failed: 'failed', cancelled: 'cancelled', timed_out: 'timed_out', interrupted: 'interrupted' } as const;
const expected: Record<RunState, Row> = {
  queued: { ...nowhere, claim: 'preparing', park: 'awaiting', cancelled: 'cancelled' },
  awaiting: { ...nowhere, ...breaks, approve: 'queued', plan: 'planning', execute: 'executing', collect: 'finishing' },
  // To finishing without having executed: a rebase.
  preparing: { ...nowhere, ...breaks, park: 'awaiting', plan: 'planning', execute: 'executing', collect: 'finishing' },
  planning: { ...nowhere, ...breaks, park: 'awaiting', wait: 'awaiting', execute: 'executing', collect: 'finishing' },
  executing: { ...nowhere, ...breaks, plan: 'planning', wait: 'awaiting', collect: 'finishing' },
  finishing: { ...nowhere, ...breaks, succeeded: 'succeeded' },
  succeeded: nowhere,
  failed: nowhere,
  cancelled: nowhere,
  timed_out: nowhere,
  interrupted: nowhere,
};
const events = Object.keys(nowhere) as RunEventName[];

describe('the states of a run', () => {
  for (const [state, row] of Object.entries(expected) as [RunState, Row][]) {
    for (const [event, to] of Object.entries(row) as [RunEventName, RunState | undefined][]) {
      it(`${state} with ${event} ${to === undefined ? 'is refused with a reason' : `becomes ${to}`}`, () => {
        const transition = runTransition(state, event);
        if (to === undefined) expect(transition).toEqual({ ok: false, reason: expect.stringMatching(/^\w.{5,}/) });
        else expect(transition).toEqual({ ok: true, to });
      });
    }
  }

  it('whatever happens, a run ends at most once and only by the event of its outcome', () => {
    fc.assert(
      fc.property(fc.array(fc.constantFrom(...events), { maxLength: 40 }), (happened) => {
        let state: RunState = 'queued';
        const ends: RunOutcome[] = [];
        for (const event of happened) {
          const transition = runTransition(state, event);
          if (!transition.ok) continue;
          state = transition.to;
          if (isTerminal(state)) {
            ends.push(state);
            expect(event).toBe(state);
          }
        }
        expect(ends.length).toBeLessThanOrEqual(1);
      }),
    );
  });

  it('promise 7: nothing executes that did not pass preparing, where it is authorised', () => {
    for (const state of Object.keys(expected) as RunState[]) {
      for (const event of events) {
        const transition = runTransition(state, event);
        if (transition.ok && transition.to === 'executing')
          // From awaiting only with a runner: the engine's tests show that a parked run is claimed first.
          expect(['preparing', 'planning', 'awaiting']).toContain(state);
      }
    }
  });
});
