import { z } from 'zod';
import { Prisma } from '../../prisma/client/client.ts';
import { conversationSchema, identityRefSchema } from '../contracts/platform.ts';
import { newId } from '../runtime/ids.ts';
import type { Database, Tx } from './database.ts';

/** Whom the findings are told, as answers to an act are addressed. */
const askerSchema = z.object({
  workspace: z.string(),
  key: z.string(),
  conversation: conversationSchema,
  user: identityRefSchema,
  reply: z.string().optional(),
});
export type Asker = z.infer<typeof askerSchema>;

export interface Examination {
  id: string;
  asker: Asker;
  /** How often somebody has begun with it, this time included. */
  attempts: number;
}

/** Somebody wants every part looked at: kept until that is done, in the transaction of the request. */
export async function putExamination(tx: Tx, asker: Asker, now: Date): Promise<void> {
  await tx.db.examination.create({
    data: { id: newId('exa'), workspaceId: asker.workspace, asker, dueAt: now, createdAt: now },
  });
  tx.notify('examination');
}

/** Takes the first that is due; nobody else gets it until `again`, when whoever took it must have died. */
export async function takeExamination({ db }: Database, now: Date, again: Date): Promise<Examination | undefined> {
  const rows = await db.$queryRaw<{ id: string; asker: unknown; attempts: number }[]>(Prisma.sql`
    UPDATE "Examination" SET "dueAt" = ${again}, "attempts" = "attempts" + 1 WHERE "id" = (
      SELECT "id" FROM "Examination" WHERE "endedAt" IS NULL AND "dueAt" <= ${now} ORDER BY "dueAt" LIMIT 1 FOR UPDATE SKIP LOCKED
    ) RETURNING "id", "asker", "attempts"`);
  const [row] = rows;
  return row === undefined ? undefined : { id: row.id, asker: askerSchema.parse(row.asker), attempts: row.attempts };
}

/** False when it was over already. */
export async function endExamination(tx: Tx, id: string, now: Date): Promise<boolean> {
  const { count } = await tx.db.examination.updateMany({ where: { id, endedAt: null }, data: { endedAt: now } });
  if (count === 1) await tx.db.examination.deleteMany({ where: { endedAt: { lt: new Date(now.getTime() - 24 * 60 * 60_000) } } });
  return count === 1;
}
