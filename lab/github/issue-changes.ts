import type { Json } from '../slack/json.ts';
import { invalidField, validationFailed } from './api-error.ts';
import { type Core, fullName } from './core.ts';
import { issueEvent, pullEvent } from './events.ts';
import { baseTip } from './mergeability.ts';
import type { Account, Issue, Repository } from './model.ts';
import { closeIssue, closePull, reopenIssue, reopenPull } from './pulls.ts';

/** Editing issues and pull requests. */

export interface IssueChange {
  title?: string | undefined;
  body?: string | null | undefined;
  state?: 'open' | 'closed' | undefined;
  reason?: 'completed' | 'not_planned' | undefined;
  labels?: readonly string[] | undefined;
  assignees?: readonly string[] | undefined;
  /** Of pull requests. */
  base?: string | undefined;
}

/** Throws 422 for an empty title, a base that is not there, and a pull request that cannot be opened again. */
export async function changeIssue(
  core: Core,
  repository: Repository,
  issue: Issue,
  actor: Account,
  change: IssueChange,
): Promise<void> {
  const resource = issue.pull ? 'PullRequest' : 'Issue';
  if (change.title !== undefined && change.title.trim() === '')
    throw validationFailed({ resource, field: 'title', code: 'missing_field' });
  if (change.base !== undefined && !repository.refs.has(`refs/heads/${change.base}`)) throw invalidField(resource, 'base');
  const changes = edit(repository, issue, change);
  if (Object.keys(changes).length > 0) {
    issue.updatedAt = core.now();
    if ('body' in changes) issue.edit = { by: actor.login, at: issue.updatedAt };
    const place = { core, repository, sender: actor };
    if (issue.pull) await pullEvent(place, 'edited', issue, { changes });
    else issueEvent(place, 'edited', issue, { changes });
    core.changed({ repository: fullName(repository), what: 'issue' });
  }
  if (change.state === undefined || change.state === issue.state) return;
  if (issue.pull) await (change.state === 'closed' ? closePull : reopenPull)(core, repository, issue, actor);
  else if (change.state === 'closed') closeIssue(core, repository, issue, actor, change.reason ?? 'completed');
  else reopenIssue(core, repository, issue, actor);
}

/** Takes an issue away with all that was said in it; administrators may. */
export function deleteIssue(core: Core, repository: Repository, issue: Issue, actor: Account): void {
  if (issue.pull) throw new Error('a pull request cannot be deleted');
  issueEvent({ core, repository, sender: actor }, 'deleted', issue);
  for (const { id, number } of repository.comments.values()) if (number === issue.number) repository.comments.delete(id);
  repository.issues.delete(issue.number);
  core.changed({ repository: fullName(repository), what: 'issue' });
}

/** What was different before, as webhooks have it. */
function edit(repository: Repository, issue: Issue, change: IssueChange): Json {
  const changes: Json = {};
  if (change.title !== undefined && change.title !== issue.title) {
    changes.title = { from: issue.title };
    issue.title = change.title;
  }
  if (change.body !== undefined && change.body !== issue.body) {
    changes.body = { from: issue.body ?? '' };
    issue.body = change.body;
  }
  const { pull } = issue;
  if (pull && change.base !== undefined && change.base !== pull.baseRef) {
    changes.base = { ref: { from: pull.baseRef }, sha: { from: pull.baseSha } };
    pull.baseRef = change.base;
    pull.baseSha = baseTip(repository, pull) ?? pull.baseSha;
  }
  // Labels and people have webhooks of their own, which the emulator does not send.
  if (change.labels) issue.labels = [...change.labels];
  if (change.assignees) issue.assignees = [...change.assignees];
  return changes;
}
