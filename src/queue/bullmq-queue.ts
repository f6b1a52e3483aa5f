import { type Queue, UnrecoverableError, type Worker } from 'bullmq';
import { type JobHandlers, type JobName, type JobQueue, JobRefused, type JobWorker, jobSchemas } from '../contracts/jobs.ts';
import type { RedisAddress } from '../runtime/redis-address.ts';
import type { QueueBackend } from './backend.ts';
import { postgresBackend } from './postgres-backend.ts';

export interface QueueOptions {
  /** PostgreSQL address; BullMQ keeps its tables in a schema of its own. */
  url: string;
  schema?: string | undefined;
  /** Keeps the jobs in Redis instead. `installation` tells apart those that share a Redis. */
  redis?: { address: RedisAddress; installation: string } | undefined;
  /** Begin of the queue names. */
  prefix?: string | undefined;
  onError(error: unknown, context: { queue: string; job?: string }): void;
  /** How long a dead worker keeps its job before another one gets it. Milliseconds; default 30 s. */
  lockMs?: number | undefined;
}

/** Each job kind has its own queue, so that a short `project.sync` never waits behind long runs. */
const jobNames = Object.keys(jobSchemas) as JobName[];

/** How many of a kind begin within so many milliseconds, all workers together: a code host is asked by every sync. */
const jobLimits: Partial<Record<JobName, { max: number; duration: number }>> = { 'project.sync': { max: 10, duration: 1000 } };

/** Hosts come and go where machines are made as they are needed. */
const unneededAfterMs = 60 * 60_000;

/** A failed handler is tried again after 1, 2, 4 … s. What still fails is dropped; the sweeper publishes it again if it is due. */
const attempts = 5;

/** The only user of BullMQ: queues on its PostgreSQL backend, or in Redis where one is given. */
export async function createJobQueue(options: QueueOptions): Promise<JobQueue> {
  const onError = withoutRepetition(options.onError);
  const backend = await openBackend({ ...options, onError });
  // Hosts have queues of their own: whoever works there finds what is meant for them, and nothing else.
  const prefix = options.prefix ?? 'deckhand';
  const queueName = (name: JobName, host?: string) =>
    [prefix, name.replace('.', '-'), ...(host === undefined ? [] : [host])].join('-');

  const queues = new Map<string, Promise<Queue>>();
  /** When a queue of a host was needed last, by the clock that only goes on. A host that is gone needs none. */
  const needed = new Map<string, number>();
  for (const name of jobNames) await queueOf(name);

  function queueOf(name: JobName, host?: string): Promise<Queue> {
    const full = queueName(name, host);
    if (host !== undefined) needed.set(full, performance.now());
    const known = queues.get(full);
    if (known !== undefined) return known;
    closeUnneeded();
    const opening = openQueue(name, full);
    queues.set(full, opening);
    // What could not be opened is tried again when it is needed again.
    opening.catch(() => queues.delete(full));
    return opening;
  }

  /** What waits in them stays; they are opened again when something is published for their host. */
  function closeUnneeded(): void {
    for (const [full, at] of needed) {
      if (performance.now() - at < unneededAfterMs) continue;
      needed.delete(full);
      const closing = queues.get(full)?.then((queue) => queue.close());
      queues.delete(full);
      closing?.catch((error: unknown) => onError(error, { queue: full }));
    }
  }

  async function openQueue(name: JobName, full: string): Promise<Queue> {
    const queue = await backend.openQueue(full);
    queue.on('error', (error: unknown) => onError(error, { queue: name }));
    await queue.waitUntilReady();
    return queue;
  }

  const refuse = (error: unknown): never => {
    throw backend.explain(error);
  };

  return {
    async publish(name, data, { id, host, delayMs, priority }) {
      const queue = await queueOf(name, host).catch(refuse);
      const adding = queue.add(name, jobSchemas[name].parse(data), {
        jobId: id,
        attempts,
        backoff: { type: 'exponential', delay: 1000 },
        removeOnComplete: true,
        removeOnFail: true,
        ...(delayMs === undefined ? {} : { delay: delayMs }),
        ...(priority === undefined ? {} : { priority: priority + 1 }),
      });
      await adding.catch(refuse);
    },

    async work(handlers, { concurrency, host }): Promise<JobWorker> {
      const lockMs = options.lockMs ?? 30_000;
      const workers: Worker[] = [];
      for (const name of jobNames) {
        if (handlers[name] === undefined) continue;
        // What is meant for a host is counted where it is taken, too.
        await queueOf(name, host);
        const limit = jobLimits[name];
        const worker = await backend.openWorker(
          queueName(name, host),
          (job, _token, signal) => handle(handlers, name, job.data, signal ?? new AbortController().signal),
          {
            concurrency,
            ...(limit === undefined ? {} : { limiter: limit }),
            lockDuration: lockMs,
            stalledInterval: lockMs,
            // By itself a worker that found its server away looks again after 15 s: two of them, and nothing begins for half a minute.
            runRetryDelay: 1000,
            // A run outlives many runner lives: a job may stall as often as machines die.
            maxStalledCount: 1_000_000,
            removeOnComplete: { count: 0 },
            removeOnFail: { count: 0 },
          },
        );
        worker.on('error', (error: unknown) => onError(error, { queue: name }));
        worker.on('failed', (job, error) => {
          if (!(error instanceof UnrecoverableError))
            onError(error, job?.id === undefined ? { queue: name } : { queue: name, job: job.id });
        });
        await worker.waitUntilReady();
        workers.push(worker);
      }
      let stopping: Promise<void> | undefined;
      return {
        stop(graceMs) {
          stopping ??= stopWorkers(backend, workers, graceMs);
          return stopping;
        },
      };
    },

    counts: () => backend.counts(`${prefix}-`).catch(refuse),

    async close() {
      await Promise.all([...queues.values()].map((opened) => opened.then((queue) => queue.close())));
      await backend.close();
    },
  };
}

/** The driver of Redis is loaded only where it is used. */
async function openBackend({ url, schema, redis, onError }: QueueOptions): Promise<QueueBackend> {
  if (redis === undefined) return postgresBackend({ url, schema: schema ?? 'bullmq' });
  const { redisBackend } = await import('./redis-backend.ts');
  return redisBackend({ ...redis, onError: (error) => onError(error, { queue: 'redis' }) });
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

async function stopWorkers(backend: QueueBackend, workers: readonly Worker[], graceMs: number): Promise<void> {
  const closing = Promise.all(workers.map((worker) => worker.close()));
  const lost = setInterval(() => backend.giveUp(), 500);
  const timer = setTimeout(() => {
    for (const worker of workers) worker.cancelAllJobs('stop');
  }, graceMs);
  try {
    await closing;
  } finally {
    clearTimeout(timer);
    clearInterval(lost);
  }
}

/** An outage is told once a minute, not at every try to end it. */
function withoutRepetition(onError: QueueOptions['onError']): QueueOptions['onError'] {
  const told = new Map<string, number>();
  return (error, context) => {
    const what = `${context.queue} ${error}`;
    const now = Date.now();
    if (context.job === undefined && now - (told.get(what) ?? 0) < 60_000) return;
    for (const [old, at] of told) if (now - at >= 60_000) told.delete(old);
    told.set(what, now);
    onError(error, context);
  };
}
