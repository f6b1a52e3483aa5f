import type { Policy } from '../contracts/policy.ts';

/** When a request that is opened now is told of again, if ever, and counts as "no". */
export function deadlines(
  { remindMs, expiresMs }: Pick<Policy, 'remindMs' | 'expiresMs'>,
  openedAt: Date,
): { openedAt: Date; remindAt: Date | null; expiresAt: Date } {
  const after = (ms: number) => new Date(openedAt.getTime() + ms);
  return { openedAt, remindAt: remindMs < expiresMs ? after(remindMs) : null, expiresAt: after(expiresMs) };
}
