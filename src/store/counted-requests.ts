import { Prisma } from '../../prisma/client/client.ts';
import type { Quota } from '../contracts/quotas.ts';
import type { Tx } from './database.ts';
import { whileCounting } from './quota-lock.ts';
import { type Counting, giveBack, isAboutRun, type Taken, take } from './quotas.ts';

/**
 * Counts a request to a model that is about to be made against the quotas of requests of its run, or says which do not allow it, and then
 * it is not counted. Once for each request, until it is settled. It is noted where there is no such quota, too: one that is made while it is
 * under way counts it.
 */
export async function countRequest(tx: Tx, run: Counting, request: string, at: Date): Promise<Taken> {
  const isNew = await tx.db.$executeRaw(Prisma.sql`
    INSERT INTO "CountedRequest" ("runId", "request", "workspaceId", "at") SELECT ${run.id}, ${request}, ${run.workspace}, ${at}
    FROM ${whileCounting(run.workspace)} AS counting
    ON CONFLICT DO NOTHING`);
  if (isNew === 0) return { refused: [], counted: [] };
  const taken = await take(tx, run, 'requests', 1, at);
  const where = { runId_request: { runId: run.id, request } };
  if (taken.refused.length > 0) await tx.db.countedRequest.delete({ where });
  else if (taken.counted.length > 0) {
    await tx.db.countedRequest.update({ where, data: { quotas: taken.counted.map(({ quota }) => quota.id) } });
  }
  return taken;
}

/** A quota of requests is new: those under way count against it too. Returns how many. The caller holds the lock of quotas. */
export async function adoptRequests(tx: Tx, quota: Quota, since: Date): Promise<number> {
  return await tx.db.$executeRaw(Prisma.sql`
    UPDATE "CountedRequest" c SET "quotas" = array_append(c."quotas", q."id") FROM "Quota" q, "Run"
    WHERE q."id" = ${quota.id} AND c."workspaceId" = ${quota.workspace} AND "Run"."id" = c."runId" AND c."at" >= ${since} AND ${isAboutRun}`);
}

/** The request was not answered: it stays counted when it may have come to the model server, else it is given back, once. */
export async function settleUnanswered(tx: Tx, run: Counting, request: string, reached: boolean): Promise<void> {
  const [row] = await tx.db.$queryRaw<{ at: Date; quotas: string[] }[]>(Prisma.sql`
    DELETE FROM "CountedRequest" WHERE "runId" = ${run.id} AND "request" = ${request} RETURNING "at", "quotas"`);
  // A quota that was made since has not counted it.
  if (row !== undefined && !reached) await giveBack(tx, run, 'requests', 1, row.at, row.quotas);
}

/** The run is over: what became of requests that are not settled nobody knows, so they stay counted. */
export async function forgetCounted(tx: Tx, run: string): Promise<void> {
  await tx.db.countedRequest.deleteMany({ where: { runId: run } });
}
