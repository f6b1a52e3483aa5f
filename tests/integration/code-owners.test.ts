import { symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { ownershipOf } from '../../runner/code-owners.ts';
import { createGit } from '../../runner/git.ts';
import { emptyRepository, temporaryDirectory } from '../support/git-repository.ts';

const git = createGit(process.env);
const files = [{ path: 'infra/main.tf' }, { path: 'new.ts', from: 'lib/old.ts' }, { path: 'README.md' }];

it('promise 7: CODEOWNERS is that of the commit that a change begins at, from the first place that has one, and nothing but a plain file', async () => {
  await using place = await temporaryDirectory('code-owners');
  const repository = await emptyRepository(join(place.path, 'web'));
  const mirror = join(repository.path, '.git');
  const owned = async (base: string) => ownershipOf(git, mirror, { base, files });

  const none = await repository.commit({ 'README.md': 'hello\n' });
  expect(await owned(none)).toEqual({ state: 'none' });

  const root = await repository.commit({
    CODEOWNERS: '*.tf @acme/infra @Ben\n/lib/ lib@example.com\n!x @ben\n',
    'docs/CODEOWNERS': '* @docs\n',
  });
  const byRoot = {
    state: 'read',
    file: 'CODEOWNERS',
    owned: [
      { owners: ['@acme/infra', '@ben'], paths: ['infra/main.tf'], files: 1 },
      { owners: ['lib@example.com'], paths: ['lib/old.ts'], files: 1 },
    ],
    skipped: 1,
  };
  expect(await owned(root)).toEqual(byRoot);

  // What a change writes there counts for the next one, not for itself.
  const taken = await repository.commit({ '.github/CODEOWNERS': '* @mallory\n' });
  expect(await owned(root)).toEqual(byRoot);
  expect(await owned(taken)).toMatchObject({ file: '.github/CODEOWNERS', owned: [{ owners: ['@mallory'], files: 4 }] });

  await repository.git('rm', '--quiet', '.github/CODEOWNERS', 'CODEOWNERS');
  await symlink('docs/CODEOWNERS', join(repository.path, 'CODEOWNERS'));
  const linked = await repository.commit({ 'a.txt': 'a\n' });
  expect(await owned(linked)).toEqual({ state: 'unclear', file: 'CODEOWNERS', detail: 'it is no plain file' });

  await repository.git('rm', '--quiet', 'CODEOWNERS');
  const large = await repository.commit({ CODEOWNERS: '# filling\n'.repeat(330_000) });
  expect(await owned(large)).toMatchObject({ state: 'unclear', detail: 'it is larger than 3 MB' });
});

it('more lines than can be looked at for so many files are unclear, never nobody', async () => {
  await using place = await temporaryDirectory('code-owners');
  const repository = await emptyRepository(join(place.path, 'web'));
  const base = await repository.commit({ CODEOWNERS: 'a @b\n'.repeat(10_000) });
  const many = Array.from({ length: 500 }, (_, at) => ({ path: `${at}.ts` }));
  const found = await ownershipOf(git, join(repository.path, '.git'), { base, files: many });
  expect(found).toMatchObject({ state: 'unclear', file: 'CODEOWNERS' });
});
