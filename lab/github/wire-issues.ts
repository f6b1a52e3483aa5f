import type { Json } from '../slack/json.ts';
import { accountOf, type Core } from './core.ts';
import { iso, isoOrNull, nodeId } from './ids.ts';
import type { Comment, Issue, Repository } from './model.ts';
import { wireApp, wireLogin, wireLoginOrNull } from './wire-accounts.ts';
import { apiAddress, pageAddress } from './wire-repository.ts';

/** Issues, comments and reactions as GitHub shows them. */

const CONTENTS = ['+1', '-1', 'laugh', 'hooray', 'confused', 'heart', 'rocket', 'eyes'] as const;

export function association(core: Core, repository: Repository, login: string): string {
  if (repository.owner.toLowerCase() === login.toLowerCase()) return 'OWNER';
  if (!repository.roles.has(login.toLowerCase())) return 'NONE';
  return accountOf(core, repository.owner).type === 'Organization' ? 'MEMBER' : 'COLLABORATOR';
}

/** The app behind what a bot has written. */
export function appBehind(core: Core, login: string): Json | null {
  const app = [...core.apps.values()].find(({ bot }) => bot === login);
  return app ? wireApp(core, app) : null;
}

export function wireLabel(core: Core, repository: Repository, name: string): Json {
  const id = [...name].reduce((sum, sign) => sum * 31 + (sign.codePointAt(0) ?? 0), 7) % 1_000_000_007;
  return {
    id,
    node_id: nodeId('LA', id),
    url: `${apiAddress(core, repository)}/labels/${encodeURIComponent(name)}`,
    name,
    description: '',
    color: 'ededed',
    default: false,
  };
}

export function wireReactions(repository: Repository, subject: string, url: string): Json {
  const all = [...repository.reactions.values()].filter((reaction) => reaction.subject === subject);
  const count = (content: string) => all.filter((reaction) => reaction.content === content).length;
  return {
    url: `${url}/reactions`,
    total_count: all.length,
    ...Object.fromEntries(CONTENTS.map((content) => [content, count(content)])),
  };
}

export function commentsOf(repository: Repository, number: number): Comment[] {
  return [...repository.comments.values()].filter((comment) => comment.number === number);
}

export function issuePage(core: Core, repository: Repository, issue: Issue): string {
  return `${pageAddress(core, repository)}/${issue.pull ? 'pull' : 'issues'}/${issue.number}`;
}

/** In webhooks nobody has closed an issue, and assignees are always there. */
export function wireIssue(core: Core, repository: Repository, issue: Issue, place: 'rest' | 'webhook' = 'rest'): Json {
  const url = `${apiAddress(core, repository)}/issues/${issue.number}`;
  const pullPage = `${pageAddress(core, repository)}/pull/${issue.number}`;
  const [assignee = null] = issue.assignees;
  return {
    url,
    repository_url: apiAddress(core, repository),
    labels_url: `${url}/labels{/name}`,
    comments_url: `${url}/comments`,
    events_url: `${url}/events`,
    html_url: issuePage(core, repository, issue),
    id: issue.id,
    node_id: nodeId('I', issue.id),
    number: issue.number,
    title: issue.title,
    user: wireLogin(core, issue.author),
    labels: issue.labels.map((name) => wireLabel(core, repository, name)),
    state: issue.state,
    locked: false,
    assignee: wireLoginOrNull(core, assignee),
    assignees: issue.assignees.map((login) => wireLogin(core, login)),
    milestone: null,
    comments: commentsOf(repository, issue.number).length,
    created_at: iso(issue.createdAt),
    updated_at: iso(issue.updatedAt),
    closed_at: isoOrNull(issue.closedAt),
    author_association: association(core, repository, issue.author),
    active_lock_reason: null,
    ...(issue.pull
      ? {
          draft: issue.pull.draft,
          pull_request: {
            url: `${apiAddress(core, repository)}/pulls/${issue.number}`,
            html_url: pullPage,
            diff_url: `${pullPage}.diff`,
            patch_url: `${pullPage}.patch`,
            merged_at: isoOrNull(issue.pull.mergedAt),
          },
        }
      : {}),
    body: issue.body,
    ...(place === 'rest' ? { closed_by: wireLoginOrNull(core, issue.closedBy) } : {}),
    reactions: wireReactions(repository, `issue/${issue.number}`, url),
    timeline_url: `${url}/timeline`,
    performed_via_github_app: appBehind(core, issue.author),
    state_reason: issue.stateReason,
  };
}

export function wireComment(core: Core, repository: Repository, comment: Comment): Json {
  const issue = repository.issues.get(comment.number);
  if (!issue) throw new Error(`there is no issue ${comment.number}`);
  const url = `${apiAddress(core, repository)}/issues/comments/${comment.id}`;
  return {
    url,
    html_url: `${issuePage(core, repository, issue)}#issuecomment-${comment.id}`,
    issue_url: `${apiAddress(core, repository)}/issues/${comment.number}`,
    id: comment.id,
    node_id: nodeId('IC', comment.id),
    user: wireLogin(core, comment.author),
    created_at: iso(comment.createdAt),
    updated_at: iso(comment.updatedAt),
    body: comment.body,
    author_association: association(core, repository, comment.author),
    reactions: wireReactions(repository, `comment/${comment.id}`, url),
    performed_via_github_app: appBehind(core, comment.author),
  };
}
