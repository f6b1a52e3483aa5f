import type { Json } from '../slack/json.ts';
import { type Core, installationFor } from './core.ts';
import type { Account, Comment, Issue, Repository, Review, ReviewComment } from './model.ts';
import { wireComment, wireIssue } from './wire-issues.ts';
import { wirePull } from './wire-pulls.ts';
import { wireReview, wireReviewComment } from './wire-reviews.ts';

/** The webhooks about issues, pull requests, reviews and comments. */

export interface Place {
  core: Core;
  repository: Repository;
  sender: Account;
}

function send({ core, repository, sender }: Place, event: string, action: string, payload: Json): void {
  core.send({ event, action, repository, installation: installationFor(core, repository), sender, payload });
}

export async function pullEvent(place: Place, action: string, issue: Issue, more: Json = {}): Promise<void> {
  const pull_request = await wirePull(place.core, place.repository, issue);
  send(place, 'pull_request', action, { number: issue.number, pull_request, ...more });
}

export function issueEvent(place: Place, action: string, issue: Issue, more: Json = {}): void {
  send(place, 'issues', action, { issue: wireIssue(place.core, place.repository, issue, 'webhook'), ...more });
}

export function commentEvent(
  place: Place,
  action: 'created' | 'edited' | 'deleted',
  issue: Issue,
  comment: Comment,
  more: Json = {},
): void {
  const { core, repository } = place;
  send(place, 'issue_comment', action, {
    issue: wireIssue(core, repository, issue, 'webhook'),
    comment: wireComment(core, repository, comment),
    ...more,
  });
}

/** Reviews and their comments come with a pull request as lists have it. */
export function reviewEvent(
  place: Place,
  action: 'submitted' | 'edited' | 'dismissed',
  pull: Json,
  review: Review,
  more: Json = {},
): void {
  const wired = wireReview(place.core, place.repository, review);
  const state = review.state.toLowerCase();
  send(place, 'pull_request_review', action, { pull_request: pull, review: { ...wired, state }, ...more });
}

export function reviewCommentEvent(
  place: Place,
  action: 'created' | 'edited' | 'deleted',
  pull: Json,
  comment: ReviewComment,
  more: Json = {},
): void {
  send(place, 'pull_request_review_comment', action, {
    pull_request: pull,
    comment: wireReviewComment(place.core, place.repository, comment),
    ...more,
  });
}
