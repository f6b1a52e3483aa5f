import { grantsOf, memberAbout } from '../access/role-about.ts';
import { reasonWords } from '../commands/reason-words.ts';
import type { Role } from '../contracts/roles.ts';
import type { Tx } from '../store/database.ts';
import { foldersOf } from '../store/folders.ts';
import { personById } from '../store/people.ts';
import { projectsOf } from '../store/projects.ts';

/** What somebody is about one project or folder, and why. */
export interface AccountPlace {
  kind: 'project' | 'folder';
  name: string;
  role: Role;
  why: string;
}

/** The projects and folders about which memberships and teams say something of a person. Elsewhere their role in the workspace counts. */
export async function accountPlaces(tx: Tx, workspace: string, user: string): Promise<AccountPlace[]> {
  const member = await personById(tx, workspace, user);
  if (member === undefined) return [];
  const grants = await grantsOf(tx, workspace, [member]);
  if (grants.size === 0) return [];
  const folders = (await foldersOf(tx, workspace)).map(({ id, name }) => ({ kind: 'folder' as const, id, name }));
  const projects = (await projectsOf(tx, workspace)).map(({ id, name }) => ({ kind: 'project' as const, id, name }));
  return [...folders, ...projects]
    .filter(({ id }) => grants.has(id))
    .flatMap(({ kind, id, name }) => {
      const { role, reason } = memberAbout(member, grants, id);
      // Whoever is nothing there is not to know that it exists.
      return role === undefined ? [] : [{ kind, name, role, why: reasonWords(reason, kind) }];
    });
}
