import { readFileSync } from 'node:fs';
import { Registry } from 'prom-client';
import { expect, test } from 'vitest';
import { z } from 'zod';
import type { RunEvent, RunEventData } from '../../src/contracts/run-event.ts';
import { createRunFigures } from '../../src/delivery/run-figures.ts';
import { createMetrics } from '../../src/observe/metrics.ts';
import { describeMetrics } from '../../src/observe/metrics-page.ts';
import { addStoredMetrics } from '../../src/observe/stored-metrics.ts';
import type { Standing } from '../../src/store/standing.ts';

const at = (second: number) => new Date(Date.UTC(2026, 0, 1) + second * 1000);
const actor = { type: 'system', part: 'runner' } as const;
const usage = { model: 'm-1', input: 10, output: 5, cacheRead: 3, cacheWrite: 1, costUsd: 0.25, firstByteMs: 1500 };
const result = {
  outcome: 'failed',
  cause: 'agent',
  trouble: 'key_refused',
  message: 'no',
  durationMs: 1,
  files: [],
  artifacts: [],
} as const;

/** A run of an agent: queued at 1 s, taken at 4 s, started at 6 s, asks from 8 s to 20 s, ends at 31 s. */
const story: [second: number, data: RunEventData][] = [
  [1, { type: 'lifecycle', from: null, to: 'queued' }],
  [1, { type: 'agent', agent: 'claude', model: null, mode: 'ask', effort: null }],
  [4, { type: 'lifecycle', from: 'queued', to: 'preparing' }],
  [6, { type: 'sandbox', kind: 'docker', isolated: true, ref: 'docker:r' }],
  [7, { type: 'usage', ...usage }],
  [8, { type: 'interaction_opened', interaction: 'i', kind: 'approval' }],
  [20, { type: 'interaction_decided', interaction: 'i', state: 'approved' }],
  [31, { type: 'terminal', result: { ...result, files: [], artifacts: [] } }],
];
const events = story.map(([second, data], place): RunEvent => ({ run: 'r', seq: place + 1, at: at(second), actor, data }));

test('figures of a run are given once, each with the step of the cursor that tells its event', () => {
  const figures = createRunFigures();
  for (const event of events.slice(0, 3)) figures.fold(event, event.seq <= 2);
  expect(figures.take(3)).toEqual([{ what: 'taken', worker: 'claude', seconds: 3 }]);
  for (const event of events.slice(3)) figures.fold(event, false);
  expect(figures.take(4)).toEqual([{ what: 'started', worker: 'claude', sandbox: 'docker', seconds: 2 }]);
  figures.drop(5); // another projector has told of the request to the model
  expect(figures.take(8)).toEqual([
    { what: 'decided', kind: 'approval', state: 'approved', seconds: 12 },
    { what: 'ended', worker: 'claude', outcome: 'failed', cause: 'agent', trouble: 'key_refused', seconds: 30 },
  ]);
  expect(figures.take(8)).toEqual([]);
});

test('a run that is read from the middle of its log is measured from its beginning', () => {
  const figures = createRunFigures();
  for (const event of events) figures.fold(event, event.seq <= 7);
  expect(figures.take(8)).toEqual([
    { what: 'ended', worker: 'claude', outcome: 'failed', cause: 'agent', trouble: 'key_refused', seconds: 30 },
  ]);
});

test('what a process counts is shown in base units, and servers cannot make up any number of models', async () => {
  const metrics = createMetrics();
  metrics.figures(
    Array.from({ length: 60 }, (_, n) => ({ what: 'model', worker: 'claude', usage: { ...usage, model: `m-${n}` } })),
  );
  metrics.handled({ type: 'message', at: at(0).toISOString(), conversation }, 'done', at(2));
  metrics.sent({ platform: 'slack', type: 'message', outcome: 'sent', merged: 3, ms: 1500 });
  metrics.rateWait({ platform: 'slack', cause: 'budget', ms: 700 });
  const text = await metrics.registry.metrics();
  for (const line of [
    'deckhand_model_cost_dollars_total{worker="claude",model="other"} 5',
    'deckhand_model_tokens_total{worker="claude",model="m-0",kind="cache_read"} 3',
    'deckhand_model_first_byte_seconds_sum{worker="claude",model="m-0"} 1.5',
    'deckhand_inbound_lag_seconds_sum{platform="slack"} 2',
    'deckhand_outbox_merged_versions_total{platform="slack"} 3',
    'deckhand_outbox_delivery_seconds_sum{platform="slack"} 1.5',
    'deckhand_rate_limit_wait_seconds_sum{platform="slack",cause="budget"} 0.7',
  ]) {
    expect(text).toContain(`${line}\n`);
  }
  expect(text).not.toContain('model="m-40"');
});

const conversation = { platform: 'slack', tenant: 'T1', channel: 'C1', kind: 'channel' } as const;

test('scrapes at once and soon after one another cost the database one look, and one that hangs only its own figures', async () => {
  const registry = new Registry();
  let looks = 0;
  const hangs = new Promise<never>(() => undefined);
  addStoredMetrics(
    registry,
    {
      async standing() {
        looks += 1;
        return standing;
      },
      waiting: () => hangs,
    },
    { keptMs: 60_000, answerMs: 5 },
  );
  const texts = [...(await Promise.all([registry.metrics(), registry.metrics()])), await registry.metrics()];
  for (const text of texts) {
    expect(text).toContain('deckhand_database_up 1\n');
    expect(text).toContain('deckhand_inbox_waiting_lanes 2\n');
    expect(text).not.toContain('deckhand_waiting{');
  }
  expect(looks).toBe(1);
  const away = new Registry();
  addStoredMetrics(away, { standing: () => hangs, waiting: () => hangs }, { keptMs: 60_000, answerMs: 5 });
  expect(await away.metrics()).toContain('deckhand_database_up 0\n');
});

const standing: Standing = {
  inboxOldest: 3,
  lanesWaiting: 2,
  deadLetters: { inbound: 0, outbound: 0 },
  outbox: [],
  runs: [],
  queueOldest: 0,
  decisions: [],
  runners: [],
  disks: [],
};

test('what does not wait any more is told as 0, and a machine that is gone not at all', async () => {
  const registry = new Registry();
  const runner = { host: 'h', labels: '', left: false, draining: false, alive: true, capacity: 4, busy: 0, beatAge: 1 };
  let now: Standing = { ...standing, outbox: [{ platform: 'slack', waiting: 3, oldest: 7 }], runners: [runner] };
  addStoredMetrics(registry, { standing: async () => now, waiting: async () => ({}) }, { keptMs: 0, answerMs: 1000 });
  const first = await registry.metrics();
  expect(first).toContain('deckhand_outbox_waiting_messages{platform="slack"} 3\n');
  expect(first).toContain('deckhand_runner_capacity_runs{host="h"} 4\n');
  now = standing;
  const second = await registry.metrics();
  expect(second).toContain('deckhand_outbox_oldest_seconds{platform="slack"} 0\n');
  expect(second).not.toContain('host="h"');
});

test('names of metrics say their unit, and what only grows ends in _total', () => {
  for (const { name, type, labels } of describeMetrics()) {
    expect(name).toMatch(/^deckhand_[a-z_]+$/);
    expect(name.endsWith('_total')).toBe(type === 'counter');
    if (type === 'histogram') expect(name).toMatch(/_seconds$/);
    expect(labels.filter((label) => /user|name|text|channel|task|^run$/.test(label))).toEqual([]);
  }
});

test.each(['docker/grafana/deckhand.json', 'docker/prometheus/alerts.yaml'])(
  '%s asks for metrics and labels that exist',
  (path) => {
    const text = readFileSync(new URL(`../../${path}`, import.meta.url), 'utf8');
    const expressions = path.endsWith('.json')
      ? [...text.matchAll(/"expr": ("(?:[^"\\]|\\.)*")/g)].map(([, expr = '""']) => String(JSON.parse(expr)))
      : [...text.matchAll(/^ +expr: (.*)$/gm)].map(([, expr = '']) => expr);
    expect(expressions.length).toBeGreaterThan(10);
    const known = new Map(
      describeMetrics().flatMap(({ name, type, labels }) =>
        (type === 'histogram' ? ['_bucket', '_sum', '_count'] : ['']).map((end) => [`${name}${end}`, labels] as const),
      ),
    );
    for (const expr of expressions) {
      const names = expr.match(/\b(?:deckhand|process|nodejs)_\w+/g) ?? [];
      expect(
        names.filter((name) => !/^(?:process|nodejs)_/.test(name) && !known.has(name)),
        expr,
      ).toEqual([]);
      expect(names.length, expr).toBeGreaterThan(0);
      const labels = new Set(['le', ...names.flatMap((name) => known.get(name) ?? [])]);
      const used = [...expr.matchAll(/by \(([^)]*)\)|(\w+)(?:=~|!~|!=|=)"/g)].flatMap(([, by, one]) => by?.split(/, */) ?? [one]);
      expect(
        used.filter((label) => label !== undefined && label !== '' && !labels.has(label)),
        expr,
      ).toEqual([]);
    }
  },
);

const panelSchema = z.object({
  id: z.int(),
  type: z.enum(['row', 'stat', 'timeseries']),
  title: z.string().min(1),
  description: z.string().optional(),
  gridPos: z.object({ h: z.int().min(1), w: z.int().min(1), x: z.int().min(0), y: z.int().min(0) }),
  datasource: z.object({ type: z.literal('prometheus'), uid: z.literal(`$\{datasource}`) }).optional(),
  fieldConfig: z
    .object({ defaults: z.object({ unit: z.enum(['s', 'short', 'reqps', 'ops', 'bytes', 'currencyUSD']) }) })
    .optional(),
  targets: z.array(z.object({ refId: z.string(), legendFormat: z.string(), expr: z.string() })).optional(),
});

test('each panel of the dashboard has a place of its own, a unit, words, and the data source that is chosen', () => {
  const text = readFileSync(new URL('../../docker/grafana/deckhand.json', import.meta.url), 'utf8');
  const { panels, templating } = z
    .object({
      panels: z.array(panelSchema),
      templating: z.object({ list: z.array(z.object({ name: z.string(), type: z.string(), query: z.string() })) }),
    })
    .parse(JSON.parse(text));
  expect(templating.list).toEqual([{ name: 'datasource', type: 'datasource', query: 'prometheus' }]);
  expect(new Set(panels.map(({ id }) => id)).size).toBe(panels.length);
  const taken = new Set<string>();
  for (const { type, title, description = '', gridPos, datasource, fieldConfig, targets = [] } of panels) {
    const { h, w, x, y } = gridPos;
    expect(x + w, title).toBeLessThanOrEqual(24);
    for (let row = y; row < y + h; row += 1) for (let column = x; column < x + w; column += 1) taken.add(`${row}:${column}`);
    if (type === 'row') continue;
    expect([datasource, fieldConfig].includes(undefined), title).toBe(false);
    expect(description.length, title).toBeGreaterThan(10);
    expect(new Set(targets.map(({ refId }) => refId)).size, title).toBe(targets.length);
    expect(targets.length, title).toBeGreaterThan(0);
  }
  expect(taken.size).toBe(panels.reduce((sum, { gridPos: { h, w } }) => sum + h * w, 0));
});
