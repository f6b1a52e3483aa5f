import { setTimeout as delay } from 'node:timers/promises';
import type { RunControl } from '../src/contracts/run-control.ts';
import type { EventLog } from '../src/contracts/run-event.ts';
import type { Artifacts } from './artifacts.ts';
import { SandboxUnreachable } from './sandbox/port.ts';

const longestWaitMs = 10_000;

export interface PatienceOptions {
  /** True: the error passes, ask again. */
  passes(error: unknown): boolean;
  /** Told about the first of such errors and about the answer after it. */
  onWait?(error: unknown): void | Promise<void>;
  onAnswer?(): void | Promise<void>;
  /** Gives up, with the last error, after this long. Default: never. */
  withinMs?: number | undefined;
  /** Ends the waiting with its reason. */
  signal: AbortSignal;
}

/** Does what a passing error prevented again and again: after 0.25 s, 0.5 s … 10 s. */
export async function patiently<T>(work: () => Promise<T>, options: PatienceOptions): Promise<T> {
  const since = performance.now();
  for (let waitMs = 250; ; waitMs = Math.min(2 * waitMs, longestWaitMs)) {
    options.signal.throwIfAborted();
    try {
      const result = await work();
      if (waitMs > 250) await options.onAnswer?.();
      return result;
    } catch (error) {
      options.signal.throwIfAborted();
      if (!options.passes(error) || performance.now() - since > (options.withinMs ?? Number.POSITIVE_INFINITY)) throw error;
      if (waitMs === 250) await options.onWait?.(error);
    }
    await delay(waitMs, undefined, { signal: options.signal }).catch(() => options.signal.throwIfAborted());
  }
}

export function isUnreachable(error: unknown): boolean {
  return error instanceof SandboxUnreachable;
}

/** The calls that a run depends on, all to the database in the end. */
export interface RunCalls
  extends Pick<RunControl, 'claim' | 'append' | 'pinBase' | 'authorise' | 'executing' | 'finishing' | 'finish'> {
  readEvents: EventLog['read'];
  recordArtifact: Artifacts['record'];
}

export interface CallDeps {
  control: RunControl;
  events: Pick<EventLog, 'read'>;
  artifacts: Pick<Artifacts, 'record'>;
}

/**
 * The same calls for a run on its way: one that fails (the database is away for a moment) is made again until it succeeds or `signal`
 * ends the waiting with its reason. All of them are idempotent, so a lost answer does no harm.
 */
export function patientCalls(
  { control, events, artifacts }: CallDeps,
  signal: AbortSignal,
  onError: (error: unknown, call: string) => void,
): RunCalls {
  function patient<A extends unknown[], R>(call: string, act: (...args: A) => Promise<R>): (...args: A) => Promise<R> {
    return (...args) => patiently(() => act(...args), { passes: () => true, onWait: (error) => onError(error, call), signal });
  }
  return {
    claim: patient('claim', (run, runner) => control.claim(run, runner)),
    append: patient('append', (run, runner, events, cursor) => control.append(run, runner, events, cursor)),
    pinBase: patient('pinBase', (run, runner, base) => control.pinBase(run, runner, base)),
    authorise: patient('authorise', (run, runner, action) => control.authorise(run, runner, action)),
    executing: patient('executing', (run, runner, sandbox) => control.executing(run, runner, sandbox)),
    finishing: patient('finishing', (run, runner) => control.finishing(run, runner)),
    finish: patient('finish', (run, runner, result) => control.finish(run, runner, result)),
    readEvents: patient('readEvents', (run, after, limit) => events.read(run, after, limit)),
    recordArtifact: patient('recordArtifact', (owner, kind, name, bytes) => artifacts.record(owner, kind, name, bytes)),
  };
}
