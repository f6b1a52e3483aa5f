import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';
import type { InboundEvent } from '../contracts/inbound.ts';
import type { SendOutcome } from '../delivery/send-row.ts';
import type { Database } from '../store/database.ts';
import { createRunMetrics, type RunMetrics } from './run-metrics.ts';

/** What a process counts. Labels have few values, none of them a name or a text of a person. */
export interface Metrics extends RunMetrics {
  registry: Registry;
  /** Events have been stored, `ms` after they were heard of: the platform is answered now. */
  inbound(taken: { platform: string; stored: number; duplicate: number; ms: number }): void;
  handled(event: Pick<InboundEvent, 'type' | 'at' | 'conversation'>, outcome: 'done' | 'refused' | 'failed', now: Date): void;
  platformCall(call: { platform: string; operation: string; outcome: string; ms: number }): void;
  sent(message: { platform: string; type: string; outcome: SendOutcome; merged: number; ms: number }): void;
  rateWait(wait: { platform: string; cause: 'budget' | 'platform'; ms: number }): void;
  sandbox(started: { sandbox: 'docker' | 'local'; warm: boolean; ms: number }): void;
  /** Streams of events that are open now. */
  eventStreams(open: number): void;
  /** An event of a run went to the readers of its stream. Milliseconds since it happened. */
  streamLag(ms: number): void;
  /** Counts what this database does from now on. */
  watchDatabase(database: Pick<Database, 'time'>): void;
}

const waits = [0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300];

export function createMetrics(): Metrics {
  const registry = new Registry();
  const registers = [registry];
  collectDefaultMetrics({ register: registry });
  const inbound = new Counter({
    name: 'deckhand_inbound_events_total',
    help: 'Events that platforms delivered, by whether they were new',
    labelNames: ['platform', 'kind'],
    registers,
  });
  const stored = new Histogram({
    name: 'deckhand_inbound_store_seconds',
    help: 'From the moment events of a platform were heard of to the moment they were stored: it is answered then',
    labelNames: ['platform'],
    buckets: [0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.15, 0.25, 0.5, 1, 3],
    registers,
  });
  const handled = new Counter({
    name: 'deckhand_inbound_handled_total',
    help: 'Events that were dealt with: done, refused (the person was told why) or failed (an error of Deckhand)',
    labelNames: ['platform', 'type', 'outcome'],
    registers,
  });
  const lag = new Histogram({
    name: 'deckhand_inbound_lag_seconds',
    help: 'From the act of a person, by the clock of the platform, to the commit of everything it led to',
    labelNames: ['platform'],
    buckets: waits,
    registers,
  });
  const calls = new Counter({
    name: 'deckhand_platform_calls_total',
    help: 'Calls to platforms',
    labelNames: ['platform', 'operation', 'outcome'],
    registers,
  });
  const callSeconds = new Histogram({
    name: 'deckhand_platform_call_seconds',
    help: 'Duration of calls to platforms',
    labelNames: ['platform', 'operation'],
    buckets: [0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10],
    registers,
  });
  const messages = new Counter({
    name: 'deckhand_outbox_messages_total',
    help: 'Versions of messages whose delivery has ended, by how it did',
    labelNames: ['platform', 'type', 'outcome'],
    registers,
  });
  const merged = new Counter({
    name: 'deckhand_outbox_merged_versions_total',
    help: 'Versions of messages that were never sent, because a newer one came first',
    labelNames: ['platform'],
    registers,
  });
  const delivery = new Histogram({
    name: 'deckhand_outbox_delivery_seconds',
    help: 'From the moment a message was due to the end of its delivery',
    labelNames: ['platform'],
    buckets: waits,
    registers,
  });
  const rateWaits = new Histogram({
    name: 'deckhand_rate_limit_wait_seconds',
    help: 'How long calls waited for a rate budget of Deckhand (budget), or were told by the platform to wait (platform)',
    labelNames: ['platform', 'cause'],
    buckets: waits,
    registers,
  });
  const sandboxes = new Histogram({
    name: 'deckhand_sandbox_start_seconds',
    help: 'Until a run had its sandbox: one that waited ready (warm) or one that was made for it (cold)',
    labelNames: ['sandbox', 'start'],
    buckets: [0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30],
    registers,
  });
  const streams = new Gauge({
    name: 'deckhand_event_streams',
    help: 'Streams of events of runs that programs have open (/api/v1/runs/…/events)',
    registers,
  });
  const streamLag = new Histogram({
    name: 'deckhand_event_stream_lag_seconds',
    help: 'From an event of a run until it goes out to the streams that follow the run',
    buckets: [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10],
    registers,
  });
  const statements = new Histogram({
    name: 'deckhand_database_statement_seconds',
    help: 'Statements, with the way to the database and back',
    buckets: [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.1, 0.5, 1, 5],
    registers,
  });
  const begins = new Histogram({
    name: 'deckhand_database_begin_seconds',
    help: 'Until a transaction had a connection of the pool and had begun',
    buckets: [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.1, 0.5, 1, 5],
    registers,
  });
  return {
    registry,
    ...createRunMetrics(registry),
    inbound({ platform, stored: fresh, duplicate, ms }) {
      inbound.inc({ platform, kind: 'new' }, fresh);
      inbound.inc({ platform, kind: 'duplicate' }, duplicate);
      stored.observe({ platform }, ms / 1000);
    },
    handled({ type, at, conversation: { platform } }, outcome, now) {
      handled.inc({ platform, type, outcome });
      lag.observe({ platform }, Math.max(0, (now.getTime() - Date.parse(at)) / 1000));
    },
    platformCall({ platform, operation, outcome, ms }) {
      calls.inc({ platform, operation, outcome });
      callSeconds.observe({ platform, operation }, ms / 1000);
    },
    sent({ platform, type, outcome, merged: versions, ms }) {
      messages.inc({ platform, type, outcome });
      merged.inc({ platform }, versions);
      delivery.observe({ platform }, ms / 1000);
    },
    rateWait({ platform, cause, ms }) {
      rateWaits.observe({ platform, cause }, ms / 1000);
    },
    sandbox({ sandbox, warm, ms }) {
      sandboxes.observe({ sandbox, start: warm ? 'warm' : 'cold' }, ms / 1000);
    },
    eventStreams: (open) => streams.set(open),
    streamLag: (ms) => streamLag.observe(ms / 1000),
    watchDatabase(database) {
      database.time({
        onStatement: (ms) => statements.observe(ms / 1000),
        onBegin: (ms) => begins.observe(ms / 1000),
      });
    },
  };
}
