import type { Tx } from '../store/database.ts';
import { findInteraction } from '../store/interactions.ts';
import { personById } from '../store/people.ts';
import { sourceOf } from '../store/project-sync.ts';
import { taskById } from '../store/tasks.ts';
import type { InteractionDetails } from '../tasks/task-engine.ts';
import { actionLines, actionTitle } from './action-text.ts';

/** The whole action, for the person who presses Details: everything that the decision is bound to, nothing cut. */
export async function approvalDetails(tx: Tx, workspace: string, secret: string): Promise<InteractionDetails | undefined> {
  const interaction = await findInteraction(tx, workspace, secret);
  const task = interaction === undefined ? undefined : await taskById(tx, interaction.task);
  if (interaction === undefined || task === undefined) return undefined;
  const { action, because, risks, requester, actionHash } = interaction;
  const person = await personById(tx, workspace, requester);
  const project = await sourceOf(tx.db, action.project);
  const lines = [
    ...actionLines(action, project?.project.name ?? action.project),
    `Asked by: ${person?.name ?? requester}`,
    `Asks because: ${because}`,
    `Risks: ${risks.length === 0 ? 'none noticed' : risks.join(', ')}`,
    `Bound to: sha256 ${actionHash}`,
  ];
  return { id: interaction.id, taskNumber: task.number, command: actionTitle(action), text: lines.join('\n') };
}
