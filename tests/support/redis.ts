import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { parseRedisAddress, type RedisAddress } from '../../src/runtime/redis-address.ts';
import { temporaryDirectory } from './git-repository.ts';
import { waitFor } from './wait-for.ts';

/** A real Redis of a test's own, on loopback, that keeps nothing on disk. */
export interface TestRedis {
  readonly url: string;
  readonly address: RedisAddress;
  readonly port: number;
  /** For a look at it, or to wipe it. */
  readonly client: Redis;
  /** Like a crash: everything in it is gone. */
  kill(): Promise<void>;
  /** On the same port, empty. */
  start(): Promise<void>;
  close(): Promise<void>;
}

/** `redis-check-rdb` of Debian's redis-tools is the server when it is called by its name; redis-server would listen by itself. */
export function spawnRedis(name: 'redis-server' | 'redis-sentinel', args: readonly string[], cwd: string): ChildProcess {
  return spawn('redis-check-rdb', args, { argv0: name, cwd, stdio: ['ignore', 'ignore', 'inherit'] });
}

export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  if (address === null || typeof address === 'string') throw new Error('no port');
  return address.port;
}

export async function createTestRedis(args: readonly string[] = []): Promise<TestRedis> {
  const dir = await temporaryDirectory('redis');
  const port = await freePort();
  const url = `redis://127.0.0.1:${port}`;
  const address = parseRedisAddress(url);
  if (address === undefined) throw new Error(`${url} is no address`);
  const client = new Redis(url, { lazyConnect: true, maxRetriesPerRequest: null, retryStrategy: () => 20 });
  client.on('error', () => undefined);
  let server: ChildProcess | undefined;

  async function start(): Promise<void> {
    server = spawnRedis(
      'redis-server',
      ['--port', String(port), '--bind', '127.0.0.1', '--save', '', '--appendonly', 'no', '--loglevel', 'warning', ...args],
      dir.path,
    );
    await waitFor('Redis to answer', async () => (await client.ping().catch(() => undefined)) === 'PONG');
  }
  async function kill(): Promise<void> {
    const last = server;
    server = undefined;
    if (last === undefined || last.exitCode !== null) return;
    last.kill('SIGKILL');
    await once(last, 'exit');
  }
  await start();
  return {
    url,
    address,
    port,
    client,
    kill,
    start,
    async close() {
      client.disconnect();
      await kill();
      await dir[Symbol.asyncDispose]();
    },
  };
}

/** Two servers, one of which copies the other, and a sentinel that makes it the primary when that is gone. */
export async function createTestSentinels(): Promise<{
  address: RedisAddress;
  killPrimary(): Promise<void>;
  close(): Promise<void>;
}> {
  const dir = await temporaryDirectory('sentinel');
  const primary = await createTestRedis();
  const replica = await createTestRedis(['--replicaof', '127.0.0.1', String(primary.port)]);
  await waitFor('the copy to be whole', async () => /master_link_status:up/.test(await replica.client.info('replication')));
  const port = await freePort();
  const config = join(dir.path, 'sentinel.conf');
  await writeFile(
    config,
    [
      `port ${port}`,
      'bind 127.0.0.1',
      'loglevel warning',
      `sentinel monitor jobs 127.0.0.1 ${primary.port} 1`,
      'sentinel down-after-milliseconds jobs 500',
      'sentinel failover-timeout jobs 2000',
      '',
    ].join('\n'),
  );
  const sentinel = spawnRedis('redis-sentinel', [config], dir.path);
  const asking = new Redis(port, { maxRetriesPerRequest: null, retryStrategy: () => 20 });
  asking.on('error', () => undefined);
  await waitFor(
    'the sentinel to know both',
    async () => {
      const known = await asking.call('SENTINEL', 'REPLICAS', 'jobs').catch(() => []);
      return Array.isArray(known) && known.length === 1;
    },
    { timeoutMs: 20_000 },
  );
  asking.disconnect();
  const address = parseRedisAddress(`redis+sentinel://127.0.0.1:${port}/jobs`);
  if (address === undefined) throw new Error('no address');
  return {
    address,
    killPrimary: () => primary.kill(),
    async close() {
      sentinel.kill('SIGKILL');
      await once(sentinel, 'exit');
      await replica.close();
      await primary.close();
      await dir[Symbol.asyncDispose]();
    },
  };
}
