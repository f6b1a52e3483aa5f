import { expect, test } from 'vitest';
import { type PublicationState, type PublishWhat, publicationStateSchema } from '../../src/contracts/publication.ts';
import { type PublicationEvent, publicationTransition, retryDelay } from '../../src/tasks/publish-state.ts';

const events: PublicationEvent[] = ['begin', 'arrive', 'open', 'opened', 'wait', 'fail'];
const none = '-';

/** What each event leads to, in the order of `events`. */
const tables: Record<'branch' | 'pull request', { what: PublishWhat[]; rows: Record<PublicationState, string[]> }> = {
  branch: {
    what: ['push'],
    rows: {
      pending: ['pushing', none, none, none, 'pending', 'failed'],
      pushing: ['pushing', 'done', none, none, 'pushing', 'failed'],
      pushed: [none, none, none, none, none, none],
      opening: [none, none, none, none, none, none],
      done: [none, none, none, none, none, none],
      failed: [none, none, none, none, none, none],
    },
  },
  'pull request': {
    what: ['pull_request', 'draft'],
    rows: {
      pending: ['pushing', none, none, none, 'pending', 'failed'],
      pushing: ['pushing', 'pushed', none, none, 'pushing', 'failed'],
      pushed: [none, none, 'opening', none, 'pushed', 'failed'],
      opening: [none, none, 'opening', 'done', 'opening', 'failed'],
      done: [none, none, none, none, none, none],
      failed: [none, none, none, none, none, none],
    },
  },
};

test.each(Object.entries(tables))('the publication of a %s goes only the ways of its table', (_, { what: kinds, rows }) => {
  for (const what of kinds) {
    for (const state of publicationStateSchema.options) {
      const found = events.map((event) => {
        const transition = publicationTransition(state, event, what);
        return transition.ok ? transition.to : none;
      });
      expect({ state, found }).toEqual({ state, found: rows[state] });
    }
  }
});

test('every refusal says why', () => {
  for (const state of publicationStateSchema.options) {
    for (const event of events) {
      const transition = publicationTransition(state, event, 'pull_request');
      if (!transition.ok) expect(transition.reason).toMatch(/^\w/);
    }
  }
});

test('tries come further and further apart, and end within hours', () => {
  const waits: number[] = [];
  for (let attempts = 1; ; attempts += 1) {
    const wait = retryDelay(attempts);
    if (wait === undefined) break;
    waits.push(wait);
  }
  expect(waits.slice(0, 4)).toEqual([5_000, 10_000, 20_000, 40_000]);
  expect(waits).toEqual(waits.toSorted((one, other) => one - other));
  const hours = waits.reduce((sum, wait) => sum + wait, 0) / 3_600_000;
  expect(hours).toBeGreaterThan(1);
  expect(hours).toBeLessThan(6);
});
