import type { Logger } from './logger.ts';

/** A part of the program that runs between start and stop. */
export interface Part {
  name: string;
  start(): Promise<void>;
  /** Ends gracefully: what is in flight finishes or is handed back. */
  stop(): Promise<void>;
  /** Ends at once, dropping what is in flight. Called when a graceful stop takes too long or is cut short. */
  abort?(): Promise<void> | void;
  /** Longest time a graceful stop may take (default 10 s). */
  stopWithinMs?: number | undefined;
}

export interface Lifecycle {
  /** Starts the parts in order. When one fails, those already started are stopped again and its error is thrown. */
  start(): Promise<void>;
  /**
   * Stops in reverse order what was started. Every part is stopped though another fails or exceeds its time; failures are logged
   * and thrown together at the end. Callers at the same time share one stop. During `start` it stops after the part being started.
   */
  stop(): Promise<void>;
  /** Cuts a stop short: parts not yet stopped are aborted instead of stopped. */
  abort(): Promise<void>;
}

const abortWithinMs = 5_000;

export function createLifecycle(parts: readonly Part[], logger: Logger): Lifecycle {
  const running: Part[] = [];
  const hurry = new AbortController();
  let starting: Promise<void> | undefined;
  let stopping: Promise<void> | undefined;

  async function startAll(): Promise<void> {
    for (const part of parts) {
      if (stopping !== undefined) return;
      const since = performance.now();
      await part.start();
      running.push(part);
      logger.debug({ part: part.name, ms: Math.round(performance.now() - since) }, 'started');
    }
  }

  async function stopAll(): Promise<void> {
    const failures: unknown[] = [];
    for (let part = running.pop(); part !== undefined; part = running.pop()) {
      try {
        await stopOne(part);
        logger.debug({ part: part.name }, 'stopped');
      } catch (error) {
        logger.error({ part: part.name, err: error }, 'stop failed');
        failures.push(error);
      }
    }
    if (failures.length > 0) throw new AggregateError(failures, `${failures.length} of the parts did not stop cleanly`);
  }

  async function stopOne(part: Part): Promise<void> {
    if (hurry.signal.aborted) return abortOne(part);
    const limit = part.stopWithinMs ?? 10_000;
    try {
      const outcome = await within(part.stop(), limit, hurry.signal);
      if (outcome === 'done') return;
      if (outcome === 'late') logger.warn({ part: part.name, ms: limit }, 'did not stop in time, ending it at once');
    } catch (error) {
      await abortOne(part);
      throw error;
    }
    await abortOne(part);
  }

  async function abortOne(part: Part): Promise<void> {
    const outcome = await within(Promise.resolve(part.abort?.()), abortWithinMs, undefined);
    if (outcome === 'late') throw new Error(`${part.name} could not be ended within ${abortWithinMs} ms`);
  }

  const lifecycle: Lifecycle = {
    async start() {
      if (starting !== undefined || stopping !== undefined) throw new Error('a lifecycle starts once');
      starting = startAll();
      try {
        await starting;
      } catch (error) {
        // The first error is what happened; the stop only cleans up and has logged its own.
        await lifecycle.stop().catch(() => undefined);
        throw error;
      }
    },
    stop() {
      stopping ??= Promise.resolve(starting)
        .catch(() => undefined)
        .then(stopAll);
      return stopping;
    },
    abort() {
      hurry.abort();
      return lifecycle.stop();
    },
  };
  return lifecycle;
}

/** Waits for `work`, but no longer than `ms` and not beyond `hurry`. What comes later from `work` is ignored. */
function within(work: Promise<void>, ms: number, hurry: AbortSignal | undefined): Promise<'done' | 'late' | 'hurried'> {
  const { promise, resolve, reject } = Promise.withResolvers<'done' | 'late' | 'hurried'>();
  const timer = setTimeout(() => resolve('late'), ms);
  const onHurry = () => resolve('hurried');
  hurry?.addEventListener('abort', onHurry);
  work.then(() => resolve('done'), reject);
  return promise.finally(() => {
    clearTimeout(timer);
    hurry?.removeEventListener('abort', onHurry);
  });
}
