import { chmod, mkdir, readdir, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { redactPatch } from '../../runner/redact-patch.ts';
import { createWorkspace, type Workspace } from '../../runner/workspace.ts';
import { countsOf, hunksOf, type PatchFile, readPatch } from '../../src/changes/read-patch.ts';
import { risksOf } from '../../src/changes/risks.ts';
import { emptyRepository, git, type TestRepository, temporaryDirectory } from '../support/git-repository.ts';
import { runHelper } from '../support/run-helper.ts';

let place: Awaited<ReturnType<typeof temporaryDirectory>>;
let source: TestRepository;
let workspace: Workspace;

beforeEach(async () => {
  place = await temporaryDirectory('changes');
  source = await emptyRepository(join(place.path, 'source'));
  workspace = createWorkspace({ dataDir: join(place.path, 'data'), environment: process.env });
});
afterEach(() => place[Symbol.asyncDispose]());

/** What lies between the first commit and what `change` has made of its files, by way of a sandbox. */
async function changeOf(files: Record<string, string | Buffer>, change: (tree: string) => Promise<void>) {
  const base = await source.commit(files, 'First');
  const project = { id: 'prj_1', name: 'web', source: { kind: 'path' as const, path: source.path }, baseBranch: null };
  const spec = { run: 'run_1', task: 'tsk_1', project };
  await workspace.prepare({ ...spec, branch: 'deckhand/7', base: await workspace.resolveBase(project), head: null });
  const tree = join(place.path, 'sandbox');
  await mkdir(tree);
  const chunks: Uint8Array[] = [];
  for await (const chunk of workspace.pack('run_1')) chunks.push(chunk);
  await writeFile(join(place.path, 'tree.tar'), Buffer.concat(chunks));
  for await (const _ of runHelper(tree, { argv: ['tar', '-xf', '../tree.tar'], timeMs: 60_000, outputBytes: 1e9 }));
  await change(tree);
  const result = { run: 'run_1', task: 'tsk_1', project: 'prj_1', parent: base, message: 'Change' };
  const imported = await workspace.collect(result, (helper) => runHelper(tree, helper));
  const difference = await workspace.difference('prj_1', base, imported?.commit ?? base);
  return { ...difference, shown: readPatch(difference.patch ?? Buffer.alloc(0)) };
}

/** What a person reads of a file, without its context. */
const lines = (file: PatchFile | undefined) =>
  hunksOf(file ?? { body: '' }).flatMap((hunk) =>
    hunk.lines.filter(({ mark }) => mark !== ' ').map(({ mark, text, before, after }) => `${mark}${after ?? before} ${text}`),
  );

describe('promise 10: what is reviewed is all that lies between the base and the result', () => {
  it('files of every kind, untracked ones and those of the commits that were made inside', async () => {
    const many = Array.from({ length: 40 }, (_, n) => `line ${n}\n`).join('');
    const before = {
      'src/a.ts': 'one\ntwo\nthree\n',
      'src/long.ts': many,
      'logo.png': Buffer.from([0, 1, 2, 3]),
      'gone.txt': 'gone\n',
      'run.sh': 'echo hi\n',
      'becomes-link': 'text\n',
      'win.txt': 'a\r\nb\r\n',
    };
    const { files, shown, links, all } = await changeOf(before, async (tree) => {
      await writeFile(join(tree, 'src/a.ts'), 'one\n2\nthree\n');
      await git(tree, 'commit', '--quiet', '--all', '-m', 'By the agent');
      await rename(join(tree, 'src/long.ts'), join(tree, 'src/moved here.ts'));
      await git(tree, 'add', '--all');
      await git(tree, 'commit', '--quiet', '-m', 'By the agent, again');
      await writeFile(join(tree, 'src/moved here.ts'), `${many}last, without a line feed`);
      await writeFile(join(tree, 'logo.png'), Buffer.alloc(5000, '\0\u0001'));
      await writeFile(join(tree, 'untracked ü.txt'), 'new\n');
      await writeFile(join(tree, 'large.csv'), 'a,b,c\n'.repeat(200_000));
      await rm(join(tree, 'gone.txt'));
      await chmod(join(tree, 'run.sh'), 0o755);
      await rm(join(tree, 'becomes-link'));
      await symlink('../outside', join(tree, 'becomes-link'));
      await writeFile(join(tree, 'win.txt'), 'a\r\nB\r\n');
      await mkdir(join(tree, '.github/workflows'), { recursive: true });
      await writeFile(join(tree, '.github/workflows/ci.yml'), 'on: push\n');
    });
    expect(files).toEqual([
      { path: '.github/workflows/ci.yml', added: 1, removed: 0, status: 'added' },
      { path: 'becomes-link', added: 1, removed: 1, status: 'type_changed', kinds: { before: 'file', after: 'symlink' } },
      { path: 'gone.txt', added: 0, removed: 1, status: 'deleted' },
      { path: 'large.csv', added: 200_000, removed: 0, status: 'added', bytes: { after: 1_200_000 } },
      { path: 'logo.png', added: null, removed: null, bytes: { before: 4, after: 5000 } },
      { path: 'run.sh', added: 0, removed: 0, kinds: { before: 'file', after: 'executable' } },
      { path: 'src/a.ts', added: 1, removed: 1 },
      { path: 'src/moved here.ts', added: 1, removed: 0, status: 'renamed', from: 'src/long.ts' },
      { path: 'untracked ü.txt', added: 1, removed: 0, status: 'added' },
      { path: 'win.txt', added: 1, removed: 1 },
    ]);
    // The patch tells the same as the list.
    const told = shown.map((file) => ({
      path: file.path,
      from: file.from,
      ...(countsOf(file) ?? { added: null, removed: null }),
    }));
    expect(told).toEqual(files.map(({ path, from, added, removed }) => ({ path, from, added, removed })));
    const named = (path: string) => shown.find((file) => file.path === path);
    expect(lines(named('src/a.ts'))).toEqual(['-2 two', '+2 2']);
    expect(lines(named('src/moved here.ts'))).toEqual(['+41 last, without a line feed']);
    expect(
      hunksOf(named('src/moved here.ts') ?? { body: '' })
        .at(-1)
        ?.lines.at(-1)?.unended,
    ).toBe(true);
    expect(lines(named('win.txt'))).toEqual(['-2 b\r', '+2 B\r']);
    expect(lines(named('becomes-link'))).toEqual(['-1 text', '+1 ../outside']);
    expect(named('run.sh')).toMatchObject({ status: 'modified', modes: { before: '100644', after: '100755' }, body: '' });
    expect(named('logo.png')).toMatchObject({ binary: true, body: '' });

    expect(links).toEqual([{ path: 'becomes-link', target: '../outside' }]);
    expect(risksOf(all, { links, secrets: [] })).toEqual([
      { kind: 'link', paths: ['becomes-link'], files: 1 },
      { kind: 'ci', paths: ['.github/workflows/ci.yml'], files: 1 },
      { kind: 'executable', paths: ['run.sh'], files: 1 },
      { kind: 'deletion', paths: ['gone.txt'], files: 1 },
      { kind: 'large', paths: ['large.csv'], files: 1 },
      { kind: 'binary', paths: ['logo.png'], files: 1 },
    ]);
  });

  it('a secret is blanked out and its file named', async () => {
    const key = `-----BEGIN PRIVATE KEY-----\n${'QUJD'.repeat(300)}\n-----END PRIVATE KEY-----\n`;
    const { patch } = await changeOf({ a: 'a\n' }, async (tree) => {
      await writeFile(join(tree, 'a'), 'b\n');
      await writeFile(join(tree, 'deploy.pem'), key);
      await writeFile(join(tree, 'z'), 'z\n');
    });
    const clean = redactPatch(patch ?? Buffer.alloc(0), []);
    expect(clean.secrets).toEqual(['deploy.pem']);
    expect(clean.patch.toString()).not.toContain('QUJD');
    expect(readPatch(clean.patch).map(({ path }) => path)).toEqual(['a', 'deploy.pem', 'z']);
  });
});

describe('reading a patch of git', () => {
  /** Names and contents that look like what a patch is made of. */
  const part = fc.oneof(
    fc.constantFrom(
      'diff --git a/x b/x',
      '@@ -1 +1 @@',
      '--- a/x',
      '+++ b/x',
      '-- x',
      '\\ No newline',
      'GIT binary patch',
      '"',
      'a b',
      '\t',
      '→',
      '\r',
      '',
    ),
    fc.string({ unit: 'binary', maxLength: 6 }),
  );
  const content = fc.tuple(fc.array(part, { maxLength: 8 }), fc.boolean()).map(([all, ended]) => {
    const text = all.join('\n').replaceAll('\0', '').toWellFormed();
    return ended && text !== '' ? `${text}\n` : text;
  });
  const name = fc
    .array(fc.constantFrom('a', 'b/', ' ', '"', '\\', '\n', '\t', 'ü', '\u202e', '日', '--- ', 'diff --git ', '\u0007'), {
      minLength: 1,
      maxLength: 5,
    })
    .map((all) => `${all.join('')}x`);
  const tree = fc.dictionary(name, content, { maxKeys: 4, noNullPrototype: true });

  it('gives back every file and line of it, whatever they are', async () => {
    await fc.assert(
      fc.asyncProperty(tree, tree, async (before, after) => {
        const [from, to] = [await treeOf(before), await treeOf(after)];
        const args = ['-r', '-M', '-p', '--binary', '--full-index', from, to];
        const files = readPatch(Buffer.from(`${await git(source.path, 'diff-tree', ...args)}\n`));
        const left = new Map(Object.entries(before));
        for (const file of files) {
          const old = before[file.from ?? file.path] ?? '';
          if (file.status === 'deleted' || file.status === 'renamed') left.delete(file.from ?? file.path);
          if (file.status !== 'deleted') left.set(file.path, applied(old, file));
        }
        expect(Object.fromEntries(left)).toEqual(after);
      }),
      { numRuns: 30 },
    );
  });

  async function treeOf(files: Record<string, string>): Promise<string> {
    for (const entry of await readdir(source.path)) if (entry !== '.git') await rm(join(source.path, entry), { recursive: true });
    await source.write(files);
    await source.git('add', '--all');
    return await source.git('write-tree');
  }

  function applied(old: string, file: PatchFile): string {
    const result: string[] = [];
    const rest = old === '' ? [] : old.replace(/\n$/, '').split('\n');
    let at = 0;
    let unended = old !== '' && !old.endsWith('\n');
    for (const hunk of hunksOf(file)) {
      const start = Math.max(0, hunk.before.start - (hunk.before.lines === 0 ? 0 : 1));
      result.push(...rest.slice(at, start));
      at = start;
      for (const line of hunk.lines) {
        if (line.mark !== '+') expect(rest[at++]).toBe(line.text);
        if (line.mark !== '-') result.push(line.text);
        if (line.mark !== '-') unended = line.unended;
      }
    }
    result.push(...rest.slice(at));
    return result.length === 0 ? '' : `${result.join('\n')}${unended ? '' : '\n'}`;
  }
});
