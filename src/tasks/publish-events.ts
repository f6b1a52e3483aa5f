import { describeError } from '../contracts/errors.ts';
import type { PublicationState } from '../contracts/publication.ts';
import type { PublishProblem } from '../contracts/publish-control.ts';
import type { Actor, RunEventData } from '../contracts/run-event.ts';
import { recordAudit } from '../store/audit.ts';
import type { Tx } from '../store/database.ts';
import type { PublicationRecord } from '../store/publications.ts';
import { appendEvents } from '../store/run-events.ts';

/** Says in the log of the run how far its change has been brought out. */
export async function tellPublication(
  tx: Tx,
  publication: PublicationRecord,
  now: { state: PublicationState; url?: string | undefined; problem?: PublishProblem | undefined; retryAt?: Date | undefined },
  actor: Actor,
  at: Date,
  after: readonly RunEventData[] = [],
): Promise<void> {
  const { id, what, branch, commit } = publication;
  const { state, url, problem, retryAt } = now;
  const event: RunEventData = {
    type: 'publication',
    publication: id,
    what,
    state,
    branch,
    commit,
    ...(url === undefined ? {} : { url }),
    ...(problem === undefined ? {} : { problem: problemText(problem) }),
    ...(retryAt === undefined ? {} : { retryAt: retryAt.toISOString() }),
  };
  await appendEvents(tx, { run: publication.run, actor, at, events: [event, ...after] });
}

/** What has been brought out, by its tree. */
export async function auditPublication(
  tx: Tx,
  { workspace, id, task, run, what, remote, branch, commit, tree, interaction }: PublicationRecord,
  action: 'publication.pushed' | 'publication.opened' | 'publication.failed',
  problem?: PublishProblem,
): Promise<void> {
  const data = {
    task,
    run,
    what,
    remote,
    branch,
    commit,
    tree,
    interaction,
    ...(problem === undefined ? {} : { code: problem.code }),
  };
  await recordAudit(tx, { workspace, action, subject: id, data });
}

/** What happened, what to do, and the code at the end. */
export function problemText({ code, params }: PublishProblem): string {
  const { text, remedy } = describeError(code, params);
  return `${text} ${remedy} ${code}`;
}
