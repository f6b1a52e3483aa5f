import type { ChatAdapter, GapLook } from './contracts/chat-adapter.ts';
import type { Platform } from './contracts/platform.ts';
import type { Clock } from './runtime/clock.ts';
import type { Part } from './runtime/lifecycle.ts';
import type { Logger } from './runtime/logger.ts';
import { createLoop } from './runtime/loop.ts';
import type { Database } from './store/database.ts';
import { closeGap, keepGap, openGap } from './store/gaps.ts';
import { missedConversations } from './store/missed.ts';

/** What was said earlier is not answered any more: people have found another way by then. */
const longestMs = 24 * 60 * 60_000;
const mostConversations = 100;

export interface CatchUp {
  part: Part;
  /** Something may have been said on the platform that nobody heard, until now, at the latest since `from`. */
  gap(platform: Platform, from?: Date): GapLook;
}

/** A gap that was told and is not looked into yet. */
interface Told {
  platform: Platform;
  from: Date;
  kept: PromiseWithResolvers<void>;
  over: PromiseWithResolvers<void>;
}

/**
 * Asks platforms that do not deliver again what people wrote while nobody listened. The beginning of a gap is kept in the database until all
 * of it was asked for, so that another process goes on where this one has ended. Several gaps of a platform are looked into together; what
 * fails is tried again. What was stored already does no harm (promise 2).
 */
export function createCatchUp(deps: {
  database: Database;
  adapters: () => readonly ChatAdapter[];
  clock: Clock;
  logger: Logger;
}): CatchUp {
  const { database, clock, logger } = deps;
  const toKeep: Told[] = [];
  const toLookInto: Told[] = [];

  const keeping = createLoop({
    name: 'gaps',
    idleMs: 60_000,
    async run() {
      const [first] = toKeep;
      if (first === undefined) return false;
      await keepGap(database, first.platform, first.from, longestMs);
      toKeep.shift();
      toLookInto.push(first);
      first.kept.resolve();
      looking.wake();
      return toKeep.length > 0;
    },
    onError: (error, failures) => logger.warn({ err: error, failures }, 'that something may have been missed could not be kept'),
  });

  const looking = createLoop({
    name: 'catch-up',
    idleMs: 60_000,
    async run(signal) {
      for (const platform of new Set(toLookInto.map((one) => one.platform))) {
        if (signal.aborted) return false;
        // One that is told from here on may not be part of what is asked for: it becomes another.
        const told = toLookInto.filter((one) => one.platform === platform);
        await lookInto(platform);
        for (const one of told) {
          toLookInto.splice(toLookInto.indexOf(one), 1);
          one.over.resolve();
        }
      }
      return toLookInto.length > 0;
    },
    onError: (error, failures) => logger.warn({ err: error, failures }, 'what was missed could not be asked for'),
  });

  async function lookInto(platform: Platform): Promise<void> {
    const adapter = deps.adapters().find((one) => one.platform === platform);
    const gap = await openGap(database, platform);
    if (adapter?.backfill === undefined || gap === undefined) return;
    const since = new Date(Math.max(gap.since.getTime(), clock.now().getTime() - longestMs));
    const missed = await missedConversations(database, { platform, since, most: mostConversations });
    await adapter.backfill(missed);
    await closeGap(database, platform, gap);
    logger.info({ platform, conversations: missed.length }, 'looked for what was said while nobody listened');
  }

  return {
    part: {
      name: 'catch-up',
      async start() {
        keeping.start();
        looking.start();
      },
      stop: async () => void (await Promise.all([keeping.stop(), looking.stop()])),
    },
    gap(platform, from) {
      const told: Told = {
        platform,
        from: from ?? clock.now(),
        kept: Promise.withResolvers<void>(),
        over: Promise.withResolvers<void>(),
      };
      toKeep.push(told);
      keeping.wake();
      return { kept: told.kept.promise, over: told.over.promise };
    },
  };
}
