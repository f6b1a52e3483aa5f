import { RequestError } from '@octokit/request-error';
import { z } from 'zod';
import type { Place } from './place.ts';
import { bounded, type Client } from './requests.ts';
import { commentSchema, issueSchema, lineCommentSchema, reviewSchema } from './talk-payloads.ts';
import { commentSaid, issueSaid, lineCommentSaid, numberAt, reviewSaid, type Said } from './talk-said.ts';

/** How far one of the lists of a repository has been read. */
export interface Cursor {
  /** ISO 8601: what was changed from then on is asked for. */
  since: string;
  /** Of the last answer to just this question: it counts as no request while the answer stays the same. */
  etag: string | undefined;
}

const perPage = 100;
/** In one look; the next goes on from there. */
const mostPages = 5;

const lists = {
  issues: { route: 'GET /repos/{owner}/{repo}/issues', more: { state: 'all' } },
  comments: { route: 'GET /repos/{owner}/{repo}/issues/comments', more: {} },
  lines: { route: 'GET /repos/{owner}/{repo}/pulls/comments', more: {} },
} as const;
export type ListName = keyof typeof lists;
export const listNames: readonly ListName[] = ['issues', 'comments', 'lines'];

const entry = z.looseObject({ updated_at: z.string() });

/** What was changed in a list, oldest change first, and where to go on. */
export async function readList(
  client: Client,
  place: Place,
  name: ListName,
  cursor: Cursor,
): Promise<{ entries: unknown[]; cursor: Cursor }> {
  const { route, more } = lists[name];
  const entries: unknown[] = [];
  let { since, etag } = cursor;
  let page = 1;
  for (let read = 0; read < mostPages; read += 1) {
    const known: Record<string, string> = etag === undefined ? {} : { 'if-none-match': etag };
    const options = { ...place, ...more, since, sort: 'updated', direction: 'asc', per_page: perPage, page } as const;
    const answer = await unlessUnchanged(client.request(route, { ...options, headers: { ...place.headers, ...known } }));
    if (answer === undefined) break;
    const found = z.array(entry).parse(answer.data);
    entries.push(...found);
    const last = found.at(-1)?.updated_at;
    const goesOn = last !== undefined && Date.parse(last) > Date.parse(since);
    // From the newest on, not by pages: what is changed meanwhile would move others to a page that was read already.
    etag = goesOn || page > 1 ? undefined : answer.headers.etag;
    if (goesOn) since = last;
    page = goesOn ? 1 : page + 1;
    if (found.length < perPage) break;
  }
  return { entries, cursor: { since, etag } };
}

/** What an entry of a list says. */
export function entrySaid(name: ListName, given: unknown): Said | undefined {
  if (name === 'issues') {
    const issue = issueSchema.safeParse(given).data;
    return issue && issueSaid(issue, issue.pull_request === undefined ? 'issue' : 'pull');
  }
  if (name === 'comments') {
    const comment = commentSchema.safeParse(given).data;
    const number = numberAt(comment?.issue_url);
    if (comment === undefined || number === undefined) return undefined;
    return commentSaid(comment, number, comment.html_url?.includes('/pull/') === true ? 'pull' : 'issue');
  }
  const comment = lineCommentSchema.safeParse(given).data;
  const number = numberAt(comment?.pull_request_url);
  return comment === undefined || number === undefined ? undefined : lineCommentSaid(comment, number);
}

/** The bodies of the reviews of a pull request. There is no list of those of a repository. */
export async function readReviews(client: Client, place: Place, number: number): Promise<Said[]> {
  const path = 'GET /repos/{owner}/{repo}/pulls/{pull_number}/reviews';
  const all = await client.paginate(path, { ...place, pull_number: number, per_page: perPage }, bounded());
  return all.flatMap((given) => {
    const review = reviewSchema.safeParse(given).data;
    const said = review && reviewSaid(review, number);
    return said === undefined ? [] : [said];
  });
}

interface ListAnswer {
  data: unknown;
  headers: { etag?: string | undefined };
}

async function unlessUnchanged(answer: Promise<ListAnswer>): Promise<ListAnswer | undefined> {
  try {
    return await answer;
  } catch (error) {
    if (error instanceof RequestError && error.status === 304) return undefined;
    throw error;
  }
}
