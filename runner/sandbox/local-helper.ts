import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { rm } from 'node:fs/promises';
import { constants } from 'node:os';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { killFamily } from './local-process.ts';
import type { Helper } from './port.ts';

export interface HelperPlace {
  work: string;
  temporary: string;
  env: Readonly<Record<string, string>>;
}

type Ending = { exitCode: number; limit?: 'timed_out' | 'output_limit' | undefined };

/**
 * Runs a helper in the working copy. Yields its stdout, waits where the consumer does, gives its stderr away as it comes. Whatever
 * ends it (its limits, abort, an early end of the consumer), everything it started is killed.
 */
export async function* runHelper(
  helper: Helper,
  place: HelperPlace,
  onStderr: (bytes: Buffer) => void,
  signal?: AbortSignal,
): AsyncGenerator<Buffer, Ending> {
  signal?.throwIfAborted();
  const id = randomUUID();
  const temporary = join(place.temporary, id);
  const [command, ...rest] = helper.argv;
  const child = spawn(command, rest, {
    cwd: place.work,
    env: { ...place.env, ...helper.env, TMPDIR: temporary },
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: true,
  });
  const ended = endOf(child);
  let limit: Ending['limit'];
  let bytes = 0;
  const kill = () => {
    if (child.pid !== undefined && child.exitCode === null && child.signalCode === null) killGroup(child.pid);
    child.stdout.destroy();
    child.stderr.destroy();
  };
  const count = (more: Buffer) => {
    bytes += more.length;
    if (bytes <= helper.outputBytes) return true;
    limit ??= 'output_limit';
    kill();
    return false;
  };
  child.stderr.on('data', (more: Buffer) => {
    if (count(more)) onStderr(more);
  });
  const timer = setTimeout(() => {
    limit ??= 'timed_out';
    kill();
  }, helper.timeMs);
  signal?.addEventListener('abort', kill, { once: true });
  try {
    for await (const chunk of readable(child.stdout)) if (count(chunk)) yield chunk;
    const exitCode = await ended;
    signal?.throwIfAborted();
    return { exitCode, limit };
  } finally {
    clearTimeout(timer);
    signal?.removeEventListener('abort', kill);
    kill();
    await ended;
    await killFamily({ leader: undefined, helpers: [], marks: [`TMPDIR=${temporary}`] });
    await rm(temporary, { recursive: true, force: true });
  }
}

function killGroup(leader: number): void {
  try {
    process.kill(-leader, 'SIGKILL');
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'ESRCH')) throw error;
  }
}

/** A stream that was destroyed by `kill` ends like one that ended. */
async function* readable(stream: Readable): AsyncGenerator<Buffer> {
  try {
    yield* stream;
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'ERR_STREAM_PREMATURE_CLOSE')) throw error;
  }
}

/** Exit code as a shell counts; 127 or 126 where it cannot be started. */
async function endOf(child: ChildProcessByStdio<null, Readable, Readable>): Promise<number> {
  try {
    const [code, signal]: [number | null, NodeJS.Signals | null] = await onceExit(child);
    return code ?? 128 + constants.signals[signal ?? 'SIGKILL'];
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'ENOENT' ? 127 : 126;
  }
}

async function onceExit(child: ChildProcessByStdio<null, Readable, Readable>): Promise<[number | null, NodeJS.Signals | null]> {
  const [code, signal] = await once(child, 'exit');
  return [code, signal];
}
