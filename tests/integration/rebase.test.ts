import { existsSync } from 'node:fs';
import { chmod, rename, rm, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createWorkspace, type Workspace } from '../../runner/workspace.ts';
import { emptyRepository, git, type TestRepository, temporaryDirectory } from '../support/git-repository.ts';

let place: Awaited<ReturnType<typeof temporaryDirectory>>;
let source: TestRepository;
let workspace: Workspace;
let mirror: string;

beforeEach(async () => {
  place = await temporaryDirectory('rebase');
  source = await emptyRepository(join(place.path, 'source'));
  workspace = createWorkspace({ dataDir: join(place.path, 'data'), environment: process.env });
  mirror = join(place.path, 'data', 'mirrors', 'prj_1.git');
});
afterEach(() => place[Symbol.asyncDispose]());

type Files = Record<string, string | Buffer>;
type Step = Files | (() => Promise<void>);

async function commit(step: Step, message: string): Promise<string> {
  if (typeof step === 'function') await step();
  return await source.commit(typeof step === 'function' ? {} : step, message);
}

/** A change of some commits upon `first`, while the base branch got `then`: what becomes of it. */
async function rebaseOf(first: Step, change: readonly Step[], then: Step) {
  const base = await commit(first, 'First');
  await source.git('checkout', '--quiet', '-b', 'work');
  let head = base;
  for (const [at, step] of change.entries()) head = await commit(step, `Step ${at + 1}`);
  await source.git('checkout', '--quiet', 'main');
  const newest = await commit(then, 'Meanwhile');
  const project = { id: 'prj_1', name: 'web', source: { kind: 'path' as const, path: source.path }, baseBranch: null };
  const task = { task: 'tsk_1', project, base: { branch: 'main', commit: base } };
  const onto = await workspace.newestBase(task);
  expect(onto).toEqual({ branch: 'main', commit: newest });
  expect(await workspace.knownBase(task)).toEqual(onto);
  const rebased = await workspace.rebase({ ...task, head, onto, message: 'All of it' });
  return { rebased, base, head, onto: newest, project };
}

const at = (commit: string, path: string) => git(mirror, 'show', `${commit}:${path}`);
const history = async (from: string, to: string) =>
  (await git(mirror, 'log', '--format=%s by %an', '--reverse', `${from}..${to}`)).split('\n');
const lines = (more: Record<number, string>) => Array.from({ length: 30 }, (_, n) => `${more[n] ?? n}\n`).join('');

function moved({ rebased }: Awaited<ReturnType<typeof rebaseOf>>): { commit: string; joined: boolean } {
  if (rebased.how !== 'moved') throw new Error(JSON.stringify(rebased));
  return rebased;
}

describe('a change that is put on the newest base', () => {
  it('keeps its commits with their authors and messages, and has what both have changed', async () => {
    const done = await rebaseOf({ 'a.txt': lines({}), 'b.txt': 'b\n' }, [{ 'a.txt': lines({ 2: 'two' }) }, { 'c.txt': 'c\n' }], {
      'a.txt': lines({ 20: 'twenty' }),
      'b.txt': 'B\n',
    });
    const { commit: made, joined } = moved(done);
    expect(joined).toBe(false);
    expect(await history(done.onto, made)).toEqual(['Step 1 by Ada', 'Step 2 by Ada']);
    expect(await git(mirror, 'log', '-1', '--format=%cn <%ce>', made)).toBe('Deckhand <deckhand@localhost>');
    expect(await at(made, 'a.txt')).toBe(lines({ 2: 'two', 20: 'twenty' }).trimEnd());
    expect([await at(made, 'b.txt'), await at(made, 'c.txt')]).toEqual(['B', 'c']);
    expect(await git(mirror, 'rev-parse', 'refs/deckhand/tasks/tsk_1/head')).toBe(made);
    expect(await git(mirror, 'fsck', '--strict', '--no-dangling')).toBe('');
  });

  it('follows a file that was renamed, and keeps binary files, links, modes and submodules as they are', async () => {
    const logo = Buffer.from([0, 1, 2, 255, 0]);
    const done = await rebaseOf(
      { 'old.txt': lines({}), 'run.sh': 'echo hi\n' },
      [
        { 'old.txt': lines({ 3: 'three' }), 'logo.png': logo },
        async () => {
          await symlink('../outside', join(source.path, 'link'));
          await chmod(join(source.path, 'run.sh'), 0o755);
          await source.git('update-index', '--add', '--cacheinfo', `160000,${'1'.repeat(40)},vendored`);
          await source.git('commit', '--quiet', '-m', 'A submodule');
        },
      ],
      () => rename(join(source.path, 'old.txt'), join(source.path, 'new.txt')),
    );
    const { commit: made } = moved(done);
    expect(await at(made, 'new.txt')).toBe(lines({ 3: 'three' }).trimEnd());
    const tree = await git(mirror, 'ls-tree', made);
    expect(tree).toMatch(/^120000 .*\tlink$/m);
    expect(tree).toMatch(/^100755 .*\trun\.sh$/m);
    expect(tree).not.toContain('old.txt');
    expect(await git(mirror, 'rev-parse', `${made}:logo.png`)).toBe(await git(mirror, 'rev-parse', `${done.head}:logo.png`));
  });

  it('becomes one commit where its own lead through a conflict', async () => {
    const there = await rebaseOf({ 'a.txt': 'a\n' }, [{ 'a.txt': 'mine\n' }, { 'a.txt': 'a\n', 'b.txt': 'b\n' }], {
      'a.txt': 'theirs\n',
    });
    const { commit: made, joined } = moved(there);
    expect(joined).toBe(true);
    expect(await history(there.onto, made)).toEqual(['All of it by Deckhand']);
    expect([await at(made, 'a.txt'), await at(made, 'b.txt')]).toEqual(['theirs', 'b']);
  });

  it('becomes one commit where its own are no line', async () => {
    const merge = async () => {
      await source.git('checkout', '--quiet', '-b', 'side', 'HEAD^');
      await source.commit({ 'side.txt': 's\n' }, 'Beside');
      await source.git('checkout', '--quiet', 'work');
      await source.git('merge', '--quiet', '--no-ff', '-m', 'Merge', 'side');
    };
    const { commit: made, joined } = moved(await rebaseOf({ 'a.txt': 'a\n' }, [{ 'b.txt': 'b\n' }, merge], { 'c.txt': 'c\n' }));
    expect(joined).toBe(true);
    expect((await git(mirror, 'ls-tree', '--name-only', made)).split('\n')).toEqual(['a.txt', 'b.txt', 'c.txt', 'side.txt']);
  });

  it('is not touched when it conflicts: the names of the files are told, whatever they are', async () => {
    const odd = 'odd\nname\u001b[31m.txt';
    const done = await rebaseOf(
      { 'a.txt': 'a\n', [odd]: 'x\n', 'gone.txt': 'g\n', bin: Buffer.from([0, 1]) },
      [{ 'a.txt': 'mine\n', [odd]: 'mine\n', 'gone.txt': 'mine\n', bin: Buffer.from([0, 2]), 'fine.txt': 'f\n' }],
      async () => {
        await rm(join(source.path, 'gone.txt'));
        await source.write({ 'a.txt': 'theirs\n', [odd]: 'theirs\n', bin: Buffer.from([0, 3]) });
      },
    );
    expect(done.rebased).toEqual({ how: 'conflict', files: ['a.txt', 'bin', 'gone.txt', odd].sort() });
    await expect(git(mirror, 'rev-parse', '--verify', '--quiet', 'refs/deckhand/tasks/tsk_1/head')).rejects.toThrow();
  });

  it('can be resolved in a working copy that has the newest base as that of its remote', async () => {
    const { base, head, onto, project } = await rebaseOf({ 'a.txt': 'a\n' }, [{ 'a.txt': 'mine\n' }], { 'a.txt': 'theirs\n' });
    const copy = { run: 'run_1', task: 'tsk_1', project, branch: 'deckhand/7', base: { branch: 'main', commit: base }, head };
    await workspace.prepare({ ...copy, newest: await workspace.knownBase(copy) });
    const tree = join(place.path, 'data', 'work', 'run_1');
    expect(await git(tree, 'rev-parse', 'HEAD', 'origin/main')).toBe(`${head}\n${onto}`);
    await expect(git(tree, 'merge', '--quiet', 'origin/main')).rejects.toThrow();
    expect(await git(tree, 'diff', '--name-only', '--diff-filter=U')).toBe('a.txt');
    expect([await workspace.precedes('prj_1', base, head), await workspace.precedes('prj_1', onto, head)]).toEqual([true, false]);
  });

  it('is left alone when it has the newest base, and is nothing when the base has all of it', async () => {
    const first = await rebaseOf({ 'a.txt': 'a\n' }, [{ 'b.txt': 'b\n' }], { 'b.txt': 'b\n' });
    expect(first.rebased).toEqual({ how: 'empty' });
    const task = { task: 'tsk_1', project: first.project, base: { branch: 'main', commit: first.base } };
    const onto = { branch: 'main', commit: first.base };
    expect(await workspace.rebase({ ...task, head: first.head, onto, message: 'Again' })).toEqual({ how: 'same' });
  });

  it('leaves the former change in the mirror: until this one is recorded it is the one that people have decided about', async () => {
    const done = await rebaseOf({ 'a.txt': 'a\n' }, [{ 'b.txt': 'b\n' }], { 'c.txt': 'c\n' });
    const first = moved(done).commit;
    // Killed before it was recorded: made again, upon a base that has moved on.
    await source.commit({ 'd.txt': 'd\n' }, 'Later');
    const task = { task: 'tsk_1', project: done.project, base: { branch: 'main', commit: done.base } };
    const again = await workspace.rebase({ ...task, head: done.head, onto: await workspace.newestBase(task), message: 'Again' });
    expect(again).toMatchObject({ how: 'moved' });
    await source.git('branch', '--quiet', '-D', 'work');
    await workspace.sync(done.project);
    await git(mirror, 'gc', '--quiet', '--prune=now');
    expect(await at(done.head, 'b.txt')).toBe('b');
    await expect(at(first, 'b.txt')).rejects.toThrow();
    const copy = { ...task, run: 'run_1', branch: 'deckhand/7', head: done.head };
    await workspace.prepare(copy);
    expect(await git(mirror, 'rev-parse', 'refs/deckhand/tasks/tsk_1/head')).toBe(done.head);
    await workspace.keeping.letGo('prj_1', ['tsk_1']);
    expect(await git(mirror, 'for-each-ref', 'refs/deckhand')).toBe('');
  });

  it('brings nothing along that the base branch has taken back by a rewritten history', async () => {
    await source.commit({ 'a.txt': 'a\n' }, 'Root');
    const done = await rebaseOf({ 'secret.txt': 's\n' }, [{ 'b.txt': 'b\n' }], () =>
      source.git('reset', '--quiet', '--hard', 'HEAD^').then(() => undefined),
    );
    const { commit: made } = moved(done);
    expect((await git(mirror, 'ls-tree', '--name-only', made)).split('\n')).toEqual(['a.txt', 'b.txt']);
    expect(await history(done.onto, made)).toEqual(['Step 1 by Ada']);
  });
});

describe('promise 10: a hostile repository cannot run code on the host while its change is rebased', () => {
  it('merge drivers that it names are not run, and its attributes have no say in the result', async () => {
    const trace = join(place.path, 'ran');
    const driver = `touch ${trace}; cat %A`;
    const hostile = '* merge=evil\n*.union merge=union\n';
    await source.git('config', 'merge.evil.driver', driver);
    const done = await rebaseOf(
      {
        '.gitattributes': hostile,
        '.gitconfig': `[merge "evil"]\n\tdriver = ${driver}\n`,
        'a.txt': lines({}),
        'x.union': 'one\n',
      },
      [{ 'a.txt': lines({ 1: 'mine' }), 'x.union': 'mine\n' }],
      { 'a.txt': lines({ 20: 'theirs' }), 'x.union': 'theirs\n' },
    );
    // By the attribute both lines would be taken.
    expect(done.rebased).toEqual({ how: 'conflict', files: ['x.union'] });
    expect(existsSync(trace)).toBe(false);
  });
});

describe('a merge that is undone', () => {
  const project = () => ({ id: 'prj_1', name: 'web', source: { kind: 'path' as const, path: source.path }, baseBranch: null });
  /** A branch of three commits, merged one way or the other, and what came later; what becomes of undoing that. */
  async function revertOf(how: 'squash' | 'merge' | 'rebase' | 'fast-forward', { later = {} as Files, gone = false } = {}) {
    const base = await source.commit({ 'a.txt': lines({}), 'old.txt': 'old\n' }, 'First');
    await source.git('checkout', '--quiet', '-b', 'work');
    await source.commit({ 'a.txt': lines({ 2: 'two' }) }, 'Step');
    await source.commit({ 'b.txt': 'b\n' }, 'Step');
    await rename(join(source.path, 'old.txt'), join(source.path, 'new.txt'));
    const head = await source.commit({}, 'Step');
    await source.git('checkout', '--quiet', 'main');
    if (how !== 'fast-forward') await source.commit({ 'meanwhile.txt': 'm\n' }, 'Meanwhile');
    if (how === 'squash') await source.git('merge', '--quiet', '--squash', 'work');
    if (how === 'squash') await source.git('commit', '--quiet', '-m', 'Step (#1)');
    if (how === 'merge') await source.git('merge', '--quiet', '--no-ff', '-m', 'Merge', 'work');
    if (how === 'rebase') await source.git('cherry-pick', `${base}..work`);
    if (how === 'fast-forward') await source.git('merge', '--quiet', 'work');
    const merged = await source.git('rev-parse', 'HEAD');
    await source.git('branch', '--quiet', '-D', 'work');
    if (gone) await source.git('reflog', 'expire', '--expire=now', '--all');
    if (gone) await source.git('gc', '--quiet', '--prune=now');
    await source.commit({ 'later.txt': 'l\n', ...later }, 'Later');
    const task = { task: 'tsk_1', project: project(), base: { branch: 'main', commit: base } };
    const onto = await workspace.newestBase(task);
    const change = { task: 'tsk_1', project: project(), merged, head, onto, message: 'Revert it', former: head };
    return { reverted: await workspace.revert(change), onto: onto.commit, merged, change };
  }

  it.each(['squash', 'merge', 'rebase'] as const)(
    'is one commit without exactly what came by a %s, and can be undone too',
    async (how) => {
      const { reverted, onto, change } = await revertOf(how);
      if (reverted.how !== 'made') throw new Error(JSON.stringify(reverted));
      expect(await git(mirror, 'diff', '--name-status', '--no-renames', onto, reverted.commit)).toBe(
        'M\ta.txt\nD\tb.txt\nD\tnew.txt\nA\told.txt',
      );
      expect(await at(reverted.commit, 'a.txt')).toBe(lines({}).trimEnd());
      expect(await history(onto, reverted.commit)).toEqual(['Revert it by Deckhand']);
      expect(await git(mirror, 'rev-parse', 'refs/deckhand/tasks/tsk_1/head')).toBe(reverted.commit);
      // As the code host merges it, one commit of one.
      const again = await workspace.revert({
        ...change,
        merged: reverted.commit,
        head: reverted.commit,
        onto: { branch: 'main', commit: reverted.commit },
      });
      // Where it is a part of the base branch as it is, nothing tells where it begins.
      expect(again).toEqual({ how: 'unclear' });
      await source.git('fetch', '--quiet', mirror, reverted.commit);
      await source.git('merge', '--quiet', '--squash', 'FETCH_HEAD');
      await source.git('commit', '--quiet', '-m', 'Revert it (#2)');
      const merged = await source.git('rev-parse', 'HEAD');
      const newest = await workspace.newestBase({ ...change, base: change.onto });
      const back = await workspace.revert({ ...change, merged, head: reverted.commit, onto: newest });
      if (back.how !== 'made') throw new Error(JSON.stringify(back));
      expect(await git(mirror, 'rev-parse', `${back.commit}^{tree}`)).toBe(await git(mirror, 'rev-parse', `${onto}^{tree}`));
    },
  );

  it('conflicts where it was changed again, and leaves the change of the task as it is', async () => {
    const { reverted } = await revertOf('squash', { later: { 'a.txt': lines({ 2: 'zwei' }), 'b.txt': 'c\n' } });
    expect(reverted).toEqual({ how: 'conflict', files: ['a.txt', 'b.txt'] });
    await expect(git(mirror, 'rev-parse', '--verify', '--quiet', 'refs/deckhand/tasks/tsk_1/head')).rejects.toThrow();
  });

  it('is nothing where somebody has undone it, or has rewritten the base branch', async () => {
    const { change, merged } = await revertOf('rebase', { later: { 'new.txt': 'new\n' } });
    await source.git('revert', '--no-edit', `${merged}~3..HEAD`);
    const onto = await workspace.newestBase({ ...change, base: change.onto });
    expect(await workspace.revert({ ...change, onto })).toEqual({ how: 'empty' });
    const before = { branch: 'main', commit: await source.git('rev-parse', `${merged}~3`) };
    expect(await workspace.revert({ ...change, onto: before })).toEqual({ how: 'gone' });
    expect(await workspace.revert({ ...change, merged: '1'.repeat(40) })).toEqual({ how: 'gone' });
  });

  it('is left to people where nothing tells what belongs to it: commits that were moved as they are', async () => {
    expect((await revertOf('fast-forward')).reverted).toEqual({ how: 'unclear' });
  });

  it('needs nothing of a branch that is gone when it was a merge', async () => {
    expect((await revertOf('merge', { gone: true })).reverted.how).toBe('made');
  });

  it('is left to people where the repository has no commits of the branch any more', async () => {
    expect((await revertOf('squash', { gone: true })).reverted).toEqual({ how: 'unclear' });
  });
});

it('nothing new is started on a disk that is nearly full: what runs already must be able to end', async () => {
  await source.commit({ 'a.txt': 'a\n' });
  let free = 199_999_999;
  const small = createWorkspace({ dataDir: join(place.path, 'data'), environment: process.env, freeBytes: async () => free });
  const project = { id: 'prj_1', name: 'web', source: { kind: 'path' as const, path: source.path }, baseBranch: null };
  await expect(small.resolveBase(project)).rejects.toMatchObject({ code: 'DH-513', params: { free: 199, floor: 200 } });
  free = 200_000_000;
  const base = await small.resolveBase(project);
  const copy = { run: 'run_1', task: 'tsk_1', project, branch: 'deckhand/1', base, head: null };
  free = 1;
  await expect(small.prepare(copy)).rejects.toMatchObject({ code: 'DH-513' });
  await expect(small.newestBase(copy)).rejects.toMatchObject({ code: 'DH-513' });
  free = 200_000_000;
  await small.prepare(copy);
});
