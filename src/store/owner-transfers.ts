import type { OwnerTransfer } from '../../prisma/client/client.ts';
import { type Role, roleSchema } from '../contracts/roles.ts';
import { newId } from '../runtime/ids.ts';
import type { Tx } from './database.ts';
import { type LinkSide, linkSideSchema } from './link-codes.ts';

/** How far a transfer has come. `asked`: the owner has not confirmed it yet; `confirmed`: the other is asked. */
export type TransferState = 'asked' | 'confirmed' | 'accepted' | 'declined' | 'withdrawn' | 'replaced';
const states: readonly TransferState[] = ['asked', 'confirmed', 'accepted', 'declined', 'withdrawn', 'replaced'];
const live: TransferState[] = ['asked', 'confirmed'];

export interface TransferRecord {
  id: string;
  workspace: string;
  state: TransferState;
  /** User ids of the owner and of who is to be the owner. */
  from: string;
  to: string;
  /** The role that the owner keeps. */
  keeps: Role | undefined;
  /** The account of the owner, and where they asked. */
  side: LinkSide;
  expiresAt: Date;
}

/** Keeps a transfer; earlier ones of this owner that wait are void with it. */
export async function createTransfer(
  tx: Tx,
  input: Omit<TransferRecord, 'id' | 'state'> & { at: Date },
): Promise<TransferRecord> {
  const { workspace, from, to, keeps, side, at, expiresAt } = input;
  await tx.db.ownerTransfer.updateMany({
    where: { workspaceId: workspace, fromId: from, state: { in: live } },
    data: { state: 'replaced', endedAt: at },
  });
  const id = newId('otr');
  const fromSide = { identity: { ...side.identity }, conversation: { ...side.conversation } };
  await tx.db.ownerTransfer.create({
    data: {
      id,
      workspaceId: workspace,
      fromId: from,
      toId: to,
      keeps: keeps ?? null,
      state: 'asked',
      fromSide,
      createdAt: at,
      expiresAt,
    },
  });
  return { id, workspace, state: 'asked', from, to, keeps, side, expiresAt };
}

/** A transfer of this workspace (promise 12). */
export async function transferById(tx: Tx, workspace: string, id: string): Promise<TransferRecord | undefined> {
  const row = await tx.db.ownerTransfer.findFirst({ where: { id, workspaceId: workspace } });
  return row === null ? undefined : toTransfer(row);
}

/** From one state to the next; false when it is in another one. */
export async function advanceTransfer(
  tx: Tx,
  id: string,
  from: readonly TransferState[],
  to: TransferState,
  set: { at: Date; expiresAt?: Date | undefined },
): Promise<boolean> {
  const { count } = await tx.db.ownerTransfer.updateMany({
    where: { id, state: { in: [...from] } },
    data: {
      state: to,
      ...(live.includes(to) ? {} : { endedAt: set.at }),
      ...(set.expiresAt === undefined ? {} : { expiresAt: set.expiresAt }),
    },
  });
  return count === 1;
}

function stateOf({ id, state }: OwnerTransfer): TransferState {
  const known = states.find((one) => one === state);
  if (known === undefined) throw new Error(`transfer ${id} is in no known state`);
  return known;
}

function toTransfer(row: OwnerTransfer): TransferRecord {
  return {
    id: row.id,
    workspace: row.workspaceId,
    state: stateOf(row),
    from: row.fromId,
    to: row.toId,
    keeps: roleSchema.safeParse(row.keeps).data,
    side: linkSideSchema.parse(row.fromSide),
    expiresAt: row.expiresAt,
  };
}
