import { recordAudit } from '../store/audit.ts';
import type { Tx } from '../store/database.ts';
import { type InteractionRecord, settleInteraction } from '../store/interactions.ts';
import { appendEvents } from '../store/run-events.ts';
import { runById } from '../store/runs.ts';
import type { TaskRecord } from '../store/tasks.ts';
import { system } from '../tasks/advance.ts';
import { cancelledResult, endRun } from '../tasks/end-run.ts';
import { isOver } from './deadlines.ts';
import { expiredText } from './expired-text.ts';
import { interactionTransition } from './interaction-state.ts';
import { isAgents, settleForAgent } from './settle-agent.ts';

/** Lets a request whose time is over count as no: a command ends with it, an agent is told and goes on. The caller holds the lock of the task. False: it was settled before. */
export async function expireInteraction(tx: Tx, task: TaskRecord, interaction: InteractionRecord, at: Date): Promise<boolean> {
  if (!interactionTransition(interaction.state, 'expire').ok || !isOver(interaction, at)) return false;
  if (!(await settleInteraction(tx, interaction.id, 'expired', { decidedAt: at }))) return false;
  const run = await runById(tx, interaction.run);
  if (run === undefined) throw new Error(`interaction ${interaction.id} has no run`);
  const decided = { type: 'interaction_decided', interaction: interaction.id, state: 'expired' } as const;
  const actor = system('watchdog');
  if (interaction.action.type === 'publish') {
    // The change stays where it is; asking again is one press.
    await appendEvents(tx, { run: run.id, actor, at, events: [decided] });
  } else if (isAgents(interaction)) {
    await settleForAgent(tx, { task, run, interaction: interaction.id, decided, actor, at });
  } else {
    const result = cancelledResult('expired', expiredText(interaction));
    await endRun(tx, { task, run, result, actor, at, before: [decided] });
  }
  await recordAudit(tx, {
    workspace: task.workspace,
    action: 'approval.expired',
    subject: interaction.id,
    data: { task: task.id, run: interaction.run, hash: interaction.actionHash },
  });
  return true;
}
