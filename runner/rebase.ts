import { type Git, GitFailed, type GitOptions } from './git.ts';
import { isAncestor } from './import-result.ts';
import type { Author } from './working-copy.ts';

export interface RebaseSpec {
  /** Where the change begins; an ancestor of `head`. */
  base: string;
  head: string;
  /** Where it is to begin. */
  onto: string;
  /** Of the one commit that the change becomes when its own cannot be kept. */
  message: string;
  committer: Author;
}

export type Rebased =
  /** `head` has `onto` already. */
  | { how: 'same' }
  /** All of it is in `onto` already. */
  | { how: 'empty' }
  /** Paths, sorted. */
  | { how: 'conflict'; files: string[] }
  /** `joined`: its commits became one. */
  | { how: 'moved'; commit: string; joined: boolean };

export const mergeMs = 5 * 60_000;
/** A longer history becomes one commit. */
const mostCommits = 100;

/**
 * Puts a change of a mirror on another commit, without a working tree: nothing is checked out, so no filter, hook or merge driver that the
 * repository names has a say. The files are those of one merge of the whole change; the commits are kept, one by one, where that leads to the
 * same files. Only objects are written; no reference moves. Throws GitFailed.
 */
export async function rebaseChange(git: Git, mirror: string, spec: RebaseSpec, signal?: AbortSignal): Promise<Rebased> {
  const { base, head, onto } = spec;
  const options: GitOptions = { repository: mirror, timeoutMs: mergeMs, signal };
  const inside = insideOf(git, options, spec.committer);
  if (await isAncestor(git, onto, head, options)) return { how: 'same' };
  const merged = await inside.pick(onto, base, head);
  if ('files' in merged) return { how: 'conflict', files: merged.files };
  if (merged.tree === (await inside.treeOf(onto))) return { how: 'empty' };
  const replayed = await replay(inside, spec, merged.tree);
  if (replayed !== undefined) return { how: 'moved', commit: replayed, joined: false };
  return { how: 'moved', commit: await inside.commit(merged.tree, onto, spec.message), joined: true };
}

type Inside = ReturnType<typeof insideOf>;

/** Every commit of the change again, in order; undefined when they are no line, too many, or do not lead to the tree one by one. */
async function replay(inside: Inside, { base, head, onto }: RebaseSpec, tree: string): Promise<string | undefined> {
  const commits = await inside.lineFrom(base, head);
  if (commits === undefined) return undefined;
  let tip = onto;
  let parent = base;
  for (const commit of commits) {
    const picked = await inside.pick(tip, parent, commit);
    if ('files' in picked) return undefined;
    // One that changes nothing any more is left out.
    if (picked.tree !== (await inside.treeOf(tip))) tip = await inside.copy(commit, picked.tree, tip);
    parent = commit;
  }
  return (await inside.treeOf(tip)) === tree ? tip : undefined;
}

/** What is done in a mirror to put changes on other commits. */
export function insideOf(git: Git, options: GitOptions, { name, email }: Author) {
  const env = { GIT_AUTHOR_NAME: name, GIT_AUTHOR_EMAIL: email, GIT_COMMITTER_NAME: name, GIT_COMMITTER_EMAIL: email };

  async function commit(tree: string, parent: string, message: string): Promise<string> {
    return await git.text(['commit-tree', tree, '-p', parent, '-m', message], { ...options, env });
  }
  const treeOf = (of: string) => git.text(['rev-parse', '--verify', `${of}^{tree}`], options);

  return {
    commit,
    treeOf,
    /** What lies between `from` and `to`, applied to `onto`: the tree, or the paths that conflict. */
    async pick(onto: string, from: string, to: string): Promise<{ tree: string } | { files: string[] }> {
      // The files of `onto` right after `from`: what both have in common is `from` then, whatever their histories are.
      const grafted = onto === from ? onto : await commit(await treeOf(onto), from, 'Graft');
      const args = ['merge-tree', '--write-tree', '-z', '--name-only', '--no-messages', grafted, to];
      try {
        const [tree = ''] = (await git.run(args, options)).toString('utf8').split('\0');
        return { tree };
      } catch (error) {
        if (!(error instanceof GitFailed) || error.reason !== 'exit' || error.exitCode !== 1) throw error;
        const [, ...names] = error.stdout.toString('utf8').split('\0');
        return { files: [...new Set(names.filter((path) => path !== ''))].sort() };
      }
    },
    /** The commits after `from` up to `to`, the first in front; undefined when they are no line or more than are kept. */
    async lineFrom(from: string, to: string): Promise<string[] | undefined> {
      const range = [`--max-count=${mostCommits + 1}`, to, '--not', from];
      const listed = await git.text(['rev-list', '--topo-order', '--reverse', '--parents', ...range], options);
      const lines = listed.split('\n').map((line) => line.split(' '));
      const isLine = lines.every(([, ...parents], at) => parents.length === 1 && parents[0] === (lines[at - 1]?.[0] ?? from));
      return isLine && lines.length <= mostCommits ? lines.map(([commit = '']) => commit) : undefined;
    },
    /** The same commit with other files and another parent: author and message stay, byte by byte; a signature would not hold. */
    async copy(of: string, tree: string, parent: string): Promise<string> {
      const raw = (await git.run(['cat-file', 'commit', of], options)).toString('latin1');
      const end = raw.indexOf('\n\n');
      const header = raw.slice(0, end).split('\n');
      const kept = (key: string) => header.filter((line) => line.startsWith(`${key} `));
      const committer = `committer ${Buffer.from(`${plainName(name)} <${plainName(email)}>`).toString('latin1')} ${Math.floor(Date.now() / 1000)} +0000`;
      const lines = [`tree ${tree}`, `parent ${parent}`, ...kept('author'), committer, ...kept('encoding')];
      const object = Buffer.from(`${lines.join('\n')}${raw.slice(end)}`, 'latin1');
      const args = ['hash-object', '-t', 'commit', '-w', '--stdin'];
      return await git.text(args, { ...options, input: oneChunk(object) });
    },
  };
}

/** What git cuts out of names too. */
function plainName(text: string): string {
  return text.replace(/[<>\n\0]/g, '').trim();
}

async function* oneChunk(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes;
}
