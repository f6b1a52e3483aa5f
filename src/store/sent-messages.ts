import { Prisma } from '../../prisma/client/client.ts';
import { type OutboxPayload, type OutboxTarget, outboxPayloadSchema } from '../contracts/outbox.ts';
import { platformSchema } from '../contracts/platform.ts';
import type { Tx } from './database.ts';

/** A row of the outbox as somebody finds it again who wants to change the message. */
export interface SentMessage {
  key: string;
  target: OutboxTarget;
  payload: OutboxPayload;
  /** False while nobody knows yet under which id it has arrived, if it has. */
  sent: boolean;
}

/** The row of the message that a platform knows by this id; undefined for an ephemeral one. */
export async function sentMessage(
  tx: Tx,
  workspace: string,
  at: { platform: string; tenant: string; channel: string; message: string },
): Promise<SentMessage | undefined> {
  const row = await tx.db.outbox.findFirst({
    where: {
      workspaceId: workspace,
      platform: at.platform,
      tenant: at.tenant,
      channel: at.channel,
      externalId: at.message,
      payloadType: 'message',
    },
  });
  return row === null ? undefined : toSent(row);
}

/**
 * The platform's id of the thread that a message of ours belongs to, whichever part of a long message it is; undefined when it is none
 * of ours or belongs to no thread.
 */
export async function threadOfMessage(
  tx: Tx,
  workspace: string,
  at: { platform: string; tenant: string; channel: string; message: string },
): Promise<string | undefined> {
  const thread = async (which: Prisma.Sql) => {
    const rows = await tx.db.$queryRaw<{ thread: string | null }[]>(Prisma.sql`
      SELECT COALESCE(t."externalId", o."thread") AS thread FROM "Outbox" o LEFT JOIN "Thread" t ON t."id" = o."threadId"
      WHERE o."workspaceId" = ${workspace} AND o."platform" = ${at.platform} AND o."tenant" = ${at.tenant}
        AND o."channel" = ${at.channel} AND ${which} LIMIT 1`);
    return rows[0];
  };
  const part = JSON.stringify([{ message: at.message }]);
  const found =
    (await thread(Prisma.sql`o."externalId" = ${at.message}`)) ??
    (await thread(Prisma.sql`jsonb_array_length(o."parts") > 1 AND o."parts" @> ${part}::jsonb`));
  return found?.thread ?? undefined;
}

/** The row with this key. */
export async function messageByKey(tx: Tx, workspace: string, key: string): Promise<SentMessage | undefined> {
  const row = await tx.db.outbox.findUnique({ where: { workspaceId_key: { workspaceId: workspace, key } } });
  return row === null ? undefined : toSent(row);
}

/** The rows with these keys, those there are. */
export async function rowsByKey(db: Tx['db'], workspace: string, keys: readonly string[]): Promise<Map<string, SentMessage>> {
  if (keys.length === 0) return new Map();
  const rows = await db.outbox.findMany({ where: { workspaceId: workspace, key: { in: [...keys] } } });
  return new Map(rows.map((row) => [row.key, toSent(row)]));
}

function toSent(row: {
  key: string;
  platform: string;
  tenant: string;
  channel: string;
  thread: string | null;
  channelKind: string;
  threadId: string | null;
  anchor: boolean;
  externalId: string | null;
  payload: unknown;
}): SentMessage {
  return {
    key: row.key,
    target:
      row.threadId === null
        ? {
            type: 'conversation',
            conversation: {
              platform: platformSchema.parse(row.platform),
              tenant: row.tenant,
              channel: row.channel,
              kind: row.channelKind === 'direct' ? 'direct' : 'channel',
              ...(row.thread === null ? {} : { thread: row.thread }),
            },
          }
        : { type: 'thread', thread: row.threadId, anchor: row.anchor },
    payload: outboxPayloadSchema.parse(row.payload),
    sent: row.externalId !== null,
  };
}
