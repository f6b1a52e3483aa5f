import type { RiskKind } from '../../src/contracts/run-event.ts';
import { gitWithInput, type TestRepository } from './git-repository.ts';

/** What an entry of a tree is: content of a file, or with its mode as git writes it. */
type Entry = string | Buffer | { mode: '100755' | '120000'; content: string } | { mode: '160000'; commit: string };

/** A change that wants to be more than files. `marks`: a shell command that leaves a trace when anybody runs it. */
export interface EvilChange {
  /** Of its branch, too. */
  name: string;
  files(marks: string): Record<string, Entry>;
  /** What people are told to look at twice. */
  risks: RiskKind[];
  /** It cannot be checked out: what people are told then. */
  unusable?: string;
}

const lfs = `version https://git-lfs.github.com/spec/v1\noid sha256:${'4'.repeat(64)}\nsize 12345\n`;
const deep = (levels: number) => `${'d/'.repeat(levels)}leaf.txt`;

/** Git takes all of these for sound. */
export const evilChanges: readonly EvilChange[] = [
  {
    name: 'attributes',
    risks: ['automation'],
    files: () => ({
      '.gitattributes':
        '* filter=evil diff=evil merge=evil ident export-subst text=auto eol=crlf\n*.w working-tree-encoding=UTF-16\n*.u working-tree-encoding=nonsense\n*.lfs filter=lfs diff=lfs merge=lfs -text\n',
      'src/.gitattributes': '* -diff merge=union\n* binary\n',
      'src/a.ts': 'three\nfour\n',
      'a.w': 'wide\n',
      'a.u': 'odd\n',
      'id.txt': '$Id$ $Format:%H$\n',
      'big.lfs': lfs,
    }),
  },
  {
    name: 'programs',
    risks: ['automation', 'submodule', 'executable'],
    files: (marks) => ({
      '.gitmodules': `[submodule "a"]\n\tpath = vendor/a\n\turl = ext::sh -c ${JSON.stringify(marks)}\n[submodule "b"]\n\tpath = vendor/b\n\turl = file:///etc\n[submodule "c"]\n\tpath = vendor/c\n\turl = ../../../outside.git\n\tupdate = checkout\n`,
      'vendor/a': { mode: '160000', commit: '1'.repeat(40) },
      'vendor/b': { mode: '160000', commit: '2'.repeat(40) },
      '.gitconfig': `[core]\n\tfsmonitor = ${marks}\n\tpager = ${marks}\n[include]\n\tpath = /etc/passwd\n[filter "evil"]\n\tsmudge = ${marks}\n`,
      '.mailmap': 'Root <root@localhost> <ada@example.com>\n',
      'hooks/post-checkout': { mode: '100755', content: `#!/bin/sh\n${marks}\n` },
      '.husky/pre-commit': { mode: '100755', content: `#!/bin/sh\n${marks}\n` },
      config: `[core]\n\thooksPath = hooks\n\tbare = false\n\tworktree = ../../..\n`,
      HEAD: 'ref: refs/heads/main\n',
      'objects/info/alternates': '/etc\n',
      'info/grafts': `${'1'.repeat(40)}\n`,
      'refs/heads/main': `${'1'.repeat(40)}\n`,
    }),
  },
  {
    name: 'links',
    risks: ['link'],
    files: () => ({
      passwd: { mode: '120000', content: '/etc/passwd' },
      up: { mode: '120000', content: '../../../../outside' },
      'hook-in': { mode: '120000', content: '.git/hooks/post-checkout' },
      'case-in': { mode: '120000', content: './.GIT/config' },
      home: { mode: '120000', content: '~/.ssh/id_rsa' },
      loop: { mode: '120000', content: 'loop' },
      'README.md': { mode: '120000', content: 'src/a.ts' },
      long: { mode: '120000', content: 'x/'.repeat(2000) },
    }),
  },
  {
    name: 'names',
    risks: [],
    files: (marks) =>
      Object.fromEntries(
        [
          'a\nb\r.txt',
          '\u001b[31mred\u0007.txt',
          '\u202egnp.exe',
          'zero\u200bwidth.txt',
          '-rf',
          `--upload-pack=${marks.replaceAll('/', ':')}`,
          ':(exclude)src',
          '*',
          '"quoted" \\n.txt',
          'tab\t.txt',
          ' leading and trailing ',
          '@here <!channel> @everyone #12.md',
          '`code` **bold** [link](http:..evil) <b>.md',
          'diff --git a.b b.b',
          '$(touch x);`touch y`|&',
          'n\u0303fc.txt',
          'con.txt',
          'ends in a dot.',
          'x'.repeat(255),
        ].map((name) => [name, 'x\n']),
      ),
  },
  { name: 'depth', risks: [], files: () => ({ [deep(500)]: 'x\n' }) },
  {
    name: 'long-name',
    risks: [],
    unusable: 'File name too long',
    files: () => ({ [`${'y'.repeat(300)}.txt`]: 'x\n' }),
  },
  {
    name: 'sizes',
    risks: ['large', 'binary'],
    files: () => ({ 'zeros.bin': Buffer.alloc(3_000_000), 'lines.txt': 'x\n'.repeat(600_000), empty: '' }),
  },
];

/** Commits a change on a branch of its own upon `main`, without a working tree: its names need not fit into one. */
export async function commitEvil(repository: TestRepository, change: EvilChange, marks: string): Promise<string> {
  const { git } = repository;
  const lines: string[] = [];
  for (const [path, entry] of Object.entries(change.files(marks))) {
    if (typeof entry !== 'string' && 'commit' in entry) {
      lines.push(`160000 ${entry.commit} 0\t${path}\0`);
      continue;
    }
    const plain = typeof entry === 'string' || Buffer.isBuffer(entry);
    const blob = await gitWithInput(repository.path, plain ? entry : entry.content, 'hash-object', '-w', '--stdin');
    lines.push(`${plain ? '100644' : entry.mode} ${blob} 0\t${path}\0`);
  }
  await git('read-tree', 'main');
  await gitWithInput(repository.path, lines.join(''), '-c', 'core.fsmonitor=false', 'update-index', '-z', '--index-info');
  const tree = await git('write-tree');
  const commit = await git('commit-tree', tree, '-p', 'main', '-m', `${change.name}\n\n@all Closes #1\n`);
  await git('update-ref', `refs/heads/${change.name}`, commit);
  return commit;
}

/** One entry of a tree that git would act on wherever it is checked out, as it stands in the object: mode, space, name. */
export const forbiddenEntries: readonly string[] = [
  '100644 .git',
  '100644 .GIT',
  '40000 .git',
  '100644 git~1',
  '100644 .git ',
  '100644 .git.',
  '100644 .git::$INDEX_ALLOCATION',
  '100644 .g\u200cit',
  '100644 .\u200dGi\u206at',
  '100644 ..',
  '100644 .',
  '100644 a/../../b',
  '120000 .gitmodules',
];

/** Contents of `.gitmodules` that run something, or are taken for an option, where somebody follows them. */
export const forbiddenModules: readonly string[] = [
  '[submodule "a"]\n\tpath = a\n\turl = a\n\tupdate = !touch x\n',
  '[submodule "a"]\n\tpath = a\n\turl = -u./payload\n',
  '[submodule "a"]\n\tpath = -a\n\turl = a\n',
  '[submodule "../../modules/a"]\n\tpath = a\n\turl = a\n',
];

/** A commit upon `main` whose tree has one entry that is written as it is. */
export async function commitForbidden(repository: TestRepository, entry: string, content: string): Promise<string> {
  const blob = await gitWithInput(repository.path, content, 'hash-object', '-w', '--stdin');
  const isFolder = entry.startsWith('40000');
  const object = isFolder ? await gitWithInput(repository.path, `100644 blob ${blob}\tconfig\n`, 'mktree') : blob;
  const tree = Buffer.concat([Buffer.from(`${entry}\0`), Buffer.from(object, 'hex')]);
  const made = await gitWithInput(repository.path, tree, 'hash-object', '-w', '-t', 'tree', '--literally', '--stdin');
  return await repository.git('commit-tree', made, '-p', 'main', '-m', 'Forbidden');
}
