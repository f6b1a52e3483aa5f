import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { createJobQueue } from '../../src/queue/bullmq-queue.ts';
import { createTestDatabase, type TestDatabase } from '../support/postgres.ts';
import { createTestRedis, type TestRedis } from '../support/redis.ts';
import { eventually } from '../support/wait-for.ts';
import { type JobQueueSubject, jobQueueContract } from './job-queue-contract.ts';

let database: TestDatabase;
let redis: TestRedis;

beforeAll(async () => {
  [database, redis] = await Promise.all([createTestDatabase(), createTestRedis()]);
});
afterAll(() => Promise.all([database.close(), redis.close()]));

const subjects: readonly (JobQueueSubject & { redisUrl?: () => string })[] = [
  {
    name: 'BullMQ on PostgreSQL',
    open: (name, { lockMs }) => createJobQueue({ url: database.url, prefix: name, lockMs, onError: () => undefined }),
  },
  {
    name: 'BullMQ on Redis',
    redisUrl: () => redis.url,
    open: (name, { lockMs }) =>
      createJobQueue({
        url: database.url,
        redis: { address: redis.address, installation: 'test' },
        prefix: name,
        lockMs,
        onError: () => undefined,
      }),
  },
];

for (const subject of subjects) jobQueueContract(subject);

it.each(subjects)('promise 8: $name gives a job whose worker was killed to another worker', async ({ open, redisUrl }) => {
  const queue = await open('killed', { lockMs: 1000 });
  const args = [database.url, 'killed', ...(redisUrl === undefined ? [] : [redisUrl()])];
  const holder = fork(fileURLToPath(new URL('../support/hold-job.ts', import.meta.url)), args, { stdio: 'inherit' });
  try {
    await queue.publish('run.execute', { run: 'run_1' }, { id: 'run_1' });
    await once(holder, 'message');
    holder.kill('SIGKILL');
    await once(holder, 'exit');
    const seen: string[] = [];
    const worker = await queue.work({ 'run.execute': async ({ run }) => void seen.push(run) }, { concurrency: 1 });
    await eventually(() => expect(seen).toEqual(['run_1']), { timeoutMs: 10_000 });
    await worker.stop(0);
  } finally {
    holder.kill('SIGKILL');
    await queue.close();
  }
});
