import { Prisma } from '../../prisma/client/client.ts';
import type { Platform } from '../contracts/platform.ts';
import { newId } from '../runtime/ids.ts';
import type { Tx } from './database.ts';

export interface Workspace {
  id: string;
  name: string;
}

/** An account boundary of a platform as its adapter knows it after start. */
export interface TenantInfo {
  platform: Platform;
  tenant: string;
  name: string;
  botUser: string;
}

/** The workspace that serves this tenant, or undefined: then nothing may happen. */
export async function workspaceOfTenant(tx: Tx, platform: Platform, tenant: string): Promise<Workspace | undefined> {
  // Asked for every event: one statement, where the relation would take two.
  const rows = await tx.db.$queryRaw<Workspace[]>(Prisma.sql`
    SELECT "Workspace"."id", "Workspace"."name" FROM "Tenant" JOIN "Workspace" ON "Workspace"."id" = "Tenant"."workspaceId"
    WHERE "platform" = ${platform} AND "tenant" = ${tenant}`);
  return rows[0];
}

/** The oldest workspace; made when there is none. Two starts at once make one. */
export async function firstWorkspace(tx: Tx, name: string): Promise<Workspace> {
  await lockInstallation(tx);
  const known = await tx.db.workspace.findFirst({ orderBy: { id: 'asc' }, select: { id: true, name: true } });
  if (known !== null) return known;
  return tx.db.workspace.create({ data: { id: newId('wsp'), name }, select: { id: true, name: true } });
}

/**
 * Lets the workspace serve the tenant, and keeps its name and bot account fresh. False when another workspace serves it: then
 * nothing changed.
 */
export async function registerTenant(tx: Tx, workspace: string, info: TenantInfo): Promise<boolean> {
  const { platform, tenant, name, botUser } = info;
  await tx.db.tenant.createMany({
    data: [{ platform, tenant, workspaceId: workspace, name, botUser }],
    skipDuplicates: true,
  });
  const { count } = await tx.db.tenant.updateMany({
    where: { platform, tenant, workspaceId: workspace },
    data: { name, botUser },
  });
  return count === 1;
}

/** The names of all workspaces, by id. */
export async function workspaceNames(db: Tx['db']): Promise<Map<string, string>> {
  const rows = await db.workspace.findMany({ select: { id: true, name: true } });
  return new Map(rows.map(({ id, name }) => [id, name]));
}

/** Reads a fact of the installation and holds its row until the end of the transaction. */
export async function readMetaLocked(tx: Tx, key: string): Promise<string | undefined> {
  const rows = await tx.db.$queryRaw<{ value: string }[]>(Prisma.sql`SELECT "value" FROM "Meta" WHERE "key" = ${key} FOR UPDATE`);
  return rows[0]?.value;
}

export async function writeMeta(tx: Tx, key: string, value: string): Promise<void> {
  await tx.db.meta.upsert({ where: { key }, create: { key, value }, update: { value } });
}

export async function removeMeta(tx: Tx, key: string): Promise<void> {
  await tx.db.meta.deleteMany({ where: { key } });
}

/** One first start at a time: the lock is given back at the end of the transaction. */
async function lockInstallation(tx: Tx): Promise<void> {
  await tx.db.$queryRaw(Prisma.sql`SELECT pg_advisory_xact_lock(hashtext('deckhand installation'))::text`);
}
