import { describe, expect, it, test } from 'vitest';
import { comparisonStateSchema } from '../../src/contracts/comparison.ts';
import { type ComparisonEvent, columnOfAttempts, columnOfEnded, comparisonTransition } from '../../src/tasks/comparison-state.ts';

describe('attempts side by side', () => {
  const events: ComparisonEvent[] = ['end_changed', 'end_unchanged', 'choose'];
  const ways = comparisonStateSchema.options.flatMap((state) =>
    events.flatMap((event) => {
      const transition = comparisonTransition(state, event);
      return transition.ok ? [`${state} ${event} ${transition.to}`] : [];
    }),
  );

  test('are compared once, and chosen from once, when one has changed something', () => {
    expect(ways).toEqual(['running end_changed open', 'running end_unchanged unchanged', 'open choose chosen']);
  });

  it('say why nothing can be chosen', () => {
    const reason = (state: 'running' | 'chosen' | 'unchanged') => comparisonTransition(state, 'choose');
    expect(reason('running')).toEqual({ ok: false, reason: 'not all of its attempts have ended' });
    expect(reason('chosen')).toEqual({ ok: false, reason: 'an attempt was chosen already' });
    expect(reason('unchanged')).toEqual({ ok: false, reason: 'none of its attempts has changed anything' });
  });

  it.each([
    [['queued', 'queued'], 'queued'],
    [['queued', 'executing', 'awaiting'], 'running'],
    [['succeeded', 'finishing'], 'running'],
    [['awaiting', 'queued', 'failed'], 'blocked'],
    [['cancelled', 'queued'], 'queued'],
    [['succeeded', 'cancelled'], undefined],
  ] as const)('with runs %j put their task into %s', (states, column) => {
    expect(columnOfAttempts(states)).toBe(column);
  });

  it.each([
    [['failed', 'cancelled'], true, 'review'],
    [['succeeded', 'failed'], false, 'done'],
    [['cancelled', 'cancelled'], false, 'cancelled'],
    [['cancelled', 'timed_out'], false, 'backlog'],
  ] as const)('that ended as %j, changed: %s, put their task into %s', (outcomes, changed, column) => {
    expect(columnOfEnded(outcomes, changed)).toBe(column);
  });
});
