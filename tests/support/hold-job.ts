/** A worker that takes a job, says so to its parent and holds it for ever. Arguments: database address, queue prefix. */
import { createJobQueue } from '../../src/queue/bullmq-queue.ts';

const [url, prefix] = process.argv.slice(2);
if (url === undefined || prefix === undefined) throw new Error('usage: hold-job.ts <url> <prefix>');

const queue = await createJobQueue({ url, prefix, lockMs: 1000, onError: () => undefined });
await queue.work(
  {
    'run.execute': () => {
      process.send?.('holding');
      return new Promise<void>(() => undefined);
    },
  },
  { concurrency: 1 },
);
