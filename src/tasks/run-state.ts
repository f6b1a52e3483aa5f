import type { RunOutcome, RunState } from '../contracts/states.ts';

/**
 * What a run may become.
 *
 *               park                      park
 *           +----------+            +-------------+
 *           v          |            |             v
 *      [awaiting] -> [queued] -> [preparing] -> [executing] -> [finishing] -> succeeded
 *           | approve            claim  |  ^ |   execute          collect
 *           |                           |  | +-> [planning]
 *           |                       plan|  |         | execute
 *           v                           v  |         v
 *        cancelled       any of preparing, planning, executing, finishing:
 *                        failed, cancelled, timed_out, interrupted
 *
 * - `park`: an approval is needed first. Before the start it is asked for where possible (`queued`), else by the last check just
 *   before execution (`preparing`). A parked run holds no place; `approve` puts it back into the queue.
 * - A run that is denied, whose approval expires or that nobody may approve ends as `cancelled`; the cause tells which.
 * - `planning` belongs to agents that plan first; nothing of a plain command enters it.
 * - The five outcomes are final.
 */
export type RunEventName = 'claim' | 'park' | 'approve' | 'plan' | 'execute' | 'collect' | RunOutcome;

export type RunTransition = { ok: true; to: RunState } | { ok: false; reason: string };

const over = 'the run is over';
const notTaken = 'no runner has taken the run';
const parked = 'the run waits for a decision';
const started = 'the command has started';
const taken = 'a runner has taken the run';
const notStarted = 'the command has not started';

type Cell = { to: RunState } | string;
type Row = Record<RunEventName, Cell>;

/** Every state with every event: a new state or the reason why not. */
const table: Record<RunState, Row> = {
  queued: {
    claim: { to: 'preparing' },
    park: { to: 'awaiting' },
    approve: 'no decision is pending',
    plan: notTaken,
    execute: notTaken,
    collect: notTaken,
    succeeded: notTaken,
    failed: notTaken,
    cancelled: { to: 'cancelled' },
    timed_out: notTaken,
    interrupted: notTaken,
  },
  awaiting: {
    claim: parked,
    park: parked,
    approve: { to: 'queued' },
    plan: parked,
    execute: parked,
    collect: parked,
    succeeded: parked,
    failed: parked,
    cancelled: { to: 'cancelled' },
    timed_out: parked,
    interrupted: parked,
  },
  preparing: {
    claim: taken,
    park: { to: 'awaiting' },
    approve: 'no decision is pending',
    plan: { to: 'planning' },
    execute: { to: 'executing' },
    collect: notStarted,
    succeeded: notStarted,
    failed: { to: 'failed' },
    cancelled: { to: 'cancelled' },
    timed_out: { to: 'timed_out' },
    interrupted: { to: 'interrupted' },
  },
  planning: {
    claim: taken,
    park: { to: 'awaiting' },
    approve: 'no decision is pending',
    plan: 'the run is planning already',
    execute: { to: 'executing' },
    collect: notStarted,
    succeeded: notStarted,
    failed: { to: 'failed' },
    cancelled: { to: 'cancelled' },
    timed_out: { to: 'timed_out' },
    interrupted: { to: 'interrupted' },
  },
  executing: {
    claim: taken,
    park: started,
    approve: started,
    plan: started,
    execute: started,
    collect: { to: 'finishing' },
    succeeded: 'the results are not collected',
    failed: { to: 'failed' },
    cancelled: { to: 'cancelled' },
    timed_out: { to: 'timed_out' },
    interrupted: { to: 'interrupted' },
  },
  finishing: {
    claim: taken,
    park: started,
    approve: started,
    plan: started,
    execute: started,
    collect: 'the results are being collected',
    succeeded: { to: 'succeeded' },
    failed: { to: 'failed' },
    cancelled: { to: 'cancelled' },
    timed_out: { to: 'timed_out' },
    interrupted: { to: 'interrupted' },
  },
  succeeded: closed(),
  failed: closed(),
  cancelled: closed(),
  timed_out: closed(),
  interrupted: closed(),
};

function closed(): Row {
  return {
    claim: over,
    park: over,
    approve: over,
    plan: over,
    execute: over,
    collect: over,
    succeeded: over,
    failed: over,
    cancelled: over,
    timed_out: over,
    interrupted: over,
  };
}

export function runTransition(state: RunState, event: RunEventName): RunTransition {
  const cell = table[state][event];
  return typeof cell === 'string' ? { ok: false, reason: cell } : { ok: true, to: cell.to };
}
