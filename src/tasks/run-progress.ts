import { runsNothing } from '../contracts/rebase.ts';
import type { RunControl } from '../contracts/run-control.ts';
import { type RunResult, runResultSchema } from '../contracts/run-event.ts';
import type { Tx } from '../store/database.ts';
import { appendEvents, hasEvent } from '../store/run-events.ts';
import { isHeld, type RunRecord, runById, stopRequester } from '../store/runs.ts';
import { lockTask, pinTaskBase, type TaskRecord } from '../store/tasks.ts';
import { advanceRun, advanceTask, system } from './advance.ts';
import { cancelPending, endRun } from './end-run.ts';
import { stoppedByQuota } from './quota-work.ts';

export interface Held {
  task: TaskRecord;
  run: RunRecord;
}

/** The run with its task locked, when this runner holds it. */
export async function held(tx: Tx, runId: string, runner: string): Promise<Held | undefined> {
  const known = await runById(tx, runId);
  const task = known === undefined ? undefined : await lockTask(tx, known.task);
  const run = await runById(tx, runId);
  if (task === undefined || run === undefined || run.runner !== runner) return undefined;
  return isHeld(run) ? { task, run } : undefined;
}

export async function pinBase(
  tx: Tx,
  runId: string,
  runner: string,
  base: { branch: string; commit: string },
  at: Date,
): Promise<{ branch: string; commit: string }> {
  const found = await held(tx, runId, runner);
  if (found === undefined) throw new Error(`run ${runId} is not held by ${runner}`);
  const { task, run } = found;
  await pinTaskBase(tx, task.id, base);
  const pinned = task.base ?? base;
  if (!(await hasEvent(tx, run.id, 'git'))) {
    const event = { type: 'git', branch: task.branch, baseBranch: pinned.branch, baseCommit: pinned.commit } as const;
    await appendEvents(tx, { run: run.id, actor: system('runner'), at, events: [event] });
  }
  return pinned;
}

export async function markExecuting(
  tx: Tx,
  runId: string,
  runner: string,
  sandbox: Parameters<RunControl['executing']>[2],
  at: Date,
): Promise<boolean> {
  const run = (await held(tx, runId, runner))?.run;
  if (run?.state === 'executing' || run?.state === 'planning') return run.sandboxRef === sandbox.ref;
  // A command was authorised for a kind of sandbox; the calls of an agent are looked at one by one.
  if (run?.state !== 'preparing' || (run.agent === null && run.sandboxKind !== sandbox.kind)) return false;
  const { kind, ref, isolated, image } = sandbox;
  await advanceRun(tx, {
    run,
    event: run.agent?.mode === 'plan' ? 'plan' : 'execute',
    actor: system('runner'),
    at,
    after: [{ type: 'sandbox', kind, isolated, ref, image }],
    set: {
      ...(run.startedAt === null ? { startedAt: at } : {}),
      sandboxKind: kind,
      sandboxRef: ref,
      isolated,
      image: image ?? null,
    },
  });
  return true;
}

export async function markFinishing(tx: Tx, runId: string, runner: string, at: Date): Promise<boolean> {
  const found = await held(tx, runId, runner);
  if (found === undefined) return false;
  const { task, run } = found;
  if (run.state === 'finishing') return true;
  if (run.state === 'preparing' && !runsNothing(run.rebase)) return false;
  const waited = run.state === 'awaiting';
  // The agent has ended while people were asked: nothing is left to decide.
  const before = waited ? await cancelPending(tx, run.id, at) : [];
  await advanceRun(tx, { run, event: 'collect', actor: system('runner'), at, before });
  if (waited) await advanceTask(tx, task, 'start', at);
  return true;
}

export async function finishRun(tx: Tx, runId: string, runner: string, raw: RunResult, at: Date): Promise<boolean> {
  const found = await held(tx, runId, runner);
  if (found === undefined) return false;
  const result = await withStopper(tx, found.run, runResultSchema.parse(raw));
  await endRun(tx, { ...found, result, actor: system('runner'), at });
  return true;
}

/** A runner knows that a run was stopped on request, but not by whom. */
async function withStopper(tx: Tx, run: RunRecord, result: RunResult): Promise<RunResult> {
  const name = result.cause === 'stopped' ? await stopRequester(tx, run.id) : undefined;
  if (name === undefined) return run.agent === null ? await stoppedByQuota(tx, run, result) : result;
  const ran = result.exitCode !== undefined || (run.agent !== null && run.startedAt !== null);
  const what = run.agent === null ? 'command' : 'agent';
  const message = ran ? `The ${what} was stopped by ${name}.` : `Stopped by ${name} before the ${what} started.`;
  return { ...result, message };
}
