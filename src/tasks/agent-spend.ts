import { actionHash } from '../approvals/action.ts';
import { dollars } from '../approvals/action-text.ts';
import { somebodyMayDecide, whoMayDecide } from '../approvals/approvers.ts';
import { policyOf } from '../approvals/judge-task.ts';
import { type Usage, usageSchema } from '../contracts/agent.ts';
import type { AgentControl } from '../contracts/agent-control.ts';
import type { SpendAction } from '../contracts/policy.ts';
import { addUsage, wasCounted } from '../store/agent-runs.ts';
import { recordAudit } from '../store/audit.ts';
import type { Tx } from '../store/database.ts';
import { createInteraction, interactionsOfRun } from '../store/interactions.ts';
import { appendEvents } from '../store/run-events.ts';
import { system } from './advance.ts';
import { startWaiting } from './agent-wait.ts';
import { type Held, held } from './run-progress.ts';

type MaySpend = Awaited<ReturnType<AgentControl['maySpend']>>;

/** May the run ask a model? With its budget used up, people are asked once for each budget. */
export async function maySpend(tx: Tx, runId: string, runner: string, at: Date): Promise<MaySpend> {
  const found = await held(tx, runId, runner);
  if (found === undefined) return { verdict: 'deny', because: 'The run is not held by this runner any more.' };
  const { task, run } = found;
  if (run.agent === null) throw new Error(`run ${run.id} has no agent`);
  if (run.stopRequestedAt !== null) return { verdict: 'deny', because: 'The run is being stopped.' };
  const { budgetUsd, spentUsd } = task;
  if (budgetUsd === null || spentUsd < budgetUsd) return { verdict: 'go' };
  const ask = `spend/${budgetUsd}`;
  const known = (await interactionsOfRun(tx, run.id)).findLast((one) => one.kind === 'spend' && one.ask === ask);
  if (known === undefined) return open(tx, found, ask, budgetUsd, at);
  switch (known.state) {
    case 'pending':
      return { verdict: 'wait' };
    case 'approved':
      return { verdict: 'go' };
    case 'denied':
    case 'answered':
    case 'expired':
    case 'superseded':
    case 'cancelled':
      return { verdict: 'deny', because: usedUp(spentUsd, budgetUsd, known.reason ?? undefined) };
  }
}

function usedUp(spent: number, budget: number, reason?: string): string {
  const said = reason === undefined ? '' : `: ${reason}`;
  return `The budget of the task is used up (${dollars(spent)} of ${dollars(budget)}), and it was not raised${said}.`;
}

async function open(tx: Tx, { task, run }: Held, ask: string, budgetUsd: number, at: Date): Promise<MaySpend> {
  // A request to a model before or after the turn itself cannot wait.
  if (run.state === 'preparing') return { verdict: 'wait' };
  if (run.state === 'finishing') return { verdict: 'deny', because: 'The run is ending.' };
  const policy = policyOf(task);
  const who = { workspace: task.workspace, project: task.project, approvers: policy.approvers, requester: run.requestedBy };
  if (!(await somebodyMayDecide(tx, who))) {
    return { verdict: 'deny', because: `${usedUp(task.spentUsd, budgetUsd)} ${await whoMayDecide(tx, who)}` };
  }
  const action: SpendAction = {
    type: 'spend',
    ask,
    project: task.project,
    spentUsd: task.spentUsd,
    budgetUsd,
    raisedUsd: raisedFrom(budgetUsd, task.spentUsd),
  };
  const because = `its budget of ${dollars(budgetUsd)} is used up`;
  const hash = actionHash(action);
  const interaction = await createInteraction(tx, {
    workspace: task.workspace,
    task: task.id,
    run: run.id,
    kind: 'spend',
    ask,
    life: run.life,
    action,
    actionHash: hash,
    because,
    risks: [],
    approvers: policy.approvers,
    requester: run.requestedBy,
    openedAt: at,
    remindAt: policy.remindMs < policy.expiresMs ? new Date(at.getTime() + policy.remindMs) : null,
    expiresAt: new Date(at.getTime() + policy.expiresMs),
  });
  const events = [{ type: 'interaction_opened', interaction: interaction.id, kind: 'spend' }] as const;
  await startWaiting(tx, { task, run, at, events, because });
  await recordAudit(tx, {
    workspace: task.workspace,
    action: 'approval.opened',
    subject: interaction.id,
    data: { task: task.id, run: run.id, hash, kind: 'spend', budgetUsd, spentUsd: task.spentUsd },
  });
  return { verdict: 'wait' };
}

/** As much again as before, counted from what is spent where that is more already. Whole cents. */
export function raisedFrom(budgetUsd: number, spentUsd: number): number {
  const step = Math.max(budgetUsd, 1);
  // Sums of floating point are a little above or below what they stand for.
  const micros = Math.round((Math.max(budgetUsd, spentUsd) + step) * 1e6);
  return Math.ceil(micros / 1e4) / 100;
}

/** Counts a request to a model: event, run and task. One that was counted before is not counted again. */
export async function countUsage(
  tx: Tx,
  runId: string,
  runner: string,
  { usage: raw, request }: { usage: Usage; request: string | undefined },
  at: Date,
): Promise<boolean> {
  const usage = usageSchema.parse(raw);
  const found = await held(tx, runId, runner);
  if (found === undefined) return false;
  if (request !== undefined && (await wasCounted(tx, runId, request))) return true;
  await addUsage(tx, { id: runId, task: found.task.id }, usage);
  await appendEvents(tx, { run: runId, actor: system('runner'), at, events: [{ ...usage, type: 'usage', request }] });
  return true;
}
