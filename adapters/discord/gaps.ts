import type { GapLook } from '../../src/contracts/chat-adapter.ts';

/**
 * What is said after a gap waits until what was said in the gap is stored: what people say in one channel keeps its order. And nothing is
 * stored before the beginning of the gap is kept, for it would count as its end if this process died now.
 */
export interface Gaps {
  /** From now on everything waits, unless nobody looks into the gap. */
  begin(look: GapLook | undefined): void;
  /** Resolves when something of the channel may be stored; undefined: at once. */
  wait(channel: string): Promise<void> | undefined;
  /** These are the channels that are looked into: others need not wait any more. */
  look(channels: Iterable<string>): { looked(channel: string): void };
  stop(): void;
}

interface Gap {
  kept: boolean;
  /** Those that have not been looked into. */
  left: 'all' | Set<string>;
}

/** Discord may be slow to answer about many channels: people who write now are not kept waiting longer than this. */
const waitAtMostMs = 10_000;
const maxWaiting = 10_000;

export function createGaps(): Gaps {
  const waiting = new Map<string, PromiseWithResolvers<void>>();
  const timers = new Set<NodeJS.Timeout>();
  let current: Gap | undefined;
  let count = 0;

  function holds(channel: string): boolean {
    if (current === undefined) return false;
    return !current.kept || current.left === 'all' || current.left.has(channel);
  }

  function release(): void {
    for (const [channel, { resolve }] of waiting) {
      if (holds(channel)) continue;
      waiting.delete(channel);
      resolve();
    }
    if (waiting.size === 0) count = 0;
  }

  function end(gap: Gap): void {
    if (gap !== current) return;
    current = undefined;
    release();
  }

  return {
    begin(look) {
      if (look === undefined) return;
      const gap: Gap = { kept: false, left: 'all' };
      current = gap;
      void look.kept.then(() => {
        gap.kept = true;
        release();
        const timer = setTimeout(() => {
          timers.delete(timer);
          end(gap);
        }, waitAtMostMs);
        timer.unref();
        timers.add(timer);
      });
      void look.over.then(() => end(gap));
    },
    wait(channel) {
      // More than that is not kept in memory twice: the intake has its own bound, and says what it has lost.
      if (current !== undefined && count >= maxWaiting) end(current);
      if (!holds(channel)) return undefined;
      count += 1;
      const one = waiting.get(channel) ?? Promise.withResolvers<void>();
      waiting.set(channel, one);
      return one.promise;
    },
    look(channels) {
      const gap = current;
      const left = new Set(channels);
      if (gap !== undefined) {
        gap.left = left;
        release();
      }
      return {
        looked(channel) {
          left.delete(channel);
          release();
        },
      };
    },
    stop() {
      for (const timer of timers) clearTimeout(timer);
    },
  };
}
