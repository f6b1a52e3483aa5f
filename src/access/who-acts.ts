import type { Affiliation } from '../contracts/affiliation.ts';
import type { InboundEvent } from '../contracts/inbound.ts';
import { anyOf, type Given, givenOf, type Rights } from '../contracts/permissions.ts';
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
  /** What they may in the workspace. */
  ownRights: Rights;
  /** Who acts, as they are in the workspace, and what memberships and teams say of them. */
  member: Member;
  grants: Grants;
  channel: Channel;
}

/** What of an actor says what they are about a project. */
export type Acting = Pick<Actor, 'person' | 'member' | 'grants'> & {
  channel: Pick<Channel, 'project' | 'defaultRole' | 'externalRole' | 'extra' | 'named'>;
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
  return { ...acting, person: { ...acting.person, at: channel.id }, ownRole: known.role, ownRights: known, channel };
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
  const acting = { person: { workspace, user, name, ...given, identity, linked, affiliation }, member, grants, channel };
  return channel.project === undefined ? acting : { ...acting, person: actingOn(acting, channel.project) };
}

/** The same person with what counts for a project: src/access/cascade.ts says what that is. */
export function actingOn(actor: Acting, project: string): Person {
  const { member, grants, channel } = actor;
  const { role, extra, named, ...person } = actor.person;
  const about = memberAbout(member, grants, project, givenBy(channel, project, person.affiliation));
  return { ...person, ...givenOf(about), linked: about.linked, about: project };
}

/** All that the person may about anything from where they act: whoever lacks something there has it nowhere. */
export function rightsSomewhere({ person, member, grants }: Pick<Acting, 'person' | 'member' | 'grants'>): Rights {
  return anyOf([person, rightsAnywhere(member, grants)]);
}

/** What they may about the workspace itself: what they are by themselves, else what the channel gives whoever nothing else is said of. */
export function rightsInWorkspace({ person, member, grants, channel }: Acting): Given {
  if (member.role !== undefined || channel.project === undefined) return member;
  return memberAbout(member, grants, channel.project).reason.from === 'nothing' ? person : {};
}
