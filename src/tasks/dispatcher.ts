import { setTimeout as delay } from 'node:timers/promises';
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

/** After these pauses it is looked again for a run that was passed over because its row was locked; then the sweep does. */
const passedOverMs = [20, 50, 100, 200];

export function createDispatcher(deps: { database: Database; queue: JobQueue; clock: Clock; logger: Logger }): Dispatcher {
  const { database, queue, clock, logger } = deps;
  let current: Promise<void> = Promise.resolve();
  let next: Promise<void> | undefined;

  async function pass(): Promise<void> {
    try {
      for (const pauseMs of passedOverMs) {
        let passedOver = false;
        const onPassedOver = () => {
          passedOver = true;
        };
        const placed = await database.transaction((tx) => givePlaces(tx, clock.now(), onPassedOver));
        for (const one of placed) await publish(one);
        if (!passedOver) break;
        await delay(pauseMs);
      }
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
