import { Prisma } from '../../prisma/client/client.ts';
import { type OutboxPayload, outboxPayloadSchema } from '../contracts/outbox.ts';
import { type Platform, platformSchema } from '../contracts/platform.ts';
import { newId } from '../runtime/ids.ts';
import type { Tx } from './database.ts';

/**
 * Ties a task to a thread of a channel. `externalId` null: the first message of the task opens the thread. A platform thread is of
 * one task: where it belongs to another one already, the task gets a thread of its own in the same channel. `at`: when, by the clock of
 * run events; undefined: now, by the database.
 */
export async function createThread(
  tx: Tx,
  input: { workspace: string; task: string; channel: string; externalId: string | null; at?: Date | undefined },
): Promise<string> {
  const { workspace, task, channel, externalId, at } = input;
  const row = { workspaceId: workspace, taskId: task, channelId: channel, ...(at === undefined ? {} : { createdAt: at }) };
  const id = newId('thr');
  const { count } = await tx.db.thread.createMany({ data: [{ ...row, id, externalId }], skipDuplicates: true });
  if (count === 1) return id;
  const own = await tx.db.thread.create({ data: { ...row, id: newId('thr'), externalId: null } });
  return own.id;
}

/** One of the threads in which a task is shown. */
export interface ThreadPlace {
  id: string;
  /** The thread in which the task was started; the others are mirrors. */
  origin: boolean;
  /** The platform's id; undefined until its first message is sent. */
  externalId: string | undefined;
  channel: {
    id: string;
    platform: Platform;
    tenant: string;
    externalId: string;
    kind: 'channel' | 'direct';
    name: string | undefined;
  };
  /** Why its newest message could not be delivered; undefined: nothing is known to be wrong. */
  problem: string | undefined;
}

/** All threads of a task, the one in which it was started first. */
export async function placesOfTask(tx: Tx, task: string): Promise<ThreadPlace[]> {
  const rows = await tx.db.thread.findMany({ where: { taskId: task }, include: { channel: true }, orderBy: { id: 'asc' } });
  const newest = await tx.db.$queryRaw<{ thread: string; state: string; error: string | null }[]>(Prisma.sql`
    SELECT DISTINCT ON ("threadId") "threadId" AS thread, "state", "lastError" AS error FROM "Outbox"
    WHERE "threadId" = ANY(${rows.map(({ id }) => id)}::text[]) ORDER BY "threadId", "updatedAt" DESC, "id" DESC`);
  const problems = new Map(newest.map(({ thread, state, error }) => [thread, state === 'failed' ? error : null]));
  return rows.map(({ id, externalId, channel }, at) => ({
    id,
    origin: at === 0,
    externalId: externalId ?? undefined,
    channel: {
      id: channel.id,
      platform: platformSchema.parse(channel.platform),
      tenant: channel.tenant,
      externalId: channel.externalId,
      kind: channel.kind === 'direct' ? 'direct' : 'channel',
      name: channel.name ?? undefined,
    },
    problem: problems.get(id) ?? undefined,
  }));
}

/** The account that mirrored a task into this thread, on the platform of the thread; undefined: it was started there. */
export async function mirroredBy(tx: Tx, thread: string): Promise<string | undefined> {
  const rows = await tx.db.$queryRaw<{ account: string | null }[]>(Prisma.sql`
    SELECT a."data"->>'account' AS account FROM "Thread" t JOIN "Audit" a ON a."workspaceId" = t."workspaceId"
      AND a."at" BETWEEN t."createdAt" - interval '5 minutes' AND t."createdAt" + interval '5 minutes'
      AND a."action" = 'task.mirrored' AND a."subject" = t."id"
    WHERE t."id" = ${thread} LIMIT 1`);
  return rows[0]?.account ?? undefined;
}

/**
 * Mirrors in a channel of tasks of other projects than `except` that were not shared on purpose (`share=on`), in the order in which tasks
 * are locked.
 */
export async function mirrorsIn(
  tx: Tx,
  channel: string,
  { except }: { except: string | undefined },
): Promise<{ thread: string; task: string; number: number }[]> {
  return tx.db.$queryRaw<{ thread: string; task: string; number: number }[]>(Prisma.sql`
    SELECT t."id" AS thread, k."id" AS task, k."number" FROM "Thread" t JOIN "Task" k ON k."id" = t."taskId"
    WHERE t."channelId" = ${channel} AND k."projectId" IS DISTINCT FROM ${except ?? null}
      AND EXISTS (SELECT 1 FROM "Thread" o WHERE o."taskId" = t."taskId" AND o."id" < t."id")
      AND NOT EXISTS (SELECT 1 FROM "Audit" a WHERE a."workspaceId" = t."workspaceId"
        AND a."at" BETWEEN t."createdAt" - interval '5 minutes' AND t."createdAt" + interval '5 minutes'
        AND a."action" = 'task.mirrored' AND a."subject" = t."id" AND a."data"->>'shared' = 'true')
    ORDER BY k."id"`);
}

/** Those of these threads that exist. */
export async function existingThreads(tx: Tx, threads: readonly string[]): Promise<Set<string>> {
  const rows = await tx.db.thread.findMany({ where: { id: { in: [...threads] } }, select: { id: true } });
  return new Set(rows.map(({ id }) => id));
}

/**
 * Holds the runs of a task until the end of the transaction: nothing is logged and no card is put meanwhile, so that what is read now
 * is what all threads show. The caller holds the lock of the task. Returns what is shown: the newest run, or all attempts that are made side
 * by side when nothing has followed them, the first in front.
 */
export async function holdRuns(tx: Tx, task: string): Promise<string[]> {
  const rows = await tx.db.$queryRaw<{ id: string; attempt: number; variant: number | null }[]>(Prisma.sql`
    SELECT "id", "attempt", "variant" FROM "Run" WHERE "taskId" = ${task} ORDER BY "id" FOR UPDATE`);
  const inOrder = rows.toSorted((one, other) => one.attempt - other.attempt);
  const shown = inOrder.at(-1)?.variant === null ? inOrder.slice(-1) : inOrder;
  return shown.map(({ id }) => id);
}

/** A message of a thread as it was put last. */
export interface ThreadMessage {
  key: string;
  payload: Extract<OutboxPayload, { type: 'message' }>;
}

export async function messagesOfThread(tx: Tx, thread: string): Promise<ThreadMessage[]> {
  const rows = await tx.db.outbox.findMany({
    where: { threadId: thread, payloadType: 'message' },
    select: { key: true, payload: true },
    orderBy: { id: 'asc' },
  });
  return rows.flatMap(({ key, payload }) => {
    const parsed = outboxPayloadSchema.parse(payload);
    return parsed.type === 'message' ? [{ key, payload: parsed }] : [];
  });
}

/**
 * Ends a thread: its messages stay where they are and belong to nothing any more. What waited for it to be opened is not sent. The
 * caller holds the runs of the task, so that no card is put for it at the same time.
 */
export async function endThread(tx: Tx, thread: string): Promise<void> {
  await tx.db.$executeRaw(Prisma.sql`
    UPDATE "Outbox" o SET "threadId" = NULL, "thread" = COALESCE(o."thread", t."externalId"),
      "state" = CASE WHEN o."state" = 'pending' AND o."externalId" IS NULL AND NOT o."anchor" AND t."externalId" IS NULL
        AND o."payloadType" IN ('message', 'files') THEN 'expired' ELSE o."state" END
    FROM "Thread" t WHERE t."id" = ${thread} AND o."threadId" = t."id"`);
  await tx.db.thread.delete({ where: { id: thread } });
}
