import { type Affiliation, type ChannelRoles, givenOfChannel } from '../contracts/affiliation.ts';
import { type Given, may, type Permission, type Rights } from '../contracts/permissions.ts';

/**
 * What a channel gives somebody of whom nothing else is said, about a project. It reaches no further than the project the channel is bound to.
 * External people (`affiliation`: how the account that acts belongs to its platform's workspace) get what it gives to such, at most guest.
 */
export function givenBy(
  channel: ChannelRoles & { project: string | undefined },
  project: string,
  affiliation?: Affiliation | undefined,
): Given | undefined {
  return project === channel.project ? givenOfChannel(channel, affiliation) : undefined;
}

/** `anyone` is also a stranger. */
export function mayUse(rights: Rights, needed: Permission | 'anyone'): boolean {
  return needed === 'anyone' || may(rights, needed);
}
