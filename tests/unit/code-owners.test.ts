import { describe, expect, it } from 'vitest';
import { isOwner, meetsOwnerPattern, ownedFiles, ownersOf, readCodeOwners } from '../../src/changes/code-owners.ts';

describe('a pattern of CODEOWNERS', () => {
  it.each([
    ['*', 'a.js', true],
    ['*', 'deep/er/a.js', true],
    ['*.js', 'src/a.js', true],
    ['*.js', 'src/a.jsx', false],
    ['/build/logs/', 'build/logs/x/y.log', true],
    ['/build/logs/', 'a/build/logs/x.log', false],
    ['/build/logs/', 'build/logs', false],
    ['docs/*', 'docs/getting-started.md', true],
    ['docs/*', 'docs/build-app/troubleshooting.md', false],
    ['docs/*', 'a/docs/x.md', false],
    ['apps/', 'a/b/apps/c/d.ts', true],
    ['apps/', 'apps', false],
    ['/docs/', 'docs/a/b.md', true],
    ['/scripts', 'scripts/run.sh', true],
    ['/scripts', 'scripts', true],
    ['/scripts', 'a/scripts/run.sh', false],
    ['**/logs', 'build/logs/a', true],
    ['**/logs', 'logs/a', true],
    ['**/logs', 'deeply/nested/logs/a/b', true],
    ['/apps/github', 'apps/github/x', true],
    ['/apps/github', 'apps/githubber/x', false],
    ['src/**/test.ts', 'src/test.ts', true],
    ['src/**/test.ts', 'src/a/b/test.ts', true],
    ['src/**', 'src/a/b', true],
    ['src/**', 'srca/b', false],
    ['/*', 'a.md', true],
    ['/*', 'docs/a.md', false],
    ['fo?.ts', 'foo.ts', true],
    ['fo?.ts', 'fo/.ts', false],
    ['Docs/', 'docs/a.md', false],
    ['a*b*c', 'aXbXbXc', true],
    ['a*b*c', 'aXbX', false],
  ])('%s about %s: %s', (pattern, path, meets) => {
    expect(meetsOwnerPattern(pattern, path)).toBe(meets);
  });

  it('takes no longer the more stars it has', () => {
    const name = 'a'.repeat(2_000);
    expect(meetsOwnerPattern(`${'*a'.repeat(200)}b`, name)).toBe(false);
    expect(meetsOwnerPattern(`${'**/'.repeat(200)}b`, `${'a/'.repeat(200)}c`)).toBe(false);
  });
});

describe('CODEOWNERS', () => {
  const text = [
    '# who looks at what',
    '*  @acme/all   # everybody',
    '/infra/ @Acme/Infra ops@example.com',
    '/infra/free/',
    '/my\\ docs/ @ada',
    '!/infra/x @ben',
    '[ab].ts @ben',
    '/odd/ ada',
    '',
  ].join('\r\n');
  const { lines, skipped } = readCodeOwners(text);

  it('gives a file to the owners of the last line that meets it, to nobody where that names none', () => {
    expect(ownersOf(lines, 'README.md')).toEqual(['@acme/all']);
    expect(ownersOf(lines, 'infra/main.tf')).toEqual(['@acme/infra', 'ops@example.com']);
    expect(ownersOf(lines, 'infra/free/a')).toEqual([]);
    expect(ownersOf(lines, 'my docs/a')).toEqual(['@ada']);
  });

  it('skips and counts lines that GitHub does not read', () => {
    expect(skipped).toBe(3);
    expect(lines).toHaveLength(4);
  });

  it('puts files of the same owners together, and asks those of both names of a renamed file', () => {
    const files = [{ path: 'infra/a' }, { path: 'infra/b' }, { path: 'infra/free/c' }, { path: 'x', from: 'my docs/x' }];
    expect(ownedFiles(lines, files)).toEqual([
      { owners: ['@acme/infra', 'ops@example.com'], paths: ['infra/a', 'infra/b'], files: 2 },
      { owners: ['@acme/all'], paths: ['x'], files: 1 },
      { owners: ['@ada'], paths: ['my docs/x'], files: 1 },
    ]);
  });

  it('is given up where a change has files of too many sets of owners', () => {
    const many = Array.from({ length: 101 }, (_, at) => ({ pattern: `/f${at}`, owners: [`@u${at}`] }));
    expect(
      ownedFiles(
        many,
        many.map((_, at) => ({ path: `f${at}` })),
      ),
    ).toBeUndefined();
  });

  it.each([
    ['@ada', true],
    ['@acme/infra-team', true],
    ['ada@example.com', true],
    ['ada', false],
    ['@acme/a/b', false],
    ['@', false],
  ])('%s as an owner: %s', (name, good) => {
    expect(isOwner(name)).toBe(good);
  });
});
