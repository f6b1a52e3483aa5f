import { createPostgresBackend, type Queue, type Worker, withBackend } from 'bullmq';
import type { JobCounts, QueueBackend } from './backend.ts';

/** BullMQ's tables in a schema of their own. */
export function postgresBackend({ url, schema }: { url: string; schema: string }): QueueBackend {
  const { Queue: PgQueue, Worker: PgWorker } = withBackend(createPostgresBackend);
  let first: ReturnType<typeof open> | undefined;
  const open = (name: string, migrate: boolean) => new PgQueue(name, { connection: connection(migrate) });
  // Idle pool connections close after 10 s, so an idle program keeps only the LISTEN connections of its workers.
  const connection = (migrate: boolean) => ({ connectionString: url, schema, max: 2, migrate });
  return {
    async openQueue(name) {
      // The first one migrates the schema; the others check it.
      const queue = open(name, first === undefined);
      first ??= queue;
      return queue as unknown as Queue;
    },
    async openWorker(name, process, choices) {
      return new PgWorker(name, process, { connection: connection(false), ...choices }) as unknown as Worker;
    },
    async counts(beginning) {
      const counts: JobCounts = { waiting: 0, delayed: 0, active: 0 };
      // One statement, whatever the number of hosts. What is done is not kept, so the table holds little else.
      const result = await first?.getBackend().connection.pool.query<{ state: keyof JobCounts; count: number }>(
        `SELECT state, count(*)::int AS count FROM job
         WHERE starts_with(queue, $1) AND state IN ('waiting', 'delayed', 'active') GROUP BY state`,
        [beginning],
      );
      for (const { state, count } of result?.rows ?? []) counts[state] = count;
      return counts;
    },
    explain: (error) => error,
    // What it asks of a server that is away fails by itself.
    giveUp: () => undefined,
    close: async () => undefined,
  };
}
