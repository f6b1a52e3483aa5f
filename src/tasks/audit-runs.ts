import { createHash } from 'node:crypto';
import type { FileToGive } from '../contracts/given-file.ts';
import type { RunResult } from '../contracts/run-event.ts';
import { recordAudit } from '../store/audit.ts';
import { runEnded } from '../store/audit-line.ts';
import type { Tx } from '../store/database.ts';
import { actsOfRun } from '../store/run-acts.ts';
import { lastEvent, type RunRecord } from '../store/runs.ts';
import type { TaskRecord } from '../store/tasks.ts';

/** Names a text without repeating it. */
export function textHash(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}

/**
 * Who asked for a run, and what it is given: texts by their hashes, messages and files by the ids of the platform. What was agreed (policy,
 * base) is named by its version.
 */
export async function auditAsked(
  tx: Tx,
  task: Pick<TaskRecord, 'id' | 'workspace' | 'number' | 'project' | 'policyVersion'>,
  asked: {
    run: string;
    by: string;
    attempt: number;
    text: string;
    context?: string | null | undefined;
    messages?: readonly string[] | undefined;
    files?: readonly FileToGive[] | undefined;
    agent?: string | undefined;
  },
): Promise<void> {
  const { run, by, attempt, text, context, messages = [], files = [], agent } = asked;
  await recordAudit(tx, {
    workspace: task.workspace,
    actor: by,
    action: 'run.asked',
    subject: run,
    data: {
      task: task.id,
      number: task.number,
      project: task.project,
      attempt,
      policyVersion: task.policyVersion,
      text: textHash(text),
      ...(agent === undefined ? {} : { agent }),
      ...(context === undefined || context === null ? {} : { context: textHash(context) }),
      ...(messages.length === 0 ? {} : { messages: [...messages] }),
      ...(files.length === 0 ? {} : { files: files.map(({ source: { message, id } }) => ({ message, id })) }),
    },
  });
}

/** A run is over: its last event is stored. What it did is told in numbers; the chain puts a digest of its log up to there behind this line. */
export async function auditEnded(tx: Tx, task: TaskRecord, run: RunRecord, result: RunResult): Promise<void> {
  const through = await lastEvent(tx, run.id);
  const { outcome, cause, commit, tree } = result;
  const acts = await actsOfRun(tx, run.id);
  if (acts.calls > 0 || acts.refusedHosts.length > 0)
    await recordAudit(tx, {
      workspace: task.workspace,
      action: 'run.acts',
      subject: run.id,
      data: { task: task.id, calls: acts.calls, failed: acts.failed, tools: acts.tools, refusedHosts: acts.refusedHosts },
    });
  await recordAudit(tx, {
    workspace: task.workspace,
    action: runEnded,
    subject: run.id,
    data: {
      task: task.id,
      through,
      outcome,
      ...(cause === undefined ? {} : { cause }),
      ...(commit === undefined ? {} : { commit }),
      ...(tree === undefined ? {} : { tree }),
    },
  });
}
