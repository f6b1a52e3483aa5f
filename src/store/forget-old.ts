import { Prisma } from '../../prisma/client/client.ts';
import type { RunEventType } from '../contracts/run-event.ts';
import { idBefore } from '../runtime/ids.ts';
import type { Database, Tx } from './database.ts';
import { liveStates } from './runs.ts';

/**
 * What a log is long with, and nobody reads once the run is long over: the end card has it in short, the files of the run have it whole. What
 * costs, decides, ends and follows a run stays.
 */
const bulk: readonly RunEventType[] = ['output', 'assistant', 'thinking', 'tool', 'tool_ended', 'checklist', 'conversation'];
/** The end of each log stays as it is: what cards show of it. */
const keptAtEnd = 100;

/** Runs that ended, were made before a moment, and whose logs are still whole, in the order of their ids. */
export async function runsToThin(
  db: Tx['db'],
  { after, before, most }: { after: string; before: Date; most: number },
): Promise<{ run: string; task: string }[]> {
  return await db.$queryRaw<{ run: string; task: string }[]>(Prisma.sql`
    SELECT "id" AS run, "taskId" AS task FROM "Run"
    WHERE "eventsRemovedAt" IS NULL AND "id" > ${after} AND "id" < ${idBefore('run', before)}
      AND "state" NOT IN (${Prisma.join([...liveStates])})
    ORDER BY "id" LIMIT ${most}`);
}

/**
 * Takes the bulk out of the log of a run; returns how many events. Readers see from the run that there are gaps. A conversation that stood in the log
 * cannot be gone on with any more, in forks neither: whoever follows up begins a new one.
 */
export async function thinRun(tx: Tx, { run, task }: { run: string; task: string }, at: Date): Promise<number> {
  const marked = await tx.db.run.updateMany({ where: { id: run, eventsRemovedAt: null }, data: { eventsRemovedAt: at } });
  if (marked.count === 0) return 0;
  await tx.db.$executeRaw(Prisma.sql`
    UPDATE "Run" SET "session" = NULL WHERE "id" = ${run} AND "session"->>'artifact' IS NULL`);
  await tx.db.$executeRaw(Prisma.sql`
    UPDATE "Task" t SET "session" = NULL
    WHERE (t."id" = ${task} OR t."forkedFromId" = ${task}) AND t."session" IS NOT NULL AND t."session"->>'artifact' IS NULL
      AND EXISTS (SELECT FROM "Run" r WHERE r."id" = ${run} AND r."agent" IS NOT NULL)`);
  return await tx.db.$executeRaw(Prisma.sql`
    DELETE FROM "RunEvent" e USING "Run" r WHERE r."id" = ${run} AND e."runId" = r."id"
      AND e."seq" <= r."lastSeq" - ${keptAtEnd} AND e."type" = ANY(${[...bulk]}::text[])
      AND NOT (e."type" = 'checklist' AND e."seq" = (
        SELECT max(c."seq") FROM "RunEvent" c WHERE c."runId" = r."id" AND c."type" = 'checklist'))`);
}

/**
 * Deletes messages that nobody can be shown again: answers to one person, forms and marks, once their delivery is over. Cards and answers for
 * everybody stay, because they are edited and recognised later; and so does what waits.
 */
export async function forgetOutbox({ db }: Pick<Database, 'db'>, before: Date, most: number): Promise<number> {
  return await db.$executeRaw(Prisma.sql`
    DELETE FROM "Outbox" WHERE "id" IN (
      SELECT "id" FROM "Outbox" WHERE "id" < ${idBefore('out', before)} AND "state" <> 'pending' AND "updatedAt" < ${before}
        AND "payloadType" IN ('ephemeral', 'form', 'reaction') AND "threadId" IS NULL
      ORDER BY "id" LIMIT ${most} FOR UPDATE SKIP LOCKED
    )`);
}

/** Deletes lines of "who did what" that are older, at most `most` of them. */
export async function forgetAudit({ db }: Pick<Database, 'db'>, before: Date, most: number): Promise<number> {
  return await db.$executeRaw(Prisma.sql`
    DELETE FROM "Audit" WHERE "id" IN (
      SELECT "id" FROM "Audit" WHERE "id" < ${idBefore('aud', before)} AND "at" < ${before}
      ORDER BY "id" LIMIT ${most} FOR UPDATE SKIP LOCKED
    )`);
}
