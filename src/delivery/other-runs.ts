import type { ProjectedRun } from '../store/card-rows.ts';
import type { Entry } from './projected-run.ts';

/**
 * Runs whose cards change with those of this one. Its first cards take the buttons off what runs before it have shown; and where it has left
 * the change of the task, a later run that has changed nothing shows the pull request of that.
 */
export function otherRuns(
  { run, attempt, newest, newestRun, previous, projectedSeq, change }: ProjectedRun,
  entry: Pick<Entry, 'view' | 'from'> | undefined,
): string[] {
  if (projectedSeq === 0)
    return [...new Set([previous, change?.run])].flatMap((id) => (id === undefined || id === run ? [] : id));
  const isTold = entry?.view.change.pulls.some(({ last }) => last > entry.from) === true;
  return isTold && newest > attempt && change?.run === run ? [newestRun.id] : [];
}
