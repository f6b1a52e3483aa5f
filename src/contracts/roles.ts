import { z } from 'zod';

/** Weakest first: each role may do all that the ones before it may. */
export const roleSchema = z.enum(['guest', 'developer', 'maintainer', 'owner']);
export type Role = z.infer<typeof roleSchema>;

const rank: Record<Role, number> = { guest: 0, developer: 1, maintainer: 2, owner: 3 };

/** True when `role` is at least `needed`. No role (a stranger) is never enough. */
export function roleAtLeast(role: Role | undefined, needed: Role): boolean {
  return role !== undefined && rank[role] >= rank[needed];
}
