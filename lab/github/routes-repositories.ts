import { hasRole, roleOf } from './access.ts';
import { GithubApiError, notFound } from './api-error.ts';
import { commitOf, distance, isAncestor, log, mergeBase, resolveCommit, wireCommit } from './commits.ts';
import { accountOf } from './core.ts';
import { changesBetween, wireChange } from './diffs.ts';
import { GitFailed, git } from './git.ts';
import { nodeId } from './ids.ts';
import type { Repository } from './model.ts';
import { takeOverRefs } from './refs.ts';
import { created, noContent, ok, onRepository, page, pageOf, type RepositoryCall, type Route, textOf } from './route.ts';
import { wireAccount } from './wire-accounts.ts';
import { wirePullSimple } from './wire-pulls.ts';
import { apiAddress, pageAddress, wireFullRepository } from './wire-repository.ts';

/** The repository itself, its branches, commits and refs. */

const READ = { needs: 'contents:read' } as const;
const ANYBODY = { needs: 'metadata:read' } as const;

/** 404 for refs that are not there; GitHub says 422 for hashes of no commit. */
export async function commitNamed({ repository }: RepositoryCall, name: string): Promise<string> {
  const sha = await resolveCommit(repository, name);
  if (sha !== undefined) return sha;
  throw new GithubApiError(422, `No commit found for SHA: ${name}`);
}

function wireRef({ core, repository }: RepositoryCall, ref: string, sha: string): unknown {
  return {
    ref,
    node_id: nodeId('REF', repository.id),
    url: `${apiAddress(core, repository)}/git/${ref}`,
    object: { sha, type: 'commit', url: `${apiAddress(core, repository)}/git/commits/${sha}` },
  };
}

function branchIn({ repository, params }: RepositoryCall): { name: string; sha: string } {
  const name = params.branch ?? '';
  const sha = repository.refs.get(`refs/heads/${name}`);
  if (sha === undefined) throw new GithubApiError(404, 'Branch not found');
  return { name, sha };
}

function protectionOf(
  { core, repository }: RepositoryCall,
  name: string,
): { protected: boolean; protection: unknown; protection_url: string } {
  const rules = repository.protections.get(name);
  const contexts = [...(rules?.checks ?? [])];
  return {
    protected: rules !== undefined,
    protection: {
      enabled: rules !== undefined,
      required_status_checks: {
        enforcement_level: contexts.length > 0 ? 'everyone' : 'off',
        contexts,
        checks: contexts.map((context) => ({ context, app_id: null })),
      },
    },
    protection_url: `${apiAddress(core, repository)}/branches/${name}/protection`,
  };
}

/** Changes a ref as a push would, protected branches included. */
async function changeRef(call: RepositoryCall, ref: string, args: string[]): Promise<void> {
  const { core, repository } = call;
  if (ref.startsWith('refs/heads/') && repository.protections.has(ref.slice('refs/heads/'.length)))
    throw new GithubApiError(422, 'Protected branch update failed', {
      docs: 'https://docs.github.com/articles/about-protected-branches',
    });
  try {
    await git(repository.directory, ['update-ref', ...args]);
  } catch (error) {
    if (error instanceof GitFailed) throw new GithubApiError(422, 'Reference update failed');
    throw error;
  }
  await takeOverRefs(core, repository, call.actor());
}

const WELL_FORMED = /^refs\/(heads|tags)\/[^\s~^:?*[\\]+$/;

export const repositoryRoutes: Route[] = [
  onRepository('repos/get', ANYBODY, ({ core, repository, caller }) => ok(wireFullRepository(core, repository, caller))),

  onRepository('repos/get-collaborator-permission-level', ANYBODY, ({ core, repository, params, caller, actor }) => {
    const account = core.accounts.get((params.username ?? '').toLowerCase());
    if (caller.kind === 'user' && !hasRole(roleOf(repository, actor().login), 'write'))
      throw new GithubApiError(403, 'Must have push access to view collaborator permission.');
    if (!account) throw new GithubApiError(404, `${params.username} is not a user`);
    const role = roleOf(repository, account.login);
    const coarse = role === 'maintain' ? 'write' : role === 'triage' ? 'read' : (role ?? 'none');
    const flags = { pull: 'read', triage: 'triage', push: 'write', maintain: 'maintain', admin: 'admin' } as const;
    const permissions = Object.fromEntries(Object.entries(flags).map(([name, least]) => [name, hasRole(role, least)]));
    const user = { ...wireAccount(core, account), permissions, role_name: role ?? 'none' };
    return ok({ permission: coarse, role_name: role ?? 'none', user });
  }),

  onRepository('repos/check-collaborator', { needs: 'metadata:read', role: 'write' }, ({ repository, params }) => {
    if (!repository.roles.has((params.username ?? '').toLowerCase())) throw notFound();
    return noContent;
  }),

  onRepository('repos/list-branches', READ, (call) => {
    const { core, repository, query } = call;
    const all = [...repository.refs].flatMap(([ref, sha]) =>
      ref.startsWith('refs/heads/') ? [{ name: ref.slice(11), sha }] : [],
    );
    const wanted = query.get('protected');
    const found = all.filter(({ name }) => wanted === null || repository.protections.has(name) === (wanted === 'true'));
    return pageOf(call, found, ({ name, sha }) => ({
      name,
      commit: { sha, url: `${apiAddress(core, repository)}/commits/${sha}` },
      ...protectionOf(call, name),
    }));
  }),

  onRepository('repos/get-branch', READ, async (call) => {
    const { core, repository } = call;
    const { name, sha } = branchIn(call);
    const self = `${apiAddress(core, repository)}/branches/${name}`;
    return ok({
      name,
      commit: wireCommit(core, repository, await commitOf(repository, sha)),
      _links: { self, html: `${pageAddress(core, repository)}/tree/${name}` },
      ...protectionOf(call, name),
    });
  }),

  onRepository('repos/list-commits', READ, async (call) => {
    const { core, repository, query } = call;
    const start = query.get('sha') ?? repository.defaultBranch;
    const sha = await resolveCommit(repository, start);
    if (sha === undefined) {
      if (repository.refs.size === 0) throw new GithubApiError(409, 'Git Repository is empty.');
      throw notFound();
    }
    const path = query.get('path');
    const author = query.get('author');
    const limits = [
      ...['since', 'until'].flatMap((name) => (query.get(name) === null ? [] : [`--${name}=${query.get(name)}`])),
      ...(author === null
        ? []
        : [`--author=${core.accounts.has(author.toLowerCase()) ? accountOf(core, author).email : author}`]),
    ];
    const commits = path === null ? await log(repository, ...limits, sha) : await touching(repository, limits, sha, path);
    return pageOf(call, commits, (commit) => wireCommit(core, repository, commit));
  }),

  onRepository('repos/get-commit', READ, async (call) => {
    const { core, repository, params } = call;
    const commit = await commitOf(repository, await commitNamed(call, params.ref ?? ''));
    const changes = await changesBetween(repository, commit.parents[0], commit.sha);
    const sum = (pick: 'additions' | 'deletions') => changes.reduce((total, change) => total + change[pick], 0);
    const { items, headers } = page(call, changes);
    return ok(
      {
        ...wireCommit(core, repository, commit),
        stats: { total: sum('additions') + sum('deletions'), additions: sum('additions'), deletions: sum('deletions') },
        files: items.map((change) => wireChange(core, repository, commit.sha, change)),
      },
      headers,
    );
  }),

  onRepository('repos/list-pull-requests-associated-with-commit', { needs: 'pull_requests:read' }, async (call) => {
    const { core, repository } = call;
    const sha = await commitNamed(call, call.params.commit_sha ?? '');
    const all = [...repository.issues.values()].filter(({ pull }) => pull);
    const held = await Promise.all(
      all.map(async ({ pull }) => {
        if (!pull) return false;
        if (pull.mergeCommit === sha || pull.headSha === sha) return true;
        return (await isAncestor(repository, sha, pull.headSha)) && !(await isAncestor(repository, sha, pull.baseSha));
      }),
    );
    return pageOf(
      call,
      all.filter((_, index) => held[index]),
      (issue) => wirePullSimple(core, repository, issue),
    );
  }),

  onRepository('repos/compare-commits-with-basehead', READ, async (call) => {
    const { core, repository, params } = call;
    const [from = '', to = ''] = (params.basehead ?? '').split('...').map((name) => name.replace(`${repository.owner}:`, ''));
    const [base, head] = await Promise.all([resolveCommit(repository, from), resolveCommit(repository, to)]);
    if (base === undefined || head === undefined) throw notFound();
    const common = await mergeBase(repository, base, head);
    if (common === undefined) throw new GithubApiError(404, `No common ancestor between ${from} and ${to}.`);
    const { ahead, behind } = await distance(repository, base, head);
    const commits = (await log(repository, '--topo-order', head, `^${base}`)).reverse();
    const changes = await changesBetween(repository, common, head);
    const { items, headers } = page(call, commits);
    const web = `${pageAddress(core, repository)}/compare/${params.basehead}`;
    const status = ahead > 0 && behind > 0 ? 'diverged' : ahead > 0 ? 'ahead' : behind > 0 ? 'behind' : 'identical';
    return ok(
      {
        url: `${apiAddress(core, repository)}/compare/${params.basehead}`,
        html_url: web,
        permalink_url: `${pageAddress(core, repository)}/compare/${base.slice(0, 7)}...${head.slice(0, 7)}`,
        diff_url: `${web}.diff`,
        patch_url: `${web}.patch`,
        base_commit: wireCommit(core, repository, await commitOf(repository, base)),
        merge_base_commit: wireCommit(core, repository, await commitOf(repository, common)),
        status,
        ahead_by: ahead,
        behind_by: behind,
        total_commits: commits.length,
        commits: items.map((commit) => wireCommit(core, repository, commit)),
        files: changes.slice(0, 300).map((change) => wireChange(core, repository, head, change)),
      },
      headers,
    );
  }),

  onRepository('git/get-ref', READ, (call) => {
    const ref = `refs/${call.params.ref}`;
    const sha = call.repository.refs.get(ref);
    if (sha === undefined) throw notFound();
    return ok(wireRef(call, ref, sha));
  }),

  onRepository('git/list-matching-refs', READ, (call) => {
    const found = [...call.repository.refs].filter(([ref]) => ref.startsWith(`refs/${call.params.ref}`));
    return ok(found.map(([ref, sha]) => wireRef(call, ref, sha)));
  }),

  onRepository('git/create-ref', { needs: 'contents:write', role: 'write' }, async (call) => {
    const { core, repository, body } = call;
    const ref = textOf(body, 'ref') ?? '';
    if (!WELL_FORMED.test(ref))
      throw new GithubApiError(422, "Reference name must start with 'refs/' and contain at least three segments.");
    const sha = await resolveCommit(repository, textOf(body, 'sha') ?? '');
    if (sha === undefined) throw new GithubApiError(422, 'Object does not exist');
    await core.exclusive(repository, async () => {
      if (repository.refs.has(ref)) throw new GithubApiError(422, 'Reference already exists');
      await changeRef(call, ref, [ref, sha, '']);
    });
    return created(wireRef(call, ref, sha));
  }),

  onRepository('git/update-ref', { needs: 'contents:write', role: 'write' }, async (call) => {
    const { core, repository, body, params } = call;
    const ref = `refs/${params.ref}`;
    const sha = await resolveCommit(repository, textOf(body, 'sha') ?? '');
    await core.exclusive(repository, async () => {
      const before = repository.refs.get(ref);
      if (before === undefined) throw new GithubApiError(422, 'Reference does not exist');
      if (sha === undefined) throw new GithubApiError(422, 'Object does not exist');
      if (body.force !== true && !(await isAncestor(repository, before, sha)))
        throw new GithubApiError(422, 'Update is not a fast forward');
      await changeRef(call, ref, [ref, sha, before]);
    });
    return ok(wireRef(call, ref, sha ?? ''));
  }),

  onRepository('git/delete-ref', { needs: 'contents:write', role: 'write' }, async (call) => {
    const { core, repository, params } = call;
    const ref = `refs/${params.ref}`;
    await core.exclusive(repository, async () => {
      if (!repository.refs.has(ref)) throw new GithubApiError(422, 'Reference does not exist');
      await changeRef(call, ref, ['-d', ref]);
    });
    return noContent;
  }),
];

async function touching(repository: Repository, limits: string[], sha: string, path: string) {
  const out = await git(repository.directory, ['rev-list', ...limits, sha, '--', path]);
  return await Promise.all(
    out
      .split('\n')
      .filter(Boolean)
      .map((entry) => commitOf(repository, entry)),
  );
}
