import { givenWith } from '../contracts/custom-roles.ts';
import { anyOf, bothOf, type Rights } from '../contracts/permissions.ts';
import { mostOfChannel } from './channels.ts';
import { countingRole, customRolesById } from './custom-roles.ts';
import type { Tx } from './database.ts';
import { roleOf } from './linked-people.ts';

/** All that channels bound to the project give their members. */
export async function rightsGivenByChannels(tx: Tx, project: string): Promise<Rights> {
  const rows = await tx.db.channel.findMany({
    where: { projectId: project, defaultRole: { not: null } },
    select: { workspaceId: true, defaultRole: true, customRoleId: true },
    distinct: ['defaultRole', 'customRoleId'],
  });
  const [workspace] = rows.map(({ workspaceId }) => workspaceId);
  if (workspace === undefined) return {};
  const ids = rows.map(({ customRoleId }) => customRoleId);
  const known = await customRolesById(tx, workspace, ids);
  return anyOf(
    rows.map(({ defaultRole: role, customRoleId }) => {
      const custom = countingRole({ role, customRoleId }, known);
      return custom === undefined ? { role: roleOf(role) } : bothOf(givenWith(custom), mostOfChannel);
    }),
  );
}
