import type { TurnEnd } from './harness/port.ts';
import { type OutputLog, openOutputLog } from './output-log.ts';
import type { HarnessRun } from './run-harness.ts';
import type { Journey } from './run-journey.ts';
import { type Ending, stoppedBeforeStart } from './run-outcome.ts';
import { SandboxGone, type SandboxResult } from './sandbox/port.ts';

/** How the turn ended, and the sandbox's process. */
export type Execution = { turn: TurnEnd; ended: SandboxResult } | { notStarted: Ending };

/**
 * From the record that the sandbox is about to start to the end of the turn and of the sandbox's process. Starts it unless another life of
 * the runner has: a sandbox starts at most once, so this may be repeated from wherever it was interrupted. All that the harness had to
 * tell is stored when it returns.
 */
export async function executeRun(journey: Journey, harness: HarnessRun, log: OutputLog): Promise<Execution> {
  const { spec, place, left, stop } = journey;
  const { run } = spec;
  const { sandbox } = place;

  await harness.open();
  const { state } = await journey.withSandbox(() => sandbox.status(run), left);
  if (state === 'created' && stop.aborted) return { notStarted: stoppedBeforeStart };
  const starting = state === 'created' ? startProcess(journey, harness) : Promise.resolve();
  const stopping = starting.then(() => stopWhenAsked(journey));
  stopping.catch(() => undefined);
  try {
    const turn = await harness.drive(log, starting);
    const ended = await journey.withSandbox(() => sandbox.wait(run, left), left);
    await journey.at('command_ended');
    return { turn, ended };
  } finally {
    // One that has not started has told so by `drive`.
    await stopping.then(
      ({ end }) => end(),
      () => undefined,
    );
  }
}

async function startProcess({ spec, place, left, ...journey }: Journey, harness: HarnessRun): Promise<void> {
  await journey.withSandbox(() => place.sandbox.start(spec.run, left), left);
  await journey.at('started');
  journey.announce(harness.stage.stage, harness.stage.detail);
}

/** Ends the command when a person asks for it. `end` waits for a stop under way: it must not outlive the step. */
function stopWhenAsked({ deps, spec, place, stop, left, withSandbox }: Journey): { end(): Promise<void> } {
  let stopping = Promise.resolve();
  const onStop = () => {
    stopping = withSandbox(() => place.sandbox.stop(spec.run, deps.stopGraceMs), left).catch((error: unknown) => {
      // Gone: the streaming finds out by itself.
      if (!left.aborted && !(error instanceof SandboxGone)) deps.logger.error({ run: spec.run, err: error }, 'stop failed');
    });
  };
  if (stop.aborted) onStop();
  else stop.addEventListener('abort', onStop, { once: true });
  return {
    async end() {
      stop.removeEventListener('abort', onStop);
      await stopping;
    },
  };
}

/** Opens the file of the output; what events hold already is in it afterwards. */
export async function openLog({ deps, spec, calls }: Journey): Promise<OutputLog> {
  const continues = spec.resume !== null && spec.resume.phase !== 'preparing';
  return await openOutputLog(deps.artifacts.outputLog(spec.run), spec.run, calls.readEvents, continues);
}
