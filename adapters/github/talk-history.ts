import { z } from 'zod';
import type { PastMessage } from '../../src/contracts/chat-adapter.ts';
import type { Conversation } from '../../src/contracts/platform.ts';
import type { At, Place } from './place.ts';
import type { Client } from './requests.ts';
import { isOwn, type Me } from './talk-events.ts';
import { delivering } from './talk-failures.ts';
import { readReviews } from './talk-lists.ts';
import { commentSchema, issueSchema, lineCommentSchema } from './talk-payloads.ts';
import { numberIn, repositoryIn } from './talk-places.ts';
import { commentSaid, issueSaid, lineCommentSaid, type Said } from './talk-said.ts';
import { shownText } from './talk-text.ts';

const perPage = 100;
const insiders = new Set(['OWNER', 'MEMBER', 'COLLABORATOR']);

/**
 * What was said in an issue or pull request before a message, oldest first: title and body, and the newest comments; of a pull request also reviews
 * and comments on lines. Deckhand does not decide whom to believe: `outside` is who neither belongs to the repository nor to its owner.
 */
export async function readHistory(
  { client, at, me }: { client: Client; at: At; me: Me },
  to: Conversation,
  before: string | undefined,
  limit: number,
): Promise<PastMessage[]> {
  const number = numberIn(to);
  const all = await delivering(false, () =>
    at('read what was said', repositoryIn(to), 'pulls', undefined, (place) => readAll(client, place, number)),
  );
  const said = all.toSorted((one, other) => Date.parse(one.createdAt) - Date.parse(other.createdAt) || rank(one) - rank(other));
  const end = before === undefined ? said.length : said.findIndex(({ message }) => message === before);
  const [opening, ...more] = said.slice(0, end < 0 ? said.length : end);
  if (opening === undefined) return [];
  return [opening, ...more.slice(-Math.max(0, limit - 1))].map((one) => past(one, me));
}

const rank = ({ message }: Said) => (message.startsWith('i') ? 0 : 1);

async function readAll(client: Client, place: Place, number: number): Promise<Said[]> {
  const { data } = await client.request('GET /repos/{owner}/{repo}/issues/{issue_number}', { ...place, issue_number: number });
  const issue = issueSchema.parse(data);
  const about = issue.pull_request === undefined ? 'issue' : 'pull';
  const found = [issueSaid(issue, about), ...(await newestComments(client, place, number, issue.comments ?? 0, about))];
  if (about === 'pull') {
    found.push(...(await readReviews(client, place, number)), ...(await newestLines(client, place, number)));
  }
  return found.flatMap((one) => (one === undefined || (one.body.trim() === '' && one.title === undefined) ? [] : [one]));
}

/** Comments come oldest first only, so that the newest are on the last pages. */
async function newestComments(
  client: Client,
  place: Place,
  number: number,
  count: number,
  about: Said['about'],
): Promise<Said[]> {
  const last = Math.max(1, Math.ceil(count / perPage));
  const found: Said[] = [];
  for (let page = Math.max(1, last - 1); page <= last; page += 1) {
    const path = 'GET /repos/{owner}/{repo}/issues/{issue_number}/comments';
    const { data } = await client.request(path, { ...place, issue_number: number, per_page: perPage, page });
    for (const given of data) {
      const comment = commentSchema.safeParse(given).data;
      const said = comment && commentSaid(comment, number, about);
      if (said !== undefined) found.push(said);
    }
  }
  return found;
}

async function newestLines(client: Client, place: Place, number: number): Promise<Said[]> {
  const path = 'GET /repos/{owner}/{repo}/pulls/{pull_number}/comments';
  const options = { ...place, pull_number: number, sort: 'created', direction: 'desc', per_page: perPage } as const;
  const { data } = await client.request(path, options);
  return z
    .array(lineCommentSchema)
    .parse(data)
    .flatMap((comment) => lineCommentSaid(comment, number) ?? []);
}

function past(said: Said, me: Me): PastMessage {
  const { message, by, createdAt, association, title, at } = said;
  const place = at === undefined ? '' : `${at.path}${at.line === undefined ? '' : `:${at.line}`}\n`;
  const text = `${title === undefined ? '' : `${title}\n\n`}${place}${shownText(said.body)}`.trim();
  return {
    message,
    at: new Date(createdAt).toISOString(),
    author: {
      user: String(by.id),
      name: by.login,
      bot: by.isBot,
      own: isOwn(said, me),
      outside: !by.isBot && !insiders.has(association ?? 'NONE'),
    },
    text: text.replaceAll('\u0000', '').toWellFormed(),
    attachments: [],
  };
}
