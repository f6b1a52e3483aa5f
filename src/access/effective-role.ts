import { type Role, roleAtLeast } from '../contracts/roles.ts';

/** What decides a person's role at one place about one project. */
export interface RoleQuestion {
  /** The person's explicit role. */
  own: Role | undefined;
  /** The channel of the act: the project it is bound to and the role it gives its members. */
  channel: { project: string | undefined; defaultRole: Role | undefined };
  /** The project the act is about; undefined: none in particular. */
  project: string | undefined;
}

/**
 * The role that counts: the explicit one, else what the channel gives its members. What a channel gives reaches no further than the
 * project the channel is bound to.
 */
export function effectiveRole({ own, channel, project }: RoleQuestion): Role | undefined {
  if (own !== undefined) return own;
  if (channel.project === undefined) return undefined;
  return project === undefined || project === channel.project ? channel.defaultRole : undefined;
}

/** `anyone` is also a stranger. */
export function mayUse(role: Role | undefined, needed: Role | 'anyone'): boolean {
  return needed === 'anyone' || roleAtLeast(role, needed);
}

/** May somebody with role `own` give or take `role`? Owners any, maintainers up to developer. */
export function mayGrant(own: Role | undefined, role: Role | undefined): boolean {
  if (own === 'owner') return true;
  return own === 'maintainer' && (role === undefined || !roleAtLeast(role, 'maintainer'));
}
