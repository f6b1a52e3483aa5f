import type { RunOutcome, TaskColumn } from '../contracts/states.ts';

/**
 * Which column of the board a task is in. The work moves it, a person may move it while no run is alive.
 *
 *      backlog --> queued --> running --> review --> done
 *         ^          | ^        |  |  \              ^
 *         |          v |        |  |   +-------------+   (nothing was changed)
 *         |        blocked <----+  |
 *         +------------------------+   failed, timed out, interrupted: with the reason
 *
 *      cancelled: stopped, denied, expired, or put there. Every resting column leads back to queued (retry).
 *
 * - `enqueue`: a run waits for its turn; `start`: a runner has taken it, or its agent goes on after a decision; `block`: it waits for
 *   a decision.
 * - `change` / `no_change`: it succeeded with, or without, changed files. Changed files want a look: review.
 * - `fall`: it failed, timed out or was interrupted. The card goes back to the backlog and says why; Retry queues it again.
 * - `cancel`: a person stopped it, or an approval was refused, or somebody puts the card there.
 * - `to_backlog`, `to_review`, `to_done`: a person moves the card.
 */
export type TaskEventName =
  | 'enqueue'
  | 'start'
  | 'block'
  | 'change'
  | 'no_change'
  | 'fall'
  | 'cancel'
  | 'to_backlog'
  | 'to_review'
  | 'to_done';

export type TaskTransition = { ok: true; to: TaskColumn } | { ok: false; reason: string };

type Cell = { to: TaskColumn } | string;
type Row = Record<TaskEventName, Cell>;

const noRun = 'no run is alive';
const waits = 'a run of it waits in the queue';
const runs = 'a run of it is in progress';
const decides = 'a run of it waits for a decision';

const resting: Row = {
  enqueue: { to: 'queued' },
  start: noRun,
  block: noRun,
  change: noRun,
  no_change: noRun,
  fall: noRun,
  cancel: { to: 'cancelled' },
  to_backlog: { to: 'backlog' },
  to_review: { to: 'review' },
  to_done: { to: 'done' },
};

/** Every column with every event: a new column or the reason why not. */
const table: Record<TaskColumn, Row> = {
  backlog: resting,
  queued: {
    enqueue: waits,
    start: { to: 'running' },
    block: { to: 'blocked' },
    change: waits,
    no_change: waits,
    fall: waits,
    cancel: { to: 'cancelled' },
    to_backlog: waits,
    to_review: waits,
    to_done: waits,
  },
  running: {
    enqueue: runs,
    start: runs,
    block: { to: 'blocked' },
    change: { to: 'review' },
    no_change: { to: 'done' },
    fall: { to: 'backlog' },
    cancel: { to: 'cancelled' },
    to_backlog: runs,
    to_review: runs,
    to_done: runs,
  },
  blocked: {
    enqueue: { to: 'queued' },
    start: { to: 'running' },
    block: decides,
    change: decides,
    no_change: decides,
    fall: { to: 'backlog' },
    cancel: { to: 'cancelled' },
    to_backlog: decides,
    to_review: decides,
    to_done: decides,
  },
  review: resting,
  done: resting,
  cancelled: resting,
};

export function taskTransition(column: TaskColumn, event: TaskEventName): TaskTransition {
  const cell = table[column][event];
  return typeof cell === 'string' ? { ok: false, reason: cell } : { ok: true, to: cell.to };
}

/** What the end of a run means for its task. */
export function taskEventOf(outcome: RunOutcome, filesChanged: boolean): TaskEventName {
  switch (outcome) {
    case 'succeeded':
      return filesChanged ? 'change' : 'no_change';
    case 'failed':
    case 'timed_out':
    case 'interrupted':
      return 'fall';
    case 'cancelled':
      return 'cancel';
  }
}
