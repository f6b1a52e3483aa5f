import type { JobQueue } from '../contracts/jobs.ts';
import type { Clock } from '../runtime/clock.ts';
import type { Logger } from '../runtime/logger.ts';
import type { Database } from '../store/database.ts';
import { givePlaces, type Placed } from '../store/places.ts';

export interface Dispatcher {
  /**
   * Gives free places to waiting runs and publishes their jobs. Resolves when a pass that began after the call is done; calls during
   * a pass share the next one. Never throws: what failed is logged and repeated by the sweeper.
   */
  dispatch(): Promise<void>;
  /** Publishes the job of a run for the runner of a host; idempotent while the queue has it. */
  publish(placed: Placed): Promise<void>;
}

export function createDispatcher(deps: { database: Database; queue: JobQueue; clock: Clock; logger: Logger }): Dispatcher {
  const { database, queue, clock, logger } = deps;
  let current: Promise<void> = Promise.resolve();
  let next: Promise<void> | undefined;

  async function pass(): Promise<void> {
    try {
      const placed = await database.transaction((tx) => givePlaces(tx, clock.now()));
      for (const one of placed) await publish(one);
    } catch (error) {
      logger.error({ err: error }, 'dispatch failed');
    }
  }

  async function publish({ run, host }: Placed): Promise<void> {
    try {
      await queue.publish('run.execute', { run }, { id: run, host });
    } catch (error) {
      logger.error({ err: error, run }, 'job not published');
    }
  }

  return {
    dispatch() {
      next ??= current.then(() => {
        next = undefined;
        current = pass();
        return current;
      });
      return next;
    },
    publish,
  };
}
