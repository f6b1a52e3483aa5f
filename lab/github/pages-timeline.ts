import type { Commit } from './commits.ts';
import type { Issue, Pull, Review, ReviewComment } from './model.ts';
import { excerpt } from './pages-diff.ts';
import { ago, type Html, html, icon } from './pages-html.ts';
import { commentBox, firstComment, said } from './pages-issues.ts';
import { avatar, form, type RepositoryVisit, who, written } from './pages-layout.ts';
import { titleText } from './pages-markdown.ts';
import { changed, changeForms, reactionsTo } from './pages-said.ts';
import { commentsOf } from './wire-issues.ts';

/** What has happened to a pull request, oldest first. */

interface Item {
  at: number;
  html: Html;
}

export function timeline(visit: RepositoryVisit, issue: Issue, pull: Pull, commits: readonly Commit[]): Html {
  const { repository } = visit;
  const of = <T extends { number: number }>(all: Iterable<T>) => [...all].filter(({ number }) => number === issue.number);
  const reviews = of(repository.reviews.values()).flatMap((review): Item[] => {
    const comments = of(repository.reviewComments.values()).filter((comment) => comment.review === review.id);
    return reviewItem(visit, issue, review, comments);
  });
  const items: Item[] = [
    ...commits.map((commit): Item => ({ at: Math.max(commit.committer.at, issue.createdAt), html: commitLine(visit, commit) })),
    ...commentsOf(repository, issue.number).map((comment) => ({ at: comment.createdAt, html: commentBox(visit, comment) })),
    ...reviews,
    ...ending(visit, issue, pull),
  ];
  return html`${firstComment(visit, issue)}${items.toSorted((one, other) => one.at - other.at).map((item) => item.html)}`;
}

function commitLine({ base }: RepositoryVisit, { sha, author, message }: Commit): Html {
  return html`<div class="event">${icon('commit', 'mark')} ${avatar(author.name, 'small')} <a class="subject" href="${base}/commit/${sha}">${titleText(
    message.split('\n')[0] ?? '',
  )}</a><a class="sha end" href="${base}/commit/${sha}"><code>${sha.slice(0, 7)}</code></a></div>`;
}

const DID = {
  APPROVED: 'approved these changes',
  CHANGES_REQUESTED: 'requested changes',
  COMMENTED: 'reviewed',
  DISMISSED: 'had a review dismissed',
} as const;
const SHAPES = { APPROVED: 'check', CHANGES_REQUESTED: 'cross', COMMENTED: 'eye', DISMISSED: 'skip' } as const;

function reviewItem(visit: RepositoryVisit, issue: Issue, review: Review, comments: readonly ReviewComment[]): Item[] {
  const { core } = visit;
  const { state } = review;
  // Answers hang below what they answer, pending reviews are not for others.
  const own = comments.filter(({ inReplyTo }) => inReplyTo === null);
  if (state === 'PENDING' || (state === 'COMMENTED' && review.body === '' && own.length === 0)) return [];
  const at = review.submittedAt ?? 0;
  const line = html`<div class="event" id="pullrequestreview-${review.id}">${icon(SHAPES[state], `mark ${state.toLowerCase()}`)} ${avatar(
    review.author,
    'small',
  )} ${who(review.author)} ${DID[state]} <span class="soft">${ago(at, core.now())}</span></div>`;
  const text =
    review.body !== '' &&
    said(visit, {
      id: `review-${review.id}`,
      author: review.author,
      at,
      did: 'left a comment',
      text: written(visit, review.body),
      of: {
        subject: `review/${review.id}`,
        author: review.author,
        body: review.body,
        edit: review.edit,
        address: `${visit.base}/pull/${issue.number}`,
      },
    });
  return [{ at, html: html`${line}${text}${own.map((comment) => threadOf(visit, issue, comment))}` }];
}

/** A comment on a line with its answers, below the lines it is about. */
function threadOf(visit: RepositoryVisit, issue: Issue, comment: ReviewComment): Html {
  const isOld = comment.commit !== issue.pull?.headSha;
  return html`<div class="thread box"><div class="head"><span class="path">${comment.path}</span>${
    comment.line !== null && html` <span class="soft">line ${comment.line}</span>`
  }${isOld && html` <span class="pill warn">Outdated</span>`}</div>${excerpt(comment)}${discussion(visit, issue, comment, `${comment.id}`)}</div>`;
}

/** The comment and its answers with a form for one more. Texts of ids end with `place`: a page may show it twice. */
export function discussion(visit: RepositoryVisit, issue: Issue, comment: ReviewComment, place: string): Html {
  const { core, repository, base } = visit;
  const answers = [...repository.reviewComments.values()].filter(({ inReplyTo }) => inReplyTo === comment.id);
  const one = ({ id, author, body, createdAt, edit }: ReviewComment) => {
    const of = { subject: `review_comment/${id}`, author, body, edit, address: `${base}/pull/${issue.number}` };
    return html`<div class="remark" id="discussion_r${id}">${avatar(author, 'small')}<div>${who(author)} <span class="soft">${ago(
      createdAt,
      core.now(),
    )}</span>${changed(visit, edit)}${written(visit, body)}${reactionsTo(visit, of.subject)}${changeForms(visit, of)}</div></div>`;
  };
  return html`<div class="discussion">${[comment, ...answers].map(one)}
<details class="answer"><summary>Reply…</summary>${form(
    `${base}/pull/${issue.number}/reply`,
    html`<input type="hidden" name="to" value="${comment.id}"><textarea id="reply-${place}" name="body" rows="2" aria-label="Reply"></textarea>
<p class="buttons"><button class="good">Reply</button></p>`,
  )}</details></div>`;
}

function ending({ core, base }: RepositoryVisit, issue: Issue, pull: Pull): Item[] {
  const line = (at: number, shape: 'merged' | 'closed', by: string, text: Html): Item => ({
    at,
    html: html`<div class="event">${icon(shape, `mark ${shape}`)} ${avatar(by, 'small')} ${who(by)} ${text} <span class="soft">${ago(
      at,
      core.now(),
    )}</span></div>`,
  });
  if (pull.mergedAt !== null && pull.mergedBy !== null) {
    const commit =
      pull.mergeCommit !== null &&
      html`commit <a href="${base}/commit/${pull.mergeCommit}"><code>${pull.mergeCommit.slice(0, 7)}</code></a> `;
    return [line(pull.mergedAt, 'merged', pull.mergedBy, html`merged ${commit}into <code class="ref">${pull.baseRef}</code>`)];
  }
  if (issue.closedAt === null || issue.closedBy === null) return [];
  return [line(issue.closedAt, 'closed', issue.closedBy, html`closed this`)];
}
