import { heldBack } from '../access/held-back.ts';
import { AppError } from '../contracts/errors.ts';
import type { Tx } from '../store/database.ts';
import type { Person } from '../tasks/task-engine.ts';
import { mayDecide, type WhoMay, whoMayDecide } from './approvers.ts';
import { approversNow } from './approvers-now.ts';

/** Could this person decide it, were it not for the access bundle of the channel in which they act? */
export async function isHeldBack(
  tx: Tx,
  by: Person,
  { workspace, project, approvers, requester, askers }: WhoMay,
): Promise<boolean> {
  if (by.limit === undefined) return false;
  const now = await approversNow(tx.db, { workspace, project }, approvers);
  return mayDecide(now, askers ?? requester, { ...by, ...by.limit.elsewhere });
}

/** The refusal of somebody who may not decide. It says who could, or that the person could elsewhere. */
export async function cannotDecide(tx: Tx, by: Person, action: string, question: WhoMay): Promise<AppError> {
  if (by.limit !== undefined && (await isHeldBack(tx, by, question))) return heldBack(by.name, by.limit, action);
  return new AppError('DH-202', { who: by.name, action, whoCan: await whoMayDecide(tx, question) });
}
