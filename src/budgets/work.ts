import type { Standing } from '../contracts/quotas.ts';
import type { RunState } from '../contracts/states.ts';
import type { Tx } from '../store/database.ts';
import { count } from '../store/quotas.ts';
import type { RunRecord } from '../store/runs.ts';

/** States in which a run is at work: what counts as its time. */
export const workingStates = ['planning', 'executing'] as const satisfies RunState[];

function isAtWork(state: RunState): boolean {
  return workingStates.some((one) => one === state);
}

/** Where a move begins or ends the time at work: from when it is counted on. */
export function timedFrom(from: RunState, to: RunState, at: Date): { timedUntil?: Date | null } {
  if (isAtWork(from) === isAtWork(to)) return {};
  return { timedUntil: isAtWork(to) ? at : null };
}

/** Counts the time that a run was at work since it was counted last against the quotas of it. */
export async function countWork(tx: Tx, run: RunRecord, at: Date): Promise<Standing[]> {
  return run.timedUntil === null ? [] : await count(tx, run, { wall: at.getTime() - run.timedUntil.getTime() }, at);
}
