import type { CheckRun, CommitStatus, Repository } from './model.ts';

/** What checks and statuses say about a commit. */

export type Outcome = 'success' | 'failure' | 'pending' | 'none';

export interface Verdict {
  /** Of everything together. */
  all: Outcome;
  /** Of one check or status context. */
  of(name: string): Outcome;
}

/** The newest check run of each suite and name. */
export function latestChecks(repository: Repository, sha: string): CheckRun[] {
  const latest = new Map<string, CheckRun>();
  for (const check of repository.checks.values()) {
    if (check.sha === sha) latest.set(`${repository.suites.get(check.suite)?.app} ${check.name}`, check);
  }
  return [...latest.values()];
}

/** The newest status of each context, newest first. */
export function latestStatuses(repository: Repository, sha: string): CommitStatus[] {
  const latest = new Map<string, CommitStatus>();
  for (const status of repository.statuses) if (status.sha === sha) latest.set(status.context, status);
  return [...latest.values()].reverse();
}

export function checkVerdict(repository: Repository, sha: string): Verdict {
  const checks = latestChecks(repository, sha).map((check) => [check.name, outcomeOfCheck(check)] as const);
  const statuses = latestStatuses(repository, sha).map((status) => [status.context, outcomeOfStatus(status)] as const);
  const all = [...checks, ...statuses];
  return {
    all: together(all.map(([, outcome]) => outcome)),
    of: (name) => together(all.filter(([entry]) => entry === name).map(([, outcome]) => outcome)),
  };
}

function together(outcomes: readonly Outcome[]): Outcome {
  if (outcomes.length === 0) return 'none';
  if (outcomes.includes('failure')) return 'failure';
  return outcomes.includes('pending') ? 'pending' : 'success';
}

function outcomeOfCheck({ status, conclusion }: CheckRun): Outcome {
  if (status !== 'completed') return 'pending';
  return conclusion === 'success' || conclusion === 'neutral' || conclusion === 'skipped' ? 'success' : 'failure';
}

function outcomeOfStatus({ state }: CommitStatus): Outcome {
  return state === 'error' ? 'failure' : state;
}
