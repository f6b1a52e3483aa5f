import type { Prisma } from '../../prisma/client/client.ts';
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

/** Writes the line in the transaction of what it tells about. Lines are never changed; they are kept for KEEP_AUDIT_DAYS. */
export async function recordAudit(tx: Tx, entry: AuditEntry): Promise<void> {
  await tx.db.audit.create({
    data: {
      id: newId('aud'),
      workspaceId: entry.workspace,
      actorId: entry.actor ?? null,
      action: entry.action,
      subject: entry.subject,
      data: entry.data,
    },
  });
}

/** How often a person did this since then. */
export async function actsSince(tx: Tx, workspace: string, actor: string, action: string, since: Date): Promise<number> {
  return tx.db.audit.count({ where: { workspaceId: workspace, actorId: actor, action, at: { gt: since } } });
}
