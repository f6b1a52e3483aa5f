import type { QuotaAction } from '../contracts/policy.ts';
import { recordAudit } from '../store/audit.ts';
import type { Tx } from '../store/database.ts';
import type { InteractionRecord } from '../store/interactions.ts';
import { allowExtra, standingById } from '../store/quotas.ts';

/** People let a run go on beyond a quota: more may be used until the period is over that they were asked in. Others may have raised it since. */
export async function raiseQuota(tx: Tx, interaction: InteractionRecord, action: QuotaAction, at: Date): Promise<void> {
  const since = new Date(action.since);
  const standing = await standingById(tx.db, interaction.workspace, action.quota, since);
  if (standing === undefined || standing.since?.getTime() !== since.getTime()) return;
  const extra = action.raised - (standing.quota.limit + standing.extra);
  if (extra <= 0) return;
  await allowExtra(tx, standing.quota, since, extra);
  await recordAudit(tx, {
    workspace: interaction.workspace,
    actor: interaction.decidedBy ?? undefined,
    action: 'quota.raised',
    subject: standing.quota.id,
    data: {
      quota: action.name,
      task: interaction.task,
      run: interaction.run,
      from: action.limit,
      to: action.raised,
      at: at.toISOString(),
    },
  });
}
