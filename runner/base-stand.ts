import type { BaseStand, OpenChange } from '../src/contracts/base-look.ts';
import { AppError } from '../src/contracts/errors.ts';
import { type Git, GitFailed } from './git.ts';
import type { Mirrors, Project } from './mirror.ts';
import { rebaseChange } from './rebase.ts';
import type { Author } from './working-copy.ts';

/** More files of a conflict are not told. */
const mostFiles = 50;
/** How git ends that does not know what it is asked to do. */
const usageExit = 129;

/**
 * Fetches a project's repository and says of each change how it stands to the newest commit of its base branch. Left out are changes that were
 * looked at already against that commit, and those whose branch or commits are gone. Nothing but objects that nobody refers to is written.
 * Throws AppError DH-50x, DH-511.
 */
export async function lookAtBase(
  deps: { git: Git; mirrors: Mirrors; author: Author },
  project: Project,
  changes: readonly OpenChange[],
  signal?: AbortSignal,
): Promise<{ task: string; stand: BaseStand }[]> {
  const { git, mirrors, author } = deps;
  const { branches } = await mirrors.fetch(project, signal);
  const found: { task: string; stand: BaseStand }[] = [];
  for (const { task, base, head, stand } of changes) {
    const commit = branches.get(base.branch);
    if (commit === undefined || commit === (stand?.onto.commit ?? base.commit)) continue;
    if (!(await mirrors.has(project.id, head)) || !(await mirrors.has(project.id, base.commit))) continue;
    const onto = { branch: base.branch, commit };
    const spec = { base: base.commit, head, onto: commit, message: 'Would it fit?', committer: author };
    try {
      const rebased = await rebaseChange(git, mirrors.path(project.id), spec, signal);
      found.push({ task, stand: standFrom(rebased, head, onto) });
    } catch (error) {
      signal?.throwIfAborted();
      if (error instanceof GitFailed && error.exitCode === usageExit) throw new AppError('DH-511');
      throw error;
    }
  }
  return found;
}

function standFrom(rebased: Awaited<ReturnType<typeof rebaseChange>>, head: string, onto: BaseStand['onto']): BaseStand {
  switch (rebased.how) {
    case 'same':
    case 'moved':
      return { head, onto, state: 'fits' };
    case 'empty':
      return { head, onto, state: 'merged' };
    case 'conflict':
      return { head, onto, state: 'conflict', files: rebased.files.slice(0, mostFiles) };
  }
}
