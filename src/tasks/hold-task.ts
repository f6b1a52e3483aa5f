import { AppError } from '../contracts/errors.ts';
import { isTerminal } from '../contracts/states.ts';
import { attemptsOf } from '../store/attempts.ts';
import type { Tx } from '../store/database.ts';
import { latestRun, type RunRecord } from '../store/runs.ts';
import { lockTask, type TaskRecord } from '../store/tasks.ts';

export interface HeldTask {
  task: TaskRecord;
  /** The latest run; while attempts go on side by side the latest of those that are alive. */
  run: RunRecord | undefined;
  /** Runs that are alive: one at most, but for attempts that go on side by side. */
  alive: readonly RunRecord[];
}

/** The task, locked, with its latest run. A task of another workspace does not exist (promise 12). */
export async function hold(tx: Tx, id: string, by: { workspace: string }): Promise<HeldTask> {
  const task = await lockTask(tx, id);
  if (task === undefined || task.workspace !== by.workspace) throw new AppError('DH-204', { task: id });
  return { task, ...(await runsNow(tx, task)) };
}

/** The runs of a locked task. */
export async function runsNow(tx: Tx, task: TaskRecord): Promise<Omit<HeldTask, 'task'>> {
  const latest = await latestRun(tx, task.id);
  if (task.comparison !== 'running') return { run: latest, alive: isAlive(latest) ? [latest] : [] };
  const alive = (await attemptsOf(tx, task.id)).filter(isAlive);
  return { run: alive.at(-1) ?? latest, alive };
}

export function isAlive(run: RunRecord | undefined): run is RunRecord {
  return run !== undefined && !isTerminal(run.state);
}
