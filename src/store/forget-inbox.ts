import { Prisma } from '../../prisma/client/client.ts';
import type { Database } from './database.ts';
import { forgottenSecret } from './inbox.ts';

/**
 * Deletes events that were handled before a moment, at most `most` of them; returns how many. What may still be asked for stays: the newest event of
 * each conversation, from which on is looked what was missed, and messages that were a secret, because what they are changed to may be one too.
 * `before` must be longer ago than any platform delivers again (promise 2).
 */
export async function forgetInbox({ db }: Database, before: Date, most: number): Promise<number> {
  return await db.$executeRaw(Prisma.sql`
    DELETE FROM "Inbox" WHERE "id" IN (
      SELECT old."id" FROM "Inbox" old WHERE old."state" = 'done' AND old."doneAt" < ${before}
        AND old."event"->>'text' IS DISTINCT FROM ${forgottenSecret}
        AND EXISTS (
          SELECT FROM "Inbox" later WHERE later."state" = 'done' AND later."lane" = old."lane" AND later."id" > old."id"
            AND later."platform" = old."platform" AND later."tenant" = old."tenant"
        )
      ORDER BY old."id" LIMIT ${most}
    )`);
}
