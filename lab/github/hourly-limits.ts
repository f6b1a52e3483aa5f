import type { Caller } from './caller.ts';

/** Requests an hour, counted per token, installation, or together for callers without login. */
export interface HourlyLimits {
  /** Counts one request; `isOver` when it was one too many. `undo` for answers that do not count (304). */
  count(caller: Caller, now: number): Counted;
  /** As the next request would find it. */
  look(caller: Caller, now: number): Counted;
  /** Uses up everything the caller has. */
  exhaust(caller: Caller, now: number): Counted;
  clear(): void;
}

export interface Counted {
  limit: number;
  used: number;
  /** Seconds since 1970. */
  reset: number;
  isOver: boolean;
  undo(): void;
}

const HOUR = 3_600_000;
const ANONYMOUS_LIMIT = 60;

export function createHourlyLimits(limitOf: () => number): HourlyLimits {
  const windows = new Map<string, { used: number; resetAt: number }>();

  function windowOf(caller: Caller, now: number) {
    const key = keyOf(caller);
    const known = windows.get(key);
    if (known && known.resetAt > now) return known;
    const fresh = { used: 0, resetAt: now + HOUR };
    windows.set(key, fresh);
    return fresh;
  }

  function counted(caller: Caller, now: number, add: number): Counted {
    const limit = caller.kind === 'anonymous' ? ANONYMOUS_LIMIT : limitOf();
    const window = windowOf(caller, now);
    window.used += add;
    return {
      limit,
      used: Math.min(window.used, limit),
      reset: Math.ceil(window.resetAt / 1000),
      isOver: window.used > limit,
      undo: () => {
        window.used -= add;
      },
    };
  }

  return {
    count: (caller, now) => counted(caller, now, 1),
    look: (caller, now) => counted(caller, now, 0),
    exhaust: (caller, now) => counted(caller, now, caller.kind === 'anonymous' ? ANONYMOUS_LIMIT : limitOf()),
    clear: () => windows.clear(),
  };
}

function keyOf(caller: Caller): string {
  if (caller.kind === 'user') return caller.account.login;
  if (caller.kind === 'installation') return `installation ${caller.installation.id}`;
  return caller.kind;
}

export function limitHeaders({ limit, used, reset }: Counted): Record<string, string> {
  return {
    'x-ratelimit-limit': String(limit),
    'x-ratelimit-remaining': String(Math.max(0, limit - used)),
    'x-ratelimit-reset': String(reset),
    'x-ratelimit-used': String(used),
    'x-ratelimit-resource': 'core',
  };
}
