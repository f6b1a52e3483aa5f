import type { ApiCall } from './calls.ts';

/**
 * The published Web API limits: per method, per workspace, per app. Tier n is "n+ per minute", here exactly that number in any
 * 60 seconds, the strictest reading. Source: docs.slack.dev rate limits; `special` methods as below.
 */
export type Tier = 't1' | 't2' | 't3' | 't4' | 'special';

const PER_MINUTE: Record<Exclude<Tier, 'special'>, number> = { t1: 1, t2: 20, t3: 50, t4: 100 };

/** "Several hundred per minute" for the whole workspace, and hundreds for the other special methods. */
const SPECIAL_PER_MINUTE = 300;
/** `chat.postMessage`: one per second per channel, short bursts tolerated. */
const POST_BURST = 5;
const POST_PER_SECOND = 1;
const WINDOW_MS = 60_000;

export interface Limiter {
  /** Seconds to wait when the call at `at` (milliseconds) is over the limit; undefined, and counted, when it is not. */
  admit(method: string, tier: Tier, channel: string | undefined, at: number): number | undefined;
}

export function createLimiter(): Limiter {
  const windows = new Map<string, number[]>();
  const buckets = new Map<string, { tokens: number; at: number }>();

  function windowWait(key: string, limit: number, at: number): number | undefined {
    const times = (windows.get(key) ?? []).filter((time) => at - time < WINDOW_MS);
    windows.set(key, times);
    const oldest = times[times.length - limit];
    return oldest === undefined ? undefined : Math.max(1, Math.ceil((oldest + WINDOW_MS - at) / 1000));
  }

  return {
    admit(method, tier, channel, at) {
      const limit = tier === 'special' ? SPECIAL_PER_MINUTE : PER_MINUTE[tier];
      const wait = windowWait(method, limit, at);
      if (wait !== undefined) return wait;
      if (method === 'chat.postMessage' && channel !== undefined) {
        const bucket = buckets.get(channel) ?? { tokens: POST_BURST, at };
        const tokens = Math.min(POST_BURST, bucket.tokens + ((at - bucket.at) / 1000) * POST_PER_SECOND);
        if (tokens < 1) return Math.max(1, Math.ceil((1 - tokens) / POST_PER_SECOND));
        buckets.set(channel, { tokens: tokens - 1, at });
      }
      windows.get(method)?.push(at);
      return undefined;
    },
  };
}

/** The calls that a limiter would have refused. Calls that were refused with 429 do not count against the limit. */
export function overLimit(calls: readonly ApiCall[], tierOf: (method: string) => Tier | undefined): ApiCall[] {
  const limiter = createLimiter();
  return calls.filter((call) => {
    const tier = tierOf(call.method);
    if (tier === undefined || call.status === 429) return false;
    return limiter.admit(call.method, tier, call.channel, call.at) !== undefined;
  });
}
