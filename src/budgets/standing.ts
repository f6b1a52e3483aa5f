import type { Standing } from '../contracts/quotas.ts';
import { warnedFrom } from '../contracts/quotas.ts';
import { periodEnd } from './periods.ts';

/** What may be used in this period. */
export function allowed({ quota, extra }: Standing): number {
  return quota.limit + extra;
}

/** Nothing is left. */
export function isUsedUp(standing: Standing): boolean {
  return standing.used >= allowed(standing);
}

/** How much of it is used, 1 for all; of a limit of nothing all is. */
export function part(standing: Standing): number {
  const most = allowed(standing);
  return most === 0 ? 1 : standing.used / most;
}

/** Counting `amount` has just brought it to the line from which on people are warned. It did so once in the period. */
export function reachesLine(standing: Standing, amount: number): boolean {
  const line = warnedFrom * allowed(standing);
  return standing.used >= line && standing.used - amount < line;
}

/** The same, where something is left to be warned of. */
export function startsToWarn(standing: Standing, amount: number): boolean {
  return reachesLine(standing, amount) && !isUsedUp(standing);
}

/** When a quota that is used up has room again; null: when something that counts for it is over. */
export function freeAt({ quota, since }: Pick<Standing, 'quota' | 'since'>): Date | null {
  return quota.per === 'once' || since === null ? null : periodEnd(quota.per, since);
}

/** Of several that refuse, the one that refuses longest: when it has room, the others have too. */
export function strictest(refused: readonly Standing[]): Standing | undefined {
  const until = (standing: Standing) => freeAt(standing)?.getTime() ?? Number.POSITIVE_INFINITY;
  return [...refused].sort((a, b) => until(b) - until(a))[0];
}
