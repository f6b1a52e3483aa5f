import { randomBytes } from 'node:crypto';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { Database } from '../src/store/database.ts';
import { createTestRedis } from '../tests/support/redis.ts';
import { openDatabase } from './chat.ts';
import { startPostgres } from './engine.ts';
import { type Program, startProgram } from './program.ts';
import type { Site } from './site.ts';
import { countingSettings } from './statements.ts';

/** Where jobs and wake-ups are. */
export type Backend = 'PostgreSQL' | 'Redis';

/** One process with both roles, or so many gateways and runners. */
export type Shape = 'start' | { gateways: number; runners: number };

/** Processes that meet in one PostgreSQL, all on this machine. */
export interface Cluster {
  /** Those with an HTTP door. */
  gateways: readonly Program[];
  members: readonly Program[];
  database: Database;
  /** Of the database server, whose children do its work. */
  postgresPid: number;
  redisPid: number | undefined;
}

/** Starts the database, Redis where it is wanted, and all processes; all are ready when this resolves. The site takes them down. */
export async function startCluster(
  site: Site,
  { backend, shape, variables }: { backend: Backend; shape: Shape; variables: Record<string, string> },
): Promise<Cluster> {
  const postgres = await startPostgres(site, join(site.dir, 'database'), ['max_connections=200', ...countingSettings]);
  const redis = backend === 'Redis' ? await createTestRedis(['--maxmemory-policy', 'noeviction']) : undefined;
  if (redis !== undefined) site.onEnd(() => redis.close());
  const shared = {
    ...variables,
    DATABASE_URL: postgres,
    DECKHAND_SECRET_KEY: randomBytes(32).toString('base64'),
    SANDBOX: 'local',
    ...(redis === undefined ? {} : { REDIS_URL: redis.url }),
  };
  const begin = async (role: 'start' | 'gateway' | 'runner', number: number) => {
    const dataDir = join(site.dir, `${role}-${number}`);
    await mkdir(dataDir, { mode: 0o711 });
    return await startProgram(site, { role, dataDir, variables: shared });
  };
  const several = async (role: 'gateway' | 'runner', count: number) => {
    const programs: Program[] = [];
    // One after the other: the first one makes the tables.
    for (let number = 1; number <= count; number += 1) programs.push(await begin(role, number));
    return programs;
  };
  const gateways = shape === 'start' ? [await begin('start', 1)] : await several('gateway', shape.gateways);
  const runners = shape === 'start' ? [] : await several('runner', shape.runners);
  const database = await openDatabase(site, postgres);
  return { gateways, members: [...gateways, ...runners], database, ...(await serverPids(database, redis)) };
}

async function serverPids(
  { db }: Database,
  redis: { client: { info(section: string): Promise<string> } } | undefined,
): Promise<Pick<Cluster, 'postgresPid' | 'redisPid'>> {
  const [row] = await db.$queryRaw<{ pid: string }[]>`SELECT split_part(pg_read_file('postmaster.pid'), E'\n', 1) AS pid`;
  const info = redis === undefined ? '' : await redis.client.info('server');
  const redisPid = /process_id:(\d+)/.exec(info)?.[1];
  return { postgresPid: Number(row?.pid), redisPid: redisPid === undefined ? undefined : Number(redisPid) };
}
