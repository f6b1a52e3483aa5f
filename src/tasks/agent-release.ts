import { keepHead, keepSessionOf } from '../store/attempts.ts';
import type { Tx } from '../store/database.ts';
import { retireAnswered } from '../store/interactions.ts';
import { letGo, runById } from '../store/runs.ts';
import { noteStore } from '../store/task-store.ts';
import { type AgentSession, lockTask, setHead, setSession } from '../store/tasks.ts';
import { system } from './advance.ts';
import { startWaiting, stopWaiting } from './agent-wait.ts';
import { held } from './run-progress.ts';

/**
 * Lets go of a run whose agent waits for people; when everything was decided meanwhile, it is queued at once. False when this runner does
 * not hold it.
 */
export async function releaseRun(
  tx: Tx,
  runId: string,
  runner: string,
  saved: { session: AgentSession | null; head: string | null },
  at: Date,
): Promise<boolean> {
  const known = await runById(tx, runId);
  if (known === undefined || (await lockTask(tx, known.task)) === undefined) return false;
  const before = await runById(tx, runId);
  // The answer to the first call was lost.
  if (before?.released === true && before.runner === null) return true;
  const found = await held(tx, runId, runner);
  if (found === undefined || found.run.agent === null) return false;
  const { task, run } = found;
  if (run.state === 'preparing' || run.state === 'finishing') return false;
  if (run.variant === null) {
    await setSession(tx, task.id, saved.session);
    if (saved.head !== null) await setHead(tx, task.id, saved.head);
    await noteStore(tx, task.id, run.id);
  } else {
    await keepSessionOf(tx, run.id, saved.session);
    if (saved.head !== null) await keepHead(tx, run.id, saved.head);
  }
  await retireAnswered(tx, run.id);
  const waits = run.state === 'awaiting';
  if (!waits) await startWaiting(tx, { task, run, at, events: [], because: 'it is started again where it stopped' });
  const text = 'It goes on waiting without a sandbox; the decision starts it again where it stopped.';
  await letGo(tx, run.id, waits ? [{ type: 'note', level: 'info', text }] : [], system('runner'), at);
  if (!waits) {
    const waiting = { run: { ...run, state: 'awaiting', runner: null }, task: { ...task, column: 'blocked' } } as const;
    await stopWaiting(tx, { ...waiting, at, events: [], actor: system('runner') });
  }
  return true;
}

/** Keeps what continues the agent's conversation with the task, or with the one of several attempts. */
export async function keepSession(tx: Tx, runId: string, runner: string, session: AgentSession): Promise<void> {
  const found = await held(tx, runId, runner);
  if (found === undefined) throw new Error(`run ${runId} is not held by ${runner}`);
  if (found.run.variant === null) {
    await setSession(tx, found.task.id, session);
    await noteStore(tx, found.task.id, found.run.id);
  } else await keepSessionOf(tx, found.run.id, session);
}
