import { actsSince } from '../store/audit.ts';
import type { Tx } from '../store/database.ts';

/** Wrong codes of one kind that a person may send in `wrongCodesMs`. */
export const mostWrongCodes = 5;
export const wrongCodesMs = 15 * 60_000;

/** Has this person sent so many wrong codes lately that no code of theirs is looked at? `kind`: what the audit calls a wrong one. */
export async function triesTooOften(
  tx: Tx,
  { workspace, user }: { workspace: string; user: string },
  kind: 'invite.wrong_code' | 'link.wrong_code',
  now: Date,
): Promise<boolean> {
  const since = new Date(now.getTime() - wrongCodesMs);
  return (await actsSince(tx, workspace, user, kind, since)) >= mostWrongCodes;
}
