import type { Tx } from './database.ts';

/** Keeps with a task that has not begun which issue of the code host it came from, and on which branch it is to begin. */
export async function setOrigin(
  tx: Tx,
  task: string,
  { issue, baseBranch }: { issue?: string | undefined; baseBranch?: string | undefined },
): Promise<void> {
  await tx.db.task.updateMany({
    where: { id: task, baseCommit: null },
    data: { ...(issue === undefined ? {} : { issue }), ...(baseBranch === undefined ? {} : { baseBranch }) },
  });
}

/** A project with the branch that a task is to begin on, while none of its runs has pinned a commit. */
export async function beginningAt<P extends { baseBranch: string | null }>(tx: Tx, task: string, project: P): Promise<P> {
  const row = await tx.db.task.findUnique({ where: { id: task }, select: { baseBranch: true, baseCommit: true } });
  return row === null || row.baseBranch === null || row.baseCommit !== null
    ? project
    : { ...project, baseBranch: row.baseBranch };
}

/** The task whose change a pull request shows; undefined: it is of no task of this workspace. */
export async function taskOfPull(
  tx: Tx,
  workspace: string,
  { repository, number }: { repository: string; number: number },
): Promise<string | undefined> {
  const row = await tx.db.pullRequest.findFirst({
    where: { workspaceId: workspace, number, repository: { equals: repository, mode: 'insensitive' } },
    select: { taskId: true },
    orderBy: { id: 'desc' },
  });
  return row?.taskId;
}
