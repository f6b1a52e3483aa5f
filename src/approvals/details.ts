import type { Action } from '../contracts/policy.ts';
import { duration } from '../delivery/units.ts';
import type { Tx } from '../store/database.ts';
import { findInteraction } from '../store/interactions.ts';
import { personById } from '../store/people.ts';
import { sourceOf } from '../store/project-sync.ts';
import { taskById } from '../store/tasks.ts';
import type { InteractionDetails } from '../tasks/task-engine.ts';
import { hiddenCharacters, revealHidden } from './hidden-characters.ts';

/** The whole action, for the person who presses Details: everything that the approval is bound to, nothing cut. */
export async function approvalDetails(tx: Tx, workspace: string, secret: string): Promise<InteractionDetails | undefined> {
  const interaction = await findInteraction(tx, workspace, secret);
  const task = interaction === undefined ? undefined : await taskById(tx, interaction.task);
  if (interaction === undefined || task === undefined) return undefined;
  const { action, because, risks, requester, actionHash } = interaction;
  const person = await personById(tx, workspace, requester);
  const project = await sourceOf(tx.db, action.project);
  const hidden = hiddenCharacters(action.command);
  const lines = [
    `Command:`,
    ...revealHidden(action.command)
      .split('\n')
      .map((line) => `  ${line}`),
    ...(hidden.length === 0 ? [] : [`Hidden characters: ${hidden.join(', ')} (shown above between ⟨ and ⟩)`]),
    `Project: ${project?.project.name ?? action.project}`,
    `In: ${action.cwd}`,
    `Sandbox: ${sandboxText(action)}`,
    `Network: ${action.network === 'none' ? 'none' : 'all that the host reaches'}`,
    `Time limit: ${duration(action.timeoutMs)}`,
    `Asked by: ${person?.name ?? requester}`,
    `Asks because: ${because}`,
    `Risks: ${risks.length === 0 ? 'none noticed' : risks.join(', ')}`,
    `Bound to: sha256 ${actionHash}`,
  ];
  return { id: interaction.id, taskNumber: task.number, command: action.command, text: lines.join('\n') };
}

function sandboxText({ sandbox, image }: Action): string {
  if (sandbox === 'local') return 'none: it runs on the host, not isolated';
  return image === null ? 'container' : `container of ${image}`;
}
