import type { AgentControl } from '../src/contracts/agent-control.ts';
import { createLoop } from '../src/runtime/loop.ts';
import type { Journey } from './run-journey.ts';

export interface WaitLimits {
  /** Then the sandbox stands still: it keeps its memory, and its time stops. Milliseconds. */
  pauseAfterMs: number;
  /** Then the turn is parked: it keeps nothing but files. Milliseconds. */
  parkAfterMs: number;
}

export const defaultWaitLimits: WaitLimits = { pauseAfterMs: 10 * 60_000, parkAfterMs: 60 * 60_000 };

/** How often a wait is looked at when nothing wakes it. */
const lookMs = 15_000;

/**
 * Makes a long wait for decisions cheap: pauses the sandbox, later parks the turn. A decision wakes it. `end` leaves the sandbox
 * running, unless the run is let go of.
 */
export function watchWaits(
  journey: Journey,
  control: AgentControl,
  limits: WaitLimits,
): { park: AbortSignal; end(): Promise<void> } {
  const { deps, spec, place, left } = journey;
  const { run } = spec;
  const { sandbox } = place;
  const park = new AbortController();
  const over = new AbortController();

  async function look(): Promise<void> {
    const waiting = await control.awaiting(run);
    const waitedMs = waiting === null ? 0 : deps.clock.now().getTime() - waiting.since.getTime();
    const { state } = await sandbox.status(run);
    const long = waitedMs >= limits.parkAfterMs;
    if (state === 'running' && waitedMs >= limits.pauseAfterMs && !long) await sandbox.pause(run);
    if (state === 'paused' && (waiting === null || long)) await sandbox.resume(run);
    if (long) park.abort();
  }

  const loop = createLoop({
    name: 'waits',
    idleMs: Math.min(lookMs, limits.pauseAfterMs, limits.parkAfterMs),
    async run() {
      await look();
      return false;
    },
    onError: (error) => deps.logger.debug({ run, err: error }, 'the wait of a run could not be looked at'),
  });
  control.onMail(run, () => loop.wake(), AbortSignal.any([over.signal, left]));
  loop.start();

  return {
    park: park.signal,
    async end() {
      over.abort();
      await loop.stop();
      if (left.aborted) return;
      const state = await sandbox.status(run).then(
        (found) => found.state,
        () => undefined,
      );
      if (state === 'paused')
        await sandbox.resume(run).catch((error: unknown) => deps.logger.warn({ run, err: error }, 'not resumed'));
    },
  };
}
