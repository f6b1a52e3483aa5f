import { countWork, timedFrom } from '../budgets/work.ts';
import type { Actor, RunEventData } from '../contracts/run-event.ts';
import type { Tx } from '../store/database.ts';
import { changeRun, type RunChange, type RunRecord } from '../store/runs.ts';
import type { TaskRecord } from '../store/tasks.ts';
import { followAttempts } from './attempts.ts';
import { checkKept } from './kept.ts';
import { moveCard } from './move-card.ts';
import { type RunEventName, runTransition } from './run-state.ts';
import { type TaskEventName, taskTransition } from './task-state.ts';

/** The program itself as the cause of an event. */
export function system(part: 'gateway' | 'runner' | 'watchdog'): Actor {
  return { type: 'system', part };
}

/** A person as the cause of an event. */
export function personActor(person: { user: string; name: string }): Actor {
  return { type: 'user', user: person.user, name: person.name };
}

export interface Advance {
  run: RunRecord;
  event: RunEventName;
  actor: Actor;
  at: Date;
  /** Why, in the lifecycle event. */
  reason?: string | undefined;
  /** Events before and after the lifecycle event, in the same commit. */
  before?: readonly RunEventData[];
  after?: readonly RunEventData[];
  set?: RunChange['set'];
}

/**
 * Moves a run as the state machine says, and appends the lifecycle event. The caller holds the lock of the task and has read the run
 * under it; a move that is not possible is therefore a mistake of the program, not a race.
 */
export async function advanceRun(tx: Tx, { run, event, actor, at, reason, before, after, set }: Advance): Promise<RunRecord> {
  const transition = runTransition(run.state, event);
  if (!transition.ok) throw new Error(`run ${run.id} in ${run.state} cannot ${event}: ${transition.reason}`);
  const lifecycle: RunEventData = { type: 'lifecycle', from: run.state, to: transition.to, reason };
  const events = [...(before ?? []), lifecycle, ...(after ?? [])];
  const timed = timedFrom(run.state, transition.to, at);
  const moved = await changeRun(tx, {
    run: run.id,
    from: run.state,
    to: transition.to,
    actor,
    events,
    at,
    set: { ...set, ...timed },
  });
  if (!moved) throw new Error(`run ${run.id} left ${run.state} without the lock of its task`);
  if (timed.timedUntil === null) await countWork(tx, run, at);
  return { ...run, state: transition.to, ...timed };
}

/**
 * Moves the card of a task. `reason`: why it is there, for people; null when the column says it all. While attempts at it go on side by side
 * the card is where all of them together belong.
 */
export async function advanceTask(
  tx: Tx,
  task: TaskRecord,
  event: TaskEventName,
  at: Date,
  reason: string | null = null,
): Promise<TaskRecord> {
  if (task.comparison === 'running') return await followAttempts(tx, task.id, at, reason);
  const transition = taskTransition(task.column, event);
  if (!transition.ok) throw new Error(`task ${task.id} in ${task.column} cannot ${event}: ${transition.reason}`);
  if (event === 'enqueue') await checkKept(tx, task);
  return await moveCard(tx, task, { to: transition.to, reason, at });
}
