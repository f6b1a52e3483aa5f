import type { Json } from '../slack/json.ts';
import { GithubApiError } from './api-error.ts';
import { checkBody } from './comments.ts';
import { mergeBase } from './commits.ts';
import { type Core, fullName } from './core.ts';
import { changesBetween, type FileChange } from './diffs.ts';
import { reviewCommentEvent, reviewEvent } from './events.ts';
import type { Account, Issue, Repository, Review, ReviewComment } from './model.ts';
import { pullOf, wirePullSimple } from './wire-pulls.ts';

/** Reviews and their comments on lines of the diff. */

export type Verdict = 'APPROVE' | 'REQUEST_CHANGES' | 'COMMENT';

export interface NewReviewComment {
  path: string;
  body: string;
  /** Undefined: about the whole file. */
  line?: number | undefined;
  startLine?: number | undefined;
  side?: 'LEFT' | 'RIGHT' | undefined;
}

const STATES = { APPROVE: 'APPROVED', REQUEST_CHANGES: 'CHANGES_REQUESTED', COMMENT: 'COMMENTED' } as const;
const unprocessable = (...errors: string[]) => new GithubApiError(422, 'Unprocessable Entity', { errors });

/** Without a verdict the review stays pending: nobody else sees it. Throws 422 for own pull requests and lines outside of the diff. */
export async function addReview(
  core: Core,
  repository: Repository,
  issue: Issue,
  actor: Account,
  given: {
    verdict: Verdict | undefined;
    body: string;
    commit?: string | undefined;
    comments?: readonly NewReviewComment[] | undefined;
  },
): Promise<Review> {
  const { verdict, comments = [] } = given;
  if (issue.author === actor.login && verdict === 'APPROVE') throw unprocessable('Can not approve your own pull request');
  if (issue.author === actor.login && verdict === 'REQUEST_CHANGES')
    throw unprocessable('Can not request changes on your own pull request');
  if (given.body.trim() === '' && comments.length === 0 && (verdict === 'REQUEST_CHANGES' || verdict === 'COMMENT'))
    throw unprocessable(`Body is required when event is ${verdict}`);
  const isPending = [...repository.reviews.values()].some(
    (review) => review.state === 'PENDING' && review.number === issue.number && review.author === actor.login,
  );
  if (isPending) throw unprocessable('User can only have one pending review per pull request');
  const diff = comments.length === 0 ? [] : await diffOf(repository, issue);
  const hunks = comments.map((comment) => {
    const hunk = hunkAt(diff, comment);
    if (hunk === 'path') throw unprocessable('Path could not be resolved');
    if (hunk === 'line') throw unprocessable('Line could not be resolved');
    return hunk;
  });
  const pull = pullOf(issue);
  const review: Review = {
    id: core.ids.next(),
    number: issue.number,
    author: actor.login,
    state: verdict ? STATES[verdict] : 'PENDING',
    body: given.body,
    commit: given.commit ?? pull.headSha,
    submittedAt: verdict ? core.now() : null,
  };
  repository.reviews.set(review.id, review);
  const added = comments.map((comment, index) =>
    store(core, repository, { review, actor, comment, hunk: hunks[index]?.text ?? '' }),
  );
  if (verdict === undefined) return review;
  pull.reviewers = pull.reviewers.filter((login) => login !== actor.login);
  issue.updatedAt = core.now();
  const place = { core, repository, sender: actor };
  const wired = wirePullSimple(core, repository, issue);
  reviewEvent(place, 'submitted', wired, review);
  for (const comment of added) reviewCommentEvent(place, 'created', wired, comment);
  core.changed({ repository: fullName(repository), what: 'review' });
  return review;
}

export function editReview(core: Core, repository: Repository, issue: Issue, actor: Account, review: Review, body: string): void {
  const changes = { body: { from: review.body } };
  review.body = checkBody('PullRequestReview', body);
  review.edit = { by: actor.login, at: core.now() };
  issue.updatedAt = core.now();
  reviewEvent({ core, repository, sender: actor }, 'edited', wirePullSimple(core, repository, issue), review, { changes });
  core.changed({ repository: fullName(repository), what: 'review' });
}

export function dismissReview(core: Core, repository: Repository, issue: Issue, actor: Account, review: Review): void {
  if (review.state !== 'APPROVED' && review.state !== 'CHANGES_REQUESTED')
    throw unprocessable('Can not dismiss a commented pull request review');
  review.state = 'DISMISSED';
  reviewEvent({ core, repository, sender: actor }, 'dismissed', wirePullSimple(core, repository, issue), review);
  core.changed({ repository: fullName(repository), what: 'review' });
}

/** A comment by itself, which makes a review of its own. Throws 422 for lines outside of the diff. */
export async function addReviewComment(
  core: Core,
  repository: Repository,
  issue: Issue,
  actor: Account,
  comment: NewReviewComment & { commit?: string | undefined },
): Promise<ReviewComment> {
  const hunk = hunkAt(await diffOf(repository, issue), comment);
  if (hunk === 'path' || hunk === 'line') {
    const field = `pull_request_review_thread.${hunk}`;
    const message = hunk === 'line' ? `${field} must be part of the diff` : `${field} is invalid`;
    throw new GithubApiError(422, 'Validation Failed', {
      errors: [{ resource: 'PullRequestReviewComment', code: 'custom', field, message }],
    });
  }
  checkBody('PullRequestReviewComment', comment.body);
  return publish(core, repository, issue, actor, comment, hunk.text, null);
}

export function editReviewComment(
  core: Core,
  repository: Repository,
  comment: ReviewComment,
  actor: Account,
  body: string,
): void {
  const changes = { body: { from: comment.body } };
  comment.body = checkBody('PullRequestReviewComment', body);
  comment.updatedAt = core.now();
  comment.edit = { by: actor.login, at: comment.updatedAt };
  tellOf(core, repository, comment, actor, 'edited', { changes });
}

export function deleteReviewComment(core: Core, repository: Repository, comment: ReviewComment, actor: Account): void {
  repository.reviewComments.delete(comment.id);
  tellOf(core, repository, comment, actor, 'deleted', {});
}

function tellOf(
  core: Core,
  repository: Repository,
  comment: ReviewComment,
  sender: Account,
  action: 'edited' | 'deleted',
  more: Json,
): void {
  const issue = repository.issues.get(comment.number);
  if (!issue) throw new Error(`there is no pull request ${comment.number}`);
  reviewCommentEvent({ core, repository, sender }, action, wirePullSimple(core, repository, issue), comment, more);
  core.changed({ repository: fullName(repository), what: 'review' });
}

export function replyTo(
  core: Core,
  repository: Repository,
  issue: Issue,
  actor: Account,
  to: ReviewComment,
  body: string,
): ReviewComment {
  // Replies to replies hang on the first comment, as GitHub has it.
  const first = repository.reviewComments.get(to.inReplyTo ?? to.id) ?? to;
  const comment = {
    path: first.path,
    line: first.line ?? undefined,
    startLine: first.startLine ?? undefined,
    side: first.side,
    body,
  };
  checkBody('PullRequestReviewComment', body);
  return publish(core, repository, issue, actor, comment, first.diffHunk, first.id);
}

function publish(
  core: Core,
  repository: Repository,
  issue: Issue,
  actor: Account,
  comment: NewReviewComment & { commit?: string | undefined },
  hunk: string,
  inReplyTo: number | null,
): ReviewComment {
  const commit = comment.commit ?? pullOf(issue).headSha;
  const review: Review = {
    id: core.ids.next(),
    number: issue.number,
    author: actor.login,
    state: 'COMMENTED',
    body: '',
    commit,
    submittedAt: core.now(),
  };
  repository.reviews.set(review.id, review);
  const added = store(core, repository, { review, actor, comment, hunk, inReplyTo });
  issue.updatedAt = core.now();
  const place = { core, repository, sender: actor };
  const wired = wirePullSimple(core, repository, issue);
  reviewEvent(place, 'submitted', wired, review);
  reviewCommentEvent(place, 'created', wired, added);
  core.changed({ repository: fullName(repository), what: 'review' });
  return added;
}

function store(
  core: Core,
  repository: Repository,
  given: { review: Review; actor: Account; comment: NewReviewComment; hunk: string; inReplyTo?: number | null },
): ReviewComment {
  const { review, comment } = given;
  const now = core.now();
  const added: ReviewComment = {
    id: core.ids.next(),
    number: review.number,
    review: review.id,
    author: given.actor.login,
    body: comment.body,
    path: comment.path,
    line: comment.line ?? null,
    startLine: comment.startLine ?? null,
    side: comment.side ?? 'RIGHT',
    commit: review.commit,
    diffHunk: given.hunk,
    inReplyTo: given.inReplyTo ?? null,
    createdAt: now,
    updatedAt: now,
  };
  repository.reviewComments.set(added.id, added);
  return added;
}

async function diffOf(repository: Repository, issue: Issue): Promise<FileChange[]> {
  const pull = pullOf(issue);
  return await changesBetween(repository, await mergeBase(repository, pull.baseSha, pull.headSha), pull.headSha);
}

/** The hunk up to the line that a comment is about, or what of the comment is not in the diff. */
function hunkAt(diff: readonly FileChange[], comment: NewReviewComment): { text: string } | 'path' | 'line' {
  const change = diff.find(({ path }) => path === comment.path);
  if (!change) return 'path';
  if (comment.line === undefined) return { text: change.patch?.split('\n')[0] ?? '' };
  let hunk: string[] = [];
  let [left, right] = [0, 0];
  for (const text of (change.patch ?? '').split('\n')) {
    const [, from, to] = /^@@ -(\d+)(?:,\d+)? \+(\d+)(?:,\d+)? @@/.exec(text) ?? [];
    if (from !== undefined && to !== undefined) {
      hunk = [text];
      [left, right] = [Number(from) - 1, Number(to) - 1];
      continue;
    }
    hunk.push(text);
    if (!text.startsWith('+')) left += 1;
    if (!text.startsWith('-')) right += 1;
    const isHere =
      comment.side === 'LEFT' ? left === comment.line && !text.startsWith('+') : right === comment.line && !text.startsWith('-');
    if (isHere && !text.startsWith('\\')) return { text: hunk.join('\n') };
  }
  return 'line';
}
