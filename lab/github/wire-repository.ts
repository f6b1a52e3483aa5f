import type { Json } from '../slack/json.ts';
import { permissionFlags } from './access.ts';
import type { Caller } from './caller.ts';
import { accountOf, type Core, fullName } from './core.ts';
import { iso, nodeId } from './ids.ts';
import type { Repository } from './model.ts';
import { wireLogin } from './wire-accounts.ts';

/** What stands behind `…_url` of a repository, below its address in the API. */
const URLS = {
  archive_url: '/{archive_format}{/ref}',
  assignees_url: '/assignees{/user}',
  blobs_url: '/git/blobs{/sha}',
  branches_url: '/branches{/branch}',
  collaborators_url: '/collaborators{/collaborator}',
  comments_url: '/comments{/number}',
  commits_url: '/commits{/sha}',
  compare_url: '/compare/{base}...{head}',
  contents_url: '/contents/{+path}',
  contributors_url: '/contributors',
  deployments_url: '/deployments',
  downloads_url: '/downloads',
  events_url: '/events',
  forks_url: '/forks',
  git_commits_url: '/git/commits{/sha}',
  git_refs_url: '/git/refs{/sha}',
  git_tags_url: '/git/tags{/sha}',
  hooks_url: '/hooks',
  issue_comment_url: '/issues/comments{/number}',
  issue_events_url: '/issues/events{/number}',
  issues_url: '/issues{/number}',
  keys_url: '/keys{/key_id}',
  labels_url: '/labels{/name}',
  languages_url: '/languages',
  merges_url: '/merges',
  milestones_url: '/milestones{/number}',
  notifications_url: '/notifications{?since,all,participating}',
  pulls_url: '/pulls{/number}',
  releases_url: '/releases{/id}',
  stargazers_url: '/stargazers',
  statuses_url: '/statuses/{sha}',
  subscribers_url: '/subscribers',
  subscription_url: '/subscription',
  tags_url: '/tags',
  teams_url: '/teams',
  trees_url: '/git/trees{/sha}',
} as const;

export const apiAddress = (core: Core, repository: Repository) => `${core.apiUrl}/repos/${fullName(repository)}`;
export const pageAddress = (core: Core, repository: Repository) => `${core.baseUrl}/${fullName(repository)}`;

/** A repository, as it stands inside other things. */
export function wireRepository(core: Core, repository: Repository): Json {
  const url = apiAddress(core, repository);
  const page = pageAddress(core, repository);
  const openIssues = [...repository.issues.values()].filter((issue) => issue.state === 'open').length;
  const host = core.baseUrl.replace(/^https?:\/\//, '');
  return {
    id: repository.id,
    node_id: nodeId('R', repository.id),
    name: repository.name,
    full_name: fullName(repository),
    private: repository.private,
    owner: wireLogin(core, repository.owner),
    html_url: page,
    description: repository.description,
    fork: false,
    url,
    ...Object.fromEntries(Object.entries(URLS).map(([name, path]) => [name, `${url}${path}`])),
    created_at: iso(repository.createdAt),
    updated_at: iso(repository.updatedAt),
    pushed_at: iso(repository.pushedAt),
    git_url: `git://${host}/${fullName(repository)}.git`,
    ssh_url: `git@${host}:${fullName(repository)}.git`,
    clone_url: `${page}.git`,
    svn_url: page,
    homepage: null,
    size: 1,
    stargazers_count: 0,
    watchers_count: 0,
    language: null,
    has_issues: true,
    has_projects: true,
    has_downloads: true,
    has_wiki: true,
    has_pages: false,
    has_discussions: false,
    forks_count: 0,
    mirror_url: null,
    archived: repository.archived,
    disabled: false,
    open_issues_count: openIssues,
    license: null,
    allow_forking: true,
    is_template: false,
    web_commit_signoff_required: false,
    topics: [],
    visibility: repository.private ? 'private' : 'public',
    forks: 0,
    open_issues: openIssues,
    watchers: 0,
    default_branch: repository.defaultBranch,
  };
}

/** A repository by itself, with what the caller may. */
export function wireFullRepository(core: Core, repository: Repository, caller: Caller): Json {
  const permissions = permissionFlags(caller, repository);
  const owner = accountOf(core, repository.owner);
  return {
    ...wireRepository(core, repository),
    ...(permissions ? { permissions } : {}),
    ...(permissions?.push
      ? {
          allow_merge_commit: repository.methods.merge,
          allow_squash_merge: repository.methods.squash,
          allow_rebase_merge: repository.methods.rebase,
          allow_auto_merge: false,
          allow_update_branch: false,
          delete_branch_on_merge: repository.deleteBranchOnMerge,
        }
      : {}),
    ...(owner.type === 'Organization' ? { organization: wireLogin(core, repository.owner) } : {}),
    network_count: 0,
    subscribers_count: 0,
  };
}
