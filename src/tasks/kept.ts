import { AppError } from '../contracts/errors.ts';
import { duration } from '../delivery/units.ts';
import type { Tx } from '../store/database.ts';
import { commitsRemoved } from '../store/left-behind.ts';
import type { TaskRecord } from '../store/tasks.ts';

/** Refuses what needs the commits of a task when they are not kept any more. Throws DH-319. The caller holds the lock of the task. */
export async function checkKept(tx: Tx, { id }: Pick<TaskRecord, 'id'>): Promise<void> {
  const removed = await commitsRemoved(tx, id);
  if (removed === undefined) return;
  throw new AppError('DH-319', { number: removed.number, kept: duration(removed.keptMs) });
}
