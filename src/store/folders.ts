import { newId } from '../runtime/ids.ts';
import type { Tx } from './database.ts';

/** A group of projects. */
export interface Folder {
  id: string;
  workspace: string;
  name: string;
}

/** Makes a folder. Undefined when the workspace has one of this name (case does not matter). */
export async function createFolder(tx: Tx, workspace: string, name: string): Promise<Folder | undefined> {
  const id = newId('fld');
  const { count } = await tx.db.folder.createMany({
    data: [{ id, workspaceId: workspace, name, key: name.toLowerCase() }],
    skipDuplicates: true,
  });
  return count === 1 ? { id, workspace, name } : undefined;
}

/** Folders of the workspace, by name. */
export async function foldersOf(tx: Tx, workspace: string): Promise<Folder[]> {
  const rows = await tx.db.folder.findMany({ where: { workspaceId: workspace }, orderBy: { key: 'asc' } });
  return rows.map(({ id, name }) => ({ id, workspace, name }));
}

/** Removes a folder with what people and teams are in it. Its projects stay, in no folder. */
export async function removeFolder(tx: Tx, { id, workspace }: Folder): Promise<void> {
  await tx.db.folder.deleteMany({ where: { id, workspaceId: workspace } });
}

/** Which folder each project of the workspace is in that is not removed; those in none are left out. */
export async function folderOfProjects(tx: Tx, workspace: string): Promise<Map<string, string>> {
  const rows = await tx.db.project.findMany({
    where: { workspaceId: workspace, archivedAt: null, folderId: { not: null } },
    select: { id: true, folderId: true },
  });
  return new Map(rows.flatMap(({ id, folderId }) => (folderId === null ? [] : [[id, folderId] as const])));
}

/** Ids of all projects of a folder, removed ones too. */
export async function projectsIn(tx: Tx, { id, workspace }: Folder): Promise<string[]> {
  const where = { workspaceId: workspace, folderId: id };
  return (await tx.db.project.findMany({ where, select: { id: true } })).map((row) => row.id);
}

/** The folder and all that it holds, each under the name of the folder: what a change of roles in it is about. */
export async function placesIn(tx: Tx, folder: Folder): Promise<{ id: string; name: string }[]> {
  return [folder.id, ...(await projectsIn(tx, folder))].map((id) => ({ id, name: folder.name }));
}

/** Puts a project into a folder, or into none. */
export async function moveProject(tx: Tx, workspace: string, project: string, folder: string | undefined): Promise<void> {
  await tx.db.project.updateMany({ where: { id: project, workspaceId: workspace }, data: { folderId: folder ?? null } });
}
