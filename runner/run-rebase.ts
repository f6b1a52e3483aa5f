import type { RunResult } from '../src/contracts/run-event.ts';
import { createRedactor } from '../src/runtime/redact-patterns.ts';
import { commitMessage } from './commit-message.ts';
import { parseSource } from './git-source.ts';
import { type Journey, LetGo } from './run-journey.ts';
import type { Base } from './run-prepare.ts';
import { describeChanges, type Left } from './run-results.ts';

/** Of files that conflict so many are told. */
const mostConflicts = 50;

export type EndOf = (how: Pick<RunResult, 'outcome' | 'message'> & Partial<RunResult>, made?: Left) => RunResult;

/** Fetches the branch that a change is to be put on. A run that had come to its check stays where it is: the check is about that. */
export async function fetchBase(journey: Journey, base: Base): Promise<Base> {
  const { deps, spec, left, stop } = journey;
  const { source } = spec.project;
  await journey.stage('repository', `fetching ${source.kind === 'git' ? parseSource(source).address : source.path}`);
  const { task, project } = spec;
  const change = { task, project, base };
  const known = spec.resume?.phase === 'finishing' ? await deps.workspace.knownBase(change) : undefined;
  const onto = known ?? (await deps.workspace.newestBase(change, AbortSignal.any([left, stop])));
  await journey.stage('workspace', `making the change anew on ${placeOf(onto)}`);
  await journey.at('rebase_fetched');
  return onto;
}

/** What was made of commits alone is about to become the result of the run. Throws LetGo. */
export async function beginEnd({ deps, spec, calls, at }: Journey): Promise<void> {
  await at('rebase_made');
  if (!(await calls.finishing(spec.run, deps.runner))) throw new LetGo(`${spec.run} is not held any more`);
  await at('rebase_recorded');
}

/** Results of a run that began at `since`. */
export function endOf({ deps }: Journey, since: Date): EndOf {
  return (how, made) => ({
    durationMs: Math.max(1, deps.clock.now().getTime() - since.getTime()),
    files: [],
    artifacts: [],
    ...made,
    ...how,
  });
}

/** As people are told of files that conflict. */
export function toldConflicts({ deps }: Journey, files: readonly string[]): string[] {
  return files.slice(0, mostConflicts).map(createRedactor(deps.secrets));
}

/** `main@3f9c2e1` */
export function placeOf({ branch, commit }: Base): string {
  return `${branch}@${commit.slice(0, 7)}`;
}

/**
 * The whole of a run that puts the change of its task on the newest commit of the base branch: no sandbox, no command, no working tree. Repeatable
 * from its beginning: until the run is finished nothing but an object that nobody names has come of it. Throws AppError DH-50x and LetGo.
 */
export async function rebaseRun(journey: Journey, base: Base): Promise<RunResult> {
  const { deps, spec, left, stop } = journey;
  const { task, project, head } = spec;
  const since = deps.clock.now();
  if (head === null) throw new Error(`${spec.run} has no change to rebase`);
  const onto = await fetchBase(journey, base);
  const change = { task, project, base, head, onto, message: messageOf(journey) };
  const rebased = await deps.workspace.rebase(change, AbortSignal.any([left, stop]));
  await beginEnd(journey);

  const place = placeOf(onto);
  const end = endOf(journey, since);
  if (rebased.how === 'conflict') {
    const message = `The change conflicts with ${place}, which is the newest base.`;
    return end({ outcome: 'failed', cause: 'conflict', message, conflicts: toldConflicts(journey, rebased.files) });
  }
  if (rebased.how === 'empty') {
    return end({ outcome: 'succeeded', message: `All of the change is in ${place} already, so nothing is left of it.` });
  }
  await journey.stage('results', 'comparing the change with the newest base');
  const commit = rebased.how === 'same' ? head : rebased.commit;
  const made = await describeChanges(journey, { commit, joined: false }, onto.commit);
  await journey.at('artifacts_kept');
  const joined = rebased.how === 'moved' && rebased.joined ? ' Its commits became one.' : '';
  const message =
    rebased.how === 'same'
      ? `The change has ${place} already, which is the newest base.`
      : `The change is on ${place} now.${joined}`;
  return end({ outcome: 'succeeded', message, base: onto }, made);
}

function messageOf({ deps, spec }: Journey): string {
  const { title, taskNumber, attempt, requester, command } = spec;
  return commitMessage({ title, taskNumber, attempt, what: createRedactor(deps.secrets)(command), requester });
}
