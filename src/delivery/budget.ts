import { type Operation, operations, type RateBudget } from '../contracts/chat-adapter.ts';
import { type Priority, priorities } from '../contracts/outbox.ts';

/** One platform call, as rate budgets see it. Ids are any texts that tell scopes apart. */
export interface Call {
  operation: Operation;
  tenant: string;
  conversation: string;
  /** The message that is edited; undefined for calls that make one. */
  message?: string | undefined;
  /** The message opens a thread, which some platforms count as a call of its own. */
  opens?: boolean | undefined;
}

/** What budgets count together, the widest first. */
export const scopes = ['tenant', 'conversation', 'message'] as const satisfies readonly RateBudget['scope'][];
type Scope = (typeof scopes)[number];

/**
 * Keeps the calls to one platform within its published budgets: at most `calls` in any window, however the calls and their arrival
 * at the platform are spread. Times are milliseconds of one monotonic clock; the ledger itself never looks at a clock.
 */
export interface Ledger {
  /**
   * When this call may be made: `now` or earlier means at once, `Infinity` after a call that is under way has ended. Lower priorities
   * see a smaller budget, so that decisions and finals always find some left.
   */
  availableAt(call: Call, priority: Priority, now: number): number;
  /** As far as what is counted for this scope allows it: the same for all calls of one operation there. */
  availableIn(scope: Scope, call: Call, priority: Priority, now: number): number;
  /** Counts a call that starts now. The returned function says when it ended: until then nobody knows when the platform counts it. */
  begin(call: Call, now: number): (endedAt: number) => void;
  /** Counts a call of an earlier life of this process. */
  recall(call: Call, endedAt: number): void;
  /** The platform asked to wait with calls like this one. */
  pause(call: Call, until: number, now: number): void;
}

/** A call: when it ended, or Infinity while it is under way. */
interface Entry {
  startedAt: number;
  endedAt: number;
}

const sweepAbove = 2000;

export function createLedger(budgets: readonly RateBudget[]): Ledger {
  const buckets = new Map<string, Entry[]>();
  const pauses = new Map<string, number>();

  const byOperation = new Map(
    operations.map((operation) => [
      operation,
      budgets.flatMap((budget, index) => (budget.operations.includes(operation) ? [{ index, budget }] : [])),
    ]),
  );
  const budgetsOf = (operation: Operation) => byOperation.get(operation) ?? [];

  function live(key: string, windowMs: number, now: number): Entry[] {
    const entries = (buckets.get(key) ?? []).filter(({ endedAt }) => endedAt + windowMs > now);
    if (entries.length === 0) buckets.delete(key);
    else buckets.set(key, entries);
    return entries;
  }

  function sweep(now: number): void {
    if (buckets.size <= sweepAbove) return;
    for (const key of buckets.keys()) {
      const budget = budgets[Number(key.slice(0, key.indexOf('|')))];
      if (budget !== undefined) live(key, budget.windowMs, now);
    }
  }

  function record(call: Call, entry: Entry, now: number): void {
    sweep(now);
    for (const { index, budget } of budgetsOf(call.operation)) {
      const key = bucketKey(index, budget, call);
      if (key === undefined) continue;
      const counted = Array.from({ length: costOf(call, budget) }, () => entry);
      buckets.set(key, [...(buckets.get(key) ?? []), ...counted]);
    }
  }

  function availableIn(scope: Scope, call: Call, priority: Priority, now: number): number {
    const pause = scope === 'tenant' ? tenantPause(call) : scope === 'conversation' ? conversationPause(call) : undefined;
    let at = Math.max(now, (pause === undefined ? undefined : pauses.get(pause)) ?? now);
    for (const { index, budget } of budgetsOf(call.operation)) {
      const key = budget.scope === scope ? bucketKey(index, budget, call) : undefined;
      if (key !== undefined)
        at = Math.max(at, freeAt(live(key, budget.windowMs, now), budget, priority, now, costOf(call, budget)));
    }
    return at;
  }

  return {
    availableAt: (call, priority, now) => Math.max(...scopes.map((scope) => availableIn(scope, call, priority, now))),
    availableIn,
    begin(call, now) {
      const entry: Entry = { startedAt: now, endedAt: Number.POSITIVE_INFINITY };
      record(call, entry, now);
      return (endedAt) => {
        entry.endedAt = endedAt;
      };
    },
    recall(call, endedAt) {
      record(call, { startedAt: endedAt, endedAt }, endedAt);
    },
    pause(call, until, now) {
      const matching = budgetsOf(call.operation).map(({ budget }) => budget);
      const operations = new Set([call.operation, ...matching.flatMap((budget) => budget.operations)]);
      const byConversation = matching.some(({ scope }) => scope === 'conversation');
      for (const [key, end] of pauses) if (end <= now) pauses.delete(key);
      for (const operation of operations) {
        const paused = { ...call, operation };
        const own = conversationPause(paused);
        // Told to wait in two conversations at once, the limit is the tenant's.
        const spread = [...pauses.keys()].some((key) => key.startsWith(`${tenantPause(paused)}|`) && key !== own);
        const key = byConversation && !spread ? own : tenantPause(paused);
        pauses.set(key, Math.max(until, pauses.get(key) ?? until));
      }
    },
  };
}

/** How much of a budget a priority may use: finals and decisions all of it, progress what they can spare. */
export function allowance(calls: number, priority: Priority): number {
  const reserve = calls >= 10 ? Math.ceil(calls / 5) : calls >= 3 ? 1 : 0;
  if (priority <= priorities.final) return calls;
  return priority === priorities.progress ? calls - reserve : calls - Math.floor(reserve / 2);
}

/** How much of the budget the call takes. */
function costOf({ opens }: Call, { opening = 1 }: RateBudget): number {
  return opens === true ? opening : 1;
}

function freeAt(
  entries: readonly Entry[],
  { calls, windowMs }: RateBudget,
  priority: Priority,
  now: number,
  cost: number,
): number {
  const allowed = allowance(calls, priority);
  let at = now;
  const excess = entries.length + cost - 1 - allowed;
  if (excess >= 0) {
    const ends = entries.map(({ endedAt }) => endedAt).sort((one, other) => one - other);
    at = (ends[excess] ?? now) + windowMs;
  }
  // Progress does not spend a long window at its start and then stand still: beyond half of it, evenly.
  if (priority === priorities.progress && calls >= 10 && entries.length >= allowed / 2) {
    const last = Math.max(...entries.map(({ startedAt }) => startedAt));
    at = Math.max(at, last + windowMs / allowed);
  }
  return at;
}

function bucketKey(index: number, { scope }: RateBudget, call: Call): string | undefined {
  if (scope === 'tenant') return `${index}|${call.tenant}`;
  if (scope === 'conversation') return `${index}|${call.tenant}|${call.conversation}`;
  return call.message === undefined ? undefined : `${index}|${call.tenant}|${call.conversation}|${call.message}`;
}

function tenantPause({ operation, tenant }: Call): string {
  return `${operation}|${tenant}`;
}

function conversationPause(call: Call): string {
  return `${tenantPause(call)}|${call.conversation}`;
}
