import { z } from 'zod';
import { Prisma } from '../../prisma/client/client.ts';
import { type Conversation, platformSchema } from '../contracts/platform.ts';
import { newId } from '../runtime/ids.ts';
import type { Tx } from './database.ts';

/** What an alert says. */
export const alertFactsSchema = z.object({
  /** What is wrong, as a sentence. */
  text: z.string(),
  remedy: z.string(),
  /** What is said when it is over. */
  over: z.string(),
});
export type AlertFacts = z.infer<typeof alertFactsSchema>;

export interface AlertRow extends AlertFacts {
  id: string;
  key: string;
  /** When it was seen first, and last. */
  firstAt: Date;
  lastAt: Date;
  /** When people were told; null: it has not held for long enough yet. */
  raisedAt: Date | null;
  endedAt: Date | null;
}

/** True when no other process looks at alerts until this transaction ends. */
export async function holdAlerts(tx: Tx): Promise<boolean> {
  const [row] = await tx.db.$queryRaw<{ held: boolean }[]>(
    Prisma.sql`SELECT pg_try_advisory_xact_lock(hashtextextended('deckhand:alerts', 0)) AS held`,
  );
  return row?.held === true;
}

/** Those that go on, and the newest of each key that ended since. */
export async function alertsSince(tx: Tx, since: Date): Promise<AlertRow[]> {
  const rows = await tx.db.alert.findMany({
    where: { OR: [{ endedAt: null }, { endedAt: { gt: since } }] },
    orderBy: { firstAt: 'desc' },
  });
  const seen = new Set<string>();
  return rows.flatMap(({ facts, ...row }) => {
    if (seen.has(row.key)) return [];
    seen.add(row.key);
    return [{ ...row, ...alertFactsSchema.parse(facts) }];
  });
}

export async function addAlert(tx: Tx, key: string, facts: AlertFacts, now: Date): Promise<AlertRow> {
  const row = { id: newId('alr'), key, firstAt: now, lastAt: now, raisedAt: null, endedAt: null };
  await tx.db.alert.create({ data: { ...row, facts } });
  return { ...row, ...facts };
}

export async function changeAlert(
  tx: Tx,
  id: string,
  change: { facts?: AlertFacts; lastAt?: Date; raisedAt?: Date; endedAt?: Date | null },
): Promise<void> {
  await tx.db.alert.update({ where: { id }, data: change });
}

/** Forgets what was never told, and what was over long ago. */
export async function forgetAlerts(tx: Tx, ids: readonly string[], before: Date): Promise<void> {
  await tx.db.alert.deleteMany({ where: { OR: [{ id: { in: [...ids] } }, { endedAt: { lt: before } }] } });
}

export interface AlertChannel {
  id: string;
  workspace: string;
  conversation: Conversation;
  name: string | null;
}

/** Conversations in which alerts are told. */
export async function alertChannels(tx: Tx, workspace?: string): Promise<AlertChannel[]> {
  const rows = await tx.db.channel.findMany({
    where: { alerts: true, ...(workspace === undefined ? {} : { workspaceId: workspace }) },
    orderBy: { id: 'asc' },
  });
  return rows.map(({ id, workspaceId, platform, tenant, externalId, kind, name }) => ({
    id,
    workspace: workspaceId,
    conversation: {
      platform: platformSchema.parse(platform),
      tenant,
      channel: externalId,
      kind: kind === 'direct' ? 'direct' : 'channel',
    },
    name,
  }));
}

export async function setAlerts(tx: Tx, channel: string, on: boolean): Promise<void> {
  await tx.db.channel.update({ where: { id: channel }, data: { alerts: on } });
}
