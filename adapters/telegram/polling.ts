import { setTimeout as sleep } from 'node:timers/promises';
import { type ChatAdapter, DeliveryError } from '../../src/contracts/chat-adapter.ts';
import type { AcquireLease, Lease } from '../../src/contracts/lease.ts';
import { errorText } from '../../src/runtime/error-text.ts';
import type { Logger } from '../../src/runtime/logger.ts';
import type { TelegramApi } from './api.ts';
import { refusalCode } from './failures.ts';
import type { Intake } from './intake.ts';
import { wantedUpdates } from './payloads.ts';

/**
 * Long polling by one process of the installation: Telegram lets only one ask at a time. An update is confirmed by asking for what
 * comes after it, and that happens only when it is stored: a crash at any moment makes Telegram deliver it again (promise 1).
 */
export interface Polling {
  /** Returns at once; goes on until it is stopped, whatever happens meanwhile. */
  start(): void;
  /** Ends the question under way, finishes what is being stored. Idempotent. */
  stop: ChatAdapter['stop'];
  status(): PollingStatus;
}

export type PollingStatus =
  /** Another process has the lease and polls. */
  { state: 'waiting' } | { state: 'polling' } | { state: 'failing'; problem: string; otherPoller: boolean };

export interface PollingOptions {
  api: TelegramApi;
  bot: string;
  acquireLease: AcquireLease;
  intake: Intake;
  logger: Logger;
}

/** How long Telegram keeps a question open when there is nothing to tell. Seconds. */
const askSeconds = 30;
const firstBackoffMs = 500;
const maxBackoffMs = 30_000;

export function createPolling(options: PollingOptions): Polling {
  const { api, acquireLease, intake, logger } = options;
  const stopping = new AbortController();
  let running: Promise<void> | undefined;
  let status: PollingStatus = { state: 'waiting' };

  async function supervise(): Promise<void> {
    while (!stopping.signal.aborted) {
      status = { state: 'waiting' };
      try {
        const lease = await acquireLease(`telegram:${options.bot}`, stopping.signal);
        try {
          await poll(AbortSignal.any([stopping.signal, lease.lost]), lease);
        } finally {
          await lease.release();
        }
        if (!stopping.signal.aborted) logger.warn({}, 'the right to poll telegram is lost, waiting for it');
      } catch (error) {
        if (stopping.signal.aborted) return;
        logger.error({ err: error }, 'telegram is not polled');
        await rest(firstBackoffMs, stopping.signal);
      }
    }
  }

  async function poll(signal: AbortSignal, lease: Lease): Promise<void> {
    logger.info({}, 'polling telegram');
    let offset: number | undefined;
    let failures = 0;
    status = { state: 'polling' };
    // After a pause another may poll: asking would take its question away.
    while (!signal.aborted && lease.isFresh()) {
      try {
        const updates = await ask(offset, signal);
        status = { state: 'polling' };
        // Nothing waits, so nothing needs confirming. Telegram may count from elsewhere after a week of silence.
        offset = undefined;
        const done = await intake.take(updates);
        const last = updates[done - 1]?.update_id;
        if (last !== undefined) offset = last + 1;
        if (done === updates.length) {
          failures = 0;
          continue;
        }
        logger.warn({ stored: done, of: updates.length }, 'telegram updates not stored, they come again');
      } catch (error) {
        if (signal.aborted) return;
        fail(error);
        if (refusalCode(error) === 409) await withoutWebhook(signal);
      }
      failures += 1;
      await rest(waitMs(failures), signal);
    }
  }

  function ask(offset: number | undefined, signal: AbortSignal) {
    const args = { timeout: askSeconds, limit: 100, allowed_updates: wantedUpdates, ...(offset === undefined ? {} : { offset }) };
    return api.read('getUpdates', (raw, ends) => raw.getUpdates(args, ends), { signal, timeoutMs: (askSeconds + 15) * 1000 });
  }

  function fail(error: unknown): void {
    const failure = error instanceof DeliveryError ? error.failure : undefined;
    retryAfterMs = failure?.kind === 'rate_limited' ? failure.retryAfterMs : 0;
    const otherPoller = refusalCode(error) === 409;
    status = { state: 'failing', problem: errorText(error), otherPoller };
    logger.warn({ err: error }, 'telegram not polled, trying again');
  }

  let retryAfterMs = 0;
  function waitMs(failures: number): number {
    const ms = Math.max(retryAfterMs, Math.min(firstBackoffMs * 2 ** (failures - 1), maxBackoffMs));
    retryAfterMs = 0;
    return ms;
  }

  /** Telegram refuses polling while a webhook is set, as one of an earlier configuration may be. What waits there stays. */
  async function withoutWebhook(signal: AbortSignal): Promise<void> {
    try {
      const { url } = await api.read('getWebhookInfo', (raw, ends) => raw.getWebhookInfo(ends), { signal });
      if (url === '') return;
      await api.call('deleteWebhook', (raw, ends) => raw.deleteWebhook({ drop_pending_updates: false }, ends), { signal });
      logger.warn({}, 'the webhook of an earlier configuration is taken away, telegram is polled from now on');
    } catch (error) {
      logger.warn({ err: error }, 'telegram does not tell about its webhook');
    }
  }

  return {
    start() {
      running ??= supervise();
    },
    async stop() {
      stopping.abort();
      await running;
    },
    status: () => status,
  };
}

/** Ends early, and quietly, when `signal` fires. */
async function rest(ms: number, signal: AbortSignal): Promise<void> {
  await sleep(ms, undefined, { signal }).catch(() => undefined);
}
