import type { Json } from '../slack/json.ts';
import type { Core } from './core.ts';
import { gitOnce } from './git.ts';
import type { Repository } from './model.ts';
import { apiAddress, pageAddress } from './wire-repository.ts';

/** What changed between two commits, file by file, as git tells it. */

export interface FileChange {
  path: string;
  /** Where a renamed file was. */
  from: string | undefined;
  status: 'added' | 'removed' | 'modified' | 'renamed' | 'copied' | 'changed';
  /** Of the file as it is after; before, for a removed one. */
  blob: string;
  additions: number;
  deletions: number;
  /** The hunks; undefined for binary files. */
  patch: string | undefined;
}

const STATUS: Readonly<Record<string, FileChange['status']>> = {
  A: 'added',
  D: 'removed',
  M: 'modified',
  R: 'renamed',
  C: 'copied',
  T: 'changed',
};
const EMPTY_TREE = '4b825dc642cb6eb9a060e54bf8d69288fbee4904';

/** Both are whole hashes. `base` undefined: everything is new. */
export async function changesBetween(repository: Repository, base: string | undefined, head: string): Promise<FileChange[]> {
  const range = [base ?? EMPTY_TREE, head];
  const [raw, numbers, patch] = await Promise.all([
    gitOnce(repository, ['diff-tree', '-r', '-M', '-z', '--raw', '--no-commit-id', '--no-abbrev', ...range]),
    gitOnce(repository, ['diff-tree', '-r', '-M', '-z', '--numstat', '--no-commit-id', ...range]),
    gitOnce(repository, [
      'diff-tree',
      '-r',
      '-M',
      '-p',
      '--no-commit-id',
      '--no-color',
      '--no-ext-diff',
      '--no-textconv',
      ...range,
    ]),
  ]);
  const counts = countsOf(numbers);
  const hunks = patch.split(/^diff --git .*$/m).slice(1);
  return parseRaw(raw).map((change, index) => {
    const [additions, deletions] = counts[index] ?? [0, 0];
    const at = hunks[index]?.search(/^@@ /m) ?? -1;
    const text = at < 0 ? undefined : hunks[index]?.slice(at).replace(/\n+$/, '');
    return { ...change, additions, deletions, patch: text };
  });
}

function parseRaw(raw: string): Pick<FileChange, 'path' | 'from' | 'status' | 'blob'>[] {
  const parts = raw.split('\0');
  const changes: Pick<FileChange, 'path' | 'from' | 'status' | 'blob'>[] = [];
  for (let at = 0; at < parts.length; ) {
    const [, , before = '', after = '', letter = ''] = (parts[at] ?? '').split(' ');
    if (letter === '') break;
    const status = STATUS[letter.slice(0, 1)] ?? 'changed';
    const isMoved = status === 'renamed' || status === 'copied';
    const from = isMoved ? parts[at + 1] : undefined;
    const path = parts[at + (isMoved ? 2 : 1)] ?? '';
    changes.push({ path, from, status, blob: status === 'removed' ? before : after });
    at += isMoved ? 3 : 2;
  }
  return changes;
}

/** `-` (binary) counts as 0. */
function countsOf(text: string): [number, number][] {
  const counts: [number, number][] = [];
  for (const part of text.split('\0')) {
    const [, added, removed] = /^(\d+|-)\t(\d+|-)\t/.exec(part) ?? [];
    if (added !== undefined && removed !== undefined) counts.push([Number(added) || 0, Number(removed) || 0]);
  }
  return counts;
}

export function wireChange(core: Core, repository: Repository, head: string, change: FileChange): Json {
  const path = change.path.split('/').map(encodeURIComponent).join('/');
  const page = pageAddress(core, repository);
  return {
    sha: change.blob,
    filename: change.path,
    status: change.status,
    additions: change.additions,
    deletions: change.deletions,
    changes: change.additions + change.deletions,
    blob_url: `${page}/blob/${head}/${path}`,
    raw_url: `${page}/raw/${head}/${path}`,
    contents_url: `${apiAddress(core, repository)}/contents/${path}?ref=${head}`,
    ...(change.patch === undefined ? {} : { patch: change.patch }),
    ...(change.from === undefined ? {} : { previous_filename: change.from }),
  };
}
