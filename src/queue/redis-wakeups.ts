import { randomUUID } from 'node:crypto';
import { z } from 'zod';
import type { RedisAddress } from '../runtime/redis-address.ts';
import type { Announce } from '../store/database.ts';
import { createWakeListeners } from '../store/wake-listeners.ts';
import type { Wakeups } from '../store/wakeups.ts';
import { endRedis, openRedis } from './redis.ts';
import { redisPrefix } from './redis-backend.ts';

/** What travels: who says it, and what is to be woken. */
const messageSchema = z.object({ from: z.string(), wakes: z.array(z.string()) });
/** Says that everybody looks. */
const everything = '*';

/**
 * Wake-ups over Redis instead of the database, which then needs no connection that listens and no lock at its commits. Readers of this
 * process are woken directly, so that one process alone is as quick without Redis. While Redis is away, other processes find what is new
 * when they poll; when it is back, everybody looks once.
 */
export function createRedisWakeups(options: {
  address: RedisAddress;
  installation: string;
  onError(error: unknown): void;
}): Wakeups & { announce: Announce } {
  const channel = `${redisPrefix(options.installation)}:wake`;
  const self = randomUUID();
  const { subscribe, deliver, rouse } = createWakeListeners();
  // One line in the log for one outage.
  let reported = false;
  const report = (error: unknown) => {
    if (reported) return;
    reported = true;
    options.onError(error);
  };
  const speaking = openRedis(options.address, 'ask', report);
  const listening = openRedis(options.address, 'wait', report);

  let unsaid = false;
  function say(wakes: readonly string[]): void {
    speaking.publish(channel, JSON.stringify({ from: self, wakes })).catch((error: unknown) => {
      unsaid = true;
      report(error);
    });
  }
  speaking.on('ready', () => {
    if (unsaid) say([everything]);
    unsaid = false;
  });

  async function listen(): Promise<void> {
    await listening.subscribe(channel);
    reported = false;
  }

  listening.on('message', (_channel, text) => {
    try {
      const { from, wakes } = messageSchema.parse(JSON.parse(text));
      if (from === self) return;
      if (wakes.includes(everything)) rouse();
      else wakes.forEach(deliver);
    } catch (error) {
      options.onError(error);
    }
  });

  return {
    subscribe,
    announce(wakes) {
      wakes.forEach(deliver);
      say(wakes);
    },
    async start() {
      await listen();
      listening.on('ready', () => void listen().then(rouse, report));
    },
    async stop() {
      endRedis(listening);
      endRedis(speaking);
    },
  };
}
