import type { Permission } from '../../src/contracts/permissions.ts';
import { newId } from '../../src/runtime/ids.ts';
import { createCustomRole } from '../../src/store/custom-roles.ts';
import { type Account, accounts, type Desk, slash } from './desk.ts';

/** Gives somebody a custom role of exactly these permissions, in the workspace and instead of what they were. */
export async function giveCustomRole(
  desk: Desk,
  account: Account,
  permissions: readonly Permission[],
  name: string = newId('rol'),
): Promise<void> {
  const { database, workspace } = desk;
  await desk.act(slash(account, 'help'));
  const { id } = await database.db.user.findFirstOrThrow({ where: { identities: { some: { externalId: accounts[account] } } } });
  const custom = await database.transaction((tx) =>
    createCustomRole(tx, { workspace, name, permissions, by: id, at: new Date() }),
  );
  if (custom === undefined) throw new Error(`there is a role ${name} already`);
  await database.db.user.update({ where: { id }, data: { role: 'guest', customRoleId: custom.id } });
}

/** Takes every custom role from everybody: they have no role of their own then. */
export async function takeCustomRoles({ database }: Desk): Promise<void> {
  await database.db.user.updateMany({ where: { customRoleId: { not: null } }, data: { role: null, customRoleId: null } });
}
