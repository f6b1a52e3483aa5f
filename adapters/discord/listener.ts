import { setTimeout as delay } from 'node:timers/promises';
import { GatewayCloseCodes } from 'discord-api-types/v10';
import { DeliveryError } from '../../src/contracts/chat-adapter.ts';
import type { AcquireLease, Lease } from '../../src/contracts/lease.ts';
import type { Logger } from '../../src/runtime/logger.ts';
import type { Gateway } from './gateway.ts';

/** What the part that listens is doing. `standby`: another process of the installation listens. */
export type Listening = {
  state: 'standby' | 'connecting' | 'connected' | 'ended';
  readsMessages: boolean;
  problem?: string | undefined;
};

export interface Listener {
  /** Resolves when this process listens, or when another does. Rejects with `DeliveryError` when Discord cannot be connected to in time. */
  start(signal: AbortSignal): Promise<void>;
  status(): Listening;
  stop(): Promise<void>;
}

/** How long another process must have held the right to listen before this one leaves it to that. */
const standbyAfterMs = 1_500;
/** After an end that repeating does not change at once. Discord allows 1,000 new sessions a day. */
const retryEndedMs = 5 * 60_000;
const retryMs = 5_000;

/**
 * Listens to the gateway while it holds the right to: of two processes that listened, each would get every event. Without the right to
 * the words of messages it listens without them.
 */
export function createListener(deps: {
  lease: string;
  acquireLease: AcquireLease;
  connect(readsMessages: boolean): Gateway;
  readsMessages: boolean;
  logger: Logger;
}): Listener {
  const { logger } = deps;
  const stopping = new AbortController();
  let readsMessages = deps.readsMessages;
  let gateway: Gateway | undefined;
  let state: Listening['state'] = 'connecting';
  let problem: string | undefined;
  let work: Promise<void> = Promise.resolve();

  async function run(first: PromiseWithResolvers<void>, inTime: AbortSignal): Promise<void> {
    while (!stopping.signal.aborted) {
      const waiting = setTimeout(() => {
        state = 'standby';
        first.resolve();
      }, standbyAfterMs);
      let lease: Lease;
      try {
        lease = await deps.acquireLease(deps.lease, stopping.signal);
      } catch (error) {
        if (!stopping.signal.aborted) logger.error({ err: error }, 'the right to listen to discord was not given');
        first.reject(new DeliveryError({ kind: 'unreachable', detail: 'gateway: stopped before it was connected' }));
        return;
      } finally {
        clearTimeout(waiting);
      }
      const held = AbortSignal.any([stopping.signal, lease.lost]);
      try {
        while (!held.aborted) await listen(held, first, inTime);
      } finally {
        await lease.release();
      }
    }
  }

  /** One connection, from its beginning to its end. */
  async function listen(held: AbortSignal, first: PromiseWithResolvers<void>, inTime: AbortSignal): Promise<void> {
    state = 'connecting';
    const current = deps.connect(readsMessages);
    gateway = current;
    const over = Promise.withResolvers<undefined>();
    const end = () => over.resolve(undefined);
    held.addEventListener('abort', end, { once: true });
    try {
      await current.connect(inTime.aborted ? held : AbortSignal.any([held, inTime]));
      state = 'connected';
      problem = undefined;
      first.resolve();
    } catch (error) {
      problem = error instanceof DeliveryError && 'detail' in error.failure ? error.failure.detail : String(error);
      const ended = await Promise.race([current.ended, Promise.resolve(undefined)]);
      await current.close();
      if (ended?.code === GatewayCloseCodes.DisallowedIntents && readsMessages) return withoutWords();
      logger.warn({ problem }, 'discord gateway not connected');
      if (inTime.aborted || ended !== undefined) first.reject(error);
      await pause(ended === undefined ? retryMs : retryEndedMs, held);
      return;
    } finally {
      held.removeEventListener('abort', end);
    }
    held.addEventListener('abort', end, { once: true });
    const ended = await Promise.race([current.ended, over.promise]);
    held.removeEventListener('abort', end);
    await current.close();
    if (ended === undefined) return;
    if (ended.code === GatewayCloseCodes.DisallowedIntents && readsMessages) return withoutWords();
    state = 'ended';
    problem = ended.detail;
    logger.error({ code: ended.code, problem }, 'discord has ended the connection');
    await pause(retryEndedMs, held);
  }

  function withoutWords(): void {
    logger.warn('the Message Content intent is not granted: listening without the words of messages that do not mention the bot');
    readsMessages = false;
  }

  return {
    async start(signal) {
      const first = Promise.withResolvers<void>();
      work = run(first, signal).catch((error: unknown) => first.reject(error));
      await first.promise;
    },
    status: () => ({
      state: state === 'connected' && gateway?.connected() === false ? 'connecting' : state,
      readsMessages,
      ...(problem === undefined ? {} : { problem }),
    }),
    async stop() {
      stopping.abort();
      await gateway?.close();
      await work;
    },
  };
}

async function pause(ms: number, signal: AbortSignal): Promise<void> {
  await delay(ms, undefined, { signal }).catch(() => undefined);
}
