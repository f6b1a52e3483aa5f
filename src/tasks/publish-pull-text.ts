import type { Tx } from '../store/database.ts';
import { interactionById } from '../store/interactions.ts';
import { personById } from '../store/people.ts';
import type { PublicationRecord } from '../store/publications.ts';
import { lastRevert, revertedBy } from '../store/reverts.ts';
import { requestsOf, resultOf } from '../store/task-changes.ts';
import { taskById } from '../store/tasks.ts';
import { pullText } from './pull-text.ts';

/** Title and body of the pull request of a publication, from what is stored about its task. */
export async function pullTextOf(tx: Tx, publication: PublicationRecord): Promise<{ title: string; body: string }> {
  const { workspace, task: id, run, origin } = publication;
  const task = await taskById(tx, id);
  const interaction = await interactionById(tx, publication.interaction);
  const result = await resultOf(tx, run);
  if (task === undefined || result === undefined) throw new Error(`publication ${publication.id} has no change`);
  const { requester, requests } = await requestsOf(tx, id, run);
  const undone = await lastRevert(tx, id, run);
  const reverts = undone?.branch === publication.branch ? await revertedBy(tx, undone.run) : undefined;
  const name = async (user: string | null | undefined) => {
    const person = user === null || user === undefined ? undefined : await personById(tx, workspace, user);
    return person?.name ?? 'somebody';
  };
  return pullText({
    number: task.number,
    title: task.title,
    kind: task.kind,
    requests: requests.length === 0 ? [task.command] : requests,
    requester: await name(requester ?? task.requester),
    approver: await name(interaction?.decidedBy),
    origin,
    result,
    issue: task.issue,
    reverts: reverts === undefined ? undefined : { ...reverts, title: reverts.facts.title },
  });
}
