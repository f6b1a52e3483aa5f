import { mkdir } from 'node:fs/promises';
import type { RunSpec, SandboxOffer } from '../src/contracts/run-control.ts';
import { createJobQueue } from '../src/queue/bullmq-queue.ts';
import { systemClock } from '../src/runtime/clock.ts';
import { newId } from '../src/runtime/ids.ts';
import { createLogger } from '../src/runtime/logger.ts';
import type { Database } from '../src/store/database.ts';
import { createEmbeddedPostgres } from '../src/store/embedded-postgres.ts';
import { createWakeups } from '../src/store/wakeups.ts';
import { createEngine } from '../src/tasks/engine.ts';
import type { Engine } from '../src/tasks/task-engine.ts';
import { openDatabase } from './chat.ts';
import type { Site } from './site.ts';

const offer: SandboxOffer = { cwd: '/workspace', sandbox: 'docker', image: 'deckhand-sandbox:1', network: 'none' };

/** Where the runners of a benchmark are. */
export const benchHost = 'host_bench';

/** PostgreSQL as the program brings it, with its own settings, started by this process. Returns its address. */
export async function startPostgres(site: Site, dataDir: string, settings: readonly string[] = []): Promise<string> {
  await mkdir(dataDir, { mode: 0o711 });
  const postgres = createEmbeddedPostgres({ dataDir, logger: createLogger({ level: 'silent' }), settings });
  site.onEnd(() => postgres.stop());
  await postgres.start();
  return postgres.url;
}

export interface BenchEngine {
  database: Database;
  engine: Engine;
  wakeups: ReturnType<typeof createWakeups>;
  queue: Awaited<ReturnType<typeof createJobQueue>>;
  /** Warnings and errors of the engine. */
  complaints: string[];
}

/** The engine over a database, as the process of a runner has it. */
export async function openEngine(site: Site, url: string): Promise<BenchEngine> {
  const complaints: string[] = [];
  const onError = (error: unknown) => void complaints.push(String(error));
  const database = await openDatabase(site, url);
  const wakeups = createWakeups({ url, onError });
  await wakeups.start();
  site.onEnd(() => wakeups.stop());
  const queue = await createJobQueue({ url, onError });
  site.onEnd(() => queue.close());
  const logger = createLogger({ level: 'warn', destination: { write: (line) => void complaints.push(line.trim()) } });
  const engine = createEngine({ database, queue, wakeups, clock: systemClock, logger });
  return { database, engine, wakeups, queue, complaints };
}

/** A runner that only reports what a real one would; it beats until the site ends. */
export async function registerRunner(site: Site, { runs }: Engine, capacity: number): Promise<string> {
  const id = newId('rnr');
  await runs.register({ id, host: benchHost, capacity, sandboxes: ['docker'], offer });
  const beat = setInterval(() => void runs.beat(id).catch((error: unknown) => site.say(`beat failed: ${error}`)), 5000);
  site.onEnd(async () => {
    clearInterval(beat);
    await runs.unregister(id);
  });
  return id;
}

/** Takes a run to where its command runs, through every step a runner takes. Undefined when there is nothing to do for it. */
export async function executeRun({ runs }: Engine, run: string, runner: string): Promise<RunSpec | undefined> {
  const claim = await runs.claim(run, runner);
  if (!claim.ok) return undefined;
  const { spec } = claim;
  const stage = async (name: 'repository' | 'workspace' | 'sandbox' | 'command', detail: string) => {
    if (!(await runs.append(run, runner, [{ type: 'stage', stage: name, detail }]))) throw new Error(`${run} was lost`);
  };
  await stage('repository', 'fetching the repository');
  await runs.pinBase(run, runner, { branch: 'main', commit: '3f9c2e1b7d5a4c6e8f0a1b2c3d4e5f6a7b8c9d0e' });
  await stage('workspace', 'making the working copy');
  const { command, project, timeoutMs } = spec;
  const verdict = await runs.authorise(run, runner, { type: 'command', command, project: project.id, timeoutMs, ...offer });
  if (verdict.verdict !== 'run') throw new Error(`${run} may not run: ${verdict.verdict}`);
  await stage('sandbox', 'starting the container');
  const started = await runs.executing(run, runner, { kind: 'docker', ref: `docker:${run}`, isolated: true });
  if (!started) throw new Error(`${run} could not be started`);
  await stage('command', 'running the command');
  return spec;
}

/** The command of a run has ended well. */
export async function succeedRun({ runs }: Engine, run: string, runner: string, durationMs: number): Promise<void> {
  await runs.finishing(run, runner);
  await runs.finish(run, runner, {
    outcome: 'succeeded',
    message: 'The command succeeded.',
    exitCode: 0,
    durationMs,
    files: [],
    artifacts: [],
  });
}
