import { access, mkdir, readdir, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { AppError } from '../src/contracts/errors.ts';
import type { RunSpec } from '../src/contracts/run-control.ts';
import { bytesIn } from './bytes-in.ts';
import { type Git, GitFailed, type GitOptions } from './git.ts';
import { sourceError } from './git-errors.ts';
import { type GitSource, parseSource } from './git-source.ts';
import { type LoginFor, transportOf } from './git-transport.ts';
import { createExclusive } from './mirror-lock.ts';

export type Project = RunSpec['project'];

/** What a repository has, as its own answer says. */
export interface RemoteState {
  /** Branch HEAD names; null when HEAD names a commit (`head`) or nothing. */
  defaultBranch: string | null;
  head: string | null;
  branches: ReadonlyMap<string, string>;
}

/**
 * Clean bare mirrors, one per project, in `<dataDir>/mirrors/<project>.git`. `refs/heads` and `refs/tags` follow the project's
 * repository; `refs/deckhand/tasks/<task>/…` are Deckhand's own and are never pruned. Only Deckhand writes here.
 */
export interface Mirrors {
  path(project: string): string;
  /**
   * Brings the mirror up to date and returns what the repository has. Throws AppError DH-500 to DH-508 for what a person can
   * correct. Repeatable; an interrupted one is completed by the next.
   */
  fetch(project: Project, signal?: AbortSignal): Promise<RemoteState>;
  has(project: string, commit: string): Promise<boolean>;
  /**
   * Fetches a commit that no branch or tag leads to, where the repository gives it out by its name. Nothing keeps it: use it at once. Throws
   * AppError DH-500 to DH-508.
   */
  obtain(project: Project, commit: string, signal?: AbortSignal): Promise<boolean>;
  /** Sets a ref of Deckhand's own. Inside `exclusively`. */
  setRef(project: string, ref: string, commit: string, signal?: AbortSignal): Promise<void>;
  /** Projects that have a mirror here. */
  list(): Promise<string[]>;
  /** Removes the mirror of a project, while nobody else works in it; returns the bytes it took. Idempotent. */
  remove(project: string): Promise<number>;
  /** Runs `work` while nobody else changes the mirror. */
  exclusively<T>(project: string, work: () => Promise<T>, signal?: AbortSignal): Promise<T>;
}

export interface MirrorsDeps {
  dataDir: string;
  git: Git;
  /** Login for an address that brings none. */
  authorization?: LoginFor | undefined;
  timeouts?: { answerMs: number; fetchMs: number } | undefined;
}

const defaultTimeouts = { answerMs: 30_000, fetchMs: 15 * 60_000 };
/** A lock file of git older than this was left by a git that was killed: while we hold the mirror, nobody else works in it. */
const oldLockMs = 30_000;

/**
 * Complaints about names and dates in old commits. Well-known repositories carry such commits; they can hurt nobody. All other
 * findings of git's checks refuse the repository.
 */
const tolerated = ['missingSpaceBeforeDate', 'badTimezone', 'missingEmail', 'missingNameBeforeEmail', 'badDate', 'badEmail'];

export function createMirrors(deps: MirrorsDeps): Mirrors {
  const { git } = deps;
  const timeouts = deps.timeouts ?? defaultTimeouts;
  const folder = join(deps.dataDir, 'mirrors');
  const lock = createExclusive();
  const path = (project: string) => join(folder, `${project}.git`);

  async function transport(
    source: GitSource,
    signal: AbortSignal | undefined,
  ): Promise<Pick<GitOptions, 'protocols' | 'config'>> {
    const { protocols, config } = await transportOf(source, deps.authorization, signal);
    return { protocols, config: [...tolerated.map((name) => [`fetch.fsck.${name}`, 'warn'] as const), ...config] };
  }

  async function ask(
    source: GitSource,
    signal: AbortSignal | undefined,
  ): Promise<{ state: RemoteState; refs: Map<string, string> }> {
    const args = ['ls-remote', '--quiet', '--symref', '--', source.address, 'HEAD', 'refs/heads/*', 'refs/tags/*'];
    const answer = await git.text(args, { ...(await transport(source, signal)), timeoutMs: timeouts.answerMs, signal });
    return readAnswer(answer);
  }

  async function ensure(dir: string, objectFormat: string): Promise<void> {
    if (await exists(join(dir, 'HEAD'))) return;
    const fresh = `${dir}.new`;
    await rm(fresh, { recursive: true, force: true });
    await git.run([
      'init',
      '--quiet',
      '--bare',
      '--template=',
      '--initial-branch=main',
      `--object-format=${objectFormat}`,
      fresh,
    ]);
    await rename(fresh, dir);
  }

  async function mirrored(dir: string): Promise<Map<string, string>> {
    const format = '--format=%(objectname) %(refname)';
    return readRefs(await git.text(['for-each-ref', format, 'refs/heads', 'refs/tags'], { repository: dir }), ' ');
  }

  async function update(dir: string, source: GitSource, detached: boolean, signal: AbortSignal | undefined): Promise<void> {
    const refs = [
      '+refs/heads/*:refs/heads/*',
      '+refs/tags/*:refs/tags/*',
      ...(detached ? ['+HEAD:refs/deckhand/detached'] : []),
    ];
    const flags = [
      '--quiet',
      '--prune',
      '--force',
      '--no-tags',
      '--no-write-fetch-head',
      '--update-shallow',
      '--no-recurse-submodules',
    ];
    const options = { ...(await transport(source, signal)), repository: dir, timeoutMs: timeouts.fetchMs, signal };
    await pastLocks(dir, () => git.run(['fetch', ...flags, '--', source.address, ...refs], options), signal);
  }

  async function exclusively<T>(project: string, work: () => Promise<T>, signal?: AbortSignal): Promise<T> {
    await mkdir(folder, { recursive: true, mode: 0o700 });
    return await lock(`${path(project)}.lock`, work, signal);
  }

  async function has(project: string, commit: string): Promise<boolean> {
    try {
      await git.run(['cat-file', '-e', `${commit}^{commit}`], { repository: path(project) });
      return true;
    } catch (error) {
      if (error instanceof GitFailed && error.reason === 'exit') return false;
      throw error;
    }
  }

  return {
    path,
    exclusively,
    async list() {
      const entries = await readdir(folder).catch(() => []);
      return entries.flatMap((name) => /^(prj_[0-9a-z]+)\.git$/.exec(name)?.[1] ?? []).sort();
    },
    remove(project) {
      return exclusively(project, async () => {
        const bytes = await bytesIn(path(project));
        await rm(path(project), { recursive: true, force: true, maxRetries: 3 });
        return bytes;
      });
    },
    async setRef(project, ref, commit, signal) {
      const repository = path(project);
      await pastLocks(repository, () => git.run(['update-ref', ref, commit], { repository }), signal);
    },
    async fetch(project, signal) {
      const source = parseSource(project.source);
      const shown = project.source.kind === 'path' ? project.source.path : source.address;
      try {
        if (project.source.kind === 'path') await requireDirectory(project.source.path);
        const { state, refs } = await ask(source, signal);
        const any = refs.values().next().value ?? state.head;
        if (any === null || any === undefined) throw new AppError('DH-503', { source: shown });
        const dir = path(project.id);
        await exclusively(
          project.id,
          async () => {
            await ensure(dir, any.length === 64 ? 'sha256' : 'sha1');
            const detached = state.defaultBranch === null && state.head !== null;
            if (detached || !sameRefs(refs, await mirrored(dir))) await update(dir, source, detached, signal);
          },
          signal,
        );
        return state;
      } catch (error) {
        signal?.throwIfAborted();
        throw sourceError(error, shown);
      }
    },
    has,
    async obtain(project, commit, signal) {
      if (await has(project.id, commit)) return true;
      const source = parseSource(project.source);
      const options = { ...(await transport(source, signal)), repository: path(project.id), timeoutMs: timeouts.fetchMs, signal };
      const args = [
        'fetch',
        '--quiet',
        '--no-tags',
        '--no-write-fetch-head',
        '--no-recurse-submodules',
        '--',
        source.address,
        commit,
      ];
      try {
        await exclusively(project.id, () => git.run(args, options), signal);
      } catch (error) {
        signal?.throwIfAborted();
        if (!isNotGiven(error)) throw sourceError(error, source.address);
      }
      return await has(project.id, commit);
    },
  };
}

/** The branch a new task starts from: the configured one, else the repository's own. Throws DH-502. */
export function baseOf(project: Project, state: RemoteState): { branch: string; commit: string } {
  const source = project.source.kind === 'path' ? project.source.path : parseSource(project.source).address;
  const branch = project.baseBranch ?? state.defaultBranch;
  if (branch === null) {
    if (state.head === null) throw new AppError('DH-502', { source, branch: 'HEAD' });
    return { branch: 'HEAD', commit: state.head };
  }
  const commit = state.branches.get(branch);
  if (commit === undefined) throw new AppError('DH-502', { source, branch });
  return { branch, commit };
}

function readAnswer(answer: string): { state: RemoteState; refs: Map<string, string> } {
  const symref = /^ref: refs\/heads\/(.+)\tHEAD$/m.exec(answer)?.[1] ?? null;
  const all = readRefs(answer.replace(/^ref: .*\n?/gm, ''), '\t');
  const head = all.get('HEAD') ?? null;
  all.delete('HEAD');
  const branches = new Map<string, string>();
  for (const [name, commit] of all) {
    if (name.startsWith('refs/heads/')) branches.set(name.slice('refs/heads/'.length), commit);
  }
  return { state: { defaultBranch: symref, head, branches }, refs: all };
}

/** Lines of `<object><separator><name>`; `name^{}` (what a tag points to) is left out. */
function readRefs(text: string, separator: string): Map<string, string> {
  const refs = new Map<string, string>();
  for (const line of text.split('\n')) {
    const at = line.indexOf(separator);
    const name = line.slice(at + 1);
    if (at > 0 && !name.endsWith('^{}')) refs.set(name, line.slice(0, at));
  }
  return refs;
}

function sameRefs(a: ReadonlyMap<string, string>, b: ReadonlyMap<string, string>): boolean {
  return a.size === b.size && [...a].every(([name, object]) => b.get(name) === object);
}

async function requireDirectory(path: string): Promise<void> {
  const found = await stat(path).catch(() => undefined);
  if (found === undefined) throw new AppError('DH-501', { source: path, detail: 'the directory does not exist on this machine' });
  if (!found.isDirectory()) throw new AppError('DH-501', { source: path, detail: 'it is not a directory' });
}

function isLocked(error: unknown): boolean {
  return error instanceof GitFailed && /\.lock': File exists/.test(error.stderr);
}

/** The repository does not have it, or does not give out what no branch leads to. */
function isNotGiven(error: unknown): boolean {
  return error instanceof GitFailed && /not our ref|unadvertised object|find remote ref/i.test(error.stderr);
}

/** Does what changes refs; waits for a lock file of git, and removes it when it was left over. The mirror is held. */
async function pastLocks(dir: string, work: () => Promise<unknown>, signal: AbortSignal | undefined): Promise<void> {
  for (let tries = 1; ; tries += 1) {
    try {
      await work();
      return;
    } catch (error) {
      if (tries > oldLockMs / 1000 + 10 || !isLocked(error)) throw error;
      await removeOldLocks(dir);
      await delay(1000, undefined, { signal });
    }
  }
}

async function removeOldLocks(dir: string): Promise<void> {
  for (const entry of await readdir(dir, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile() || !entry.name.endsWith('.lock')) continue;
    const file = join(entry.parentPath, entry.name);
    const { mtimeMs } = await stat(file).catch(() => ({ mtimeMs: Date.now() }));
    if (Date.now() - mtimeMs > oldLockMs) await rm(file, { force: true });
  }
}

async function exists(path: string): Promise<boolean> {
  return await access(path).then(
    () => true,
    () => false,
  );
}
