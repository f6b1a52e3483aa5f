import type { Json } from '../slack/json.ts';
import type { Core } from './core.ts';
import { iso, nodeId } from './ids.ts';
import type { Repository, Review, ReviewComment } from './model.ts';
import { wireLogin } from './wire-accounts.ts';
import { association, wireReactions } from './wire-issues.ts';
import { apiAddress, pageAddress } from './wire-repository.ts';

/** Reviews and their comments as GitHub shows them. */

export function wireReview(core: Core, repository: Repository, review: Review): Json {
  const html_url = `${pageAddress(core, repository)}/pull/${review.number}#pullrequestreview-${review.id}`;
  const pull_request_url = `${apiAddress(core, repository)}/pulls/${review.number}`;
  return {
    id: review.id,
    node_id: nodeId('PRR', review.id),
    user: wireLogin(core, review.author),
    body: review.body,
    state: review.state,
    html_url,
    pull_request_url,
    author_association: association(core, repository, review.author),
    _links: { html: { href: html_url }, pull_request: { href: pull_request_url } },
    ...(review.submittedAt === null ? {} : { submitted_at: iso(review.submittedAt) }),
    updated_at: iso(review.edit?.at ?? review.submittedAt ?? core.now()),
    commit_id: review.commit,
  };
}

export function wireReviewComment(core: Core, repository: Repository, comment: ReviewComment): Json {
  const url = `${apiAddress(core, repository)}/pulls/comments/${comment.id}`;
  const html_url = `${pageAddress(core, repository)}/pull/${comment.number}#discussion_r${comment.id}`;
  const pull_request_url = `${apiAddress(core, repository)}/pulls/${comment.number}`;
  const head = repository.issues.get(comment.number)?.pull?.headSha ?? comment.commit;
  const isFile = comment.line === null;
  return {
    url,
    pull_request_review_id: comment.review,
    id: comment.id,
    node_id: nodeId('PRRC', comment.id),
    diff_hunk: comment.diffHunk,
    path: comment.path,
    commit_id: head,
    original_commit_id: comment.commit,
    user: wireLogin(core, comment.author),
    body: comment.body,
    created_at: iso(comment.createdAt),
    updated_at: iso(comment.updatedAt),
    html_url,
    pull_request_url,
    author_association: association(core, repository, comment.author),
    _links: { self: { href: url }, html: { href: html_url }, pull_request: { href: pull_request_url } },
    reactions: wireReactions(repository, `review_comment/${comment.id}`, url),
    start_line: comment.startLine,
    original_start_line: comment.startLine,
    start_side: comment.startLine === null ? null : comment.side,
    // What a comment hangs on is only known as long as the head has not moved on.
    line: comment.commit === head ? comment.line : null,
    original_line: comment.line ?? 1,
    side: comment.side,
    position: comment.commit === head && !isFile ? 1 : null,
    original_position: 1,
    subject_type: isFile ? 'file' : 'line',
    ...(comment.inReplyTo === null ? {} : { in_reply_to_id: comment.inReplyTo }),
  };
}
