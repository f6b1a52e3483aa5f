import { AppError } from '../contracts/errors.ts';
import type { RunResult } from '../contracts/run-event.ts';
import type { Tx } from '../store/database.ts';
import { type RunRecord, runById } from '../store/runs.ts';
import { resultOf } from '../store/task-changes.ts';
import { lockTask, type TaskRecord } from '../store/tasks.ts';
import { checkChosen } from './attempts.ts';
import { isAlive, runsNow } from './hold-task.ts';
import { checkKept } from './kept.ts';

/** What a task has made: from its base to the commit that a run of it left last. */
export interface Change {
  task: TaskRecord;
  run: RunRecord;
  result: RunResult;
  commit: string;
  tree: string;
  /** Whose mirror has the commit. */
  host: string;
}

/**
 * The change of a run, with its task locked. Throws DH-208 for a run of another workspace (promise 12), DH-300 when it has made none or a run
 * of the task is alive, DH-315 when it is one of several attempts of which none is chosen, DH-316 when another one is, and DH-533 when a
 * later run has changed more.
 */
export async function holdChange(tx: Tx, id: string, by: { workspace: string }): Promise<Change> {
  const known = await runById(tx, id);
  const task = known === undefined || known.workspace !== by.workspace ? undefined : await lockTask(tx, known.task);
  const run = await runById(tx, id);
  if (task === undefined || run === undefined) throw new AppError('DH-208');
  const { run: latest } = await runsNow(tx, task);
  if (isAlive(latest)) {
    throw new AppError('DH-300', {
      what: `#${task.number} is not over: its run is ${latest.state}.`,
      instead: `Wait until it has ended, or end it with \`stop #${task.number}\`.`,
    });
  }
  checkChosen(task);
  await checkIsChosen(tx, task, run);
  const result = await resultOf(tx, run.id);
  if (result?.commit === undefined) {
    throw new AppError('DH-300', {
      what: `#${task.number} has changed nothing.`,
      instead: `\`retry #${task.number}\` runs it again.`,
    });
  }
  const { commit, tree } = result;
  if (task.head !== commit) {
    const { number, head } = task;
    throw new AppError('DH-533', { number, commit: commit.slice(0, 7), newest: (head ?? 'none').slice(0, 7) });
  }
  await checkKept(tx, task);
  if (tree === undefined || run.host === null) {
    throw new AppError('DH-300', {
      what: `#${task.number} was changed by an earlier version of Deckhand, which did not note all that an approval is bound to.`,
      instead: `\`retry #${task.number}\` runs it again.`,
    });
  }
  return { task, run, result, commit, tree, host: run.host };
}

async function checkIsChosen(tx: Tx, { chosen, number }: TaskRecord, { id, variant }: RunRecord): Promise<void> {
  if (variant === null || chosen === null || chosen === id) return;
  throw new AppError('DH-316', { number, attempt: variant, chosen: (await runById(tx, chosen))?.variant ?? 0 });
}
