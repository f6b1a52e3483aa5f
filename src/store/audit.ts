import { Prisma } from '../../prisma/client/client.ts';
import { newId } from '../runtime/ids.ts';
import type { Tx } from './database.ts';

/** One line of "who did what". `action` is a dotted word (`member.role`), `subject` the id it was done to. */
export interface AuditEntry {
  workspace: string;
  /** User id; undefined: Deckhand itself. */
  actor?: string | undefined;
  action: string;
  subject: string;
  data: Prisma.InputJsonObject;
}

/** By which account, and where, somebody asked for what a transaction does. `act`: key of the event of the platform. */
export interface Via {
  platform: string;
  tenant: string;
  account: string;
  channel: string;
  act: string;
}

const vias = new WeakMap<Tx['db'], Via>();

/** From here on, lines of people that this transaction writes say that it was asked for so. */
export function actsVia(tx: Tx, via: Via): void {
  vias.set(tx.db, via);
}

/**
 * Writes the line in the transaction of what it tells about; soon after the commit it gets its place in the chain of the workspace
 * (src/audit/chainer.ts). Lines are never changed; they are kept for KEEP_AUDIT_DAYS.
 */
export async function recordAudit(tx: Tx, entry: AuditEntry): Promise<void> {
  const via = entry.actor === undefined ? undefined : vias.get(tx.db);
  tx.notify('audit');
  await tx.db.audit.create({
    data: {
      id: newId('aud'),
      workspaceId: entry.workspace,
      actorId: entry.actor ?? null,
      action: entry.action,
      subject: entry.subject,
      data: entry.data,
      ...(via === undefined ? {} : { via: { ...via } }),
    },
  });
}

/** The same refusal of somebody is one line in this time, and there are no more than `mostRefusals` of them, whatever they try. */
const refusalSeconds = 60;
export const mostRefusals = 30;

/**
 * Writes that something was refused, unless the same was written a moment ago: whoever tries a thousand times fills no disk, and drowns no
 * other line. The last line of somebody who tries that much says that more followed.
 */
export async function recordRefusal(tx: Tx, entry: AuditEntry): Promise<void> {
  const { workspace, actor = null, action, subject, data } = entry;
  const [row] = await tx.db.$queryRaw<{ same: bigint; all: bigint }[]>(Prisma.sql`
    SELECT count(*) AS "all",
      count(*) FILTER (WHERE "subject" = ${subject} AND "data" - 'more' = ${JSON.stringify(data)}::jsonb) AS "same"
    FROM "Audit"
    WHERE "workspaceId" = ${workspace} AND "at" > now() - make_interval(secs => ${refusalSeconds})
      AND "actorId" IS NOT DISTINCT FROM ${actor} AND "action" = ${action}`);
  const [same, all] = [Number(row?.same ?? 0), Number(row?.all ?? 0)];
  if (same > 0 || all >= mostRefusals) return;
  await recordAudit(tx, all === mostRefusals - 1 ? { ...entry, data: { ...data, more: 'not written' } } : entry);
}

/** How often a person did this since then. */
export async function actsSince(tx: Tx, workspace: string, actor: string, action: string, since: Date): Promise<number> {
  return tx.db.audit.count({ where: { workspaceId: workspace, actorId: actor, action, at: { gt: since } } });
}
