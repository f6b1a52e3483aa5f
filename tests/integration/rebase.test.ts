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
