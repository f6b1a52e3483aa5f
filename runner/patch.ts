import { type FileStat, type RunResult, totalsOf } from '../src/contracts/run-event.ts';
import { type Git, GitFailed } from './git.ts';

export interface Difference {
  /** At most `maxListedFiles`. */
  files: FileStat[];
  /** Set when there are more. */
  totals: RunResult['totals'];
  /** For `git apply`, binary files included; undefined when it is larger than `maxPatchBytes`. */
  patch: Buffer | undefined;
}

export const maxListedFiles = 2000;
export const maxPatchBytes = 32 * 1024 * 1024;

/** Renames are followed; no program and no attribute of the repository has a say in what is shown. */
const safely = ['-r', '-M', '--no-ext-diff', '--no-textconv', '--no-color', '--ignore-submodules=none'];

/** What lies between two commits of a mirror. */
export async function difference(git: Git, mirror: string, from: string, to: string, signal?: AbortSignal): Promise<Difference> {
  const options = { repository: mirror, timeoutMs: 5 * 60_000, signal };
  const stat = await git.run(['diff-tree', ...safely, '--numstat', '-z', from, to], {
    ...options,
    maxOutputBytes: 256 * 1024 * 1024,
  });
  const files = parseNumstat(stat);
  const totals = files.length > maxListedFiles ? totalsOf({ files }) : undefined;
  return { files: files.slice(0, maxListedFiles), totals, patch: await patchOf() };

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

/** `<added> TAB <removed> TAB <path> NUL`, for a rename `<added> TAB <removed> TAB NUL <old> NUL <new> NUL`; `-` for binary. */
export function parseNumstat(output: Uint8Array): FileStat[] {
  const fields = Buffer.from(output).toString('utf8').split('\0');
  const files: FileStat[] = [];
  for (let at = 0; at < fields.length - 1; at += 1) {
    const match = /^(\d+|-)\t(\d+|-)\t([\s\S]*)$/.exec(fields[at] ?? '');
    if (match === null) throw new Error('git diff-tree --numstat gave a line of an unknown form');
    let path = match[3] ?? '';
    if (path === '') {
      path = fields[at + 2] ?? '';
      at += 2;
    }
    files.push({ path, added: count(match[1]), removed: count(match[2]) });
  }
  return files;
}

function count(text: string | undefined): number | null {
  return text === undefined || text === '-' ? null : Number(text);
}
