import type { CommentAnswer, IssueAnswer, LineCommentAnswer, ReviewAnswer } from './talk-payloads.ts';

/** Something that a person wrote in an issue or a pull request, wherever it stands. */
export interface Said {
  /** `i12`, `c<id>`, `r<id>` or `v<id>`. */
  message: string;
  /** Of the issue or pull request. */
  number: number;
  about: 'issue' | 'pull';
  by: { id: number; login: string; isBot: boolean };
  body: string;
  /** ISO 8601. */
  createdAt: string;
  updatedAt: string;
  association: string | undefined;
  /** Under which GraphQL knows it. */
  node: string | undefined;
  /** Of an issue or pull request. */
  title?: string | undefined;
  /** Where a comment on a line stands. */
  at?: { path: string; line: number | undefined; hunk: string } | undefined;
}

type Writer = { user?: { id: number; login: string; type?: string | undefined } | null | undefined };

function byOf({ user }: Writer): Said['by'] | undefined {
  return user ? { id: user.id, login: user.login, isBot: user.type === 'Bot' } : undefined;
}

const common = (one: {
  body?: string | null | undefined;
  author_association?: string | undefined;
  node_id?: string | undefined;
}) => ({ body: one.body ?? '', association: one.author_association, node: one.node_id });

/** `undefined` for each of these: the account that wrote it is gone, or it is not to be read by others yet. */
export function issueSaid(issue: IssueAnswer, about: Said['about']): Said | undefined {
  const by = byOf(issue);
  if (by === undefined) return undefined;
  const times = { createdAt: issue.created_at, updatedAt: issue.updated_at };
  return { message: `i${issue.number}`, number: issue.number, about, by, ...common(issue), ...times, title: issue.title };
}

export function commentSaid(comment: CommentAnswer, number: number, about: Said['about']): Said | undefined {
  const by = byOf(comment);
  if (by === undefined) return undefined;
  const times = { createdAt: comment.created_at, updatedAt: comment.updated_at };
  return { message: `c${comment.id}`, number, about, by, ...common(comment), ...times };
}

export function lineCommentSaid(comment: LineCommentAnswer, number: number): Said | undefined {
  const by = byOf(comment);
  if (by === undefined) return undefined;
  const { path, line, original_line, diff_hunk: hunk = '' } = comment;
  return {
    message: `r${comment.id}`,
    number,
    about: 'pull',
    by,
    ...common(comment),
    createdAt: comment.created_at,
    updatedAt: comment.updated_at,
    at: { path, line: line ?? original_line ?? undefined, hunk },
  };
}

export function reviewSaid(review: ReviewAnswer, number: number): Said | undefined {
  const by = byOf(review);
  const at = review.submitted_at;
  if (by === undefined || at === null || at === undefined) return undefined;
  const times = { createdAt: at, updatedAt: review.updated_at ?? at };
  return { message: `v${review.id}`, number, about: 'pull', by, ...common(review), ...times };
}

/** The number at the end of an address such as `…/issues/12`. */
export function numberAt(address: string | undefined): number | undefined {
  const found = /\/(\d+)$/.exec(address ?? '')?.[1];
  return found === undefined ? undefined : Number(found);
}
