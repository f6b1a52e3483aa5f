import type { CommandAction } from '../contracts/policy.ts';
import type { RunEventData } from '../contracts/run-event.ts';
import { recordAudit } from '../store/audit.ts';
import type { Tx } from '../store/database.ts';
import { createInteraction, interactionsOfRun, settleInteraction } from '../store/interactions.ts';
import type { RunRecord } from '../store/runs.ts';
import type { TaskRecord } from '../store/tasks.ts';
import { advanceRun, advanceTask, system } from '../tasks/advance.ts';
import { cancelledResult, endRun } from '../tasks/end-run.ts';
import { actionHash } from './action.ts';
import { somebodyMayDecide, whoMayDecide } from './approvers.ts';
import { deadlines } from './deadlines.ts';
import { termsFor } from './demands.ts';
import { followWhereItCounts } from './follow.ts';
import { interactionTransition } from './interaction-state.ts';
import { policyOf } from './judge-task.ts';

export interface ApprovalRequest {
  task: TaskRecord;
  run: RunRecord;
  /** Exactly what will run when it is approved. */
  action: CommandAction;
  because: string;
  risks: readonly string[];
  at: Date;
}

/**
 * Asks for an approval and parks the run: it waits without holding a place. A request of the run that still waits is superseded. Where
 * nobody could approve, the run ends instead (promise 7: no approver means no).
 */
export async function openApproval(tx: Tx, request: ApprovalRequest): Promise<'opened' | 'no_approver'> {
  const { task, run, action, because, risks, at } = request;
  const terms = termsFor(policyOf(task), action);
  const who = { workspace: task.workspace, project: task.project, approvers: terms.approvers, requester: run.requestedBy };
  if (!(await somebodyMayDecide(tx, who))) {
    const message = `It needs an approval (${because}), and there is nobody who may give one. ${await whoMayDecide(tx, who)}`;
    await endRun(tx, { task, run, result: cancelledResult('no_approver', message), actor: system('gateway'), at });
    await audit(tx, task, run.id, 'approval.no_approver', { because });
    return 'no_approver';
  }
  const superseded = await supersedePending(tx, run.id, at);
  const hash = actionHash(action);
  const interaction = await createInteraction(tx, {
    workspace: task.workspace,
    task: task.id,
    run: run.id,
    action,
    actionHash: hash,
    because,
    risks,
    approvers: terms.approvers,
    requester: run.requestedBy,
    ...deadlines(terms, at),
  });
  await advanceRun(tx, {
    run,
    event: 'park',
    actor: system('gateway'),
    at,
    reason: because,
    before: superseded,
    after: [{ type: 'interaction_opened', interaction: interaction.id, kind: 'approval' }],
    set: { dispatchedAt: null, runnerId: null, sandboxKind: null },
  });
  await advanceTask(tx, task, 'block', at, because);
  await followWhereItCounts(tx, task, terms.approvers, at);
  await audit(tx, task, interaction.id, 'approval.opened', { run: run.id, hash, command: action.command });
  return 'opened';
}

async function supersedePending(tx: Tx, run: string, at: Date): Promise<RunEventData[]> {
  const events: RunEventData[] = [];
  for (const { id, state } of await interactionsOfRun(tx, run)) {
    const transition = interactionTransition(state, 'supersede');
    if (!transition.ok || !(await settleInteraction(tx, id, 'superseded', { decidedAt: at }))) continue;
    events.push({ type: 'interaction_decided', interaction: id, state: 'superseded' });
  }
  return events;
}

async function audit(tx: Tx, task: TaskRecord, subject: string, action: string, data: Record<string, string>): Promise<void> {
  await recordAudit(tx, { workspace: task.workspace, action, subject, data: { task: task.id, ...data } });
}
