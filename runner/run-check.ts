import { runsNothing } from '../src/contracts/rebase.ts';
import type { CheckResult, RunResult } from '../src/contracts/run-event.ts';
import { createRedactor } from '../src/runtime/redact-patterns.ts';
import { shell } from './harness/shell.ts';
import { keptUnder } from './import-result.ts';
import { ignoredFilesHelper } from './run-check-files.ts';
import { checkOf } from './run-check-name.ts';
import { keepCheckOutput } from './run-check-output.ts';
import type { HarnessRun } from './run-harness.ts';
import { type Journey, LetGo } from './run-journey.ts';
import { endingOf, endingOfError } from './run-outcome.ts';
import type { Base } from './run-prepare.ts';
import { SandboxGone, type SandboxLimits, type SandboxResult, type SandboxState } from './sandbox/port.ts';

/** A check outlives its time limit by this much before the reaper may take its sandbox. */
const keepMs = 60 * 60_000;
const stoppedWords = 'it was stopped on request';

/**
 * Runs the check of the project over the change that a run has left, when it ended well and left one, and adds to its result how that went. Never
 * fails the run: a check that cannot be run is told as such.
 *
 * It runs in a sandbox of its own, without network, over a working copy of its own: the files of exactly the commit that was taken over, from the
 * mirror, and beside them what git ignores in the working copy of the run (dependencies that were installed there; a run that runs nothing has
 * none). What it writes is thrown away with them, so it cannot become a part of the change. After a crash of the runner it goes on where it
 * stands, like a command.
 */
export async function checkRun(
  journey: Journey,
  expects: HarnessRun['expects'],
  base: Base,
  result: RunResult,
): Promise<RunResult> {
  const { deps, spec, stop, left } = journey;
  const { check } = spec.policy;
  const { commit } = result;
  if (check === undefined || commit === undefined || result.outcome !== 'succeeded') return result;
  const command = createRedactor(deps.secrets)(check.command);
  const notRun = (summary: string): CheckResult => ({ command, outcome: 'not_run', durationMs: 0, summary });
  try {
    await journey.stage('checks', `running ${command}`);
    const limits = { ...journey.limits, timeMs: Math.min(check.timeoutMs, journey.limits.timeMs) };
    const begun = await beginCheck(journey, { expects, base, commit, limits, command: check.command });
    if (!begun) return { ...result, check: notRun(stoppedWords) };
    return { ...result, check: { command, ...(await followCheck(journey, limits)) } };
  } catch (error) {
    left.throwIfAborted();
    if (error instanceof LetGo) throw error;
    if (stop.aborted) return { ...result, check: notRun(stoppedWords) };
    deps.logger.warn({ run: spec.run, err: error }, 'check not run');
    return { ...result, check: notRun(reasonOf(error, spec.run)) };
  }
}

/** Removes what a check has used. Idempotent. */
export async function endCheck({ deps, spec, place }: Journey): Promise<void> {
  if (spec.policy.check === undefined) return;
  await deps.workspace.discard(checkOf(spec.run));
  await place.sandbox.destroy(checkOf(spec.run));
}

interface Checked {
  expects: HarnessRun['expects'];
  base: Base;
  commit: string;
  limits: SandboxLimits;
  command: string;
}

/** Starts the check, unless another life of the runner has. False: a person has stopped the run before. */
async function beginCheck(journey: Journey, { expects, base, commit, limits, command }: Checked): Promise<boolean> {
  const { deps, spec, place, stop, left } = journey;
  const { sandbox } = place;
  const name = checkOf(spec.run);
  const known = await journey.withSandbox(() => stateOf(journey, name), left);
  if (known !== undefined && known !== 'created') return true;
  if (stop.aborted) return false;
  const signal = AbortSignal.any([left, stop]);
  const { run, project, branch } = spec;
  await deps.workspace.prepare({ run: name, task: keptUnder(spec), project, branch, base, head: commit }, signal);
  await journey.withSandbox(
    async () => {
      await sandbox.destroy(name);
      await sandbox.create(
        {
          run: name,
          argv: shell.launch({ command }).argv,
          env: { DECKHAND_TASK: String(spec.taskNumber), DECKHAND_RUN: run },
          image: expects.image,
          ownImage: expects.ownImage,
          limits,
          expiresAt: new Date(deps.clock.now().getTime() + limits.timeMs + keepMs),
        },
        signal,
      );
      await sandbox.copyIn(name, deps.workspace.pack(name), signal);
      if (runsNothing(spec.rebase)) return;
      const ignored = ignoredFilesHelper({ parent: commit, mostBytes: limits.diskBytes });
      await sandbox.copyIn(name, sandbox.collect(run, ignored, signal), signal);
    },
    signal,
    deps.engineWaitMs,
  );
  await deps.workspace.discard(name);
  await journey.at('check_made');
  await journey.withSandbox(() => sandbox.start(name, signal), signal);
  await journey.at('check_started');
  return true;
}

async function stateOf({ place }: Journey, name: string): Promise<SandboxState | undefined> {
  try {
    return (await place.sandbox.status(name)).state;
  } catch (error) {
    if (error instanceof SandboxGone) return undefined;
    throw error;
  }
}

/** From the started check to how it ended. A stop ends it. */
async function followCheck(journey: Journey, limits: SandboxLimits): Promise<Omit<CheckResult, 'command'>> {
  const { deps, spec, place, stop, left } = journey;
  const name = checkOf(spec.run);
  let stopping = Promise.resolve();
  const onStop = () => {
    stopping = journey
      .withSandbox(() => place.sandbox.stop(name, deps.stopGraceMs), left)
      .catch((error: unknown) => {
        if (!left.aborted) deps.logger.error({ run: spec.run, err: error }, 'stop of the check failed');
      });
  };
  if (stop.aborted) onStop();
  else stop.addEventListener('abort', onStop, { once: true });
  try {
    const output = await keepCheckOutput(journey, name);
    const ended = await journey.withSandbox(() => place.sandbox.wait(name, left), left);
    await journey.at('check_ended');
    const { log, end } = output;
    const how = outcomeOf(ended, limits, output.summary);
    return {
      ...how,
      ...(ended.cause === 'exit' ? { exitCode: ended.exitCode } : {}),
      durationMs: Math.max(1, ended.durationMs),
      ...(how.outcome === 'passed' || end.trim() === '' ? {} : { output: end }),
      ...(log === undefined ? {} : { log }),
    };
  } finally {
    stop.removeEventListener('abort', onStop);
    await stopping;
  }
}

/** What the end of its command says of the change. `summary`: what its test runner counts. */
function outcomeOf(
  ended: SandboxResult,
  limits: SandboxLimits,
  summary: string | undefined,
): Pick<CheckResult, 'outcome' | 'summary'> {
  const counted = summary === undefined ? {} : { summary };
  switch (ended.cause) {
    case 'exit':
      return { outcome: ended.exitCode === 0 && ended.signal === undefined ? 'passed' : 'failed', ...counted };
    case 'timed_out':
      return { outcome: 'timed_out', ...counted };
    case 'stopped':
      return { outcome: 'not_run', summary: stoppedWords };
    case 'lost':
      return { outcome: 'not_run', summary: 'it was killed from outside' };
    case 'output_limit':
    case 'memory_limit':
    case 'disk_limit':
      return { outcome: 'failed', summary: clause(endingOf(ended, limits).message.replace(/^The command /, 'it ')) };
  }
}

/** Why there is no check, to follow a colon. */
function reasonOf(error: unknown, run: string): string {
  if (error instanceof SandboxGone) return 'its sandbox does not exist any more';
  const { message } = endingOfError(error, run);
  return clause(
    message.replace(/^The changes of the command could not be taken over/, 'what git ignores could not be brought along'),
  );
}

function clause(sentence: string): string {
  return sentence.replace(/\.$/, '');
}
