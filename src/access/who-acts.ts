import { ceilingOf, type PlaceLimit } from '../contracts/access-bundle.ts';
import type { Affiliation } from '../contracts/affiliation.ts';
import type { InboundEvent } from '../contracts/inbound.ts';
import { anyOf, bothOf, type Given, givenOf, isWithin, type Rights } from '../contracts/permissions.ts';
import type { IdentityRef } from '../contracts/platform.ts';
import type { Role } from '../contracts/roles.ts';
import { type Channel, findOrCreateChannel } from '../store/channels.ts';
import type { Tx } from '../store/database.ts';
import { noteDirectReached } from '../store/direct-reach.ts';
import { findOrCreatePerson, type Member } from '../store/people.ts';
import { workspaceOfTenant } from '../store/workspaces.ts';
import type { Person } from '../tasks/task-engine.ts';
import { givenBy } from './effective-role.ts';
import { type ConfiguredOwner, configuredRole } from './owners.ts';
import { type Grants, grantsOf, memberAbout, rightsAnywhere } from './role-about.ts';

/** Who acts, where, and what they are there. */
export interface Actor {
  /** `role` is the one that counts in this channel for the project it is bound to; in one that is bound to none, that in the workspace. */
  person: Person;
  /** The role in the workspace. */
  ownRole: Role | undefined;
  /** What they may in the workspace from where they act. */
  ownRights: Rights;
  /** Who acts, as they are in the workspace wherever they act, and what memberships and teams say of them. */
  member: Member;
  grants: Grants;
  channel: Channel;
}

/** What of an actor says what they are about a project. */
export type Acting = Pick<Actor, 'person' | 'member' | 'grants'> & {
  channel: Pick<Channel, 'project' | 'defaultRole' | 'externalRole' | 'extra' | 'named' | 'name' | 'bundle'>;
};

/** Why nothing may happen for an event, for the log. */
export type Nobody = 'bot' | 'unknown_tenant' | 'foreign_account';

/** Looks up, or makes on first sight, the person and the channel of an event. Bots and unknown tenants are nobody. */
export async function whoActs(tx: Tx, event: InboundEvent, owners: readonly ConfiguredOwner[]): Promise<Actor | Nobody> {
  if (event.actor.bot) return 'bot';
  const { platform, tenant } = event.conversation;
  const workspace = await workspaceOfTenant(tx, platform, tenant);
  if (workspace === undefined) return 'unknown_tenant';
  const { user, name, affiliation: told } = event.actor;
  const identity = { platform, tenant, user };
  const known = await findOrCreatePerson(tx, {
    workspace: workspace.id,
    identity,
    name,
    role: configuredRole(owners, identity),
    affiliation: told,
  });
  const channel = await findOrCreateChannel(tx, workspace.id, event.conversation, event);
  if (known === undefined || channel === undefined) return 'foreign_account';
  if (event.conversation.kind === 'direct' && event.type !== 'home') await noteDirectReached(tx, identity);
  const acting = await actingAs(tx, workspace.id, identity, known, channel);
  return {
    ...acting,
    person: { ...acting.person, at: channel.id },
    ownRole: known.role,
    ownRights: within(channel, known),
    channel,
  };
}

/** A person who is known, in a channel: with one statement for all that is said of them anywhere. */
export async function actingAs(
  tx: Tx,
  workspace: string,
  identity: IdentityRef,
  { user, name, linked, affiliation, ...own }: Member & { affiliation?: Affiliation | undefined },
  channel: Acting['channel'],
): Promise<Acting> {
  const given = givenOf(own);
  const member = { user, name, ...given, linked };
  const grants = await grantsOf(tx, workspace, [member]);
  const person = { workspace, user, name, ...within(channel, given), identity, linked, affiliation };
  const acting = { person, member, grants, channel };
  return channel.project === undefined ? acting : { ...acting, person: actingOn(acting, channel.project) };
}

/**
 * The same person with what counts for a project: src/access/cascade.ts says what that is, and the access bundle of the channel how much of it
 * counts here.
 */
export function actingOn(actor: Acting, project: string): Person {
  const { member, grants, channel } = actor;
  const { role, extra, named, limit, ...person } = actor.person;
  const about = memberAbout(member, grants, project, givenBy(channel, project, person.affiliation));
  return { ...person, ...within(channel, about), linked: about.linked, about: project };
}

/** Somebody as they were where they act if no access bundle counted there. */
export function withoutBundle<A extends Acting>(acting: A): A {
  const { person, channel } = acting;
  return {
    ...acting,
    person: { ...person, ...person.limit?.elsewhere, limit: undefined },
    channel: { ...channel, bundle: undefined },
  };
}

/** All that the person may about anything from where they act: whoever lacks something there has it nowhere. */
export function rightsSomewhere({ person, member, grants, channel }: Acting): Rights {
  return anyOf([person, within(channel, rightsAnywhere(member, grants))]);
}

/** What they may about the workspace itself: what they are by themselves, else what the channel gives whoever nothing else is said of. */
export function rightsInWorkspace({ person, member, grants, channel }: Acting): Given {
  if (member.role !== undefined || channel.project === undefined) return within(channel, member);
  return memberAbout(member, grants, channel.project).reason.from === 'nothing' ? person : {};
}

/**
 * These rights as far as the access bundle of the channel lets anybody have them there, owners too; with what it keeps back. The one place
 * where that is decided: all that is asked of somebody who acts is asked of what this leaves.
 */
export function within(
  { name, bundle }: Pick<Acting['channel'], 'name' | 'bundle'>,
  given: Given,
): ReturnType<typeof givenOf> & { limit?: PlaceLimit } {
  const all = givenOf(given);
  const ceiling = bundle === undefined ? undefined : ceilingOf(bundle);
  if (bundle === undefined || ceiling === undefined || isWithin(all, ceiling)) return all;
  const { role, extra } = bothOf(all, ceiling);
  const place = name === undefined ? 'this channel' : `#${name}`;
  return { ...givenOf({ role, extra }), limit: { bundle: bundle.name, place, ceiling, elsewhere: { ...all, extra: all.extra } } };
}
