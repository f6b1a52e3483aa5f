import { createPostgresBackend, type Queue, type Worker, withBackend } from 'bullmq';
import type { QueueBackend } from './backend.ts';

/** BullMQ's tables in a schema of their own. */
export function postgresBackend({ url, schema }: { url: string; schema: string }): QueueBackend {
  const { Queue: PgQueue, Worker: PgWorker } = withBackend(createPostgresBackend);
  let migrates = true;
  // Idle pool connections close after 10 s, so an idle program keeps only the LISTEN connections of its workers.
  const connection = (migrate: boolean) => ({ connectionString: url, schema, max: 2, migrate });
  return {
    async openQueue(name) {
      // The first one migrates the schema; the others check it.
      const queue = new PgQueue(name, { connection: connection(migrates) });
      migrates = false;
      return queue as unknown as Queue;
    },
    async openWorker(name, process, choices) {
      return new PgWorker(name, process, { connection: connection(false), ...choices }) as unknown as Worker;
    },
    explain: (error) => error,
    // What it asks of a server that is away fails by itself.
    giveUp: () => undefined,
    close: async () => undefined,
  };
}
