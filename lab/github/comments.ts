import { validationFailed } from './api-error.ts';
import { type Core, fullName } from './core.ts';
import { commentEvent } from './events.ts';
import type { Account, Comment, Issue, Reaction, Repository } from './model.ts';

/** Comments below issues and pull requests, and reactions to whatever was written. */

const MAX_BODY = 65_536;

export function checkBody(resource: string, body: string): string {
  if (body.trim() === '') throw validationFailed({ resource, field: 'body', code: 'custom', message: "body can't be blank" });
  if (body.length > MAX_BODY)
    throw validationFailed({
      resource,
      field: 'body',
      code: 'custom',
      message: `body is too long (maximum is ${MAX_BODY} characters)`,
    });
  return body;
}

export function addComment(core: Core, repository: Repository, issue: Issue, actor: Account, body: string): Comment {
  const now = core.now();
  const comment: Comment = {
    id: core.ids.next(),
    number: issue.number,
    author: actor.login,
    body: checkBody('IssueComment', body),
    createdAt: now,
    updatedAt: now,
  };
  repository.comments.set(comment.id, comment);
  issue.updatedAt = now;
  commentEvent({ core, repository, sender: actor }, 'created', issue, comment);
  core.changed({ repository: fullName(repository), what: 'comment' });
  return comment;
}

export function editComment(core: Core, repository: Repository, comment: Comment, actor: Account, body: string): void {
  const before = comment.body;
  comment.body = checkBody('IssueComment', body);
  comment.updatedAt = core.now();
  comment.edit = { by: actor.login, at: comment.updatedAt };
  const changes = { body: { from: before } };
  commentEvent({ core, repository, sender: actor }, 'edited', issueOf(repository, comment), comment, { changes });
  core.changed({ repository: fullName(repository), what: 'comment' });
}

export function deleteComment(core: Core, repository: Repository, comment: Comment, actor: Account): void {
  repository.comments.delete(comment.id);
  commentEvent({ core, repository, sender: actor }, 'deleted', issueOf(repository, comment), comment);
  core.changed({ repository: fullName(repository), what: 'comment' });
}

function issueOf(repository: Repository, { number }: Comment): Issue {
  const issue = repository.issues.get(number);
  if (!issue) throw new Error(`there is no issue ${number}`);
  return issue;
}

/** Takes a reaction back. Nothing happens when it is not there. */
export function unreact(core: Core, repository: Repository, subject: string, actor: Account, content: string): void {
  const known = [...repository.reactions.values()].find(
    (entry) => entry.subject === subject && entry.user === actor.login && entry.content === content,
  );
  if (!known) return;
  repository.reactions.delete(known.id);
  core.changed({ repository: fullName(repository), what: 'reaction' });
}

/** The reaction, and whether it was there before. GitHub tells nobody about reactions. */
export function react(
  core: Core,
  repository: Repository,
  subject: string,
  actor: Account,
  content: string,
): { reaction: Reaction; isNew: boolean } {
  const known = [...repository.reactions.values()].find(
    (entry) => entry.subject === subject && entry.user === actor.login && entry.content === content,
  );
  if (known) return { reaction: known, isNew: false };
  const reaction: Reaction = { id: core.ids.next(), subject, user: actor.login, content, createdAt: core.now() };
  repository.reactions.set(reaction.id, reaction);
  core.changed({ repository: fullName(repository), what: 'reaction' });
  return { reaction, isNew: true };
}
