import { followWhereItCounts } from '../approvals/follow.ts';
import { firstCards } from '../delivery/thread-cards.ts';
import { pendingFrom } from '../store/decision-queries.ts';
import { putOutboxRows } from '../store/outbox.ts';
import { appendEvents } from '../store/run-events.ts';
import { lockTask } from '../store/tasks.ts';
import { personActor } from '../tasks/advance.ts';
import type { CommandContext } from './command.ts';

/** What was asked for in a private channel may be shown elsewhere from now on: what waits for a decision is, where that counts. */
export async function showWhereItCounts(ctx: CommandContext, channel: string): Promise<void> {
  const { tx, person, deps } = ctx;
  const now = deps.now();
  for (const { task: id, run, approvers } of await pendingFrom(tx, channel)) {
    const task = await lockTask(tx, id);
    if (task === undefined) continue;
    const threads = await followWhereItCounts(tx, task, approvers, now);
    if (threads.length === 0) continue;
    // With its event the cards that are there already say no longer that nobody sees it.
    const text = `${person.name} lets the request be shown where it counts.`;
    await appendEvents(tx, { run, actor: personActor(person), at: now, events: [{ type: 'note', level: 'info', text }] });
    for (const thread of threads) await putOutboxRows(tx, await firstCards(tx, { task: id, thread, now, docs: deps.errorDocs }));
  }
}
