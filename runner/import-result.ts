import { mkdir, readdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { RunSpec } from '../src/contracts/run-control.ts';
import { BadBundle, readBundle } from './bundle.ts';
import { maxBundleBytes } from './collect-script.ts';
import { type Git, GitFailed, type GitOptions } from './git.ts';
import { machineError } from './git-errors.ts';
import type { Mirrors } from './mirror.ts';
import type { Author } from './working-copy.ts';

export interface ImportSpec {
  project: string;
  /** See `keptUnder`. */
  task: string;
  run: string;
  /** What the working copy started from; the result descends from it. */
  parent: string;
  message: string;
  author: Author;
}

export interface ImportedResult {
  commit: string;
  /** The sandbox's history did not continue the task's branch: its files became one commit. */
  joined: boolean;
}

/** What came out of the sandbox cannot be taken. The mirror is as before. */
export class ResultInvalid extends Error {
  override name = 'ResultInvalid';
}

const objectName = /^[0-9a-f]{40}(?:[0-9a-f]{24})?$/;
const importMs = 10 * 60_000;

/** Where bundles are unpacked, one directory for each run that is being collected. */
export const incomingFolder = (dataDir: string) => join(dataDir, 'mirrors', 'incoming');

export const taskRef = (task: string, what: 'base' | 'head' | 'onto' | 'former') => `refs/deckhand/tasks/${task}/${what}`;

/** Under which name the mirror keeps what a run starts from and leaves: its task's, or, of one of several attempts, its own below that. */
export function keptUnder({ task, run, variant }: Pick<RunSpec, 'task' | 'run' | 'variant'>): string {
  return variant === undefined ? task : `${task}/runs/${run}`;
}

/**
 * Takes the bundle of a run into the project's mirror. Its objects are unpacked and checked apart from the mirror's; only what is
 * complete, sound and small enough is moved there. Then `refs/deckhand/tasks/<task>/head` moves to the result.
 *
 * Undefined: the command changed nothing. Repeatable: the last import of a run wins. Throws ResultInvalid, what reading the bundle
 * throws, and errors of the disk.
 */
export async function importResult(
  deps: { git: Git; mirrors: Mirrors; dataDir: string },
  spec: ImportSpec,
  source: AsyncIterable<Uint8Array>,
  signal?: AbortSignal,
): Promise<ImportedResult | undefined> {
  const { git } = deps;
  const mirror = deps.mirrors.path(spec.project);
  const apart = join(incomingFolder(deps.dataDir), spec.run);
  const env = { GIT_OBJECT_DIRECTORY: apart, GIT_ALTERNATE_OBJECT_DIRECTORIES: join(mirror, 'objects') };
  await rm(apart, { recursive: true, force: true });
  try {
    const bundle = await readBundle(source);
    if (bundle === undefined) return undefined;
    await mkdir(join(apart, 'pack'), { recursive: true, mode: 0o700 });
    const { tip } = bundle.header;
    const inApart = { repository: mirror, env, timeoutMs: importMs, signal };
    await git.run(['index-pack', '--stdin', '--fix-thin', '--strict', `--max-input-size=${maxBundleBytes}`], {
      ...inApart,
      input: bundle.pack,
    });
    await git.run(['cat-file', '-e', `${tip}^{commit}`], inApart);
    const follows = await isAncestor(git, spec.parent, tip, inApart);
    await git.run(['rev-list', '--objects', '--quiet', tip, ...(follows ? ['--not', spec.parent] : [])], inApart);

    return await deps.mirrors.exclusively(
      spec.project,
      async () => {
        await moveObjects(apart, join(mirror, 'objects'));
        const commit = follows ? tip : await joinUpon(git, mirror, tip, spec);
        if (commit === undefined) return undefined;
        await deps.mirrors.setRef(spec.project, taskRef(spec.task, 'head'), commit, signal);
        return { commit, joined: !follows };
      },
      signal,
    );
  } catch (error) {
    signal?.throwIfAborted();
    if (error instanceof BadBundle) throw new ResultInvalid(error.message, { cause: error });
    const told = machineError(error);
    if (told instanceof GitFailed && told.reason !== 'not_started') throw new ResultInvalid(reasonOf(told), { cause: told });
    throw told;
  } finally {
    await rm(apart, { recursive: true, force: true });
  }
}

/** The files of `tip` as one commit upon the parent; undefined when they are the parent's. */
async function joinUpon(git: Git, mirror: string, tip: string, spec: ImportSpec): Promise<string | undefined> {
  const inMirror = { repository: mirror };
  const [tree, before] = await Promise.all(
    [tip, spec.parent].map((commit) => git.text(['rev-parse', '--verify', `${commit}^{tree}`], inMirror)),
  );
  if (tree === undefined || tree === before) return undefined;
  const { name, email } = spec.author;
  const who = { GIT_AUTHOR_NAME: name, GIT_AUTHOR_EMAIL: email, GIT_COMMITTER_NAME: name, GIT_COMMITTER_EMAIL: email };
  const commit = await git.text(['commit-tree', tree, '-p', spec.parent, '-m', spec.message], { ...inMirror, env: who });
  if (!objectName.test(commit)) throw new Error('git commit-tree gave no commit');
  return commit;
}

/** Whether one commit is another or comes before it. */
export async function isAncestor(git: Git, parent: string, tip: string, options: GitOptions): Promise<boolean> {
  try {
    await git.run(['merge-base', '--is-ancestor', parent, tip], options);
    return true;
  } catch (error) {
    if (error instanceof GitFailed && error.exitCode === 1) return false;
    throw error;
  }
}

/** Packs first, their indexes last: a pack is looked at only when its index is there. */
async function moveObjects(from: string, to: string): Promise<void> {
  const files = await readdir(join(from, 'pack'));
  await mkdir(join(to, 'pack'), { recursive: true });
  const order = [...files.filter((name) => !name.endsWith('.idx')), ...files.filter((name) => name.endsWith('.idx'))];
  for (const name of order) {
    if (/^pack-[0-9a-f]+\.(?:pack|idx|rev)$/.test(name)) await rename(join(from, 'pack', name), join(to, 'pack', name));
  }
}

function reasonOf(error: GitFailed): string {
  if (error.reason === 'timed_out') return 'checking it took too long';
  const line = error.stderr
    .split('\n')
    .map((text) => text.trim())
    .find((text) => /^(?:error|fatal):/.test(text));
  return (line ?? 'git refuses it').replace(/^(?:error|fatal):\s*/, '').slice(0, 300);
}
