import { type Affiliation, type ChannelRoles, roleOfChannel } from '../contracts/affiliation.ts';
import { may, type Permission, type Rights } from '../contracts/permissions.ts';
import { type Role, roleAtLeast } from '../contracts/roles.ts';

/** What decides a person's role at one place about one project. */
export interface RoleQuestion {
  /** The person's explicit role. */
  own: Role | undefined;
  /** The channel of the act: the project it is bound to and the roles it gives. */
  channel: ChannelRoles & { project: string | undefined };
  /** How the account that acts belongs to its platform's workspace. */
  affiliation?: Affiliation | undefined;
  /** The project the act is about; undefined: none in particular. */
  project: string | undefined;
}

/**
 * The role that counts: the explicit one, else what the channel gives its members. What a channel gives reaches no further than the
 * project the channel is bound to. External people get from it what it gives to such, at most guest.
 */
export function effectiveRole({ own, channel, project, affiliation }: RoleQuestion): Role | undefined {
  if (own !== undefined) return own;
  if (channel.project === undefined) return undefined;
  return project === undefined || project === channel.project ? roleOfChannel(channel, affiliation) : undefined;
}

/** `anyone` is also a stranger. */
export function mayUse(rights: Rights, needed: Permission | 'anyone'): boolean {
  return needed === 'anyone' || may(rights, needed);
}

/** May somebody with role `own` give or take `role`? Owners any, maintainers up to developer. */
export function mayGrant(own: Role | undefined, role: Role | undefined): boolean {
  if (own === 'owner') return true;
  return own === 'maintainer' && (role === undefined || !roleAtLeast(role, 'maintainer'));
}
