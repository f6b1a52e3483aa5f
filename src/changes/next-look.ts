import type { PullFacts } from '../contracts/code-host.ts';

const second = 1000;
const minute = 60 * second;
const hour = 60 * minute;
const day = 24 * hour;

/** With webhooks a look is only for what a lost one would have told. */
const leastWithHooks = 10 * minute;

/**
 * How long until an open pull request is looked at again: soon while something is expected, seldom when nothing has happened for days. Null:
 * it is over, and only the code host can tell otherwise.
 */
export function nextLookIn(facts: PullFacts, input: { quietMs: number; hooks: boolean }): number | null {
  if (facts.state !== 'open') return null;
  // Nothing tells when the code host has found out whether it can be merged.
  if (facts.mergeable === 'unknown' && input.quietMs < hour) return input.quietMs < 2 * minute ? 3 * second : 20 * second;
  const soon = soonest(facts, input.quietMs);
  return input.hooks ? Math.max(soon, leastWithHooks) : soon;
}

function soonest({ checks }: PullFacts, quietMs: number): number {
  if (quietMs < hour && checks.some(({ state }) => state === 'pending')) return 20 * second;
  if (quietMs < hour) return minute;
  if (quietMs < day) return 5 * minute;
  return quietMs < 7 * day ? 30 * minute : 6 * hour;
}

/** After a look that failed: doubled each time, up to an hour. */
export function lookAfterFailure(failures: number): number {
  return Math.min(30 * second * 2 ** Math.min(failures, 10), hour);
}
