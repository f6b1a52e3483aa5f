import type { Git, GitOptions } from './git.ts';
import { isAncestor } from './import-result.ts';
import { insideOf, mergeMs } from './rebase.ts';
import type { Author } from './working-copy.ts';

export interface RevertSpec {
  /** Commit of the base branch that a pull request was merged as: one made of its changes, the last of its commits there, or a merge. */
  merged: string;
  /** Newest commit of the branch that was merged. */
  head: string;
  /** What the revert is made upon; has `merged` behind it. */
  onto: string;
  message: string;
  committer: Author;
}

export type Reverted =
  | { how: 'made'; commit: string }
  /** Nothing of what was merged is left in `onto`. */
  | { how: 'empty' }
  /** Paths, sorted. */
  | { how: 'conflict'; files: string[] }
  /** `merged` does not come before `onto`: the base branch was rewritten, or is another. */
  | { how: 'gone' }
  /** Where the merged commits begin cannot be told. */
  | { how: 'unclear' };

/** Of a rebased pull request so many commits are looked for. */
const mostCommits = 1000;

/**
 * One commit upon another that undoes exactly what was merged, without a working tree, as in `rebase.ts`. Only objects are written; no reference
 * moves. Throws GitFailed.
 */
export async function revertMerge(git: Git, mirror: string, spec: RevertSpec, signal?: AbortSignal): Promise<Reverted> {
  const { merged, onto } = spec;
  const options: GitOptions = { repository: mirror, timeoutMs: mergeMs, signal };
  const inside = insideOf(git, options, spec.committer);
  if (!(await isAncestor(git, merged, onto, options))) return { how: 'gone' };
  const before = await stateBefore(git, options, spec);
  if (before === undefined) return { how: 'unclear' };
  // As if it had been made upon what was merged: so that this is what both have in common.
  const undone = await inside.commit(await inside.treeOf(before), merged, 'Graft');
  const picked = await inside.pick(onto, merged, undone);
  if ('files' in picked) return { how: 'conflict', files: picked.files };
  if (picked.tree === (await inside.treeOf(onto))) return { how: 'empty' };
  return { how: 'made', commit: await inside.commit(picked.tree, onto, spec.message) };
}

/** Whether the commits of the branch that was merged are needed to tell what was. */
export async function needsHead(git: Git, mirror: string, merged: string, signal?: AbortSignal): Promise<boolean> {
  return (await parentsOf(git, { repository: mirror, signal }, merged)).length === 1;
}

/** The base branch right before the merge. */
async function stateBefore(git: Git, options: GitOptions, { merged, head }: RevertSpec): Promise<string | undefined> {
  const [first, ...others] = await parentsOf(git, options, merged);
  if (first === undefined || others.length > 0) return first;
  const own = await commitsOf(git, options, ['--no-merges', head, '--not', merged]);
  // It was moved there as it is: nothing tells its commits from those before.
  if (own.length === 0) return undefined;
  // Rebased commits keep author, time and message; one commit made of all of them has those of none, or is the only one.
  const left = new Map<string, number>();
  for (const { key } of own) left.set(key, (left.get(key) ?? 0) + 1);
  const line = await commitsOf(git, options, ['--first-parent', merged]);
  const other = line.findIndex(({ key }) => {
    const count = left.get(key) ?? 0;
    left.set(key, count - 1);
    return count <= 0;
  });
  if (other === -1) return undefined;
  return line[Math.max(1, other)]?.commit;
}

async function parentsOf(git: Git, options: GitOptions, commit: string): Promise<string[]> {
  const [, ...parents] = (await git.text(['rev-list', '--parents', '--max-count=1', commit], options)).split(' ');
  return parents;
}

/** Newest first, with what a rebased commit keeps. */
async function commitsOf(git: Git, options: GitOptions, which: readonly string[]): Promise<{ commit: string; key: string }[]> {
  const format = '--format=%H%n%an%n%ae%n%at%n%B';
  const listed = await git.text(['log', '-z', '--topo-order', `--max-count=${mostCommits}`, format, ...which, '--'], options);
  return listed
    .split('\0')
    .filter((entry) => entry !== '')
    .map((entry) => ({ commit: entry.slice(0, entry.indexOf('\n')), key: entry.slice(entry.indexOf('\n') + 1).trimEnd() }));
}
