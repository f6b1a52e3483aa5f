import type { RunOutcome, RunState } from '../contracts/states.ts';

/**
 * What a run may become.
 *
 *               park                      park
 *           +----------+            +-------------+
 *           v          |            |             v
 *      [awaiting] -> [queued] -> [preparing] -> [executing] -> [finishing] -> succeeded
 *           | approve            claim  |    |   execute          collect
 *           v                           |    +-> [planning] <-> [executing]     (plan, execute)
 *        cancelled                      v
 *                        any of preparing, planning, awaiting, executing, finishing:
 *                        failed, cancelled, timed_out, interrupted
 *
 *      of an agent:  [planning], [executing] -- wait --> [awaiting] -- plan, execute --> [planning], [executing]
 *                                                            | approve (after it was let go of)
 *                                                            v
 *                                                        [queued]
 *
 * - `park`: an approval is needed first. Before the start it is asked for where possible (`queued`), else by the last check just
 *   before execution (`preparing`). A parked run holds no place; `approve` puts it back into the queue.
 * - A run that is denied, whose approval expires or that nobody may approve ends as `cancelled`; the cause tells which.
 * - `planning` belongs to agents that only read and plan; nothing of a plain command enters it. They go from one to the other as
 *   their mode changes.
 * - `wait`: an agent waits for a decision. Its runner keeps the run, and goes on with it when nothing is left to decide; a run that the
 *   runner has let go of meanwhile is queued (`approve`) instead. Only a run with a runner takes the first way.
 * - A rebase or a revert runs nothing: from `preparing` it goes to `finishing` (`collect`) at once. No other run may.
 * - The five outcomes are final.
 */
export type RunEventName = 'claim' | 'park' | 'approve' | 'plan' | 'execute' | 'wait' | 'collect' | RunOutcome;

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
    wait: notTaken,
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
    plan: { to: 'planning' },
    execute: { to: 'executing' },
    wait: 'the run waits already',
    collect: { to: 'finishing' },
    succeeded: parked,
    failed: { to: 'failed' },
    cancelled: { to: 'cancelled' },
    timed_out: { to: 'timed_out' },
    interrupted: { to: 'interrupted' },
  },
  preparing: {
    claim: taken,
    park: { to: 'awaiting' },
    approve: 'no decision is pending',
    plan: { to: 'planning' },
    execute: { to: 'executing' },
    wait: notStarted,
    collect: { to: 'finishing' },
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
    wait: { to: 'awaiting' },
    collect: { to: 'finishing' },
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
    plan: { to: 'planning' },
    execute: started,
    wait: { to: 'awaiting' },
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
    wait: started,
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
    wait: over,
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
