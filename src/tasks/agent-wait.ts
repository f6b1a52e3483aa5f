import type { Actor, RunEventData } from '../contracts/run-event.ts';
import type { Tx } from '../store/database.ts';
import { interactionsOfRun } from '../store/interactions.ts';
import { appendEvents } from '../store/run-events.ts';
import type { RunRecord } from '../store/runs.ts';
import type { TaskRecord } from '../store/tasks.ts';
import { advanceRun, advanceTask, system } from './advance.ts';

interface Change {
  task: TaskRecord;
  run: RunRecord;
  at: Date;
  /** What has happened, in the log with the change. */
  events: readonly RunEventData[];
}

/** The agent of a run waits for a decision from now on; its runner keeps it. One that waits already only gets the events. */
export async function startWaiting(tx: Tx, { task, run, at, events, because }: Change & { because: string }): Promise<void> {
  const actor = system('gateway');
  if (run.state === 'awaiting') {
    if (events.length > 0) await appendEvents(tx, { run: run.id, actor, at, events });
    return;
  }
  await advanceRun(tx, { run, event: 'wait', actor, at, reason: because, after: events });
  await advanceTask(tx, task, 'block', at, because);
}

/**
 * Something that an agent waits for is settled. When nothing else is, its run goes on: with its runner, or, where that has let go of it,
 * in the queue. `run` has the settings that hold from now on. True when it goes on.
 */
export async function stopWaiting(tx: Tx, { task, run, at, events, actor }: Change & { actor: Actor }): Promise<boolean> {
  const waits = (await interactionsOfRun(tx, run.id)).some(({ state }) => state === 'pending');
  // Whoever asks may look again: a request to a model that waited for a budget.
  tx.notify('mail', run.id);
  if (waits || run.state !== 'awaiting') {
    if (events.length > 0) await appendEvents(tx, { run: run.id, actor, at, events });
    return false;
  }
  if (run.runner === null) {
    await advanceRun(tx, { run, event: 'approve', actor, at, before: events });
    await advanceTask(tx, task, 'enqueue', at);
  } else {
    await advanceRun(tx, { run, event: run.agent?.mode === 'plan' ? 'plan' : 'execute', actor, at, before: events });
    await advanceTask(tx, task, 'start', at);
  }
  return true;
}
