import type { RunSpec } from '../src/contracts/run-control.ts';
import type { EventLog, RunEventData } from '../src/contracts/run-event.ts';
import type { Clock } from '../src/runtime/clock.ts';
import type { Logger } from '../src/runtime/logger.ts';
import type { Artifacts } from './artifacts.ts';
import type { AtPoint, CrashPoint } from './crash-points.ts';
import { isUnreachable, patiently, type RunCalls } from './patience.ts';
import type { PatientOutputOptions } from './patient-output.ts';
import type { DrawPatch } from './picture.ts';
import type { AgentDeps } from './run-agent.ts';
import { duration } from './run-outcome.ts';
import type { Sandbox, SandboxLimits } from './sandbox/port.ts';
import type { Workspace } from './workspace.ts';

/** What has happened, and what somebody must do about it. */
const engineAway = 'The container engine does not answer; it must be started on the machine of the runner.';

/** Where commands run: a sandbox provider and the image it uses. */
export interface Place {
  sandbox: Sandbox;
  image: string | null;
}

export interface JourneyDeps {
  /** Id of this life of the runner. */
  runner: string;
  /** The first is for new runs; all serve to continue what was started in them. */
  places: readonly [Place, ...Place[]];
  workspace: Workspace;
  artifacts: Artifacts;
  events: EventLog;
  /** Values that never show in output or patches. */
  secrets: readonly string[];
  /** Limits of every command; the time comes with the run. */
  limits: Omit<SandboxLimits, 'timeMs'>;
  /** From the polite end of a stopped command to the hard one. Milliseconds. */
  stopGraceMs: number;
  /** How long the start of a run waits for a container engine that does not answer. Milliseconds. */
  engineWaitMs: number;
  clock: Clock;
  logger: Logger;
  at: AtPoint;
  /** Draws what a run has changed. Undefined: this runner draws no pictures. */
  draw?: DrawPatch | undefined;
  /** Name of the repository at the code host that an address names; undefined: it is not one of its, or there is no code host. */
  repositoryAt?: ((address: string) => string | undefined) | undefined;
  /** Undefined: this runner takes no runs of agents. */
  agents?: AgentDeps | undefined;
}

/** The run is not this runner's business any more, or the runner leaves: nothing more is done or written. */
export class LetGo extends Error {
  override name = 'LetGo';
}

type Stage = Extract<RunEventData, { type: 'stage' }>['stage'];

/** One run on its way through the runner: what all its steps need. */
export interface Journey {
  readonly deps: JourneyDeps;
  readonly spec: RunSpec;
  readonly place: Place;
  readonly limits: SandboxLimits;
  readonly calls: RunCalls;
  /** A person wants the run stopped. */
  readonly stop: AbortSignal;
  /** The run is to be let go of. */
  readonly left: AbortSignal;
  /** Appends an event. Throws LetGo when the run is not this runner's any more. */
  say(event: RunEventData): Promise<void>;
  stage(stage: Stage, detail: string): Promise<void>;
  /** The same, without waiting for it: whichever of `say` and `calls` is next waits, and tells when it could not be said. */
  announce(stage: Stage, detail: string): void;
  note(level: 'info' | 'warning', text: string): Promise<void>;
  at(point: CrashPoint): Promise<void>;
  /** Does something with the sandbox, again while the engine does not answer; says so in the thread. `withinMs`: gives up then. */
  withSandbox<T>(work: () => Promise<T>, signal: AbortSignal, withinMs?: number): Promise<T>;
  /** How the output of its command is read; an engine that does not answer is told in the thread. */
  readonly output: Omit<PatientOutputOptions, 'signal'>;
}

export function createJourney(
  deps: JourneyDeps,
  spec: RunSpec,
  calls: RunCalls,
  signals: { stop: AbortSignal; left: AbortSignal },
): Journey {
  const place = placeOf(deps.places, spec.resume?.sandboxRef ?? null);
  let announced: Promise<void> = Promise.resolve();
  const ordered = callsAfter(calls, () => announced);

  async function say(event: RunEventData): Promise<void> {
    if (!(await ordered.append(spec.run, deps.runner, [event]))) throw new LetGo(`${spec.run} is not held any more`);
  }
  const note: Journey['note'] = (level, text) => say({ type: 'note', level, text });
  const answers = () => note('info', 'The container engine answers again.');

  return {
    deps,
    spec,
    place,
    limits: { ...deps.limits, timeMs: spec.timeoutMs },
    calls: ordered,
    ...signals,
    say,
    note,
    stage: (stage, detail) => say({ type: 'stage', stage, detail }),
    announce(stage, detail) {
      announced = say({ type: 'stage', stage, detail });
      announced.catch(() => undefined);
    },
    at: async (point) => await deps.at(point, spec.run),
    withSandbox: (work, signal, withinMs) =>
      patiently(work, {
        passes: isUnreachable,
        withinMs,
        signal,
        async onWait(error) {
          deps.logger.warn({ run: spec.run, err: error }, 'sandbox unreachable');
          const until = withinMs === undefined ? '' : ` This run waits ${duration(withinMs)} for it.`;
          await note('warning', `${engineAway} The run goes on by itself when the engine is back.${until}`);
        },
        onAnswer: answers,
      }),
    output: {
      sandbox: place.sandbox,
      run: spec.run,
      async onUnreachable(error) {
        deps.logger.warn({ run: spec.run, err: error }, 'output unreachable');
        await note('warning', `${engineAway} The output continues when it is back.`);
      },
      onAnswer: answers,
    },
  };
}

/** The calls, each made when what was begun before it is done, and not made when that has failed. */
function callsAfter(calls: RunCalls, before: () => Promise<void>): RunCalls {
  const after =
    <A extends unknown[], R>(call: (...args: A) => Promise<R>) =>
    async (...args: A): Promise<R> => {
      await before();
      return await call(...args);
    };
  return {
    claim: after(calls.claim),
    append: after(calls.append),
    pinBase: after(calls.pinBase),
    authorise: after(calls.authorise),
    executing: after(calls.executing),
    finishing: after(calls.finishing),
    finish: after(calls.finish),
    readEvents: after(calls.readEvents),
    recordArtifact: after(calls.recordArtifact),
  };
}

/** Names a sandbox in the tables: `docker:run_…`. The provider finds it by the run. */
export function sandboxRef(place: Place, run: string): string {
  return `${place.sandbox.kind}:${run}`;
}

function placeOf(places: JourneyDeps['places'], ref: string | null): Place {
  const kind = ref?.split(':')[0];
  return places.find(({ sandbox }) => sandbox.kind === kind) ?? places[0];
}
