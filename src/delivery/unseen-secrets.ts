import { accessTokenHash, isAccessToken } from '../access/access-token.ts';
import type { OutboxPayload } from '../contracts/outbox.ts';
import { revokeByHash } from '../store/access-tokens.ts';
import { recordAudit } from '../store/audit.ts';
import type { Tx } from '../store/database.ts';

/**
 * A message with a new access token has not arrived, as far as anybody knows: the token ends, because nobody has it or nobody knows who does. Links
 * that sign in end by themselves within minutes.
 */
export async function voidUnseen(
  tx: Tx,
  payload: OutboxPayload,
  openSecret: ((sealed: string) => string) | undefined,
  at: Date,
): Promise<void> {
  const sealed = 'view' in payload ? payload.view.secret : undefined;
  if (sealed === undefined || openSecret === undefined) return;
  const secret = opened(sealed, openSecret);
  if (secret === undefined || !isAccessToken(secret)) return;
  const ended = await revokeByHash(tx, accessTokenHash(secret), at);
  if (ended === undefined) return;
  const { workspace, id, name } = ended;
  await recordAudit(tx, {
    workspace,
    action: 'token.revoke',
    subject: id,
    data: { name, why: 'the message that shows it did not arrive' },
  });
}

/** What cannot be opened any more was never shown either, but names no token. */
function opened(sealed: string, openSecret: (sealed: string) => string): string | undefined {
  try {
    return openSecret(sealed);
  } catch {
    return undefined;
  }
}
