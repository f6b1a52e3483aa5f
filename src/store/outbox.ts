import { Prisma } from '../../prisma/client/client.ts';
import { type OutboxPut, outboxPayloadSchema } from '../contracts/outbox.ts';
import { newId } from '../runtime/ids.ts';
import { traceparent } from '../runtime/trace.ts';
import type { Tx } from './database.ts';

/** A row that a put made or changed. */
export interface PutRow {
  id: string;
  key: string;
  version: number;
}

/**
 * Puts one message into the outbox, in the caller's transaction, and wakes the sender when that commits.
 *
 * Idempotent by (workspace, key): the same payload again changes nothing. Another payload makes the next version of a `message`, `home`
 * or following `direct` row; for every other type the first put wins. Returns the row, or undefined when nothing changed. Throws when the payload
 * does not fit its schema or the thread does not exist in the workspace: programming mistakes both.
 */
export async function putOutbox(tx: Tx, put: OutboxPut): Promise<PutRow | undefined> {
  const [row] = await putOutboxRows(tx, [put]);
  return row;
}

/** Many puts in one statement. Keys must differ. Rows are locked in the order of their keys, so that two batches never deadlock. */
export async function putOutboxRows(tx: Tx, puts: readonly OutboxPut[]): Promise<PutRow[]> {
  if (puts.length === 0) return [];
  const around = traceparent();
  const incoming = puts.map(({ workspace, key, target, payload, priority, traceparent: from }) => ({
    id: newId('out'),
    workspaceId: workspace,
    key,
    ...(target.type === 'thread'
      ? { threadId: target.thread, anchor: target.anchor }
      : {
          platform: target.conversation.platform,
          tenant: target.conversation.tenant,
          channel: target.conversation.channel,
          thread: target.conversation.thread,
          channelKind: target.conversation.kind,
          anchor: false,
        }),
    payload: outboxPayloadSchema.parse(payload),
    payloadType: payload.type,
    priority,
    traceparent: from ?? around,
  }));
  // A thread is opened by one message: while a row is about to open it, others wait. When that row has failed, or the thread was lost
  // after something had arrived in it (the conversation has moved), the next message opens it.
  const rows = await tx.db.$queryRaw<PutRow[]>(Prisma.sql`
    INSERT INTO "Outbox" ("id", "workspaceId", "key", "platform", "tenant", "channel", "thread", "channelKind", "threadId", "anchor",
      "payload", "payloadType", "priority", "traceparent")
    SELECT i."id", i."workspaceId", i."key", COALESCE(c."platform", i."platform"), COALESCE(c."tenant", i."tenant"),
      COALESCE(c."externalId", i."channel"), COALESCE(t."externalId", i."thread"), COALESCE(c."kind", i."channelKind"),
      i."threadId",
      t."id" IS NOT NULL AND t."externalId" IS NULL
        AND NOT EXISTS (
          SELECT 1 FROM "Outbox" o WHERE o."threadId" = t."id" AND o."anchor" AND o."state" <> 'failed' AND o."key" <> i."key"
        )
        AND (i."anchor" OR (i."payloadType" = 'message' AND EXISTS (
          SELECT 1 FROM "Outbox" o WHERE o."threadId" = t."id" AND (o."anchor" AND o."state" = 'failed' OR o."sentVersion" > 0)
        ))),
      i."payload", i."payloadType", i."priority", i."traceparent"
    FROM jsonb_to_recordset(${storable(incoming)}::jsonb) AS i("id" text, "workspaceId" text, "key" text, "platform" text,
      "tenant" text, "channel" text, "thread" text, "channelKind" text, "threadId" text, "anchor" boolean, "payload" jsonb,
      "payloadType" text, "priority" int, "traceparent" text)
    LEFT JOIN "Thread" t ON t."id" = i."threadId" AND t."workspaceId" = i."workspaceId"
    LEFT JOIN "Channel" c ON c."id" = t."channelId"
    ORDER BY i."workspaceId", i."key"
    ON CONFLICT ("workspaceId", "key") DO UPDATE SET
      "payload" = EXCLUDED."payload",
      "version" = "Outbox"."version" + 1,
      "anchor" = "Outbox"."anchor" OR EXCLUDED."anchor",
      "priority" = CASE WHEN "Outbox"."state" = 'pending' THEN LEAST("Outbox"."priority", EXCLUDED."priority")
        ELSE EXCLUDED."priority" END,
      "dueAt" = CASE WHEN "Outbox"."state" = 'sent' THEN GREATEST("Outbox"."dueAt", now()) ELSE "Outbox"."dueAt" END,
      "pendingSince" = CASE WHEN "Outbox"."state" = 'pending' THEN "Outbox"."pendingSince" ELSE now() END,
      "state" = 'pending',
      "traceparent" = EXCLUDED."traceparent",
      "updatedAt" = now()
    WHERE ("Outbox"."payloadType" IN ('message', 'home') OR "Outbox"."payload" @> '{"type":"direct","follows":true}') AND "Outbox"."payload" IS DISTINCT FROM EXCLUDED."payload"
    RETURNING "id", "key", "version"`);
  for (const { id } of rows) tx.notify('outbox', id);
  return rows;
}

/** The secret of a message has been shown, or never will be: it stays nowhere, not even sealed. */
export async function forgetSecret({ db }: Pick<Tx, 'db'>, id: string, payload: OutboxPut['payload']): Promise<void> {
  if (!('view' in payload) || payload.view.secret === undefined) return;
  await db.$executeRaw(Prisma.sql`UPDATE "Outbox" SET "payload" = "payload" #- '{view,secret}' WHERE "id" = ${id}`);
}

/** JSON that jsonb takes: it refuses NUL and half surrogate pairs, which output of a command may well contain. */
export function storable(value: unknown): string {
  return JSON.stringify(value, (_, inner: unknown) =>
    typeof inner === 'string' ? inner.toWellFormed().replaceAll('\0', '\ufffd') : inner,
  );
}
