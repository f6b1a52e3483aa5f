import { membersAbout } from '../access/role-about.ts';
import { decidesAtLeast } from '../contracts/permissions.ts';
import type { Policy } from '../contracts/policy.ts';
import type { Role } from '../contracts/roles.ts';
import { recordAudit } from '../store/audit.ts';
import type { Tx } from '../store/database.ts';
import { type InteractionRecord, noteEscalation } from '../store/interactions.ts';
import { appendEvents } from '../store/run-events.ts';
import type { TaskRecord } from '../store/tasks.ts';
import { system } from '../tasks/advance.ts';
import { isOver } from './deadlines.ts';

/**
 * Asks people with a stronger role besides, because nobody has decided for too long. Where people are named they may decide too from now on; what
 * else must hold stays as it is. The caller holds the lock of the task. Does nothing the second time.
 */
export async function escalateInteraction(tx: Tx, task: TaskRecord, interaction: InteractionRecord, at: Date): Promise<void> {
  const { escalateAt, escalateTo: to } = interaction;
  if (escalateAt === null || to === null || at < escalateAt || isOver(interaction, at)) return;
  const approvers = await withRole(tx, task, interaction.approvers, to);
  if (!(await noteEscalation(tx, interaction.id, approvers, at))) return;
  await appendEvents(tx, {
    run: interaction.run,
    actor: system('watchdog'),
    at,
    events: [{ type: 'interaction_escalated', interaction: interaction.id, to }],
  });
  await recordAudit(tx, {
    workspace: task.workspace,
    action: 'approval.escalated',
    subject: interaction.id,
    data: { task: task.id, run: interaction.run, to, people: approvers.people },
  });
}

async function withRole(
  tx: Tx,
  { workspace, project }: TaskRecord,
  approvers: Policy['approvers'],
  to: Role,
): Promise<Policy['approvers']> {
  if (approvers.people.length === 0 && (approvers.teams ?? []).length === 0) return approvers;
  const asked = (await membersAbout(tx, workspace, project))
    .filter((person) => decidesAtLeast(person, to))
    .map(({ user }) => user);
  return { ...approvers, people: [...new Set([...approvers.people, ...asked])] };
}
