import { expect, test } from 'vitest';
import { beyondOf, estimateOf } from '../../src/budgets/estimate.ts';
import type { PastWork } from '../../src/contracts/estimate.ts';
import type { Quota, Standing } from '../../src/contracts/quotas.ts';
import { estimateText } from '../../src/delivery/agent-words.ts';

const about = { of: 'tasks', like: 'model' } as const;
const past = (...costs: (number | null)[]): PastWork[] =>
  costs.map((costUsd, at) => ({ costUsd, tokens: (at + 1) * 1000, ms: (at + 1) * 60_000 }));

test('fewer than five tasks tell nothing; from five on the middle and what nine of ten do not go beyond are told', () => {
  expect(estimateOf([], about)).toBeUndefined();
  expect(estimateOf(past(1, 2, 3, 4), about)).toBeUndefined();
  expect(estimateOf(past(5, 1, 4, 2, 3), about)).toEqual({
    tasks: 5,
    ...about,
    costUsd: { usual: 3, high: 5 },
    tokens: { usual: 3000, high: 5000 },
    ms: { usual: 180_000, high: 300_000 },
  });
  // One that was far dearer than all others moves neither.
  expect(estimateOf(past(1, 1, 1, 1, 1, 1, 1, 1, 1, 900), about)?.costUsd).toEqual({ usual: 1, high: 1 });
});

test('what had no known price is not told as free', () => {
  expect(estimateOf(past(1, null, null, 2, null), about)?.costUsd).toBeUndefined();
  expect(estimateOf(past(1, null, 3, 2, 4, 5), about)).toMatchObject({ tasks: 6, costUsd: { usual: 3 } });
});

test('it is one sentence', () => {
  const estimate = estimateOf(past(0.18, 0.18, 0.18, 0.6, 0.6), about) ?? expect.unreachable();
  expect(estimateText(estimate, 'codex')).toBe(
    'Tasks like this usually take 3m, $0.18 and 3k tokens; nine of ten stay within 5m, $0.60 and 5k (as the last 5 of codex in this project, with the same model).',
  );
  expect(estimateText({ ...estimate, costUsd: undefined, of: 'runs', like: 'agent' }, 'codex')).toBe(
    'Further runs like this usually take 3m and 3k tokens; nine of ten stay within 5m and 5k (as the last 5 of codex in this project, with any model).',
  );
});

test('more than a budget or a quota has left is told, the tightest first; what another measure has left is not', () => {
  const estimate = estimateOf(past(1, 2, 3, 4, 5), about) ?? expect.unreachable();
  const standing = (measure: Quota['measure'], limit: number, used: number): Standing => ({
    quota: { id: measure, workspace: 'w', scope: 'project', subject: 'p', measure, per: 'day', limit },
    used,
    extra: 0,
    since: new Date(0),
  });
  expect(beyondOf(estimate, null, [])).toEqual([]);
  expect(beyondOf(estimate, 3, [standing('cost', 10, 7), standing('tokens', 1e6, 0), standing('requests', 1, 1)])).toEqual([]);
  const all = beyondOf(estimate, 2.5, [standing('cost', 10, 9), standing('tokens', 5000, 4999), standing('wall', 1000, 4000)]);
  expect(all.map(({ measure, left }) => [measure, left])).toEqual([
    ['wall', 0],
    ['tokens', 1],
    ['cost', 1],
    ['cost', 2.5],
  ]);
});
