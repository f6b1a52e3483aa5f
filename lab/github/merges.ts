import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { GithubApiError } from './api-error.ts';
import { type Commit, commitOf, log } from './commits.ts';
import { type Core, fullName } from './core.ts';
import { authored, GitFailed, git, type Identity } from './git.ts';
import { baseTip, mergedTree, ruleAgainst } from './mergeability.ts';
import type { Account, Issue, MergeMethod, Pull, Repository } from './model.ts';
import { markMerged } from './pulls.ts';
import { takeOverRefs } from './refs.ts';
import { pullOf } from './wire-pulls.ts';

/** Merging a pull request by real git, with GitHub's three methods. */

export interface MergeRequest {
  method: MergeMethod;
  /** What the head must be. */
  sha?: string | undefined;
  title?: string | undefined;
  message?: string | undefined;
}

const GITHUB: Identity = { name: 'GitHub', email: 'noreply@github.com' };
const NAMES: Readonly<Record<MergeMethod, string>> = { merge: 'Merge commits', squash: 'Squash merges', rebase: 'Rebase merges' };

const notAllowed = (message: string) => new GithubApiError(405, message);

/** Resolves with the commit the base is at then. Throws 405 when it cannot be merged, 409 when the head is another one. */
export function mergePull(
  core: Core,
  repository: Repository,
  issue: Issue,
  actor: Account,
  asked: MergeRequest,
): Promise<string> {
  return core.exclusive(repository, async () => {
    const pull = pullOf(issue);
    if (asked.sha !== undefined && asked.sha !== pull.headSha)
      throw new GithubApiError(409, 'Head branch was modified. Review and try the merge again.');
    if (issue.state !== 'open') throw notAllowed('Pull Request is not mergeable');
    if (pull.draft) throw notAllowed('Pull Request is still a draft');
    if (!repository.methods[asked.method]) throw notAllowed(`${NAMES[asked.method]} are not allowed on this repository.`);
    const rule = await ruleAgainst(repository, issue, pull);
    if (rule !== undefined) throw notAllowed(rule);
    const base = baseTip(repository, pull);
    if (base === undefined) throw notAllowed('Pull Request is not mergeable');
    const commit = await mergedCommit(core, repository, { issue, pull, base, actor, asked });
    if (commit === undefined) throw notAllowed('Pull Request has merge conflicts');
    await git(repository.directory, ['update-ref', `refs/heads/${pull.baseRef}`, commit, base]);
    await markMerged(core, repository, issue, actor, commit);
    if (repository.deleteBranchOnMerge) await git(repository.directory, ['update-ref', '-d', `refs/heads/${pull.headRef}`]);
    await takeOverRefs(core, repository, actor);
    return commit;
  });
}

interface Merge {
  issue: Issue;
  pull: Pull;
  base: string;
  actor: Account;
  asked: MergeRequest;
}

async function mergedCommit(core: Core, repository: Repository, merge: Merge): Promise<string | undefined> {
  const { pull, base, asked } = merge;
  if (asked.method === 'rebase') return await rebased(core, repository, merge);
  const tree = await mergedTree(repository, base, pull.headSha);
  if (tree === undefined) return undefined;
  const isSquash = asked.method === 'squash';
  const parents = isSquash ? ['-p', base] : ['-p', base, '-p', pull.headSha];
  const author = { name: merge.actor.name, email: merge.actor.email };
  return await git(repository.directory, ['commit-tree', tree, ...parents], {
    input: isSquash ? await squashMessage(repository, merge) : mergeMessage(repository, merge),
    env: authored(author, GITHUB, core.now()),
  });
}

function mergeMessage(repository: Repository, { issue, pull, asked }: Merge): string {
  const title = asked.title ?? `Merge pull request #${issue.number} from ${repository.owner}/${pull.headRef}`;
  const text = asked.message ?? issue.title;
  return text === '' ? `${title}\n` : `${title}\n\n${text}\n`;
}

async function squashMessage(repository: Repository, { issue, pull, base, actor, asked }: Merge): Promise<string> {
  const commits = (await log(repository, pull.headSha, `^${base}`)).reverse();
  const [only] = commits.length === 1 ? commits : [];
  const title = asked.title ?? `${only ? (only.message.split('\n')[0] ?? issue.title) : issue.title} (#${issue.number})`;
  const listed = only ? only.message.split('\n').slice(2).join('\n') : commits.map(({ message }) => `* ${message}`).join('\n\n');
  const text = asked.message ?? [listed, coAuthors(commits, actor)].filter((part) => part !== '').join('\n\n');
  return text === '' ? `${title}\n` : `${title}\n\n${text}\n`;
}

function coAuthors(commits: readonly Commit[], actor: Account): string {
  const others = commits.map(({ author }) => author).filter(({ email }) => email !== actor.email);
  return [...new Set(others.map(({ name, email }) => `Co-authored-by: ${name} <${email}>`))].join('\n');
}

/** The commits of the head, one after the other, on top of the base; undefined when one does not apply. */
async function rebased(core: Core, repository: Repository, { pull, base }: Merge): Promise<string | undefined> {
  const place = join(core.root, 'rebase', `${repository.id}-${core.ids.next()}`);
  await git(repository.directory, ['worktree', 'add', '--quiet', '--detach', place, base]);
  try {
    for (const { sha, parents } of (await log(repository, '--topo-order', pull.headSha, `^${base}`)).reverse()) {
      if (parents.length > 1) continue;
      const env = { GIT_COMMITTER_NAME: GITHUB.name, GIT_COMMITTER_EMAIL: GITHUB.email };
      await git(place, ['-c', 'core.hooksPath=/dev/null', 'cherry-pick', '--allow-empty', sha], { env });
    }
    return (await commitOf({ ...repository, directory: place }, 'HEAD')).sha;
  } catch (error) {
    if (error instanceof GitFailed && error.code === 1) return undefined;
    throw error;
  } finally {
    await rm(place, { recursive: true, force: true });
    await git(repository.directory, ['worktree', 'prune']);
  }
}

/** Merges the base into the head, as the "Update branch" button does. Throws 422 on conflicts. */
export function updateBranch(
  core: Core,
  repository: Repository,
  issue: Issue,
  actor: Account,
  expected: string | undefined,
): Promise<void> {
  return core.exclusive(repository, async () => {
    const pull = pullOf(issue);
    if (expected !== undefined && expected !== pull.headSha)
      throw new GithubApiError(422, `expected head sha didn’t match current head ref.`);
    const base = baseTip(repository, pull);
    const tree = base === undefined ? undefined : await mergedTree(repository, pull.headSha, base);
    if (base === undefined || tree === undefined) throw new GithubApiError(422, 'merge conflict between base and head');
    const author = { name: actor.name, email: actor.email };
    const commit = await git(repository.directory, ['commit-tree', tree, '-p', pull.headSha, '-p', base], {
      input: `Merge branch '${pull.baseRef}' into ${pull.headRef}\n`,
      env: authored(author, GITHUB, core.now()),
    });
    await git(repository.directory, ['update-ref', `refs/heads/${pull.headRef}`, commit, pull.headSha]);
    await takeOverRefs(core, repository, actor);
    core.changed({ repository: fullName(repository), what: 'pull' });
  });
}
