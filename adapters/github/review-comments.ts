import type { Repository, ReviewComment } from '../../src/contracts/code-host.ts';
import type { At } from './place.ts';
import { bounded, type Client } from './requests.ts';

/**
 * What reviewers wrote: bodies of reviews that are no approval, and comments at lines. A comment at a line that has changed since has no
 * line any more; whether a conversation is resolved is not told by REST.
 */
export async function reviewComments(
  client: Client,
  at: At,
  { repository, number, since }: { repository: Repository; number: number; since: Date | undefined },
  signal: AbortSignal | undefined,
): Promise<ReviewComment[]> {
  return await at('read the reviews', repository, 'pulls', signal, async (place) => {
    const of = { ...place, pull_number: number, per_page: 100 };
    const [reviews, comments] = await Promise.all([
      client.paginate('GET /repos/{owner}/{repo}/pulls/{pull_number}/reviews', of, bounded()),
      client.paginate(
        'GET /repos/{owner}/{repo}/pulls/{pull_number}/comments',
        { ...of, sort: 'created', direction: 'asc', ...(since === undefined ? {} : { since: since.toISOString() }) },
        bounded(),
      ),
    ]);
    const wholes = reviews.flatMap(({ id, user, body, state, html_url, submitted_at }): ReviewComment[] => {
      const asks = state === 'CHANGES_REQUESTED' || state === 'COMMENTED';
      if (!asks || body.trim() === '' || submitted_at === undefined) return [];
      const found = { id: `review-${id}`, by: user?.login ?? 'ghost', path: null, line: null, text: body };
      return [{ ...found, url: html_url, at: new Date(submitted_at) }];
    });
    const lines = comments.map(
      ({ id, user, body, path, line, html_url, created_at }): ReviewComment => ({
        id: `comment-${id}`,
        by: user?.login ?? 'ghost',
        path,
        line: line ?? null,
        text: body,
        url: html_url,
        at: new Date(created_at),
      }),
    );
    return (
      [...wholes, ...lines]
        // The times of GitHub have no milliseconds: what was said in the same second may have been said after it.
        .filter(({ at: said }) => since === undefined || said.getTime() >= Math.floor(since.getTime() / 1000) * 1000)
        .sort((one, other) => one.at.getTime() - other.at.getTime())
    );
  });
}
