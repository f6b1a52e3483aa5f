import { givablePermissions, givenOf, type Permission, rightsOf } from './permissions.ts';
import type { PlaceRole, Role } from './roles.ts';

/** A role that owners have made of permissions. */
export interface CustomRole {
  id: string;
  workspace: string;
  name: string;
  permissions: readonly Permission[];
}

/** What people can be given: a built-in role or a custom one. */
export type AnyRole = Role | CustomRole;
export type AnyPlaceRole = PlaceRole | CustomRole;

/** What such a role gives. */
export function givenWith(role: AnyRole | AnyPlaceRole | undefined): ReturnType<typeof givenOf> {
  if (role === undefined || role === 'none') return { role: undefined };
  if (typeof role === 'string') return { role };
  return givenOf({ ...rightsOf(role.permissions), named: [role.name] });
}

/** What it is called. */
export function nameOf(role: AnyRole | AnyPlaceRole | undefined): string {
  return role === undefined ? 'none' : typeof role === 'string' ? role : role.name;
}

/** The permissions among these texts that a custom role can be made of, in their order. What is none, of another version, is left out. */
export function readPermissions(stored: readonly string[]): Permission[] {
  return givablePermissions.filter((permission) => stored.includes(permission));
}
