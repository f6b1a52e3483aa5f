import { type OutboxPayload, type OutboxTarget, outboxPayloadSchema } from '../contracts/outbox.ts';
import { platformSchema } from '../contracts/platform.ts';
import type { Tx } from './database.ts';

/** A row of the outbox as somebody finds it again who wants to change the message. */
export interface SentMessage {
  key: string;
  target: OutboxTarget;
  payload: OutboxPayload;
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

/** The row with this key. */
export async function messageByKey(tx: Tx, workspace: string, key: string): Promise<SentMessage | undefined> {
  const row = await tx.db.outbox.findUnique({ where: { workspaceId_key: { workspaceId: workspace, key } } });
  return row === null ? undefined : toSent(row);
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
  };
}
