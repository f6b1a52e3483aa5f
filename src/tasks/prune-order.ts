import { priorities } from '../contracts/outbox.ts';
import { pruneCard } from '../delivery/prune-card.ts';
import type { Tx } from '../store/database.ts';
import { putOutbox } from '../store/outbox.ts';
import { giveUpHosts, type PruneOrderRow } from '../store/prune-orders.ts';
import { messageByKey } from '../store/sent-messages.ts';

/** An order to delete what is finished goes on without the hosts of which no runner was heard since then, and its answer says so. */
export async function giveUpOrder(tx: Tx, id: string, since: Date, now: Date): Promise<void> {
  const order = await giveUpHosts(tx, id, since, now);
  if (order !== undefined) await tellOfOrder(tx, order);
}

/** Writes on the answer to an order what it has come to. */
export async function tellOfOrder(tx: Tx, { workspace, cardKey, freed, waiting, missed }: PruneOrderRow): Promise<void> {
  const sent = await messageByKey(tx, workspace, cardKey);
  if (sent === undefined) return;
  await putOutbox(tx, {
    workspace,
    key: cardKey,
    target: sent.target,
    payload: { type: 'message', view: pruneCard(freed, waiting.length, missed.length) },
    priority: priorities.reply,
  });
}
