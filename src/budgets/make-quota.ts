import { adoptRequests } from '../store/counted-requests.ts';
import type { Tx } from '../store/database.ts';
import { consumedSince } from '../store/quota-facts.ts';
import { lockQuotas } from '../store/quota-lock.ts';
import { type NewQuota, putQuota, setConsumed } from '../store/quotas.ts';
import { periodStart } from './periods.ts';

/**
 * Makes a quota, or changes its limit. What happened in the period before counts for a new one, requests under way too; nothing is counted
 * meanwhile, so nothing is missed and nothing counted twice. `was`: the limit it had.
 */
export async function makeQuota(tx: Tx, wanted: NewQuota): ReturnType<typeof putQuota> {
  await lockQuotas(tx, wanted.workspace);
  const { quota, was } = await putQuota(tx, wanted);
  if (was !== null || quota.per === 'once') return { quota, was };
  const since = periodStart(quota.per, wanted.at);
  const underWay = quota.measure === 'requests' ? await adoptRequests(tx, quota, since) : 0;
  for (const period of await consumedSince(tx.db, quota, since)) {
    const here = period.since.getTime() === since.getTime() ? underWay : 0;
    await setConsumed(tx, quota, period.since, period.used + here);
  }
  return { quota, was };
}
