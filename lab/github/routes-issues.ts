import { hasRole, requireRights, roleOf } from './access.ts';
import { forbidden, notFound, validationFailed } from './api-error.ts';
import { addComment, deleteComment, editComment, react, unreact } from './comments.ts';
import { iso, nodeId } from './ids.ts';
import { changeIssue } from './issue-changes.ts';
import type { Comment, Issue, Reaction } from './model.ts';
import { openIssue } from './pulls.ts';
import {
  type Answer,
  changedSince,
  created,
  listOf,
  noContent,
  ok,
  onRepository,
  pageOf,
  type RepositoryCall,
  type Route,
  requireAuthorOr,
  textOf,
} from './route.ts';
import { wireLogin } from './wire-accounts.ts';
import { commentsOf, wireComment, wireIssue } from './wire-issues.ts';

/** Issues, comments below issues and pull requests, and reactions. */

const READ = { needs: ['issues:read', 'pull_requests:read'] } as const;
const WRITE = { needs: ['issues:write', 'pull_requests:write'] } as const;

/** With the right that fits: an issue needs that for issues, a pull request that for pull requests. */
function issueAt(call: RepositoryCall, number: number, level: 'read' | 'write'): Issue {
  const issue = call.repository.issues.get(number);
  if (!issue) throw notFound();
  requireRights(call.caller, call.repository, { needs: [`${issue.pull ? 'pull_requests' : 'issues'}:${level}`], role: 'read' });
  return issue;
}

const levelOf = ({ operation }: RepositoryCall) => (operation.verb === 'GET' ? 'read' : 'write');

function issueIn(call: RepositoryCall): Issue {
  return issueAt(call, Number(call.params.issue_number), levelOf(call));
}

function commentIn(call: RepositoryCall): Comment {
  const comment = call.repository.comments.get(Number(call.params.comment_id));
  if (!comment) throw notFound();
  issueAt(call, comment.number, levelOf(call));
  return comment;
}

/** Names of labels, which may also come as objects. */
function labelsOf(body: RepositoryCall['body']): string[] | undefined {
  if (!Array.isArray(body.labels)) return undefined;
  return body.labels.map((label: unknown) => (typeof label === 'string' ? label : String((label as { name?: unknown }).name)));
}

function assigneesOf(call: RepositoryCall): string[] | undefined {
  const given = listOf(call.body, 'assignees');
  for (const login of given ?? [])
    if (!hasRole(roleOf(call.repository, login), 'triage') && !call.core.accounts.has(login.toLowerCase()))
      throw validationFailed({ resource: 'Issue', field: 'assignees', code: 'invalid', value: login });
  return given;
}

function textIn(call: RepositoryCall, name: string): string | undefined {
  const value = call.body[name];
  return typeof value === 'number' ? String(value) : textOf(call.body, name);
}

export const issueRoutes: Route[] = [
  onRepository('issues/list-for-repo', { needs: 'issues:read' }, (call) => {
    const { core, repository, query } = call;
    const state = query.get('state') ?? 'open';
    const since = query.get('since');
    const labels = query.get('labels')?.split(',').filter(Boolean) ?? [];
    const creator = query.get('creator');
    const found = [...repository.issues.values()].filter(
      (issue) =>
        (state === 'all' || issue.state === state) &&
        (since === null || Math.floor(issue.updatedAt / 1000) >= Math.floor(Date.parse(since) / 1000)) &&
        (creator === null || issue.author === creator) &&
        labels.every((label) => issue.labels.includes(label)),
    );
    const by = query.get('sort') === 'updated' ? 'updatedAt' : 'createdAt';
    const sign = query.get('direction') === 'asc' ? 1 : -1;
    found.sort((a, b) => (a[by] - b[by] || a.number - b.number) * sign);
    return pageOf(call, found, (issue) => wireIssue(core, repository, issue));
  }),

  onRepository('issues/create', { needs: 'issues:write' }, (call) => {
    const { core, repository, body } = call;
    const title = textIn(call, 'title') ?? '';
    if (title.trim() === '') throw validationFailed({ resource: 'Issue', field: 'title', code: 'missing_field' });
    const given = { title, body: textOf(body, 'body') ?? null, labels: labelsOf(body), assignees: assigneesOf(call) };
    return created(wireIssue(core, repository, openIssue(core, repository, call.actor(), given)));
  }),

  onRepository('issues/get', READ, (call) => ok(wireIssue(call.core, call.repository, issueIn(call)))),

  onRepository('issues/update', WRITE, async (call) => {
    const { core, repository, body } = call;
    const issue = issueIn(call);
    requireAuthorOr(call, issue.author);
    await changeIssue(core, repository, issue, call.actor(), {
      title: textIn(call, 'title'),
      body: body.body === null ? null : textOf(body, 'body'),
      state: body.state === 'open' || body.state === 'closed' ? body.state : undefined,
      reason: body.state_reason === 'not_planned' ? 'not_planned' : undefined,
      labels: labelsOf(body),
      assignees: assigneesOf(call),
    });
    return ok(wireIssue(core, repository, issue));
  }),

  onRepository('issues/list-comments-for-repo', READ, (call) => {
    const all = changedSince(call, [...call.repository.comments.values()]);
    return pageOf(call, all, (comment) => wireComment(call.core, call.repository, comment));
  }),

  onRepository('issues/list-comments', READ, (call) => {
    const all = changedSince(call, commentsOf(call.repository, issueIn(call).number));
    return pageOf(call, all, (comment) => wireComment(call.core, call.repository, comment));
  }),

  onRepository('issues/create-comment', WRITE, (call) => {
    const comment = addComment(call.core, call.repository, issueIn(call), call.actor(), textOf(call.body, 'body') ?? '');
    return created(wireComment(call.core, call.repository, comment));
  }),

  onRepository('issues/get-comment', READ, (call) => ok(wireComment(call.core, call.repository, commentIn(call)))),

  onRepository('issues/update-comment', WRITE, (call) => {
    const comment = commentIn(call);
    requireAuthorOr(call, comment.author);
    editComment(call.core, call.repository, comment, call.actor(), textOf(call.body, 'body') ?? '');
    return ok(wireComment(call.core, call.repository, comment));
  }),

  onRepository('issues/delete-comment', WRITE, (call) => {
    const comment = commentIn(call);
    requireAuthorOr(call, comment.author);
    deleteComment(call.core, call.repository, comment, call.actor());
    return noContent;
  }),

  ...reactionRoutes('issue', WRITE.needs, (call) => `issue/${issueIn(call).number}`),
  ...reactionRoutes('issue-comment', WRITE.needs, (call) => `comment/${commentIn(call).id}`),
  ...reactionRoutes('pull-request-review-comment', ['pull_requests:write'], (call) => {
    const comment = call.repository.reviewComments.get(Number(call.params.comment_id));
    if (!comment) throw notFound();
    return `review_comment/${comment.id}`;
  }),
];

function wireReaction(call: RepositoryCall, reaction: Reaction): unknown {
  return {
    id: reaction.id,
    node_id: nodeId('REA', reaction.id),
    user: wireLogin(call.core, reaction.user),
    content: reaction.content,
    created_at: iso(reaction.createdAt),
  };
}

function reactionRoutes(
  on: string,
  needs: typeof WRITE.needs | ['pull_requests:write'],
  subjectOf: (call: RepositoryCall) => string,
): Route[] {
  const removal = on === 'pull-request-review-comment' ? 'pull-request-comment' : on;
  return [
    onRepository(`reactions/list-for-${on}`, READ, (call): Answer => {
      const subject = subjectOf(call);
      const content = call.query.get('content');
      const all = [...call.repository.reactions.values()].filter(
        (entry) => entry.subject === subject && (content === null || entry.content === content),
      );
      return pageOf(call, all, (entry) => wireReaction(call, entry));
    }),
    onRepository(`reactions/create-for-${on}`, { needs }, (call): Answer => {
      const { reaction, isNew } = react(
        call.core,
        call.repository,
        subjectOf(call),
        call.actor(),
        textOf(call.body, 'content') ?? '',
      );
      return { status: isNew ? 201 : 200, body: wireReaction(call, reaction) };
    }),
    onRepository(`reactions/delete-for-${removal}`, { needs }, (call): Answer => {
      const reaction = call.repository.reactions.get(Number(call.params.reaction_id));
      if (reaction?.subject !== subjectOf(call)) throw notFound();
      if (reaction.user !== call.actor().login) throw forbidden('You can only delete your own reactions.');
      unreact(call.core, call.repository, reaction.subject, call.actor(), reaction.content);
      return noContent;
    }),
  ];
}
