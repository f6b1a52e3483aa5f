import { type Affiliation, affiliationSchema, externalWords, isExternal } from '../contracts/affiliation.ts';

/** What the platform says now; where it could not be asked, what it said before. */
export function affiliationNow(told: Affiliation | undefined, stored: Affiliation | undefined): Affiliation | undefined {
  if (told === undefined || told.kind === 'unknown') return stored ?? told;
  // The name of an organisation is looked up apart, and not always told.
  const named = told.organisation ?? (stored?.kind === told.kind ? stored.organisation : undefined);
  return { kind: told.kind, ...(named === undefined ? {} : { organisation: named }) };
}

/** As it is stored; undefined: the platform has never said anything of the account. */
export function affiliationOf(row: { affiliation: string | null; organisation: string | null }): Affiliation | undefined {
  const { affiliation: kind, organisation } = row;
  return affiliationSchema.safeParse({ kind, ...(organisation === null ? {} : { organisation }) }).data;
}

/** That it could not be asked is nothing to remember. */
export function affiliationColumns(affiliation: Affiliation | undefined): {
  affiliation: string | null;
  organisation: string | null;
} {
  if (affiliation === undefined || affiliation.kind === 'unknown') return { affiliation: null, organisation: null };
  return { affiliation: affiliation.kind, organisation: affiliation.organisation ?? null };
}

/** Words for people about accounts of one person of which one may be external; undefined: none is. */
export function externalMark(
  accounts: readonly { affiliation: string | null; organisation: string | null }[],
): string | undefined {
  return externalWords(accounts.map(affiliationOf).find(isExternal));
}
