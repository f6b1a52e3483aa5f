/** A worker that takes a job, says so to its parent and holds it for ever. Arguments: database address, queue prefix, and Redis if it is there. */
import { createJobQueue } from '../../src/queue/bullmq-queue.ts';
import { parseRedisAddress } from '../../src/runtime/redis-address.ts';

const [url, prefix, redis] = process.argv.slice(2);
if (url === undefined || prefix === undefined) throw new Error('usage: hold-job.ts <url> <prefix> [<redis url>]');

const address = redis === undefined ? undefined : parseRedisAddress(redis);
const queue = await createJobQueue({
  url,
  prefix,
  redis: address === undefined ? undefined : { address, installation: 'test' },
  lockMs: 1000,
  onError: () => undefined,
});
await queue.work(
  {
    'run.execute': () => {
      process.send?.('holding');
      return new Promise<void>(() => undefined);
    },
  },
  { concurrency: 1 },
);
