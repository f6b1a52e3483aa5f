import type { Lease } from '../contracts/lease.ts';
import { createLeases, pause } from './lease.ts';

/**
 * One process at a time does a certain work: whoever holds the lease named so. A killed leader is followed within about a second; a
 * leader that loses its lease is told to stop at once.
 */
export interface Leadership {
  start(): Promise<void>;
  /** Resolves when `lead` has returned and the lease is free. Idempotent. */
  stop(): Promise<void>;
}

export interface LeadershipOptions {
  url: string;
  /** Names the work; the same in every process. */
  name: string;
  /** Does the work until the signal aborts, by the right of `lease`. When it throws, leading is tried again after a pause. */
  lead(signal: AbortSignal, lease: Lease): Promise<void>;
  onError(error: unknown): void;
}

const retryMs = 1000;

export function createLeadership({ url, name, lead, onError }: LeadershipOptions): Leadership {
  const acquire = createLeases({ url, onError, retryMs });
  const stopped = new AbortController();
  let working: Promise<void> | undefined;

  async function work(): Promise<void> {
    while (!stopped.signal.aborted) {
      const lease = await acquire(name, stopped.signal).catch(() => undefined);
      if (lease === undefined) return;
      await whileHeld(lease);
      await pause(retryMs, stopped.signal);
    }
  }

  async function whileHeld(lease: Lease): Promise<void> {
    try {
      await lead(AbortSignal.any([stopped.signal, lease.lost]), lease);
    } catch (error) {
      if (!stopped.signal.aborted) onError(error);
    } finally {
      await lease.release();
    }
  }

  return {
    async start() {
      working ??= work();
    },
    async stop() {
      stopped.abort();
      await working;
    },
  };
}
