import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';
import type { JobQueue } from './contracts/jobs.ts';
import type { Database } from './store/database.ts';
import { waitingCounts } from './store/waiting-counts.ts';

export interface Metrics {
  registry: Registry;
  inbound(platform: string, stored: number, duplicate: number): void;
  platformCall(call: { platform: string; operation: string; outcome: string; ms: number }): void;
}

/** What `/metrics` shows. Counts of waiting rows are read when it is asked for. */
export function createMetrics(database: Database, queue: JobQueue): Metrics {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  const inbound = new Counter({
    name: 'deckhand_inbound_events_total',
    help: 'Events that platforms delivered, by whether they were new',
    labelNames: ['platform', 'kind'],
    registers: [registry],
  });
  const calls = new Counter({
    name: 'deckhand_platform_calls_total',
    help: 'Calls to platforms',
    labelNames: ['platform', 'operation', 'outcome'],
    registers: [registry],
  });
  const callSeconds = new Histogram({
    name: 'deckhand_platform_call_seconds',
    help: 'Duration of calls to platforms',
    labelNames: ['platform', 'operation'],
    buckets: [0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10],
    registers: [registry],
  });
  new Gauge({
    name: 'deckhand_waiting',
    help: 'Rows that wait: inbound events, messages to send, runs, decisions, jobs',
    labelNames: ['what'],
    registers: [registry],
    async collect() {
      const [rows, jobs] = await Promise.all([waitingCounts(database.db), queue.counts()]);
      const jobCounts = { jobs_waiting: jobs.waiting, jobs_delayed: jobs.delayed, jobs_active: jobs.active };
      for (const [what, count] of Object.entries({ ...rows, ...jobCounts })) this.set({ what }, count);
    },
  });
  return {
    registry,
    inbound(platform, stored, duplicate) {
      inbound.inc({ platform, kind: 'new' }, stored);
      inbound.inc({ platform, kind: 'duplicate' }, duplicate);
    },
    platformCall({ platform, operation, outcome, ms }) {
      calls.inc({ platform, operation, outcome });
      callSeconds.observe({ platform, operation }, ms / 1000);
    },
  };
}
