import { AppError } from '../contracts/errors.ts';
import { isTerminal } from '../contracts/states.ts';
import type { Tx } from '../store/database.ts';
import { latestRun, type RunRecord } from '../store/runs.ts';
import { lockTask, type TaskRecord } from '../store/tasks.ts';

/** The task, locked, with its latest run. A task of another workspace does not exist (promise 12). */
export async function hold(
  tx: Tx,
  id: string,
  by: { workspace: string },
): Promise<{ task: TaskRecord; run: RunRecord | undefined }> {
  const task = await lockTask(tx, id);
  if (task === undefined || task.workspace !== by.workspace) throw new AppError('DH-204', { task: id });
  return { task, run: await latestRun(tx, task.id) };
}

export function isAlive(run: RunRecord | undefined): run is RunRecord {
  return run !== undefined && !isTerminal(run.state);
}
