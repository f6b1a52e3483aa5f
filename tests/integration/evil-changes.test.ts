import { existsSync } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { redactPatch } from '../../runner/redact-patch.ts';
import { createWorkspace, type Workspace } from '../../runner/workspace.ts';
import { readPatch } from '../../src/changes/read-patch.ts';
import { risksOf } from '../../src/changes/risks.ts';
import { pathWords } from '../../src/delivery/diff-words.ts';
import {
  commitEvil,
  commitForbidden,
  type EvilChange,
  evilChanges,
  forbiddenEntries,
  forbiddenModules,
} from '../support/evil-changes.ts';
import { armGit } from '../support/evil-repos.ts';
import { emptyRepository, git, type TestRepository, temporaryDirectory } from '../support/git-repository.ts';

const project = () => ({ id: 'prj_1', name: 'web', source: { kind: 'path' as const, path: source.path }, baseBranch: null });
const branch = 'main';

let place: Awaited<ReturnType<typeof temporaryDirectory>>;
let source: TestRepository;
let workspace: Workspace;
let base: string;
let newest: string;
let marks: string;
const heads = new Map<string, string>();

/** One repository, one mirror and one remote for all of them. */
beforeAll(async () => {
  place = await temporaryDirectory('evil');
  marks = `touch ${join(place.path, 'ran')}`;
  source = await emptyRepository(join(place.path, 'source'));
  base = await source.commit({ 'src/a.ts': 'one\ntwo\n', 'README.md': 'hello\n' }, 'First');
  for (const change of evilChanges) heads.set(change.name, await commitEvil(source, change, marks));
  await source.git('reset', '--quiet');
  newest = await source.commit({ 'later.txt': 'later\n' }, 'Meanwhile');
  for (const name of [
    '$(touch)x',
    ';touch',
    '-dash',
    '@{x',
    'HEAD',
    'refs/heads/main',
    "quo'te",
    'ü\u202e',
    '|x',
    'a.lock.b',
    '--upload-pack=x',
  ])
    await source.git('update-ref', `refs/heads/odd/${name}`, base).catch(() => undefined);
  await armGit(source, { markers: place.path, thief: 'http://127.0.0.1:9' });
  workspace = createWorkspace({ dataDir: join(place.path, 'data'), environment: process.env });
  await workspace.sync(project());
});
afterAll(() => place[Symbol.asyncDispose]());

const mirror = () => join(place.path, 'data', 'mirrors', 'prj_1.git');
const traces = async () =>
  (await readdir(place.path)).filter((name) => !['source', 'data', 'remote.git', 'unpacked'].includes(name));

describe('promise 11: a change that wants to be more than files', () => {
  it.each(evilChanges)('$name', async (change: EvilChange) => {
    const head = heads.get(change.name) ?? '';
    const task = { task: `tsk_${change.name}`, project: project(), base: { branch, commit: base } };
    const { all, links, patch } = await workspace.difference('prj_1', base, head);
    const paths = Object.keys(change.files(marks));
    expect(all.map(({ path }) => path).sort()).toEqual([...paths].sort());
    const clean = redactPatch(patch ?? Buffer.alloc(0), []);
    expect(
      readPatch(clean.patch)
        .map(({ path }) => path)
        .sort(),
    ).toEqual([...paths].sort());
    expect(paths.map((path) => pathWords(path, 4000)).filter((shown) => /[\p{Cc}\p{Cf}]/u.test(shown))).toEqual([]);
    expect(await workspace.secretsInHistory('prj_1', { from: base, to: head, known: [] })).toEqual([]);
    expect(risksOf(all, { links, secrets: clean.secrets }).map(({ kind }) => kind)).toEqual(change.risks);

    const onto = { branch, commit: newest };
    const rebased = await workspace.rebase({ ...task, head, onto, message: 'All of it' });
    if (rebased.how !== 'moved') throw new Error(JSON.stringify(rebased));
    const moved = await workspace.difference('prj_1', newest, rebased.commit);
    expect(moved.all).toEqual(all);
    // As if it had been merged: the commit before it is `newest`.
    const reverted = await workspace.revert({
      ...task,
      merged: rebased.commit,
      head,
      onto: { branch, commit: rebased.commit },
      message: 'Undo',
      former: head,
    });
    if (reverted.how !== 'made') throw new Error(JSON.stringify(reverted));
    expect((await workspace.difference('prj_1', newest, reverted.commit)).all).toEqual([]);

    const copy = { ...task, run: `run_${change.name}`, branch: `deckhand/${change.name}`, head };
    if (change.unusable === undefined) {
      await workspace.prepare(copy);
      let bytes = 0;
      for await (const chunk of workspace.pack(copy.run)) bytes += chunk.length;
      expect(bytes).toBeGreaterThan(0);
    } else
      await expect(workspace.prepare(copy)).rejects.toMatchObject({
        code: 'DH-515',
        params: { detail: expect.stringContaining(change.unusable) },
      });
    await workspace.discard(copy.run);
    expect(await traces()).toEqual([]);
  });

  it('leaves the settings of the mirror as they are, also when it is packed anew', async () => {
    const config = await readFile(join(mirror(), 'config'), 'utf8');
    await workspace.keeping.collectGarbage('prj_1');
    expect(await readFile(join(mirror(), 'config'), 'utf8')).toBe(config);
    expect((await readdir(mirror())).filter((name) => ['hooks', 'shallow', 'modules', 'worktrees'].includes(name))).toEqual([]);
    expect(existsSync(join(mirror(), 'info', 'grafts')) || existsSync(join(mirror(), 'info', 'attributes'))).toBe(false);
    expect(existsSync(join(mirror(), 'objects', 'info', 'alternates'))).toBe(false);
    expect(await git(mirror(), 'fsck', '--no-dangling', '--connectivity-only')).toBe('');
    expect(await traces()).toEqual([]);
  });
});

describe('secrets in the commits of a change', () => {
  const token = `ghp_${'a1B2'.repeat(9)}`;
  const onBranch = async (parent: string, files: Record<string, string>, message: string) => {
    await source.git('read-tree', parent);
    for (const [path, content] of Object.entries(files)) {
      await source.write({ '.git/blob': content });
      const blob = await source.git('hash-object', '-w', '.git/blob');
      await source.git('-c', 'core.fsmonitor=false', 'update-index', '--add', '--cacheinfo', `100644,${blob},${path}`);
    }
    return await source.git('commit-tree', await source.git('write-tree'), '-p', parent, '-m', message);
  };
  const found = async (to: string, known: string[] = []) => {
    await source.git('update-ref', 'refs/heads/told', to);
    await workspace.sync(project());
    return await workspace.secretsInHistory('prj_1', { from: base, to, known });
  };

  it('are found where the last of them shows nothing any more, and in messages', async () => {
    const added = await onBranch(base, { 'a b/"é".env': `TOKEN=${token}\n`, 'x.txt': 'x\n' }, 'Add');
    const removed = await onBranch(added, { 'a b/"é".env': 'TOKEN=\n' }, `Take ${token} out`);
    expect(await found(removed)).toEqual(['a b/"é".env', `message of ${removed.slice(0, 7)}`]);
    expect((await workspace.difference('prj_1', base, removed)).patch?.includes(token)).toBe(false);
    // What was there before, and what is taken away, is none of the change.
    const after = await onBranch(removed, { 'x.txt': 'y\n' }, 'More');
    expect(await found(after)).toHaveLength(2);
    expect(await workspace.secretsInHistory('prj_1', { from: removed, to: after, known: ['TOKEN='] })).toEqual([]);
    expect(await workspace.secretsInHistory('prj_1', { from: added, to: removed, known: [] })).toHaveLength(1);
  });

  it('are found in a merge that neither of its parents has, and those of this installation too', async () => {
    const one = await onBranch(base, { 'one.txt': '1\n' }, 'One');
    const two = await onBranch(base, { 'two.txt': '2\n' }, 'Two');
    await source.git('read-tree', '-m', '--aggressive', '-i', base, one, two);
    await source.write({ '.git/blob': 'the s3cret-of-this-house\n' });
    const blob = await source.git('hash-object', '-w', '.git/blob');
    await source.git('-c', 'core.fsmonitor=false', 'update-index', '--add', '--cacheinfo', `100644,${blob},evil.txt`);
    const tree = await source.git('write-tree');
    const merge = await source.git('commit-tree', tree, '-p', one, '-p', two, '-m', 'Merge');
    const clean = await onBranch(merge, { 'evil.txt': 'nothing\n' }, 'Clean');
    expect(await found(clean, ['s3cret-of-this-house'])).toEqual(['evil.txt']);
    expect(await found(clean)).toEqual([]);
  });
});

describe('promise 11: a tree that git would act on where it is checked out is refused', () => {
  it.each([
    ...forbiddenEntries.map((entry) => [entry, 'x']),
    ...forbiddenModules.map((content) => ['100644 .gitmodules', content]),
  ])('%j %j', async (entry, content) => {
    const before = await git(mirror(), 'for-each-ref');
    await source.git('update-ref', 'refs/heads/forbidden', await commitForbidden(source, entry ?? '', content ?? ''));
    await expect(workspace.sync(project())).rejects.toMatchObject({ code: 'DH-507' });
    expect(await git(mirror(), 'for-each-ref')).toBe(before);
  });
});
