import { z } from 'zod';
import { createMetrics } from './metrics.ts';
import { addPoolMetrics, addStoredMetrics } from './stored-metrics.ts';

/** A metric of Deckhand as its page describes it. */
export interface MetricFacts {
  name: string;
  type: string;
  help: string;
  labels: readonly string[];
}

const described = z.object({ name: z.string(), type: z.string(), help: z.string(), labelNames: z.array(z.string()) });

/** Every metric that a gateway or a runner shows under a name of Deckhand, in the order of their names. Looks at nothing. */
export function describeMetrics(): MetricFacts[] {
  const { registry } = createMetrics();
  const nothing = () => Promise.reject(new Error('metrics are only described'));
  addPoolMetrics(registry, { pool: () => ({ busy: 0, idle: 0, waiting: 0 }) });
  addStoredMetrics(registry, { standing: nothing, waiting: nothing });
  return registry
    .getMetricsAsArray()
    .flatMap((metric) => described.safeParse(metric).data ?? [])
    .filter(({ name }) => name.startsWith('deckhand_'))
    .map(({ name, type, help, labelNames }) => ({ name, type, help, labels: labelNames }))
    .sort((one, other) => (one.name < other.name ? -1 : 1));
}

/** Text of docs/metrics.md. */
export function metricsMarkdown(): string {
  return `${[
    '# Metrics',
    'Made from `src/observe/`; `npm run docs` writes it anew. [operate.md](operate.md) says how they are read.',
    'Times are seconds, sizes bytes, money US dollars. No label holds a name or a text of a person. `worker` is the agent that works in a run, `shell` for commands; `host` a machine of runners. Besides, every process shows the usual figures of Node.js (`nodejs_…`, `process_…`).',
    [
      '| metric | type | labels | what it tells |',
      '|---|---|---|---|',
      ...describeMetrics().map(({ name, type, labels, help }) => {
        const named = labels.map((label) => `\`${label}\``).join(', ');
        return `| \`${name}\` | ${type} | ${named === '' ? '—' : named} | ${help.replaceAll('|', '\\|')} |`;
      }),
    ].join('\n'),
  ].join('\n\n')}\n`;
}
