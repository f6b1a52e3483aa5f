import { z } from 'zod';

/** Weakest first: each role may do all that the ones before it may. */
export const roleSchema = z.enum(['guest', 'developer', 'maintainer', 'owner']);
export type Role = z.infer<typeof roleSchema>;

/** What a person is made about one project or in one folder: any role but that of owners, or `none`: nothing there. */
export const placeRoleSchema = z.enum(['none', 'guest', 'developer', 'maintainer']);
export type PlaceRole = z.infer<typeof placeRoleSchema>;

/** What the members of a team are made in a folder. */
export const teamRoleSchema = placeRoleSchema.exclude(['none']);
export type TeamRole = z.infer<typeof teamRoleSchema>;

const rank: Record<Role, number> = { guest: 0, developer: 1, maintainer: 2, owner: 3 };

/** True when `role` is at least `needed`. No role (a stranger) is never enough. */
export function roleAtLeast(role: Role | undefined, needed: Role): boolean {
  return role !== undefined && rank[role] >= rank[needed];
}

/** The strongest of the roles; undefined counts as none. */
export function strongestRole(roles: readonly (Role | undefined)[]): Role | undefined {
  return roles.reduce((best, role) => (role !== undefined && !roleAtLeast(best, role) ? role : best), undefined);
}

/** The weaker of two roles; undefined is weaker than any. */
export function weakerRole(one: Role | undefined, other: Role | undefined): Role | undefined {
  return one === undefined || other === undefined ? undefined : roleAtLeast(one, other) ? other : one;
}
