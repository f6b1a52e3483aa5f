import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { createJobQueue } from '../../src/queue/bullmq-queue.ts';
import { createTestDatabase, type TestDatabase } from '../support/postgres.ts';
import { eventually } from '../support/wait-for.ts';
import { jobQueueContract } from './job-queue-contract.ts';

let database: TestDatabase;

beforeAll(async () => {
  database = await createTestDatabase();
});
afterAll(() => database.close());

function openPostgresQueue(name: string, { lockMs }: { lockMs: number }) {
  return createJobQueue({ url: database.url, prefix: name, lockMs, onError: () => undefined });
}

jobQueueContract({ name: 'BullMQ on PostgreSQL', open: openPostgresQueue });

it('promise 8: a job whose worker was killed is given to another worker', async () => {
  const queue = await openPostgresQueue('killed', { lockMs: 1000 });
  const holder = fork(fileURLToPath(new URL('../support/hold-job.ts', import.meta.url)), [database.url, 'killed'], {
    stdio: 'inherit',
  });
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
