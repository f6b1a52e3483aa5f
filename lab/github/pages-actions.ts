import { Refused } from '../refused.ts';
import { hasRole, roleOf } from './access.ts';
import { GithubApiError } from './api-error.ts';
import { fullName } from './core.ts';
import { createPerson } from './driver.ts';
import type { Issue, MergeMethod } from './model.ts';
import type { RepositoryVisit } from './pages-layout.ts';
import type { Verdict } from './reviews.ts';
import { moveJob } from './workflows.ts';

/** The forms of the pages. Each does what the person could do at GitHub, by the same rules; throws Refused and GithubApiError otherwise. */

export type Fields = URLSearchParams;

const text = (fields: Fields, name: string) => (fields.get(name) ?? '').replace(/\r\n?/g, '\n');

function oneOf<const T extends string>(fields: Fields, name: string, choices: readonly T[]): T {
  const given = fields.get(name) ?? '';
  const found = choices.find((choice) => choice === given);
  if (found === undefined) throw new Refused('invalid', `${name} must be one of ${choices.join(', ')}.`);
  return found;
}

function numberIn(fields: Fields, name: string): number {
  const value = Number(fields.get(name));
  if (!Number.isSafeInteger(value) || value < 1) throw new Refused('invalid', `${name} must be a number.`);
  return value;
}

/** Does what a form of an issue or pull request asks for; resolves with the path it leads to. Undefined: there is no such form. */
export async function actOn(visit: RepositoryVisit, issue: Issue, action: string, fields: Fields): Promise<string | undefined> {
  const { core, repository, base } = visit;
  const name = fullName(repository);
  const person = createPerson(core, visit.person.login);
  const { number, pull } = issue;
  const at = `${base}/${pull ? 'pull' : 'issues'}/${number}`;
  if (action === 'comment') {
    const body = text(fields, 'body');
    const also = oneOf(fields, 'also', ['', 'close', 'reopen']);
    if (body.trim() !== '' || also === '') person.comment(name, number, body);
    if (also !== '') await person.change(name, number, { state: also === 'close' ? 'closed' : 'open' });
    return `${at}#new-comment`;
  }
  if (action === 'edit' || action === 'delete') return await changeText(visit, issue, action, fields);
  if (!pull) return undefined;
  switch (action) {
    case 'review': {
      const verdict = oneOf<Verdict>(fields, 'verdict', ['COMMENT', 'APPROVE', 'REQUEST_CHANGES']);
      const { id } = await person.review(name, number, { verdict, body: text(fields, 'body') });
      return `${at}#pullrequestreview-${id}`;
    }
    case 'line': {
      const verdict = oneOf(fields, 'verdict', ['COMMENT', 'REQUEST_CHANGES']);
      const body = text(fields, 'body');
      if (body.trim() === '') throw new Refused('invalid', 'A comment on a line says something.');
      const side = oneOf(fields, 'side', ['LEFT', 'RIGHT']);
      const comment = { path: fields.get('path') ?? '', line: numberIn(fields, 'line'), side, body };
      if (verdict === 'REQUEST_CHANGES') await person.review(name, number, { verdict, comments: [comment] });
      else await person.commentOnLine(name, number, comment);
      return `${at}/files`;
    }
    case 'reply': {
      const { id } = person.replyToComment(name, numberIn(fields, 'to'), text(fields, 'body'));
      return `${at}#discussion_r${id}`;
    }
    case 'merge':
      await person.merge(name, number, { method: oneOf<MergeMethod>(fields, 'method', ['merge', 'squash', 'rebase']) });
      return at;
    case 'update':
      await person.updateBranch(name, number);
      return at;
    case 'ready':
      await person.draft(name, number, false);
      return at;
    case 'checks/start': {
      const jobs = [...new Set((fields.get('jobs') ?? '').split(',').map((job) => job.trim()))].filter((job) => job !== '');
      if (jobs.length === 0) throw new Refused('invalid', 'Name at least one check.');
      await person.startChecks(name, { branch: pull.headRef, jobs });
      return `${at}#ci`;
    }
    case 'checks/finish': {
      const job = repository.jobs.get(numberIn(fields, 'job'));
      if (!job) throw new Refused('not_found', 'That check is not there any more.');
      if (!hasRole(roleOf(repository, visit.person.login), 'write'))
        throw new Refused('not_allowed', `${visit.person.name} may not say how checks of ${name} end.`);
      await moveJob(core, repository, job, {
        conclusion: oneOf(fields, 'conclusion', ['success', 'failure']),
        log: text(fields, 'log'),
      });
      return `${at}#ci`;
    }
    default:
      return undefined;
  }
}

/** Changes or takes away what somebody wrote here, whatever kind of text it is. */
async function changeText(visit: RepositoryVisit, issue: Issue, action: 'edit' | 'delete', fields: Fields): Promise<string> {
  const { core, repository, base } = visit;
  const name = fullName(repository);
  const person = createPerson(core, visit.person.login);
  const [, kind, id] = /^(issue|comment|review_comment|review)\/(\d+)$/.exec(fields.get('subject') ?? '') ?? [];
  const number = Number(id);
  const texts = kind === 'comment' ? repository.comments : kind === 'review' ? repository.reviews : repository.reviewComments;
  if ((kind === 'issue' ? number : texts.get(number)?.number) !== issue.number)
    throw new Refused('not_found', 'That text is not there any more.');
  const body = text(fields, 'body');
  if (action === 'delete') {
    if (kind === 'comment') person.deleteComment(name, number);
    else if (kind === 'review_comment') person.deleteLineComment(name, number);
    else throw new Refused('invalid', 'Only comments can be deleted.');
  } else if (kind === 'comment') person.editComment(name, number, body);
  else if (kind === 'review_comment') person.editLineComment(name, number, body);
  else if (kind === 'review') person.editReview(name, number, body);
  else await person.change(name, number, { body });
  return `${base}/${issue.pull ? 'pull' : 'issues'}/${issue.number}`;
}

/** Opens an issue; the path of its page. */
export function openIssueBy({ core, repository, base, person }: RepositoryVisit, fields: Fields): string {
  const title = text(fields, 'title').replace(/\s+/g, ' ').trim();
  if (title === '') throw new Refused('invalid', 'An issue has a title.');
  const issue = createPerson(core, person.login).openIssue(fullName(repository), { title, body: text(fields, 'body') });
  return `${base}/issues/${issue.number}`;
}

/** Why a form is refused, in a sentence; undefined for a mistake of the emulator. */
export function refusal(error: unknown): string | undefined {
  if (error instanceof Refused) return error.message;
  if (!(error instanceof GithubApiError)) return undefined;
  const details = (error.errors ?? []).map((one) =>
    typeof one === 'string' ? one : String(one.message ?? `${one.field} is ${one.code}`),
  );
  return details.length === 0 ? error.message : details.join('; ');
}
