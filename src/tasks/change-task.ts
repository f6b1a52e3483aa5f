import { AppError } from '../contracts/errors.ts';
import type { TaskColumn } from '../contracts/states.ts';
import { recordAudit } from '../store/audit.ts';
import type { Tx } from '../store/database.ts';
import { projectById } from '../store/projects.ts';
import { appendEvents } from '../store/run-events.ts';
import { type RunRecord, requestStop } from '../store/runs.ts';
import { lockTask, type TaskRecord } from '../store/tasks.ts';
import { advanceTask, personActor } from './advance.ts';
import { agentOf } from './agent-rights.ts';
import type { RetryChoice } from './agent-tasks.ts';
import { checkChosen } from './attempts.ts';
import { retryAgent } from './create-agent-task.ts';
import { cancelledResult, endRun } from './end-run.ts';
import { hold, isAlive } from './hold-task.ts';
import { revertAgain } from './revert.ts';
import { startRun } from './start-run.ts';
import type { CreatedTask, Person, TaskEngine } from './task-engine.ts';
import type { TaskEventName } from './task-state.ts';

type StopOutcome = Awaited<ReturnType<TaskEngine['stop']>>['outcome'];

/**
 * Stops the current run, or all attempts that go on side by side: what has not started ends at once, what runs is told to. Repeating is
 * harmless.
 */
export async function stopTask(tx: Tx, id: string, by: Person, now: Date): Promise<{ number: number; outcome: StopOutcome }> {
  const { task, alive } = await hold(tx, id, by);
  if (alive.length === 0) {
    checkChosen(task);
    throw new AppError('DH-300', {
      what: `#${task.number} is not running.`,
      instead: `\`retry #${task.number}\` runs it again.`,
    });
  }
  return { number: task.number, outcome: await stopAll(tx, task, alive, by, now) };
}

/** What became of the one that takes longest to stop. */
async function stopAll(tx: Tx, task: TaskRecord, alive: readonly RunRecord[], by: Person, at: Date): Promise<StopOutcome> {
  const outcomes: StopOutcome[] = [];
  for (const run of alive) outcomes.push(await stopRun(tx, task, run, by, at));
  return outcomes.find((outcome) => outcome === 'stopping') ?? outcomes.find((outcome) => outcome !== 'cancelled') ?? 'cancelled';
}

/** No runner has it: it is in the queue, or parked until a decision. */
function isWaiting(run: RunRecord): boolean {
  return run.state === 'queued' || (run.state === 'awaiting' && run.runner === null);
}

async function stopRun(tx: Tx, task: TaskRecord, run: RunRecord, by: Person, at: Date): Promise<StopOutcome> {
  const actor = personActor(by);
  if (isWaiting(run)) {
    await requestStop(tx, run.id, by.user, at);
    const result = cancelledResult(
      'stopped',
      `${by.name} stopped it ${run.released ? 'while it waited for a decision' : 'before it started'}.`,
    );
    await endRun(tx, { task, run, result, actor, at });
    await auditStop(tx, task, run, by);
    return 'cancelled';
  }
  if (!(await requestStop(tx, run.id, by.user, at))) return 'already_stopping';
  const events = [{ type: 'note', level: 'info', text: `${by.name} stops the run.` }] as const;
  await appendEvents(tx, { run: run.id, actor, at, events });
  await auditStop(tx, task, run, by);
  return 'stopping';
}

async function auditStop(tx: Tx, task: TaskRecord, run: RunRecord, by: Person): Promise<void> {
  await recordAudit(tx, {
    workspace: task.workspace,
    actor: by.user,
    action: 'run.stopped',
    subject: run.id,
    data: { task: task.id, state: run.state },
  });
}

/** A further run of the same task, on its pinned base and with what it had changed. `change`: for agents only. */
export async function retryTask(tx: Tx, id: string, by: Person, now: Date, change?: RetryChoice): Promise<CreatedTask> {
  const { task, run } = await hold(tx, id, by);
  if (isAlive(run)) {
    throw new AppError('DH-300', {
      what: `#${task.number} is not over: its run is ${run.state}.`,
      instead: `\`stop #${task.number}\` ends it first.`,
    });
  }
  checkChosen(task);
  return { task: task.id, number: task.number, run: (await startAgain(tx, task, run, by, now, change)).id };
}

async function startAgain(
  tx: Tx,
  task: TaskRecord,
  last: RunRecord | undefined,
  by: Person,
  at: Date,
  change?: RetryChoice,
): Promise<RunRecord> {
  const undoing = await revertAgain(tx, task, last, by, at);
  if (undoing !== undefined) return undoing;
  if (task.kind === 'agent') return retryAgent(tx, task, last, by, change, at);
  if (change !== undefined) agentOf(task);
  const project = await projectById(tx, task.workspace, task.project);
  if (project === undefined) {
    throw new AppError('DH-300', {
      what: `The project of #${task.number} has been removed.`,
      instead: '`project add` adds it again; the task stays readable.',
    });
  }
  const { timeoutMs } = project.limits;
  return startRun(tx, { task, attempt: (last?.attempt ?? 0) + 1, timeoutMs, by, at });
}

const restMoves: Partial<Record<TaskColumn, TaskEventName>> = {
  backlog: 'to_backlog',
  review: 'to_review',
  done: 'to_done',
  cancelled: 'cancel',
};

/**
 * Moves a card. `queued` starts it and `cancelled` stops it; what waits may be taken out of the queue to any other column, what runs
 * has to be stopped first. `running` and `blocked` are where the work puts a card.
 */
export async function moveTask(
  tx: Tx,
  id: string,
  to: TaskColumn,
  by: Person,
  now: Date,
): Promise<{ number: number; from: TaskColumn; to: TaskColumn }> {
  const { task, run, alive } = await hold(tx, id, by);
  const moved = { number: task.number, from: task.column, to };
  if (to === task.column) return moved;
  if (to === 'queued') {
    if (isAlive(run)) throw busy(task, run);
    checkChosen(task);
    await startAgain(tx, task, run, by, now);
    const placed = await lockTask(tx, task.id);
    return { ...moved, to: placed?.column ?? to };
  }
  const event = restMoves[to];
  if (event === undefined) {
    throw new AppError('DH-300', {
      what: `A card gets to \`${to}\` by itself, when its run is there.`,
      instead: `\`move #${task.number} queued\` starts it.`,
    });
  }
  let rested = task;
  if (isAlive(run)) {
    const waiting = alive.every(isWaiting);
    if (!waiting && to !== 'cancelled') throw busy(task, alive.find((one) => !isWaiting(one)) ?? run);
    await stopAll(tx, task, alive, by, now);
    // A command that runs takes a moment to stop; its end moves the card.
    if (!waiting || to === 'cancelled') return moved;
    rested = (await lockTask(tx, task.id)) ?? task;
  }
  await advanceTask(tx, rested, event, now, null);
  await recordAudit(tx, {
    workspace: task.workspace,
    actor: by.user,
    action: 'task.moved',
    subject: task.id,
    data: { from: task.column, to },
  });
  if (run !== undefined) tx.notify('run', run.id);
  return moved;
}

function busy(task: TaskRecord, run: RunRecord): AppError {
  return new AppError('DH-300', {
    what: `#${task.number} cannot be moved: its run is ${run.state}.`,
    instead: `\`stop #${task.number}\` ends it first.`,
  });
}
