import { setTimeout as delay } from 'node:timers/promises';

export interface WaitOptions {
  /** Default 10 s. */
  timeoutMs?: number;
  /** Pause between two looks. Default: 20 ms at first, then longer and longer, up to 100 ms: looks cost what others work with. */
  everyMs?: number;
  /**
   * Calls what it is given whenever there may be something new, until the function that it returns is called. After the pause it is waited for
   * that, or a second, before the next look: a look costs more than a wake-up.
   */
  news?: (wake: () => void) => () => void;
}

/**
 * Looks again and again until `look` returns something that is neither undefined, null nor false, and returns that. `look` may throw:
 * the last error counts as "not yet". When time is up, the error says what was awaited and what was seen last.
 *
 *     const run = await waitFor('the run to succeed', async () => (await readRun(id)).state === 'succeeded');
 */
export async function waitFor<T>(
  what: string,
  look: () => T | Promise<T>,
  options: WaitOptions = {},
): Promise<Exclude<T, undefined | null | false>> {
  const { timeoutMs = 10_000, everyMs } = options;
  const news = options.news === undefined ? undefined : listen(options.news);
  const until = performance.now() + timeoutMs;
  // The caller's line, not one of this file, is where a failing test should point.
  const timedOut = new Error();
  Error.captureStackTrace(timedOut, waitFor);
  let seen = 'nothing';
  let pauseMs = everyMs ?? 20;
  try {
    for (;;) {
      try {
        const value = await look();
        if (value !== undefined && value !== null && value !== false) return value as Exclude<T, undefined | null | false>;
        seen = String(value);
      } catch (error) {
        seen = error instanceof Error ? error.message : String(error);
      }
      if (performance.now() > until) {
        timedOut.message = `waited ${timeoutMs / 1000} s for ${what}; seen last: ${seen}`;
        throw timedOut;
      }
      await delay(pauseMs);
      if (everyMs === undefined) pauseMs = Math.min(100, pauseMs * 1.2);
      await news?.next();
    }
  } finally {
    news?.end();
  }
}

/** What comes between two calls of `next` is not missed. */
function listen(subscribe: NonNullable<WaitOptions['news']>) {
  let told = false;
  let wake: () => void = () => undefined;
  const end = subscribe(() => {
    told = true;
    wake();
  });
  return {
    end,
    async next(): Promise<void> {
      if (!told) {
        const { promise, resolve } = Promise.withResolvers<void>();
        const timer = setTimeout(resolve, 1000);
        wake = resolve;
        await promise;
        clearTimeout(timer);
      }
      told = false;
    },
  };
}

/** Repeats assertions until they hold: `await eventually(() => expect(seen).toEqual(['a']))`. When time is up, their last error is thrown. */
export async function eventually(assertions: () => unknown, options: WaitOptions = {}): Promise<void> {
  let last: unknown;
  try {
    await waitFor(
      'the assertions to hold',
      async () => {
        try {
          await assertions();
          return true;
        } catch (error) {
          last = error;
          return false;
        }
      },
      options,
    );
  } catch (timedOut) {
    throw last ?? timedOut;
  }
}
