import { type CommandAction, commandActionSchema } from '../contracts/policy.ts';
import { recordAudit } from '../store/audit.ts';
import type { Tx } from '../store/database.ts';
import { noteAuthorised } from '../store/held-runs.ts';
import { consumeApproval, type InteractionRecord, interactionsOfRun } from '../store/interactions.ts';
import { appendEvents } from '../store/run-events.ts';
import { type RunRecord, runById, stopRequester } from '../store/runs.ts';
import { lockTask, type TaskRecord } from '../store/tasks.ts';
import { system } from '../tasks/advance.ts';
import { cancelledResult, endRun } from '../tasks/end-run.ts';
import { actionHash } from './action.ts';
import { judgeTask } from './judge-task.ts';
import { openApproval } from './open-approval.ts';
import { isStillDecided } from './several.ts';

export type Authorisation = { verdict: 'run' } | { verdict: 'ask' } | { verdict: 'deny'; because: string };

/**
 * The check just before execution. What runs is allowed by the pinned policy, by a rule, or by an approval of exactly this action,
 * given for this run by somebody who still has the right, and not used by another run. Everything else asks anew or is denied.
 */
export async function authorise(tx: Tx, runId: string, runner: string, raw: CommandAction, now: Date): Promise<Authorisation> {
  const first = await runById(tx, runId);
  const task = first === undefined ? undefined : await lockTask(tx, first.task);
  const run = await runById(tx, runId);
  if (run === undefined || task === undefined || run.runner !== runner || run.state !== 'preparing') {
    return { verdict: 'deny', because: 'this runner does not hold the run' };
  }
  if (run.stopRequestedAt !== null) {
    const by = (await stopRequester(tx, run.id)) ?? 'somebody';
    return refuse(tx, task, run, 'stopped', `Stopped by ${by} before the command started.`, now);
  }
  const action = commandActionSchema.safeParse(raw).data;
  const mismatch = action === undefined ? 'it cannot be read' : mismatchOf(task, run, action);
  if (action === undefined || mismatch !== undefined) {
    return refuse(tx, task, run, 'denied', `Not run: the runner would run something else than the task says (${mismatch}).`, now);
  }
  const verdict = await judgeTask(tx, task, action);
  switch (verdict.verdict) {
    case 'deny':
      return refuse(tx, task, run, 'denied', `Not run: ${verdict.because}.`, now);
    case 'run':
      await noteAuthorised(tx, run.id, runner, action.sandbox);
      return { verdict: 'run' };
    case 'ask': {
      if (await useApproval(tx, task, run, action, now)) {
        await noteAuthorised(tx, run.id, runner, action.sandbox);
        return { verdict: 'run' };
      }
      const opened = await openApproval(tx, { task, run, action, because: verdict.because, risks: verdict.risks, at: now });
      return opened === 'opened' ? { verdict: 'ask' } : { verdict: 'deny', because: 'nobody may approve it' };
    }
  }
}

/** What of the action is the task's, and must be the task's. */
function mismatchOf(task: TaskRecord, run: RunRecord, action: CommandAction): string | undefined {
  if (task.kind !== 'command') return 'a command instead of an agent';
  if (action.command !== task.command) return 'another command';
  if (action.project !== task.project) return 'another project';
  return action.timeoutMs === run.timeoutMs ? undefined : 'another time limit';
}

async function refuse(
  tx: Tx,
  task: TaskRecord,
  run: RunRecord,
  cause: 'denied' | 'stopped',
  message: string,
  at: Date,
): Promise<Authorisation> {
  await endRun(tx, { task, run, result: cancelledResult(cause, message), actor: system('gateway'), at });
  await recordAudit(tx, {
    workspace: task.workspace,
    action: 'run.not_authorised',
    subject: run.id,
    data: { task: task.id, cause, message },
  });
  return { verdict: 'deny', because: message };
}

/** Uses up an approval of exactly this action, when there is one that counts. */
async function useApproval(tx: Tx, task: TaskRecord, run: RunRecord, action: CommandAction, now: Date): Promise<boolean> {
  const hash = actionHash(action);
  let left: { interaction: InteractionRecord; because: string } | undefined;
  for (const interaction of await interactionsOfRun(tx, run.id)) {
    if (interaction.state !== 'approved') continue;
    const problem = await problemOf(tx, task, interaction, hash);
    if (problem !== undefined) {
      left = { interaction, because: problem };
      continue;
    }
    const use = await consumeApproval(tx, interaction.id, run.id, now);
    if (use === 'refused') {
      left = { interaction, because: 'it was used before' };
      continue;
    }
    if (use === 'first') {
      await recordAudit(tx, {
        workspace: task.workspace,
        action: 'approval.consumed',
        subject: interaction.id,
        data: { task: task.id, run: run.id, hash },
      });
    }
    return true;
  }
  // Of several the newest: the others were told of when there was a newer one to be asked for.
  if (left !== undefined) await leaveOut(tx, task, run, left, now);
  return false;
}

/** Why an approval of the run does not count for exactly this action; undefined: it does. */
async function problemOf(tx: Tx, task: TaskRecord, interaction: InteractionRecord, hash: string): Promise<string | undefined> {
  // The stored action must still be what its hash says: what people saw is what runs.
  if (actionHash(interaction.action) !== interaction.actionHash) return 'what is stored is not what people saw';
  if (interaction.actionHash !== hash) return 'it is of something else than what would run now';
  return (await isStillDecided(tx, task.project, interaction)) ? undefined : 'whoever gave it may not decide any more';
}

/** People are told, and the audit, why an approval that was given is not enough. */
async function leaveOut(
  tx: Tx,
  task: TaskRecord,
  run: RunRecord,
  { interaction: { id, actionHash: hash }, because }: { interaction: InteractionRecord; because: string },
  at: Date,
): Promise<void> {
  const text = `The approval no longer counts: ${because}.`;
  await appendEvents(tx, { run: run.id, actor: system('gateway'), at, events: [{ type: 'note', level: 'warning', text }] });
  await recordAudit(tx, {
    workspace: task.workspace,
    action: 'approval.void',
    subject: id,
    data: { task: task.id, run: run.id, hash, because },
  });
}
