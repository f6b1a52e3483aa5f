import type { AnyPlaceRole } from '../contracts/custom-roles.ts';
import { placeRoleSchema } from '../contracts/roles.ts';
import { newId } from '../runtime/ids.ts';
import { countingRole, customRolesById, roleColumns } from './custom-roles.ts';
import type { Tx } from './database.ts';

/** A project or a folder of a workspace. */
export interface Place {
  kind: 'project' | 'folder';
  id: string;
  name: string;
  workspace: string;
}

/** Projects and folders of the workspace by their ids; what was removed is not among them. */
export async function placesById(tx: Tx, workspace: string, ids: readonly string[]): Promise<Map<string, Place>> {
  if (ids.length === 0) return new Map();
  const where = { workspaceId: workspace, id: { in: [...new Set(ids)] } };
  const select = { id: true, name: true } as const;
  const projects = await tx.db.project.findMany({ where: { ...where, archivedAt: null }, select });
  const folders = await tx.db.folder.findMany({ where, select });
  return new Map<string, Place>([
    ...projects.map(({ id, name }) => [id, { kind: 'project', id, name, workspace }] as const),
    ...folders.map(({ id, name }) => [id, { kind: 'folder', id, name, workspace }] as const),
  ]);
}

/** Memberships at a place, by the row of the account. */
export async function membershipsAt(tx: Tx, place: Place): Promise<Map<string, AnyPlaceRole>> {
  const rows = await tx.db.membership.findMany({ where: { workspaceId: place.workspace, ...at(place) } });
  const ids = rows.map(({ customRoleId }) => customRoleId);
  const known = await customRolesById(tx, place.workspace, ids);
  return new Map(rows.map((row) => [row.userId, countingRole(row, known) ?? placeRoleSchema.catch('none').parse(row.role)]));
}

/** Makes these rows of accounts members with a role; undefined takes their memberships away. */
export async function writeMemberships(
  tx: Tx,
  place: Place,
  users: readonly string[],
  role: AnyPlaceRole | undefined,
): Promise<void> {
  const { workspace } = place;
  await tx.db.membership.deleteMany({ where: { workspaceId: workspace, userId: { in: [...users] }, ...at(place) } });
  if (role === undefined) return;
  await tx.db.membership.createMany({
    data: users.map((userId) => ({ id: newId('mbr'), workspaceId: workspace, userId, ...roleColumns(role), ...at(place) })),
  });
}

function at({ kind, id }: Place): { projectId: string } | { folderId: string } {
  return kind === 'project' ? { projectId: id } : { folderId: id };
}
