import { describeError } from '../src/contracts/errors.ts';
import type { RunResult } from '../src/contracts/run-event.ts';
import { revertMessage } from './commit-message.ts';
import type { Journey } from './run-journey.ts';
import type { Base } from './run-prepare.ts';
import { beginEnd, endOf, fetchBase, placeOf, toldConflicts } from './run-rebase.ts';
import { describeChanges } from './run-results.ts';

/**
 * The whole of a run that undoes a merged pull request of its task, on the newest commit of the branch it was merged into: no sandbox, no command,
 * no working tree. What comes of it is the change of the task from then on, on a branch of its own. Repeatable like a rebase. Throws AppError
 * DH-50x and LetGo.
 */
export async function revertRun(journey: Journey, { commit: begun }: Base): Promise<RunResult> {
  const { deps, spec, left, stop } = journey;
  const { task, project, branch, reverts } = spec;
  const since = deps.clock.now();
  if (reverts === undefined) throw new Error(`${spec.run} has nothing to revert`);
  const { repository, number, base, merged, head } = reverts;
  const onto = await fetchBase(journey, { branch: base, commit: begun });
  const change = { task, project, merged, head, onto, message: revertMessage(reverts, spec), former: spec.head };
  const reverted = await deps.workspace.revert(change, AbortSignal.any([left, stop]));
  await beginEnd(journey);

  const pull = `${repository}#${number}`;
  const place = placeOf(onto);
  const short = merged.slice(0, 7);
  const end = endOf(journey, since);
  switch (reverted.how) {
    case 'conflict': {
      const { text, remedy } = describeError('DH-514', { pull, place, commit: short });
      const conflicts = toldConflicts(journey, reverted.files);
      return end({ outcome: 'failed', cause: 'conflict', message: `${text} ${remedy} DH-514`, conflicts });
    }
    case 'gone':
      return end({ outcome: 'failed', message: `${pull} was merged as ${short}, which is not a part of ${place} any more.` });
    case 'unclear': {
      const message = `Which commits of ${base} came with ${pull} cannot be told: the commits of its branch are gone. It can be reverted at the code host.`;
      return end({ outcome: 'failed', message });
    }
    case 'empty':
      return end({ outcome: 'succeeded', message: `Nothing of ${pull} is left in ${place}, so there is nothing to undo.` });
    case 'made': {
      await journey.stage('results', 'comparing the change with the newest base');
      const made = await describeChanges(journey, { commit: reverted.commit, joined: false }, onto.commit);
      await journey.at('artifacts_kept');
      return end({ outcome: 'succeeded', message: `Undoes ${pull} on ${place}.`, base: onto, branch }, made);
    }
  }
}
