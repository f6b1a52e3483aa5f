import { type Given, givenOf, isWithin, may, type Rights, together } from '../contracts/permissions.ts';
import type { PlaceRole, Role } from '../contracts/roles.ts';

/** Something that says what an account is about one place: a project, or a folder as such. */
export interface Grant extends Omit<Given, 'role'> {
  from: 'project' | 'folder' | 'team';
  role: PlaceRole;
  /** Name of the folder; undefined: the grant is about the project itself. */
  folder: string | undefined;
  /** Name of the team. */
  team: string | undefined;
}

/** What is known of one account about one place. */
export interface Sources {
  /** What it is in the workspace. */
  workspace: Given;
  grants: readonly Grant[];
}

/** Where a role comes from, for people who ask why. */
export type Reason =
  | { from: 'workspace' | 'project' | 'channel' | 'nothing' }
  | { from: 'folder'; folder: string }
  | { from: 'team'; team: string; folder: string }
  /** Custom roles of several add up. */
  | { from: 'several'; of: readonly Reason[] };

/** What somebody is about a place, and why. No role: nothing. */
export interface RoleAbout extends Given {
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
 * 4. What the teams linked to the folder give together: the strongest role, and what custom ones give beyond it.
 * 5. The role in the workspace.
 */
export function roleOfAccount({ workspace, grants }: Sources): RoleAbout | undefined {
  if (workspace.role === 'owner') return { role: 'owner', reason: { from: 'workspace' } };
  const project = grants.find(({ from }) => from === 'project');
  if (project !== undefined) return { ...givenIn(project), reason: { from: 'project' } };
  const folder = grants.find(({ from }) => from === 'folder');
  if (folder !== undefined) return { ...givenIn(folder), reason: { from: 'folder', folder: folder.folder ?? '' } };
  const teams = grants.flatMap((one): RoleAbout[] =>
    one.from === 'team' ? [{ ...givenIn(one), reason: { from: 'team', team: one.team ?? '', folder: one.folder ?? '' } }] : [],
  );
  if (teams.length > 0) return allOf(teams);
  return workspace.role === undefined ? undefined : { ...givenOf(workspace), reason: { from: 'workspace' } };
}

/**
 * Ids of the custom roles that an account has about a place, by the same order: those of the first that says something. `inWorkspace`: the
 * one it has there. Whoever is an owner has none.
 */
export function rolesOfAccount(
  grants: readonly (Pick<Grant, 'from'> & { custom: string | undefined })[],
  inWorkspace: string | undefined,
): string[] {
  const first = (['project', 'folder', 'team'] as const).find((from) => grants.some((grant) => grant.from === from));
  const counting = first === undefined ? [{ custom: inWorkspace }] : grants.filter(({ from }) => from === first);
  return [...new Set(counting.flatMap(({ custom }) => custom ?? []))];
}

/**
 * What a person is about a place. Linked accounts are one person who may what one of them could alone, and no more: each is looked at by
 * itself, and all that these may counts. `channel`: what the place of the act gives its members; it counts for those about whom nothing else says
 * anything, so that `none` bars from it too.
 */
export function cascade(accounts: readonly Sources[], channel: Given | undefined): RoleAbout {
  const said = accounts.flatMap((account) => roleOfAccount(account) ?? []);
  if (said.length > 0) return allOf(said);
  return channel?.role === undefined
    ? { role: undefined, reason: { from: 'nothing' } }
    : { ...givenOf(channel), reason: { from: 'channel' } };
}

/**
 * May somebody who is `own` about a place make another, who is `from` there, into `to`? Owners may all. Whoever may change members may where
 * they have all of both themselves and neither may change members: nobody gives what they do not have, nor takes it from those they are not above.
 */
export function mayChangeRole(own: Rights, from: Rights, to: Rights): boolean {
  return mayGive(own, from) && mayGive(own, to);
}

/** May somebody who is `own` about a place give these rights there, or take them? */
export function mayGive(own: Rights, given: Rights): boolean {
  if (may(own, 'workspace.own')) return true;
  return may(own, 'member.manage') && !may(given, 'member.manage') && isWithin(given, own);
}

/** All of these at once: they are not empty. */
function allOf(said: readonly RoleAbout[]): RoleAbout {
  const [one, ...others] = said;
  if (one !== undefined && others.length === 0) return one;
  const { given, by } = together(said);
  const reasons = by.map(({ reason }) => reason);
  const [only] = reasons;
  return { ...givenOf(given), reason: only === undefined || reasons.length > 1 ? { from: 'several', of: reasons } : only };
}

function givenIn({ role, ...grant }: Grant): ReturnType<typeof givenOf> {
  return givenOf({ ...grant, role: role === 'none' ? undefined : role });
}
