import { Queue, Worker } from 'bullmq';
import type { Redis } from 'ioredis';
import { AppError } from '../contracts/errors.ts';
import type { RedisAddress } from '../runtime/redis-address.ts';
import type { QueueBackend } from './backend.ts';
import { endRedis, openRedis } from './redis.ts';

/** All keys of an installation begin like this; braces keep them on one node where keys are spread by hash. */
export function redisPrefix(installation: string): string {
  return `{deckhand:${installation}}`;
}

/**
 * BullMQ's keys in Redis. What only publishes and counts is told at once when Redis is away; workers wait for it. Both kinds share one
 * connection each, besides the one on which each worker waits for jobs.
 */
export function redisBackend(options: {
  address: RedisAddress;
  installation: string;
  onError(error: unknown): void;
}): QueueBackend {
  const asking = openRedis(options.address, 'ask', options.onError);
  const waiting = openRedis(options.address, 'wait', options.onError);
  const prefix = redisPrefix(options.installation);
  // Redis has no list of the queues. Each process adds those that it opens, and again whenever it counts: a Redis may forget everything.
  const known = new Map<string, Queue>();
  const names = `${prefix}:deckhand-queues`;
  const open = (name: string): Queue => {
    // Version and memory policy have been looked at before (redis.ts). Workers look again: they wait as exactly as the version can.
    const queue = new Queue(name, { connection: asking, prefix, skipVersionCheck: true });
    known.set(name, queue);
    return queue;
  };
  // BullMQ makes a copy for each worker to wait on, and keeps it to itself.
  const copies: Redis[] = [];
  const duplicate = waiting.duplicate.bind(waiting);
  waiting.duplicate = (...args) => {
    const copy = duplicate(...args);
    copies.push(copy);
    return copy;
  };
  return {
    async openQueue(name) {
      // A queue that is opened while the server is away would wait for it; the first one does, at the start.
      if (known.size > 0 && asking.status !== 'ready') throw new AppError('DH-109', { detail: 'it is away' });
      const queue = known.get(name) ?? open(name);
      if (asking.status === 'ready') await asking.sadd(names, name);
      return queue;
    },
    async counts(beginning) {
      if (known.size > 0) await asking.sadd(names, ...known.keys());
      const counts = { waiting: 0, delayed: 0, active: 0 };
      const all = (await asking.smembers(names)).filter((name) => name.startsWith(beginning));
      const queues = all.map((name) => known.get(name) ?? open(name).on('error', options.onError));
      const found = await Promise.all(queues.map((queue) => queue.getJobCounts('wait', 'prioritized', 'delayed', 'active')));
      for (const { wait = 0, prioritized = 0, delayed = 0, active = 0 } of found) {
        counts.waiting += wait + prioritized;
        counts.delayed += delayed;
        counts.active += active;
      }
      return counts;
    },
    async openWorker(name, process, choices) {
      return new Worker(name, process, { connection: waiting, prefix, ...choices });
    },
    explain: (error) =>
      asking.status === 'ready' && !isLoss(error) ? error : new AppError('DH-109', { detail: 'it is away' }, { cause: error }),
    giveUp() {
      if (waiting.status === 'ready') return;
      for (const connection of [waiting, ...copies]) endRedis(connection);
    },
    async close() {
      for (const connection of [asking, waiting, ...copies]) endRedis(connection);
    },
  };
}

/** What ioredis says of a command that found no server, or lost it (`Redis.js` of ioredis 6.0); its status follows a moment later. */
function isLoss(error: unknown): boolean {
  return error instanceof Error && /Stream isn't writeable|Connection is closed|Command timed out/.test(error.message);
}
