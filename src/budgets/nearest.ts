import type { QuotaScope, Standing } from '../contracts/quotas.ts';
import { warnedFrom } from '../contracts/quotas.ts';
import { usedText } from './amounts.ts';
import { part } from './standing.ts';

/** A quota is worth telling while the run goes on from here on. */
const toldFrom = 0.5;

/** A quota that will be used up first. `warns`: most of it is used. */
export interface NearestQuota {
  text: string;
  warns: boolean;
}

/** Without names: the card that says it can be read where a channel is not known by name. */
const places: Readonly<Record<QuotaScope, string>> = {
  workspace: 'in the whole workspace',
  channel: 'in the channel',
  project: 'in the project',
  person: 'for the person who asked',
};

/** "26 of 50 runs a day in the project": of those of which at least half is used, the one with the least left. Pure. */
export function nearestQuota(standings: readonly Standing[]): NearestQuota | undefined {
  const [nearest] = standings.filter((one) => part(one) >= toldFrom).sort((a, b) => part(b) - part(a));
  if (nearest === undefined) return undefined;
  const { quota, used, extra } = nearest;
  return { text: `${usedText(quota, used, extra)} ${places[quota.scope]}`, warns: part(nearest) >= warnedFrom };
}
