import type { ChatAdapter } from './contracts/chat-adapter.ts';
import type { Platform } from './contracts/platform.ts';
import type { Clock } from './runtime/clock.ts';
import type { Part } from './runtime/lifecycle.ts';
import type { Logger } from './runtime/logger.ts';
import { createLoop } from './runtime/loop.ts';
import type { Database } from './store/database.ts';
import { missedConversations } from './store/missed.ts';

/** What was said earlier is not answered any more: people have found another way by then. */
const longestMs = 24 * 60 * 60_000;
const mostConversations = 100;

export interface CatchUp {
  part: Part;
  /** Something may have been said on the platform that nobody heard, until now. */
  gap(platform: Platform): void;
}

/**
 * Asks platforms that do not deliver again what people wrote while nobody listened. Several gaps of a platform are looked into together;
 * what fails is tried again. What was stored already does no harm (promise 2).
 */
export function createCatchUp(deps: {
  database: Database;
  adapters: () => readonly ChatAdapter[];
  clock: Clock;
  logger: Logger;
}): CatchUp {
  const { database, clock, logger } = deps;
  const gaps = new Map<Platform, Date>();

  const loop = createLoop({
    name: 'catch-up',
    idleMs: 60_000,
    async run(signal) {
      for (const [platform, until] of [...gaps]) {
        const adapter = deps.adapters().find((one) => one.platform === platform);
        if (signal.aborted) return false;
        if (adapter?.backfill !== undefined) {
          const missed = await missedConversations(database, { platform, until, longestMs, most: mostConversations });
          if (missed.length > 0) await adapter.backfill(missed);
          logger.info({ platform, conversations: missed.length }, 'looked for what was said while nobody listened');
        }
        // A gap that was told meanwhile is another one.
        if (gaps.get(platform) === until) gaps.delete(platform);
      }
      return gaps.size > 0;
    },
    onError: (error, failures) => logger.warn({ err: error, failures }, 'what was missed could not be asked for'),
  });

  return {
    part: { name: 'catch-up', start: async () => loop.start(), stop: () => loop.stop() },
    gap(platform) {
      // From the earliest on everything is asked for. One that is being looked into may have been asked about already: it becomes another.
      gaps.set(platform, new Date(gaps.get(platform) ?? clock.now()));
      loop.wake();
    },
  };
}
