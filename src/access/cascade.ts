import { type PlaceRole, type Role, strongestRole } from '../contracts/roles.ts';

/** Something that says what an account is about one place: a project, or a folder as such. */
export interface Grant {
  from: 'project' | 'folder' | 'team';
  role: PlaceRole;
  /** Name of the folder; undefined: the grant is about the project itself. */
  folder: string | undefined;
  /** Name of the team. */
  team: string | undefined;
}

/** What is known of one account about one place. */
export interface Sources {
  /** Its role in the workspace. */
  workspace: Role | undefined;
  grants: readonly Grant[];
}

/** Where a role comes from, for people who ask why. */
export type Reason =
  | { from: 'workspace' | 'project' | 'channel' | 'nothing' }
  | { from: 'folder'; folder: string }
  | { from: 'team'; team: string; folder: string };

/** What somebody is about a place, and why. No role: nothing. */
export interface RoleAbout {
  role: Role | undefined;
  reason: Reason;
}

/**
 * What one account is about a place without the help of a channel; undefined: nothing says anything. The first that says something counts,
 * also where it says less than what comes after it:
 *
 * 1. An owner of the workspace is owner everywhere, so that nobody can lock the owners out.
 * 2. A membership on the project.
 * 3. A membership on its folder.
 * 4. The strongest role of the teams linked to the folder.
 * 5. The role in the workspace.
 */
export function roleOfAccount({ workspace, grants }: Sources): RoleAbout | undefined {
  if (workspace === 'owner') return { role: 'owner', reason: { from: 'workspace' } };
  const project = grants.find(({ from }) => from === 'project');
  if (project !== undefined) return { role: roleIn(project), reason: { from: 'project' } };
  const folder = grants.find(({ from }) => from === 'folder');
  if (folder !== undefined) return { role: roleIn(folder), reason: { from: 'folder', folder: folder.folder ?? '' } };
  const teams = grants.filter(({ from }) => from === 'team');
  const role = strongestRole(teams.map(roleIn));
  const team = teams.find((one) => roleIn(one) === role);
  if (team !== undefined) return { role, reason: { from: 'team', team: team.team ?? '', folder: team.folder ?? '' } };
  return workspace === undefined ? undefined : { role: workspace, reason: { from: 'workspace' } };
}

/**
 * What a person is about a place. Linked accounts are one person who may what one of them could alone, and no more: each is looked at by
 * itself, and the strongest counts. `channel`: what the place of the act gives its members; it counts for those about whom nothing else says
 * anything, so that `none` bars from it too.
 */
export function cascade(accounts: readonly Sources[], channel: Role | undefined): RoleAbout {
  const said = accounts.flatMap((account) => roleOfAccount(account) ?? []);
  const best = strongestRole(said.map(({ role }) => role));
  const found = said.find(({ role }) => role === best);
  if (found !== undefined) return found;
  return channel === undefined
    ? { role: undefined, reason: { from: 'nothing' } }
    : { role: channel, reason: { from: 'channel' } };
}

/**
 * May somebody who is `own` about a place make another, who is `from` there, into `to`? Owners may all. Maintainers may where both are below
 * their own: nobody gives what they do not have, nor takes it from those they are not above.
 */
export function mayChangeRole(own: Role | undefined, from: Role | undefined, to: Role | undefined): boolean {
  const below = (role: Role | undefined) => role !== 'maintainer' && role !== 'owner';
  return own === 'owner' || (own === 'maintainer' && below(from) && below(to));
}

function roleIn({ role }: Grant): Role | undefined {
  return role === 'none' ? undefined : role;
}
