import { interactionTransition } from '../approvals/interaction-state.ts';
import type { Actor, RunEventData, RunResult } from '../contracts/run-event.ts';
import type { RunCause } from '../contracts/states.ts';
import { keepHead } from '../store/attempts.ts';
import { forgetCounted } from '../store/counted-requests.ts';
import type { Tx } from '../store/database.ts';
import { interactionsOfRun, settleInteraction } from '../store/interactions.ts';
import { giveBack } from '../store/quotas.ts';
import { forgetReservations } from '../store/reservations.ts';
import { setBranch } from '../store/reverts.ts';
import { settleMessage, unreadMessages } from '../store/run-mail.ts';
import type { RunRecord } from '../store/runs.ts';
import { noteStore } from '../store/task-store.ts';
import { setBase, setHead, type TaskRecord } from '../store/tasks.ts';
import { advanceRun, advanceTask } from './advance.ts';
import { auditEnded } from './audit-runs.ts';
import { taskEventOf } from './task-state.ts';

export interface End {
  task: TaskRecord;
  run: RunRecord;
  result: RunResult;
  actor: Actor;
  at: Date;
  /** Events that come before the end in the log, e.g. the decision that caused it. */
  before?: readonly RunEventData[];
}

/**
 * Ends a run: state, terminal event, result, task column, head. Requests for decisions that still wait are cancelled with it. The
 * guard on the state makes it happen exactly once.
 */
export async function endRun(tx: Tx, { task, run, result, actor, at, before }: End): Promise<void> {
  const cancelled = [...(await cancelPending(tx, run.id, at)), ...(await dropUnread(tx, run))];
  await advanceRun(tx, {
    run,
    event: result.outcome,
    actor,
    at,
    before: [...(before ?? []), ...cancelled],
    after: [{ type: 'terminal', result }],
    set: { endedAt: at, result },
  });
  // It has not begun, so that others can.
  if (run.notBefore !== null && run.notBefore > at) await giveBack(tx, run, 'runs', 1, run.notBefore);
  await auditEnded(tx, task, run, result);
  if (run.agent !== null) {
    await forgetReservations(tx, run.id);
    await forgetCounted(tx, run.id);
  }
  if (result.commit !== undefined) {
    // Of several attempts none is the task's before it is chosen.
    if (run.variant === null) {
      await setHead(tx, task.id, result.commit);
      await noteStore(tx, task.id, run.id);
    } else await keepHead(tx, run.id, result.commit);
  }
  if (result.base !== undefined) await setBase(tx, task.id, result.base);
  if (result.branch !== undefined) await setBranch(tx, task.id, result.branch);
  const reason = result.outcome === 'succeeded' ? null : result.message;
  await advanceTask(tx, task, taskEventOf(result.outcome, result.files.length > 0), at, reason);
}

/** Requests of the run that still wait are over with it. */
export async function cancelPending(tx: Tx, run: string, at: Date): Promise<RunEventData[]> {
  const events: RunEventData[] = [];
  for (const { id, state } of await interactionsOfRun(tx, run)) {
    const transition = interactionTransition(state, 'cancel');
    if (!transition.ok || !(await settleInteraction(tx, id, 'cancelled', { decidedAt: at }))) continue;
    events.push({ type: 'interaction_decided', interaction: id, state: 'cancelled' });
  }
  return events;
}

/** Messages that the agent has not read are told to be dropped. */
async function dropUnread(tx: Tx, run: RunRecord): Promise<RunEventData[]> {
  if (run.agent === null) return [];
  const events: RunEventData[] = [];
  for (const { seq, mail } of await unreadMessages(tx, run.id)) {
    if (mail.type !== 'message' || !(await settleMessage(tx, run.id, seq, 'dropped'))) continue;
    events.push({ type: 'message_settled', message: mail.message, how: 'dropped' });
  }
  return events;
}

/** A run that ends without having run: `cancelled`, with the reason as its message. */
export function cancelledResult(cause: RunCause, message: string, durationMs = 0): RunResult {
  return { outcome: 'cancelled', cause, message, durationMs, files: [], artifacts: [] };
}
