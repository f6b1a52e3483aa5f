import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { createJobQueue } from '../../src/queue/bullmq-queue.ts';
import { examineRedis, memoryAdvice } from '../../src/queue/redis.ts';
import { createRedisWakeups } from '../../src/queue/redis-wakeups.ts';
import { parseRedisAddress, type RedisAddress } from '../../src/runtime/redis-address.ts';
import { createTestRedis, createTestSentinels, type TestRedis } from '../support/redis.ts';
import { createRunnerWorld, ofType } from '../support/runner-world.ts';
import { eventually, waitFor } from '../support/wait-for.ts';

let redis: TestRedis;
beforeAll(async () => {
  redis = await createTestRedis();
});
afterAll(() => redis.close());

/** Of other servers, on a machine that does much else. */
const patience = { timeoutMs: 60_000 };
const closers: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

async function openQueue(address: RedisAddress, installation = 'acme') {
  const queue = await createJobQueue({
    url: 'postgresql://nobody@127.0.0.1:1/none',
    redis: { address, installation },
    onError: () => undefined,
  });
  closers.push(() => queue.close());
  return {
    ...queue,
    async work(...args: Parameters<typeof queue.work>) {
      const worker = await queue.work(...args);
      closers.push(() => worker.stop(0));
      return worker;
    },
  };
}

async function openWakeups(installation = 'acme') {
  const errors: unknown[] = [];
  const wakeups = createRedisWakeups({
    address: redis.address,
    installation,
    onError: (error) => void errors.push(error),
  });
  await wakeups.start();
  closers.push(() => wakeups.stop());
  const woken: string[] = [];
  wakeups.subscribe('run', undefined, (id) => void woken.push(id));
  return { ...wakeups, woken, errors };
}

describe('wake-ups over Redis', () => {
  it('reach every process of the installation once, and no other installation', async () => {
    const [one, other, foreign] = [await openWakeups(), await openWakeups(), await openWakeups('other')];
    one.announce(['run:run_1', 'outbox:', 'run:run_2']);
    other.announce(['run:run_3']);
    await eventually(() => expect([...one.woken].sort()).toEqual(['run_1', 'run_2', 'run_3']));
    await eventually(() => expect([...other.woken].sort()).toEqual(['run_1', 'run_2', 'run_3']));
    foreign.announce(['run:run_4']);
    await eventually(() => expect(foreign.woken).toEqual(['run_4']));
    expect(one.woken).toHaveLength(3);
  });

  it('of a process itself need no Redis, and everybody looks once when it is back', async () => {
    const [one, other] = [await openWakeups(), await openWakeups()];
    await redis.kill();
    one.announce(['run:run_1']);
    expect(one.woken).toEqual(['run_1']);
    await waitFor('the loss to be noticed', () => other.errors.length > 0);
    await redis.start();
    await eventually(() => expect(other.woken).toContain(''));
    await waitFor('wake-ups to travel again', () => {
      one.announce(['run:run_2']);
      return other.woken.includes('run_2');
    });
    expect(new Set(other.woken)).toEqual(new Set(['', 'run_2']));
    expect(other.errors).toHaveLength(1);
  });
});

describe('jobs in Redis', () => {
  it('are refused at once while it is away, and worked on again when it is back, though it has forgotten everything', async () => {
    const queue = await openQueue(redis.address);
    const seen: string[] = [];
    await queue.work({ 'run.execute': async ({ run }) => void seen.push(run) }, { concurrency: 1 });
    await queue.publish('run.execute', { run: 'run_1' }, { id: 'run_1' });
    await eventually(() => expect(seen).toEqual(['run_1']));
    await redis.kill();
    const away = { code: 'DH-109', params: { detail: 'it is away' } };
    await expect(queue.publish('run.execute', { run: 'run_2' }, { id: 'run_2' })).rejects.toMatchObject(away);
    await expect(queue.counts()).rejects.toMatchObject(away);
    await redis.start();
    await waitFor('the queue to take jobs', () =>
      queue.publish('run.execute', { run: 'run_3' }, { id: 'run_3' }).then(
        () => true,
        () => false,
      ),
    );
    await eventually(() => expect(seen).toEqual(['run_1', 'run_3']));
  });

  it('need not be handed back to a Redis that is away: a worker stops without it', async () => {
    const own = await createTestRedis();
    const queue = await openQueue(own.address);
    const aborted = Promise.withResolvers<void>();
    const worker = await queue.work(
      {
        'run.execute': (_, signal) =>
          new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve(aborted.resolve()))),
      },
      { concurrency: 1 },
    );
    await queue.publish('run.execute', { run: 'run_1' }, { id: 'run_1' });
    await eventually(async () => expect(await queue.counts()).toMatchObject({ active: 1 }));
    await own.close();
    await worker.stop(0);
    await aborted.promise;
  });

  it('of one installation are not those of another on the same Redis', async () => {
    const [one, other] = [await openQueue(redis.address, 'one'), await openQueue(redis.address, 'other')];
    await one.publish('run.execute', { run: 'run_1' }, { id: 'run_1' });
    expect(await other.counts()).toMatchObject({ waiting: 0 });
    expect(await one.counts()).toMatchObject({ waiting: 1 });
  });

  it('begin no oftener than their kind may, all workers together', async () => {
    const queue = await openQueue(redis.address, 'limited');
    const at: number[] = [];
    for (let n = 0; n < 11; n += 1) await queue.publish('project.sync', { project: `prj_${n}` }, { id: `prj_${n}` });
    const handlers = { 'project.sync': async () => void at.push(Date.now()) };
    await queue.work(handlers, { concurrency: 8 });
    await queue.work(handlers, { concurrency: 8 });
    await eventually(() => expect(at).toHaveLength(11));
    expect((at.at(-1) ?? 0) - (at[0] ?? 0)).toBeGreaterThanOrEqual(900);
  });

  it('follow the primary when another server becomes it', { timeout: 180_000 }, async () => {
    const set = await createTestSentinels();
    closers.push(() => set.close());
    const queue = await openQueue(set.address);
    const seen: string[] = [];
    await queue.work({ 'run.execute': async ({ run }) => void seen.push(run) }, { concurrency: 1 });
    await queue.publish('run.execute', { run: 'run_1' }, { id: 'run_1' });
    await eventually(() => expect(seen).toEqual(['run_1']));
    await set.killPrimary();
    await waitFor(
      'the other server to take jobs',
      () =>
        queue.publish('run.execute', { run: 'run_2' }, { id: 'run_2' }).then(
          () => true,
          () => false,
        ),
      patience,
    );
    await eventually(() => expect(seen).toEqual(['run_1', 'run_2']), patience);
  });
});

describe('a Redis', () => {
  it('that may drop jobs when its memory is full is warned of', async () => {
    expect(memoryAdvice(await examineRedis(redis.address))).toBeUndefined();
    await redis.client.config('SET', 'maxmemory-policy', 'allkeys-lru');
    expect(memoryAdvice(await examineRedis(redis.address))).toContain('noeviction');
    await redis.client.config('SET', 'maxmemory-policy', 'noeviction');
  });

  it('that does not answer, or refuses the login, is said to do so', async () => {
    const nobody = parseRedisAddress('redis://127.0.0.1:1') ?? redis.address;
    await expect(examineRedis(nobody, 300)).rejects.toMatchObject({
      code: 'DH-109',
      params: { detail: expect.stringContaining('ECONNREFUSED') },
    });
    const stranger = parseRedisAddress(redis.url.replace('redis://', 'redis://ada:wrong@')) ?? redis.address;
    await expect(examineRedis(stranger)).rejects.toMatchObject({
      code: 'DH-109',
      params: { detail: expect.stringContaining('WRONGPASS') },
    });
  });
});

it('promise 8: runs whose Redis is killed, wiped and back while they wait and work are each carried out once', async () => {
  const world = await createRunnerWorld('local', { redis: redis.url });
  closers.push(() => world.close());
  const project = await world.project();
  await world.startRunner({ capacity: 2 });
  const log = join(world.place.path, 'log');
  const held = join(world.place.path, 'go');
  const start = (name: string) => world.sh(`echo ${name} >> ${log}; until [ -e ${held} ]; do sleep 0.05; done`, project);
  const said = async () => (await readFile(log, 'utf8').catch(() => '')).split('\n').filter((line) => line !== '');
  const runs = [await start('a'), await start('b'), await start('c')];
  await waitFor('two of them to work', async () => (await said()).length === 2);
  await redis.client.flushall();
  runs.push(await start('d'));
  await redis.kill();
  runs.push(await start('e'));
  await redis.start();
  await writeFile(held, '');
  const sweeping = setInterval(() => void world.engine.sweep(), 500);
  closers.push(async () => clearInterval(sweeping));
  for (const { run } of runs) {
    expect(await world.resultOf(run)).toMatchObject({ outcome: 'succeeded' });
    expect(ofType(await world.eventsOf(run), 'terminal')).toHaveLength(1);
  }
  expect((await said()).sort()).toEqual(['a', 'b', 'c', 'd', 'e']);
});
