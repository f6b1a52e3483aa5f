import type { Core } from './core.ts';
import type { Faults } from './faults.ts';
import type { DeliveryFaults, Hooks } from './hooks.ts';
import type { HourlyLimits } from './hourly-limits.ts';
import type { Delivery } from './model.ts';

/**
 * Faults and settings, for tests and for the lab.
 *
 * - `failNext('pulls/create', { status: 502, times: 2 })`, `{ status: 403, message: '…' }`, `{ limit: 'secondary', retryAfter: 30 }`,
 *   `{ limit: 'primary' }`, `{ dropConnectionBeforeEffect: true }`, `{ dropConnectionAfterEffect: true }`, each optionally
 *   `when: (call) => …`. Git's requests are called `git-upload-pack` and `git-receive-pack` (two each: what is there, then the transfer;
 *   `when: ({ verb }) => verb === 'POST'` is the second).
 * - `const held = hold('pulls/merge')`; `await held.reached`; …; `held.release()`: stops a call before its effect (`{ after: true }`: after it)
 * - `delay('*', 200)`: slows answers down
 * - `deliveries`: duplicate, lose or turn round webhooks
 */
export interface Controls extends Pick<Faults, 'failNext' | 'hold' | 'delay'> {
  /** Everything answers 503 until switched off. */
  outage(on: boolean): void;
  latency(ms: number): void;
  /** Requests an hour and token; what was used is forgotten. */
  hourlyLimit(count: number): void;
  /** How long a receiver of webhooks may take. Default 10 s, as GitHub's. */
  deliveryTimeout(ms: number): void;
  deliveries: DeliveryFaults;
  /** Every delivery so far, of all hooks, oldest first. */
  delivered(event?: string): Delivery[];
  /** Sends a delivery again, with the same id. */
  redeliver(delivery: Delivery): Promise<Delivery>;
  /** Resolves when every webhook that is due has been sent. */
  deliveriesSettled(): Promise<void>;
  /** Mistakes of the emulator itself, answers and webhooks that do not fit GitHub's description among them. */
  errors: readonly unknown[];
}

export function createControls(deps: {
  core: Core;
  faults: Faults;
  limits: HourlyLimits;
  hooks: Hooks;
  errors: readonly unknown[];
}): Controls {
  const { core, faults, limits, hooks } = deps;
  const all = () => [
    ...[...core.repositories.values()].flatMap((repository) => [...repository.hooks.values()]),
    ...(core.appHook ? [core.appHook] : []),
  ];
  return {
    failNext: faults.failNext,
    hold: faults.hold,
    delay: faults.delay,
    outage(on) {
      core.settings.outage = on;
    },
    latency(ms) {
      core.settings.latencyMs = ms;
    },
    hourlyLimit(count) {
      core.settings.hourlyLimit = count;
      limits.clear();
    },
    deliveryTimeout(ms) {
      core.settings.deliveryTimeoutMs = ms;
    },
    deliveries: hooks.faults,
    delivered: (event) =>
      all()
        .flatMap(({ deliveries }) => deliveries)
        .filter((delivery) => event === undefined || delivery.event === event)
        .sort((a, b) => a.id - b.id),
    async redeliver(delivery) {
      const hook = all().find(({ deliveries }) => deliveries.includes(delivery));
      if (!hook) throw new Error('the hook of this delivery is gone');
      return await hooks.redeliver(hook, delivery);
    },
    deliveriesSettled: () => hooks.settled(),
    errors: deps.errors,
  };
}
