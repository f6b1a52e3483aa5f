import { goodTokens, revokeTokenRow, type TokenRow } from '../store/access-tokens.ts';
import { recordAudit } from '../store/audit.ts';
import type { Tx } from '../store/database.ts';

/**
 * Ends a token of those that `whose` names and writes it into the audit. Undefined when there is no such token, or
 * it has ended already.
 */
export async function revokeToken(
  tx: Tx,
  { workspace, by, whose, id }: { workspace: string; by: string; whose: readonly string[] | 'all' | 'services'; id: string },
  at: Date,
): Promise<TokenRow | undefined> {
  const token = (await goodTokens(tx, workspace, whose, at)).find((one) => one.id === id);
  if (token === undefined || !(await revokeTokenRow(tx, workspace, token.id, by, at))) return undefined;
  const { name, end, user, kind } = token;
  await recordAudit(tx, {
    workspace,
    actor: by,
    action: 'token.revoke',
    subject: token.id,
    data: { name, end, owner: user, kind },
  });
  return token;
}
