import { AppError, describeError, type ErrorCode } from '../src/contracts/errors.ts';
import type { RunResult } from '../src/contracts/run-event.ts';
import type { RunCause } from '../src/contracts/states.ts';
import { machineError } from './git-errors.ts';
import type { TurnEnd } from './harness/port.ts';
import { ResultInvalid } from './import-result.ts';
import {
  HelperFailed,
  ImageMissing,
  ImageUnfit,
  NoSpace,
  SandboxGone,
  type SandboxLimits,
  type SandboxResult,
  SandboxUnreachable,
} from './sandbox/port.ts';

/** How a run ends, without what it left behind. */
export type Ending = Pick<RunResult, 'outcome' | 'message' | 'trouble'> & { cause?: RunCause };

/** What the end of the command means for the run. */
export function endingOf(result: SandboxResult, limits: SandboxLimits): Ending {
  const failed = (cause: RunCause, message: string): Ending => ({ outcome: 'failed', cause, message });
  switch (result.cause) {
    case 'exit':
      if (result.signal !== undefined) return failed('signal', `The command was ended by ${result.signal}.`);
      if (result.exitCode !== 0) return failed('exit_code', `The command ended with exit code ${result.exitCode}.`);
      return { outcome: 'succeeded', message: 'The command succeeded.' };
    case 'timed_out': {
      const message = `The command ran longer than ${duration(limits.timeMs)} and was stopped.`;
      return { outcome: 'timed_out', cause: 'timed_out', message };
    }
    case 'output_limit':
      return failed('output_limit', `The command wrote more than ${size(limits.outputBytes)} of output and was stopped.`);
    case 'memory_limit':
      return failed('memory_limit', `The command needed more than ${size(limits.memoryBytes)} of memory.`);
    case 'disk_limit':
      return failed('disk_limit', `The working copy is full: it may hold ${size(limits.diskBytes)}, the repository included.`);
    case 'stopped':
      return { outcome: 'cancelled', cause: 'stopped', message: 'The command was stopped on request.' };
    case 'lost':
      return interrupted('The command was killed from outside: by the container engine or a restart of the machine.');
  }
}

/** What the end of a turn means for the run. A limit of the sandbox that ended an agent's process counts more. */
export function endingOfTurn(turn: TurnEnd, result: SandboxResult, limits: SandboxLimits): Ending {
  if (turn.end === 'exited') return endingOf(result, limits);
  if (result.cause !== 'exit') {
    const ending = endingOf(result, limits);
    return { ...ending, message: ending.message.replace(/^The command/, 'The agent') };
  }
  switch (turn.end) {
    case 'done':
      return { outcome: 'succeeded', message: 'The agent has finished.' };
    case 'failed':
      return { outcome: 'failed', cause: 'agent', trouble: turn.trouble, message: sentence(turn.why) };
    case 'stopped':
      return { outcome: 'cancelled', cause: 'stopped', message: 'The agent was stopped on request.' };
    case 'parked':
      throw new Error('a parked turn is no end');
  }
}

export const stoppedBeforeStart: Ending = {
  outcome: 'cancelled',
  cause: 'stopped',
  message: 'Stopped on request before the command started.',
};

const causes: Partial<Record<ErrorCode, RunCause>> = {
  'DH-217': 'agent',
  'DH-500': 'repository_unreachable',
  'DH-501': 'repository_invalid',
  'DH-502': 'base_missing',
  'DH-503': 'repository_invalid',
  'DH-504': 'repository_unreachable',
  'DH-505': 'repository_invalid',
  'DH-506': 'repository_invalid',
  'DH-507': 'repository_invalid',
  'DH-508': 'disk_limit',
  'DH-509': 'base_missing',
  'DH-513': 'disk_limit',
  'DH-515': 'repository_invalid',
  'DH-518': 'disk_limit',
};

/** What an error on the way means for the run. `reference` leads from the message to the log. */
export function endingOfError(error: unknown, reference: string): Ending {
  const failed = (cause: RunCause, message: string): Ending => ({ outcome: 'failed', cause, message });
  // A disk that is full ends a run at any step: people are told that, not that something is wrong inside.
  const told = machineError(error);
  if (told instanceof AppError) {
    const { text, remedy } = describeError(told.code, told.params);
    return failed(causes[told.code] ?? 'internal', `${text} ${remedy} ${told.code}`);
  }
  if (error instanceof SandboxGone) return interrupted('The sandbox of the run does not exist any more.');
  if (error instanceof SandboxUnreachable) {
    return failed('sandbox_unavailable', 'The container engine does not answer, so the command was not started.');
  }
  if (error instanceof ImageMissing || error instanceof ImageUnfit) return failed('image_missing', `${error.message}.`);
  if (error instanceof NoSpace) return failed('disk_limit', `There is no room for the working copy. ${sentence(error.message)}`);
  if (error instanceof ResultInvalid || error instanceof HelperFailed) {
    return failed('result_invalid', `The changes of the command could not be taken over: ${sentence(reasonOf(error))}`);
  }
  return failed('internal', `An error inside Deckhand ended the run (reference ${reference}).`);
}

function interrupted(message: string): Ending {
  return { outcome: 'interrupted', cause: 'sandbox_lost', message };
}

const noRoom = /no space left|out of disk ?space|file too large/i;

/** What stands behind a failed collecting, for people: the last line a helper wrote, without the marks of git. */
function reasonOf(error: ResultInvalid | HelperFailed): string {
  if (error instanceof ResultInvalid) return error.message;
  if (error.limit === 'output_limit') return 'they are too large';
  if (error.limit === 'timed_out') return 'collecting them took too long';
  if (error.limit !== undefined || noRoom.test(error.stderr)) return 'there is no room to collect them, they are too large';
  const line = error.stderr.trim().split('\n').at(-1) ?? '';
  return line.replace(/^(?:(?:fatal|error|sh|\/bin\/sh): *)+/i, '').slice(0, 300) || `exit code ${error.exitCode}`;
}

function sentence(text: string): string {
  return /[.!?]$/.test(text) ? text : `${text}.`;
}

export function duration(ms: number): string {
  const parts = [
    { unit: 'h', value: Math.floor(ms / 3_600_000) },
    { unit: 'min', value: Math.floor(ms / 60_000) % 60 },
    { unit: 's', value: Math.round(ms / 1000) % 60 },
  ].filter(({ value }) => value > 0);
  return parts.map(({ unit, value }) => `${value} ${unit}`).join(' ') || `${Math.round(ms)} ms`;
}

export function size(bytes: number): string {
  const units = ['bytes', 'KiB', 'MiB', 'GiB'];
  let value = bytes;
  let unit = 0;
  while (value >= 1024 && unit < units.length - 1) {
    value /= 1024;
    unit += 1;
  }
  return `${Number(value.toFixed(1))} ${units[unit]}`;
}
