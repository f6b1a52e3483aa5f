import { type Estimate, leastAlike, type PastWork } from '../contracts/estimate.ts';
import type { Standing } from '../contracts/quotas.ts';
import { allowed } from './standing.ts';

/** What work like this will probably use; undefined: there was too little of it. Pure. */
export function estimateOf(past: readonly PastWork[], about: Pick<Estimate, 'of' | 'like'>): Estimate | undefined {
  if (past.length < leastAlike) return undefined;
  const priced = past.flatMap(({ costUsd }) => costUsd ?? []);
  return {
    tasks: past.length,
    ...about,
    ...(priced.length < leastAlike ? {} : { costUsd: spread(priced) }),
    tokens: spread(past.map(({ tokens }) => tokens)),
    ms: spread(past.map(({ ms }) => ms)),
  };
}

/** The middle one, and the one that nine of ten do not go beyond. */
function spread(values: readonly number[]): { usual: number; high: number } {
  const sorted = values.toSorted((a, b) => a - b);
  const at = (share: number) => sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)] ?? 0;
  return { usual: at(0.5), high: at(0.9) };
}

/** What is expected beyond what is left: of a quota, or of the budget of the task. */
export interface Beyond {
  measure: 'cost' | 'tokens' | 'wall';
  usual: number;
  left: number;
  /** Undefined: the budget. */
  standing: Standing | undefined;
}

/** Where what uses as much as is usual would use up what is left; the tightest first. `leftUsd`: of the budget; null: there is none. Pure. */
export function beyondOf(estimate: Estimate, leftUsd: number | null, standings: readonly Standing[]): Beyond[] {
  const usualOf = { cost: estimate.costUsd?.usual, tokens: estimate.tokens.usual, wall: estimate.ms.usual };
  const beyond: Beyond[] = [];
  if (leftUsd !== null && usualOf.cost !== undefined && usualOf.cost > leftUsd) {
    beyond.push({ measure: 'cost', usual: usualOf.cost, left: leftUsd, standing: undefined });
  }
  for (const standing of standings) {
    const { measure } = standing.quota;
    if (measure !== 'cost' && measure !== 'tokens' && measure !== 'wall') continue;
    const usual = usualOf[measure];
    const left = Math.max(0, allowed(standing) - standing.used);
    if (usual !== undefined && usual > left) beyond.push({ measure, usual, left, standing });
  }
  return beyond.sort((a, b) => a.left / a.usual - b.left / b.usual);
}
