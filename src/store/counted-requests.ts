import { Prisma } from '../../prisma/client/client.ts';
import type { Standing } from '../contracts/quotas.ts';
import type { Tx } from './database.ts';
import { type Counting, giveBack, take } from './quotas.ts';

/**
 * Counts a request to a model that is about to be made against the quotas of requests of its run; the quotas that do not allow it, and then
 * it is not counted. Once for each request, until it is settled. One statement where the workspace has no such quota.
 */
export async function countRequest(tx: Tx, run: Counting, request: string, at: Date): Promise<Standing[]> {
  const isNew = await tx.db.$executeRaw(Prisma.sql`
    INSERT INTO "CountedRequest" ("runId", "request", "workspaceId", "at") SELECT ${run.id}, ${request}, ${run.workspace}, ${at}
    WHERE EXISTS (SELECT FROM "Quota" WHERE "workspaceId" = ${run.workspace} AND "measure" = 'requests')
    ON CONFLICT DO NOTHING`);
  if (isNew === 0) return [];
  const refused = await take(tx, run, 'requests', 1, at);
  if (refused.length > 0) await tx.db.countedRequest.delete({ where: { runId_request: { runId: run.id, request } } });
  return refused;
}

/** The request was not answered: it stays counted when it may have come to the model server, else it is given back, once. */
export async function settleUnanswered(tx: Tx, run: Counting, request: string, reached: boolean): Promise<void> {
  const [row] = await tx.db.$queryRaw<{ at: Date }[]>(Prisma.sql`
    DELETE FROM "CountedRequest" WHERE "runId" = ${run.id} AND "request" = ${request} RETURNING "at"`);
  if (row !== undefined && !reached) await giveBack(tx, run, 'requests', 1, row.at);
}

/** The run is over: what became of requests that are not settled nobody knows, so they stay counted. */
export async function forgetCounted(tx: Tx, run: string): Promise<void> {
  await tx.db.countedRequest.deleteMany({ where: { runId: run } });
}
