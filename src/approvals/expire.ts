import { duration } from '../delivery/units.ts';
import { recordAudit } from '../store/audit.ts';
import type { Tx } from '../store/database.ts';
import { type InteractionRecord, settleInteraction } from '../store/interactions.ts';
import { runById } from '../store/runs.ts';
import type { TaskRecord } from '../store/tasks.ts';
import { system } from '../tasks/advance.ts';
import { cancelledResult, endRun } from '../tasks/end-run.ts';
import { interactionTransition } from './interaction-state.ts';

/** Lets a request whose time is over count as no, and ends its run. The caller holds the lock of the task. False: it was settled before. */
export async function expireInteraction(tx: Tx, task: TaskRecord, interaction: InteractionRecord, at: Date): Promise<boolean> {
  if (!interactionTransition(interaction.state, 'expire').ok || at < interaction.expiresAt) return false;
  if (!(await settleInteraction(tx, interaction.id, 'expired', { decidedAt: at }))) return false;
  const run = await runById(tx, interaction.run);
  if (run === undefined) throw new Error(`interaction ${interaction.id} has no run`);
  await endRun(tx, {
    task,
    run,
    result: cancelledResult('expired', expiredText(interaction)),
    actor: system('watchdog'),
    at,
    before: [{ type: 'interaction_decided', interaction: interaction.id, state: 'expired' }],
  });
  await recordAudit(tx, {
    workspace: task.workspace,
    action: 'approval.expired',
    subject: interaction.id,
    data: { task: task.id, run: interaction.run, hash: interaction.actionHash },
  });
  return true;
}

export function expiredText(interaction: { openedAt: Date; expiresAt: Date }): string {
  const waited = duration(interaction.expiresAt.getTime() - interaction.openedAt.getTime());
  return `Nobody decided within ${waited}, so it counts as no.`;
}
