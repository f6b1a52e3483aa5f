import { Prisma } from '../../prisma/client/client.ts';
import type { Platform } from '../contracts/platform.ts';
import { recordAudit } from './audit.ts';
import type { Tx } from './database.ts';

/** A conversation that the platform goes on with under another id. */
export interface ChannelMoved {
  workspace: string;
  platform: Platform;
  tenant: string;
  from: string;
  to: string;
}

/** The id under which a conversation goes on now; the same one when it has not moved. */
export async function currentChannel(tx: Tx, platform: Platform, tenant: string, channel: string): Promise<string> {
  const row = await tx.db.channelMove.findUnique({
    where: { platform_tenant_fromId: { platform, tenant, fromId: channel } },
    select: { toId: true },
  });
  return row?.toId ?? channel;
}

/**
 * Takes everything stored about a conversation to its new id, in the caller's transaction: binding and settings of the channel, its
 * threads, open forms, and what is still to be sent. Message ids do not carry over: each message of the old conversation that changes
 * later is sent once more, and the first one of a task opens its thread anew. Repeating it changes nothing; it is audited once.
 */
export async function moveChannel(tx: Tx, moved: ChannelMoved): Promise<void> {
  if (moved.from === moved.to) return;
  await lockMoves(tx, moved);
  const isNew = await noteMove(tx, moved);
  const channel = await moveRow(tx, moved);
  await moveOutbox(tx, moved);
  const { platform, tenant, from, to } = moved;
  await tx.db.guidedForm.updateMany({ where: { platform, tenant, channel: from }, data: { channel: to, thread: null } });
  if (isNew) {
    await recordAudit(tx, {
      workspace: moved.workspace,
      action: 'channel.moved',
      subject: channel ?? to,
      data: { platform, tenant, from, to },
    });
  }
}

/** The event and the failure of a call can tell of the same move at once. */
async function lockMoves(tx: Tx, { platform, tenant }: ChannelMoved): Promise<void> {
  await tx.db.$queryRaw(Prisma.sql`SELECT pg_advisory_xact_lock(hashtextextended(${`moves:${platform}:${tenant}`}, 0))::text`);
}

/** True when this move was not known. A chain of moves leads straight to its end, and an id that is in use again leads nowhere. */
async function noteMove(tx: Tx, { workspace, platform, tenant, from, to }: ChannelMoved): Promise<boolean> {
  const known = await tx.db.channelMove.findUnique({ where: { platform_tenant_fromId: { platform, tenant, fromId: from } } });
  if (known?.toId === to) return false;
  await tx.db.channelMove.deleteMany({ where: { platform, tenant, fromId: to } });
  await tx.db.channelMove.updateMany({ where: { platform, tenant, toId: from }, data: { toId: to } });
  await tx.db.channelMove.upsert({
    where: { platform_tenant_fromId: { platform, tenant, fromId: from } },
    create: { workspaceId: workspace, platform, tenant, fromId: from, toId: to },
    update: { toId: to, movedAt: new Date() },
  });
  return true;
}

/**
 * Gives our row of the channel its new id. Somebody may have written there before we heard of the move: what that made is joined to the
 * old row, whose binding counts unless the new one was bound already. Returns our id of the channel.
 */
async function moveRow(tx: Tx, { workspace, platform, tenant, from, to }: ChannelMoved): Promise<string | undefined> {
  const rows = await tx.db.channel.findMany({
    where: { workspaceId: workspace, platform, tenant, externalId: { in: [from, to] } },
  });
  const old = rows.find(({ externalId }) => externalId === from);
  const early = rows.find(({ externalId }) => externalId === to);
  if (old === undefined) return early?.id;
  // Ids of threads are ids of messages of the old conversation, or of places in it.
  await tx.db.thread.updateMany({ where: { channelId: old.id }, data: { externalId: null } });
  if (early === undefined) {
    await tx.db.channel.update({ where: { id: old.id }, data: { externalId: to } });
    return old.id;
  }
  await tx.db.thread.updateMany({ where: { channelId: early.id }, data: { channelId: old.id } });
  await tx.db.task.updateMany({ where: { originId: early.id }, data: { originId: old.id } });
  await tx.db.channel.delete({ where: { id: early.id } });
  const { projectId, defaultRole, externalRole, verbosity } = early.projectId === null ? old : early;
  const name = early.name ?? old.name;
  const privacy = { isPrivate: old.isPrivate || early.isPrivate, privateSet: old.privateSet || early.privateSet };
  const data = { externalId: to, projectId, defaultRole, externalRole, verbosity, name, ...privacy };
  await tx.db.channel.update({ where: { id: old.id }, data });
  return old.id;
}

/**
 * Rows of the old conversation go to the new one and forget what was sent there, but not which files have arrived. Of each thread one
 * row that waits opens it again. Receipts on messages of the old conversation are of no use any more.
 */
async function moveOutbox(tx: Tx, { workspace, platform, tenant, from, to }: ChannelMoved): Promise<void> {
  const rows = await tx.db.$queryRaw<{ id: string; state: string }[]>(Prisma.sql`
    UPDATE "Outbox" o SET "channel" = ${to}, "thread" = NULL, "anchor" = false,
      "externalId" = CASE WHEN o."payloadType" = 'message' THEN NULL ELSE o."externalId" END,
      "parts" = (SELECT COALESCE(jsonb_agg(part), '[]'::jsonb) FROM jsonb_array_elements(o."parts") AS part
        WHERE NOT (part->>'slot' ~ '^m[0-9]+$' AND COALESCE(part->>'channel', ${from}) = ${from})),
      "state" = CASE WHEN o."payloadType" = 'reaction' AND o."state" = 'pending' THEN 'expired' ELSE o."state" END,
      "dueAt" = CASE WHEN o."state" = 'pending' THEN LEAST(o."dueAt", now()) ELSE o."dueAt" END,
      "updatedAt" = now()
    WHERE o."workspaceId" = ${workspace} AND o."platform" = ${platform} AND o."tenant" = ${tenant} AND o."channel" = ${from}
      AND o."payloadType" NOT IN ('direct', 'home')
    RETURNING o."id", o."state"`);
  await tx.db.$executeRaw(Prisma.sql`
    UPDATE "Outbox" SET "anchor" = true WHERE "id" IN (
      SELECT DISTINCT ON (o."threadId") o."id" FROM "Outbox" o JOIN "Thread" t ON t."id" = o."threadId"
      WHERE o."workspaceId" = ${workspace} AND o."platform" = ${platform} AND o."tenant" = ${tenant} AND o."channel" = ${to}
        AND o."state" = 'pending' AND o."payloadType" = 'message' AND t."externalId" IS NULL
        AND NOT EXISTS (SELECT 1 FROM "Outbox" a WHERE a."threadId" = t."id" AND a."anchor" AND a."state" = 'pending')
      ORDER BY o."threadId", o."id")`);
  for (const { id, state } of rows) if (state === 'pending') tx.notify('outbox', id);
}
