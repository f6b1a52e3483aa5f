import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { runCommandLine } from '../../src/cli.ts';
import { newId } from '../../src/runtime/ids.ts';
import { givePlaces, type Placed } from '../../src/store/places.ts';
import { queuePlace } from '../../src/store/queue-place.ts';
import { deadAfterMs } from '../../src/store/runners.ts';
import { storeWaitMs } from '../../src/store/task-store.ts';
import { askPolicy, TestEngine, type TestWorld, waitingForLock } from '../support/test-engine.ts';
import { waitFor } from '../support/wait-for.ts';

let deckhand: TestEngine;
let world: TestWorld;

beforeEach(async () => {
  deckhand = await TestEngine.start();
  world = await deckhand.world({ limits: { concurrency: 2 } });
});
afterEach(() => deckhand.close());

/** Runs that hold a place, by project. */
async function placed(): Promise<Map<string, number>> {
  const rows = await deckhand.db.run.groupBy({
    by: ['projectId'],
    where: {
      OR: [{ state: { in: ['preparing', 'executing', 'finishing'] } }, { state: 'queued', dispatchedAt: { not: null } }],
    },
    _count: { _all: true },
  });
  return new Map(rows.map(({ projectId, _count }) => [projectId, _count._all]));
}

/** Runs that were published since, each with its host. */
const hostsOf = () => deckhand.queue.published.splice(0).map(({ id, host }) => [id, host]);

describe('places in the queue', () => {
  it('are given first come, first served to one person, within the limits of each project', async () => {
    await deckhand.runner({ capacity: 3 });
    const other = await deckhand.project(world.workspace, 'api', { limits: { concurrency: 5 } });
    const web: string[] = [];
    for (let index = 0; index < 3; index += 1) {
      web.push((await deckhand.create(world, `echo ${index}`)).run);
      deckhand.clock.advance(10);
    }
    expect(deckhand.queue.take()).toEqual(web.slice(0, 2));
    const api = await deckhand.create(world, 'echo api', { project: other });
    expect(deckhand.queue.take()).toEqual([api.run]);
    const late = await deckhand.create(world, 'echo late', { project: other });
    expect(deckhand.queue.take()).toEqual([]);
    expect(await deckhand.stateOf(late.run)).toBe('queued');
  });

  it('are shared: neither a project nor a person with many requests keeps the others waiting', async () => {
    const runner = await deckhand.runner({ capacity: 1 });
    const api = await deckhand.project(world.workspace, 'api', { limits: { concurrency: 5 } });
    const { ada, ben } = world.people;
    const names = new Map<string, string>();
    const ask = async (name: string, by = ada, project = world.project) => {
      const { run } = await deckhand.create(world, `echo ${name}`, { by, project });
      names.set(run, name);
      deckhand.clock.advance(10);
      return run;
    };
    const runs = [await ask('ada 1'), await ask('ada 2'), await ask('ada 3'), await ask('ben 1', ben)];
    runs.push(await ask('api 1', ada, api), await ask('api 2', ada, api));
    const place = async (run: string | undefined) => (await queuePlace(deckhand.db, run ?? '', deckhand.clock.now()))?.place;
    // The project that has no place comes next; ada's further ones wait for ben's in their project.
    expect(await Promise.all(runs.map(place))).toEqual([0, 2, 3, 2, 1, 3]);
    const order: (string | undefined)[] = [];
    for (let [next, ...more] = deckhand.queue.take(); next !== undefined; [next, ...more] = [...more, ...deckhand.queue.take()]) {
      order.push(names.get(next));
      await deckhand.execute(next, runner);
      deckhand.clock.advance(10);
      await deckhand.finish(next, runner);
    }
    expect(order).toEqual(['ada 1', 'api 1', 'ben 1', 'api 2', 'ada 2', 'ada 3']);
  });

  it('a run that ends gives its place to the next', async () => {
    const runner = await deckhand.runner({ capacity: 1 });
    const first = await deckhand.create(world, 'echo 1');
    const second = await deckhand.create(world, 'echo 2');
    expect(deckhand.queue.take()).toEqual([first.run]);
    await deckhand.execute(first.run, runner);
    expect(deckhand.queue.take()).toEqual([]);
    await deckhand.finish(first.run, runner);
    expect(deckhand.queue.take()).toEqual([second.run]);
  });

  it('a run that is stopped before its start, or parked for an approval, gives its place up', async () => {
    const runner = await deckhand.runner({ capacity: 1 });
    const [first, second, third] = await Promise.all(['a', 'b', 'c'].map((name) => deckhand.create(world, `echo ${name}`)));
    const [placedFirst] = deckhand.queue.take();
    const order = [first, second, third].sort((a, b) => (a?.run === placedFirst ? -1 : b?.run === placedFirst ? 1 : 0));
    await deckhand.tx((tx) => deckhand.engine.tasks.stop(tx, order[0]?.task ?? '', world.people.dev));
    const [next] = deckhand.queue.take();
    expect([order[1]?.run, order[2]?.run]).toContain(next);
    const parked = order.find((one) => one?.run === next);
    await deckhand.db.task.update({ where: { id: parked?.task ?? '' }, data: { policy: askPolicy } });
    const spec = await deckhand.claim(next ?? '', runner);
    expect(await deckhand.authorise(spec, runner)).toEqual({ verdict: 'ask' });
    expect(deckhand.queue.take()).toHaveLength(1);
  });

  it('nothing is given while no runner lives, and all that fits when one comes', async () => {
    const { run } = await deckhand.create(world, 'echo 1');
    expect(deckhand.queue.take()).toEqual([]);
    await deckhand.runner({ capacity: 1 });
    expect(deckhand.queue.take()).toEqual([run]);
  });

  it('the capacity of a runner that died or left does not count', async () => {
    const gone = await deckhand.runner({ host: 'host-1', capacity: 2 });
    await deckhand.runs.unregister(gone);
    await deckhand.create(world, 'echo 1');
    expect(deckhand.queue.take()).toEqual([]);
    await deckhand.runner({ host: 'host-2', capacity: 2 });
    deckhand.queue.take();
    deckhand.clock.advance(deadAfterMs);
    await deckhand.create(world, 'echo 2');
    await deckhand.engine.sweep();
    expect(await placed()).toEqual(new Map([[world.project, 1]]));
  });

  it('a living runner keeps its capacity by its beats', async () => {
    const runner = await deckhand.runner({ capacity: 1 });
    for (let minute = 0; minute < 5; minute += 1) {
      deckhand.clock.advance(deadAfterMs - 1000);
      await deckhand.runs.beat(runner);
    }
    const { run } = await deckhand.create(world, 'echo 1');
    expect(deckhand.queue.take()).toEqual([run]);
  });

  it('no limit is exceeded when four processes give places and runs come and go at once', async () => {
    const engines = [deckhand.engine, deckhand.another(), deckhand.another(), deckhand.another()];
    const runner = await deckhand.runner({ capacity: 5 });
    const other = await deckhand.project(world.workspace, 'api', { limits: { concurrency: 4 } });
    const seen: Map<string, number>[] = [];
    let done = false;
    const watching = (async () => {
      while (!done) seen.push(await placed());
    })();
    const made = await Promise.all(
      Array.from({ length: 24 }, (_, index) =>
        deckhand.create(world, `echo ${index}`, {
          project: index % 2 === 0 ? world.project : other,
          engine: engines[index % engines.length] ?? deckhand.engine,
        }),
      ),
    );
    for (let ended = 0; ended < made.length; ) {
      await Promise.all(engines.map((engine) => engine.sweep()));
      const ready = new Set(deckhand.queue.take());
      for (const run of ready) await deckhand.execute(run, runner);
      await Promise.all([...ready].map((run) => deckhand.finish(run, runner)));
      ended += ready.size;
    }
    done = true;
    await watching;
    expect(seen.length).toBeGreaterThan(5);
    for (const counts of seen) {
      expect(counts.get(world.project) ?? 0).toBeLessThanOrEqual(2);
      expect(counts.get(other) ?? 0).toBeLessThanOrEqual(4);
      expect([...counts.values()].reduce((sum, count) => sum + count, 0)).toBeLessThanOrEqual(5);
    }
    expect(Math.max(...seen.map((counts) => [...counts.values()].reduce((sum, count) => sum + count, 0)))).toBe(5);
  });

  it('whoever gives places waits for one who is at it and has not committed', async () => {
    for (let index = 0; index < 3; index += 1) {
      await deckhand.create(world, `echo ${index}`);
      deckhand.clock.advance(10);
    }
    const now = deckhand.clock.now();
    const runner = { id: newId('rnr'), hostId: 'host-1', capacity: 10, sandboxes: {}, beatAt: now };
    await deckhand.db.runner.create({ data: runner });
    let second: Promise<Placed[]> = Promise.resolve([]);
    const first = await deckhand.tx(async (tx) => {
      const given = await givePlaces(tx, now);
      // A run comes to light that is older than those that were given the places.
      await deckhand.db.run.updateMany({
        where: { id: { notIn: given.map(({ run }) => run) } },
        data: { queuedAt: new Date(0) },
      });
      let ended = false;
      second = deckhand
        .tx((other) => givePlaces(other, now))
        .finally(() => {
          ended = true;
        });
      await waitFor('the second to wait for the first', async () => ended || (await waitingForLock(deckhand)));
      return given;
    });
    expect(first).toHaveLength(2);
    expect(await second).toEqual([]);
  });

  it('a run whose row is held by somebody is told of as passed over, and gets its place when it is looked at again', async () => {
    const held = await deckhand.create(world, 'echo held');
    const free = await deckhand.create(world, 'echo free');
    const now = deckhand.clock.now();
    await deckhand.db.runner.create({
      data: { id: newId('rnr'), hostId: 'host-1', capacity: 10, sandboxes: {}, beatAt: now },
    });
    let passedOver = 0;
    const give = () =>
      deckhand.tx(async (tx) => {
        const given = await givePlaces(tx, now, () => {
          passedOver += 1;
        });
        return given.map(({ run }) => run);
      });
    await deckhand.tx(async (tx) => {
      await tx.db.$queryRaw`SELECT "id" FROM "Run" WHERE "id" = ${held.run} FOR UPDATE`;
      expect([await give(), passedOver]).toEqual([[free.run], 1]);
    });
    expect([await give(), passedOver]).toEqual([[held.run], 1]);
  });

  it('a queue that fails to publish loses nothing: the sweep publishes again', async () => {
    await deckhand.runner();
    const publish = deckhand.queue.publish;
    deckhand.queue.publish = async () => {
      throw new Error('queue is away');
    };
    const { run } = await deckhand.create(world, 'echo 1');
    expect(await deckhand.stateOf(run)).toBe('queued');
    deckhand.queue.publish = publish;
    deckhand.clock.advance(4000);
    await deckhand.engine.sweep();
    expect(deckhand.queue.take()).toEqual([]);
    deckhand.clock.advance(1001);
    await deckhand.engine.sweep();
    expect(deckhand.queue.take()).toEqual([run]);
    await deckhand.engine.sweep();
    expect(deckhand.queue.take()).toEqual([]);
  });
});

describe('labels', () => {
  const place = (run: string) => queuePlace(deckhand.db, run, deckhand.clock.now());

  it('lead a run to a runner that has them all; what needs none leaves such runners free', async () => {
    await deckhand.runner({ host: 'gpu', capacity: 2, labels: ['gpu', 'eu'] });
    await deckhand.runner({ host: 'plain', capacity: 1 });
    const api = await deckhand.project(world.workspace, 'api', { limits: { concurrency: 5, runsOn: ['eu'] } });
    const plain = await deckhand.create(world, 'echo 1');
    const eu = await deckhand.create(world, 'echo 2', { project: api });
    const both = await deckhand.create(world, 'echo 3', { runsOn: ['gpu', 'eu', 'docker'] });
    expect(hostsOf()).toEqual([
      [plain.run, 'plain'],
      [eu.run, 'gpu'],
      [both.run, 'gpu'],
    ]);
    // The request goes before the project, and the labels of a task stay what they were when it was made.
    const any = await deckhand.create(world, 'echo 4', { project: api, runsOn: [] });
    await deckhand.db.project.update({ where: { id: api }, data: { limits: { concurrency: 5, timeoutMs: 60_000 } } });
    const row = (task: string) => deckhand.db.task.findUniqueOrThrow({ where: { id: task } });
    expect([(await row(eu.task)).runsOn, (await row(both.task)).runsOn, (await row(any.task)).runsOn]).toEqual([
      'eu',
      'docker,eu,gpu',
      '',
    ]);
  });

  it('nobody waits behind a run that no runner fits, which waits without a place and says what is missing', async () => {
    await deckhand.runner({ host: 'plain', capacity: 2 });
    const stuck = await deckhand.create(world, 'train', { runsOn: ['gpu'] });
    const also = await deckhand.create(world, 'train more', { runsOn: ['gpu', 'docker'] });
    deckhand.clock.advance(10);
    const first = await deckhand.create(world, 'echo 1');
    const second = await deckhand.create(world, 'echo 2');
    expect(hostsOf().map(([run]) => run)).toEqual([first.run, second.run]);
    expect(await place(stuck.run)).toMatchObject({ waitsFor: 'labels', missing: ['gpu'], estimateMs: null });
    expect(await place(also.run)).toMatchObject({ waitsFor: 'labels', missing: ['gpu'] });
    const third = await deckhand.create(world, 'echo 3');
    expect(await place(third.run)).toMatchObject({ place: 1, waitsFor: 'project' });
    const runner = await deckhand.runner({ host: 'gpu', capacity: 4, labels: ['gpu'] });
    expect(hostsOf()).toEqual([]);
    await deckhand.execute(first.run, runner);
    await deckhand.finish(first.run, runner);
    expect(hostsOf()).toEqual([[stuck.run, 'gpu']]);
  });

  it('a runner without them cannot take the run, whatever job it is given', async () => {
    const plain = await deckhand.runner({ host: 'plain' });
    const gpu = await deckhand.runner({ host: 'gpu', labels: ['gpu'] });
    const { run } = await deckhand.create(world, 'train', { runsOn: ['gpu'] });
    expect(await deckhand.runs.claim(run, plain)).toEqual({ ok: false, reason: 'does_not_fit' });
    expect((await deckhand.claim(run, gpu)).run).toBe(run);
  });

  it('what waits on a runner that drains, leaves or dies goes to another one at once', async () => {
    const first = await deckhand.runner({ host: 'a', capacity: 1 });
    const second = await deckhand.runner({ host: 'b', capacity: 1 });
    const held = await deckhand.create(world, 'echo 1');
    expect(hostsOf()).toEqual([[held.run, 'a']]);
    await deckhand.execute(held.run, first);
    const waits = await deckhand.create(world, 'echo 2');
    expect(hostsOf()).toEqual([[waits.run, 'b']]);
    const third = await deckhand.runner({ host: 'c', capacity: 1 });
    await deckhand.runs.drain(second);
    expect(hostsOf()).toEqual([[waits.run, 'c']]);
    expect(await deckhand.runs.claim(waits.run, second)).toEqual({ ok: false, reason: 'held_elsewhere' });
    await deckhand.runs.drain(first);
    // What it has goes on.
    expect(await deckhand.finish(held.run, first)).toBe(true);
    await deckhand.runner({ host: 'd', capacity: 1 });
    await deckhand.runs.unregister(third);
    expect(hostsOf()).toEqual([[waits.run, 'd']]);
    deckhand.clock.advance(deadAfterMs);
    await deckhand.runner({ host: 'e', capacity: 1 });
    expect(hostsOf()).toEqual([[waits.run, 'e']]);
  });
});

describe('a run that builds upon what its task has left', () => {
  const place = (run: string) => queuePlace(deckhand.db, run, deckhand.clock.now());

  /** The task of a run that has committed something on that host, and its next run. */
  async function continued(host: string, store?: string): Promise<{ task: string; run: string; runner: string }> {
    const runner = await deckhand.runner({ host, capacity: 1, store });
    const { task, run } = await deckhand.create(world, 'echo 1');
    await deckhand.execute(run, runner);
    await deckhand.finish(run, runner, { commit: 'a'.repeat(40) });
    await deckhand.runs.unregister(runner);
    hostsOf();
    await deckhand.runner({ host: 'other', capacity: 4 });
    await deckhand.tx((tx) => deckhand.engine.tasks.retry(tx, task, world.people.dev));
    const [next] = await deckhand.db.run.findMany({ where: { taskId: task, state: 'queued' } });
    return { task, run: next?.id ?? '', runner };
  }

  it('goes to a runner that has it: of the same host, or one that shares the disk', async () => {
    const { run } = await continued('a', 'disk-1');
    expect(hostsOf()).toEqual([]);
    expect(await place(run)).toMatchObject({ waitsFor: 'left', estimateMs: null });
    await deckhand.runner({ host: 'b', capacity: 1, store: 'disk-1' });
    expect(hostsOf()).toEqual([[run, 'b']]);
  });

  it('keeps nobody waiting meanwhile, and after ten minutes any runner takes it', async () => {
    const { run } = await continued('a');
    const another = await deckhand.create(world, 'echo 2');
    expect(hostsOf()).toEqual([[another.run, 'other']]);
    deckhand.clock.advance(storeWaitMs);
    await deckhand.runner({ host: 'other', capacity: 4 });
    expect(hostsOf()).toEqual([[run, 'other']]);
  });
});

describe('a machine that takes nothing new because somebody asked for it', () => {
  /** `deckhand runner …`: what it says. */
  async function ask(...args: string[]): Promise<string> {
    let said = '';
    const terminal = { env: { DATABASE_URL: deckhand.url }, interactive: false };
    const say = (text: string) => {
      said += text;
    };
    await runCommandLine(['runner', ...args], { ...terminal, out: say, err: say });
    return said;
  }

  it('finishes what it has, gets nothing until that is taken back, and keeps it so over restarts of its runner', async () => {
    // What the command line looks at has the clock of the database.
    deckhand.clock.advance(Date.now() - deckhand.clock.now().getTime());
    const runner = await deckhand.runner({ host: 'host-a', capacity: 2 });
    const { run: held } = await deckhand.create(world, 'echo 1');
    await deckhand.execute(held, runner);
    const { run: waits } = await deckhand.create(world, 'echo 2');
    hostsOf();
    expect(await ask('drain', 'host-a')).toMatch(/takes nothing new.*\n● 1 run there goes on\.\n$/);
    await deckhand.engine.sweep();
    expect(await deckhand.runs.claim(waits, runner)).toMatchObject({ ok: false });
    expect(await queuePlace(deckhand.db, waits, deckhand.clock.now())).toMatchObject({ waitsFor: 'no_runner' });
    expect(await ask('list')).toMatch(/^⏸ host-a · docker · takes nothing new · 1 of 2 places taken/);
    await deckhand.runner({ host: 'host-b', capacity: 1 });
    expect(hostsOf()).toEqual([[waits, 'host-b']]);
    expect(await ask('drain', 'host-x')).toContain('DH-126');
    expect(await ask('drain', 'host-')).toContain('host-a, host-b');
    const waiting = ask('drain', 'host-a', '--wait');
    expect(await deckhand.finish(held, runner)).toBe(true);
    expect(await waiting).toContain('✔ Nothing runs there');
    const again = await deckhand.runner({ host: 'host-a', capacity: 2 });
    const { run: later } = await deckhand.create(world, 'echo 3');
    expect(hostsOf()).toEqual([]);
    await ask('undrain', 'host-a');
    await deckhand.engine.sweep();
    expect(hostsOf()).toEqual([[later, 'host-a']]);
    expect((await deckhand.claim(later, again)).run).toBe(later);
    const lines = await deckhand.db.audit.findMany({ where: { action: { startsWith: 'runner.' } }, orderBy: { id: 'asc' } });
    expect(lines.map(({ workspaceId, action, subject }) => [workspaceId, action, subject])).toEqual([
      ['installation', 'runner.drain', 'host-a'],
      ['installation', 'runner.drain', 'host-a'],
      ['installation', 'runner.undrain', 'host-a'],
    ]);
  });
});

describe('the place of a run', () => {
  const place = (run: string) => queuePlace(deckhand.db, run, deckhand.clock.now());

  /** A run of the past that took so long. */
  async function history(ms: number, project = world.project): Promise<void> {
    const { task } = await deckhand.create(world, 'echo old', { project });
    const startedAt = deckhand.clock.now();
    await deckhand.db.run.updateMany({
      where: { taskId: task },
      data: { state: 'succeeded', startedAt, endedAt: new Date(startedAt.getTime() + ms) },
    });
  }

  it('says that no runner is there', async () => {
    const { run } = await deckhand.create(world, 'echo 1');
    expect(await place(run)).toEqual({ place: 1, estimateMs: null, waitsFor: 'no_runner' });
  });

  it('counts the runs ahead in the same project when that is full, and reckons with the mean of past runs', async () => {
    await history(60_000);
    await history(120_000);
    await deckhand.runner({ capacity: 10 });
    const runs: string[] = [];
    for (let index = 0; index < 4; index += 1) {
      runs.push((await deckhand.create(world, `echo ${index}`)).run);
      deckhand.clock.advance(10);
    }
    const [first = '', , third = '', fourth = ''] = runs;
    expect(await place(first)).toEqual({ place: 0, estimateMs: 0, waitsFor: 'nothing' });
    expect(await place(third)).toEqual({ place: 1, estimateMs: 45_000, waitsFor: 'project' });
    expect(await place(fourth)).toEqual({ place: 2, estimateMs: 90_000, waitsFor: 'project' });
  });

  it('counts all runs ahead when the runners are full, and takes the mean of the workspace for a new project', async () => {
    await history(30_000);
    const api = await deckhand.project(world.workspace, 'api', { limits: { concurrency: 10 } });
    await deckhand.runner({ capacity: 1 });
    const web = [await deckhand.create(world, 'echo 1'), await deckhand.create(world, 'echo 2')];
    deckhand.clock.advance(10);
    const { run } = await deckhand.create(world, 'echo api', { project: api });
    // The project that has no place yet comes first.
    expect(await place(web[1]?.run ?? '')).toMatchObject({ place: 2, waitsFor: 'runners' });
    expect(await place(run)).toEqual({ place: 1, estimateMs: 30_000, waitsFor: 'runners' });
  });

  it('is null for a run that does not wait', async () => {
    const runner = await deckhand.runner();
    const { run } = await deckhand.create(world, 'echo 1');
    await deckhand.execute(run, runner);
    expect(await place(run)).toBeNull();
    expect(await place(newId('run'))).toBeNull();
  });
});
