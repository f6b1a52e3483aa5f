import { randomBytes } from 'node:crypto';
import { mkdir, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createModelServer, type ModelServer } from '../../lab/model/server.ts';
import { newDataDir, type Program, runDeckhand } from '../support/deckhand-process.ts';
import { LabClient } from '../support/lab-client.ts';
import { createTestDatabase, type TestDatabase } from '../support/postgres.ts';
import { type CollectedSpan, startCollector, type TraceCollector } from '../support/trace-collector.ts';
import { eventually, waitFor } from '../support/wait-for.ts';

type DataDir = Awaited<ReturnType<typeof newDataDir>>;

let database: TestDatabase;
let collector: TraceCollector;
let model: ModelServer;
const dataDirs: DataDir[] = [];
const programs: Program[] = [];

beforeAll(async () => {
  [database, collector, model] = await Promise.all([createTestDatabase(), startCollector(), createModelServer()]);
  dataDirs.push(await newDataDir(), await newDataDir());
});

afterAll(async () => {
  for (const program of programs) await program.end('SIGKILL');
  for (const dataDir of dataDirs) await dataDir.remove();
  await Promise.all([model?.close(), collector?.close(), database?.close()]);
}, 60_000);

const key = 'sk-ant-never-in-a-trace';

/** A gateway with the lab and a runner, which know of each other through the database only. Both share what runs leave behind. */
async function startBoth(): Promise<{ url: string; figures: { gateway: string; runner: string } }> {
  const [gatewayDir = '', runnerDir = ''] = dataDirs.map(({ path }) => path);
  for (const name of ['artifacts', 'mirrors']) {
    await mkdir(join(gatewayDir, name), { recursive: true, mode: 0o700 });
    await symlink(join(gatewayDir, name), join(runnerDir, name));
  }
  const settings = {
    DATABASE_URL: database.url,
    DECKHAND_SECRET_KEY: randomBytes(32).toString('base64'),
    OTEL_EXPORTER_OTLP_ENDPOINT: collector.url,
    METRICS_PORT: '0',
    SANDBOX: 'local',
    ANTHROPIC_API_KEY: key,
    ANTHROPIC_BASE_URL: model.anthropicUrl,
    // The SDK of the model would record what is said.
    ANTHROPIC_OPEN_TELEMETRY_TRACES_CONTENT_MODE: 'content',
  };
  const start = async (role: 'gateway' | 'runner', dir: string) => {
    const program = runDeckhand([role], dir, settings);
    programs.push(program);
    const ready = await Promise.race([
      waitFor(`the ${role} to be ready`, () => program.logged('ready')[0], { timeoutMs: 90_000 }),
      program.ended.then((code) => expect.fail(`the ${role} ended with ${code}:\n${program.log.join('\n')}`)),
    ]);
    return { url: String(ready.url), figures: String(program.logged('figures are told here')[0]?.url) };
  };
  const gateway = await start('gateway', gatewayDir);
  const runner = await start('runner', runnerDir);
  return { url: gateway.url, figures: { gateway: gateway.figures, runner: runner.figures } };
}

/** Each step of a trace with what it is below. */
function steps(spans: readonly CollectedSpan[]): string[] {
  const byId = new Map(spans.map((span) => [span.spanId, span]));
  return [
    ...new Set(spans.map(({ name, parentSpanId }) => `${byId.get(parentSpanId ?? '')?.name ?? 'nothing'} > ${name}`)),
  ].sort();
}

const textOf = async (url: string) => await (await fetch(url)).text();

test('a gateway and a runner: one trace from what a person asks to the calls that show what an agent did, and figures of both', {
  timeout: 180_000,
}, async () => {
  const { url, figures } = await startBoth();
  const ada = new LabClient(url, 'ada');
  await ada.slash('/deckhand settings policy=yolo');
  await ada.slash('/deckhand run agent=claude Fix the failing test');
  await ada.end(1, { timeoutMs: 120_000 });

  const runner = await textOf(figures.runner);
  expect(runner).toMatch(/deckhand_database_statement_seconds_count [1-9]/);
  expect(runner).not.toContain('deckhand_database_up');
  const ready = await fetch(new URL('/readyz', figures.runner));
  expect([ready.status, await ready.json()]).toEqual([
    200,
    { status: 'ready', checks: expect.arrayContaining([expect.objectContaining({ name: 'runner', ok: true })]) },
  ]);
  await eventually(async () => {
    const gateway = await textOf(figures.gateway);
    expect(gateway).toMatch(/deckhand_model_requests_total\{worker="claude",model="[\w-]+"\} [1-9]/);
    expect(gateway).toContain('deckhand_runs_ended_total{worker="claude",outcome="succeeded",cause="none"} 1\n');
  });

  for (const program of programs.toReversed()) expect(await program.end('SIGTERM')).toBe(0);
  const spans = collector.spans();
  const run = spans.find(({ name }) => name === 'run');
  expect(steps(spans.filter(({ traceId }) => traceId === run?.traceId))).toEqual([
    'command > deliver message',
    'command > run',
    'deliver message > platform call',
    'execute run > agent tool',
    'execute run > model request',
    'handle event > command',
    'nothing > take events',
    'run > collect changes',
    'run > execute run',
    'run > prepare run',
    'take events > handle event',
  ]);
  const attributes = new Set(spans.flatMap((span) => span.attributes.map((one) => one.key)));
  expect([...attributes].sort()).toEqual([
    'attempt',
    'command',
    'events',
    'inbox',
    'ok',
    'operation',
    'outbox',
    'outcome',
    'path',
    'platform',
    'resumed',
    'run',
    'task',
    'type',
    'version',
    'worker',
  ]);
  expect(collector.raw()).not.toMatch(/failing|basket|yolo|127\.0\.0\.1|scripted|claude-sonnet/i);
  expect(collector.raw()).not.toContain(key);
});
