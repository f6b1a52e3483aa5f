import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { rebaseCrashPoints } from '../../runner/crash-points.ts';
import { createPruner } from '../../runner/prune.ts';
import { createWorkspace } from '../../runner/workspace.ts';
import type { PullFacts } from '../../src/contracts/code-host.ts';
import type { RebaseHow } from '../../src/contracts/rebase.ts';
import { createLogger } from '../../src/runtime/logger.ts';
import { removedBefore } from '../../src/store/prune.ts';
import { putPull } from '../../src/store/pull-requests.ts';
import { briefFlags } from '../support/brief-flags.ts';
import { git } from '../support/git-repository.ts';
import { createRunnerWorld, ofType, type RunnerWorld } from '../support/runner-world.ts';

const program = join(import.meta.dirname, '..', 'support', 'runner-process.ts');
let world: RunnerWorld;
let presses = 0;

beforeAll(async () => {
  world = await createRunnerWorld('local');
});
afterAll(() => world.close());

function rebase(run: string, how: RebaseHow = 'rebase', originKey = `press-${++presses}`) {
  return world.database.transaction((tx) => world.engine.tasks.rebase(tx, { run, how, by: world.ada, originKey }));
}

/** A task whose change is a pull request that was merged as one commit. */
async function merged(project: string): Promise<{ task: string; run: string; head: string }> {
  const { task, run } = await world.sh('echo undone > undone.txt', project);
  const { commit: head = '' } = await world.resultOf(run);
  const mergeCommit = await world.source.commit({ 'undone.txt': 'undone\n' }, 'Add it (#1)');
  const { branch, workspaceId: workspace } = await world.database.db.task.findUniqueOrThrow({ where: { id: task } });
  const facts: PullFacts = {
    number: 1,
    url: 'https://github.test/acme/web/pull/1',
    title: 'Add it',
    state: 'merged',
    draft: false,
    head: { branch, commit: head },
    base: 'main',
    mergeable: 'unknown',
    checks: [],
    reviews: [],
    mergeCommit,
  };
  const pull = { workspace, project, task, run, repository: 'acme/web', facts, at: new Date() };
  await world.database.transaction((tx) => putPull(tx, pull));
  return { task, run, head };
}

test('promises 8 and 10: a rebase and a revert survive a kill at every step, and what comes of them needs a decision of its own', {
  timeout: 120_000,
}, async () => {
  const check = { command: 'cat mine.txt theirs.txt; echo checked; exit 3', timeoutMs: 60_000 };
  const project = await world.project({ policy: { check } });
  const made = await world.sh('echo mine > mine.txt', project);
  const first = await world.startRunner();
  const before = await world.resultOf(made.run);
  const undone = await merged(project);
  await first.stop();
  const newest = await world.source.commit({ 'theirs.txt': 'theirs\n' }, 'Meanwhile');

  const { run } = await rebase(made.run, 'rebase', 'the press');
  // The same press is the same run; another one waits for its end.
  expect((await rebase(made.run, 'rebase', 'the press')).run).toBe(run);
  await expect(rebase(made.run)).rejects.toMatchObject({ code: 'DH-300' });

  const undo = (originKey: string) =>
    world.database.transaction((tx) => world.engine.tasks.revert(tx, { run: undone.run, by: world.ada, originKey }));
  expect((await undo('undo')).outcome).toBe('begun');
  // However many press.
  expect([(await undo('undo')).outcome, (await undo('another press')).outcome]).toEqual(['known', 'known']);
  const reverts = { where: { taskId: undone.task, rebase: 'revert' } };
  const { id: reverting } = await world.database.db.run.findFirstOrThrow(reverts);

  const installations = JSON.stringify([world.installation]);
  let later = '';
  for (const point of [...rebaseCrashPoints, 'check_started', 'finished']) {
    // Where it has come to its check, it stays: that is about this.
    if (point === 'finished') later = await world.source.commit({ 'later.txt': 'later\n' }, 'Later');
    const life = spawn(
      process.execPath,
      [...briefFlags, program, installations, JSON.stringify({ [run]: point, [reverting]: point })],
      {
        stdio: ['ignore', 'ignore', 'inherit'],
      },
    );
    const [code, signal] = await once(life, 'exit');
    expect({ point, code, signal }).toEqual({ point, code: null, signal: 'SIGKILL' });
  }

  const result = await world.resultOf(run);
  expect(result).toMatchObject({
    outcome: 'succeeded',
    message: `The change is on main@${newest.slice(0, 7)} now.`,
    base: { branch: 'main', commit: newest },
    files: [{ path: 'mine.txt', added: 1, status: 'added' }],
    check: { outcome: 'failed', exitCode: 3, output: 'mine\ntheirs\nchecked\n' },
  });
  expect(await git(world.mirror(project), 'log', '--format=%P', '-1', result.commit ?? '')).toBe(newest);
  const task = await world.database.db.task.findUniqueOrThrow({ where: { id: made.task } });
  expect(task).toMatchObject({ head: result.commit, baseCommit: newest, column: 'review' });
  const events = await world.eventsOf(run);
  expect(ofType(events, 'terminal')).toHaveLength(1);
  expect(ofType(events, 'sandbox')).toEqual([]);
  // Nothing of the former change may be pushed any more, and of the new one nothing has been decided.
  await expect(world.publish(made.run)).rejects.toMatchObject({ code: 'DH-533' });
  expect(before.commit).not.toBe(result.commit);
  expect(await world.database.db.interaction.count({ where: { taskId: made.task } })).toBe(0);

  const reverted = await world.resultOf(reverting);
  expect(reverted).toMatchObject({
    outcome: 'succeeded',
    message: `Undoes acme/web#1 on main@${newest.slice(0, 7)}.`,
    base: { branch: 'main', commit: newest },
    files: [{ path: 'undone.txt', removed: 1, status: 'deleted' }],
    check: { outcome: 'failed', exitCode: 3 },
  });
  expect(await git(world.mirror(project), 'log', '--format=%P', '-1', reverted.commit ?? '')).toBe(newest);
  const taskOfRevert = await world.database.db.task.findUniqueOrThrow({ where: { id: undone.task } });
  expect(taskOfRevert).toMatchObject({ head: reverted.commit, branch: reverted.branch, column: 'review' });
  expect(ofType(await world.eventsOf(reverting), 'terminal')).toHaveLength(1);
  expect(await world.database.db.run.count(reverts)).toBe(1);
  expect((await undo('once more')).outcome).toBe('known');
  expect(await world.database.db.publication.count({ where: { taskId: undone.task } })).toBe(0);
  expect(await git(world.mirror(project), 'rev-parse', `refs/deckhand/tasks/${undone.task}/former`)).toBe(undone.head);

  const runner = await world.startRunner();
  const again = await rebase(run);
  const moved = await world.resultOf(again.run);
  expect(moved).toMatchObject({ outcome: 'succeeded', message: `The change is on main@${later.slice(0, 7)} now.` });
  const last = await rebase(again.run);
  expect(await world.resultOf(last.run)).toMatchObject({
    outcome: 'succeeded',
    message: `The change has main@${later.slice(0, 7)} already, which is the newest base.`,
    commit: moved.commit,
  });
  await runner.stop();
});

test('mirrors of projects removed long ago are deleted, and no others', { timeout: 60_000 }, async () => {
  const { db } = world.database;
  const now = Date.now();
  const removed = async (daysAgo: number | null) => {
    const project = await world.project();
    const task = await world.sh('true', project);
    const workspace = createWorkspace({ dataDir: world.installation.dataDir, environment: process.env });
    const source = { kind: 'path' as const, path: world.source.path };
    await workspace.sync({ id: project, name: 'web', source, baseBranch: null });
    await db.run.update({ where: { id: task.run }, data: { state: 'succeeded' } });
    const archivedAt = daysAgo === null ? null : new Date(now - daysAgo * 86_400_000);
    await db.project.update({ where: { id: project }, data: { archivedAt } });
    return { project, ...task };
  };
  const [long, busy, recent, used] = [await removed(31), await removed(31), await removed(29), await removed(null)];
  await db.run.update({ where: { id: busy.run }, data: { state: 'executing' } });
  const lines: string[] = [];
  const pruner = createPruner({
    workspace: createWorkspace({ dataDir: world.installation.dataDir, environment: process.env }),
    removedBefore: (projects, before) => removedBefore(db, projects, before),
    keepMs: 30 * 86_400_000,
    clock: { now: () => new Date(now) },
    logger: createLogger({ level: 'info', destination: { write: (line) => lines.push(line) } }),
  });
  expect(await pruner.sweep()).toEqual([long.project]);
  expect(lines.map((line) => JSON.parse(line))).toMatchObject([{ project: long.project, megabytes: 0 }]);
  const there = [long, busy, recent, used].map(({ project }) => existsSync(world.mirror(project)));
  expect(there).toEqual([false, true, true, true]);
  expect(await pruner.sweep()).toEqual([]);
});

test('a change that conflicts stays as it is, and the files are named', { timeout: 60_000 }, async () => {
  const project = await world.project();
  // What a commit on the way had of secrets is told, though the change does not show it any more.
  const token = `ghp_${'a1B2'.repeat(9)}`;
  const secret = `echo ${token} > x.env; git add x.env; git commit -qm Add; git rm -q x.env`;
  const made = await world.sh(`${secret}; echo mine > README.md`, project);
  const runner = await world.startRunner();
  const before = await world.resultOf(made.run);
  expect(before).toMatchObject({ files: [{ path: 'README.md' }], risks: [{ kind: 'history', paths: ['x.env'], files: 1 }] });
  await world.source.commit({ 'README.md': 'theirs\n' }, 'Meanwhile');
  const { run } = await rebase(made.run);
  expect(await world.resultOf(run)).toMatchObject({ outcome: 'failed', cause: 'conflict', conflicts: ['README.md'], files: [] });
  const task = await world.database.db.task.findUniqueOrThrow({ where: { id: made.task } });
  expect(task).toMatchObject({ head: before.commit });
  await expect(rebase(made.run, 'resolve')).rejects.toThrow(/no agent works on/);
  // The change is still the one that can be decided about, by the buttons of the run that has made it.
  expect((await world.publish(made.run)).outcome).toBe('approved');
  await runner.stop();
});
