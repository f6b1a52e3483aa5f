import { Prisma } from '../../prisma/client/client.ts';
import { idBefore } from '../runtime/ids.ts';
import { recordAudit } from './audit.ts';
import { logThinned } from './audit-line.ts';
import type { Database, Tx } from './database.ts';
import { liveStates } from './runs.ts';
import { underWay } from './thin-log.ts';

/** Runs that ended, were made before a moment, and whose logs are still whole or not made short to the end, in the order of their ids. */
export async function runsToThin(
  db: Tx['db'],
  { after, before, most }: { after: string; before: Date; most: number },
): Promise<{ run: string; task: string }[]> {
  return await db.$queryRaw<{ run: string; task: string }[]>(Prisma.sql`
    SELECT "id" AS run, "taskId" AS task FROM "Run"
    WHERE ("eventsRemovedAt" IS NULL OR "eventsRemovedAt" = ${underWay}) AND "id" > ${after} AND "id" < ${idBefore('run', before)}
      AND "state" NOT IN (${Prisma.join([...liveStates])})
    ORDER BY "id" LIMIT ${most}`);
}

/**
 * From now on the bulk of the log of a run may be gone (`thinSome`): readers see from the run that there are gaps. A conversation that stood in the
 * log cannot be gone on with any more, in forks neither: whoever follows up begins a new one. Repeatable.
 */
export async function beginThinning(tx: Tx, { run, task }: { run: string; task: string }): Promise<void> {
  const marked = await tx.db.run.updateMany({ where: { id: run, eventsRemovedAt: null }, data: { eventsRemovedAt: underWay } });
  if (marked.count === 0) return;
  await noteThinned(tx, { run, task });
  await tx.db.$executeRaw(Prisma.sql`
    UPDATE "Run" SET "session" = NULL WHERE "id" = ${run} AND "session"->>'artifact' IS NULL`);
  await tx.db.$executeRaw(Prisma.sql`
    UPDATE "Task" t SET "session" = NULL
    WHERE (t."id" = ${task} OR t."forkedFromId" = ${task}) AND t."session" IS NOT NULL AND t."session"->>'artifact' IS NULL
      AND EXISTS (SELECT FROM "Run" r WHERE r."id" = ${run} AND r."agent" IS NOT NULL)`);
}

/**
 * Deletes messages that nobody can be shown again: answers to one person, forms and marks, once their delivery is over. Cards and answers for
 * everybody stay, because they are edited and recognised later; and so does what waits.
 */
export async function forgetOutbox({ db }: Pick<Database, 'db'>, before: Date, most: number): Promise<number> {
  return await db.$executeRaw(Prisma.sql`
    DELETE FROM "Outbox" WHERE "id" IN (
      SELECT "id" FROM "Outbox" WHERE "id" < ${idBefore('out', before)} AND "state" <> 'pending' AND "updatedAt" < ${before}
        AND "payloadType" IN ('ephemeral', 'form', 'reaction', 'removal') AND "threadId" IS NULL
      ORDER BY "id" LIMIT ${most} FOR UPDATE SKIP LOCKED
    )`);
}

/** The digest of its log in the chain of the audit does not fit it any more. */
async function noteThinned(tx: Tx, { run, task }: { run: string; task: string }): Promise<void> {
  const row = await tx.db.run.findUniqueOrThrow({ where: { id: run }, select: { workspaceId: true } });
  await recordAudit(tx, { workspace: row.workspaceId, action: logThinned, subject: run, data: { task } });
}
