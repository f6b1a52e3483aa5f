import { Prisma } from '../../prisma/client/client.ts';
import type { RunControl, RunSpec } from '../contracts/run-control.ts';
import { storedSource } from './projects.ts';

type Found = Parameters<RunControl['projectSynced']>[1];

/** Where a project comes from. `removed`: people have taken it off every list. */
export async function sourceOf(
  db: Prisma.TransactionClient,
  id: string,
): Promise<{ project: RunSpec['project']; removed: boolean; access: boolean } | undefined> {
  const row = await db.project.findUnique({ where: { id } });
  if (row === null) return undefined;
  return {
    project: { id: row.id, name: row.name, source: storedSource(row), baseBranch: row.baseBranch },
    removed: row.archivedAt !== null,
    access: row.accessWanted,
  };
}

/** Stores what a sync found. A failed one keeps what an earlier one had found. */
export async function recordSync(db: Prisma.TransactionClient, id: string, found: Found, now: Date): Promise<void> {
  const data: Prisma.ProjectUpdateManyMutationInput = found.ok
    ? {
        syncState: 'ready',
        syncError: Prisma.DbNull,
        defaultBranch: found.defaultBranch,
        head: found.head,
        syncedAt: now,
        ...(found.access === undefined ? {} : { access: found.access, accessWanted: false }),
      }
    : { syncState: 'unreachable', syncError: errorOf(found), syncedAt: now };
  await db.project.updateMany({ where: { id }, data });
}

function errorOf({ code, detail, remedy }: Extract<Found, { ok: false }>): Prisma.InputJsonObject {
  return { code, detail, ...(remedy === undefined ? {} : { remedy }) };
}
