import { runsNothing } from '../src/contracts/rebase.ts';
import type { RunControl } from '../src/contracts/run-control.ts';
import type { RunResult } from '../src/contracts/run-event.ts';
import { traceAlso, traced } from '../src/runtime/trace.ts';
import { accountError, withAccount } from './agent-account.ts';
import type { TurnEnd } from './harness/port.ts';
import type { OutputLog } from './output-log.ts';
import { patientCalls, patiently } from './patience.ts';
import { checkRun, endCheck } from './run-check.ts';
import { executeRun, openLog } from './run-execute.ts';
import { type HarnessRun, harnessRunOf } from './run-harness.ts';
import { createJourney, type Journey, type JourneyDeps, LetGo } from './run-journey.ts';
import { endingOfError, endingOfTurn, stoppedBeforeStart } from './run-outcome.ts';
import { type Base, prepareRun } from './run-prepare.ts';
import { rebaseRun } from './run-rebase.ts';
import { collectRun, resultWithout, takeChanges } from './run-results.ts';
import { revertRun } from './run-revert.ts';

/**
 * The life of a run on this machine:
 *
 *     claim -> repository -> base pinned -> working copy -> sandbox -> last check        preparing   may be done again
 *           -> executing recorded -> command started -> output stored -> command ended   executing   continued where it stands
 *           -> finishing recorded -> changes taken over -> files kept                    finishing   may be done again
 *           -> check of the project, in a sandbox of its own                             finishing   continued where it stands
 *           -> finish (exactly once) -> sandbox and working copy removed
 *
 * Whichever step fails, one `finish` with a sentence for people and a cause ends the run; unless the run is not this runner's any
 * more, waits for a decision, or the runner leaves (`detach`): then it is let go of as it stands, and the command runs on.
 *
 * True: it waits for a decision now. One that came while its sandbox was being removed has asked the queue for a life that was still
 * there, so the caller looks once more.
 */
export async function liveRun(deps: JourneyDeps & { control: RunControl }, run: string, detach: AbortSignal): Promise<boolean> {
  const onError = (error: unknown, call: string) =>
    deps.logger.warn({ run, call, err: error }, 'a call to the database failed, it is made again');
  const over = new AbortController();
  let left = detach;
  try {
    const claimed = await patientCalls(deps, detach, onError).claim(run, deps.runner);
    if (!claimed.ok) {
      deps.logger.info({ run, reason: claimed.reason }, 'not claimed');
      return false;
    }
    const watched = deps.control.watch(run, deps.runner, over.signal);
    left = AbortSignal.any([detach, whenReason(watched, 'lost')]);
    await deps.at('claimed', run);
    // The watch looks a moment later; what the claim knows already must not be missed in between.
    const stop = claimed.spec.stopRequested === true ? AbortSignal.abort('stop') : whenReason(watched, 'stop');
    const signals = { stop, left };
    const own = await withAccount(deps, claimed.spec, left);
    const journey = createJourney(own.deps, own.spec, patientCalls(deps, left, onError), signals);
    const { task, attempt, resume, agent, traceparent } = own.spec;
    const about = { run, task, attempt, worker: agent?.settings.agent ?? 'shell', resumed: resume !== null };
    return !(await traced('run', about, () => travel(journey), { from: traceparent ?? null, kind: 'takes' }));
  } catch (error) {
    if (!(error instanceof LetGo) && !left.aborted) throw error;
    deps.logger.info({ run, why: error instanceof LetGo ? error.message : String(left.reason) }, 'let go');
    return false;
  } finally {
    over.abort();
  }
}

/** False: it has not ended. */
async function travel(journey: Journey): Promise<boolean> {
  const { deps, spec, calls } = journey;
  const harness = harnessRunOf(journey);
  const result = await resultOf(journey, harness).finally(() => harness.close(false));
  if (result === undefined) return false;
  // Refused: somebody else has ended or taken the run. The sandbox may be theirs now; the reaper knows.
  if (!(await calls.finish(spec.run, deps.runner, result))) throw new LetGo(`${spec.run} was ended elsewhere`);
  traceAlso({ outcome: result.outcome, ...(result.cause === undefined ? {} : { cause: result.cause }) });
  deps.logger.info({ run: spec.run, outcome: result.outcome, cause: result.cause }, 'finished');
  await journey.at('finished');
  await cleanUp(journey, harness);
  await journey.at('destroyed');
  return true;
}

async function cleanUp(journey: Journey, harness: HarnessRun): Promise<void> {
  const { deps, spec, place } = journey;
  try {
    await harness.close(true);
    await deps.workspace.discard(spec.run);
    await place.sandbox.destroy(spec.run);
    await endCheck(journey);
  } catch (error) {
    deps.logger.warn({ run: spec.run, err: error }, 'clean-up left to the reaper');
  }
}

/** How the run ends; undefined when it does not end here. */
async function resultOf(journey: Journey, harness: HarnessRun): Promise<RunResult | undefined> {
  const { deps, spec, left, stop, calls } = journey;
  const since = spec.resume?.startedAt ?? deps.clock.now();
  let { base } = spec;
  let phase = spec.resume?.phase ?? 'preparing';
  let log: OutputLog | undefined;
  try {
    if (runsNothing(spec.rebase) && base !== null) {
      const result = spec.rebase === 'revert' ? await revertRun(journey, base) : await rebaseRun(journey, base);
      return await checkRun(journey, harness.expects, result.base ?? base, result);
    }
    if (phase === 'preparing') {
      base = (await traced('prepare run', {}, () => prepareRun(journey, harness))) ?? null;
      if (base === null) return undefined;
      phase = 'executing';
    }
    if (base === null) throw new Error(`${spec.run} has started without a base`);
    log = await openLog(journey);
    const output = log;
    const execution = await traced('execute run', {}, () => executeRun(journey, harness, output));
    if ('notStarted' in execution) return await resultWithout(journey, execution.notStarted, since, log);
    const { ended, turn } = execution;
    if (turn.end === 'parked') {
      await parkRun(journey, harness, turn, base);
      return undefined;
    }
    if (phase !== 'finishing' && !(await calls.finishing(spec.run, deps.runner)))
      throw new LetGo(`${spec.run} is not held any more`);
    phase = 'finishing';
    await journey.at('finishing_recorded');
    await journey.stage('results', 'collecting the changes');
    await harness.keepSession(turn);
    const how = endingOfTurn(turn, ended, journey.limits);
    const shown = await harness.keepFiles();
    const from = base;
    const result = await traced('collect changes', {}, () => collectRun(journey, from, { ended, how, shown }, output));
    return await checkRun(journey, harness.expects, base, result);
  } catch (error) {
    left.throwIfAborted();
    if (error instanceof LetGo) throw error;
    if (phase === 'preparing' && stop.aborted) return await resultWithout(journey, stoppedBeforeStart, since, undefined);
    deps.logger.warn({ run: spec.run, phase, err: error }, 'run failed');
    return await resultWithout(journey, endingOfError(accountError(error, deps.agents?.account), spec.run), since, log);
  } finally {
    await log?.release();
  }
}

/** Keeps all that the turn needs to go on after its decision, and lets go of the run: it holds no place and no sandbox meanwhile. */
async function parkRun(journey: Journey, harness: HarnessRun, turn: TurnEnd, base: Base): Promise<void> {
  const { deps, spec, left } = journey;
  const session = await harness.keepSession(turn);
  const { commit } = await takeChanges(journey, base);
  const saved = { session, head: commit ?? spec.head };
  const control = deps.agents?.control;
  const released = await patiently(async () => await control?.release(spec.run, deps.runner, saved), {
    passes: () => true,
    signal: left,
  });
  if (released !== true) throw new LetGo(`${spec.run} is not held any more`);
  deps.logger.info({ run: spec.run }, 'parked until it is decided');
  await cleanUp(journey, harness);
}

/** Aborts when `watched` does for this reason. */
function whenReason(watched: AbortSignal, reason: 'stop' | 'lost'): AbortSignal {
  const split = new AbortController();
  const look = () => {
    if (watched.aborted && watched.reason === reason) split.abort(reason);
  };
  look();
  watched.addEventListener('abort', look, { once: true });
  return split.signal;
}
