import { chmod, mkdir, readdir, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createWorkspace, type Workspace } from '../../runner/workspace.ts';
import type { RunSpec } from '../../src/contracts/run-control.ts';
import { emptyRepository, git, type TestRepository, temporaryDirectory } from '../support/git-repository.ts';
import { runHelper } from '../support/run-helper.ts';

type Project = RunSpec['project'];

let place: Awaited<ReturnType<typeof temporaryDirectory>>;
let source: TestRepository;
let first: string;
let workspace: Workspace;
let project: Project;

beforeEach(async () => {
  place = await temporaryDirectory('workspace');
  source = await emptyRepository(join(place.path, 'source'));
  first = await source.commit({ 'README.md': 'hello\n', 'src/a.ts': 'one\ntwo\n' }, 'First');
  workspace = createWorkspace({ dataDir: join(place.path, 'data'), environment: process.env });
  project = { id: 'prj_1', name: 'web', source: { kind: 'path', path: source.path }, baseBranch: null };
});
afterEach(() => place[Symbol.asyncDispose]());

const mirror = () => join(place.path, 'data', 'mirrors', 'prj_1.git');
const copy = (run = 'run_1') => join(place.path, 'data', 'work', run);

/** Prepares a copy and plays the sandbox: unpacks the archive to a directory of its own. */
async function sandboxOf(run = 'run_1', head: string | null = null): Promise<string> {
  const base = await workspace.resolveBase(project);
  await workspace.prepare({ run, task: 'tsk_1', project, branch: 'deckhand/7-fix', base, head });
  const tree = join(place.path, `sandbox-${run}`);
  await mkdir(tree);
  const archive = join(place.path, `${run}.tar`);
  const chunks: Uint8Array[] = [];
  for await (const chunk of workspace.pack(run)) chunks.push(chunk);
  await writeFile(archive, Buffer.concat(chunks));
  await run_('tar', '-C', tree, '-xf', archive);
  await workspace.discard(run);
  return tree;
}

async function run_(program: string, ...args: string[]): Promise<void> {
  for await (const _ of runHelper(place.path, { argv: [program, ...args], timeMs: 60_000, outputBytes: 1e9 }));
}

const result = (run = 'run_1', parent = first) => ({ run, task: 'tsk_1', project: 'prj_1', parent, message: 'npm test (#7)' });
const collect = (tree: string, run = 'run_1', parent = first) =>
  workspace.collect(result(run, parent), (helper) => runHelper(tree, helper));
const show = (...args: string[]) => git(mirror(), ...args);

describe('where a task starts', () => {
  it('is the branch HEAD of the repository names when none is configured', async () => {
    await source.git('branch', 'other');
    expect(await workspace.resolveBase(project)).toEqual({ branch: 'main', commit: first });
    expect(await workspace.sync(project)).toEqual({ defaultBranch: 'main', head: first });
  });

  it('is the configured branch, whatever is checked out', async () => {
    await source.git('checkout', '--quiet', '-b', 'release/1.0');
    const release = await source.commit({ 'a.txt': 'a' });
    await source.git('checkout', '--quiet', 'main');
    expect(await workspace.resolveBase({ ...project, baseBranch: 'release/1.0' })).toEqual({
      branch: 'release/1.0',
      commit: release,
    });
  });

  it('follows new commits, forced pushes and removed branches of the repository', async () => {
    await source.git('branch', 'gone');
    await workspace.resolveBase(project);
    await source.git('branch', '-D', 'gone');
    await source.git('commit', '--quiet', '--amend', '-m', 'Rewritten');
    const rewritten = await source.git('rev-parse', 'HEAD');
    expect((await workspace.resolveBase(project)).commit).toBe(rewritten);
    expect(await show('for-each-ref', '--format=%(refname)', 'refs/heads')).toBe('refs/heads/main');
  });

  it('is the commit itself when HEAD of a directory is detached', async () => {
    const second = await source.commit({ b: 'b' });
    await source.git('checkout', '--quiet', '--detach');
    await source.git('branch', '-D', 'main');
    expect(await workspace.resolveBase(project)).toEqual({ branch: 'HEAD', commit: second });
    await sandboxOf();
  });

  it('ignores changes of a directory that are not committed', async () => {
    await source.write({ 'README.md': 'changed, not committed\n', 'new.txt': 'new' });
    const tree = await sandboxOf();
    expect(await readFile(join(tree, 'README.md'), 'utf8')).toBe('hello\n');
    await expect(stat(join(tree, 'new.txt'))).rejects.toMatchObject({ code: 'ENOENT' });
  });

  it('works from a shallow clone and from a repository with SHA-256 names', async () => {
    await source.commit({ b: 'b' });
    await git(place.path, 'clone', '--quiet', '--depth=1', `file://${source.path}`, 'shallow');
    project = { ...project, source: { kind: 'path', path: join(place.path, 'shallow') } };
    const tree = await sandboxOf();
    expect(await readFile(join(tree, 'b'), 'utf8')).toBe('b');

    const other = await emptyRepository(join(place.path, 'sha256'), '--object-format=sha256');
    const commit = await other.commit({ c: 'c' });
    project = { ...project, id: 'prj_2', source: { kind: 'path', path: other.path } };
    const tree2 = await sandboxOf('run_2');
    await writeFile(join(tree2, 'c'), 'changed');
    const imported = await workspace.collect({ ...result('run_2', commit), project: 'prj_2' }, (helper) =>
      runHelper(tree2, helper),
    );
    expect(imported?.commit).toMatch(/^[0-9a-f]{64}$/);
  });
});

describe('a source that cannot be used is named with its reason', () => {
  const reasonOf = async (change: Partial<Project>) => {
    const error: unknown = await workspace.sync({ ...project, ...change }).catch((reason: unknown) => reason);
    return { code: (error as { code?: string }).code, text: (error as Error).message };
  };
  const url = (text: string): Partial<Project> => ({ source: { kind: 'git', url: text } });

  it('a host that does not exist, a closed port, a silent host', async () => {
    expect(await reasonOf(url('https://no-such-host.invalid/a.git'))).toMatchObject({ code: 'DH-500' });
    expect(await reasonOf(url('https://127.0.0.1:1/a.git'))).toMatchObject({ code: 'DH-500' });
    expect(await reasonOf(url('ssh://127.0.0.1:1/a.git'))).toMatchObject({ code: 'DH-500' });
    expect(await reasonOf(url('git://127.0.0.1:1/a.git'))).toMatchObject({ code: 'DH-500' });
    const silent = createServer();
    await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve));
    const address = silent.address();
    const port = typeof address === 'object' && address !== null ? address.port : 0;
    const timeouts = { answerMs: 300, fetchMs: 300 };
    workspace = createWorkspace({ dataDir: join(place.path, 'data'), environment: process.env, timeouts });
    expect(await reasonOf(url(`http://127.0.0.1:${port}/a.git`))).toEqual({
      code: 'DH-500',
      text: `DH-500: http://127.0.0.1:${port}/a.git does not answer: it did not answer in time.`,
    });
    silent.close();
  });

  it('no directory, a file, a directory without a repository, a directory inside of one', async () => {
    const path = (text: string): Partial<Project> => ({ source: { kind: 'path', path: text } });
    expect(await reasonOf(path(join(place.path, 'missing')))).toMatchObject({ code: 'DH-501' });
    expect(await reasonOf(path(join(source.path, 'README.md')))).toMatchObject({ code: 'DH-501' });
    expect(await reasonOf(path(place.path))).toMatchObject({ code: 'DH-501' });
    expect(await reasonOf(path(join(source.path, 'src')))).toMatchObject({ code: 'DH-501' });
    expect(await reasonOf(path('relative/path'))).toMatchObject({ code: 'DH-505' });
  });

  it('no such branch, no commit at all', async () => {
    expect(await reasonOf({ baseBranch: 'nope' })).toEqual({
      code: 'DH-502',
      text: `DH-502: ${source.path} has no branch \`nope\`.`,
    });
    const empty = await emptyRepository(join(place.path, 'empty'));
    expect(await reasonOf({ source: { kind: 'path', path: empty.path } })).toMatchObject({ code: 'DH-503' });
  });

  it('promise 11: an address that git would take for a program, an option or a file of the host', async () => {
    const marker = join(place.path, 'marker');
    const bad = [
      `ext::sh -c "touch ${marker}"`,
      `ext::touch%20${marker}`,
      `--upload-pack=touch ${marker}`,
      '-oProxyCommand=touch',
      `file://${source.path}`,
      source.path,
      'ssh://-oProxyCommand=touch/x.git',
      'ssh://-l@host/x.git',
      'https://example.com',
      'https://exa mple.com/x.git',
      'https://example.com/x\n.git',
      'ftp://example.com/x.git',
      'javascript:alert(1)//x y',
      '',
    ];
    for (const address of bad) expect(await reasonOf(url(address)), address).toMatchObject({ code: 'DH-505' });
    await expect(stat(marker)).rejects.toMatchObject({ code: 'ENOENT' });
  });

  it('promise 9: a login in the address shows in no message', async () => {
    const { code, text } = await reasonOf(url('https://ada:hunter2secret@127.0.0.1:1/a.git'));
    expect(code).toBe('DH-500');
    expect(text).not.toContain('hunter2secret');
  });
});

describe('a working copy', () => {
  it('has the branch of the task checked out, an author, the base branch as origin, and no way back', async () => {
    const tree = await sandboxOf();
    expect(await git(tree, 'status', '--porcelain=v1', '--branch')).toBe('## deckhand/7-fix');
    expect(await git(tree, 'rev-parse', 'HEAD', 'origin/main')).toBe(`${first}\n${first}`);
    expect(await git(tree, 'remote')).toBe('');
    expect(await git(tree, 'config', '--local', 'user.name')).toBe('Deckhand');
    const everything = await readdir(join(tree, '.git'), { recursive: true });
    expect(everything.filter((name) => /hooks|logs|FETCH_HEAD|alternates/.test(name))).toEqual([]);
    for (const name of everything) {
      const file = join(tree, '.git', name);
      if ((await stat(file)).isFile()) expect((await readFile(file, 'latin1')).includes(place.path), name).toBe(false);
    }
  });

  it('starts at what an earlier run left', async () => {
    const tree = await sandboxOf();
    await writeFile(join(tree, 'left.txt'), 'left');
    const left = (await collect(tree))?.commit ?? '';
    const next = await sandboxOf('run_2', left);
    expect(await readFile(join(next, 'left.txt'), 'utf8')).toBe('left');
    expect(await git(next, 'rev-parse', 'HEAD')).toBe(left);
  });

  it('can be made while the repository is unreachable once its base is at hand, and after a forced push', async () => {
    const base = await workspace.resolveBase(project);
    await workspace.prepare({ run: 'run_1', task: 'tsk_1', project, branch: 'b', base, head: null });
    await source.git('commit', '--quiet', '--amend', '-m', 'Rewritten');
    await workspace.sync(project);
    await git(mirror(), 'reflog', 'expire', '--expire=now', '--all');
    await git(mirror(), 'gc', '--quiet', '--prune=now');
    await rm(source.path, { recursive: true });
    await workspace.prepare({ run: 'run_2', task: 'tsk_1', project, branch: 'b', base, head: null });
    expect(await git(copy('run_2'), 'rev-parse', 'HEAD')).toBe(first);
  });

  it('says which commit is missing when the base or the earlier work is gone', async () => {
    const base = await workspace.resolveBase(project);
    const gone = { branch: 'main', commit: '1'.repeat(40) };
    const spec = { run: 'run_1', task: 'tsk_1', project, branch: 'b', base, head: null };
    await expect(workspace.prepare({ ...spec, base: gone })).rejects.toMatchObject({ code: 'DH-509' });
    await expect(workspace.prepare({ ...spec, head: '2'.repeat(40) })).rejects.toMatchObject({ code: 'DH-509' });
  });

  it('replaces what an interrupted attempt left, and is listed until it is discarded', async () => {
    await mkdir(join(copy(), '.git'), { recursive: true });
    await writeFile(join(copy(), 'rubbish'), 'x');
    const base = await workspace.resolveBase(project);
    await workspace.prepare({ run: 'run_1', task: 'tsk_1', project, branch: 'b', base, head: null });
    expect((await readdir(copy())).sort()).toEqual(['.git', 'README.md', 'src']);
    await mkdir(join(place.path, 'data/mirrors/incoming/run_0/pack'), { recursive: true });
    expect(await workspace.list()).toEqual(['run_1', 'run_0']);
    await workspace.discard('run_0');
    await workspace.discard('run_1');
    await workspace.discard('run_1');
    expect(await workspace.list()).toEqual([]);
  });

  it('promise 11: attributes, hooks and settings of the repository run nothing while it is made', async () => {
    const marker = join(place.path, 'marker');
    await source.write({
      '.gitattributes': '* filter=evil diff=evil\n*.ts text eol=lf\n',
      '.gitmodules': '[submodule "x"]\n\tpath = x\n\turl = ext::touch\n',
      '.git/config': `${await readFile(join(source.path, '.git/config'), 'utf8')}[filter "evil"]\n\tclean = touch ${marker}\n\tsmudge = touch ${marker}\n[uploadpack]\n\tpackObjectsHook = touch ${marker}; git\n[core]\n\tfsmonitor = touch ${marker}\n`,
    });
    for (const hook of ['post-checkout', 'pre-auto-gc', 'reference-transaction', 'post-update']) {
      await source.write({ [`.git/hooks/${hook}`]: `#!/bin/sh\ntouch ${marker}\n` });
    }
    await git(
      source.path,
      '-c',
      'filter.evil.clean=cat',
      '-c',
      'core.fsmonitor=false',
      '-c',
      'core.hooksPath=/dev/null',
      'add',
      '-A',
    );
    await git(
      source.path,
      '-c',
      'filter.evil.clean=cat',
      '-c',
      'core.fsmonitor=false',
      '-c',
      'core.hooksPath=/dev/null',
      'commit',
      '-qm',
      'Evil',
    );
    for (const hook of ['post-checkout', 'reference-transaction', 'post-update'])
      await chmod(join(source.path, '.git/hooks', hook), 0o755);
    await rm(marker, { force: true });
    await sandboxOf();
    await expect(stat(marker)).rejects.toMatchObject({ code: 'ENOENT' });
    await source.git('status').catch(() => undefined);
    expect((await stat(marker)).isFile()).toBe(true);
  });
});

describe('promise 10: the result of a run', () => {
  it('is one commit on the branch of the task with everything the command changed', async () => {
    const tree = await sandboxOf();
    await writeFile(join(tree, 'src/a.ts'), 'one\nthree\nfour\n');
    await writeFile(join(tree, 'bin.dat'), Buffer.from([0, 1, 2, 255]));
    await rm(join(tree, 'README.md'));
    await symlink('/etc/passwd', join(tree, 'link'));
    await writeFile(join(tree, '.gitignore'), 'ignored\n');
    await writeFile(join(tree, 'ignored'), 'x');
    const imported = await collect(tree);
    const commit = imported?.commit ?? '';
    expect(imported).toEqual({ commit: expect.stringMatching(/^[0-9a-f]{40}$/), joined: false });
    expect(await show('rev-parse', 'refs/deckhand/tasks/tsk_1/head', `${commit}^`)).toBe(`${commit}\n${first}`);
    expect(await show('log', '-1', '--format=%an <%ae> %s', commit)).toBe('Deckhand <deckhand@localhost> npm test (#7)');
    const { files, patch } = await workspace.difference('prj_1', first, commit);
    expect(files).toEqual([
      { path: '.gitignore', added: 1, removed: 0, status: 'added' },
      { path: 'README.md', added: 0, removed: 1, status: 'deleted' },
      { path: 'bin.dat', added: null, removed: null, status: 'added', bytes: { after: 4 } },
      { path: 'link', added: 1, removed: 0, status: 'added', kinds: { after: 'symlink' } },
      { path: 'src/a.ts', added: 2, removed: 1 },
    ]);
    await writeFile(join(place.path, 'p.patch'), patch ?? '');
    await source.git('apply', '--index', join(place.path, 'p.patch'));
    expect(await source.git('write-tree')).toBe(await show('rev-parse', `${commit}^{tree}`));
  });

  it('lists the first of very many files and counts all of them', async () => {
    const tree = await sandboxOf();
    await mkdir(join(tree, 'many'));
    await Promise.all(Array.from({ length: 2500 }, (_, n) => writeFile(join(tree, `many/${n}`), 'two\nlines\n')));
    await rm(join(tree, 'README.md'));
    const commit = (await collect(tree))?.commit ?? '';
    const { files, totals } = await workspace.difference('prj_1', first, commit);
    expect(files.length).toBe(2000);
    expect(totals).toEqual({ files: 2501, added: 5000, removed: 1 });
  });

  it('is nothing when nothing has changed, also when files were only touched', async () => {
    const tree = await sandboxOf();
    await writeFile(join(tree, 'README.md'), 'hello\n');
    expect(await collect(tree)).toBeUndefined();
    await expect(show('rev-parse', '--verify', '--quiet', 'refs/deckhand/tasks/tsk_1/head')).rejects.toThrow();
  });

  it('keeps the commits the command made, on whichever branch, and adds what it did not commit', async () => {
    const tree = await sandboxOf();
    await git(tree, 'checkout', '--quiet', '-b', 'elsewhere');
    await writeFile(join(tree, 'one'), '1');
    await git(tree, 'add', '--all');
    await git(tree, 'commit', '--quiet', '-m', 'By the command');
    await writeFile(join(tree, 'two'), '2');
    const commit = (await collect(tree))?.commit ?? '';
    expect(await show('log', '--format=%s', `${first}..${commit}`)).toBe('npm test (#7)\nBy the command');
  });

  it('becomes one commit on the parent when the command rewrote or removed the history', async () => {
    const second = await source.commit({ 'README.md': 'hello again\n' });
    const tree = await sandboxOf();
    await git(tree, 'reset', '--quiet', '--hard', first);
    await writeFile(join(tree, 'x'), 'x');
    const reset = await collect(tree, 'run_1', second);
    expect(await show('rev-parse', `${reset?.commit}^`)).toBe(second);
    expect(await show('show', `${reset?.commit}:README.md`)).toBe('hello');

    const bare = await sandboxOf('run_2');
    await rm(join(bare, '.git'), { recursive: true });
    await writeFile(join(bare, 'y'), 'y');
    const joined = await collect(bare, 'run_2', second);
    expect(joined?.joined).toBe(true);
    expect(await show('rev-parse', `${joined?.commit}^`)).toBe(second);
    expect(await show('diff', '--name-status', second, joined?.commit ?? '')).toBe('A\ty');

    const other = await sandboxOf('run_3');
    await rm(join(other, '.git'), { recursive: true });
    await git(other, 'init', '--quiet');
    await git(other, 'add', '--all');
    await git(other, 'commit', '--quiet', '-m', 'New history');
    expect(await collect(other, 'run_3', second)).toBeUndefined();
  });

  it('has the files of a repository that the command made inside the copy', async () => {
    const tree = await sandboxOf();
    const inner = await emptyRepository(join(tree, 'vendor/inner'));
    await inner.commit({ 'lib.js': 'x' });
    await emptyRepository(join(tree, 'vendor/empty'));
    await writeFile(join(tree, 'vendor/empty/file'), 'x');
    const commit = (await collect(tree))?.commit ?? '';
    expect(await show('ls-tree', '-r', '--name-only', commit)).toBe(
      'README.md\nsrc/a.ts\nvendor/empty/file\nvendor/inner/lib.js',
    );
  });

  it('has files the command made unreadable', async () => {
    const tree = await sandboxOf();
    await writeFile(join(tree, 'locked'), 'x');
    await chmod(join(tree, 'locked'), 0);
    expect(await collect(tree)).toMatchObject({ joined: false });
  });

  it('is the last one when it is collected twice', async () => {
    const tree = await sandboxOf();
    await writeFile(join(tree, 'x'), '1');
    const once = await collect(tree);
    await writeFile(join(tree, 'x'), '2');
    const again = await collect(tree);
    expect(await show('rev-parse', `${again?.commit}^`, 'refs/deckhand/tasks/tsk_1/head')).toBe(`${first}\n${again?.commit}`);
    expect(again?.commit).not.toBe(once?.commit);
  });

  it('survives names no shell, terminal or patch reader expects', async () => {
    const tree = await sandboxOf();
    const names = ['-rf', 'a\nb', 'tab\there', ' space ', '"quoted"', 'ünïcödé', ':(exclude)x', '$(touch owned)'];
    for (const name of names) await writeFile(join(tree, name), 'x');
    const commit = (await collect(tree))?.commit ?? '';
    const { files } = await workspace.difference('prj_1', first, commit);
    expect(files.map(({ path }) => path).sort()).toEqual([...names].sort());
  });

  it('follows renames and counts their lines', async () => {
    const tree = await sandboxOf();
    await git(tree, 'mv', 'src/a.ts', 'src/b.ts');
    const commit = (await collect(tree))?.commit ?? '';
    const renamed = { path: 'src/b.ts', added: 0, removed: 0, status: 'renamed', from: 'src/a.ts' };
    expect((await workspace.difference('prj_1', first, commit)).files).toEqual([renamed]);
  });
});

describe('promise 11: a hostile working copy runs nothing and changes nothing on the host', () => {
  it('attributes of the repository neither hide a change from the patch nor run a program', async () => {
    const tree = await sandboxOf();
    await writeFile(join(tree, '.gitattributes'), '* -diff\n* diff=evil\n');
    await writeFile(join(tree, 'src/a.ts'), 'changed\n');
    await git(tree, 'add', '--all');
    await git(tree, 'commit', '--quiet', '-m', 'Hide');
    const commit = (await collect(tree))?.commit ?? '';
    const { files, patch } = await workspace.difference('prj_1', first, commit);
    expect(patch?.toString()).toContain('+changed');
    expect(files).toContainEqual({ path: 'src/a.ts', added: 1, removed: 2 });
  });

  it('settings, hooks, filters, alternates, includes and links in its .git are not used by the collecting', async () => {
    const tree = await sandboxOf();
    const marker = join(place.path, 'marker');
    const touch = join(place.path, 'evil.sh');
    await writeFile(touch, `#!/bin/sh\necho "$0 $*" >> ${marker}\nexit 0\n`, { mode: 0o755 });
    await writeFile(
      join(tree, '.git/config'),
      `${await readFile(join(tree, '.git/config'), 'utf8')}
[core]
\tfsmonitor = ${touch}
\thooksPath = ${join(tree, '.git/hooks')}
\teditor = ${touch}
\tpager = ${touch}
\tsshCommand = ${touch}
\taskPass = ${touch}
\tattributesFile = ${join(tree, '.git/attr')}
\tgitProxy = ${touch}
[filter "evil"]
\tclean = ${touch}
\tsmudge = ${touch}
\tprocess = ${touch}
\trequired = true
[diff]
\texternal = ${touch}
[diff "evil"]
\ttextconv = ${touch}
\tcommand = ${touch}
[gpg]
\tprogram = ${touch}
[commit]
\tgpgSign = true
[credential]
\thelper = ${touch}
[merge "evil"]
\tdriver = ${touch}
[uploadpack]
\tpackObjectsHook = ${touch}
[alias]
\tadd = !${touch}
\tbundle = !${touch}
`,
    );
    await writeFile(join(tree, '.gitattributes'), '* filter=evil diff=evil merge=evil\n');
    await writeFile(join(tree, '.git/attr'), '* filter=evil\n');
    await mkdir(join(tree, '.git/hooks'));
    for (const hook of [
      'pre-commit',
      'post-commit',
      'commit-msg',
      'reference-transaction',
      'post-index-change',
      'pre-auto-gc',
      'fsmonitor-watchman',
    ]) {
      await writeFile(join(tree, '.git/hooks', hook), `#!/bin/sh\n${touch}\n`, { mode: 0o755 });
    }
    await mkdir(join(tree, '.git/objects/info'), { recursive: true });
    await writeFile(join(tree, '.git/objects/info/alternates'), '/etc\n');
    await writeFile(join(tree, '.git/info/exclude'), '*\n');
    await writeFile(join(tree, 'src/a.ts'), 'changed\n');
    const imported = await collect(tree);
    expect(imported?.joined).toBe(false);
    expect(await show('show', `${imported?.commit}:src/a.ts`)).toBe('changed');
    await expect(readFile(marker, 'utf8')).rejects.toMatchObject({ code: 'ENOENT' });
    // The trap is armed: whoever runs git in the tree itself falls into it.
    await git(tree, 'add', '--all').catch(() => undefined);
    expect(await readFile(marker, 'utf8')).toContain('evil.sh');
  });

  it('a .git that is a link or a file leads nowhere', async () => {
    const tree = await sandboxOf();
    await rm(join(tree, '.git'), { recursive: true });
    await symlink('/etc', join(tree, '.git'));
    await writeFile(join(tree, 'x'), 'x');
    expect(await collect(tree)).toMatchObject({ joined: true });
    const other = await sandboxOf('run_2');
    await rm(join(other, '.git'), { recursive: true });
    await writeFile(join(other, '.git'), 'gitdir: /etc\n');
    await writeFile(join(other, 'x'), 'y');
    expect(await collect(other, 'run_2')).toMatchObject({ joined: true });
  });

  const hostile = (bytes: Uint8Array | string) =>
    workspace.collect(result(), async function* () {
      yield Buffer.from(bytes);
    });

  it('bytes that are no bundle, a cut bundle and a bundle of several references are refused', async () => {
    const tree = await sandboxOf();
    await writeFile(join(tree, 'x'), 'x');
    const whole: Uint8Array[] = [];
    await workspace.collect(result(), async function* (helper) {
      for await (const chunk of runHelper(tree, helper)) {
        whole.push(chunk);
        yield chunk;
      }
    });
    const bundle = Buffer.concat(whole);
    const before = await show('for-each-ref');
    for (const bytes of [
      'hello',
      '# v2 git bundle\n',
      `# v2 git bundle\n${first} a\n${first} b\n\nPACK`,
      '# v2 git bundle\n../../x y\n\nPACK',
    ]) {
      await expect(hostile(bytes), bytes).rejects.toMatchObject({ name: 'ResultInvalid' });
    }
    await expect(hostile(bundle.subarray(0, bundle.length - 30))).rejects.toMatchObject({ name: 'ResultInvalid' });
    await expect(hostile(Buffer.concat([bundle.subarray(0, bundle.length - 30), Buffer.alloc(30)]))).rejects.toMatchObject({
      name: 'ResultInvalid',
    });
    await expect(
      hostile(bundle.toString('latin1').replace(/^[0-9a-f]{40} refs/m, `${'3'.repeat(40)} refs`)),
    ).rejects.toMatchObject({ name: 'ResultInvalid' });
    expect(await show('for-each-ref')).toBe(before);
    expect(await readdir(join(place.path, 'data/mirrors/incoming'))).toEqual([]);
  });

  it('trees with names that git would act on (.git, .., a fake submodule) are refused and leave no object behind', async () => {
    const tree = await sandboxOf();
    const objectsBefore = await show('count-objects', '-v');
    const blob = await git(tree, 'hash-object', '-w', 'README.md');
    for (const name of ['.git', '.GIT', '..', 'git~1']) {
      await writeFile(join(place.path, 'entry'), Buffer.concat([Buffer.from(`100644 ${name}\0`), Buffer.from(blob, 'hex')]));
      const evil = await git(tree, 'hash-object', '-w', '-t', 'tree', '--literally', join(place.path, 'entry'));
      const commit = await git(tree, 'commit-tree', evil, '-p', first, '-m', 'Evil');
      await git(tree, 'update-ref', 'refs/heads/result', commit);
      const bundle = join(place.path, 'evil.bundle');
      await git(tree, 'bundle', 'create', '--quiet', bundle, 'refs/heads/result', `^${first}`);
      await expect(hostile(await readFile(bundle)), name).rejects.toMatchObject({ name: 'ResultInvalid' });
    }
    expect(await show('count-objects', '-v')).toBe(objectsBefore);
  });

  it('an error inside the sandbox while collecting leaves the mirror as it was', async () => {
    const tree = await sandboxOf();
    await writeFile(join(tree, 'x'), Buffer.alloc(300_000, 'abc'));
    const broken = workspace.collect(result(), async function* (helper) {
      for await (const chunk of runHelper(tree, helper)) {
        yield chunk.subarray(0, 100);
        throw new Error('the sandbox is gone');
      }
    });
    await expect(broken).rejects.toThrow('the sandbox is gone');
    expect(await show('for-each-ref', 'refs/deckhand/tasks/tsk_1/head')).toBe('');
  });
});

describe('many at once', () => {
  it('fetching, preparing and collecting ten runs of one project does not get in its own way', async () => {
    const runs = Array.from({ length: 10 }, (_, index) => `run_${index}`);
    const commits = await Promise.all(
      runs.map(async (run) => {
        const base = await workspace.resolveBase(project);
        await workspace.prepare({ run, task: run, project, branch: `deckhand/${run}`, base, head: null });
        await writeFile(join(copy(run), 'made-by'), run);
        const spec = { ...result(run), task: run };
        return (await workspace.collect(spec, (helper) => runHelper(copy(run), helper)))?.commit ?? '';
      }),
    );
    for (const [index, commit] of commits.entries()) expect(await show('show', `${commit}:made-by`)).toBe(`run_${index}`);
  });
});
