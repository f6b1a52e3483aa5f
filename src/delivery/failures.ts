import type { DeliveryFailure, Operation } from '../contracts/chat-adapter.ts';
import { type Priority, priorities } from '../contracts/outbox.ts';

/** What becomes of a row after a call failed. */
export type Verdict =
  /** It waits and is tried again. `lookUp`: the call may have been done and must be looked up before it is repeated. */
  | { next: 'wait'; delayMs: number; lookUp: boolean }
  /** It is tried again in plainer words. */
  | { next: 'plainer' }
  /** It is over. `tell`: the person who asked for the task is told in a direct message. */
  | { next: 'end'; state: 'failed' | 'unknown'; tell: boolean };

/** Calls that can be repeated without harm. */
const repeatable: ReadonlySet<Operation> = new Set(['edit', 'react', 'home', 'direct', 'remove']);

/** How long a call whose answer was lost may still be on its way, before it is looked up. */
export const lookUpAfterMs = 2000;
const longestBackoffMs = 60_000;
/** How plain a view can become: plain text with buttons, then plain text. */
export const plainest = 2;

/** `attempts`: how often the row was tried since it last succeeded, this time included. A move is followed, not judged. */
export function judge(
  failure: Exclude<DeliveryFailure, { kind: 'moved' }>,
  at: {
    operation: Operation;
    priority: Priority;
    attempts: number;
    degraded: number;
    canBePlainer: boolean;
    lookUpAfterMs: number;
  },
): Verdict {
  switch (failure.kind) {
    case 'rate_limited':
      return { next: 'wait', delayMs: failure.retryAfterMs, lookUp: false };
    case 'unreachable':
      return { next: 'wait', delayMs: backoffMs(at.attempts), lookUp: false };
    case 'unknown':
      return repeatable.has(at.operation)
        ? { next: 'wait', delayMs: backoffMs(at.attempts), lookUp: false }
        : { next: 'wait', delayMs: Math.max(at.lookUpAfterMs, backoffMs(at.attempts)), lookUp: true };
    case 'gone':
    case 'not_permitted':
      return { next: 'end', state: 'failed', tell: at.priority <= priorities.card };
    case 'rejected':
      return at.canBePlainer && at.degraded < plainest
        ? { next: 'plainer' }
        : { next: 'end', state: 'failed', tell: at.priority <= priorities.card };
  }
}

/**
 * Whether a send whose outcome cannot be looked up is repeated. A decision or a final message is: twice is better than never. Anything
 * else is recorded as unknown (promise 6).
 */
export function repeatsUnknown(priority: Priority): boolean {
  return priority <= priorities.final;
}

/** 0.5, 1, 2, 4 … 60 s, spread by a fifth so that rows that failed together do not come back together. */
export function backoffMs(attempts: number): number {
  const base = Math.min(longestBackoffMs, 500 * 2 ** Math.min(20, Math.max(0, attempts - 1)));
  return Math.round(base * (0.8 + Math.random() * 0.4));
}
