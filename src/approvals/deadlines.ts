import type { Role } from '../contracts/roles.ts';
import type { Terms } from './demands.ts';

/** When a request that is opened now is told of again, and others are asked, if ever, and when it counts as "no". */
export function deadlines(
  { remindMs, expiresMs, escalate }: Omit<Terms, 'approvers'>,
  openedAt: Date,
): { openedAt: Date; remindAt: Date | null; escalateAt: Date | null; escalateTo: Role | null; expiresAt: Date } {
  const after = (ms: number | undefined) => (ms === undefined || ms >= expiresMs ? null : new Date(openedAt.getTime() + ms));
  const escalateAt = after(escalate?.afterMs);
  return {
    openedAt,
    remindAt: after(remindMs),
    escalateAt,
    escalateTo: escalateAt === null ? null : (escalate?.to ?? null),
    expiresAt: new Date(openedAt.getTime() + expiresMs),
  };
}
