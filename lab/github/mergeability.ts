import { hasRole, roleOf } from './access.ts';
import { checkVerdict, type Verdict } from './check-verdict.ts';
import { distance } from './commits.ts';
import { type Core, fullName } from './core.ts';
import { authored, GitFailed, git } from './git.ts';
import type { Issue, Pull, Repository, Review } from './model.ts';

/** Whether a pull request can be merged: by git, and by the rules of its base. */

export type MergeState = 'unknown' | 'dirty' | 'draft' | 'blocked' | 'behind' | 'unstable' | 'clean';

const running = new WeakMap<Pull, Promise<void>>();

export function baseTip(repository: Repository, pull: Pull): string | undefined {
  return repository.refs.get(`refs/heads/${pull.baseRef}`);
}

function keyOf(repository: Repository, pull: Pull): string {
  return `${baseTip(repository, pull) ?? ''}:${pull.headSha}`;
}

/** What is known now; undefined: nothing yet. */
export function knownMergeability(repository: Repository, issue: Issue): boolean | undefined {
  const { pull } = issue;
  if (!pull || issue.state !== 'open' || pull.mergeability?.key !== keyOf(repository, pull)) return undefined;
  return pull.mergeability.isClean;
}

/** Asks git, once for every pair of base and head. Who looks at a pull request starts this, as at GitHub, and sees `null` until it is done. */
export async function computeMergeability(core: Core, repository: Repository, issue: Issue): Promise<void> {
  const { pull } = issue;
  if (!pull || issue.state !== 'open' || knownMergeability(repository, issue) !== undefined) return;
  const before = running.get(pull);
  if (before) return before;
  const work = compute(core, repository, pull).finally(() => running.delete(pull));
  running.set(pull, work);
  return work;
}

async function compute(core: Core, repository: Repository, pull: Pull): Promise<void> {
  const key = keyOf(repository, pull);
  const base = baseTip(repository, pull);
  const tree = base === undefined ? undefined : await mergedTree(repository, base, pull.headSha);
  let testCommit: string | null = null;
  if (base !== undefined && tree !== undefined) {
    const bot = { name: 'GitHub', email: 'noreply@github.com' };
    testCommit = await git(
      repository.directory,
      ['commit-tree', tree, '-p', base, '-p', pull.headSha, '-m', `Merge ${pull.headSha} into ${base}`],
      {
        env: authored(bot, bot, core.now()),
      },
    );
  }
  pull.mergeability = { key, isClean: tree !== undefined, testCommit };
  core.changed({ repository: fullName(repository), what: 'mergeability' });
}

/** The tree of a merge, or undefined when there are conflicts. */
export async function mergedTree(repository: Repository, base: string, head: string): Promise<string | undefined> {
  try {
    const out = await git(repository.directory, ['merge-tree', '--write-tree', '--no-messages', '--name-only', base, head]);
    return out.split('\n')[0];
  } catch (error) {
    if (error instanceof GitFailed && error.code === 1) return undefined;
    throw error;
  }
}

export async function mergeStateOf(repository: Repository, issue: Issue): Promise<MergeState> {
  const { pull } = issue;
  const isClean = knownMergeability(repository, issue);
  if (!pull || isClean === undefined) return 'unknown';
  if (!isClean) return 'dirty';
  if (pull.draft) return 'draft';
  const verdict = checkVerdict(repository, pull.headSha);
  if (blockedBy(repository, issue, pull, verdict) !== undefined) return 'blocked';
  const isBehind = repository.protections.get(pull.baseRef)?.upToDate === true && (await isMissingBase(repository, pull));
  if (isBehind) return 'behind';
  return verdict.all === 'success' || verdict.all === 'none' ? 'clean' : 'unstable';
}

async function isMissingBase(repository: Repository, pull: Pull): Promise<boolean> {
  const base = baseTip(repository, pull);
  return base !== undefined && (await distance(repository, base, pull.headSha)).behind > 0;
}

/** Why the rules of the base do not let it be merged, in GitHub's words; undefined when they do. */
export async function ruleAgainst(repository: Repository, issue: Issue, pull: Pull): Promise<string | undefined> {
  const blocked = blockedBy(repository, issue, pull, checkVerdict(repository, pull.headSha));
  if (blocked !== undefined) return blocked;
  if (repository.protections.get(pull.baseRef)?.upToDate !== true || !(await isMissingBase(repository, pull))) return undefined;
  return `Head branch is out of date. Review and try the merge again.`;
}

function blockedBy(repository: Repository, issue: Issue, pull: Pull, verdict: Verdict): string | undefined {
  const rules = repository.protections.get(pull.baseRef);
  if (!rules) return undefined;
  const missing = (rules.checks ?? []).find((name) => verdict.of(name) !== 'success');
  if (missing !== undefined)
    return verdict.of(missing) === 'failure'
      ? `Required status check "${missing}" is failing.`
      : `Required status check "${missing}" is expected.`;
  const counting = latestReviews(repository, issue).filter((review) => hasRole(roleOf(repository, review.author), 'write'));
  if ((rules.approvals ?? 0) === 0) return undefined;
  if (counting.some(({ state }) => state === 'CHANGES_REQUESTED'))
    return 'Changes have been requested on this pull request by reviewers with write access.';
  const approvals = counting.filter(({ state }) => state === 'APPROVED').length;
  const needed = rules.approvals ?? 0;
  if (approvals >= needed) return undefined;
  return `At least ${needed} approving review${needed === 1 ? ' is' : 's are'} required by reviewers with write access.`;
}

/** The last word of everybody but the author; mere comments do not take back an approval. */
export function latestReviews(repository: Repository, issue: Issue): Review[] {
  const latest = new Map<string, Review>();
  for (const review of repository.reviews.values()) {
    const counts = review.state === 'APPROVED' || review.state === 'CHANGES_REQUESTED' || review.state === 'DISMISSED';
    if (review.number === issue.number && counts) latest.set(review.author, review);
  }
  return [...latest.values()];
}
