import { link, mkdir, readdir, rm, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { agentHome, keepHelper, readSession } from '../../runner/agent-home.ts';
import { TooLarge, UnsafeTar } from '../../runner/sandbox/tar.ts';
import { createWorkspace, type Workspace } from '../../runner/workspace.ts';
import type { RunSpec } from '../../src/contracts/run-control.ts';
import { armGit, claudeTraps, codexTraps, evilRepository, instructionTraps, linkTraps } from '../support/evil-repos.ts';
import { emptyRepository, git, type TestRepository, temporaryDirectory } from '../support/git-repository.ts';
import { runHelper } from '../support/run-helper.ts';

let place: Awaited<ReturnType<typeof temporaryDirectory>>;
let source: TestRepository;
let workspace: Workspace;
let project: RunSpec['project'];
let markers = '';

beforeEach(async () => {
  place = await temporaryDirectory('home');
  markers = join(place.path, 'markers');
  const trap = { markers, thief: 'http://127.0.0.1:1' };
  source = await evilRepository(join(place.path, 'source'), claudeTraps(trap), codexTraps(trap), instructionTraps(trap));
  workspace = createWorkspace({ dataDir: join(place.path, 'data'), environment: process.env });
  project = { id: 'prj_1', name: 'web', source: { kind: 'path', path: source.path }, baseBranch: null };
});
afterEach(() => place[Symbol.asyncDispose]());

const sprung = () => readdir(markers).catch(() => []);

/** The working copy of a run as its sandbox has it, with a home. */
async function workingCopy(files: Record<string, string> = {}): Promise<{ tree: string; parent: string }> {
  const base = await workspace.resolveBase(project);
  await workspace.prepare({ run: 'run_1', task: 'tsk_1', project, branch: 'deckhand/7-fix', base, head: null });
  const home = Object.entries(files).map(([path, text]) => ({ path, bytes: Buffer.from(text) }));
  await workspace.fillHome('run_1', home, []);
  const tree = join(place.path, 'tree');
  await mkdir(tree);
  const chunks: Uint8Array[] = [];
  for await (const chunk of workspace.pack('run_1')) chunks.push(chunk);
  await writeFile(join(place.path, 'copy.tar'), Buffer.concat(chunks));
  const untar = { argv: ['tar', '-C', tree, '-xf', join(place.path, 'copy.tar')] as const, timeMs: 60_000, outputBytes: 1000 };
  for await (const _ of runHelper(place.path, untar));
  await workspace.discard('run_1');
  return { tree, parent: base.commit };
}

const session = (tree: string, ...keeps: string[]) => readSession(runHelper(tree, keepHelper(keeps)));

describe('the home of an agent', () => {
  it('is in the working copy from the start, and what it holds is in no commit', async () => {
    const { tree, parent } = await workingCopy({ 'claude/settings.json': '{}', 'codex/config.toml': 'x = 1\n' });
    expect((await readdir(join(tree, agentHome))).sort()).toEqual(['claude', 'codex']);
    await writeFile(join(tree, agentHome, 'claude', 'secret.jsonl'), 'a token');
    await writeFile(join(tree, 'sum.js'), 'exports.sum = (a, b) => a + b;\n');
    const result = { run: 'run_1', task: 'tsk_1', project: 'prj_1', parent, message: 'Fix it' };
    const imported = await workspace.collect(result, (helper) => runHelper(tree, helper));
    const { files } = await workspace.difference('prj_1', parent, imported?.commit ?? '');
    expect(files.map(({ path }) => path)).toEqual(['sum.js']);
    const mirror = join(place.path, 'data', 'mirrors', 'prj_1.git');
    expect(await git(mirror, 'grep', '-c', 'a token', imported?.commit ?? '').catch(() => 'nowhere')).toBe('nowhere');
    expect(await sprung()).toEqual([]);
  });

  it('and hooks, filters and settings that a command has put beside it run nowhere when results are taken', async () => {
    const { tree, parent } = await workingCopy({ kept: 'session' });
    const armed = { ...source, path: tree, git: (...args: string[]) => git(tree, ...args) };
    const write = async (files: Record<string, string | Uint8Array>) => {
      for (const [name, text] of Object.entries(files))
        await mkdir(join(tree, name, '..'), { recursive: true }).then(() => writeFile(join(tree, name), text));
    };
    await armGit({ ...armed, write }, { markers, thief: 'http://127.0.0.1:1' });
    await writeFile(join(tree, 'sum.js'), 'exports.sum = (a, b) => a + b;\n');
    const result = { run: 'run_1', task: 'tsk_1', project: 'prj_1', parent, message: 'Fix it' };
    expect(await workspace.collect(result, (helper) => runHelper(tree, helper))).toBeDefined();
    expect((await session(tree, 'kept')).map(({ path }) => path)).toEqual(['kept']);
    expect(await sprung()).toEqual([]);
    // Armed it was: an ordinary look at the working copy runs them.
    await git(tree, 'status');
    expect(await sprung()).toContain('git-fsmonitor');
  });

  it('a source that is armed itself, and files that are links to elsewhere, do nothing to whoever clones it', async () => {
    await armGit(source, { markers, thief: 'http://127.0.0.1:1' });
    await rm(join(place.path, 'links'), { recursive: true, force: true });
    const links = await evilRepository(join(place.path, 'links'), linkTraps());
    await workingCopy();
    project = { ...project, id: 'prj_2', source: { kind: 'path', path: links.path } };
    const base = await workspace.resolveBase(project);
    await workspace.prepare({ run: 'run_2', task: 'tsk_2', project, branch: 'deckhand/8-x', base, head: null });
    expect(await workspace.guidance('prj_2', base.commit)).toEqual([]);
    expect(await sprung()).toEqual([]);
    const large = await emptyRepository(join(place.path, 'large'));
    const newest = await large.commit({ 'CLAUDE.md': Buffer.alloc(17 * 1024 * 1024, 'x'), 'AGENTS.md': 'Be brief.\n' });
    project = { ...project, id: 'prj_3', source: { kind: 'path', path: large.path } };
    await workspace.sync(project);
    expect(await workspace.guidance('prj_3', newest)).toEqual([{ path: 'AGENTS.md', text: 'Be brief.\n' }]);
  });

  it('gives files of a session by their names, whole directories, and nothing for what is not there', async () => {
    const { tree } = await workingCopy({ 'projects/a/s.jsonl': 'one', 'projects/b.jsonl': 'two', config: 'not kept' });
    const files = await session(tree, 'projects', 'not there');
    expect(files.map(({ path, bytes }) => [path, String(bytes)]).sort()).toEqual([
      ['projects/a/s.jsonl', 'one'],
      ['projects/b.jsonl', 'two'],
    ]);
    expect(await session(tree, 'nothing')).toEqual([]);
    await rm(join(tree, '.git'), { recursive: true });
    expect(await session(tree, 'projects')).toEqual([]);
  });

  it.each<[string, (home: string) => Promise<unknown>, new () => Error]>([
    ['a link out of the home', (home) => symlink('/etc/passwd', join(home, 's/link')), UnsafeTar],
    ['a hard link', (home) => link(join(home, 's/file'), join(home, 's/again')), UnsafeTar],
    ['a file that is too large', (home) => writeFile(join(home, 's/big'), Buffer.alloc(33 * 1024 * 1024)), TooLarge],
  ])('is not believed when a session holds %s', async (_, spoil, error) => {
    const { tree } = await workingCopy({ 's/file': 'fine' });
    await spoil(join(tree, agentHome));
    await expect(session(tree, 's')).rejects.toThrow(error);
  });
});
