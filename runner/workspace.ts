import { mkdir, readdir, rm, statfs } from 'node:fs/promises';
import { join } from 'node:path';
import type { Ownership } from '../src/contracts/approvers.ts';
import type { BaseStand, OpenChange } from '../src/contracts/base-look.ts';
import { AppError } from '../src/contracts/errors.ts';
import type { RunSpec } from '../src/contracts/run-control.ts';
import type { FileStat } from '../src/contracts/run-event.ts';
import { fillHome, guidanceIn, type HomeFile } from './agent-home.ts';
import { lookAtBase } from './base-stand.ts';
import { ownershipOf } from './code-owners.ts';
import { collectHelper } from './collect-script.ts';
import { createGit, type Git, GitFailed } from './git.ts';
import { checkoutError, machineError } from './git-errors.ts';
import { secretsInHistory } from './history-secrets.ts';
import { type ImportedResult, importResult, incomingFolder, isAncestor, taskRef } from './import-result.ts';
import { createMirrorKeeping, type MirrorKeeping } from './keep-mirror.ts';
import { baseOf, createMirrors, type MirrorsDeps } from './mirror.ts';
import { type Difference, difference } from './patch.ts';
import { createPublishing, type Publishing, treeOf } from './publish-push.ts';
import { type Rebased, rebaseChange } from './rebase.ts';
import { needsHead, type Reverted, revertMerge } from './revert.ts';
import type { Helper } from './sandbox/port.ts';
import { packDirectory } from './sandbox/tar.ts';
import type { SshFiles } from './ssh-command.ts';
import { type Author, createWorkingCopies } from './working-copy.ts';

type Base = NonNullable<RunSpec['base']>;
type Project = RunSpec['project'];

/** Everything git of a run: where it starts from, its working copy, and what it leaves. docs in runner/README.md. */
export interface Workspace {
  /** Fetches the project's repository: its default branch, and the commit new tasks would start from. Throws AppError DH-50x. */
  sync(project: Project, signal?: AbortSignal): Promise<{ defaultBranch: string; head: string }>;
  /** Fetches the project's repository and tells where a new task starts. Throws AppError DH-50x, DH-513 when the disk is nearly full. */
  resolveBase(project: Project, signal?: AbortSignal): Promise<Base>;
  /**
   * Makes the working copy of a run: the task's branch at `head`, else at its base. Fetches only when the base is not at hand.
   * Repeatable; what an interrupted call left is replaced. Throws AppError DH-50x, DH-508 when the disk is full, DH-513 when it nearly is.
   */
  prepare(copy: CopySpec, signal?: AbortSignal): Promise<void>;
  /** What the repository tells agents (CLAUDE.md, AGENTS.md) in a commit that `prepare` has brought. */
  guidance(project: string, commit: string, signal?: AbortSignal): Promise<{ path: string; text: string }[]>;
  /** Puts files into the home of the agent in the prepared working copy, and beside it those people gave; see agent-home.ts. */
  fillHome(run: string, files: readonly HomeFile[], given: readonly HomeFile[]): Promise<void>;
  /** The prepared working copy as a tar stream. */
  pack(run: string): AsyncIterable<Uint8Array>;
  /** Removes what the host has of the run besides its results. Idempotent. */
  discard(run: string): Promise<void>;
  /**
   * Takes over what the command left. `runHelper` runs a program inside the sandbox and yields its stdout; nothing of the working
   * copy is read here. Undefined when nothing has changed. Repeatable. Throws ResultInvalid, AppError DH-508 and what `runHelper` throws.
   */
  collect(
    result: ResultSpec,
    runHelper: (helper: Helper) => AsyncIterable<Uint8Array>,
    signal?: AbortSignal,
  ): Promise<ImportedResult | undefined>;
  /** What lies between two commits of the project's mirror. */
  difference(project: string, from: string, to: string, signal?: AbortSignal): Promise<Difference>;
  /** What CODEOWNERS of a commit of the project's mirror says about these files; see code-owners.ts. */
  ownership(
    project: string,
    base: string,
    files: readonly Pick<FileStat, 'path' | 'from'>[],
    signal?: AbortSignal,
  ): Promise<Ownership>;
  /** What commits between two of the project's mirror have of secrets; see history-secrets.ts. */
  secretsInHistory(
    project: string,
    range: { from: string; to: string; known: readonly string[] },
    signal?: AbortSignal,
  ): Promise<string[] | undefined>;
  /** The tree of a commit of the project's mirror. */
  treeOf(project: string, commit: string): Promise<string>;
  /**
   * Fetches the project's repository and tells where the branch that a task began at is now; the mirror keeps that commit for the task.
   * Throws AppError DH-50x, DH-513.
   */
  newestBase(task: Pick<CopySpec, 'task' | 'project' | 'base'>, signal?: AbortSignal): Promise<Base>;
  /** What `newestBase` told last; undefined: it was not asked. */
  knownBase(task: Pick<CopySpec, 'task' | 'project' | 'base'>): Promise<Base | undefined>;
  /** Puts the change of a task, from `base` to `head`, on `onto`; the mirror keeps what comes of it for the task. Throws AppError DH-509, DH-508. */
  rebase(change: RebaseChange, signal?: AbortSignal): Promise<Rebased>;
  /** Undoes upon `onto` what a pull request was merged as; the mirror keeps what comes of it for the task. Throws AppError DH-511, DH-508. */
  revert(change: RevertChange, signal?: AbortSignal): Promise<Reverted>;
  /** Whether a commit of the project's mirror is another or comes before it. */
  precedes(project: string, commit: string, later: string): Promise<boolean>;
  /** Pushes commits of the mirrors. */
  readonly publishing: Publishing;
  /** Projects of which a mirror is here. */
  mirrored(): Promise<string[]>;
  /** Removes the mirror of a project, with all that its tasks have committed; returns the bytes it took. Idempotent. */
  forget(project: string): Promise<number>;
  /** Fetches the project's repository and says how these changes stand to their base; see base-stand.ts. Throws AppError DH-50x, DH-511. */
  lookAtBase(
    project: Project,
    changes: readonly OpenChange[],
    signal?: AbortSignal,
  ): Promise<{ task: string; stand: BaseStand }[]>;
  /** What tasks have in the mirrors. */
  readonly keeping: MirrorKeeping;
  /** Runs of which something is left on the host, for the reaper. */
  list(): Promise<string[]>;
  /** Where the working copy of a run is made. */
  copyPath(run: string): string;
}

export interface CopySpec {
  run: string;
  task: string;
  project: Project;
  branch: string;
  base: Base;
  head: string | null;
  /** Where the branch of the base is now: in the copy it is `origin/<branch>`. Undefined: that is `base`. */
  newest?: Base | undefined;
}

export interface ResultSpec {
  run: string;
  task: string;
  project: string;
  parent: string;
  message: string;
}

export interface RebaseChange {
  task: string;
  project: Project;
  base: Base;
  head: string;
  onto: Base;
  message: string;
}

/**
 * `merged`: the commit on the base branch; `head`: the newest of the branch that was merged; `former`: the change of the task until this one is
 * recorded.
 */
export interface RevertChange extends Pick<RebaseChange, 'task' | 'project' | 'onto' | 'head' | 'message'> {
  merged: string;
  former: string | null;
}

export interface WorkspaceDeps extends Omit<MirrorsDeps, 'git'> {
  /** The environment of the process; only what finding programs and the network needs is taken. */
  environment: Readonly<Record<string, string | undefined>>;
  /** With what ssh addresses are reached; what the user has when undefined. */
  ssh?: SshFiles | undefined;
  /** Of the commits Deckhand makes. */
  author?: Author | undefined;
  /** Bytes that are free where a directory is; what the system says when undefined. */
  freeBytes?: ((dir: string) => Promise<number>) | undefined;
  /** Throws when Deckhand keeps more than it may. */
  requireQuota?: (() => void) | undefined;
}

const megabyte = 1_000_000;
/** Below this `doctor` says that it fails, too. */
const floorBytes = 200 * megabyte;

const defaultAuthor: Author = { name: 'Deckhand', email: 'deckhand@localhost' };

export function createWorkspace(deps: WorkspaceDeps): Workspace {
  const git = createGit(deps.environment, deps.ssh);
  const mirrors = createMirrors({ ...deps, git });
  const copies = createWorkingCopies({ dataDir: deps.dataDir, git });
  const author = deps.author ?? defaultAuthor;
  const freeBytes = deps.freeBytes ?? freeOf;

  /** Refuses what would need room while there is next to none: what runs already must still be able to end. Throws DH-513, DH-518. */
  async function requireRoom(): Promise<void> {
    const free = await freeBytes(deps.dataDir);
    if (free < floorBytes) throw new AppError('DH-513', { free: Math.floor(free / megabyte), floor: floorBytes / megabyte });
    deps.requireQuota?.();
  }

  /** Keeps the commits of a task in the mirror, whatever becomes of the project's branches. */
  async function keep({ project, task, base, head }: CopySpec, signal: AbortSignal | undefined): Promise<void> {
    const mark = () =>
      mirrors.exclusively(
        project.id,
        async () => {
          await mirrors.setRef(project.id, taskRef(task, 'base'), base.commit, signal);
          if (head !== null) await mirrors.setRef(project.id, taskRef(task, 'head'), head, signal);
        },
        signal,
      );
    try {
      await mark();
    } catch (error) {
      if (!(error instanceof GitFailed)) throw error;
      // Refused where a commit is not there.
      if (!(await mirrors.has(project.id, base.commit))) {
        await mirrors.fetch(project, signal);
        if (!(await mirrors.has(project.id, base.commit))) throw missing(base.commit, 'the base of the task');
      }
      if (head !== null && !(await given(project, head, signal))) throw missing(head, 'what an earlier run of the task left');
      await mark();
    }
  }

  /** Whether the mirror has a commit, or the repository gives it out: what was pushed is there, on whichever machine it was made. */
  async function given(project: Project, commit: string, signal: AbortSignal | undefined): Promise<boolean> {
    if (await mirrors.has(project.id, commit)) return true;
    await mirrors.fetch(project, signal);
    return await mirrors.obtain(project, commit, signal);
  }

  /**
   * What was made of commits alone is the newest that the task has. It does not descend from what the task had until then, which is kept
   * too: the run may end before it is recorded, and the former change is the one that people decide about then.
   */
  async function keepHead(
    { task, project }: Pick<RebaseChange, 'task' | 'project'>,
    commit: string,
    former: string | null,
    signal: AbortSignal | undefined,
  ): Promise<void> {
    const isThere = former !== null && (await mirrors.has(project.id, former));
    const mark = async () => {
      if (isThere) await mirrors.setRef(project.id, taskRef(task, 'former'), former, signal);
      await mirrors.setRef(project.id, taskRef(task, 'head'), commit, signal);
    };
    await mirrors.exclusively(project.id, mark, signal);
  }

  return {
    async sync(project, signal) {
      const state = await mirrors.fetch(project, signal);
      const base = baseOf(project, state);
      return { defaultBranch: state.defaultBranch ?? base.branch, head: base.commit };
    },
    async resolveBase(project, signal) {
      await requireRoom();
      return baseOf(project, await mirrors.fetch(project, signal));
    },
    async prepare(copy, signal) {
      await requireRoom();
      try {
        await keep(copy, signal);
        const { run, branch, base, head, project } = copy;
        const mirror = mirrors.path(project.id);
        const upstream = copy.newest ?? base;
        await copies.make({ run, mirror, branch, start: head ?? base.commit, base: upstream, author }, signal);
      } catch (error) {
        throw checkoutError(error, copy.head ?? copy.base.commit);
      }
    },
    guidance: (project, commit, signal) => guidanceIn(git, mirrors.path(project), commit, signal),
    fillHome: (run, files, given) => fillHome(copies.path(run), files, given),
    pack: (run) => packDirectory(copies.path(run)),
    async discard(run) {
      await copies.remove(run);
      await rm(join(incomingFolder(deps.dataDir), run), { recursive: true, force: true });
    },
    async collect(result, runHelper, signal) {
      const { parent, message } = result;
      const bundle = runHelper(collectHelper({ parent, message, author }));
      return await importResult({ git, mirrors, dataDir: deps.dataDir }, { ...result, author }, bundle, signal);
    },
    difference: (project, from, to, signal) => difference(git, mirrors.path(project), from, to, signal),
    ownership: (project, base, files, signal) => ownershipOf(git, mirrors.path(project), { base, files }, signal),
    secretsInHistory: (project, range, signal) => secretsInHistory(git, mirrors.path(project), range, signal),
    async treeOf(project, commit) {
      const tree = await treeOf(git, mirrors.path(project), commit);
      if (tree === undefined) throw missing(commit, 'what the run left');
      return tree;
    },
    async newestBase({ task, project, base }, signal) {
      await requireRoom();
      const baseBranch = base.branch === 'HEAD' ? null : base.branch;
      const newest = baseOf({ ...project, baseBranch }, await mirrors.fetch(project, signal));
      const mark = () => mirrors.setRef(project.id, taskRef(task, 'onto'), newest.commit, signal);
      await mirrors.exclusively(project.id, mark, signal);
      return newest;
    },
    async knownBase({ task, project, base }) {
      const commit = await commitAt(git, mirrors.path(project.id), taskRef(task, 'onto'));
      return commit === undefined ? undefined : { branch: base.branch, commit };
    },
    async rebase({ task, project, base, head, onto, message }, signal) {
      try {
        for (const commit of [base.commit, head]) {
          if (!(await given(project, commit, signal))) throw missing(commit, 'what the task has changed');
        }
        const spec = { base: base.commit, head, onto: onto.commit, message, committer: author };
        const rebased = await rebaseChange(git, mirrors.path(project.id), spec, signal);
        if (rebased.how === 'moved') await keepHead({ task, project }, rebased.commit, head, signal);
        return rebased;
      } catch (error) {
        throw mergeError(error, signal);
      }
    },
    async revert({ task, project, merged, head, onto, message, former }, signal) {
      try {
        const mirror = mirrors.path(project.id);
        const there = await mirrors.has(project.id, merged);
        if (there && (await needsHead(git, mirror, merged, signal)) && !(await mirrors.obtain(project, head, signal))) {
          return { how: 'unclear' };
        }
        const spec = { merged, head, onto: onto.commit, message, committer: author };
        const reverted = there ? await revertMerge(git, mirror, spec, signal) : { how: 'gone' as const };
        if (reverted.how === 'made') await keepHead({ task, project }, reverted.commit, former, signal);
        return reverted;
      } catch (error) {
        throw mergeError(error, signal);
      }
    },
    precedes: (project, commit, later) => isAncestor(git, commit, later, { repository: mirrors.path(project) }),
    publishing: createPublishing({ git, mirrors }),
    lookAtBase: (project, changes, signal) => lookAtBase({ git, mirrors, author }, project, changes, signal),
    keeping: createMirrorKeeping({ git, mirrors }),
    mirrored: () => mirrors.list(),
    forget: (project) => mirrors.remove(project),
    async list() {
      const incoming = await readdir(incomingFolder(deps.dataDir)).catch(() => []);
      return [...new Set([...(await copies.list()), ...incoming])];
    },
    copyPath: (run) => copies.path(run),
  };
}

async function commitAt(git: Git, repository: string, ref: string): Promise<string | undefined> {
  try {
    return await git.text(['rev-parse', '--quiet', '--verify', `${ref}^{commit}`], { repository });
  } catch (error) {
    if (error instanceof GitFailed && error.reason === 'exit') return undefined;
    throw error;
  }
}

function mergeError(error: unknown, signal: AbortSignal | undefined): unknown {
  signal?.throwIfAborted();
  if (error instanceof GitFailed && error.exitCode === usageExit) return new AppError('DH-511');
  return machineError(error);
}

/** How git ends that does not know what it is asked to do. */
const usageExit = 129;

async function freeOf(dir: string): Promise<number> {
  await mkdir(dir, { recursive: true, mode: 0o700 });
  const { bavail, bsize } = await statfs(dir);
  return bavail * bsize;
}

function missing(commit: string, what: string): AppError {
  return new AppError('DH-509', { commit: commit.slice(0, 12), what });
}
