import { type AgentKind, type AgentSettings, agentKindSchema } from './agent.ts';
import { hostFits, hostsOf } from './hosts.ts';
import { type Given, type Permission, permissionSchema, type Rights, rightsOf } from './permissions.ts';

/** Everything of a kind, or these and nothing else. */
export type Among<T extends string = string> = 'all' | readonly T[];

/**
 * The most that can be done in a channel that has it, whoever does it, and the most that work begun there can use. It gives nothing: what
 * somebody may there is what both it and their own rights allow.
 */
export interface AccessBundle {
  id: string;
  workspace: string;
  name: string;
  permissions: Among<Permission>;
  agents: Among<AgentKind>;
  /** Names of accounts of agents; `runner` for the model servers that the runner itself is configured with. */
  accounts: Among;
  /** Entries as in the settings of projects; what both have is reached. */
  hosts: Among;
}

/** What the access bundle of a channel leaves of the rights of somebody who acts there, where that is less than they have. */
export interface PlaceLimit {
  /** Name of the bundle. */
  bundle: string;
  /** How people call the channel. */
  place: string;
  ceiling: Rights;
  /** What they may about the same elsewhere. */
  elsewhere: Given;
}

/** Stands in a list of accounts for working with none. */
export const ownAccount = 'runner';

/** The rights that nobody has more than in a channel with the bundle. To look is always among them: a channel in which nobody may is none. */
export function ceilingOf({ permissions }: Pick<AccessBundle, 'permissions'>): Rights {
  return permissions === 'all' ? { role: 'owner' } : rightsOf(['task.see', ...permissions]);
}

/** Is it among what is allowed? Case does not matter: names of accounts differ in more. */
export function isAmong(allowed: Among, name: string): boolean {
  return allowed === 'all' || allowed.some((one) => one.toLowerCase() === name.toLowerCase());
}

/** What of a bundle an agent with these settings is not within; undefined: nothing. */
export function beyond(
  { agents, accounts }: Pick<AccessBundle, 'agents' | 'accounts'>,
  { agent, account }: Pick<AgentSettings, 'agent' | 'account'>,
): { kind: 'agent' | 'account'; name: string } | undefined {
  if (!isAmong(agents, agent)) return { kind: 'agent', name: agent };
  return isAmong(accounts, account ?? ownAccount) ? undefined : { kind: 'account', name: account ?? ownAccount };
}

/** The hosts that both a project and a bundle let programs reach, as names and `*.` before names, each once. */
export function hostsWithin(project: readonly string[], allowed: Among): string[] {
  const wanted = hostsOf(project);
  if (allowed === 'all') return wanted;
  const known = hostsOf(allowed);
  // Of two of which one holds the other the smaller one is in both.
  return [
    ...new Set(
      wanted.flatMap((one) => known.flatMap((other) => (hostFits(other, one) ? [one] : hostFits(one, other) ? [other] : []))),
    ),
  ];
}

/** A list as it is stored: `*` alone stands for everything. */
export function storedAmong(allowed: Among): string[] {
  return allowed === 'all' ? ['*'] : [...allowed];
}

/** What is no permission and no agent, of another version, allows nothing. */
export function bundleOf(row: {
  id: string;
  workspaceId: string;
  name: string;
  permissions: readonly string[];
  agents: readonly string[];
  accounts: readonly string[];
  hosts: readonly string[];
}): AccessBundle {
  return {
    id: row.id,
    workspace: row.workspaceId,
    name: row.name,
    permissions: among(row.permissions, (one) => permissionSchema.safeParse(one).data),
    agents: among(row.agents, (one) => agentKindSchema.safeParse(one).data),
    accounts: among(row.accounts, (one) => one),
    hosts: among(row.hosts, (one) => one),
  };
}

function among<T extends string>(stored: readonly string[], read: (one: string) => T | undefined): Among<T> {
  return stored.includes('*') ? 'all' : stored.flatMap((one) => read(one) ?? []);
}
