import { expect, it } from 'vitest';
import { lookAfterFailure, nextLookIn } from '../../src/changes/next-look.ts';
import type { PullFacts } from '../../src/contracts/code-host.ts';

const facts = (more: Partial<PullFacts> = {}): PullFacts => ({
  number: 1,
  url: 'https://github.com/acme/web/pull/1',
  title: 'Fix',
  state: 'open',
  draft: false,
  head: { branch: 'fix', commit: 'a'.repeat(40) },
  base: 'main',
  mergeable: 'clean',
  checks: [],
  reviews: [],
  ...more,
});
const minute = 60_000;
const pending = facts({ checks: [{ name: 'test', state: 'pending' }] });

it.each([
  ['over: never', facts({ state: 'merged' }), 0, false, null],
  ['not known yet whether it can be merged: soon, also with webhooks', facts({ mergeable: 'unknown' }), 1000, true, 3000],
  ['still not known after a while', facts({ mergeable: 'unknown' }), 10 * minute, true, 20_000],
  ['checks run', pending, minute, false, 20_000],
  ['checks run, and their end is told', pending, minute, true, 10 * minute],
  ['something has just happened', facts(), minute, false, minute],
  ['nothing for hours', facts(), 120 * minute, false, 5 * minute],
  ['nothing for days', facts(), 3 * 24 * 60 * minute, false, 30 * minute],
  ['forgotten', facts({ mergeable: 'unknown' }), 30 * 24 * 60 * minute, true, 6 * 60 * minute],
])('%s', (_name, pull, quietMs, hooks, expected) => {
  expect(nextLookIn(pull, { quietMs, hooks })).toBe(expected);
});

it('looks that fail become rare', () => {
  expect([0, 1, 2, 50].map(lookAfterFailure)).toEqual([30_000, minute, 2 * minute, 60 * minute]);
});
