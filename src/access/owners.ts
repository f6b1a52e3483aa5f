import type { IdentityRef, Platform } from '../contracts/platform.ts';
import type { Role } from '../contracts/roles.ts';
import { recordAudit } from '../store/audit.ts';
import type { Tx } from '../store/database.ts';
import { findOrCreatePerson, setRole } from '../store/people.ts';
import { workspaceOfTenant } from '../store/workspaces.ts';

/** One entry of DECKHAND_OWNERS. Without a tenant it means the account on any tenant of the platform. */
export interface ConfiguredOwner {
  platform: Platform;
  tenant?: string | undefined;
  user: string;
}

/** The role that configuration gives an account, when it is first seen. */
export function configuredRole(owners: readonly ConfiguredOwner[], identity: IdentityRef): Role | undefined {
  const named = owners.some(
    ({ platform, tenant, user }) =>
      platform === identity.platform && user === identity.user && (tenant === undefined || tenant === identity.tenant),
  );
  return named ? 'owner' : undefined;
}

/**
 * Makes the configured accounts owners, at start, once the tenants are registered. `tenants`: those of the running adapters.
 * Repeating changes nothing. Accounts on a tenant that no workspace serves are returned, for the log.
 */
export async function makeConfiguredOwners(
  tx: Tx,
  owners: readonly ConfiguredOwner[],
  tenants: readonly { platform: Platform; tenant: string }[],
): Promise<ConfiguredOwner[]> {
  const unserved: ConfiguredOwner[] = [];
  for (const owner of owners) {
    const places = tenants.filter(
      ({ platform, tenant }) => platform === owner.platform && (owner.tenant === undefined || owner.tenant === tenant),
    );
    let made = false;
    for (const { platform, tenant } of places) {
      const workspace = await workspaceOfTenant(tx, platform, tenant);
      if (workspace === undefined) continue;
      made = (await makeOwner(tx, workspace.id, { platform, tenant, user: owner.user })) || made;
    }
    if (!made) unserved.push(owner);
  }
  return unserved;
}

async function makeOwner(tx: Tx, workspace: string, identity: IdentityRef): Promise<boolean> {
  const person = await findOrCreatePerson(tx, { workspace, identity, name: undefined, role: 'owner' });
  if (person === undefined) return false;
  const changed = person.created || (await setRole(tx, workspace, person.home, 'owner')) === 'changed';
  if (changed) {
    await recordAudit(tx, {
      workspace,
      action: 'member.role',
      subject: person.user,
      data: { role: 'owner', by: 'DECKHAND_OWNERS' },
    });
  }
  return true;
}
