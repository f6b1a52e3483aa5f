import { existsSync } from 'node:fs';
import { readdir, utimes } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createHousekeeper } from '../../runner/housekeeper.ts';
import { createFilesKeeping } from '../../runner/keep-files.ts';
import { createWorkspace } from '../../runner/workspace.ts';
import { createHousekeeping } from '../../src/tasks/housekeeping.ts';
import { git } from '../support/git-repository.ts';
import { createRunnerWorld, type RunnerWorld } from '../support/runner-world.ts';

const day = 24 * 60 * 60_000;
const host = 'host_test';
let world: RunnerWorld;
let project: string;

beforeAll(async () => {
  world = await createRunnerWorld('local');
  project = await world.project();
});
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

/** Tasks that have ended: their numbers are of no use, what they have left is. */
async function ended(...commands: string[]) {
  const runner = await world.startRunner();
  const made = await Promise.all(commands.map((command) => world.sh(command, project)));
  const results = await Promise.all(made.map(({ run }) => world.resultOf(run)));
  await runner.stop();
  return made.map((one, at) => ({ ...one, commit: results[at]?.commit }));
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

test('what is finished goes when somebody orders it or when its time is over; what is needed never does', {
  timeout: 60_000,
}, async () => {
  const { db } = world.database;
  const made = await ended('echo a > a', 'echo b > b', 'echo c > c', 'echo nothing', 'echo e > e');
  const [undecided, discarded, pending, nothing, live] = made;
  if (undecided === undefined || discarded === undefined || pending === undefined) return expect.unreachable();
  if (nothing === undefined || live === undefined) return expect.unreachable();
  await world.database.transaction((tx) => world.engine.tasks.discard(tx, discarded.run, world.ada));
  await world.publish(pending.run);
  const { run: again } = await world.retry(live.task);
  expect(again).not.toBe(live.run);

  // On the same day an order takes nothing.
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
  expect(await keeperIn(2).obey()).toMatchObject({ files: 2, commits: 2 });
  expect(await db.pruneOrder.findUnique({ where: { id: 'pro_later' } })).toMatchObject({
    waiting: ['host_other'],
    endedAt: null,
  });
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

test('promise 8: what is noted as removed and was not deleted before a crash is deleted by the next round', {
  timeout: 60_000,
}, async () => {
  const [made] = await ended('echo crash > crash');
  if (made === undefined) return expect.unreachable();
  const { control, round } = keeperIn(0);
  const late = keeperIn(100);
  expect(await control.release({ kind: 'files', run: made.run }, { why: 'age' })).toBe(false);
  expect(await late.control.release({ kind: 'files', run: made.run }, { why: 'age' })).toBe(true);
  expect(await late.control.release({ kind: 'commits', task: made.task }, { why: 'age' })).toBe(true);
  expect([filesOf(made.run), await refs(made.task)]).not.toEqual([false, []]);
  // The file is not claimed to be there any more, and nothing begins that would need the commits.
  expect(await removedRows(made.run)).toBeGreaterThan(0);
  await expect(world.retry(made.task)).rejects.toMatchObject({ code: 'DH-319' });
  expect(await round()).toMatchObject({ files: 1, commits: 1 });
  expect([filesOf(made.run), await refs(made.task)]).toEqual([false, []]);
});

test('beyond the disk quota the oldest finished things go first, then nothing new is started, and the refusal says what takes the room', {
  timeout: 60_000,
}, async () => {
  const [made] = await ended('echo quota');
  if (made === undefined) return expect.unreachable();
  const source = { kind: 'path' as const, path: world.source.path };
  const spec = { id: project, name: 'web', source, baseBranch: null };
  const young = keeperIn(0, 1);
  await young.round();
  expect(filesOf(made.run)).toBe(true);
  await expect(young.workspace.resolveBase(spec)).rejects.toMatchObject({
    code: 'DH-518',
    params: { most: expect.stringContaining('the mirror of web') },
  });
  // What runs can end: its mirror is not closed.
  await young.workspace.sync(spec);
  const later = keeperIn(2, 1);
  await later.round();
  expect(filesOf(made.run)).toBe(false);
  await expect(later.workspace.resolveBase(spec)).rejects.toMatchObject({ code: 'DH-518' });
  later.disk.quota = 1e12;
  await later.round();
  expect(await later.workspace.resolveBase(spec)).toMatchObject({ branch: 'main' });
  expect(await world.database.db.hostDisk.findUnique({ where: { hostId: host } })).toMatchObject({ quotaBytes: 10n ** 12n });
});
