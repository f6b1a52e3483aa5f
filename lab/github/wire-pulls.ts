import type { Json } from '../slack/json.ts';
import { distance, mergeBase } from './commits.ts';
import type { Core } from './core.ts';
import { changesBetween } from './diffs.ts';
import { iso, isoOrNull, nodeId } from './ids.ts';
import { knownMergeability, mergeStateOf } from './mergeability.ts';
import type { Issue, Pull, Repository } from './model.ts';
import { wireLogin, wireLoginOrNull } from './wire-accounts.ts';
import { association, commentsOf, wireLabel } from './wire-issues.ts';
import { apiAddress, pageAddress, wireRepository } from './wire-repository.ts';

/** Pull requests as GitHub shows them: short in lists, with counts and mergeability by themselves. */

interface Counts {
  commits: number;
  additions: number;
  deletions: number;
  changed_files: number;
}

/** Counts of a base and a head never change. */
const counted = new WeakMap<Repository, Map<string, Counts>>();

export function pullOf(issue: Issue): Pull {
  if (!issue.pull) throw new Error(`#${issue.number} is no pull request`);
  return issue.pull;
}

async function countsOf(repository: Repository, pull: Pull): Promise<Counts> {
  const known = counted.get(repository) ?? new Map<string, Counts>();
  counted.set(repository, known);
  const key = `${pull.baseSha}:${pull.headSha}`;
  const before = known.get(key);
  if (before) return before;
  const base = await mergeBase(repository, pull.baseSha, pull.headSha);
  const [changes, { ahead }] = await Promise.all([
    changesBetween(repository, base, pull.headSha),
    distance(repository, pull.baseSha, pull.headSha),
  ]);
  const sum = (pick: 'additions' | 'deletions') => changes.reduce((total, change) => total + change[pick], 0);
  const counts = { commits: ahead, additions: sum('additions'), deletions: sum('deletions'), changed_files: changes.length };
  known.set(key, counts);
  return counts;
}

export function wirePullSimple(core: Core, repository: Repository, issue: Issue): Json {
  const pull = pullOf(issue);
  const url = `${apiAddress(core, repository)}/pulls/${issue.number}`;
  const issueUrl = `${apiAddress(core, repository)}/issues/${issue.number}`;
  const html_url = `${pageAddress(core, repository)}/pull/${issue.number}`;
  const statuses_url = `${apiAddress(core, repository)}/statuses/${pull.headSha}`;
  const [assignee = null] = issue.assignees;
  const end = (ref: string, sha: string) => ({
    label: `${repository.owner}:${ref}`,
    ref,
    sha,
    user: wireLogin(core, repository.owner),
    repo: wireRepository(core, repository),
  });
  return {
    url,
    id: pull.id,
    node_id: nodeId('PR', pull.id),
    html_url,
    diff_url: `${html_url}.diff`,
    patch_url: `${html_url}.patch`,
    issue_url: issueUrl,
    number: issue.number,
    state: issue.state,
    locked: false,
    title: issue.title,
    user: wireLogin(core, issue.author),
    body: issue.body,
    created_at: iso(issue.createdAt),
    updated_at: iso(issue.updatedAt),
    closed_at: isoOrNull(issue.closedAt),
    merged_at: isoOrNull(pull.mergedAt),
    merge_commit_sha: pull.mergeCommit ?? pull.mergeability?.testCommit ?? null,
    assignee: wireLoginOrNull(core, assignee),
    assignees: issue.assignees.map((login) => wireLogin(core, login)),
    requested_reviewers: pull.reviewers.map((login) => wireLogin(core, login)),
    requested_teams: [],
    labels: issue.labels.map((name) => wireLabel(core, repository, name)),
    milestone: null,
    draft: pull.draft,
    commits_url: `${url}/commits`,
    review_comments_url: `${url}/comments`,
    review_comment_url: `${apiAddress(core, repository)}/pulls/comments{/number}`,
    comments_url: `${issueUrl}/comments`,
    statuses_url,
    head: end(pull.headRef, pull.headSha),
    base: end(pull.baseRef, pull.baseSha),
    _links: {
      self: { href: url },
      html: { href: html_url },
      issue: { href: issueUrl },
      comments: { href: `${issueUrl}/comments` },
      review_comments: { href: `${url}/comments` },
      review_comment: { href: `${apiAddress(core, repository)}/pulls/comments{/number}` },
      commits: { href: `${url}/commits` },
      statuses: { href: statuses_url },
    },
    author_association: association(core, repository, issue.author),
    auto_merge: null,
    active_lock_reason: null,
  };
}

export async function wirePull(core: Core, repository: Repository, issue: Issue): Promise<Json> {
  const pull = pullOf(issue);
  const isClean = knownMergeability(repository, issue);
  return {
    ...wirePullSimple(core, repository, issue),
    merged: pull.mergedAt !== null,
    mergeable: isClean ?? null,
    rebaseable: isClean ?? null,
    mergeable_state: await mergeStateOf(repository, issue),
    merged_by: wireLoginOrNull(core, pull.mergedBy),
    comments: commentsOf(repository, issue.number).length,
    review_comments: [...repository.reviewComments.values()].filter((comment) => comment.number === issue.number).length,
    maintainer_can_modify: false,
    ...(await countsOf(repository, pull)),
  };
}

/** As check runs and workflow runs name the pull requests of their commit. */
export function wirePullsAt(core: Core, repository: Repository, sha: string): Json[] {
  const repo = { id: repository.id, url: apiAddress(core, repository), name: repository.name };
  return [...repository.issues.values()].flatMap((issue) => {
    const { pull } = issue;
    if (!pull || issue.state !== 'open' || pull.headSha !== sha) return [];
    return [
      {
        url: `${apiAddress(core, repository)}/pulls/${issue.number}`,
        id: pull.id,
        number: issue.number,
        head: { ref: pull.headRef, sha: pull.headSha, repo },
        base: { ref: pull.baseRef, sha: pull.baseSha, repo },
      },
    ];
  });
}
