import { randomUUID } from 'node:crypto';
import { z } from 'zod';
import type { RedisAddress } from '../runtime/redis-address.ts';
import type { Announce, WakeTopic } from '../store/database.ts';
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
  const listeners = new Set<{ topic: WakeTopic; id: string | undefined; wake: (id: string) => void }>();
  // One line in the log for one outage.
  let reported = false;
  const report = (error: unknown) => {
    if (reported) return;
    reported = true;
    options.onError(error);
  };
  const speaking = openRedis(options.address, 'ask', report);
  const listening = openRedis(options.address, 'wait', report);

  function deliver(wakes: readonly string[]): void {
    for (const wake of wakes) {
      const split = wake.indexOf(':');
      const topic = wake.slice(0, split);
      const id = wake.slice(split + 1);
      for (const listener of listeners) {
        if (listener.topic === topic && (listener.id === undefined || listener.id === id)) listener.wake(id);
      }
    }
  }

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

  function rouse(): void {
    for (const listener of listeners) listener.wake(listener.id ?? '');
  }

  async function listen(): Promise<void> {
    await listening.subscribe(channel);
    reported = false;
  }

  listening.on('message', (_channel, text) => {
    try {
      const { from, wakes } = messageSchema.parse(JSON.parse(text));
      if (from === self) return;
      if (wakes.includes(everything)) rouse();
      else deliver(wakes);
    } catch (error) {
      options.onError(error);
    }
  });

  return {
    subscribe(topic, id, wake) {
      const listener = { topic, id, wake };
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
    announce(wakes) {
      deliver(wakes);
      say(wakes);
    },
    async start() {
      await listen();
      listening.on('ready', () => {
        // What happened while nobody listened is unknown: everybody looks.
        listen().then(rouse, report);
      });
    },
    async stop() {
      endRedis(listening);
      endRedis(speaking);
    },
  };
}
