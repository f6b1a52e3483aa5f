import type { Invite } from '../../prisma/client/client.ts';
import type { AnyRole } from '../contracts/custom-roles.ts';
import { newId } from '../runtime/ids.ts';
import { countingRole, customRolesById, roleColumns } from './custom-roles.ts';
import type { Tx } from './database.ts';
import { roleOf } from './linked-people.ts';

/** An invitation as it is kept: nothing of it could be read as its code. */
export interface InviteRow {
  id: string;
  workspace: string;
  role: AnyRole;
  /** Who it is for, in the words of who made it. */
  label: string | undefined;
  by: string;
  expiresAt: Date;
}

export async function createInviteRow(tx: Tx, input: Omit<InviteRow, 'id'> & { hash: string; at: Date }): Promise<string> {
  const { workspace, role, label, by, expiresAt, hash, at } = input;
  const id = newId('inv');
  await tx.db.invite.create({
    data: {
      id,
      workspaceId: workspace,
      codeHash: hash,
      ...roleColumns(role),
      label: label ?? null,
      createdById: by,
      createdAt: at,
      expiresAt,
    },
  });
  return id;
}

const good = (at: Date) => ({ usedAt: null, revokedAt: null, expiresAt: { gt: at } });

/** Invitations that can still be used, the oldest first: of these people, or of everybody. */
export async function goodInvites(
  tx: Tx,
  workspace: string,
  users: readonly string[] | undefined,
  at: Date,
): Promise<InviteRow[]> {
  const by = users === undefined ? {} : { createdById: { in: [...users] } };
  const rows = await tx.db.invite.findMany({ where: { workspaceId: workspace, ...by, ...good(at) }, orderBy: { id: 'asc' } });
  return toInvites(tx, workspace, rows);
}

/** The invitation with this code, when it can still be used in this workspace (promise 12). */
export async function inviteByHash(tx: Tx, workspace: string, hash: string, at: Date): Promise<InviteRow | undefined> {
  const row = await tx.db.invite.findFirst({ where: { workspaceId: workspace, codeHash: hash, ...good(at) } });
  return row === null ? undefined : (await toInvites(tx, workspace, [row]))[0];
}

/** Uses it up; false when that has happened already. */
export async function useInvite(tx: Tx, id: string, by: string, at: Date): Promise<boolean> {
  const { count } = await tx.db.invite.updateMany({ where: { id, ...good(at) }, data: { usedById: by, usedAt: at } });
  return count === 1;
}

/** Takes it back; false when there is none that could be used. */
export async function revokeInvite(tx: Tx, workspace: string, id: string, by: string, at: Date): Promise<boolean> {
  const where = { id, workspaceId: workspace, ...good(at) };
  const { count } = await tx.db.invite.updateMany({ where, data: { revokedById: by, revokedAt: at } });
  return count === 1;
}

/** A role of another version invites to nothing. */
async function toInvites(tx: Tx, workspace: string, rows: readonly Invite[]): Promise<InviteRow[]> {
  const ids = rows.map(({ customRoleId }) => customRoleId);
  const known = await customRolesById(tx, workspace, ids);
  return rows.flatMap((row) => {
    const role = countingRole(row, known) ?? roleOf(row.role);
    if (role === undefined) return [];
    const { id, label, createdById: by, expiresAt } = row;
    return [{ id, workspace, role, label: label ?? undefined, by, expiresAt }];
  });
}
