import type { Endpoints } from '@octokit/types';
import type { Check, PullFacts, Review } from '../../src/contracts/code-host.ts';

export type PullAnswer = Endpoints['GET /repos/{owner}/{repo}/pulls/{pull_number}']['response']['data'];
export type CheckRun = Endpoints['GET /repos/{owner}/{repo}/commits/{ref}/check-runs']['response']['data']['check_runs'][number];
export type Status = Endpoints['GET /repos/{owner}/{repo}/commits/{ref}/status']['response']['data']['statuses'][number];
export type ReviewAnswer = Endpoints['GET /repos/{owner}/{repo}/pulls/{pull_number}/reviews']['response']['data'][number];

/** Puts together what several requests told. Pure. */
export function pullFacts(
  pull: PullAnswer,
  {
    checkRuns,
    statuses,
    reviews,
  }: { checkRuns: readonly CheckRun[]; statuses: readonly Status[]; reviews: readonly ReviewAnswer[] },
): PullFacts {
  const merged = pull.merged_at !== null;
  return {
    number: pull.number,
    url: pull.html_url,
    title: pull.title,
    state: merged ? 'merged' : pull.state === 'open' ? 'open' : 'closed',
    draft: pull.draft === true,
    head: {
      branch: pull.head.ref,
      commit: pull.head.sha,
      ...(pull.head.repo?.id === pull.base.repo.id ? {} : { elsewhere: true }),
    },
    base: pull.base.ref,
    mergeable: mergeableOf(pull),
    checks: [...checkRuns.map(checkOfRun), ...statuses.map(checkOfStatus)],
    reviews: verdicts(reviews, pull.user?.login),
    comments: pull.comments + pull.review_comments,
    ...(merged && pull.merge_commit_sha !== null ? { mergeCommit: pull.merge_commit_sha } : {}),
  };
}

/** `mergeable_state` is not in the documentation of REST; it is MergeStateStatus of GraphQL in small letters. */
function mergeableOf({ mergeable_state: state, mergeable }: PullAnswer): PullFacts['mergeable'] {
  switch (state) {
    case 'clean':
    case 'has_hooks':
    // Checks that are not required have failed or run: it can be merged.
    case 'unstable':
      return 'clean';
    case 'dirty':
      return 'conflict';
    case 'behind':
      return 'behind';
    case 'blocked':
    case 'draft':
      return 'blocked';
    default:
      return mergeable === false ? 'conflict' : 'unknown';
  }
}

function checkOfRun({ name, status, conclusion, html_url }: CheckRun): Check {
  const url = html_url === null ? {} : { url: html_url };
  if (status !== 'completed') return { name, state: 'pending', ...url };
  if (conclusion === 'success') return { name, state: 'passed', ...url };
  return { name, state: hasFailed(conclusion) ? 'failed' : 'neutral', ...url };
}

/** Cancelled, skipped, stale and neutral say nothing about the change. */
export function hasFailed(conclusion: string | null): boolean {
  return (
    conclusion === 'failure' || conclusion === 'timed_out' || conclusion === 'action_required' || conclusion === 'startup_failure'
  );
}

function checkOfStatus({ context, state, target_url }: Status): Check {
  const verdict = state === 'success' ? 'passed' : state === 'pending' ? 'pending' : 'failed';
  return { name: context, state: verdict, ...(target_url === null ? {} : { url: target_url }) };
}

const verdictOf: Readonly<Record<string, Review['verdict']>> = {
  APPROVED: 'approved',
  CHANGES_REQUESTED: 'changes_requested',
  COMMENTED: 'commented',
  DISMISSED: 'dismissed',
};

/** The last word of each reviewer. A comment after a verdict does not take it back, and what an author says is no review. */
function verdicts(reviews: readonly ReviewAnswer[], author: string | undefined): Review[] {
  const last = new Map<string, Review>();
  for (const { user, state } of reviews) {
    const verdict = verdictOf[state];
    if (user === null || verdict === undefined || user.login === author) continue;
    if (verdict === 'commented' && last.has(user.login)) continue;
    last.set(user.login, { by: user.login, verdict });
  }
  return [...last.values()];
}
