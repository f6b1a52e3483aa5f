import { createPostgresBackend, type Queue, UnrecoverableError, type Worker, withBackend } from 'bullmq';
import { type JobHandlers, type JobName, type JobQueue, JobRefused, type JobWorker, jobSchemas } from '../contracts/jobs.ts';

export interface QueueOptions {
  /** PostgreSQL address; BullMQ keeps its tables in a schema of its own. */
  url: string;
  schema?: string | undefined;
  /** Tells apart installations that share a database server; part of the queue names. */
  prefix?: string | undefined;
  onError(error: unknown, context: { queue: string; job?: string }): void;
  /** How long a dead worker keeps its job before another one gets it. Milliseconds; default 30 s. */
  lockMs?: number | undefined;
}

/** Each job kind has its own queue, so that a short `project.sync` never waits behind long runs. */
const jobNames = Object.keys(jobSchemas) as JobName[];

/** A failed handler is tried again after 1, 2, 4 … s. What still fails is dropped; the sweeper publishes it again if it is due. */
const attempts = 5;

/** The only user of BullMQ: queues on its PostgreSQL backend. */
export async function createJobQueue(options: QueueOptions): Promise<JobQueue> {
  const { Queue: PgQueue, Worker: PgWorker } = withBackend(createPostgresBackend);
  const schema = options.schema ?? 'bullmq';
  // Idle pool connections close after 10 s, so an idle program keeps only the LISTEN connections of its workers.
  const connection = (migrate: boolean) => ({ connectionString: options.url, schema, max: 2, migrate });
  const queueName = (name: JobName) => `${options.prefix ?? 'deckhand'}-${name.replace('.', '-')}`;

  const queues = new Map<JobName, Queue>();
  for (const name of jobNames) {
    const queue = new PgQueue(queueName(name), { connection: connection(queues.size === 0) });
    queue.on('error', (error: unknown) => options.onError(error, { queue: name }));
    // The first one migrates the schema; the others check it.
    await queue.waitUntilReady();
    queues.set(name, queue as unknown as Queue);
  }

  function queueOf(name: JobName): Queue {
    const queue = queues.get(name);
    if (queue === undefined) throw new Error(`no queue for ${name}`);
    return queue;
  }

  return {
    async publish(name, data, { id, delayMs, priority }) {
      await queueOf(name).add(name, jobSchemas[name].parse(data), {
        jobId: id,
        attempts,
        backoff: { type: 'exponential', delay: 1000 },
        removeOnComplete: true,
        removeOnFail: true,
        ...(delayMs === undefined ? {} : { delay: delayMs }),
        ...(priority === undefined ? {} : { priority: priority + 1 }),
      });
    },

    async work(handlers, { concurrency }): Promise<JobWorker> {
      const lockMs = options.lockMs ?? 30_000;
      const workers: Worker[] = [];
      for (const name of jobNames) {
        if (handlers[name] === undefined) continue;
        const worker = new PgWorker(
          queueName(name),
          (job, _token, signal) => handle(handlers, name, job.data, signal ?? new AbortController().signal),
          {
            connection: connection(false),
            concurrency,
            lockDuration: lockMs,
            stalledInterval: lockMs,
            // A run outlives many runner lives: a job may stall as often as machines die.
            maxStalledCount: 1_000_000,
            removeOnComplete: { count: 0 },
            removeOnFail: { count: 0 },
          },
        );
        worker.on('error', (error: unknown) => options.onError(error, { queue: name }));
        worker.on('failed', (job, error) => {
          if (!(error instanceof UnrecoverableError))
            options.onError(error, job?.id === undefined ? { queue: name } : { queue: name, job: job.id });
        });
        await worker.waitUntilReady();
        workers.push(worker as unknown as Worker);
      }
      let stopping: Promise<void> | undefined;
      return {
        stop(graceMs) {
          stopping ??= stopWorkers(workers, graceMs);
          return stopping;
        },
      };
    },

    async counts() {
      const totals = { waiting: 0, delayed: 0, active: 0 };
      for (const queue of queues.values()) {
        const counts = await queue.getJobCounts('wait', 'prioritized', 'delayed', 'active');
        totals.waiting += (counts.wait ?? 0) + (counts.prioritized ?? 0);
        totals.delayed += counts.delayed ?? 0;
        totals.active += counts.active ?? 0;
      }
      return totals;
    },

    async close() {
      await Promise.all([...queues.values()].map((queue) => queue.close()));
    },
  };
}

async function handle(handlers: JobHandlers, name: JobName, raw: unknown, signal: AbortSignal): Promise<void> {
  try {
    switch (name) {
      case 'run.execute':
        return await handlers[name]?.(jobSchemas[name].parse(raw), signal);
      case 'project.sync':
        return await handlers[name]?.(jobSchemas[name].parse(raw), signal);
    }
  } catch (error) {
    if (error instanceof JobRefused) throw new UnrecoverableError(error.message);
    throw error;
  }
}

async function stopWorkers(workers: readonly Worker[], graceMs: number): Promise<void> {
  const closing = Promise.all(workers.map((worker) => worker.close()));
  const timer = setTimeout(() => {
    for (const worker of workers) worker.cancelAllJobs('stop');
  }, graceMs);
  try {
    await closing;
  } finally {
    clearTimeout(timer);
  }
}
