import { Prisma } from '../../prisma/client/client.ts';
import { readOrigin } from '../contracts/message-origin.ts';
import type { Conversation } from '../contracts/platform.ts';
import type { Tx } from './database.ts';

/** Messages of a conversation that were said to Deckhand or to one of its agents since then: their ids at the platform. */
export async function saidToDeckhand(tx: Tx, workspace: string, to: Conversation, since: Date): Promise<Set<string>> {
  const { platform, tenant, channel } = to;
  const named = await tx.db.$queryRaw<{ message: string }[]>(Prisma.sql`
    SELECT "event"->>'message' AS message FROM "Inbox"
    WHERE "platform" = ${platform} AND "tenant" = ${tenant} AND "receivedAt" >= ${since} AND "event"->>'type' = 'message'
      AND "event"->'conversation'->>'channel' = ${channel} AND "event"->>'addressed' <> 'thread'`);
  const mail = await tx.db.runMail.findMany({
    where: {
      workspaceId: workspace,
      at: { gte: since },
      origin: { startsWith: `${JSON.stringify([platform, tenant, channel]).slice(0, -1)},` },
    },
    select: { origin: true },
  });
  const told = mail.flatMap(({ origin }) => {
    const at = origin === null ? undefined : readOrigin(origin);
    return at?.platform === platform && at.tenant === tenant && at.channel === channel ? [at.message] : [];
  });
  return new Set([...named.map(({ message }) => message), ...told]);
}

/** The event of a message that was said to Deckhand, by its id at the platform: its key; undefined: it was not. */
export async function keyOfMessage(tx: Tx, at: Conversation, message: string): Promise<string | undefined> {
  const { platform, tenant, channel } = at;
  const rows = await tx.db.$queryRaw<{ key: string }[]>(Prisma.sql`
    SELECT "key" FROM "Inbox"
    WHERE "platform" = ${platform} AND "tenant" = ${tenant} AND "event"->>'type' = 'message' AND "receivedAt" > now() - interval '1 day'
      AND "event"->'conversation'->>'channel' = ${channel} AND "event"->>'message' = ${message}
    ORDER BY "id" DESC LIMIT 1`);
  return rows[0]?.key;
}

/** Whether a message that came lately named Deckhand or was written to it directly. */
export async function wasToDeckhand(tx: Tx, at: Conversation, message: string): Promise<boolean> {
  return await cameLately(tx, at, message, Prisma.sql`"event"->>'type' = 'message' AND "event"->>'addressed' <> 'thread'`);
}

/** Whether a key was taken out of a message that came lately, or out of what it was changed to. */
export async function hadKeys(tx: Tx, at: Conversation, message: string): Promise<boolean> {
  return await cameLately(tx, at, message, Prisma.sql`"event"->'keys' IS NOT NULL`);
}

async function cameLately(tx: Tx, at: Conversation, message: string, which: Prisma.Sql): Promise<boolean> {
  const { platform, tenant, channel } = at;
  const rows = await tx.db.$queryRaw<unknown[]>(Prisma.sql`
    SELECT 1 FROM "Inbox"
    WHERE "platform" = ${platform} AND "tenant" = ${tenant} AND "receivedAt" > now() - interval '1 day' AND ${which}
      AND "event"->'conversation'->>'channel' = ${channel} AND "event"->>'message' = ${message} LIMIT 1`);
  return rows.length > 0;
}

/** The task that a message has begun, spoken to or gone on with. */
export async function taskOfMessage(
  tx: Tx,
  workspace: string,
  { originKey, origin }: { originKey: string; origin: string },
): Promise<string | undefined> {
  const task = await tx.db.task.findFirst({ where: { workspaceId: workspace, originKey, kind: 'agent' }, select: { id: true } });
  if (task !== null) return task.id;
  const run = await tx.db.run.findFirst({ where: { workspaceId: workspace, originKey }, select: { taskId: true } });
  if (run !== null) return run.taskId;
  const mail = await tx.db.runMail.findFirst({
    where: { workspaceId: workspace, origin },
    orderBy: { at: 'desc' },
    select: { run: { select: { taskId: true } } },
  });
  if (mail !== null) return mail.run.taskId;
  const file = await tx.db.attachedFile.findFirst({
    where: { workspaceId: workspace, origin },
    select: { run: { select: { taskId: true } } },
  });
  return file?.run.taskId;
}
