import type { Config } from './config.ts';
import { createHttpServer } from './http/server.ts';
import type { Infrastructure } from './infrastructure.ts';
import { createMetrics, type Metrics } from './observe/metrics.ts';
import { addPoolMetrics, addStoredMetrics } from './observe/stored-metrics.ts';
import type { Clock } from './runtime/clock.ts';
import type { Part } from './runtime/lifecycle.ts';
import type { Logger } from './runtime/logger.ts';
import type { Database } from './store/database.ts';
import { hasRunner } from './store/runners.ts';
import { standingOf } from './store/standing.ts';
import { waitingCounts } from './store/waiting-counts.ts';

/** What this process counts, with what the database says where it is asked about all of them. */
export function observe(role: 'start' | 'gateway' | 'runner', { database, queue }: Infrastructure): Metrics {
  const metrics = createMetrics();
  metrics.watchDatabase(database);
  addPoolMetrics(metrics.registry, database);
  if (role !== 'runner') {
    addStoredMetrics(metrics.registry, {
      standing: () => standingOf(database.db),
      async waiting() {
        const [rows, jobs] = await Promise.all([waitingCounts(database.db), queue.counts()]);
        return { ...rows, jobs_waiting: jobs.waiting, jobs_delayed: jobs.delayed, jobs_active: jobs.active };
      },
    });
  }
  return metrics;
}

/** A door of its own for whoever watches Deckhand from another machine: figures and health, and nothing else. */
export function metricsPart(
  { config, role }: { config: Config; role: 'start' | 'gateway' | 'runner' },
  { database, dataDir, queue, clock }: Infrastructure,
  metrics: Metrics,
  logger: Logger,
): Part[] {
  const { host, metricsPort: port } = config.http;
  if (port === undefined) return [];
  const server = createHttpServer({
    host,
    port,
    logger,
    groups: [],
    webhooks: [],
    checks: [
      {
        name: 'database',
        run: async () => {
          await database.db.$queryRaw`SELECT 1`;
          return undefined;
        },
      },
      { name: 'queue', run: async () => `${(await queue.counts()).waiting} jobs wait` },
      ...(role === 'gateway' ? [] : [{ name: 'runner', run: () => runnerBeats(database, dataDir.hostId, clock) }]),
    ],
    metrics: metrics.registry,
    // Whoever configures this port decides who reaches it; there are no names and no texts behind it.
    metricsFor: 'anyone',
  });
  return [
    {
      name: 'metrics',
      async start() {
        await server.start();
        logger.info({ url: `${server.url}/metrics` }, 'figures are told here');
      },
      stop: () => server.stop(),
      abort: () => server.abort(),
    },
  ];
}

/** A runner that cannot tell the database that it is alive is given nothing to do. */
async function runnerBeats(database: Database, host: string, clock: Clock): Promise<undefined> {
  if (!(await hasRunner(database.db, host, clock.now()))) throw new Error('the runner is not registered, or does not beat');
}
