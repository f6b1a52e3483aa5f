import { existsSync } from 'node:fs';
import { readdir, utimes } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createBaseWatch } from '../../runner/base-watch.ts';
import { createHousekeeper } from '../../runner/housekeeper.ts';
import { createFilesKeeping } from '../../runner/keep-files.ts';
import { createWorkspace } from '../../runner/workspace.ts';
import { strandedOrders } from '../../src/store/prune-orders.ts';
import { createBaseControl } from '../../src/tasks/base-control.ts';
import { createHousekeeping } from '../../src/tasks/housekeeping.ts';
import { giveUpOrder } from '../../src/tasks/prune-order.ts';
import { git } from '../support/git-repository.ts';
import { createRunnerWorld, ofType, type RunnerWorld } from '../support/runner-world.ts';

const day = 24 * 60 * 60_000;
const host = 'host_test';
let world: RunnerWorld;
/** The other one is for what happens to its base. */
let project: string;
let moving: string;
let made: Record<Name, Ended>;

interface Ended {
  task: string;
  run: string;
  commit: string | undefined;
}

/** Tasks that have ended, and what each has changed. */
const commands = {
  undecided: 'echo a > a',
  discarded: 'echo b > b',
  pending: 'echo c > c',
  nothing: 'echo nothing',
  live: 'echo e > e',
  crashed: 'echo crash > crash',
  early: 'echo quota',
  clashing: 'echo mine > README.md',
  fitting: 'echo new > new.txt',
} as const;
type Name = keyof typeof commands;

beforeAll(async () => {
  world = await createRunnerWorld('local');
  project = await world.project();
  moving = await world.project();
  const runner = await world.startRunner();
  const names = Object.keys(commands) as Name[];
  const ended = await Promise.all(
    names.map(async (name): Promise<[Name, Ended]> => {
      const one = await world.sh(commands[name], name === 'clashing' || name === 'fitting' ? moving : project);
      return [name, { ...one, commit: (await world.resultOf(one.run)).commit }];
    }),
  );
  made = Object.fromEntries(ended) as Record<Name, Ended>;
  await runner.stop();
}, 60_000);
afterAll(() => world.close());

/** The housekeeper of the runner, so many days from now. */
function keeperIn(days: number, quota: number | null = null) {
  const { dataDir } = world.installation;
  const clock = { now: () => new Date(Date.now() + days * day) };
  const keeping = { filesMs: 30 * day, changesMs: 90 * day };
  const control = createHousekeeping({ database: world.database, wakeups: world.wakeups, clock, keeping });
  const disk = { free: 1e9, quota };
  const workspace = createWorkspace({ dataDir, environment: process.env, requireQuota: () => keeper.requireRoom() });
  const keeper = createHousekeeper({
    control,
    host,
    workspace,
    mirrors: workspace.keeping,
    files: createFilesKeeping({ dataDir }),
    sandboxes: [world.sandbox],
    disk: async () => disk,
    clock,
    logger: world.logger,
  });
  return { ...keeper, control, workspace, disk };
}

const refs = async (task: string) =>
  (await git(world.mirror(project), 'for-each-ref', '--format=%(refname)', `refs/deckhand/tasks/${task}`))
    .split('\n')
    .filter(Boolean);
const filesOf = (run: string) => existsSync(join(world.installation.dataDir, 'artifacts', run));
const removedRows = (run: string) => world.database.db.artifact.count({ where: { runId: run, removedAt: { not: null } } });

/** What is young is kept whatever it is, so the mirror must look older than it is. */
async function agedMirror() {
  const objects = join(world.mirror(project), 'objects');
  const then = new Date(Date.now() - day);
  for (const entry of await readdir(objects, { recursive: true, withFileTypes: true })) {
    if (entry.isFile()) await utimes(join(entry.parentPath, entry.name), then, then);
  }
}

test('a change without a pull request is told once that it conflicts with its base, and that it is merged', {
  timeout: 60_000,
}, async () => {
  const { db } = world.database;
  const { clashing, fitting } = made;
  const { dataDir } = world.installation;
  const control = createBaseControl({ database: world.database, clock: { now: () => new Date() } });
  const workspace = createWorkspace({ dataDir, environment: process.env });
  const watch = createBaseWatch({ control, host, workspace, secrets: [], logger: world.logger });
  const told = async (run: string) => ofType(await world.eventsOf(run), 'base').map(({ state }) => state);
  const looked = async () => {
    await watch.look();
    return Promise.all([clashing, fitting].map(({ run }) => told(run)));
  };
  expect(await looked()).toEqual([[], []]);

  const newest = await world.source.commit({ 'README.md': 'theirs\n' }, 'Meanwhile');
  expect(await looked()).toEqual([['conflict'], []]);
  expect(ofType(await world.eventsOf(clashing.run), 'base')).toEqual([
    { type: 'base', branch: 'main', commit: newest, state: 'conflict', files: ['README.md'] },
  ]);
  await world.source.commit({ 'other.txt': 'more\n' }, 'More');
  expect(await looked()).toEqual([['conflict'], []]);

  await world.source.git('fetch', '--quiet', world.mirror(moving), fitting.commit ?? '');
  await world.source.git('cherry-pick', fitting.commit ?? '');
  expect(await looked()).toEqual([['conflict'], ['merged']]);
  expect(await db.task.findUniqueOrThrow({ where: { id: fitting.task } })).toMatchObject({ column: 'done' });
  // It is finished now: an order takes it, and the one that still waits for a decision stays.
  const taken = await keeperIn(2).control.removable(
    { runs: [], tasks: [clashing.task, fitting.task] },
    { why: 'order', workspace: world.ada.workspace },
  );
  expect(taken).toEqual([{ kind: 'commits', task: fitting.task }]);

  await world.source.commit({ 'README.md': 'hello\n' }, 'As it was');
  expect(await looked()).toEqual([['conflict', 'fits'], ['merged']]);
});

test('promise 8: what is noted as removed and was not deleted before a crash is deleted by the next round', {
  timeout: 60_000,
}, async () => {
  const { crashed } = made;
  const { control, round } = keeperIn(0);
  const late = keeperIn(100);
  expect(await control.release({ kind: 'files', run: crashed.run }, { why: 'age' })).toBe(false);
  expect(await late.control.release({ kind: 'files', run: crashed.run }, { why: 'age' })).toBe(true);
  expect(await late.control.release({ kind: 'commits', task: crashed.task }, { why: 'age' })).toBe(true);
  expect([filesOf(crashed.run), await refs(crashed.task)]).not.toEqual([false, []]);
  // The file is not claimed to be there any more, and nothing begins that would need the commits.
  expect(await removedRows(crashed.run)).toBeGreaterThan(0);
  await expect(world.retry(crashed.task)).rejects.toMatchObject({ code: 'DH-319' });
  expect(await round()).toMatchObject({ files: 1, commits: 1 });
  expect([filesOf(crashed.run), await refs(crashed.task)]).toEqual([false, []]);
});

test('beyond the disk quota the oldest finished things go first, then nothing new is started, and the refusal says what takes the room', {
  timeout: 60_000,
}, async () => {
  const { early } = made;
  const source = { kind: 'path' as const, path: world.source.path };
  const spec = { id: project, name: 'web', source, baseBranch: null };
  const young = keeperIn(0, 1);
  await young.round();
  expect(filesOf(early.run)).toBe(true);
  await expect(young.workspace.resolveBase(spec)).rejects.toMatchObject({
    code: 'DH-518',
    params: { most: expect.stringContaining('the mirror of web') },
  });
  // What runs can end: its mirror is not closed.
  await young.workspace.sync(spec);
  const later = keeperIn(2, 1);
  await later.round();
  expect(filesOf(early.run)).toBe(false);
  await expect(later.workspace.resolveBase(spec)).rejects.toMatchObject({ code: 'DH-518' });
  later.disk.quota = 1e12;
  await later.round();
  expect(await later.workspace.resolveBase(spec)).toMatchObject({ branch: 'main' });
  expect(await world.database.db.hostDisk.findUnique({ where: { hostId: host } })).toMatchObject({ quotaBytes: 10n ** 12n });
});

test('what is finished goes when somebody orders it or when its time is over; what is needed never does', {
  timeout: 60_000,
}, async () => {
  const { db } = world.database;
  const { undecided, discarded, pending, nothing, live } = made;
  await world.database.transaction((tx) => world.engine.tasks.discard(tx, discarded.run, world.ada));
  await world.publish(pending.run);
  const { run: again } = await world.retry(live.task);
  expect(again).not.toBe(live.run);

  // On the same day an order takes nothing; the others that are finished have made room already.
  const order = (key: string) =>
    db.pruneOrder.create({
      data: {
        id: `pro_${key}`,
        workspaceId: world.ada.workspace,
        requestedBy: world.ada.user,
        cardKey: key,
        waiting: [host, 'host_other'],
        freed: { files: 0, commits: 0, bytes: 0 },
        createdAt: new Date(),
      },
    });
  await order('today');
  expect(await keeperIn(0).obey()).toEqual({ files: 0, commits: 0, bytes: 0 });
  expect(await keeperIn(0).obey()).toBeUndefined();

  await order('later');
  expect(await keeperIn(2).obey()).toMatchObject({ files: 1, commits: 1 });
  expect(await db.pruneOrder.findUnique({ where: { id: 'pro_later' } })).toMatchObject({
    waiting: ['host_other'],
    endedAt: null,
  });
  // Nobody was heard of the other host: the order goes on without it.
  const since = new Date(0);
  expect(await strandedOrders(db, since)).toContain('pro_later');
  await world.database.transaction((tx) => giveUpOrder(tx, 'pro_later', since, new Date()));
  expect(await db.pruneOrder.findUnique({ where: { id: 'pro_later' } })).toMatchObject({
    waiting: [],
    missed: ['host_other'],
    freed: { files: 1, commits: 1 },
    endedAt: expect.any(Date),
  });
  expect(await strandedOrders(db, since)).not.toContain('pro_later');
  for (const { task, run } of [discarded, nothing]) {
    expect(await refs(task)).toEqual([]);
    expect(filesOf(run)).toBe(false);
    expect(await removedRows(run)).toBe(await db.artifact.count({ where: { runId: run } }));
  }
  for (const { task, run } of [undecided, pending, live]) {
    expect(await refs(task)).not.toEqual([]);
    expect(filesOf(run)).toBe(true);
    expect(await removedRows(run)).toBe(0);
  }
  await expect(world.publish(discarded.run)).rejects.toMatchObject({ code: 'DH-319' });
  await expect(world.retry(discarded.task)).rejects.toMatchObject({ code: 'DH-319' });
  // It had changed nothing, so nothing of it is lost.
  await world.retry(nothing.task);

  await keeperIn(89).round();
  expect(filesOf(undecided.run)).toBe(true);
  await agedMirror();
  await keeperIn(400).round();
  expect([filesOf(undecided.run), await refs(undecided.task)]).toEqual([false, []]);
  await expect(git(world.mirror(project), 'cat-file', '-e', undecided.commit ?? '')).rejects.toThrow();
  await expect(world.publish(undecided.run)).rejects.toMatchObject({ code: 'DH-319' });
  for (const { task, run, commit } of [pending, live]) {
    expect(filesOf(run)).toBe(true);
    expect(await refs(task)).not.toEqual([]);
    await git(world.mirror(project), 'cat-file', '-e', commit ?? '');
  }
  for (const { task } of [nothing, live]) await world.stop(task);
});
