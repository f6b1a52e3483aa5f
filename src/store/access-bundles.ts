import { type AccessBundle, bundleOf, storedAmong } from '../contracts/access-bundle.ts';
import { newId } from '../runtime/ids.ts';
import type { Tx } from './database.ts';

/** What a bundle allows. */
export type BundleLimits = Pick<AccessBundle, 'permissions' | 'agents' | 'accounts' | 'hosts'>;

/** Makes a bundle. Undefined when the workspace has one of this name (case does not matter). */
export async function createBundle(
  tx: Tx,
  input: BundleLimits & { workspace: string; name: string; by: string; at: Date },
): Promise<AccessBundle | undefined> {
  const { workspace, name, by, at, ...limits } = input;
  const id = newId('bdl');
  const { count } = await tx.db.accessBundle.createMany({
    data: [{ id, workspaceId: workspace, name, key: name.toLowerCase(), createdById: by, createdAt: at, ...columns(limits) }],
    skipDuplicates: true,
  });
  return count === 1 ? { id, workspace, name, ...limits } : undefined;
}

/** The bundle of this name in this workspace. */
export async function bundleNamed(tx: Pick<Tx, 'db'>, workspace: string, name: string): Promise<AccessBundle | undefined> {
  const row = await tx.db.accessBundle.findFirst({ where: { workspaceId: workspace, key: name.toLowerCase() } });
  return row === null ? undefined : bundleOf(row);
}

/** The bundle of this name in this workspace; until the transaction ends nobody else changes or removes it. */
export async function holdBundle(tx: Tx, workspace: string, name: string): Promise<AccessBundle | undefined> {
  const where = { workspaceId: workspace, key: name.toLowerCase() };
  // A row that is written to is locked.
  const { count } = await tx.db.accessBundle.updateMany({ where, data: { key: name.toLowerCase() } });
  return count === 0 ? undefined : await bundleNamed(tx, workspace, name);
}

/** Bundles of the workspace, by name. */
export async function bundlesOf(tx: Pick<Tx, 'db'>, workspace: string): Promise<AccessBundle[]> {
  const rows = await tx.db.accessBundle.findMany({ where: { workspaceId: workspace }, orderBy: { key: 'asc' } });
  return rows.map(bundleOf);
}

/** Changes what a bundle allows. It counts at once, wherever it is asked for. */
export async function changeBundle(tx: Tx, { id }: AccessBundle, limits: BundleLimits): Promise<void> {
  await tx.db.accessBundle.update({ where: { id }, data: columns(limits) });
}

/** The channels that have it, by their ids. */
export async function channelsWith(tx: Pick<Tx, 'db'>, { id, workspace }: AccessBundle): Promise<string[]> {
  const where = { workspaceId: workspace, bundleId: id };
  return (await tx.db.channel.findMany({ where, select: { id: true }, orderBy: { id: 'asc' } })).map((row) => row.id);
}

/** How many channels have each bundle of the workspace, by the id of the bundle; those that none has are left out. */
export async function channelCounts(tx: Pick<Tx, 'db'>, workspace: string): Promise<Map<string, number>> {
  const where = { workspaceId: workspace, bundleId: { not: null } };
  const rows = await tx.db.channel.groupBy({ by: ['bundleId'], where, _count: true });
  return new Map(rows.flatMap(({ bundleId, _count }) => (bundleId === null ? [] : [[bundleId, _count] as const])));
}

/** Removes a bundle that no channel has. */
export async function removeBundle(tx: Tx, { id, workspace }: AccessBundle): Promise<void> {
  await tx.db.accessBundle.deleteMany({ where: { id, workspaceId: workspace } });
}

/** Gives a channel a bundle, or takes the one it has away. */
export async function setBundle(tx: Tx, channel: string, bundle: AccessBundle | undefined): Promise<void> {
  await tx.db.channel.update({ where: { id: channel }, data: { bundleId: bundle?.id ?? null } });
}

/** The bundle of the channel in which a task was asked for, as it is now, with the name of the channel; undefined: it has none. */
export async function bundleOfTask(
  tx: Pick<Tx, 'db'>,
  task: string,
): Promise<{ bundle: AccessBundle; channel: string | undefined } | undefined> {
  const row = await tx.db.channel.findFirst({
    where: { tasks: { some: { id: task } }, bundleId: { not: null } },
    select: { name: true, bundle: true },
  });
  return row === null || row.bundle === null ? undefined : { bundle: bundleOf(row.bundle), channel: row.name ?? undefined };
}

function columns({ permissions, agents, accounts, hosts }: BundleLimits) {
  return {
    permissions: storedAmong(permissions),
    agents: storedAmong(agents),
    accounts: storedAmong(accounts),
    hosts: storedAmong(hosts),
  };
}
