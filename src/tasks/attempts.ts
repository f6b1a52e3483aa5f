import { AppError } from '../contracts/errors.ts';
import { type ComparedAttempt, totalsOf } from '../contracts/run-event.ts';
import { attemptsOf, changeComparison, type EndedAttempt, endedAttempts } from '../store/attempts.ts';
import type { Tx } from '../store/database.ts';
import { appendEvents } from '../store/run-events.ts';
import { type TaskRecord, taskById } from '../store/tasks.ts';
import { columnOfAttempts, columnOfEnded, comparisonTransition } from './comparison-state.ts';
import { moveCard } from './move-card.ts';

/**
 * Puts the card of a task whose attempts go on side by side where all of them together belong. When the last one has ended, what came of
 * them is noted in the log of the first, once: that is the card people choose from. The caller holds the lock of the task. `reason`: why an
 * attempt has just moved.
 */
export async function followAttempts(tx: Tx, task: string, at: Date, reason: string | null): Promise<TaskRecord> {
  const now = await taskById(tx, task);
  if (now === undefined) throw new Error(`no task ${task}`);
  const attempts = await attemptsOf(tx, task);
  const column = columnOfAttempts(attempts.map(({ state }) => state));
  if (column !== undefined) return move(tx, now, column, at, column === 'blocked' ? reason : null);
  const ended = await endedAttempts(tx, task);
  const changed = ended.some(hasChanged);
  const transition = comparisonTransition(now.comparison ?? 'unchanged', changed ? 'end_changed' : 'end_unchanged');
  if (!transition.ok) throw new Error(`attempts of ${task} cannot end: ${transition.reason}`);
  if (!(await changeComparison(tx, task, 'running', transition.to))) throw new Error(`attempts of ${task} ended twice`);
  const [first] = ended;
  if (first === undefined) throw new Error(`task ${task} has no attempts`);
  const event = { type: 'compared', attempts: ended.map(comparedAttempt) } as const;
  await appendEvents(tx, { run: first.run, actor: { type: 'system', part: 'gateway' }, at, events: [event] });
  const outcomes = ended.map(({ result }) => result.outcome);
  const to = columnOfEnded(outcomes, changed);
  const why = changed ? `${ended.length} attempts are to be compared.` : to === 'done' ? null : reason;
  return { ...(await move(tx, now, to, at, why)), comparison: transition.to };
}

async function move(tx: Tx, task: TaskRecord, to: TaskRecord['column'], at: Date, reason: string | null): Promise<TaskRecord> {
  return task.column === to ? task : await moveCard(tx, task, { to, reason, at });
}

function hasChanged({ result }: EndedAttempt): boolean {
  return result.commit !== undefined;
}

function comparedAttempt({ run, variant, agent, result, costUsd }: EndedAttempt): ComparedAttempt {
  const { outcome, durationMs, check, risks } = result;
  return {
    run,
    variant,
    agent: agent.agent,
    model: agent.model,
    outcome,
    durationMs,
    costUsd,
    ...(result.commit === undefined ? {} : { totals: totalsOf(result) }),
    ...(check === undefined ? {} : { check: { outcome: check.outcome, summary: check.summary } }),
    ...(risks === undefined ? {} : { risks: risks.map(({ kind }) => kind) }),
  };
}

/** Refuses what goes on from the change of a task while it has several, and none is chosen. Throws DH-315. */
export function checkChosen({ comparison, number, attempts }: TaskRecord): void {
  if (comparison === 'open') throw new AppError('DH-315', { number, attempts: attempts ?? 0 });
}
