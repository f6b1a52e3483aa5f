/**
 * Rate limits. Discord documents the headers and the 50 requests per second of a bot; the buckets below are what is observed on the
 * real API (messages and edits 5 per 5 s per channel, names 2 per 10 minutes, edits of messages older than an hour 3 per 6 s) or, where nothing is known, a generous guess.
 * Windows start with the first call in them.
 */
export interface Bucket {
  /** What the header `X-RateLimit-Bucket` says. */
  id: string;
  limit: number;
  perMs: number;
}

const bucket = (id: string, limit: number, perMs: number): Bucket => ({ id, limit, perMs });

export const BUCKETS = {
  createMessage: bucket('80c17d2f203122d936070c88c8d10f33', 5, 5_000),
  editMessage: bucket('4c5a1e2f7b0d94c86f3e2a9d1b7c6058', 5, 5_000),
  editOldMessage: bucket('5d6b2f308c1ea5d97a4f3b0e2c8d7169', 3, 6_000),
  deleteMessage: bucket('9d2f1c4b8a7e6f503d2c1b0a99887766', 5, 1_000),
  readMessages: bucket('b6d3f8a92e5c4170ad8f6b3c2e1d0f94', 5, 5_000),
  reactions: bucket('2b7a9c1d3e5f40618293a4b5c6d7e8f9', 1, 250),
  typing: bucket('a06de0de4a08126315431cc0c55ee3dc', 5, 5_000),
  threads: bucket('c3e1f5d7b9a8462093847561aabbccdd', 5, 5_000),
  editChannel: bucket('d4b2a6c8e0f1437596a8b7c6d5e4f302', 5, 15_000),
  renameChannel: bucket('e5c3b7d9f1a2548607b9c8d7e6f50413', 2, 600_000),
  webhook: bucket('f6d4c8eaa2b3659718cad9e8f7061524', 5, 2_000),
  commands: bucket('07e5d9fbb3c476a829dbeaf908172635', 5, 20_000),
  createDm: bucket('18f6ea0cc4d587b93aecfb0a19283746', 10, 10_000),
  other: bucket('2907fb1dd5e698ca4bfd0c1b2a394857', 50, 1_000),
} as const satisfies Record<string, Bucket>;

const GLOBAL_PER_SECOND = 50;

export interface Admission {
  bucket: Bucket;
  remaining: number;
  /** When the window ends, milliseconds since 1970. */
  resetAt: number;
  /** Set when the call is over a limit: which, and how many milliseconds until it would not be. */
  over?: { limit: 'bucket' | 'global'; waitMs: number } | undefined;
}

export interface Limiter {
  /** Counts the call unless it is over a limit. `major`: the channel, guild or webhook of the call. */
  admit(bucket: Bucket, major: string, at: number, countsGlobally: boolean): Admission;
  clear(): void;
}

interface Window {
  startedAt: number;
  used: number;
}

export function createLimiter(): Limiter {
  const windows = new Map<string, Window>();

  function windowAt(key: string, perMs: number, at: number): Window {
    const known = windows.get(key);
    if (known && at - known.startedAt < perMs) return known;
    const opened = { startedAt: at, used: 0 };
    windows.set(key, opened);
    return opened;
  }

  return {
    admit(limits, major, at, countsGlobally) {
      if (windows.size > 10_000) windows.clear();
      const own = windowAt(`${limits.id}:${major}`, limits.perMs, at);
      const resetAt = own.startedAt + limits.perMs;
      const everything = countsGlobally ? windowAt('global', 1_000, at) : undefined;
      if (everything && everything.used >= GLOBAL_PER_SECOND) {
        const waitMs = everything.startedAt + 1_000 - at;
        return { bucket: limits, remaining: limits.limit - own.used, resetAt, over: { limit: 'global', waitMs } };
      }
      if (own.used >= limits.limit)
        return { bucket: limits, remaining: 0, resetAt, over: { limit: 'bucket', waitMs: resetAt - at } };
      own.used += 1;
      if (everything) everything.used += 1;
      return { bucket: limits, remaining: limits.limit - own.used, resetAt };
    },
    clear: () => windows.clear(),
  };
}

/** Headers every answer of a limited route carries. */
export function limitHeaders(admission: Admission, now: number): Record<string, string> {
  const { bucket: limits, remaining, resetAt } = admission;
  return {
    'x-ratelimit-bucket': limits.id,
    'x-ratelimit-limit': String(limits.limit),
    'x-ratelimit-remaining': String(remaining),
    'x-ratelimit-reset': (resetAt / 1000).toFixed(3),
    'x-ratelimit-reset-after': (Math.max(0, resetAt - now) / 1000).toFixed(3),
  };
}
