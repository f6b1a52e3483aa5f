import { Prisma } from '../../prisma/client/client.ts';
import type { Tx } from './database.ts';
import { isAboutRun } from './quotas.ts';

/** Runs at work whose time some quota measures, and which was not counted just now. Nothing but a look at few rows where there is no such quota. */
export async function workToCount(db: Prisma.TransactionClient, now: Date): Promise<string[]> {
  const rows = await db.$queryRaw<{ id: string }[]>(Prisma.sql`
    SELECT DISTINCT "Run"."id" FROM "Quota" q JOIN "Run" ON "Run"."workspaceId" = q."workspaceId" AND ${isAboutRun}
    WHERE q."measure" = 'wall' AND "Run"."state" IN ('planning', 'executing') AND "Run"."timedUntil" < ${now}
    ORDER BY "Run"."id"`);
  return rows.map(({ id }) => id);
}

/** The time of a run at work is counted up to this moment. */
export async function noteTimed(tx: Tx, run: string, until: Date): Promise<void> {
  await tx.db.run.update({ where: { id: run }, data: { timedUntil: until }, select: { id: true } });
}

/** Requests to use more of a quota that wait for a decision. */
export async function interactionsAboutQuotas(db: Prisma.TransactionClient, limit: number): Promise<string[]> {
  const rows = await db.interaction.findMany({
    where: { state: 'pending', kind: 'spend', action: { path: ['type'], equals: 'quota' } },
    select: { id: true },
    orderBy: { id: 'asc' },
    take: limit,
  });
  return rows.map(({ id }) => id);
}
