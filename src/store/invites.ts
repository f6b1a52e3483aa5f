import type { Invite } from '../../prisma/client/client.ts';
import type { CustomRole } from '../contracts/custom-roles.ts';
import { type TeamRole, teamRoleSchema } from '../contracts/roles.ts';
import { newId } from '../runtime/ids.ts';
import { countingRole, customRolesById, roleColumns } from './custom-roles.ts';
import type { Tx } from './database.ts';
import { type Place, placesById } from './memberships.ts';

/** An invitation as it is kept: nothing of it could be read as its code. */
export interface InviteRow {
  id: string;
  workspace: string;
  /** Any but that of owners: nobody is invited to be one. */
  role: TeamRole | CustomRole;
  /** What the role is about; undefined: the workspace. */
  place: Place | undefined;
  /** The person who alone can use it; undefined: whoever has the code. */
  person: string | undefined;
  /** Who it is for, in the words of who made it. */
  label: string | undefined;
  by: string;
  expiresAt: Date;
}

export async function createInviteRow(tx: Tx, input: Omit<InviteRow, 'id'> & { hash: string; at: Date }): Promise<string> {
  const { workspace, role, place, person, label, by, expiresAt, hash, at } = input;
  const id = newId('inv');
  await tx.db.invite.create({
    data: {
      id,
      workspaceId: workspace,
      codeHash: hash,
      ...roleColumns(role),
      projectId: place?.kind === 'project' ? place.id : null,
      folderId: place?.kind === 'folder' ? place.id : null,
      forId: person ?? null,
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

/** One that is for a person alone, by its id, which buttons carry. */
export async function inviteFor(
  tx: Tx,
  workspace: string,
  id: string,
  people: readonly string[],
  at: Date,
): Promise<InviteRow | undefined> {
  const where = { id, workspaceId: workspace, forId: { in: [...people] }, ...good(at) };
  const row = await tx.db.invite.findFirst({ where });
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

/** A role of another version invites to nothing, nor does one about a place that is gone. */
async function toInvites(tx: Tx, workspace: string, rows: readonly Invite[]): Promise<InviteRow[]> {
  const ids = rows.map(({ customRoleId }) => customRoleId);
  const known = await customRolesById(tx, workspace, ids);
  const places = await placesById(
    tx,
    workspace,
    rows.flatMap(({ projectId, folderId }) => projectId ?? folderId ?? []),
  );
  return rows.flatMap((row) => {
    const role = countingRole(row, known) ?? teamRoleSchema.safeParse(row.role).data;
    const about = row.projectId ?? row.folderId;
    const place = about === null ? undefined : places.get(about);
    if (role === undefined || (about !== null && place === undefined)) return [];
    const { id, label, forId, createdById: by, expiresAt } = row;
    return [{ id, workspace, role, place, person: forId ?? undefined, label: label ?? undefined, by, expiresAt }];
  });
}
