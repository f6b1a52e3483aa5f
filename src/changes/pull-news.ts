import type { PullFacts } from '../contracts/code-host.ts';
import type { PullNews } from '../contracts/pull-news.ts';

/** More failed checks than anybody reads in a message. */
const namesShown = 5;

export type ChecksVerdict = 'none' | 'pending' | 'passed' | 'failed';

/** One word for all checks: a failure is known before the others have ended. */
export function checksVerdict({ checks }: Pick<PullFacts, 'checks'>): ChecksVerdict {
  if (checks.some(({ state }) => state === 'failed')) return 'failed';
  if (checks.some(({ state }) => state === 'pending')) return 'pending';
  return checks.some(({ state }) => state === 'passed') ? 'passed' : 'none';
}

/**
 * What has happened to a pull request between two looks at it. `ours`: commits that Deckhand has pushed. However often and in whatever
 * order looks come, the same difference is told once: what is compared is what was stored last.
 */
export function pullNews(before: PullFacts, after: PullFacts, ours: ReadonlySet<string>): PullNews[] {
  if (after.state === 'merged') {
    return before.state === 'merged'
      ? []
      : [{ type: 'merged', ...(after.mergeCommit === undefined ? {} : { commit: after.mergeCommit }) }];
  }
  if (after.state === 'closed') return before.state === 'closed' ? [] : [{ type: 'closed' }];
  return [
    ...stateNews(before, after),
    ...pushNews(before, after, ours),
    ...reviewNews(before, after),
    ...checkNews(before, after),
    ...(isReady(after) && !(isReady(before) && before.head.commit === after.head.commit) ? [{ type: 'mergeable' } as const] : []),
  ];
}

/**
 * The facts with what was known before: each time the base moves on, the code host has to find out anew whether it can be merged, and says for
 * a while that it does not know. That it conflicts still is no news then.
 */
export function remembering(before: PullFacts, after: PullFacts): PullFacts {
  const same = before.head.commit === after.head.commit && before.base === after.base && before.state === after.state;
  const mergeableBefore = mergeableOf(before);
  return !same || after.mergeable !== 'unknown' || mergeableBefore === 'unknown' ? after : { ...after, mergeableBefore };
}

/** Whether it can be merged, as far as the code host has ever found out. */
export function mergeableOf({ mergeable, mergeableBefore }: PullFacts): PullFacts['mergeable'] {
  return mergeable === 'unknown' ? (mergeableBefore ?? mergeable) : mergeable;
}

/** Whether a merge is worth offering; the code host has the last word. */
export function isMergeable(pull: PullFacts): boolean {
  const verdict = checksVerdict(pull);
  return pull.state === 'open' && !pull.draft && mergeableOf(pull) === 'clean' && verdict !== 'failed' && verdict !== 'pending';
}

/** It can be merged, and people or checks have said that it should: where nobody has looked, that it could be is no news. */
function isReady(pull: PullFacts): boolean {
  const isGood = checksVerdict(pull) === 'passed' || pull.reviews.some(({ verdict }) => verdict === 'approved');
  return isGood && isMergeable(pull);
}

function stateNews(before: PullFacts, after: PullFacts): PullNews[] {
  return [
    ...(before.state === 'open' ? [] : [{ type: 'reopened' } as const]),
    ...(before.draft && !after.draft ? [{ type: 'ready' } as const] : []),
    ...(mergeableOf(before) !== 'conflict' && mergeableOf(after) === 'conflict'
      ? [{ type: 'conflict', base: after.base } as const]
      : []),
  ];
}

function pushNews(before: PullFacts, { head }: PullFacts, ours: ReadonlySet<string>): PullNews[] {
  return before.head.commit === head.commit || ours.has(head.commit) ? [] : [{ type: 'pushed', commit: head.commit }];
}

function reviewNews(before: PullFacts, after: PullFacts): PullNews[] {
  const known = new Map(before.reviews.map(({ by, verdict }) => [by, verdict]));
  const reviews = after.reviews.filter(({ by, verdict }) => known.get(by) !== verdict);
  const told: PullNews[] = reviews.map(({ by, verdict }) => ({ type: 'review', by, verdict }));
  // A review that asks for changes brings its comments along.
  const more = (after.comments ?? 0) - (before.comments ?? 0);
  return more > 0 && told.length === 0 ? [{ type: 'comments', count: more }] : told;
}

function checkNews(before: PullFacts, after: PullFacts): PullNews[] {
  const verdict = checksVerdict(after);
  if (verdict === 'none' || verdict === 'pending') return [];
  const same = before.head.commit === after.head.commit;
  if (same && checksVerdict(before) === verdict) return [];
  const failed = after.checks.filter(({ state }) => state === 'failed').map(({ name }) => name);
  return [{ type: 'checks', state: verdict, failed: failed.slice(0, namesShown) }];
}
