import { type PlaceRole, placeRoleSchema } from '../contracts/roles.ts';
import { newId } from '../runtime/ids.ts';
import type { Tx } from './database.ts';

/** A project or a folder of a workspace. */
export interface Place {
  kind: 'project' | 'folder';
  id: string;
  name: string;
  workspace: string;
}

/** Memberships at a place, by the row of the account. */
export async function membershipsAt(tx: Tx, place: Place): Promise<Map<string, PlaceRole>> {
  const rows = await tx.db.membership.findMany({ where: { workspaceId: place.workspace, ...at(place) } });
  return new Map(rows.map(({ userId, role }) => [userId, placeRoleSchema.catch('none').parse(role)]));
}

/** Makes these rows of accounts members with a role; undefined takes their memberships away. */
export async function writeMemberships(
  tx: Tx,
  place: Place,
  users: readonly string[],
  role: PlaceRole | undefined,
): Promise<void> {
  const { workspace } = place;
  await tx.db.membership.deleteMany({ where: { workspaceId: workspace, userId: { in: [...users] }, ...at(place) } });
  if (role === undefined) return;
  await tx.db.membership.createMany({
    data: users.map((userId) => ({ id: newId('mbr'), workspaceId: workspace, userId, role, ...at(place) })),
  });
}

function at({ kind, id }: Place): { projectId: string } | { folderId: string } {
  return kind === 'project' ? { projectId: id } : { folderId: id };
}
