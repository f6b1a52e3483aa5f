import { commandAction } from '../approvals/action.ts';
import { judgeTask } from '../approvals/judge-task.ts';
import { openApproval } from '../approvals/open-approval.ts';
import { beginWithinQuotas } from '../budgets/begin.ts';
import { recordAudit } from '../store/audit.ts';
import type { Tx } from '../store/database.ts';
import { currentOffer } from '../store/runners.ts';
import { createRun, type RunRecord } from '../store/runs.ts';
import type { TaskRecord } from '../store/tasks.ts';
import { advanceTask, personActor, system } from './advance.ts';
import { auditAsked } from './audit-runs.ts';
import { cancelledResult, endRun } from './end-run.ts';
import { endPublishRequests } from './publish-requests.ts';

export interface StartInput {
  /** At rest: no run of it is alive. The caller holds its lock. */
  task: TaskRecord;
  attempt: number;
  timeoutMs: number;
  by: { user: string; name: string };
  at: Date;
}

/**
 * Makes a run and judges its command: it waits in the queue, waits for an approval, or ends at once because the policy denies it. The
 * approval is asked for before anything is prepared, about the sandbox that runners offer now; where none has offered any, the check
 * before execution asks.
 */
export async function startRun(tx: Tx, input: StartInput): Promise<RunRecord> {
  const { by, at } = input;
  await endPublishRequests(tx, input.task.id, 'superseded', at);
  const run = await createRun(
    tx,
    {
      workspace: input.task.workspace,
      task: input.task.id,
      project: input.task.project,
      attempt: input.attempt,
      requestedBy: by.user,
      runsOn: input.task.runsOn,
      timeoutMs: input.timeoutMs,
      at,
    },
    personActor(by),
  );
  await auditAsked(tx, input.task, { run: run.id, by: by.user, attempt: input.attempt, text: input.task.command });
  const task = await advanceTask(tx, input.task, 'enqueue', at);
  const offer = await currentOffer(tx, task.runsOn);
  const action = offer === undefined ? undefined : commandAction(task, run, offer);
  const verdict = await judgeTask(tx, task, action);
  // What is denied does not begin.
  if (verdict.verdict !== 'deny') await beginWithinQuotas(tx, run, at);
  if (verdict.verdict === 'deny') {
    const message = `Not run: ${verdict.because}.`;
    await endRun(tx, { task, run, result: cancelledResult('denied', message), actor: system('gateway'), at });
    await recordAudit(tx, {
      workspace: task.workspace,
      actor: by.user,
      action: 'run.denied',
      subject: run.id,
      data: { task: task.id, because: verdict.because },
    });
  } else if (verdict.verdict === 'ask' && action !== undefined) {
    await openApproval(tx, { task, run, action, because: verdict.because, risks: verdict.risks, at });
  }
  tx.notify('queue');
  return run;
}
