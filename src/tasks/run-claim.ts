import { policyOf } from '../approvals/judge-task.ts';
import { tellBegun } from '../budgets/begin.ts';
import type { AgentSettings } from '../contracts/agent.ts';
import type { AgentSpec } from '../contracts/agent-control.ts';
import { describeError } from '../contracts/errors.ts';
import { hostsOf } from '../contracts/hosts.ts';
import { fits } from '../contracts/labels.ts';
import type { ClaimRefusal, RunSpec } from '../contracts/run-control.ts';
import { forgetInputs, turnOf } from '../store/agent-runs.ts';
import { keptOf } from '../store/attempts.ts';
import type { Tx } from '../store/database.ts';
import { takeOver } from '../store/held-runs.ts';
import { personById } from '../store/people.ts';
import { holdPlace } from '../store/places.ts';
import { sourceOf } from '../store/project-sync.ts';
import { appendEvents } from '../store/run-events.ts';
import { isAlive, type RunnerRecord, runnerById } from '../store/runners.ts';
import { type RunRecord, runById } from '../store/runs.ts';
import { beginningAt } from '../store/task-origins.ts';
import { lockTask, type TaskRecord } from '../store/tasks.ts';
import { advanceRun, advanceTask, system } from './advance.ts';
import { bundleRefusal, hostEntriesOf } from './bundle-limits.ts';
import { cancelledResult, endRun } from './end-run.ts';
import { taskTitle } from './naming.ts';
import { branchOf, revertSpecOf } from './revert.ts';

export type Claim = { ok: true; spec: RunSpec } | { ok: false; reason: ClaimRefusal };

/**
 * Gives a run to a runner: a waiting one that has its place, or one that an earlier runner of the same host has left in the middle.
 * A runner that was replaced or is not registered gets nothing.
 */
export async function claimRun(tx: Tx, runId: string, runnerId: string, now: Date): Promise<Claim> {
  const known = await runById(tx, runId);
  if (known === undefined) return { ok: false, reason: 'unknown' };
  const task = await lockTask(tx, known.task);
  const run = await runById(tx, runId);
  if (run === undefined || task === undefined) return { ok: false, reason: 'unknown' };
  const runner = await runnerById(tx, runnerId);
  if (runner === undefined || runner.capacity === 0) return { ok: false, reason: 'held_elsewhere' };
  switch (run.state) {
    case 'queued': {
      // A place may be taken back at the same moment.
      if (!(await holdPlace(tx, run.id))) return { ok: false, reason: 'project_busy' };
      if (runner.draining) return { ok: false, reason: 'held_elsewhere' };
      if (!fits(run.runsOn, runner.labels)) return { ok: false, reason: 'does_not_fit' };
      if ((await sourceOf(tx.db, run.project))?.removed !== false) {
        const result = cancelledResult('stopped', 'Its project has been removed.');
        await endRun(tx, { task, run, result, actor: system('gateway'), at: now });
        return { ok: false, reason: 'not_queued' };
      }
      const refused = run.agent === null ? undefined : await bundleRefusal(tx, task.id, run.agent);
      if (refused !== undefined) {
        const { text, remedy } = describeError(refused.code, refused.params);
        const result = cancelledResult('denied', `${text} ${remedy}`);
        await endRun(tx, { task, run, result, actor: system('gateway'), at: now });
        return { ok: false, reason: 'not_queued' };
      }
      const set = {
        runnerId,
        hostId: runner.host,
        placedOn: null,
        sandboxKind: null,
        sandboxRef: null,
        ...(await nextLife(tx, run)),
      };
      await advanceRun(tx, { run, event: 'claim', actor: system('runner'), at: now, set });
      await advanceTask(tx, task, 'start', now);
      if (!run.released) await tellBegun(tx, run, now);
      return spec(tx, task, { ...run, life: set.life ?? run.life, inputs: set.lastInput ?? run.inputs }, null);
    }
    case 'awaiting':
      // Parked without a runner: a decision puts it into the queue.
      if (run.runner === null) return { ok: false, reason: 'not_queued' };
      return takeBack(tx, task, run, runner, 'executing', now);
    case 'planning':
      return takeBack(tx, task, run, runner, 'executing', now);
    case 'preparing':
    case 'executing':
    case 'finishing':
      return takeBack(tx, task, run, runner, run.state, now);
    case 'succeeded':
    case 'failed':
    case 'cancelled':
    case 'timed_out':
    case 'interrupted':
      return { ok: false, reason: 'not_queued' };
  }
}

/** A run that was let go of begins a new life: another process, whose output and input are numbered from the start. */
async function nextLife(tx: Tx, run: RunRecord): Promise<Partial<NextLife>> {
  if (!run.released) return {};
  await forgetInputs(tx, run.id);
  return { life: run.life + 1, released: false, stdoutBytes: 0, stderrBytes: 0, lastInput: 0, lastStep: null };
}

interface NextLife {
  life: number;
  released: boolean;
  stdoutBytes: number;
  stderrBytes: number;
  lastInput: number;
  lastStep: null;
}

/** A run in the middle goes to the runner that has it, or from a dead one to another of its host. */
async function takeBack(
  tx: Tx,
  task: TaskRecord,
  run: RunRecord,
  { id: runnerId, host }: RunnerRecord,
  phase: 'preparing' | 'executing' | 'finishing',
  now: Date,
): Promise<Claim> {
  if (run.runner !== runnerId) {
    const holder = run.runner === null ? undefined : await runnerById(tx, run.runner);
    const free = holder === undefined || !isAlive(holder, now);
    if (!free || run.host !== host) return { ok: false, reason: 'held_elsewhere' };
    await takeOver(tx, run.id, runnerId);
    const text = 'The runner has started again and continues the run.';
    const events = [{ type: 'note', level: 'info', text }] as const;
    await appendEvents(tx, { run: run.id, actor: system('runner'), at: now, events });
  }
  return spec(tx, task, run, { phase, sandboxRef: run.sandboxRef, cursor: run.cursor, startedAt: run.startedAt });
}

async function spec(tx: Tx, task: TaskRecord, run: RunRecord, resume: RunSpec['resume']): Promise<Claim> {
  const { head, session } = run.variant === null ? task : await keptOf(tx, run.id);
  const source = await sourceOf(tx.db, task.project);
  if (source === undefined) throw new Error(`no project ${task.project}`);
  const requester = await personById(tx, task.workspace, run.requestedBy);
  const reverts = await revertSpecOf(tx, run);
  return {
    ok: true,
    spec: {
      run: run.id,
      workspace: run.workspace,
      task: task.id,
      taskNumber: task.number,
      attempt: run.attempt,
      ...(run.variant === null ? {} : { variant: run.variant }),
      command: task.command,
      title: task.title,
      ...(run.prompt === null || run.prompt === task.command ? {} : { subject: taskTitle(run.prompt) }),
      project: task.base === null ? await beginningAt(tx, task.id, source.project) : source.project,
      branch: branchOf(task, reverts),
      base: task.base,
      head,
      policy: policyOf(task),
      timeoutMs: run.timeoutMs,
      ...(requester === undefined ? {} : { requester: { user: requester.user, name: requester.name } }),
      ...(run.stopRequestedAt === null ? {} : { stopRequested: true }),
      ...(run.agent === null ? {} : { agent: await agentSpec(tx, { ...task, session }, { ...run, agent: run.agent }) }),
      ...(run.rebase === null ? {} : { rebase: run.rebase }),
      ...(reverts === undefined ? {} : { reverts }),
      ...(run.traceparent === null ? {} : { traceparent: run.traceparent }),
      resume,
    },
  };
}

async function agentSpec(tx: Tx, task: TaskRecord, run: RunRecord & { agent: AgentSettings }): Promise<AgentSpec> {
  const { context, state } = await turnOf(tx, run.id);
  return {
    settings: run.agent,
    prompt: run.prompt ?? task.command,
    context,
    files: run.files,
    session: task.session,
    ...(run.life === 0 ? {} : { resumed: true }),
    state,
    mail: run.mail,
    inputs: run.inputs,
    budgetUsd: task.budgetUsd,
    spentUsd: task.spentUsd,
    hosts: hostsOf(await hostEntriesOf(tx, task)),
  };
}
