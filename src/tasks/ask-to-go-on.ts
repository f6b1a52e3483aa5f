import { actionHash } from '../approvals/action.ts';
import { askersOf, somebodyMayDecide, whoMayDecide } from '../approvals/approvers.ts';
import { deadlines } from '../approvals/deadlines.ts';
import type { Terms } from '../approvals/demands.ts';
import { followWhereItCounts } from '../approvals/follow.ts';
import type { SpendVerdict } from '../contracts/agent-control.ts';
import type { QuotaAction, SpendAction } from '../contracts/policy.ts';
import { recordAudit } from '../store/audit.ts';
import type { Tx } from '../store/database.ts';
import { createInteraction, type InteractionRecord } from '../store/interactions.ts';
import { startWaiting } from './agent-wait.ts';
import type { Held } from './run-progress.ts';

/** What the turn of an agent ends with that may use no more. */
export type Refusal = { because: string; trouble: 'budget' | 'unpriced' | 'quota' };

/** What becomes of a request to a model about which people have been asked. */
export function waitOrDeny({ state }: InteractionRecord, refusal: Refusal): SpendVerdict {
  switch (state) {
    case 'pending':
      return { verdict: 'wait' };
    case 'approved':
      return { verdict: 'go' };
    case 'denied':
    case 'answered':
    case 'expired':
    case 'superseded':
    case 'cancelled':
      return { verdict: 'deny', ...refusal };
  }
}

interface Asking {
  action: (SpendAction | QuotaAction) & { ask: string };
  terms: Terms;
  because: string;
  refusal: Refusal;
  /** For the audit. */
  facts: Record<string, string | number>;
}

/** Asks people whether the run may use more. It waits; its agent goes no further than the request to a model that it is about to make. */
export async function askToGoOn(
  tx: Tx,
  { task, run }: Held,
  { action, terms, because, refusal, facts }: Asking,
  at: Date,
): Promise<SpendVerdict> {
  // A request to a model before or after the turn itself cannot wait.
  if (run.state === 'preparing') return { verdict: 'wait' };
  if (run.state === 'finishing') return { verdict: 'deny', because: 'The run is ending.' };
  const { approvers } = terms;
  const requester = run.requestedBy;
  const askers = await askersOf(tx.db, { task: task.id, action, approvers, requester, openedAt: at });
  const who = { workspace: task.workspace, project: task.project, approvers, requester, askers };
  if (!(await somebodyMayDecide(tx, who))) {
    return { verdict: 'deny', ...refusal, because: `${refusal.because} ${await whoMayDecide(tx, who)}` };
  }
  const hash = actionHash(action);
  const interaction = await createInteraction(tx, {
    workspace: task.workspace,
    task: task.id,
    run: run.id,
    kind: 'spend',
    ask: action.ask,
    life: run.life,
    action,
    actionHash: hash,
    because,
    risks: [],
    approvers,
    requester,
    ...deadlines(terms, at),
  });
  await followWhereItCounts(tx, task, approvers, at);
  const events = [{ type: 'interaction_opened', interaction: interaction.id, kind: 'spend' }] as const;
  await startWaiting(tx, { task, run, at, events, because });
  await recordAudit(tx, {
    workspace: task.workspace,
    action: 'approval.opened',
    subject: interaction.id,
    data: { task: task.id, run: run.id, hash, kind: 'spend', ...facts },
  });
  return { verdict: 'wait' };
}
