import type { Tx } from '../store/database.ts';
import { pendingOfTask, settleInteraction } from '../store/interactions.ts';
import { appendEvents } from '../store/run-events.ts';
import { system } from './advance.ts';

/**
 * Nobody is asked any more whether a change of the task is brought out: it will be another one (`superseded`), or none (`cancelled`). The
 * caller holds the lock of the task.
 */
export async function endPublishRequests(tx: Tx, task: string, state: 'superseded' | 'cancelled', at: Date): Promise<void> {
  for (const { id, run } of await pendingOfTask(tx, task, 'publish')) {
    if (!(await settleInteraction(tx, id, state, { decidedAt: at }))) continue;
    const events = [{ type: 'interaction_decided', interaction: id, state }] as const;
    await appendEvents(tx, { run, actor: system('gateway'), at, events });
  }
}
