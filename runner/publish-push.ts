import { mkdir, mkdtemp, readdir, rm, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { AppError } from '../src/contracts/errors.ts';
import { type Git, GitFailed } from './git.ts';
import { sourceError } from './git-errors.ts';
import { type GitSource, parseSource } from './git-source.ts';
import { type LoginFor, type Transport, transportOf } from './git-transport.ts';
import type { Mirrors, Project } from './mirror.ts';
import { pushError } from './push-errors.ts';

/** Exactly what was approved to be pushed, and where to. */
export interface PushSpec {
  project: Project;
  /** The repository that was approved: its address without a login, or the path of a directory. */
  remote: string;
  branch: string;
  commit: string;
  tree: string;
}

/**
 * Pushes commits of the mirrors. Nothing but the commit that is named can be pushed: the command has its name, and it is looked at right
 * before. Git runs in an empty repository beside the mirror, which lends it its objects: no reference, hook or setting of the mirror has a
 * say in what is pushed, or where to.
 */
export interface Publishing {
  /** Throws DH-528 unless the mirror has the commit with this tree and the project is still at the approved address. */
  check(spec: PushSpec): Promise<void>;
  /** Where the branch is at the remote now; null: there is none. Throws AppError DH-500 to DH-507. */
  branchAt(spec: PushSpec, login: LoginFor | undefined, signal?: AbortSignal): Promise<string | null>;
  /**
   * Moves the branch at the remote from `expected` (null: it must not exist) to the commit. The remote itself compares; when it finds the
   * branch elsewhere, nothing happens there. Throws AppError DH-500 to DH-508, DH-520 to DH-531.
   */
  push(spec: PushSpec, expected: string | null, login: LoginFor | undefined, signal?: AbortSignal): Promise<void>;
  /** Goes as far as the remote without moving anything there: what a push would throw for want of rights. `commit`: one of the mirror. */
  tryPush(project: Project, commit: string, login: LoginFor | undefined, signal?: AbortSignal): Promise<void>;
}

interface Sending {
  project: Project;
  source: GitSource;
  /** The remote as people are told of it. */
  shown: string;
  branch: string;
  commit: string;
  flags: readonly string[];
  ready(): Promise<void>;
}

const objectName = /^(?:[0-9a-f]{40}|[0-9a-f]{64})$/;
/** Deckhand pushes to branches of its own alone; a name like this is one to git and no option, pattern or path out of refs/heads. */
const ownBranch = /^deckhand\/[a-z0-9](?:[a-z0-9]|[-_.](?=[a-z0-9])){0,199}$/;
const answerMs = 30_000;
const pushMs = 15 * 60_000;

/**
 * In a directory on this machine: nothing that the repository there names is run. Git starts the receiving side by this, as a constant of the
 * program.
 */
const receivePack =
  'git -c core.hooksPath=/dev/null -c core.fsmonitor=false -c receive.denyCurrentBranch=refuse -c receive.autogc=false -c core.alternateRefsCommand=true receive-pack';

export function createPublishing({ git, mirrors }: { git: Git; mirrors: Mirrors }): Publishing {
  const sourceOf = ({ project, remote }: PushSpec) => {
    const source = parseSource(project.source);
    if (source.address !== remote) throw refused('the project is at another address now');
    return source;
  };

  async function check(spec: PushSpec): Promise<void> {
    const { project, branch, commit, tree } = spec;
    sourceOf(spec);
    if (!objectName.test(commit) || !objectName.test(tree)) throw refused('what was approved names no commit and tree');
    if (!ownBranch.test(branch)) throw refused('the branch is none of Deckhand');
    const found = await treeOf(git, mirrors.path(project.id), commit);
    if (found === undefined) throw refused(`commit ${commit.slice(0, 12)} is not on this machine any more`);
    if (found !== tree) throw refused(`the files of commit ${commit.slice(0, 12)} are others`);
  }

  /** One commit to one branch. `ready` has the last word before it goes out. */
  async function send(
    { project, source, shown, branch, commit, flags, ready }: Sending,
    login: LoginFor | undefined,
    signal: AbortSignal | undefined,
  ): Promise<void> {
    const transport = await strictly(source, login, signal);
    const always = ['--quiet', '--no-verify', '--no-signed', '--no-follow-tags', '--recurse-submodules=no', '--no-progress'];
    const local = source.protocol === 'file' ? [`--receive-pack=${receivePack}`] : [];
    const objects = join(mirrors.path(project.id), 'objects');
    let outgoing: string | undefined;
    try {
      await ready();
      outgoing = await ownPlace(join(dirname(mirrors.path(project.id)), 'outgoing'), project.id);
      const format = commit.length === 64 ? 'sha256' : 'sha1';
      await git.run(['init', '--quiet', '--bare', '--template=', `--object-format=${format}`, outgoing], { signal });
      await git.run(['push', ...always, ...local, ...flags, '--', source.address, `${commit}:refs/heads/${branch}`], {
        ...transport,
        repository: outgoing,
        env: { GIT_OBJECT_DIRECTORY: objects },
        timeoutMs: pushMs,
        signal,
      });
    } catch (error) {
      signal?.throwIfAborted();
      throw pushError(error, { remote: shown, branch });
    } finally {
      if (outgoing !== undefined) await rm(outgoing, { recursive: true, force: true });
    }
  }

  return {
    check,
    async branchAt(spec, login, signal) {
      const source = sourceOf(spec);
      const ref = `refs/heads/${spec.branch}`;
      try {
        const answer = await git.text(['ls-remote', '--quiet', '--refs', '--', source.address, ref], {
          ...(await strictly(source, login, signal)),
          timeoutMs: answerMs,
          signal,
        });
        // The pattern finds longer names that end like it too.
        const line = answer.split('\n').find((text) => text.endsWith(`\t${ref}`));
        return line === undefined ? null : line.slice(0, line.indexOf('\t'));
      } catch (error) {
        signal?.throwIfAborted();
        throw sourceError(error, spec.remote);
      }
    },
    async push(spec, expected, login, signal) {
      const { project, branch, commit } = spec;
      const source = sourceOf(spec);
      if (expected !== null && !objectName.test(expected)) throw refused('where the branch is expected names no commit');
      const lease = `--force-with-lease=refs/heads/${branch}:${expected ?? ''}`;
      const ready = () => check(spec);
      await send({ project, source, shown: spec.remote, branch, commit, flags: [lease], ready }, login, signal);
    },
    async tryPush(project, commit, login, signal) {
      const source = parseSource(project.source);
      const branch = 'deckhand/access-check';
      const ready = async () => {
        if (!objectName.test(commit)) throw refused('there is no commit to try it with');
      };
      await send({ project, source, shown: source.address, branch, commit, flags: ['--dry-run'], ready }, login, signal);
    },
  };
}

/** How the approved address is reached, and no other that it leads on to. */
async function strictly(source: GitSource, login: LoginFor | undefined, signal: AbortSignal | undefined): Promise<Transport> {
  const { protocols, config } = await transportOf(source, login, signal);
  return { protocols, config: [...config, ['http.followRedirects', 'false']] };
}

/**
 * A new directory for one push: a runner that was taken for dead may be at the same push. Removes what pushes have left that were killed so
 * long ago that none can be under way.
 */
async function ownPlace(folder: string, project: string): Promise<string> {
  await mkdir(folder, { recursive: true, mode: 0o700 });
  for (const name of await readdir(folder)) {
    const left = join(folder, name);
    const { mtimeMs } = await stat(left).catch(() => ({ mtimeMs: Date.now() }));
    if (Date.now() - mtimeMs > 2 * pushMs) await rm(left, { recursive: true, force: true });
  }
  return await mkdtemp(join(folder, `${project}-`));
}

/** The tree of a commit of a repository; undefined: there is no such commit. */
export async function treeOf(git: Git, repository: string, commit: string): Promise<string | undefined> {
  try {
    return await git.text(['rev-parse', '--quiet', '--verify', `${commit}^{commit}^{tree}`], { repository });
  } catch (error) {
    if (error instanceof GitFailed && error.reason === 'exit') return undefined;
    throw error;
  }
}

function refused(detail: string): AppError {
  return new AppError('DH-528', { detail });
}
