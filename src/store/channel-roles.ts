import { type Role, roleAtLeast } from '../contracts/roles.ts';
import type { Tx } from './database.ts';
import { roleOf } from './linked-people.ts';

/** The strongest role that a channel bound to the project gives its members; undefined: none gives one. */
export async function roleGivenByChannels(tx: Tx, project: string): Promise<Role | undefined> {
  const rows = await tx.db.channel.findMany({
    where: { projectId: project, defaultRole: { not: null } },
    select: { defaultRole: true },
    distinct: ['defaultRole'],
  });
  return rows
    .map(({ defaultRole }) => roleOf(defaultRole))
    .reduce((best, role) => (role !== undefined && (best === undefined || roleAtLeast(role, best)) ? role : best), undefined);
}
