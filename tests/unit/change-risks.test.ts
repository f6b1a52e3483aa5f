import { describe, expect, it } from 'vitest';
import { maxRiskPaths, risksOf } from '../../src/changes/risks.ts';
import type { FileStat } from '../../src/contracts/run-event.ts';

const nothing = { secrets: [], links: [] };
const changed = (path: string, more: Partial<FileStat> = {}): FileStat => ({ path, added: 1, removed: 1, ...more });
const kindsOf = (...files: FileStat[]) => risksOf(files, nothing).map(({ kind }) => kind);

const byName: Record<string, string[]> = {
  ci: [
    '.github/workflows/test.yml',
    '.github/actions/setup/action.yml',
    '.gitlab-ci.yml',
    '.circleci/config.yml',
    'Jenkinsfile',
    'ci/Jenkinsfile.release',
    'azure-pipelines.yml',
    '.travis.yml',
    '.GitHub/Workflows/x.YML',
  ],
  automation: [
    '.claude/settings.json',
    '.codex/config.toml',
    '.mcp.json',
    'packages/a/.mcp.json',
    'AGENTS.md',
    'docs/CLAUDE.md',
    '.husky/pre-commit',
    '.pre-commit-config.yaml',
    '.vscode/tasks.json',
    '.gitattributes',
    '.npmrc',
    '.devcontainer/devcontainer.json',
    '.envrc',
  ],
  submodule: ['.gitmodules'],
  lockfile: [
    'package-lock.json',
    'web/yarn.lock',
    'pnpm-lock.yaml',
    'Cargo.lock',
    'go.sum',
    'uv.lock',
    'Gemfile.lock',
    'composer.lock',
  ],
  migration: [
    'db/migrate/001_users.rb',
    'prisma/migrations/1/migration.sql',
    'app/alembic/versions/a.py',
    'prisma/schema.prisma',
    'V2__add.sql',
  ],
  container: [
    'Dockerfile',
    'docker/api.Dockerfile',
    'Dockerfile.prod',
    'Containerfile',
    'docker-compose.yml',
    'compose.override.yaml',
  ],
};

describe('what is to be looked at twice in a change', () => {
  it.each(Object.entries(byName).flatMap(([kind, paths]) => paths.map((path) => [path, kind] as const)))(
    '%s is a matter of %s',
    (path, kind) => {
      expect(kindsOf(changed(path))).toEqual([kind]);
    },
  );

  it('is not a file that is only called like one', () => {
    const plain = [
      'src/workflows/test.yml',
      'lock.json',
      'src/claude.ts',
      'docs/migration.md',
      'Dockerfile/readme.md',
      'src/go.summary',
      'jenkins.md',
      'a.lock.ts',
    ];
    expect(kindsOf(...plain.map((path) => changed(path)))).toEqual([]);
  });

  it('is what a file was called before, too', () => {
    expect(kindsOf(changed('old.txt', { status: 'renamed', from: '.github/workflows/test.yml' }))).toEqual(['ci']);
  });

  it('is told by what a file is, how large it is, and whether it is still there', () => {
    const files: [Partial<FileStat>, string[]][] = [
      [{ status: 'added', kinds: { after: 'executable' } }, ['executable']],
      [{ kinds: { before: 'file', after: 'executable' } }, ['executable']],
      [{ kinds: { before: 'executable', after: 'executable' } }, []],
      [{ kinds: { before: 'executable', after: 'file' } }, []],
      [{ kinds: { before: 'submodule', after: 'submodule' } }, ['submodule']],
      [{ status: 'deleted', kinds: { before: 'submodule' } }, ['submodule', 'deletion']],
      [{ status: 'deleted' }, ['deletion']],
      [{ status: 'deleted', added: null, removed: null, bytes: { before: 5_000_000 } }, ['deletion']],
      [{ added: null, removed: null, bytes: { before: 10, after: 20 } }, ['binary']],
      [{ added: null, removed: null, bytes: { after: 2_000_000 } }, ['large', 'binary']],
      [{ bytes: { after: 1_000_001 } }, ['large']],
      [{}, []],
    ];
    for (const [more, kinds] of files) expect(kindsOf(changed('x', more)), JSON.stringify(more)).toEqual(kinds);
  });

  it('is a link that leads out of the repository or into its .git, and no other', () => {
    const outside = [
      '/etc/passwd',
      '../../x',
      'a/../../../x',
      '~/x',
      'C:\\x',
      '..\\..\\x',
      '../.git/hooks',
      '../a/.GIT/b',
      '\\\\host\\share',
    ];
    const inside = ['x', '../x', './a/../b', '../.github/x', 'a..b', '..', '..x'];
    const links = [...outside, ...inside].map((target, at) => ({ path: `dir/${at}`, target }));
    const [risk] = risksOf([], { secrets: [], links });
    expect(risk).toEqual({ kind: 'link', paths: outside.map((_, at) => `dir/${at}`), files: outside.length });
  });

  it('is a secret in an earlier commit, unless the change itself has it', () => {
    const earlierSecrets = ['a.env', 'b.env', 'message of 3f9c2e1'];
    expect(risksOf([], { secrets: ['a.env'], links: [], earlierSecrets })).toEqual([
      { kind: 'secret', paths: ['a.env'], files: 1 },
      { kind: 'history', paths: ['b.env', 'message of 3f9c2e1'], files: 2 },
    ]);
  });

  it('comes gravest first, once for each file, with the first paths and the number of all', () => {
    const many = Array.from({ length: 50 }, (_, n) => changed(`gone/${n}`, { status: 'deleted' }));
    const risks = risksOf([...many, changed('.github/workflows/a.yml', { status: 'deleted' }), changed('a.lock')], {
      secrets: ['a.pem', 'a.pem'],
      links: [],
    });
    expect(risks.map(({ kind, files }) => [kind, files])).toEqual([
      ['secret', 1],
      ['ci', 1],
      ['deletion', 51],
    ]);
    expect(risks[2]?.paths).toHaveLength(maxRiskPaths);
  });
});
