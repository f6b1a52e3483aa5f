import type { OutboxPut } from '../contracts/outbox.ts';
import type { IdentityRef, Platform } from '../contracts/platform.ts';
import type { View } from '../contracts/view.ts';
import type { Tx } from '../store/database.ts';
import { allAccountsOf } from '../store/people.ts';

/** The account at which somebody is written to: the one on this platform, else the first they have. Undefined: they have none. */
export async function accountToWrite(
  tx: Tx,
  workspace: string,
  user: string,
  on: Platform | undefined,
): Promise<IdentityRef | undefined> {
  const accounts = (await allAccountsOf(tx, workspace, [user])).get(user) ?? [];
  return accounts.find(({ platform }) => platform === on) ?? accounts[0];
}

/** A direct message to an account. `follows`: what it says can change, and it is edited then. */
export function directPut(
  { platform, tenant, user }: IdentityRef,
  { view, follows, ...row }: Pick<OutboxPut, 'workspace' | 'key' | 'priority'> & { view: View; follows?: true },
): OutboxPut {
  return {
    ...row,
    target: { type: 'conversation', conversation: { platform, tenant, channel: user, kind: 'direct' } },
    payload: { type: 'direct', user: { platform, tenant, user }, view, ...(follows === undefined ? {} : { follows }) },
  };
}
