import type { ApiCall } from '../slack/calls.ts';

/**
 * The published limits: about one message per second in a chat (short bursts allowed), 20 per minute in a group, about 30 per second
 * over everything. Source: Telegram's Bots FAQ. Edits count with sends, an album counts each of its items. Windows are two percent
 * shorter than published: they are measured at arrival, where calls may have moved closer together.
 */

const CHAT_BURST = 3;
const CHAT_PER_SECOND = 1;
const GROUP_CALLS = 20;
const GROUP_WINDOW_MS = 58_800;
const ALL_CALLS = 30;
const ALL_WINDOW_MS = 980;

export interface Limiter {
  /** Seconds to wait when the call at `at` (milliseconds) is over a limit; undefined, and counted, when it is not. */
  admit(call: ApiCall, at: number): number | undefined;
}

const MESSAGES = /^(send(?!ChatAction|MessageDraft|RichMessageDraft)|edit(Message)|copyMessage|forwardMessage)/i;

/** How many messages a call counts for; 0 for calls without a limit. */
function weightOf(call: ApiCall): number {
  if (!MESSAGES.test(call.method)) return 0;
  if (call.method.toLowerCase() !== 'sendmediagroup') return 1;
  const media: unknown = typeof call.args.media === 'string' ? safely(call.args.media) : call.args.media;
  return Array.isArray(media) ? Math.max(1, media.length) : 1;
}

function safely(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

export function createLimiter(): Limiter {
  const windows = new Map<string, number[]>();
  const buckets = new Map<string, { tokens: number; at: number }>();

  function windowWait(key: string, weight: number, limit: number, windowMs: number, at: number): number | undefined {
    const times = (windows.get(key) ?? []).filter((time) => at - time < windowMs);
    windows.set(key, times);
    const blocking = times[times.length + weight - 1 - limit];
    return blocking === undefined ? undefined : Math.max(1, Math.ceil((blocking + windowMs - at) / 1000));
  }

  function add(key: string, weight: number, at: number): void {
    const times = windows.get(key) ?? [];
    for (let n = 0; n < weight; n += 1) times.push(at);
    windows.set(key, times);
  }

  return {
    admit(call, at) {
      const weight = weightOf(call);
      if (weight === 0) return undefined;
      const { channel } = call;
      const isGroup = channel?.startsWith('-') ?? false;
      const overall = windowWait('all', weight, ALL_CALLS, ALL_WINDOW_MS, at);
      if (overall !== undefined) return overall;
      if (channel !== undefined) {
        const inGroup = isGroup ? windowWait(channel, weight, GROUP_CALLS, GROUP_WINDOW_MS, at) : undefined;
        if (inGroup !== undefined) return inGroup;
        const bucket = buckets.get(channel) ?? { tokens: CHAT_BURST, at };
        const tokens = Math.min(CHAT_BURST, bucket.tokens + ((at - bucket.at) / 1000) * CHAT_PER_SECOND);
        if (tokens < 1) return Math.max(1, Math.ceil((1 - tokens) / CHAT_PER_SECOND));
        // An album is let in whole and paid for afterwards.
        buckets.set(channel, { tokens: tokens - weight, at });
        if (isGroup) add(channel, weight, at);
      }
      add('all', weight, at);
      return undefined;
    },
  };
}

/** The calls that a limiter would have refused. Calls that were refused with 429 do not count against the limit. */
export function overLimit(calls: readonly ApiCall[]): ApiCall[] {
  const limiter = createLimiter();
  return calls.filter((call) => call.status !== 429 && limiter.admit(call, call.at) !== undefined);
}
