import { Counter, Histogram, type Registry } from 'prom-client';
import { agentKinds } from '../contracts/agent.ts';
import { publishWhatSchema } from '../contracts/publication.ts';
import type { RunFigure } from '../delivery/run-figures.ts';

export interface RunMetrics {
  figures(figures: readonly RunFigure[]): void;
}

const long = [1, 2.5, 5, 10, 30, 60, 300, 900, 1800, 3600, 14_400];
/** Servers may take any name for a model: so many are told apart. */
const mostModels = 40;

/** What is counted of runs, from their events. */
export function createRunMetrics(registry: Registry): RunMetrics {
  const registers = [registry];
  const queueWait = new Histogram({
    name: 'deckhand_run_queue_wait_seconds',
    help: 'From the moment a run was put into the queue to the moment a runner took it',
    labelNames: ['worker'],
    buckets: [0.05, 0.1, 0.25, 0.5, ...long],
    registers,
  });
  const start = new Histogram({
    name: 'deckhand_run_start_seconds',
    help: 'From the moment a runner took a run to the start of its command or agent: repository, working copy and sandbox',
    labelNames: ['worker', 'sandbox'],
    buckets: [0.1, 0.25, 0.5, 1, 1.5, 2.5, 5, 10, 30, 60, 300],
    registers,
  });
  const ended = new Counter({
    name: 'deckhand_runs_ended_total',
    help: 'Runs that have ended, by how they did and why; the cause of what went well is none',
    labelNames: ['worker', 'outcome', 'cause'],
    registers,
  });
  const duration = new Histogram({
    name: 'deckhand_run_seconds',
    help: 'From the request for a run to its end, with all that it waited for',
    labelNames: ['worker'],
    buckets: long,
    registers,
  });
  const tokens = new Counter({
    name: 'deckhand_model_tokens_total',
    help: 'Tokens of requests to models: input (read anew), output, cache_read, cache_write',
    labelNames: ['worker', 'model', 'kind'],
    registers,
  });
  const requests = new Counter({
    name: 'deckhand_model_requests_total',
    help: 'Requests to models that were answered',
    labelNames: ['worker', 'model'],
    registers,
  });
  const cost = new Counter({
    name: 'deckhand_model_cost_dollars_total',
    help: 'What requests to models have cost in US dollars, where the price is known',
    labelNames: ['worker', 'model'],
    registers,
  });
  const firstByte = new Histogram({
    name: 'deckhand_model_first_byte_seconds',
    help: 'From a request to a model to the first byte of its answer',
    labelNames: ['worker', 'model'],
    buckets: [0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120],
    registers,
  });
  const decided = new Histogram({
    name: 'deckhand_decision_seconds',
    help: 'From the request for a decision to its end',
    labelNames: ['kind', 'outcome'],
    buckets: long,
    registers,
  });
  const published = new Counter({
    name: 'deckhand_publications_total',
    help: 'Changes that were brought out, or could not be',
    labelNames: ['what', 'outcome'],
    registers,
  });
  const shown = new Histogram({
    name: 'deckhand_event_card_lag_seconds',
    help: 'From an event of a run to the commit of the cards that show it: what people act on (now) and progress, which is gathered',
    labelNames: ['pace'],
    buckets: [0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60],
    registers,
  });
  // Rare things are told from the beginning: an increase is seen from 0, not from the first that was told.
  for (const what of publishWhatSchema.options) for (const outcome of ['done', 'failed']) published.inc({ what, outcome }, 0);
  for (const worker of agentKinds) ended.inc({ worker, outcome: 'failed', cause: 'agent' }, 0);
  const models = new Set<string>();

  function modelName(name: string): string {
    if (models.size < mostModels) models.add(name);
    return models.has(name) ? name : 'other';
  }

  function count(figure: RunFigure): void {
    switch (figure.what) {
      case 'taken':
        queueWait.observe({ worker: figure.worker }, figure.seconds);
        break;
      case 'started':
        start.observe({ worker: figure.worker, sandbox: figure.sandbox }, figure.seconds);
        break;
      case 'ended':
        ended.inc({ worker: figure.worker, outcome: figure.outcome, cause: figure.cause ?? 'none' });
        duration.observe({ worker: figure.worker }, figure.seconds);
        break;
      case 'model': {
        const { input, output, cacheRead, cacheWrite, costUsd, firstByteMs } = figure.usage;
        const labels = { worker: figure.worker, model: modelName(figure.usage.model) };
        requests.inc(labels);
        const kinds = { input, output, cache_read: cacheRead, cache_write: cacheWrite };
        for (const [kind, amount] of Object.entries(kinds)) tokens.inc({ ...labels, kind }, amount);
        if (costUsd !== null) cost.inc(labels, costUsd);
        if (firstByteMs !== null) firstByte.observe(labels, firstByteMs / 1000);
        break;
      }
      case 'decided':
        decided.observe({ kind: figure.kind, outcome: figure.state }, figure.seconds);
        break;
      case 'published':
        published.inc({ what: figure.of, outcome: figure.outcome });
        break;
      case 'shown':
        shown.observe({ pace: figure.gathered ? 'gathered' : 'now' }, figure.seconds);
        break;
    }
  }

  return { figures: (figures) => figures.forEach(count) };
}
