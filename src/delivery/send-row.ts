import { DeliveryError, type DeliveryFailure } from '../contracts/chat-adapter.ts';
import type { OutboxPut } from '../contracts/outbox.ts';
import type { Logger } from '../runtime/logger.ts';
import { traced } from '../runtime/trace.ts';
import { moveChannel } from '../store/channel-moves.ts';
import { isDatabaseTrouble } from '../store/database-trouble.ts';
import { noteDirectReached } from '../store/direct-reach.ts';
import { forgetSecret, putOutboxRows } from '../store/outbox.ts';
import {
  claimRow,
  endRow,
  isFollowed,
  putBackRow,
  requesterAccount,
  Superseded,
  settleRow,
  showAnew,
  type WaitingRow,
} from '../store/outbox-rows.ts';
import { nameOfAccount } from '../store/people.ts';
import { mirroredBy } from '../store/threads.ts';
import type { Call } from './budget.ts';
import { deliver } from './deliver.ts';
import { OutcomeUnknown } from './deliver-parts.ts';
import { Delivery, type DeliveryDeps, firstSlot, type Permit, SenderStopped } from './delivery.ts';
import { backoffMs, judge, lookUpAfterMs } from './failures.ts';
import { calledAside, formTooLate, insteadOfFile, shownToAsker, stillThere, toldDirectly } from './undelivered.ts';
import { unreached } from './unreached.ts';
import { voidUnseen } from './unseen-secrets.ts';

export interface SendRowDeps extends DeliveryDeps {
  logger: Logger;
  /** The row is of no use any more. */
  expired: boolean;
  /** How long a call whose answer was lost may still be on its way, before it is looked up (default 2 s). */
  lookUpAfterMs?: number | undefined;
}

/** What became of a row. */
export interface Sent {
  /** It waits again: for a newer version, or to be tried again. */
  waits: boolean;
  /** Whether the platform answered at all; undefined: it was not asked. */
  answered?: boolean | undefined;
  /** The platform asked to wait with calls like this. */
  pause?: { call: Call; ms: number } | undefined;
  /** How the version ended; undefined: it is tried again. */
  outcome?: SendOutcome | undefined;
  /** How many versions before it were never sent, because a newer one came first. */
  merged?: number | undefined;
}

export type SendOutcome = 'sent' | 'failed' | 'unknown' | 'expired';

/** A failure of ours, not of the platform, is tried this often. */
const ownFailures = 6;

/**
 * Takes a row, delivers it and stores what became of it. Rejects only when the database fails, or with `Superseded` when another sender has
 * taken over: what becomes of the row is for that one to store.
 */
export async function sendRow(row: WaitingRow, first: Permit, deps: SendRowDeps): Promise<Sent> {
  let delivery: Delivery | undefined;
  try {
    const { term } = deps.lease;
    const claimed = await claimRow(deps.database, row, { slot: firstSlot(row), term });
    if (claimed === undefined) {
      if (await isFollowed(deps.database, term)) throw new Superseded();
      return { waits: true };
    }
    delivery = new Delivery(row, claimed, first, deps);
    if (deps.expired) return await expire(delivery, deps);
    const under = delivery;
    const about = { outbox: row.id, platform: row.platform, type: row.payloadType, version: claimed.version };
    const how = { from: claimed.traceparent, kind: 'takes' } as const;
    const refused = await traced('deliver message', about, () => deliver(under), how);
    const puts = refused.map((file) => insteadOfFile(row, claimed, file));
    for (const { file, detail } of refused)
      deps.logger.warn({ outbox: row.id, file: file.name, detail }, 'a file was not attached');
    delivery.forgetDoubts();
    const { arrived, claim } = delivery;
    const { payload } = claimed;
    if (payload.type === 'direct') await noteDirectReached(deps.database, payload.user);
    const waits =
      puts.length === 0
        ? await settleRow(deps.database, claim, claimed.version, arrived)
        : await deps.database.transaction(async (tx) => {
            await putOutboxRows(tx, puts);
            return await settleRow(tx, claim, claimed.version, arrived);
          });
    const merged = Math.max(0, claimed.version - claimed.sentVersion - 1);
    return { waits, answered: delivery.operation === undefined ? undefined : true, outcome: 'sent', merged };
  } catch (error) {
    if (delivery === undefined) throw error;
    try {
      return await failing(delivery, error, deps);
    } catch (thrown) {
      if (thrown instanceof Superseded) await passedOver(delivery, deps);
      throw thrown;
    }
  } finally {
    if (delivery === undefined) first.cancel();
    else delivery.close();
  }
}

async function failing(delivery: Delivery, error: unknown, deps: SendRowDeps): Promise<Sent> {
  if (error instanceof Superseded) throw error;
  if (error instanceof OutcomeUnknown) return await endUnknown(delivery, error, deps);
  if (error instanceof DeliveryError) return await failed(delivery, error.failure, deps);
  return await broken(delivery, error, deps);
}

/** Another sender has the row. It knows nothing of the calls that were made here since: an edit among them may have brought back older words. */
async function passedOver({ row, claimed, lastCall, overwrote }: Delivery, { database, logger }: SendRowDeps): Promise<void> {
  const context = { outbox: row.id, key: claimed.key, version: claimed.version, operation: lastCall?.operation };
  logger.warn(context, 'another sender has taken over a message that was under way here');
  if (overwrote) await database.transaction((tx) => showAnew(tx, row.id));
}

/** A call failed in one of the ways the platform can answer. */
async function failed(delivery: Delivery, failure: DeliveryFailure, deps: SendRowDeps): Promise<Sent> {
  const { row, claimed } = delivery;
  const operation = delivery.operation ?? 'send';
  if (failure.kind === 'moved') return await moved(delivery, failure, deps);
  if (failure.kind === 'unknown' && delivery.under !== undefined) delivery.doubt(delivery.under);
  const verdict = judge(failure, {
    operation,
    priority: claimed.priority,
    attempts: claimed.attempts,
    degraded: claimed.degraded,
    canBePlainer: 'view' in claimed.payload,
    lookUpAfterMs: deps.lookUpAfterMs ?? lookUpAfterMs,
  });
  const error =
    failure.kind === 'rate_limited' ? `rate limited for ${failure.retryAfterMs} ms` : `${failure.kind}: ${failure.detail}`;
  const context = { outbox: row.id, key: claimed.key, operation, failure };
  const answered = failure.kind !== 'unreachable' && failure.kind !== 'unknown';
  if (verdict.next === 'end') {
    // A form is good for seconds: that a restart was slower is nothing to look into, and the person is told what to do.
    if (operation === 'form' && failure.kind === 'gone') deps.logger.warn(context, 'a form came too late');
    else if (claimed.payload.type === 'removal') deps.logger.warn(context, 'a message with a secret cannot be deleted');
    else deps.logger.error(context, 'a message cannot be delivered');
    await end(delivery, verdict.state, error, verdict.tell ? failure : undefined, deps);
    return { waits: false, answered, outcome: verdict.state };
  }
  deps.logger.warn(context, 'a platform call failed and is tried again');
  const delayMs = verdict.next === 'wait' ? verdict.delayMs : 0;
  const degraded = claimed.degraded + (verdict.next === 'plainer' ? 1 : 0);
  await putBackRow(deps.database, delivery.claim, { ...delivery.arrived, delayMs, error, degraded });
  const call = delivery.lastCall;
  return {
    waits: true,
    answered,
    ...(failure.kind === 'rate_limited' && call !== undefined ? { pause: { call, ms: failure.retryAfterMs } } : {}),
  };
}

/** The conversation goes on elsewhere: so does everything stored about it, and the row at once. */
async function moved(
  delivery: Delivery,
  { channel: to, detail }: Extract<DeliveryFailure, { kind: 'moved' }>,
  deps: SendRowDeps,
): Promise<Sent> {
  const { row, claimed } = delivery;
  const { id, workspace, platform, tenant } = row;
  const from = delivery.lastCall?.conversation ?? row.channel;
  deps.logger.info({ outbox: id, from, to }, 'a conversation has moved');
  const error = `moved: ${detail}`;
  const { payload } = claimed;
  if (payload.type === 'reaction' || payload.type === 'removal') {
    await deps.database.transaction(async (tx) => {
      await moveChannel(tx, { workspace, platform, tenant, from, to });
      if (payload.type === 'removal') await putOutboxRows(tx, [stillThere(row, payload)]);
      await endRow(tx, { ...row, ...delivery.claim }, { state: 'expired', error, arrived: delivery.arrived });
    });
    return { waits: false, answered: true, outcome: 'expired' };
  }
  delivery.forgetMessages(from);
  await deps.database.transaction(async (tx) => {
    await moveChannel(tx, { workspace, platform, tenant, from, to });
    // A platform that sends us round in circles is not followed at full speed.
    const delayMs = claimed.attempts <= 3 ? 0 : backoffMs(claimed.attempts);
    await putBackRow(tx, delivery.claim, { ...delivery.arrived, delayMs, error, degraded: claimed.degraded });
  });
  return { waits: true, answered: true };
}

async function endUnknown(delivery: Delivery, error: Error, deps: SendRowDeps): Promise<Sent> {
  deps.logger.warn({ outbox: delivery.row.id, key: delivery.claimed.key }, 'whether a message arrived is unknown');
  delivery.forgetDoubts();
  await end(delivery, 'unknown', error.message, undefined, deps);
  return { waits: false, outcome: 'unknown' };
}

async function expire(delivery: Delivery, deps: SendRowDeps): Promise<Sent> {
  await end(delivery, 'expired', 'too late', undefined, deps);
  return { waits: false, outcome: 'expired' };
}

/** An error of ours. The row must neither block the others nor be lost without a word. */
async function broken(delivery: Delivery, error: unknown, deps: SendRowDeps): Promise<Sent> {
  const { row, claimed } = delivery;
  if (error instanceof SenderStopped) {
    await putBackRow(deps.database, delivery.claim, {
      ...delivery.arrived,
      delayMs: 0,
      error: error.message,
      degraded: claimed.degraded,
    });
    return { waits: true };
  }
  // Rejects: it is taken up again as after a crash, and counted against nobody.
  if (isDatabaseTrouble(error)) throw error;
  const last = claimed.attempts >= ownFailures;
  deps.logger.error(
    { err: error, outbox: row.id, key: claimed.key, last },
    'a message could not be delivered because of an error of ours',
  );
  if (delivery.under !== undefined) delivery.doubt(delivery.under);
  if (last) await end(delivery, 'failed', String(error), undefined, deps);
  else {
    const back = { ...delivery.arrived, delayMs: backoffMs(claimed.attempts), error: String(error), degraded: claimed.degraded };
    await putBackRow(deps.database, delivery.claim, back);
  }
  return { waits: !last, ...(last ? { outcome: 'failed' } : {}) };
}

/** Ends a row and says so where somebody would otherwise wait for it. */
async function end(
  delivery: Delivery,
  state: 'failed' | 'unknown' | 'expired',
  error: string,
  failure: DeliveryFailure | undefined,
  deps: SendRowDeps,
): Promise<void> {
  const { row, claimed } = delivery;
  // Where one message is all there may be, nobody is written to aside: the other threads of a task tell how it goes.
  const tell = deps.adapter.capabilities.cards === 'one' ? undefined : failure;
  await deps.database.transaction(async (tx) => {
    const puts: (OutboxPut | undefined)[] = [];
    if (claimed.payload.type === 'removal') puts.push(stillThere(row, claimed.payload));
    if (claimed.payload.type === 'form' && state !== 'unknown') puts.push(formTooLate(row, claimed.payload));
    if (tell !== undefined && delivery.triedDirectly) {
      puts.push(await unreached(tx, row, claimed, { failure: tell, operation: delivery.operation, at: new Date() }));
    }
    if (tell !== undefined && row.threadId !== undefined) {
      const mirrored = await mirroredBy(tx, row.threadId);
      const account = mirrored ?? (await requesterAccount(tx, row.threadId, row.platform, row.tenant));
      // What a mirror misses stands in the other threads: that it does is said once.
      const once = mirrored === undefined ? row.id : row.threadId;
      if (account !== undefined) puts.push(toldDirectly(row, claimed, tell, account, once));
    } else if (tell !== undefined) {
      puts.push(shownToAsker(row, claimed, tell));
      if (claimed.payload.type === 'ephemeral') {
        const { user } = claimed.payload;
        puts.push(calledAside(row, claimed, tell, (await nameOfAccount(tx, user)) ?? user.user));
      }
    }
    await putOutboxRows(
      tx,
      puts.filter((put) => put !== undefined),
    );
    await voidUnseen(tx, claimed.payload, deps.openSecret, new Date());
    await forgetSecret(tx, row.id, claimed.payload);
    await endRow(tx, { ...row, ...delivery.claim }, { state, error, arrived: delivery.arrived });
  });
}
