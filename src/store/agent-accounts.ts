import { z } from 'zod';
import { Prisma, type AgentAccount as Row } from '../../prisma/client/client.ts';
import { type AgentAccount, type Credential, credentialSchema, modelProtocolSchema } from '../contracts/agent-account.ts';
import { newId } from '../runtime/ids.ts';
import type { Tx } from './database.ts';
import { inSight, type Sight } from './task-sight.ts';

const offeredSchema = z.object({ models: z.array(z.string()), at: z.coerce.date() });

export interface NewAgentAccount
  extends Pick<AgentAccount, 'workspace' | 'name' | 'protocol' | 'baseUrl' | 'credential' | 'models' | 'image' | 'binary'> {
  /** Id of the only project whose tasks work with it. */
  project: string | null;
  by: string;
  at: Date;
}

/** What can change of an account besides its key. */
export type AgentAccountChange = Partial<Pick<AgentAccount, 'baseUrl' | 'credential' | 'models' | 'image' | 'binary'>> & {
  project?: string | null | undefined;
};

/** Makes an account without a key. Undefined when the workspace has one of this name (case does not matter). */
export async function createAgentAccount(tx: Tx, input: NewAgentAccount): Promise<AgentAccount | undefined> {
  const id = newId('acc');
  const { count } = await tx.db.agentAccount.createMany({
    data: [
      {
        id,
        workspaceId: input.workspace,
        name: input.name,
        activeName: input.name.toLowerCase(),
        protocol: input.protocol,
        baseUrl: input.baseUrl,
        credential: input.credential,
        models: input.models === null ? Prisma.DbNull : [...input.models],
        image: input.image,
        binary: input.binary,
        projectId: input.project,
        createdById: input.by,
        createdAt: input.at,
      },
    ],
    skipDuplicates: true,
  });
  return count === 0 ? undefined : agentAccountById(tx, input.workspace, id);
}

/** Accounts of the workspace that are not removed, by name. */
export async function agentAccountsOf(tx: Pick<Tx, 'db'>, workspace: string): Promise<AgentAccount[]> {
  const rows = await tx.db.agentAccount.findMany({
    where: { workspaceId: workspace, activeName: { not: null } },
    orderBy: { activeName: 'asc' },
  });
  return toAccounts(tx, rows);
}

/** The account of this name in this workspace, not removed. */
export async function agentAccountByName(tx: Pick<Tx, 'db'>, workspace: string, name: string): Promise<AgentAccount | undefined> {
  const row = await tx.db.agentAccount.findUnique({
    where: { workspaceId_activeName: { workspaceId: workspace, activeName: name.toLowerCase() } },
  });
  return row === null ? undefined : (await toAccounts(tx, [row]))[0];
}

/** The account with this id, removed or not. */
export async function agentAccountById(tx: Pick<Tx, 'db'>, workspace: string, id: string): Promise<AgentAccount | undefined> {
  const row = await tx.db.agentAccount.findFirst({ where: { id, workspaceId: workspace } });
  return row === null ? undefined : (await toAccounts(tx, [row]))[0];
}

/** Locks an account that is not removed until the end of the transaction. False: there is none. */
export async function lockAgentAccount(tx: Tx, workspace: string, id: string): Promise<boolean> {
  const rows = await tx.db.$queryRaw<unknown[]>(Prisma.sql`
    SELECT "id" FROM "AgentAccount" WHERE "id" = ${id} AND "workspaceId" = ${workspace} AND "archivedAt" IS NULL FOR UPDATE`);
  return rows.length > 0;
}

/** Which account a run was given, in its own workspace: its name, and the account when there is one of it. */
export async function accountOfRun(
  tx: Pick<Tx, 'db'>,
  run: string,
): Promise<{ workspace: string; project: string; name: string; agent: string; account: AgentAccount | undefined } | undefined> {
  const [row] = await tx.db.$queryRaw<
    { workspace: string; project: string; name: string | null; agent: string | null }[]
  >(Prisma.sql`
    SELECT "workspaceId" AS "workspace", "projectId" AS "project", "agent"->>'account' AS "name", "agent"->>'agent' AS "agent"
    FROM "Run" WHERE "id" = ${run}`);
  if (row === undefined || row.name === null || row.agent === null) return undefined;
  const { workspace, project, name, agent } = row;
  return { workspace, project, name, agent, account: await agentAccountByName(tx, workspace, name) };
}

/** The name of an account that a run under way has, and whether it may still have it; undefined: there is no such account. */
export async function accountUnderWay(
  db: Tx['db'],
  account: string,
  run: string,
): Promise<{ name: string; usable: boolean } | undefined> {
  const [row] = await db.$queryRaw<{ name: string; usable: boolean }[]>(Prisma.sql`
    SELECT a."name", a."archivedAt" IS NULL AND (a."projectId" IS NULL OR EXISTS (
      SELECT FROM "Run" r WHERE r."id" = ${run} AND r."projectId" = a."projectId")) AS usable
    FROM "AgentAccount" a WHERE a."id" = ${account}`);
  return row;
}

/** The sealed key of an account that is not removed. */
export async function sealedKeyOf(tx: Pick<Tx, 'db'>, id: string): Promise<string | undefined> {
  const row = await tx.db.agentAccount.findFirst({ where: { id, archivedAt: null }, select: { sealed: true } });
  return row?.sealed ?? undefined;
}

/** Stores a key, sealed for this row (`keyContext`). */
export async function setAgentAccountKey(
  tx: Tx,
  id: string,
  key: { sealed: string; end: string | null; credential: Credential; at: Date },
): Promise<void> {
  const { sealed, end, credential, at } = key;
  await tx.db.agentAccount.update({ where: { id }, data: { sealed, keyEnd: end, credential, keyAt: at } });
}

/** The same key, sealed anew after the key of this installation has changed. */
export async function resealAgentAccountKey(tx: Tx, id: string, was: string, sealed: string): Promise<void> {
  await tx.db.agentAccount.updateMany({ where: { id, sealed: was }, data: { sealed } });
}

/** Forgets the key: another server must not get it. */
export async function forgetAgentAccountKey(tx: Tx, id: string): Promise<void> {
  await tx.db.agentAccount.update({ where: { id }, data: { sealed: null, keyEnd: null, keyAt: null, offered: Prisma.DbNull } });
}

export async function changeAgentAccount(tx: Tx, id: string, change: AgentAccountChange): Promise<void> {
  const { models, project, ...others } = change;
  await tx.db.agentAccount.update({
    where: { id },
    data: {
      ...defined(others),
      ...(project === undefined ? {} : { projectId: project }),
      ...(models === undefined ? {} : { models: models === null ? Prisma.DbNull : [...models] }),
    },
  });
}

/** What the server said it has; null: it tells nothing. */
export async function setOfferedModels(tx: Tx, id: string, offered: AgentAccount['offered']): Promise<void> {
  const stored = offered === null ? Prisma.DbNull : { models: [...offered.models], at: offered.at.toISOString() };
  await tx.db.agentAccount.update({ where: { id }, data: { offered: stored } });
}

/** Removes an account: its name is free again, its key is gone. */
export async function removeAgentAccount(tx: Tx, id: string, at: Date): Promise<void> {
  await tx.db.agentAccount.update({ where: { id }, data: { activeName: null, sealed: null, archivedAt: at } });
}

export async function noteAccountUsed(tx: Tx, id: string, at: Date): Promise<void> {
  await tx.db.agentAccount.update({ where: { id }, data: { lastUsedAt: at } });
}

/** What uses an account: projects whose tasks begin with it, and tasks with a run under way. */
export interface AccountUsers {
  projects: { id: string; name: string }[];
  /** `number`: undefined for one that is not to be shown. */
  tasks: { number: number | undefined; project: { id: string; name: string } }[];
}

/** What uses the account of this name. */
export async function usersOfAccount(tx: Tx, workspace: string, name: string, sight: Sight): Promise<AccountUsers> {
  const projects = await tx.db.project.findMany({
    where: { workspaceId: workspace, archivedAt: null, agent: { path: ['account'], equals: name } },
    select: { id: true, name: true },
    orderBy: { name: 'asc' },
  });
  const runs = await tx.db.run.findMany({
    where: {
      workspaceId: workspace,
      state: { in: ['queued', 'preparing', 'planning', 'awaiting', 'executing', 'finishing'] },
      agent: { path: ['account'], equals: name },
    },
    select: { taskId: true, task: { select: { number: true, project: { select: { id: true, name: true } } } } },
    orderBy: { id: 'asc' },
  });
  const seen = await tx.db.task.findMany({
    where: { id: { in: runs.map(({ taskId }) => taskId) }, ...inSight(sight) },
    select: { id: true },
  });
  const isSeen = (task: string) => seen.some(({ id }) => id === task);
  return {
    projects,
    tasks: runs.map(({ taskId, task: { number, project } }) => ({ number: isSeen(taskId) ? number : undefined, project })),
  };
}

/** What runs with the account of this name used since then. */
export async function usageOfAccount(
  tx: Tx,
  workspace: string,
  name: string,
  since: Date,
): Promise<{ runs: number; costUsd: number }> {
  const sum = await tx.db.run.aggregate({
    where: { workspaceId: workspace, queuedAt: { gte: since }, agent: { path: ['account'], equals: name } },
    _count: true,
    _sum: { costUsd: true },
  });
  return { runs: sum._count, costUsd: sum._sum.costUsd ?? 0 };
}

/** Whether it is written down that a run uses an account. */
export async function isUseAudited({ db }: Pick<Tx, 'db'>, workspace: string, account: string, run: string): Promise<boolean> {
  const rows = await db.$queryRaw<unknown[]>(Prisma.sql`
    SELECT 1 FROM "Run" r JOIN "Audit" a ON a."workspaceId" = ${workspace} AND a."at" >= r."queuedAt"
    WHERE r."id" = ${run} AND a."subject" = ${account} AND a."action" = 'account.use' AND a."data"->>'run' = ${run} LIMIT 1`);
  return rows.length > 0;
}

/** Number of the task whose run has used an account last; undefined: none has, or that is not known any more. */
export async function lastTaskOfAccount({ db }: Pick<Tx, 'db'>, workspace: string, account: string): Promise<number | undefined> {
  const [row] = await db.$queryRaw<{ number: number }[]>(Prisma.sql`
    SELECT t."number" FROM "Audit" a JOIN "Run" r ON r."id" = a."data"->>'run' JOIN "Task" t ON t."id" = r."taskId"
    WHERE a."workspaceId" = ${workspace} AND a."subject" = ${account} AND a."action" = 'account.use' AND t."workspaceId" = ${workspace}
    ORDER BY a."at" DESC LIMIT 1`);
  return row?.number;
}

/** Days after which a key that nothing uses is worth a look: what is not there cannot be taken. */
export const unusedDays = 90;

/** How many accounts have a key that nothing has used for so long. */
export async function unusedAccounts(db: Tx['db']): Promise<number> {
  const [row] = await db.$queryRaw<{ accounts: number }[]>(Prisma.sql`
    SELECT count(*)::int AS accounts FROM "AgentAccount" WHERE "sealed" IS NOT NULL AND "archivedAt" IS NULL
      AND GREATEST("lastUsedAt", "keyAt") < clock_timestamp() - make_interval(days => ${unusedDays})`);
  return row?.accounts ?? 0;
}

/** What the key of an account is sealed for. */
export function keyContext(id: string): string {
  return `AgentAccount ${id}`;
}

function defined<T extends object>(values: T): Partial<T> {
  const kept: Partial<T> = {};
  for (const key of Object.keys(values) as (keyof T)[]) if (values[key] !== undefined) kept[key] = values[key];
  return kept;
}

/** With the names of their projects, removed ones too. */
async function toAccounts({ db }: Pick<Tx, 'db'>, rows: readonly Row[]): Promise<AgentAccount[]> {
  const ids = rows.flatMap(({ projectId }) => projectId ?? []);
  const projects =
    ids.length === 0 ? [] : await db.project.findMany({ where: { id: { in: ids } }, select: { id: true, name: true } });
  return rows.map((row) =>
    toAccount(
      row,
      projects.find(({ id }) => id === row.projectId),
    ),
  );
}

function toAccount(row: Row, project: AgentAccount['project'] | undefined): AgentAccount {
  const credential = credentialSchema.parse(row.credential);
  return {
    id: row.id,
    workspace: row.workspaceId,
    name: row.name,
    protocol: modelProtocolSchema.parse(row.protocol),
    baseUrl: row.baseUrl,
    credential,
    hasKey: row.sealed !== null || (credential === 'none' && row.archivedAt === null),
    keyEnd: row.keyEnd,
    keyAt: row.keyAt,
    models: row.models === null ? null : z.array(z.string()).parse(row.models),
    offered: row.offered === null ? null : offeredSchema.parse(row.offered),
    image: row.image,
    binary: row.binary,
    project: row.projectId === null ? null : (project ?? { id: row.projectId, name: 'that is gone' }),
    createdAt: row.createdAt,
    lastUsedAt: row.lastUsedAt,
    removed: row.archivedAt !== null,
  };
}
