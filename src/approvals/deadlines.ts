import type { Role } from '../contracts/roles.ts';
import type { Terms } from './demands.ts';

/** When a request that is opened now is told of again, and others are asked, if ever, and when it counts as "no"; null: never. */
export function deadlines(
  { remindMs, expiresMs, waits, escalate }: Omit<Terms, 'approvers'>,
  openedAt: Date,
): { openedAt: Date; remindAt: Date | null; escalateAt: Date | null; escalateTo: Role | null; expiresAt: Date | null } {
  const after = (ms: number | undefined) =>
    ms === undefined || (waits !== true && ms >= expiresMs) ? null : new Date(openedAt.getTime() + ms);
  const escalateAt = after(escalate?.afterMs);
  return {
    openedAt,
    remindAt: after(remindMs),
    escalateAt,
    escalateTo: escalateAt === null ? null : (escalate?.to ?? null),
    expiresAt: waits === true ? null : new Date(openedAt.getTime() + expiresMs),
  };
}

/** Is the time over in which a request can be decided? */
export function isOver({ expiresAt }: { expiresAt: Date | null }, now: Date): boolean {
  return expiresAt !== null && now >= expiresAt;
}
