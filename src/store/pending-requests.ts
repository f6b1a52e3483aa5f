import { type InboundEvent, inboundEventSchema } from '../contracts/inbound.ts';
import { newId } from '../runtime/ids.ts';
import type { Tx } from './database.ts';

/** How long a request waits for "which project?". Milliseconds. */
export const pendingRequestLifeMs = 60 * 60 * 1000;

/** Keeps a request until its question is answered. Returns its id. */
export async function keepRequest(tx: Tx, workspace: string, event: InboundEvent, now: Date): Promise<string> {
  const id = newId('req');
  await tx.db.pendingRequest.create({
    data: {
      id,
      workspaceId: workspace,
      event,
      createdAt: now,
      expiresAt: new Date(now.getTime() + pendingRequestLifeMs),
    },
  });
  return id;
}

export type TakenRequest =
  | { result: 'taken'; event: InboundEvent }
  | { result: 'answered' }
  | { result: 'expired' }
  /** Not there, of another workspace, or asked by somebody else. */
  | { result: 'unknown' }
  | { result: 'not_yours' };

/** Takes a kept request to go on with it, once. Only the account that asked may. */
export async function takeRequest(
  tx: Tx,
  workspace: string,
  id: string,
  by: { platform: string; tenant: string; user: string },
  now: Date,
): Promise<TakenRequest> {
  const row = await tx.db.pendingRequest.findFirst({ where: { id, workspaceId: workspace } });
  if (row === null) return { result: 'unknown' };
  const event = inboundEventSchema.parse(row.event);
  const { platform, tenant } = event.conversation;
  if (platform !== by.platform || tenant !== by.tenant || event.actor.user !== by.user) return { result: 'not_yours' };
  if (row.expiresAt <= now) return { result: 'expired' };
  const { count } = await tx.db.pendingRequest.updateMany({ where: { id, answeredAt: null }, data: { answeredAt: now } });
  return count === 1 ? { result: 'taken', event } : { result: 'answered' };
}
