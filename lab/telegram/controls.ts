import type { Faults } from '../slack/faults.ts';
import type { Core, Settings } from './core.ts';

/**
 * Faults, load and settings, for tests and for the lab's settings.
 *
 * - `failNext('sendMessage', { status: 502, times: 2 })`, `{ status: 400, error: 'Bad Request: chat not found' }`,
 *   `{ status: 429, retryAfter: 3 }`, `{ dropConnectionBeforeEffect: true }`, `{ dropConnectionAfterEffect: true }`, each optionally
 *   `when: (call) => …`
 * - `const held = hold('editMessageText')`; `await held.reached`; …; `held.release()`: stops a call before its effect
 *   (`{ after: true }`: after it), for tests that kill or change something at exactly that point
 * - `delay('*', 200)`: slows answers down
 */
export interface Controls extends Pick<Faults, 'failNext' | 'hold' | 'delay'> {
  rateLimiting(on: boolean): void;
  /** BotFather's privacy mode. */
  privacyMode(on: boolean): void;
  /** Delays every Bot API answer by so many milliseconds. */
  latency(ms: number): void;
  /** Makes every press so far too old to be answered. */
  expirePresses(): void;
  /** Brings an update that was confirmed already to the webhook again. */
  redeliver(updateId: number): Promise<void>;
  /** Resolves when the webhook has taken every update so far. */
  updatesSettled(): Promise<void>;
  /** Mistakes of the emulator itself (each was answered with HTTP 500). */
  errors: readonly unknown[];
}

export function createControls(deps: { core: Core; faults: Faults; errors: unknown[] }): Controls {
  const { core, faults } = deps;
  const { state } = core;
  const set = (patch: Partial<Settings>) => {
    Object.assign(core.settings, patch);
    state.emit({ type: 'settings' });
  };
  return {
    failNext: faults.failNext,
    hold: faults.hold,
    delay: faults.delay,
    rateLimiting: (on) => set({ rateLimiting: on }),
    privacyMode: (on) => set({ privacyMode: on }),
    latency: (ms) => set({ latencyMs: ms }),
    expirePresses() {
      for (const query of state.queries.values()) state.queries.put({ ...query, at: core.now() - core.timing.callback - 1 });
    },
    redeliver: (updateId) => core.webhook.redeliver(updateId),
    updatesSettled: () => core.webhook.idle(),
    errors: deps.errors,
  };
}
