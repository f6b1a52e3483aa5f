import type { OutboxPut } from '../contracts/outbox.ts';
import type { IdentityRef, Platform } from '../contracts/platform.ts';
import type { View } from '../contracts/view.ts';
import type { Tx } from '../store/database.ts';
import { type DirectAccount, directAccountsOf } from '../store/direct-reach.ts';
import { readNotify } from '../store/notify.ts';

/** What decides at which of their accounts somebody is written to. */
interface Preferences {
  /** The platform that they have chosen. */
  chosen?: Platform | undefined;
  /** The one where that happens which they are written to about. */
  about?: Platform | undefined;
}

/**
 * The account at which somebody is to be written to: on the platform they have chosen, else on the one where what it is about happens, else
 * the one they had first. Direct messages may not reach it: where there is another way to tell them, such as a mention, that is better then
 * than a message where they do not expect it. Pure.
 */
export function accountOf(accounts: readonly DirectAccount[], { chosen, about }: Preferences): DirectAccount | undefined {
  const on = (platform: Platform | undefined) => accounts.find((one) => one.platform === platform);
  return on(chosen) ?? on(about) ?? accounts[0];
}

/** The same of those that direct messages reach, for what would be lost otherwise; undefined: there is none. Pure. */
export function reachedAccountOf(accounts: readonly DirectAccount[], preferences: Preferences): DirectAccount | undefined {
  return accountOf(
    accounts.filter(({ refused }) => !refused),
    preferences,
  );
}

/** The same of a person, as it is stored. */
export async function accountToWrite(
  tx: Tx,
  workspace: string,
  user: string,
  about?: Platform,
): Promise<IdentityRef | undefined> {
  const { on: chosen } = await readNotify(tx, user);
  return reachedAccountOf((await directAccountsOf(tx, workspace, [user])).get(user) ?? [], { chosen, about });
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
