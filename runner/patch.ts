import { largeBytes } from '../src/changes/risks.ts';
import { type FileStat, type RunResult, totalsOf } from '../src/contracts/run-event.ts';
import { type Git, GitFailed, type GitOptions } from './git.ts';
import { kindOf, parseChanges, type RawChange } from './raw-changes.ts';

export interface Difference {
  /** At most `maxListedFiles`. */
  files: FileStat[];
  /** Set when there are more. */
  totals: RunResult['totals'];
  /** All of them. */
  all: FileStat[];
  /** Links that were made or changed, with what they hold. */
  links: { path: string; target: string }[];
  /** For `git apply`, binary files included; undefined when it is larger than `maxPatchBytes`. */
  patch: Buffer | undefined;
}

export const maxListedFiles = 2000;
export const maxPatchBytes = 32 * 1024 * 1024;

/** Renames are followed; no program and no attribute of the repository has a say in what is shown. */
export const safely: readonly string[] = ['-r', '-M', '--no-ext-diff', '--no-textconv', '--no-color', '--ignore-submodules=none'];

/** Of so many links at most it is looked at where they lead. */
const maxLinks = 200;
/** A longer target is none that any system takes. */
const maxTarget = 4096;

/** What lies between two commits of a mirror. */
export async function difference(git: Git, mirror: string, from: string, to: string, signal?: AbortSignal): Promise<Difference> {
  const options = { repository: mirror, timeoutMs: 5 * 60_000, signal };
  const listed = await git.run(['diff-tree', ...safely, '--raw', '--no-abbrev', '--numstat', '-z', from, to], {
    ...options,
    maxOutputBytes: 256 * 1024 * 1024,
  });
  const changes = parseChanges(listed);
  const sizes = await sizesOf(git, changes, options);
  const all = changes.map((change) => statOf(change, sizes));
  const totals = all.length > maxListedFiles ? totalsOf({ files: all }) : undefined;
  return {
    files: all.slice(0, maxListedFiles),
    totals,
    all,
    links: await linksOf(git, changes, sizes, options),
    patch: await patchOf(),
  };

  async function patchOf(): Promise<Buffer | undefined> {
    const shape = ['-p', '--binary', '--full-index', '--src-prefix=a/', '--dst-prefix=b/'];
    try {
      return await git.run(['diff-tree', ...safely, ...shape, from, to], { ...options, maxOutputBytes: maxPatchBytes });
    } catch (error) {
      if (error instanceof GitFailed && error.reason === 'output_too_large') return undefined;
      throw error;
    }
  }
}

function statOf(change: RawChange, sizes: ReadonlyMap<string, number>): FileStat {
  const { path, from, status, added, removed } = change;
  const before = kindOf(change.before.mode);
  const after = kindOf(change.after.mode);
  const told = [before, after].some((kind) => kind !== undefined && kind !== 'file');
  const oldSize = before === 'submodule' ? undefined : sizes.get(change.before.object);
  const newSize = after === 'submodule' ? undefined : sizes.get(change.after.object);
  const sized = added === null || (newSize ?? 0) > largeBytes;
  return {
    path,
    added,
    removed,
    ...(status === 'modified' ? {} : { status }),
    ...(from === undefined ? {} : { from }),
    ...(told ? { kinds: defined({ before, after }) } : {}),
    ...(sized ? { bytes: defined({ before: oldSize, after: newSize }) } : {}),
  };
}

function defined<T>({ before, after }: { before: T | undefined; after: T | undefined }): { before?: T; after?: T } {
  return { ...(before === undefined ? {} : { before }), ...(after === undefined ? {} : { after }) };
}

/** Sizes of the objects that came, and of those that binary files took the place of. What is not in the mirror (submodules) has none. */
async function sizesOf(git: Git, changes: readonly RawChange[], options: GitOptions): Promise<Map<string, number>> {
  const wanted = new Set<string>();
  for (const { before, after, added } of changes) {
    if (after.mode !== undefined) wanted.add(after.object);
    if (before.mode !== undefined && added === null) wanted.add(before.object);
  }
  if (wanted.size === 0) return new Map();
  const output = await git.run(['cat-file', '--batch-check=%(objectname) %(objectsize)'], {
    ...options,
    input: linesOf(wanted),
    maxOutputBytes: 64 * 1024 * 1024,
  });
  const found = output.toString('latin1').matchAll(/^([0-9a-f]{40,64}) (\d{1,15})$/gm);
  return new Map([...found].map(([, object = '', size]) => [object, Number(size)]));
}

async function linksOf(
  git: Git,
  changes: readonly RawChange[],
  sizes: ReadonlyMap<string, number>,
  options: GitOptions,
): Promise<Difference['links']> {
  const links: Difference['links'] = [];
  const made = changes.filter(({ after }) => kindOf(after.mode) === 'symlink');
  for (const { path, after } of made.slice(0, maxLinks)) {
    const size = sizes.get(after.object) ?? 0;
    const target = size > maxTarget ? '/' : (await git.run(['cat-file', 'blob', after.object], options)).toString('utf8');
    links.push({ path, target });
  }
  return links;
}

async function* linesOf(texts: Iterable<string>): AsyncGenerator<Uint8Array> {
  yield Buffer.from([...texts].map((text) => `${text}\n`).join(''));
}
