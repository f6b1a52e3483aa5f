import { notAllowed } from '../access/not-allowed.ts';
import { resolvePrompt } from '../changes/errand-prompt.ts';
import { AppError } from '../contracts/errors.ts';
import { may } from '../contracts/permissions.ts';
import { livePublication } from '../contracts/publication.ts';
import { runByOrigin, turnOf } from '../store/agent-runs.ts';
import { recordAudit } from '../store/audit.ts';
import type { Tx } from '../store/database.ts';
import { projectById } from '../store/projects.ts';
import { publicationsOf } from '../store/publications.ts';
import { createRun, latestRun, type RunRecord, runById } from '../store/runs.ts';
import { resultOf } from '../store/task-changes.ts';
import { type TaskRecord, taskById } from '../store/tasks.ts';
import { advanceTask, personActor } from './advance.ts';
import { earlierFiles } from './attached-files.ts';
import { auditAsked } from './audit-runs.ts';
import { holdChange } from './change.ts';
import { followUp } from './create-agent-task.ts';
import { endPublishRequests } from './publish-requests.ts';
import type { CreatedTask, Person, RebaseInput } from './task-engine.ts';

/**
 * Begins a run that brings the change of another to the newest commit of its base branch: by itself, without running anything, or by the agent of
 * the task. What comes of it is a change of its own, which nobody has approved yet (promise 10): what waits to be decided about the former one is
 * superseded. The same origin is the same run. Throws what `holdChange` does, DH-202 and DH-300.
 */
export async function rebase(tx: Tx, input: RebaseInput, at: Date): Promise<CreatedTask> {
  const { run: id, how, by, originKey } = input;
  if (!may(by, 'change.publish')) throw await notAllowed(tx, by, 'bring changes to the newest base', 'change.publish');
  const asked = await runById(tx, id);
  const known = asked?.workspace === by.workspace ? await runByOrigin(tx, asked.task, originKey) : undefined;
  const change = known === undefined ? await holdChange(tx, id, by) : undefined;
  if (change === undefined) return await madeBefore(tx, known, by.workspace);
  const { task } = change;
  if (task.base === null || task.base.branch === 'HEAD') {
    throw new AppError('DH-300', {
      what: `#${task.number} began at a commit and not at a branch, so there is no newer base.`,
      instead: 'Set the base branch of the project with `settings`; new tasks begin there.',
    });
  }
  const live = (await publicationsOf(tx, task.id)).some(({ state }) => livePublication.some((one) => one === state));
  if (live) {
    throw new AppError('DH-300', {
      what: `#${task.number} is being pushed.`,
      instead: 'Wait until that has ended; the card shows it.',
    });
  }
  const latest = await latestRun(tx, task.id);
  const made =
    how === 'rebase'
      ? await beginAlone(tx, { task, latest, purpose: 'rebase', by, originKey }, at)
      : await ask(tx, task, task.base, latest, input, at);
  await recordAudit(tx, {
    workspace: task.workspace,
    actor: by.user,
    action: `change.${how}`,
    subject: id,
    data: { task: task.id, commit: change.commit, run: made.run },
  });
  return made;
}

async function madeBefore(tx: Tx, id: string | undefined, workspace: string): Promise<CreatedTask> {
  const run = id === undefined ? undefined : await runById(tx, id);
  const task = run === undefined ? undefined : await taskById(tx, run.task);
  if (run === undefined || task === undefined || run.workspace !== workspace) throw new AppError('DH-208');
  return { task: run.task, number: task.number, run: run.id };
}

/** A run that no sandbox is made for. The next turn of an agent goes on from what the last one was given. The caller holds the task, at rest. */
export async function beginAlone(
  tx: Tx,
  input: {
    task: TaskRecord;
    latest: RunRecord | undefined;
    purpose: 'rebase' | 'revert';
    by: Person;
    originKey: string | undefined;
  },
  at: Date,
): Promise<CreatedTask> {
  const { task, latest, purpose, by, originKey } = input;
  const project = await projectById(tx, task.workspace, task.project);
  if (project === undefined) {
    throw new AppError('DH-300', {
      what: `The project of #${task.number} has been removed.`,
      instead: '`project add` adds it again; the task stays readable.',
    });
  }
  await endPublishRequests(tx, task.id, 'superseded', at);
  const run = await createRun(
    tx,
    {
      workspace: task.workspace,
      task: task.id,
      project: task.project,
      attempt: (latest?.attempt ?? 0) + 1,
      requestedBy: by.user,
      runsOn: task.runsOn,
      timeoutMs: project.limits.timeoutMs,
      at,
      alone: {
        purpose,
        prompt: latest?.prompt ?? null,
        context: latest === undefined ? null : (await turnOf(tx, latest.id)).context,
        files: earlierFiles(latest?.files ?? []),
        originKey,
      },
    },
    personActor(by),
  );
  await auditAsked(tx, task, { run: run.id, by: by.user, attempt: (latest?.attempt ?? 0) + 1, text: purpose });
  await advanceTask(tx, task, 'enqueue', at);
  tx.notify('queue');
  return { task: task.id, number: task.number, run: run.id };
}

async function ask(
  tx: Tx,
  task: TaskRecord,
  base: { branch: string },
  latest: RunRecord | undefined,
  { by, originKey }: RebaseInput,
  at: Date,
): Promise<CreatedTask> {
  const conflicts = latest === undefined ? undefined : (await resultOf(tx, latest.id))?.conflicts;
  const text = resolvePrompt(base.branch, conflicts ?? []);
  return await followUp(tx, { task: task.id, text, by, originKey, resolve: true }, at);
}
