import { Prisma } from '../../prisma/client/client.ts';
import type { Tx } from './database.ts';

/**
 * What is counted against quotas, and quotas that are made, keep out of each other's way by a lock of the workspace: whoever counts shares it
 * with all others who count, whoever makes a quota has it alone. So a new quota finds all that was counted before it, and all that is counted
 * later counts against it. The statement that takes the lock must not be the one that reads the quotas: that would see what was before.
 */
const key = (workspace: string) => Prisma.sql`hashtextextended(${`quotas:${workspace}`}, 0)`;

/** To be part of a statement that comes before the first look at the quotas, as a table of one row. */
export const whileCounting = (workspace: string) =>
  Prisma.sql`(SELECT pg_advisory_xact_lock_shared(${key(workspace)})::text AS held)`;

/** Until the end of the transaction no quota of the workspace is made. */
export async function lockCounting(tx: Tx, workspace: string): Promise<void> {
  await tx.db.$executeRaw(Prisma.sql`SELECT * FROM ${whileCounting(workspace)} AS counting`);
}

/** Until the end of the transaction nothing is counted in the workspace. */
export async function lockQuotas(tx: Tx, workspace: string): Promise<void> {
  await tx.db.$executeRaw(Prisma.sql`SELECT pg_advisory_xact_lock(${key(workspace)})::text`);
}
