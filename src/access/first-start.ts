import type { IdentityRef } from '../contracts/platform.ts';
import { defaultPolicy, type Policy } from '../contracts/policy.ts';
import type { Role } from '../contracts/roles.ts';
import { defaultProjectLimits } from '../contracts/settings.ts';
import { bindChannel, findChannel, findOrCreateChannel } from '../store/channels.ts';
import type { Tx } from '../store/database.ts';
import { joinPeople, lockPeople } from '../store/linked-people.ts';
import { findOrCreatePerson, findPerson, personById, setRole } from '../store/people.ts';
import { createProject, type Project, projectByName } from '../store/projects.ts';
import { firstWorkspace, registerTenant, type TenantInfo, type Workspace } from '../store/workspaces.ts';
import { newClaimCode } from './claim-code.ts';
import { type ConfiguredOwner, makeConfiguredOwners } from './owners.ts';

/** What a start found and made. */
export interface FirstStart {
  workspace: Workspace;
  /** To be printed once: nobody owns this installation yet. */
  claimCode: string | undefined;
  /** Entries of DECKHAND_OWNERS that name a tenant which no adapter serves. */
  unservedOwners: ConfiguredOwner[];
  /** Tenants that another workspace serves: their events are refused. */
  foreignTenants: TenantInfo[];
}

/**
 * Brings the workspace to where people can talk to it. Called at every start after the adapters know their tenants; repeating it
 * changes nothing but the claim code, which is new at each start until there is an owner.
 */
export async function prepareWorkspace(
  tx: Tx,
  input: { name: string; tenants: readonly TenantInfo[]; owners: readonly ConfiguredOwner[] },
): Promise<FirstStart> {
  const workspace = await firstWorkspace(tx, input.name);
  const foreignTenants: TenantInfo[] = [];
  for (const tenant of input.tenants) {
    if (!(await registerTenant(tx, workspace.id, tenant))) foreignTenants.push(tenant);
  }
  const unservedOwners = await makeConfiguredOwners(tx, input.owners, input.tenants);
  return { workspace, claimCode: await newClaimCode(tx, workspace.id), unservedOwners, foreignTenants };
}

/** What the lab starts with on one platform. Account and channel ids are the emulator's own. */
export interface LabSeed {
  tenant: TenantInfo;
  /** `also`: the account of the same person on a platform that was seeded before. */
  people: readonly { user: string; name: string; role: Role; also?: IdentityRef | undefined }[];
  project: { name: string; source: Project['source'] };
  channel: { id: string; name: string; defaultRole: Role | undefined };
}

/**
 * Makes the lab's people, project and bound channel on one platform, in the first workspace. Repeating it keeps what people have
 * changed since: a project, a channel or a role that exists stays as it is. `created`: the project is new and wants its first sync.
 */
export async function seedLab(tx: Tx, seed: LabSeed): Promise<{ workspace: Workspace; project: Project; created: boolean }> {
  const workspace = await firstWorkspace(tx, 'Deckhand');
  await registerTenant(tx, workspace.id, seed.tenant);
  const { platform, tenant } = seed.tenant;
  for (const { user, name, role, also } of seed.people) {
    const person = await findOrCreatePerson(tx, { workspace: workspace.id, identity: { platform, tenant, user }, name, role });
    if (person?.role === undefined && person !== undefined) await setRole(tx, workspace.id, person.user, role);
    if (also !== undefined && person?.created === true) await joinWith(tx, workspace.id, person.user, also);
  }
  const known = await projectByName(tx, workspace.id, seed.project.name);
  const project = known ?? (await createLabProject(tx, workspace.id, seed.project));
  const conversation = { platform, tenant, channel: seed.channel.id, kind: 'channel' as const };
  if ((await findChannel(tx, workspace.id, conversation)) === undefined) {
    const channel = await findOrCreateChannel(tx, workspace.id, conversation, { channelName: seed.channel.name });
    if (channel === undefined) throw new Error('the channel of the lab belongs to another workspace');
    await bindChannel(tx, channel.id, { project: project.id, defaultRole: seed.channel.defaultRole });
  }
  return { workspace, project, created: known === undefined };
}

/** Only when the account is new: people who have been split stay so. */
async function joinWith(tx: Tx, workspace: string, user: string, also: IdentityRef): Promise<void> {
  await lockPeople(tx, workspace);
  const [one, other] = [await findPerson(tx, workspace, also), await personById(tx, workspace, user)];
  if (one !== undefined && other !== undefined && one.user !== other.user) await joinPeople(tx, one, other);
}

async function createLabProject(tx: Tx, workspace: string, { name, source }: LabSeed['project']): Promise<Project> {
  const project = await createProject(tx, {
    workspace,
    name,
    source,
    baseBranch: undefined,
    policy: labPolicy,
    limits: defaultProjectLimits,
    createdBy: undefined,
  });
  if (project === undefined) throw new Error('the lab project was made by somebody else in the same transaction');
  return project;
}

/** Reading runs at once, the rest asks a developer: a newcomer sees both within two commands. */
const labPolicy: Policy = {
  ...defaultPolicy,
  mode: 'safe',
  approvers: { role: 'developer', people: [], notRequester: false },
};
