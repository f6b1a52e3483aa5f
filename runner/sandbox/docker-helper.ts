import { PassThrough, type Readable } from 'node:stream';
import type Docker from 'dockerode';
import { call, chunksOf, hasStatus, jsonOf, openStream, stdoutOf } from './docker-engine.ts';

const stderrTailBytes = 4096;

export interface HelperEnd {
  exitCode: number;
  /** The last 4 KiB. */
  stderr: string;
}

/**
 * Runs a container from its creation to its removal and yields its stdout as fast as it is taken; a consumer that pauses makes the
 * program wait. The generator's return value tells how it ended. Early end of the consumer, abort and errors remove the container
 * too; where the process dies meanwhile, its labels let the reaper find it.
 */
export async function* runContainer(
  docker: Docker,
  options: Docker.ContainerCreateOptions,
  signal?: AbortSignal,
): AsyncGenerator<Buffer, HelperEnd> {
  const container = await call((abortSignal) => docker.createContainer({ ...options, abortSignal }), signal);
  try {
    const stream = await call(() => container.attach({ stream: true, stdout: true, stderr: true, hijack: true }), signal);
    await call((abortSignal) => container.start({ abortSignal }), signal);
    let stderr = Buffer.alloc(0);
    const keepTail = (bytes: Buffer) => {
      stderr = Buffer.concat([stderr, bytes]).subarray(-stderrTailBytes);
    };
    yield* stdoutOf(chunksOf(asReadable(stream), signal), keepTail);
    return { exitCode: await exitCodeOf(docker, container.id, signal), stderr: stderr.toString() };
  } finally {
    await removeContainer(container);
  }
}

/** The same for a program whose output does not matter. */
export async function runToEnd(docker: Docker, options: Docker.ContainerCreateOptions): Promise<HelperEnd> {
  const run = runContainer(docker, options);
  for (;;) {
    const step = await run.next();
    if (step.done) return step.value;
  }
}

/** Waits until the container does not run. Its log is complete then. */
export async function exitCodeOf(docker: Docker, id: string, signal?: AbortSignal): Promise<number> {
  const query = { condition: 'not-running' };
  const stream = await openStream(docker, 'POST', `/containers/${encodeURIComponent(id)}/wait`, query, signal);
  const answer = await jsonOf(stream, signal);
  if (answer !== null && typeof answer === 'object' && 'StatusCode' in answer && typeof answer.StatusCode === 'number') {
    return answer.StatusCode;
  }
  throw new Error(`The container engine answers a wait with ${JSON.stringify(answer)}`);
}

/** Removes a container, running or not. Idempotent. */
export async function removeContainer(container: Docker.Container): Promise<void> {
  try {
    await call((abortSignal) => container.remove({ force: true, v: true, abortSignal }));
  } catch (error) {
    if (!hasStatus(error, 404)) throw error;
  }
}

/** dockerode calls the socket a ReadWriteStream; it is the raw socket of the connection. */
export function asReadable(stream: NodeJS.ReadableStream): Readable {
  if ('destroy' in stream && Symbol.asyncIterator in stream) return stream as Readable;
  return stream.pipe(new PassThrough());
}
