import { notAllowed } from '../access/not-allowed.ts';
import { AppError } from '../contracts/errors.ts';
import { calledAs, may } from '../contracts/permissions.ts';
import { adoptAttempt, attemptsOf, changeComparison, keptOf } from '../store/attempts.ts';
import { recordAudit } from '../store/audit.ts';
import type { Tx } from '../store/database.ts';
import { appendEvents } from '../store/run-events.ts';
import { runById } from '../store/runs.ts';
import { resultOf } from '../store/task-changes.ts';
import { changeColumn, lockTask } from '../store/tasks.ts';
import { personActor } from './advance.ts';
import { comparisonTransition } from './comparison-state.ts';
import { checkKept } from './kept.ts';
import type { ChooseOutcome, Person } from './task-engine.ts';

/**
 * Of several attempts at a task one is what it goes on from: its commit, its agent, its conversation. Single choice, under the lock of the task;
 * choosing the same again changes nothing. One of a task whose attempts were all discarded takes the task up again. Throws DH-202, DH-208
 * for a run of another workspace, DH-300 when there is nothing to choose, DH-316 when another one was chosen, and DH-319 when their commits
 * are not kept any more.
 */
export async function choose(tx: Tx, id: string, by: Person, at: Date): Promise<ChooseOutcome> {
  if (!may(by, 'task.manage')) throw await notAllowed(tx, by, 'choose between attempts', 'task.manage');
  const known = await runById(tx, id);
  const task = known === undefined || known.workspace !== by.workspace ? undefined : await lockTask(tx, known.task);
  const run = await runById(tx, id);
  if (task === undefined || run === undefined) throw new AppError('DH-208');
  const { number } = task;
  if (run.variant === null || run.agent === null || task.comparison === null) {
    throw new AppError('DH-300', {
      what: `#${number} has no attempts to choose from.`,
      instead: '`run attempts=3 …` begins a task with three of them.',
    });
  }
  if (task.chosen === run.id) return { number, variant: run.variant, outcome: 'known' };
  const attempts = await attemptsOf(tx, task.id);
  if (task.comparison === 'chosen') {
    const chosen = attempts.find((one) => one.id === task.chosen)?.variant ?? 0;
    throw new AppError('DH-316', { number, attempt: run.variant, chosen });
  }
  const transition = comparisonTransition(task.comparison, 'choose');
  if (!transition.ok) {
    throw new AppError('DH-300', {
      what: `No attempt of #${number} can be chosen: ${transition.reason}.`,
      instead:
        task.comparison === 'running'
          ? 'The card that compares them comes when all have.'
          : `\`retry #${number}\` runs it again.`,
    });
  }
  const commit = (await resultOf(tx, run.id))?.commit;
  if (commit === undefined) {
    throw new AppError('DH-300', {
      what: `Attempt ${run.variant} of #${number} has changed nothing.`,
      instead: 'Choose one that has; the card that compares them shows which.',
    });
  }
  await checkKept(tx, task);
  if (!(await changeComparison(tx, task.id, 'open', transition.to)))
    throw new Error(`${task.id} was chosen from without its lock`);
  const { session } = await keptOf(tx, run.id);
  await adoptAttempt(tx, task.id, { run: run.id, head: commit, session, agent: run.agent });
  await changeColumn(tx, { task: task.id, from: task.column, to: 'review', reason: null, at });
  const events = [{ type: 'chosen', run: run.id, variant: run.variant }] as const;
  for (const attempt of attempts) await appendEvents(tx, { run: attempt.id, actor: personActor(by), at, events });
  await recordAudit(tx, {
    workspace: task.workspace,
    actor: by.user,
    action: 'attempt.chosen',
    subject: run.id,
    data: { task: task.id, commit, of: attempts.length, role: calledAs(by) },
  });
  return { number, variant: run.variant, outcome: 'chosen' };
}
