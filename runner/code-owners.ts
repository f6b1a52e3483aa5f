import { codeOwnersFiles, maxOwned, ownedFiles, readCodeOwners } from '../src/changes/code-owners.ts';
import type { Ownership } from '../src/contracts/approvers.ts';
import type { FileStat } from '../src/contracts/run-event.ts';
import type { Git } from './git.ts';

/** GitHub reads no larger one. */
const largestFile = 3 * 1024 * 1024;

/**
 * What CODEOWNERS says about these files, as it is in a commit of the mirror: the one the change begins at, so that no change says who
 * looks at it. A file that cannot be taken for what it is makes the answer unclear, never empty.
 */
export async function ownershipOf(
  git: Git,
  mirror: string,
  { base, files }: { base: string; files: readonly Pick<FileStat, 'path' | 'from'>[] },
  signal?: AbortSignal,
): Promise<Ownership> {
  const listed = await git.text(['ls-tree', '-z', '-l', '--full-tree', base, '--', ...codeOwnersFiles], {
    repository: mirror,
    signal,
  });
  const entries = new Map(
    listed.split('\0').flatMap((line) => {
      const [, mode = '', type = '', object = '', size = '', path = ''] =
        /^(\d{6}) (\w+) ([0-9a-f]+) +(\d+|-)\t([\s\S]+)$/.exec(line) ?? [];
      return path === ''
        ? []
        : [[path, { plain: type === 'blob' && mode.startsWith('100'), object, size: Number(size) }] as const];
    }),
  );
  const file = codeOwnersFiles.find((path) => entries.has(path));
  const entry = file === undefined ? undefined : entries.get(file);
  if (file === undefined || entry === undefined) return { state: 'none' };
  if (!entry.plain) return { state: 'unclear', file, detail: 'it is no plain file' };
  if (entry.size > largestFile) return { state: 'unclear', file, detail: 'it is larger than 3 MB' };
  const text = (await git.run(['cat-file', 'blob', entry.object], { repository: mirror, signal })).toString('utf8');
  const { lines, skipped } = readCodeOwners(text);
  const owned = ownedFiles(lines, files);
  if (owned === undefined)
    return {
      state: 'unclear',
      file,
      detail: `the change has files of more than ${maxOwned} sets of owners, or too many for so many lines`,
    };
  return { state: 'read', file, owned, skipped };
}
