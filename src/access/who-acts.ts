import type { InboundEvent } from '../contracts/inbound.ts';
import type { Role } from '../contracts/roles.ts';
import { type Channel, findOrCreateChannel } from '../store/channels.ts';
import type { Tx } from '../store/database.ts';
import { noteDirectReached } from '../store/direct-reach.ts';
import { findOrCreatePerson } from '../store/people.ts';
import { workspaceOfTenant } from '../store/workspaces.ts';
import type { Person } from '../tasks/task-engine.ts';
import { effectiveRole } from './effective-role.ts';
import { type ConfiguredOwner, configuredRole } from './owners.ts';

/** Who acts, where, and what they are there. */
export interface Actor {
  /** `role` is the one that counts in this channel for the project it is bound to. */
  person: Person;
  ownRole: Role | undefined;
  channel: Channel;
}

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
  const { affiliation } = known;
  const role = effectiveRole({ own: known.role, channel, project: channel.project, affiliation });
  return {
    person: { workspace: workspace.id, user: known.user, name: known.name, role, identity, linked: known.linked, affiliation },
    ownRole: known.role,
    channel,
  };
}

/** The same person with the role that counts for another project. */
export function actingOn(actor: Pick<Actor, 'person' | 'ownRole' | 'channel'>, project: string): Person {
  const { affiliation } = actor.person;
  return { ...actor.person, role: effectiveRole({ own: actor.ownRole, channel: actor.channel, project, affiliation }) };
}
