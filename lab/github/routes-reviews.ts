import { isRecord, type Json } from '../slack/json.ts';
import { hasRole } from './access.ts';
import { GithubApiError, notFound } from './api-error.ts';
import { fullName } from './core.ts';
import { pullEvent } from './events.ts';
import type { Review, ReviewComment } from './model.ts';
import {
  addReview,
  addReviewComment,
  deleteReviewComment,
  dismissReview,
  editReview,
  editReviewComment,
  type NewReviewComment,
  replyTo,
  type Verdict,
} from './reviews.ts';
import {
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
import { pullIn } from './routes-pulls.ts';
import { wireLogin } from './wire-accounts.ts';
import { pullOf, wirePullSimple } from './wire-pulls.ts';
import { wireReview, wireReviewComment } from './wire-reviews.ts';

/** Reviewers, reviews, and comments on lines. */

const READ = { needs: 'pull_requests:read' } as const;
const WRITE = { needs: 'pull_requests:write' } as const;

function reviewIn(call: RepositoryCall): Review {
  const review = call.repository.reviews.get(Number(call.params.review_id));
  if (review?.number !== pullIn(call).number) throw notFound();
  return review;
}

function commentIn({ repository, params }: RepositoryCall): ReviewComment {
  const comment = repository.reviewComments.get(Number(params.comment_id));
  if (!comment) throw notFound();
  return comment;
}

/** Comments by position in the diff are older than lines, and not taken. */
function newComment(given: Json): NewReviewComment {
  if (given.position !== undefined)
    throw new GithubApiError(422, 'Unprocessable Entity', { errors: ['position is not supported here; give line'] });
  const number = (name: string) => (typeof given[name] === 'number' ? given[name] : undefined);
  return {
    path: textOf(given, 'path') ?? '',
    body: textOf(given, 'body') ?? '',
    line: number('line'),
    startLine: number('start_line'),
    side: given.side === 'LEFT' ? 'LEFT' : 'RIGHT',
  };
}

async function changeReviewers(
  call: RepositoryCall,
  next: string[],
  action: 'review_requested' | 'review_request_removed',
): Promise<void> {
  const { core, repository } = call;
  const issue = pullIn(call);
  const pull = pullOf(issue);
  const changed =
    action === 'review_requested'
      ? next.filter((login) => !pull.reviewers.includes(login))
      : pull.reviewers.filter((login) => !next.includes(login));
  pull.reviewers = next;
  issue.updatedAt = core.now();
  for (const login of changed)
    await pullEvent({ core, repository, sender: call.actor() }, action, issue, { requested_reviewer: wireLogin(core, login) });
  core.changed({ repository: fullName(repository), what: 'review' });
}

export const reviewRoutes: Route[] = [
  onRepository('pulls/list-requested-reviewers', READ, (call) =>
    ok({ users: pullOf(pullIn(call)).reviewers.map((login) => wireLogin(call.core, login)), teams: [] }),
  ),

  onRepository('pulls/request-reviewers', { ...WRITE, role: 'write' }, async (call) => {
    const { core, repository, body } = call;
    const issue = pullIn(call);
    const asked = listOf(body, 'reviewers') ?? [];
    if ((listOf(body, 'team_reviewers') ?? []).length > 0)
      throw new GithubApiError(422, 'Could not resolve to a node with the global id of the team.');
    if (asked.includes(issue.author)) throw new GithubApiError(422, 'Review cannot be requested from pull request author.');
    if (
      !asked.every(
        (login) => core.accounts.has(login.toLowerCase()) && hasRole(repository.roles.get(login.toLowerCase()), 'read'),
      )
    )
      throw new GithubApiError(
        422,
        `Reviews may only be requested from collaborators. One or more of the users or teams you specified is not a collaborator of the ${fullName(repository)} repository.`,
      );
    await changeReviewers(call, [...new Set([...pullOf(issue).reviewers, ...asked])], 'review_requested');
    return created(wirePullSimple(core, repository, issue));
  }),

  onRepository('pulls/remove-requested-reviewers', { ...WRITE, role: 'write' }, async (call) => {
    const issue = pullIn(call);
    const gone = listOf(call.body, 'reviewers') ?? [];
    await changeReviewers(
      call,
      pullOf(issue).reviewers.filter((login) => !gone.includes(login)),
      'review_request_removed',
    );
    return ok(wirePullSimple(call.core, call.repository, issue));
  }),

  onRepository('pulls/list-reviews', READ, (call) => {
    const { core, repository, caller } = call;
    const { number } = pullIn(call);
    const own = caller.kind === 'user' || caller.kind === 'installation' ? caller.account.login : undefined;
    const all = [...repository.reviews.values()].filter(
      (review) => review.number === number && (review.state !== 'PENDING' || review.author === own),
    );
    return pageOf(call, all, (review) => wireReview(core, repository, review));
  }),

  onRepository('pulls/create-review', WRITE, async (call) => {
    const { core, repository, body } = call;
    const { event } = body;
    const verdict: Verdict | undefined =
      event === 'APPROVE' || event === 'REQUEST_CHANGES' || event === 'COMMENT' ? event : undefined;
    const review = await addReview(core, repository, pullIn(call), call.actor(), {
      verdict,
      body: textOf(body, 'body') ?? '',
      commit: textOf(body, 'commit_id'),
      comments: Array.isArray(body.comments) ? body.comments.filter(isRecord).map(newComment) : [],
    });
    return ok(wireReview(core, repository, review));
  }),

  onRepository('pulls/get-review', READ, (call) => ok(wireReview(call.core, call.repository, reviewIn(call)))),

  onRepository('pulls/update-review', WRITE, (call) => {
    const review = reviewIn(call);
    requireAuthorOr(call, review.author);
    editReview(call.core, call.repository, pullIn(call), call.actor(), review, textOf(call.body, 'body') ?? '');
    return ok(wireReview(call.core, call.repository, review));
  }),

  onRepository('pulls/dismiss-review', { ...WRITE, role: 'write' }, (call) => {
    const review = reviewIn(call);
    dismissReview(call.core, call.repository, pullIn(call), call.actor(), review);
    return ok(wireReview(call.core, call.repository, review));
  }),

  onRepository('pulls/list-comments-for-review', READ, (call) => {
    const { id } = reviewIn(call);
    const all = [...call.repository.reviewComments.values()].filter(({ review }) => review === id);
    return pageOf(call, all, (comment) => wireReviewComment(call.core, call.repository, comment));
  }),

  onRepository('pulls/list-review-comments-for-repo', READ, (call) => {
    const all = changedSince(call, [...call.repository.reviewComments.values()]);
    return pageOf(call, all, (comment) => wireReviewComment(call.core, call.repository, comment));
  }),

  onRepository('pulls/list-review-comments', READ, (call) => {
    const { number } = pullIn(call);
    const all = changedSince(
      call,
      [...call.repository.reviewComments.values()].filter((comment) => comment.number === number),
    );
    return pageOf(call, all, (comment) => wireReviewComment(call.core, call.repository, comment));
  }),

  onRepository('pulls/create-review-comment', WRITE, async (call) => {
    const { core, repository, body } = call;
    const given = { ...newComment(body), commit: textOf(body, 'commit_id') };
    if (given.line === undefined && body.subject_type !== 'file' && body.in_reply_to === undefined)
      throw new GithubApiError(422, 'Validation Failed', { errors: ['line or subject_type=file is needed'] });
    const earlier = typeof body.in_reply_to === 'number' ? repository.reviewComments.get(body.in_reply_to) : undefined;
    const comment = earlier
      ? replyTo(core, repository, pullIn(call), call.actor(), earlier, given.body)
      : await addReviewComment(core, repository, pullIn(call), call.actor(), given);
    return created(wireReviewComment(core, repository, comment));
  }),

  onRepository('pulls/create-reply-for-review-comment', WRITE, (call) => {
    const to = commentIn(call);
    const issue = pullIn(call);
    if (to.number !== issue.number) throw notFound();
    const comment = replyTo(call.core, call.repository, issue, call.actor(), to, textOf(call.body, 'body') ?? '');
    return created(wireReviewComment(call.core, call.repository, comment));
  }),

  onRepository('pulls/get-review-comment', READ, (call) => ok(wireReviewComment(call.core, call.repository, commentIn(call)))),

  onRepository('pulls/update-review-comment', WRITE, (call) => {
    const { core, repository } = call;
    const comment = commentIn(call);
    requireAuthorOr(call, comment.author);
    editReviewComment(core, repository, comment, call.actor(), textOf(call.body, 'body') ?? '');
    return ok(wireReviewComment(core, repository, comment));
  }),

  onRepository('pulls/delete-review-comment', WRITE, (call) => {
    const comment = commentIn(call);
    requireAuthorOr(call, comment.author);
    deleteReviewComment(call.core, call.repository, comment, call.actor());
    return noContent;
  }),
];
