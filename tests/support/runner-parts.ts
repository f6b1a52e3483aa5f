import { join } from 'node:path';
import { createGithubHost } from '../../adapters/github/host.ts';
import { createArtifacts } from '../../runner/artifacts.ts';
import { readLogins } from '../../runner/code-host-login.ts';
import type { AtPoint } from '../../runner/crash-points.ts';
import { createRunner, type RunnerDeps } from '../../runner/run-job.ts';
import type { Place } from '../../runner/run-journey.ts';
import { createDockerSandbox } from '../../runner/sandbox/docker.ts';
import { createLocalSandbox } from '../../runner/sandbox/local.ts';
import { createWorkspace } from '../../runner/workspace.ts';
import { createJobQueue } from '../../src/queue/bullmq-queue.ts';
import { createRedisWakeups } from '../../src/queue/redis-wakeups.ts';
import { systemClock } from '../../src/runtime/clock.ts';
import { createLogger } from '../../src/runtime/logger.ts';
import { parseRedisAddress } from '../../src/runtime/redis-address.ts';
import { createDatabase } from '../../src/store/database.ts';
import { createEventLog } from '../../src/store/event-log.ts';
import { createWakeups } from '../../src/store/wakeups.ts';
import { createEngine } from '../../src/tasks/engine.ts';

/** What one process needs to take part in an installation; plain data, so that it can be given to a child. */
export interface Installation {
  url: string;
  /** Of the queue names. */
  prefix: string;
  dataDir: string;
  /** Of the containers. */
  instance: string;
  kind: 'docker' | 'local';
  /** Address of a Redis for jobs and wake-ups. */
  redis?: string | undefined;
  /** A code host on loopback. */
  github?: { apiUrl: string; token: string } | undefined;
}

const onError = (error: unknown) => {
  if (process.env.SHOW_LOG !== undefined) process.stderr.write(`${error}\n`);
};

/** The engine with what it stands on, as every process of an installation has it. */
export async function openEngine(installation: Installation) {
  const { url, prefix } = installation;
  const address = installation.redis === undefined ? undefined : parseRedisAddress(installation.redis);
  const redis = address === undefined ? undefined : { address, installation: prefix };
  const overRedis = redis === undefined ? undefined : createRedisWakeups({ ...redis, onError });
  const database = createDatabase({ url, connections: 8, announce: overRedis?.announce, onEffectError: onError });
  const wakeups = overRedis ?? createWakeups({ url, onError });
  await wakeups.start();
  const queue = await createJobQueue({ url, redis, prefix, lockMs: 2000, onError });
  const logger = createLogger({ level: process.env.SHOW_LOG === undefined ? 'silent' : 'debug', readable: true });
  const engine = createEngine({ database, queue, wakeups, clock: systemClock, logger, settings: { watchMs: 200 } });
  return {
    database,
    wakeups,
    queue,
    engine,
    logger,
    events: createEventLog(database, wakeups),
    async close() {
      await queue.close();
      await wakeups.stop();
      await database.close();
    },
  };
}

export type OpenEngine = Awaited<ReturnType<typeof openEngine>>;

export function placeOf({ kind, dataDir, instance }: Installation): Place {
  if (kind === 'local') {
    return { sandbox: createLocalSandbox({ root: join(dataDir, 'sandboxes'), path: process.env.PATH ?? '' }), image: null };
  }
  const image = 'deckhand-sandbox:1';
  // Made when their runs begin, and none after that.
  const warm = { size: 0, root: join(dataDir, 'warm') };
  return { sandbox: createDockerSandbox({ engine: { socketPath: '/var/run/docker.sock' }, instance, image, warm }), image };
}

/** A runner of the installation, not started. */
export function openRunner(installation: Installation, parts: OpenEngine, at: AtPoint, change: Partial<RunnerDeps> = {}) {
  const { dataDir } = installation;
  const artifacts = createArtifacts({ dataDir, database: parts.database });
  const place = placeOf(installation);
  const { github } = installation;
  const codeHost =
    github === undefined ? undefined : createGithubHost({ apiUrl: github.apiUrl, login: { type: 'token', token: github.token } });
  const runner = createRunner({
    control: parts.engine.runs,
    publishing: { control: parts.engine.publishing, everyMs: 500 },
    queue: parts.queue,
    places: [place],
    workspace: createWorkspace({ dataDir, environment: process.env, authorization: readLogins(codeHost) }),
    codeHost,
    artifacts,
    events: parts.events,
    hostId: 'host_test',
    capacity: 4,
    logger: parts.logger,
    secrets: ['hunter2-hunter2'],
    limits: { diskBytes: 64 * 1024 ** 2, memoryBytes: 512 * 1024 ** 2 },
    stopGraceMs: 2000,
    reapEveryMs: 500,
    at,
    ...change,
  });
  return { runner, artifacts, sandbox: place.sandbox };
}
