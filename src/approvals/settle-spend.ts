import type { Actor, RunEventData } from '../contracts/run-event.ts';
import type { Tx } from '../store/database.ts';
import { interactionsOfRun, settleInteraction } from '../store/interactions.ts';
import type { RunRecord } from '../store/runs.ts';
import type { TaskRecord } from '../store/tasks.ts';
import { stopWaiting } from '../tasks/agent-wait.ts';

/**
 * Settles the requests of a run for more money that the budget of its task is enough for now (`task` has the new one). A model without a
 * known price needs one without a limit.
 */
export async function settleSpend(
  tx: Tx,
  task: TaskRecord,
  run: RunRecord,
  by: { user: string; on: string | undefined; actor: Actor; at: Date },
): Promise<void> {
  const { budgetUsd, spentUsd } = task;
  const { user, on, actor, at } = by;
  const events: RunEventData[] = [];
  for (const { id, action, state } of await interactionsOfRun(tx, run.id)) {
    if (action.type !== 'spend' || state !== 'pending') continue;
    if (budgetUsd !== null && (action.unpriced !== undefined || spentUsd >= budgetUsd)) continue;
    const set = { decidedAt: at, decidedById: user, ...(on === undefined ? {} : { decidedOn: on }), choice: 'raise' } as const;
    if (!(await settleInteraction(tx, id, 'approved', set))) continue;
    events.push({ type: 'interaction_decided', interaction: id, state: 'approved' });
  }
  if (events.length > 0) await stopWaiting(tx, { task, run, at, events, actor });
}
