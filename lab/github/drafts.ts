import { GithubApiError } from './api-error.ts';
import { type Core, fullName } from './core.ts';
import { pullEvent } from './events.ts';
import type { Account, Issue, Repository } from './model.ts';
import { pullOf } from './wire-pulls.ts';

/** Marks a pull request as ready for review, or as a draft again; nothing happens when it is that already. */
export async function setDraft(
  core: Core,
  repository: Repository,
  issue: Issue,
  actor: Account,
  isDraft: boolean,
): Promise<void> {
  const pull = pullOf(issue);
  if (issue.state !== 'open') throw new GithubApiError(422, 'Pull request is closed');
  if (pull.draft === isDraft) return;
  pull.draft = isDraft;
  issue.updatedAt = core.now();
  await pullEvent({ core, repository, sender: actor }, isDraft ? 'converted_to_draft' : 'ready_for_review', issue);
  core.changed({ repository: fullName(repository), what: 'pull' });
}
