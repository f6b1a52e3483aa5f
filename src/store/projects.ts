import { Prisma } from '../../prisma/client/client.ts';
import { type AgentDefaults, agentDefaultsSchema, defaultAgentDefaults } from '../contracts/agent.ts';
import { type ProjectAccess, projectAccessSchema } from '../contracts/code-host.ts';
import { type Policy, policySchema } from '../contracts/policy.ts';
import { type ProjectLimits, projectLimitsSchema } from '../contracts/settings.ts';
import { newId } from '../runtime/ids.ts';
import { hasOpenLogin } from '../runtime/repository-login.ts';
import type { Tx } from './database.ts';
import { storePolicyVersion } from './policy-versions.ts';

export interface Project {
  id: string;
  workspace: string;
  name: string;
  source: { kind: 'git'; url: string } | { kind: 'path'; path: string };
  /** Configured base branch; undefined: the default branch of the repository. */
  baseBranch: string | undefined;
  defaultBranch: string | undefined;
  /** Commit that the last sync found. */
  head: string | undefined;
  sync:
    | { state: 'checking' }
    | { state: 'ready' }
    | { state: 'unreachable'; code: string; detail: string; remedy: string | undefined };
  /** What may be done in the repository, as it was found last; undefined: nobody has asked. */
  access: ProjectAccess | undefined;
  /** When the login in its address was used last, to the minute; undefined: never, or it has none. */
  loginUsedAt: Date | undefined;
  /** Outbox row that shows what syncs find; undefined: that of `project add`. */
  cardKey: string | undefined;
  policy: Policy;
  policyVersion: number;
  limits: ProjectLimits;
  /** What agent tasks begin with. */
  agent: AgentDefaults;
}

export interface NewProject {
  /** Known before, where something is made for it. */
  id?: string | undefined;
  workspace: string;
  name: string;
  source: Project['source'];
  baseBranch: string | undefined;
  policy: Policy;
  limits: ProjectLimits;
  createdBy: string | undefined;
}

/** Makes a project, not checked yet. Undefined when the workspace has one of this name (case does not matter). */
export async function createProject(tx: Tx, input: NewProject): Promise<Project | undefined> {
  // Names have no unique key because removed projects keep theirs: the row of the workspace orders two that come at once.
  await tx.db.$queryRaw(Prisma.sql`SELECT "id" FROM "Workspace" WHERE "id" = ${input.workspace} FOR UPDATE`);
  if ((await projectByName(tx, input.workspace, input.name)) !== undefined) return undefined;
  const row = await tx.db.project.create({
    data: {
      id: input.id ?? newId('prj'),
      workspaceId: input.workspace,
      name: input.name,
      sourceKind: input.source.kind,
      source: input.source.kind === 'git' ? input.source.url : input.source.path,
      baseBranch: input.baseBranch ?? null,
      policy: input.policy,
      limits: input.limits,
      createdBy: input.createdBy ?? null,
      // Whoever adds a project wants to know at once whether its changes can be brought out.
      accessWanted: input.createdBy !== undefined,
    },
  });
  const { policy, createdBy } = input;
  await storePolicyVersion(tx, {
    workspace: row.workspaceId,
    project: row.id,
    version: 1,
    policy,
    by: createdBy,
    at: row.createdAt,
  });
  return toProject(row);
}

/** Projects of the workspace that are not removed, by name. */
export async function projectsOf(tx: Tx, workspace: string): Promise<Project[]> {
  const rows = await tx.db.project.findMany({ where: { workspaceId: workspace, archivedAt: null }, orderBy: { name: 'asc' } });
  return rows.map(toProject);
}

/** Ids of all projects of the workspace, removed ones too. */
export async function projectIds(tx: Tx, workspace: string): Promise<string[]> {
  return (await tx.db.project.findMany({ where: { workspaceId: workspace }, select: { id: true } })).map(({ id }) => id);
}

export async function projectById(tx: Tx, workspace: string, id: string): Promise<Project | undefined> {
  const row = await tx.db.project.findFirst({ where: { id, workspaceId: workspace, archivedAt: null } });
  return row === null ? undefined : toProject(row);
}

export async function projectByName(tx: Tx, workspace: string, name: string): Promise<Project | undefined> {
  const rows = await projectsOf(tx, workspace);
  return rows.find((project) => project.name.toLowerCase() === name.toLowerCase());
}

/** The project whatever its workspace, for parts that act on behalf of nobody (the result of a sync). */
export async function projectForSystem(tx: Tx, id: string): Promise<Project | undefined> {
  const row = await tx.db.project.findFirst({ where: { id, archivedAt: null } });
  return row === null ? undefined : toProject(row);
}

/** Changes the policy and raises its version: tasks that exist keep the one they were made with. Returns the new version. */
export async function changePolicy(
  tx: Tx,
  project: string,
  policy: Policy,
  { by, at }: { by: string; at: Date },
): Promise<number> {
  const row = await tx.db.project.update({
    where: { id: project },
    data: { policy, policyVersion: { increment: 1 } },
    select: { workspaceId: true, policyVersion: true },
  });
  await storePolicyVersion(tx, { workspace: row.workspaceId, project, version: row.policyVersion, policy, by, at });
  return row.policyVersion;
}

export async function changeLimits(tx: Tx, project: string, limits: ProjectLimits): Promise<void> {
  await tx.db.project.update({ where: { id: project }, data: { limits } });
}

/** Sets what agent tasks of the project begin with; tasks that exist keep what they have. */
export async function changeAgentDefaults(tx: Tx, project: string, agent: AgentDefaults): Promise<void> {
  await tx.db.project.update({ where: { id: project }, data: { agent } });
}

/** Sets the base branch and has the repository checked again. */
export async function changeBaseBranch(tx: Tx, project: string, branch: string | undefined): Promise<void> {
  await tx.db.project.update({
    where: { id: project },
    data: { baseBranch: branch ?? null, syncState: 'checking', syncError: Prisma.DbNull },
  });
}

/** Has the repository checked again, with what may be done there; `cardKey`: the outbox row that says what was found. */
export async function checkAgain(tx: Tx, project: string, cardKey: string): Promise<void> {
  await tx.db.project.update({
    where: { id: project },
    data: { syncState: 'checking', syncError: Prisma.DbNull, access: Prisma.DbNull, accessWanted: true, cardKey },
  });
}

/** Addresses of repositories that are stored with a login anybody who reads the table can read. */
export async function openAddresses(db: Tx['db']): Promise<{ id: string; url: string }[]> {
  const rows = await db.project.findMany({
    where: { sourceKind: 'git', source: { contains: '@' } },
    select: { id: true, source: true },
  });
  return rows.filter(({ source }) => hasOpenLogin(source)).map(({ id, source }) => ({ id, url: source }));
}

export async function setAddress(db: Tx['db'], id: string, address: { from: string; to: string }): Promise<void> {
  await db.project.updateMany({ where: { id, source: address.from }, data: { source: address.to } });
}

/** How exactly the last use of a login is known. */
export const loginUsedToMs = 60_000;

/** Notes that the login of a project is in use, unless that was noted within the last minute. */
export async function noteLoginUsed(db: Tx['db'], project: string, at: Date): Promise<void> {
  const before = new Date(at.getTime() - loginUsedToMs);
  await db.project.updateMany({
    where: { id: project, OR: [{ loginUsedAt: null }, { loginUsedAt: { lte: before } }] },
    data: { loginUsedAt: at },
  });
}

/** Holds the project's row, so that what was read of it stays true until the end of the transaction. */
export async function lockProject(tx: Tx, id: string): Promise<void> {
  await tx.db.$queryRaw(Prisma.sql`SELECT "id" FROM "Project" WHERE "id" = ${id} FOR UPDATE`);
}

/** Removes the project from every list; its tasks stay readable. */
export async function archiveProject(tx: Tx, id: string, at: Date): Promise<void> {
  await tx.db.project.update({ where: { id }, data: { archivedAt: at } });
}

/** Projects that were to be checked before `before` and still are: the sweeper publishes their `project.sync` again. */
export async function projectsToSync(tx: Tx, before: Date): Promise<string[]> {
  const rows = await tx.db.project.findMany({
    where: { syncState: 'checking', archivedAt: null, createdAt: { lt: before } },
    select: { id: true },
    take: 100,
  });
  return rows.map(({ id }) => id);
}

/** Where a project comes from, as its row has it. */
export function storedSource({ sourceKind, source }: { sourceKind: string; source: string }): Project['source'] {
  return sourceKind === 'path' ? { kind: 'path', path: source } : { kind: 'git', url: source };
}

function toProject(row: {
  id: string;
  workspaceId: string;
  name: string;
  sourceKind: string;
  source: string;
  baseBranch: string | null;
  defaultBranch: string | null;
  head: string | null;
  syncState: string;
  syncError: Prisma.JsonValue;
  access: Prisma.JsonValue;
  loginUsedAt: Date | null;
  cardKey: string | null;
  policy: Prisma.JsonValue;
  policyVersion: number;
  limits: Prisma.JsonValue;
  agent: Prisma.JsonValue;
}): Project {
  return {
    id: row.id,
    workspace: row.workspaceId,
    name: row.name,
    source: storedSource(row),
    baseBranch: row.baseBranch ?? undefined,
    defaultBranch: row.defaultBranch ?? undefined,
    head: row.head ?? undefined,
    sync: syncOf(row.syncState, row.syncError),
    access: row.access === null ? undefined : projectAccessSchema.parse(row.access),
    loginUsedAt: row.loginUsedAt ?? undefined,
    cardKey: row.cardKey ?? undefined,
    policy: policySchema.parse(row.policy),
    policyVersion: row.policyVersion,
    limits: projectLimitsSchema.parse(row.limits),
    agent: row.agent === null ? defaultAgentDefaults : agentDefaultsSchema.parse(row.agent),
  };
}

function syncOf(state: string, error: Prisma.JsonValue): Project['sync'] {
  if (state === 'ready' || state === 'checking') return { state };
  const { code, detail, remedy } = typeof error === 'object' && error !== null && !Array.isArray(error) ? error : {};
  return {
    state: 'unreachable',
    code: String(code ?? 'DH-500'),
    detail: String(detail ?? 'no reason was given'),
    remedy: typeof remedy === 'string' ? remedy : undefined,
  };
}
