import type { TurnEnd } from './harness/port.ts';
import { streamOutput } from './output.ts';
import { type OutputLog, openOutputLog } from './output-log.ts';
import { engineAway, type Journey, LetGo } from './run-journey.ts';
import { type Ending, stoppedBeforeStart } from './run-outcome.ts';
import { SandboxGone, type SandboxResult } from './sandbox/port.ts';

/** `turn`: how the agent's turn ended, where it was an agent's. */
export type Execution = { ended: SandboxResult; turn?: TurnEnd | undefined } | { notStarted: Ending };

/**
 * From the record that the command is about to start to its end. Starts it unless another life of the runner has: the sandbox starts
 * a command at most once, so this may be repeated from wherever it was interrupted. All output is stored when it returns.
 */
export async function executeRun(journey: Journey, log: OutputLog): Promise<Execution> {
  const { deps, spec, place, left, stop } = journey;
  const { run } = spec;
  const { sandbox } = place;

  const { state } = await journey.withSandbox(() => sandbox.status(run), left);
  if (state === 'created') {
    if (stop.aborted) return { notStarted: stoppedBeforeStart };
    await journey.withSandbox(() => sandbox.start(run, left), left);
    await journey.at('started');
    await journey.stage('command', 'running the command');
  }

  const stopping = stopWhenAsked(journey);
  try {
    await streamOutput({
      sandbox,
      run,
      from: spec.resume?.cursor ?? { stdout: 0, stderr: 0 },
      secrets: deps.secrets,
      signal: left,
      async onUnreachable(error) {
        deps.logger.warn({ run, err: error }, 'output unreachable');
        await journey.note('warning', `${engineAway} The output continues when it is back.`);
      },
      onAnswer: () => journey.note('info', 'The container engine answers again.'),
      async store(events, cursor) {
        if (!(await journey.calls.append(run, deps.runner, events, cursor))) throw new LetGo(`${run} is not held any more`);
        await journey.at('output_committed');
        await log.append(events.map(({ text }) => text).join(''));
        await journey.at('output_stored');
      },
    });
    const ended = await journey.withSandbox(() => sandbox.wait(run, left), left);
    await journey.at('command_ended');
    return { ended };
  } finally {
    await stopping.end();
  }
}

/** Ends the command when a person asks for it. `end` waits for a stop under way: it must not outlive the step. */
export function stopWhenAsked({ deps, spec, place, stop, left, withSandbox }: Journey): { end(): Promise<void> } {
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
