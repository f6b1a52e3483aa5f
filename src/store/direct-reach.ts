import type { IdentityRef } from '../contracts/platform.ts';
import { platformSchema } from '../contracts/platform.ts';
import type { Tx } from './database.ts';

/** Whether the bot may write to people directly: on some platforms only once they have begun, and only as long as they want. */

const of = ({ platform, tenant, user }: IdentityRef) => ({ platform, tenant, externalId: user });

/** An account. `refused`: direct messages do not reach it. */
export type DirectAccount = IdentityRef & { refused: boolean };

/** The accounts of these people, oldest first, by the id of the person. */
export async function directAccountsOf(
  tx: Tx,
  workspace: string,
  users: readonly string[],
): Promise<Map<string, DirectAccount[]>> {
  if (users.length === 0) return new Map();
  const rows = await tx.db.identity.findMany({
    where: { workspaceId: workspace, userId: { in: [...users] } },
    orderBy: { id: 'asc' },
    select: { userId: true, platform: true, tenant: true, externalId: true, directRefusedAt: true },
  });
  const accounts = rows.map(({ userId, platform, tenant, externalId, directRefusedAt }) => ({
    userId,
    account: { platform: platformSchema.parse(platform), tenant, user: externalId, refused: directRefusedAt !== null },
  }));
  return new Map(
    [...Map.groupBy(accounts, ({ userId }) => userId)].map(([user, own]) => [user, own.map(({ account }) => account)]),
  );
}

/** A direct message to the account was refused. Whoever has been told of an earlier refusal is not told again. */
export async function noteDirectRefused(tx: Tx, account: IdentityRef, at: Date): Promise<void> {
  await tx.db.identity.updateMany({ where: { ...of(account), directRefusedAt: null }, data: { directRefusedAt: at } });
}

/** One arrived, or the person has written directly. */
export async function noteDirectReached({ db }: Pick<Tx, 'db'>, account: IdentityRef): Promise<void> {
  await db.identity.updateMany({
    where: { ...of(account), directRefusedAt: { not: null } },
    data: { directRefusedAt: null, directToldAt: null },
  });
}

/** Notes that the person is told now; true for the one who is first since the refusal. */
export async function noteRefusalTold(tx: Tx, account: IdentityRef, at: Date): Promise<boolean> {
  const { count } = await tx.db.identity.updateMany({
    where: { ...of(account), directRefusedAt: { not: null }, directToldAt: null },
    data: { directToldAt: at },
  });
  return count === 1;
}

/** Accounts of a person that could not be written to last time, oldest first. `told`: the person knows. */
export async function refusedAccounts(tx: Tx, user: string): Promise<(IdentityRef & { told: boolean })[]> {
  const rows = await tx.db.identity.findMany({ where: { userId: user, directRefusedAt: { not: null } }, orderBy: { id: 'asc' } });
  return rows.map(({ platform, tenant, externalId, directToldAt }) => ({
    platform: platformSchema.parse(platform),
    tenant,
    user: externalId,
    told: directToldAt !== null,
  }));
}

/** Whose account it is, as they are called, and their account where a thread is; undefined: the account is unknown or the thread gone. */
export async function personInThread(
  tx: Tx,
  account: IdentityRef,
  thread: string,
): Promise<{ name: string; user: string | undefined } | undefined> {
  const [identity, place] = await Promise.all([
    tx.db.identity.findUnique({ where: { platform_tenant_externalId: of(account) }, include: { user: true } }),
    tx.db.thread.findUnique({ where: { id: thread }, select: { channel: { select: { platform: true, tenant: true } } } }),
  ]);
  if (identity === null || place === null) return undefined;
  const { platform, tenant } = place.channel;
  const where = { userId: identity.userId, platform, tenant };
  const here = await tx.db.identity.findFirst({ where, orderBy: { id: 'desc' }, select: { externalId: true } });
  return { name: identity.user.name, user: here?.externalId };
}
