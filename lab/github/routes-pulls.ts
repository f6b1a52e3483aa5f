import { GithubApiError, notFound, validationFailed } from './api-error.ts';
import { log, mergeBase, wireCommit } from './commits.ts';
import { changesBetween, wireChange } from './diffs.ts';
import { git } from './git.ts';
import { changeIssue } from './issue-changes.ts';
import { computeMergeability } from './mergeability.ts';
import { mergePull, updateBranch } from './merges.ts';
import type { Issue, MergeMethod } from './model.ts';
import { openPull } from './pulls.ts';
import {
  type Answer,
  created,
  noContent,
  ok,
  onRepository,
  page,
  pageOf,
  type RepositoryCall,
  type Route,
  requireAuthorOr,
  textOf,
} from './route.ts';
import { pullOf, wirePull, wirePullSimple } from './wire-pulls.ts';

/** Pull requests themselves: open, read, list, change, merge. */

export function pullIn({ repository, params }: RepositoryCall): Issue {
  const issue = repository.issues.get(Number(params.pull_number));
  if (!issue?.pull) throw notFound();
  return issue;
}

const READ = { needs: 'pull_requests:read' } as const;

export const pullRoutes: Route[] = [
  onRepository('pulls/list', READ, (call) => {
    const { core, repository, query } = call;
    const state = query.get('state') ?? 'open';
    const head = query.get('head');
    const base = query.get('base');
    const found = [...repository.issues.values()].filter(
      (issue) =>
        issue.pull &&
        (state === 'all' || issue.state === state) &&
        (head === null ||
          !head.includes(':') ||
          head.toLowerCase() === `${repository.owner}:${issue.pull.headRef}`.toLowerCase()) &&
        (base === null || issue.pull.baseRef === base),
    );
    const by = query.get('sort') === 'updated' ? 'updatedAt' : 'createdAt';
    const isAscending =
      (query.get('direction') ?? (query.get('sort') === null || query.get('sort') === 'created' ? 'desc' : 'asc')) === 'asc';
    found.sort((a, b) => (a[by] - b[by] || a.number - b.number) * (isAscending ? 1 : -1));
    return pageOf(call, found, (issue) => wirePullSimple(core, repository, issue));
  }),

  onRepository('pulls/create', { needs: 'pull_requests:write', role: 'write' }, async (call) => {
    const { core, repository, body } = call;
    const title = textOf(body, 'title');
    const [head, base] = [textOf(body, 'head') ?? '', textOf(body, 'base') ?? ''];
    if (title === undefined || title.trim() === '')
      throw validationFailed({ resource: 'PullRequest', field: 'title', code: 'missing_field' });
    const issue = await core.exclusive(repository, () =>
      openPull(core, repository, call.actor(), {
        title,
        body: textOf(body, 'body') ?? null,
        head,
        base,
        draft: body.draft === true,
      }),
    );
    return created(await wirePull(core, repository, issue));
  }),

  onRepository('pulls/get', READ, async (call) => {
    const { core, repository, accept } = call;
    const issue = pullIn(call);
    if (/\.(diff|patch)\b/.test(accept))
      return {
        status: 200,
        text: {
          type: `application/vnd.github.${accept.includes('diff') ? 'diff' : 'patch'}; charset=utf-8`,
          content: await textDiff(call, issue),
        },
      };
    const answer = ok(await wirePull(core, repository, issue));
    // Looked at after the answer is made: the first look finds `null`.
    computeMergeability(core, repository, issue).catch((error: unknown) => core.failed(error));
    return answer;
  }),

  onRepository('pulls/update', { needs: 'pull_requests:write' }, async (call) => {
    const { core, repository, body } = call;
    const issue = pullIn(call);
    requireAuthorOr(call, issue.author);
    await core.exclusive(repository, () =>
      changeIssue(core, repository, issue, call.actor(), {
        title: textOf(body, 'title'),
        body: textOf(body, 'body'),
        base: textOf(body, 'base'),
        state: body.state === 'open' || body.state === 'closed' ? body.state : undefined,
      }),
    );
    return ok(await wirePull(core, repository, issue));
  }),

  onRepository('pulls/merge', { needs: 'contents:write', role: 'write' }, async (call) => {
    const { core, repository, body } = call;
    const method: MergeMethod = body.merge_method === 'squash' || body.merge_method === 'rebase' ? body.merge_method : 'merge';
    const sha = await mergePull(core, repository, pullIn(call), call.actor(), {
      method,
      sha: textOf(body, 'sha'),
      title: textOf(body, 'commit_title'),
      message: textOf(body, 'commit_message'),
    });
    return ok({ sha, merged: true, message: 'Pull Request successfully merged' });
  }),

  onRepository('pulls/check-if-merged', READ, (call) => {
    if (pullOf(pullIn(call)).mergedAt === null) throw notFound();
    return noContent;
  }),

  onRepository('pulls/update-branch', { needs: 'pull_requests:write', role: 'write' }, async (call) => {
    await updateBranch(call.core, call.repository, pullIn(call), call.actor(), textOf(call.body, 'expected_head_sha'));
    const url = String((await wirePull(call.core, call.repository, pullIn(call))).url);
    return { status: 202, body: { message: 'Updating pull request branch.', url } };
  }),

  onRepository('pulls/list-commits', READ, async (call) => {
    const pull = pullOf(pullIn(call));
    const commits = await log(call.repository, '--topo-order', '--reverse', pull.headSha, `^${pull.baseSha}`);
    return pageOf(call, commits, (commit) => wireCommit(call.core, call.repository, commit));
  }),

  onRepository('pulls/list-files', READ, async (call): Promise<Answer> => {
    const { core, repository } = call;
    const pull = pullOf(pullIn(call));
    const changes = await changesBetween(repository, await mergeBase(repository, pull.baseSha, pull.headSha), pull.headSha);
    const { items, headers } = page(call, changes);
    return ok(
      items.map((change) => wireChange(core, repository, pull.headSha, change)),
      headers,
    );
  }),
];

async function textDiff({ repository, accept }: RepositoryCall, issue: Issue): Promise<string> {
  const pull = pullOf(issue);
  const base = await mergeBase(repository, pull.baseSha, pull.headSha);
  if (base === undefined) throw new GithubApiError(404, 'Not Found');
  if (accept.includes('.patch'))
    return `${await git(repository.directory, ['format-patch', '--stdout', `${base}..${pull.headSha}`])}\n`;
  return `${await git(repository.directory, ['diff', '-M', '--no-color', '--no-ext-diff', base, pull.headSha])}\n`;
}
