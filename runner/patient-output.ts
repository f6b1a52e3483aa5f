import { setTimeout as delay } from 'node:timers/promises';
import type { OutputCursor } from '../src/contracts/run-event.ts';
import { type OutputChunk, type Sandbox, SandboxUnreachable } from './sandbox/port.ts';

export interface PatientOutputOptions {
  sandbox: Pick<Sandbox, 'output'>;
  run: string;
  /** The sandbox does not answer and is asked again, until it does. */
  onUnreachable(error: SandboxUnreachable): void | Promise<void>;
  /** It answers again: output has come, or its end. */
  onAnswer(): void | Promise<void>;
  /** Ends the reading with its reason. */
  signal: AbortSignal;
}

const firstWaitMs = 500;
const longestWaitMs = 10_000;

/** The output of a started command to its end, however often the sandbox is away. `next`: the first bytes that have not been taken. */
export async function* patientOutput(options: PatientOutputOptions, next: () => OutputCursor): AsyncGenerator<OutputChunk> {
  const { signal } = options;
  for (let waitMs = firstWaitMs; ; waitMs = Math.min(2 * waitMs, longestWaitMs)) {
    try {
      for await (const chunk of options.sandbox.output(options.run, next(), signal)) {
        if (waitMs > firstWaitMs) await options.onAnswer();
        waitMs = firstWaitMs;
        yield chunk;
      }
      if (waitMs > firstWaitMs) await options.onAnswer();
      return;
    } catch (error) {
      signal.throwIfAborted();
      if (!(error instanceof SandboxUnreachable)) throw error;
      if (waitMs === firstWaitMs) await options.onUnreachable(error);
    }
    await delay(waitMs, undefined, { signal }).catch(() => signal.throwIfAborted());
  }
}
