import type { Tx } from './database.ts';
import { leavePlaces } from './places.ts';

/**
 * Machines that take nothing new because somebody asked for it. It holds for a machine, however often its runner starts anew, until it is
 * taken back; what runs there goes on.
 */

/** What waits there goes to others that fit at the next look of a gateway. Idempotent. */
export async function askDrain(tx: Tx, host: string, now: Date): Promise<void> {
  await tx.db.runner.updateMany({ where: { hostId: host, drainAskedAt: null }, data: { drainAskedAt: now } });
  await leavePlaces(tx, host);
  tx.notify('queue');
}

/** Idempotent. */
export async function endDrain(tx: Tx, host: string): Promise<void> {
  await tx.db.runner.updateMany({ where: { hostId: host }, data: { drainAskedAt: null } });
  tx.notify('queue');
}
