import type { ComparisonState } from '../contracts/comparison.ts';
import { isTerminal, type RunOutcome, type RunState, type TaskColumn } from '../contracts/states.ts';

/**
 * What may become of attempts that were begun side by side.
 *
 *      running --end_changed--> open --choose--> chosen
 *         |
 *         +----end_unchanged--> unchanged
 *
 * - `end_changed`, `end_unchanged`: the last of them has ended, and at least one, or none, has changed something.
 * - `choose`: people take one, once. Discarding all of them is no event: that cancels the task and leaves them to be chosen from.
 * - `chosen` and `unchanged` are final: from there on the task is like any other.
 */
export type ComparisonEvent = 'end_changed' | 'end_unchanged' | 'choose';

export type ComparisonTransition = { ok: true; to: ComparisonState } | { ok: false; reason: string };

type Row = Record<ComparisonEvent, ComparisonState | { not: string }>;

const ended = { not: 'they have ended already' };

/** Every state with every event. */
const table: Record<ComparisonState, Row> = {
  running: { end_changed: 'open', end_unchanged: 'unchanged', choose: { not: 'not all of its attempts have ended' } },
  open: { end_changed: ended, end_unchanged: ended, choose: 'chosen' },
  chosen: { end_changed: ended, end_unchanged: ended, choose: { not: 'an attempt was chosen already' } },
  unchanged: { end_changed: ended, end_unchanged: ended, choose: { not: 'none of its attempts has changed anything' } },
};

export function comparisonTransition(state: ComparisonState, event: ComparisonEvent): ComparisonTransition {
  const cell = table[state][event];
  return typeof cell === 'string' ? { ok: true, to: cell } : { ok: false, reason: cell.not };
}

const atWork: ReadonlySet<RunState> = new Set(['preparing', 'planning', 'executing', 'finishing']);

/**
 * The column of a task by the states of its attempts: running while one is at work, blocked when all that are left wait for people, queued when
 * they wait for their turn. Undefined: all have ended.
 */
export function columnOfAttempts(states: readonly RunState[]): TaskColumn | undefined {
  const alive = states.filter((state) => !isTerminal(state));
  if (alive.length === 0) return undefined;
  if (alive.some((state) => atWork.has(state))) return 'running';
  return alive.includes('awaiting') ? 'blocked' : 'queued';
}

/** The column when all have ended: people are to look when one has changed something; else by the best that came of them. */
export function columnOfEnded(outcomes: readonly RunOutcome[], changed: boolean): TaskColumn {
  if (changed) return 'review';
  if (outcomes.includes('succeeded')) return 'done';
  return outcomes.every((outcome) => outcome === 'cancelled') ? 'cancelled' : 'backlog';
}
