import { custom, invalidField, validationFailed } from './api-error.ts';
import { distance, isAncestor, mergeBase } from './commits.ts';
import { type Core, fullName } from './core.ts';
import { issueEvent, pullEvent } from './events.ts';
import { git } from './git.ts';
import type { Account, Issue, Repository } from './model.ts';
import { pullOf } from './wire-pulls.ts';

/** What happens to issues and pull requests, whoever does it: the API, a person, or a push. */

export interface NewIssue {
  title: string;
  body: string | null;
  labels?: readonly string[] | undefined;
  assignees?: readonly string[] | undefined;
}

function newIssue(core: Core, repository: Repository, actor: Account, given: NewIssue): Issue {
  repository.lastNumber += 1;
  const now = core.now();
  return {
    id: core.ids.next(),
    number: repository.lastNumber,
    title: given.title,
    body: given.body,
    author: actor.login,
    state: 'open',
    stateReason: null,
    labels: [...(given.labels ?? [])],
    assignees: [...(given.assignees ?? [])],
    createdAt: now,
    updatedAt: now,
    closedAt: null,
    closedBy: null,
  };
}

export function openIssue(core: Core, repository: Repository, actor: Account, given: NewIssue): Issue {
  const issue = newIssue(core, repository, actor, given);
  repository.issues.set(issue.number, issue);
  issueEvent({ core, repository, sender: actor }, 'opened', issue);
  core.changed({ repository: fullName(repository), what: 'issue' });
  return issue;
}

/** A branch of the repository by `branch` or `owner:branch`; undefined when there is none, or it would be in a fork. */
export function headBranch(repository: Repository, head: string): string | undefined {
  const [owner, branch] = head.includes(':')
    ? [head.slice(0, head.indexOf(':')), head.slice(head.indexOf(':') + 1)]
    : [repository.owner, head];
  const name = branch.replace(/^refs\/heads\//, '');
  return owner.toLowerCase() === repository.owner.toLowerCase() && repository.refs.has(`refs/heads/${name}`) ? name : undefined;
}

/** Throws 422 for a head or base that is not there, without new commits, or with an open pull request already. */
export async function openPull(
  core: Core,
  repository: Repository,
  actor: Account,
  given: NewIssue & { head: string; base: string; draft: boolean },
): Promise<Issue> {
  const head = headBranch(repository, given.head);
  const base = given.base.replace(/^refs\/heads\//, '');
  const headSha = head === undefined ? undefined : repository.refs.get(`refs/heads/${head}`);
  const baseSha = repository.refs.get(`refs/heads/${base}`);
  const missing = [...(headSha === undefined ? ['head'] : []), ...(baseSha === undefined ? ['base'] : [])];
  if (head === undefined || headSha === undefined || baseSha === undefined)
    throw validationFailed(...missing.map((field) => ({ resource: 'PullRequest', field, code: 'invalid' })));
  if (head === base || (await distance(repository, baseSha, headSha)).ahead === 0)
    throw custom('PullRequest', `No commits between ${given.base} and ${given.head}`);
  if ((await mergeBase(repository, baseSha, headSha)) === undefined)
    throw custom('PullRequest', `The ${given.head} branch has no history in common with ${given.base}`);
  refuseSecond(repository, head, base);
  const issue = newIssue(core, repository, actor, given);
  issue.pull = {
    id: core.ids.next(),
    headRef: head,
    headSha,
    baseRef: base,
    baseSha,
    draft: given.draft,
    reviewers: [],
    mergedAt: null,
    mergedBy: null,
    mergeCommit: null,
    mergeability: undefined,
  };
  repository.issues.set(issue.number, issue);
  await keepHead(repository, issue);
  await pullEvent({ core, repository, sender: actor }, 'opened', issue);
  core.changed({ repository: fullName(repository), what: 'pull' });
  return issue;
}

function refuseSecond(repository: Repository, head: string, base: string): void {
  const isTaken = [...repository.issues.values()].some(
    ({ state, pull }) => state === 'open' && pull?.headRef === head && pull.baseRef === base,
  );
  if (isTaken) throw custom('PullRequest', `A pull request already exists for ${repository.owner}:${head}.`);
}

/** `refs/pull/1/head`, which can be fetched when the branch is gone. */
async function keepHead(repository: Repository, issue: Issue): Promise<void> {
  const ref = `refs/pull/${issue.number}/head`;
  await git(repository.directory, ['update-ref', ref, pullOf(issue).headSha]);
  repository.refs.set(ref, pullOf(issue).headSha);
}

/** Moves the open pull requests of a branch that was pushed to, and closes them when it was deleted. */
export async function followHead(
  core: Core,
  repository: Repository,
  move: { branch: string; before: string | undefined; after: string | undefined },
  actor: Account,
): Promise<void> {
  for (const issue of repository.issues.values()) {
    const { pull } = issue;
    if (!pull || issue.state !== 'open' || pull.headRef !== move.branch) continue;
    if (move.after === undefined) {
      await closePull(core, repository, issue, actor);
      continue;
    }
    const before = pull.headSha;
    pull.headSha = move.after;
    pull.baseSha = repository.refs.get(`refs/heads/${pull.baseRef}`) ?? pull.baseSha;
    issue.updatedAt = core.now();
    await keepHead(repository, issue);
    await pullEvent({ core, repository, sender: actor }, 'synchronize', issue, { before, after: move.after });
  }
}

/** Pull requests whose commits arrived in their base by a push are merged; those of a base that is gone are closed. */
export async function followBase(
  core: Core,
  repository: Repository,
  move: { branch: string; after: string | undefined },
  actor: Account,
): Promise<void> {
  for (const issue of repository.issues.values()) {
    const { pull } = issue;
    if (!pull || issue.state !== 'open' || pull.baseRef !== move.branch) continue;
    if (move.after === undefined) await closePull(core, repository, issue, actor);
    else if (await isAncestor(repository, pull.headSha, move.after)) await markMerged(core, repository, issue, actor, move.after);
  }
}

export async function closePull(core: Core, repository: Repository, issue: Issue, actor: Account): Promise<void> {
  close(core, issue, actor);
  await pullEvent({ core, repository, sender: actor }, 'closed', issue);
  core.changed({ repository: fullName(repository), what: 'pull' });
}

function close(core: Core, issue: Issue, actor: Account): void {
  issue.state = 'closed';
  issue.closedAt = core.now();
  issue.updatedAt = core.now();
  issue.closedBy = actor.login;
}

/** Throws 422 when the branch is gone or another pull request has taken its place. */
export async function reopenPull(core: Core, repository: Repository, issue: Issue, actor: Account): Promise<void> {
  const pull = pullOf(issue);
  if (pull.mergedAt !== null || !repository.refs.has(`refs/heads/${pull.headRef}`)) throw invalidField('PullRequest', 'state');
  refuseSecond(repository, pull.headRef, pull.baseRef);
  Object.assign(issue, { state: 'open', closedAt: null, closedBy: null, updatedAt: core.now() });
  pull.headSha = repository.refs.get(`refs/heads/${pull.headRef}`) ?? pull.headSha;
  await keepHead(repository, issue);
  await pullEvent({ core, repository, sender: actor }, 'reopened', issue);
  core.changed({ repository: fullName(repository), what: 'pull' });
}

export async function markMerged(
  core: Core,
  repository: Repository,
  issue: Issue,
  actor: Account,
  commit: string,
): Promise<void> {
  const pull = pullOf(issue);
  pull.mergedAt = core.now();
  pull.mergedBy = actor.login;
  pull.mergeCommit = commit;
  pull.reviewers = [];
  close(core, issue, actor);
  await pullEvent({ core, repository, sender: actor }, 'closed', issue);
  if (pull.baseRef === repository.defaultBranch) closeNamed(core, repository, issue, actor);
  core.changed({ repository: fullName(repository), what: 'pull' });
}

/** `Closes #5` in what was merged into the default branch closes the issue. */
function closeNamed(core: Core, repository: Repository, pull: Issue, actor: Account): void {
  const words = /\b(?:close[sd]?|fix(?:e[sd])?|resolve[sd]?):?\s+(?:([\w.-]+\/[\w.-]+))?#(\d+)/gi;
  for (const [, name, number] of (pull.body ?? '').matchAll(words)) {
    const isHere = name === undefined || name.toLowerCase() === fullName(repository).toLowerCase();
    const issue = isHere ? repository.issues.get(Number(number)) : undefined;
    if (issue && !issue.pull && issue.state === 'open') closeIssue(core, repository, issue, actor, 'completed');
  }
}

export function closeIssue(
  core: Core,
  repository: Repository,
  issue: Issue,
  actor: Account,
  reason: 'completed' | 'not_planned',
): void {
  close(core, issue, actor);
  issue.stateReason = reason;
  issueEvent({ core, repository, sender: actor }, 'closed', issue);
  core.changed({ repository: fullName(repository), what: 'issue' });
}

export function reopenIssue(core: Core, repository: Repository, issue: Issue, actor: Account): void {
  Object.assign(issue, { state: 'open', stateReason: 'reopened', closedAt: null, closedBy: null, updatedAt: core.now() });
  issueEvent({ core, repository, sender: actor }, 'reopened', issue);
  core.changed({ repository: fullName(repository), what: 'issue' });
}
