import { risksOf } from '../src/changes/risks.ts';
import type { Ownership } from '../src/contracts/approvers.ts';
import { type ArtifactRef, type FileStat, type RunResult, totalsOf } from '../src/contracts/run-event.ts';
import { createRedactor } from '../src/runtime/redact-patterns.ts';
import { commitMessage } from './commit-message.ts';
import { parseSource } from './git-source.ts';
import { type ImportedResult, keptUnder } from './import-result.ts';
import type { OutputLog } from './output-log.ts';
import { maxPatchBytes } from './patch.ts';
import { redactPatch } from './redact-patch.ts';
import type { Journey } from './run-journey.ts';
import { type Ending, endingOfError, size } from './run-outcome.ts';
import type { Base } from './run-prepare.ts';
import { SandboxGone, type SandboxResult } from './sandbox/port.ts';

/** What is left of a run besides how it ended. */
export type Left = Pick<
  RunResult,
  'base' | 'commit' | 'tree' | 'repository' | 'files' | 'totals' | 'risks' | 'ownership' | 'artifacts'
>;

/**
 * From the end of the command to the result of the run: commits what it changed, keeps patch and log. Repeatable. Whatever goes wrong
 * with the changes ends in a result too: an error of its own where the command had succeeded, else a note beside the command's.
 */
export async function collectRun(
  journey: Journey,
  base: Base,
  { ended, how, shown }: { ended: SandboxResult; how: Ending; shown: readonly ArtifactRef[] },
  log: OutputLog,
): Promise<RunResult> {
  let ending = how;
  let left: Left = { files: [], artifacts: [] };
  let uncollected = false;
  try {
    left = await takeChanges(journey, base);
    if (journey.spec.rebase === 'resolve' && left.base === undefined) {
      await journey.note('warning', `The newest ${base.branch} is not merged: what it has is not in the change.`);
    }
  } catch (error) {
    journey.left.throwIfAborted();
    uncollected = true;
    const failure = endingOfError(error, journey.spec.run);
    journey.deps.logger.warn({ run: journey.spec.run, err: error }, 'changes not taken over');
    if (ending.outcome === 'succeeded' || error instanceof SandboxGone) ending = failure;
    else await journey.note('warning', failure.message);
  }
  if (ended.oomKilled && ended.cause !== 'memory_limit') {
    await journey.note('warning', 'A process of the command was killed for want of memory; the command went on without it.');
  }
  if (ended.pidsRefused === true) {
    const most = journey.limits.pids;
    await journey.note(
      'warning',
      `The command reached the limit of ${most} processes and threads at once; further ones could not start.`,
    );
  }
  const kept = await keepLog(journey, log);
  await journey.at('artifacts_kept');
  return {
    ...ending,
    exitCode: ended.exitCode,
    ...(ended.signal === undefined ? {} : { signal: ended.signal }),
    // 0 says that it did not run at all.
    durationMs: Math.max(1, ended.durationMs),
    ...(ended.peakMemoryBytes === undefined ? {} : { peakMemoryBytes: ended.peakMemoryBytes }),
    ...(uncollected ? { uncollected: true as const } : {}),
    ...left,
    artifacts: [...shown, ...left.artifacts, ...kept],
  };
}

/** The result of a run whose command did not come to an end of its own. */
export async function resultWithout(
  journey: Journey,
  ending: Ending,
  since: Date,
  log: OutputLog | undefined,
): Promise<RunResult> {
  const artifacts = log === undefined ? [] : await keepLog(journey, log);
  return { ...ending, durationMs: Math.max(0, journey.deps.clock.now().getTime() - since.getTime()), files: [], artifacts };
}

/** Takes what the working copy holds over into the mirror, as commits on the branch of the task. Repeatable. */
export async function takeChanges(journey: Journey, base: Base): Promise<Left> {
  const { deps, spec, place, left } = journey;
  const { run } = spec;
  const parent = spec.head ?? base.commit;
  // It is pushed with the branch one day.
  const what = createRedactor(deps.secrets)(spec.agent?.prompt ?? spec.command);
  const { subject, title, taskNumber, attempt, requester } = spec;
  const message = commitMessage({ title, subject, taskNumber, attempt, what, requester });
  const result = { run, task: keptUnder(spec), project: spec.project.id, parent, message };
  const imported = await journey.withSandbox(
    () => deps.workspace.collect(result, (helper) => place.sandbox.collect(run, helper, left), left),
    left,
  );
  await journey.at('result_imported');
  if (imported === undefined) return { files: [], artifacts: [] };
  const newer = spec.rebase === 'resolve' ? await mergedBase(journey, base, imported.commit) : undefined;
  const described = await describeChanges(journey, imported, (newer ?? base).commit);
  return newer === undefined ? described : { ...described, base: newer };
}

/** The newest base that the agent was given, when it has merged that: its change begins there then. */
async function mergedBase({ deps, spec }: Journey, base: Base, commit: string): Promise<Base | undefined> {
  const newest = await deps.workspace.knownBase({ task: spec.task, project: spec.project, base });
  if (newest === undefined || !(await deps.workspace.precedes(spec.project.id, newest.commit, commit))) return undefined;
  return newest;
}

/** What lies between the base and a commit of the mirror, with its files kept. Repeatable. */
export async function describeChanges(journey: Journey, { commit, joined }: ImportedResult, base: string): Promise<Left> {
  const { deps, spec, calls, left } = journey;
  if (joined) {
    await journey.note('warning', 'The command replaced the history of the branch; its files were taken over as one commit.');
  }
  const difference = await deps.workspace.difference(spec.project.id, base, commit, left);
  const redact = createRedactor(deps.secrets);
  const { totals } = difference;
  const files = difference.files.map((file) => withNames(file, redact));
  const clean = difference.patch === undefined ? undefined : redactPatch(difference.patch, deps.secrets);
  const earlierSecrets = await deps.workspace.secretsInHistory(
    spec.project.id,
    { from: base, to: commit, known: deps.secrets },
    left,
  );
  if (earlierSecrets === undefined) {
    await journey.note('warning', 'The commits of the change are too large to be looked through for secrets.');
  }
  const facts = { links: difference.links, secrets: clean?.secrets ?? [], earlierSecrets };
  const risks = risksOf(difference.all, facts).map((risk) => ({ ...risk, paths: risk.paths.map(redact) }));
  const ownership = await deps.workspace.ownership(spec.project.id, base, difference.all, left);
  const tree = await deps.workspace.treeOf(spec.project.id, commit);
  const repository = deps.repositoryAt?.(parseSource(spec.project.source).address);
  const changed = {
    commit,
    tree,
    ...(repository === undefined ? {} : { repository }),
    files,
    ...(totals === undefined ? {} : { totals }),
    ...(risks.length === 0 ? {} : { risks }),
    ownership: withRedactedNames(ownership, redact),
  };
  if (clean === undefined) {
    await journey.note('warning', `The patch is larger than ${size(maxPatchBytes)} and is not kept; the branch has all changes.`);
    return { ...changed, artifacts: [] };
  }
  const { patch } = clean;
  if (patch !== difference.patch) {
    await journey.note('warning', 'The patch contained secrets; they are blanked out in the file. The branch has them.');
  }
  if (patch.length === 0) return { ...changed, artifacts: [] };
  await deps.artifacts.writePatch(spec.run, patch);
  const kept = await calls.recordArtifact(spec, 'patch', fileName(journey, 'patch'), patch.length);
  return { ...changed, artifacts: [kept, ...(await keepPicture(journey, patch, totalsOf({ files, totals })))] };
}

/** A name can hold a secret too. */
function withNames(file: FileStat, redact: (text: string) => string): FileStat {
  return { ...file, path: redact(file.path), ...(file.from === undefined ? {} : { from: redact(file.from) }) };
}

function withRedactedNames(ownership: Ownership, redact: (text: string) => string): Ownership {
  if (ownership.state !== 'read') return ownership;
  return { ...ownership, owned: ownership.owned.map((one) => ({ ...one, paths: one.paths.map(redact) })) };
}

/** A picture is a convenience: without one there is a note. */
async function keepPicture(journey: Journey, patch: Buffer, totals: NonNullable<RunResult['totals']>): Promise<ArtifactRef[]> {
  const { deps, spec, calls, left } = journey;
  if (deps.draw === undefined) return [];
  try {
    const title = `#${spec.taskNumber} ${createRedactor(deps.secrets)(spec.title)}`;
    const picture = await deps.draw({ patch, title, totals }, { signal: left });
    if (picture === undefined) return [];
    await deps.artifacts.writePicture(spec.run, picture);
    return [await calls.recordArtifact(spec, 'picture', 'diff.png', picture.length)];
  } catch (error) {
    left.throwIfAborted();
    deps.logger.warn({ run: spec.run, err: error }, 'no picture of the patch');
    await journey.note('info', 'There is no picture of the changes: drawing it failed.');
    return [];
  }
}

async function keepLog(journey: Journey, log: OutputLog): Promise<ArtifactRef[]> {
  const { deps, spec, calls, left } = journey;
  try {
    const bytes = await log.close();
    return bytes === 0 ? [] : [await calls.recordArtifact(spec, 'log', fileName(journey, 'log'), bytes)];
  } catch (error) {
    left.throwIfAborted();
    deps.logger.error({ run: spec.run, err: error }, 'output log not kept');
    await journey.note('warning', 'The file with the whole output could not be written; the output is in the thread.');
    return [];
  }
}

function fileName({ spec }: Journey, ending: 'log' | 'patch'): string {
  return `${spec.taskNumber}${spec.attempt > 1 ? `-${spec.attempt}` : ''}.${ending}`;
}
