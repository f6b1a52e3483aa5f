import { calledAs } from '../contracts/permissions.ts';
import type { Role } from '../contracts/roles.ts';
import { recordAudit } from '../store/audit.ts';
import type { Tx } from '../store/database.ts';
import type { LinkSide } from '../store/link-codes.ts';
import { lockPeople } from '../store/linked-people.ts';
import { advanceTransfer, createTransfer, type TransferRecord, transferById } from '../store/owner-transfers.ts';
import { type Member, personById, setRole } from '../store/people.ts';

/** How long the owner has to confirm, and then the other to accept. Milliseconds. */
export const confirmWithinMs = 10 * 60_000;
export const acceptWithinMs = 24 * 60 * 60_000;

/** A transfer with both people as they are now. */
export interface Transfer extends TransferRecord {
  owner: Member;
  heir: Member;
}

/** Asks for a transfer. Nothing changes before the owner has confirmed it and the other has accepted. */
export async function askTransfer(
  tx: Tx,
  input: { workspace: string; owner: Member; heir: Member; keeps: Role | undefined; side: LinkSide },
  now: Date,
): Promise<Transfer> {
  const { workspace, owner, heir, keeps, side } = input;
  await lockPeople(tx, workspace);
  const expiresAt = new Date(now.getTime() + confirmWithinMs);
  const record = await createTransfer(tx, { workspace, from: owner.user, to: heir.user, keeps, side, at: now, expiresAt });
  const transfer = { ...record, owner, heir };
  await audit(tx, transfer, owner.user, 'owner.transfer_asked');
  return transfer;
}

export type TransferStep =
  | { result: 'confirmed' | 'accepted' | 'declined' | 'withdrawn'; transfer: Transfer }
  /** The one is no owner any more, or the other is one already. */
  | { result: 'no_owner' | 'owner_already'; transfer: Transfer }
  | { result: 'unknown' | 'not_yours' | 'over' };

/** A button of a transfer. Each of the two may press only their own, and what both are is looked at now. */
export async function stepTransfer(
  tx: Tx,
  actor: { workspace: string; user: string },
  id: string,
  verb: 'confirm' | 'withdraw' | 'accept' | 'decline',
  now: Date,
): Promise<TransferStep> {
  const { workspace } = actor;
  await lockPeople(tx, workspace);
  const record = await transferById(tx, workspace, id);
  const owner = record === undefined ? undefined : await personById(tx, workspace, record.from);
  const heir = record === undefined ? undefined : await personById(tx, workspace, record.to);
  if (record === undefined || owner === undefined || heir === undefined) return { result: 'unknown' };
  const transfer: Transfer = { ...record, owner, heir };
  const byOwner = verb === 'confirm' || verb === 'withdraw';
  // Accounts that were joined since are one person, who has nothing to hand over.
  if (owner.user === heir.user) return { result: 'over' };
  if (actor.user !== (byOwner ? owner : heir).user) return { result: 'not_yours' };
  if (record.expiresAt <= now) return { result: 'over' };
  if (verb === 'withdraw') return end(tx, transfer, actor.user, 'withdrawn', now);
  if (verb === 'decline') return end(tx, transfer, actor.user, 'declined', now);
  if (owner.role !== 'owner') return { result: 'no_owner', transfer };
  if (heir.role === 'owner') return { result: 'owner_already', transfer };
  if (verb === 'confirm') {
    const expiresAt = new Date(now.getTime() + acceptWithinMs);
    if (!(await advanceTransfer(tx, id, ['asked'], 'confirmed', { at: now, expiresAt }))) return { result: 'over' };
    await audit(tx, transfer, actor.user, 'owner.transfer_confirmed');
    return { result: 'confirmed', transfer: { ...transfer, expiresAt } };
  }
  if (!(await advanceTransfer(tx, id, ['confirmed'], 'accepted', { at: now }))) return { result: 'over' };
  const changes = [await setRole(tx, workspace, heir.user, 'owner'), await setRole(tx, workspace, owner.user, transfer.keeps)];
  if (changes.some((change) => change !== 'changed')) throw new Error(`a transfer of ownership came out as ${changes.join()}`);
  await audit(tx, transfer, actor.user, 'owner.transferred');
  return { result: 'accepted', transfer };
}

async function end(tx: Tx, transfer: Transfer, by: string, to: 'withdrawn' | 'declined', now: Date): Promise<TransferStep> {
  const from = to === 'withdrawn' ? (['asked', 'confirmed'] as const) : (['confirmed'] as const);
  if (!(await advanceTransfer(tx, transfer.id, from, to, { at: now }))) return { result: 'over' };
  await audit(tx, transfer, by, `owner.transfer_${to}`);
  return { result: to, transfer };
}

async function audit(tx: Tx, { id, workspace, owner, heir, keeps }: Transfer, actor: string, action: string): Promise<void> {
  const data = { transfer: id, from: owner.user, to: heir.user, keeps: keeps ?? 'none', heirWas: calledAs(heir) ?? 'none' };
  await recordAudit(tx, { workspace, actor, action, subject: heir.user, data });
}
