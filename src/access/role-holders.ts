import { accountsWithRoles } from '../store/custom-roles.ts';
import type { Tx } from '../store/database.ts';
import { grantRows } from '../store/grants.ts';
import { rolesOfAccount } from './cascade.ts';

/**
 * User ids of the accounts that have these custom roles about a project at this moment, by the id of the role: what a role says that counts
 * there is asked as for everything else, so that a membership on the project counts before one in the workspace. What a channel gives its
 * members is nobody's by name and does not count. Roles of other workspaces have nobody (promise 12).
 */
export async function holdersOfRoles(
  db: Tx['db'],
  { workspace, project }: { workspace: string; project: string },
  roles: readonly string[],
): Promise<Map<string, string[]>> {
  const holders = new Map<string, string[]>();
  if (roles.length === 0) return holders;
  const inWorkspace = new Map((await accountsWithRoles(db, workspace, roles)).map(({ user, custom }) => [user, custom]));
  const said = Map.groupBy(await grantRows(db, workspace, { places: [project] }), ({ user }) => user);
  for (const user of new Set([...inWorkspace.keys(), ...said.keys()])) {
    for (const role of rolesOfAccount(said.get(user) ?? [], inWorkspace.get(user))) {
      if (roles.includes(role)) holders.set(role, [...(holders.get(role) ?? []), user]);
    }
  }
  return holders;
}
