import { once } from 'node:events';
import { Readable } from 'node:stream';
import Docker from 'dockerode';
import { SandboxUnreachable } from './port.ts';

/** An engine that has not answered an ordinary call after this long counts as unreachable. */
const callTimeoutMs = 60_000;

/**
 * A client for exactly this engine. dockerode adds what it finds in DOCKER_HOST to the options; an address from there would win over
 * a socket given here.
 */
export function openEngine(engine: Docker.DockerOptions): Docker {
  return new Docker({ host: undefined, ...engine });
}

/** An answer of the engine other than success. */
export class EngineError extends Error {
  override name = 'EngineError';
  readonly status: number;
  constructor(status: number, message: string, options?: ErrorOptions) {
    super(message, options);
    this.status = status;
  }
}

export function hasStatus(error: unknown, ...statuses: number[]): boolean {
  return error instanceof EngineError && statuses.includes(error.status);
}

/**
 * Makes one ordinary call. An answer that is not a success throws EngineError, no answer throws SandboxUnreachable, an aborted
 * `signal` throws its reason. (Where the connection breaks inside an answer, docker-modem never settles; the time limit does.)
 */
export async function call<T>(make: (abortSignal: AbortSignal) => Promise<T>, signal?: AbortSignal, timeoutMs = callTimeoutMs) {
  signal?.throwIfAborted();
  const late = AbortSignal.timeout(timeoutMs);
  const either = signal === undefined ? late : AbortSignal.any([signal, late]);
  const { promise: aborted, reject } = Promise.withResolvers<never>();
  const onAbort = () => reject(either.reason);
  either.addEventListener('abort', onAbort, { once: true });
  try {
    return await Promise.race([make(either), aborted]);
  } catch (error) {
    signal?.throwIfAborted();
    throw translate(error);
  } finally {
    either.removeEventListener('abort', onAbort);
  }
}

export function translate(error: unknown): unknown {
  if (!(error instanceof Error) || error instanceof SandboxUnreachable || error instanceof EngineError) return error;
  const status = 'statusCode' in error && typeof error.statusCode === 'number' ? error.statusCode : undefined;
  if (status === undefined || status === 502 || status === 503 || status === 504) {
    return new SandboxUnreachable(`The container engine does not answer: ${error.message}`, { cause: error });
  }
  return new EngineError(status, reasonOf(error), { cause: error });
}

/** The engine's own words, without the frame dockerode puts around them. */
function reasonOf(error: Error): string {
  const json = 'json' in error ? error.json : undefined;
  if (json !== null && typeof json === 'object' && 'message' in json && typeof json.message === 'string') return json.message;
  return error.message.replace(/^\(HTTP code \d+\) [^-]*- /, '').trim();
}

/**
 * Opens an answer as a stream, for the calls that dockerode would buffer whole or leave hanging when the connection breaks.
 * The caller destroys it. Its errors pass through `translate`.
 */
export async function openStream(
  docker: Docker,
  method: 'GET' | 'POST',
  path: string,
  query: Record<string, string | boolean>,
  signal?: AbortSignal,
): Promise<Readable> {
  const statusCodes = { 200: true, 400: 'bad parameter', 404: 'no such container', 409: 'conflict', 500: 'server error' };
  // docker-modem adds the query where the path ends with a question mark.
  const request = { path: `${path}?`, method, isStream: true, statusCodes, options: { _query: query, _body: {} } };
  return await call((abortSignal) => {
    const { promise, resolve, reject } = Promise.withResolvers<Readable>();
    // The signal of the call is not passed on: it must not end a stream that may last for days.
    docker.modem.dial(request, (error: unknown, stream: unknown) => {
      if (!(stream instanceof Readable)) reject(error);
      else if (abortSignal.aborted) stream.destroy();
      else resolve(stream);
    });
    return promise;
  }, signal);
}

/**
 * The bytes of a stream, one chunk at a time, until it ends. A break throws SandboxUnreachable, an aborted signal its reason; the
 * stream is destroyed in every case, also when the consumer stops early.
 */
export async function* chunksOf(stream: Readable, signal?: AbortSignal): AsyncGenerator<Buffer> {
  const onAbort = () => stream.destroy();
  signal?.addEventListener('abort', onAbort, { once: true });
  try {
    for await (const chunk of stream) yield chunk;
  } catch (error) {
    signal?.throwIfAborted();
    throw translate(error);
  } finally {
    signal?.removeEventListener('abort', onAbort);
    stream.destroy();
  }
  signal?.throwIfAborted();
}

/**
 * Takes the stdout out of the engine's multiplexed stream: frames of an 8-byte header (stream number, length) and a payload.
 * Frames of the other stream are passed to `onStderr`.
 */
export async function* stdoutOf(source: AsyncIterable<Buffer>, onStderr?: (bytes: Buffer) => void): AsyncGenerator<Buffer> {
  const header = Buffer.alloc(8);
  let headerBytes = 0;
  let left = 0;
  for await (const chunk of source) {
    let at = 0;
    while (at < chunk.length) {
      if (left === 0) {
        const taken = chunk.copy(header, headerBytes, at, at + 8 - headerBytes);
        headerBytes += taken;
        at += taken;
        if (headerBytes < 8) break;
        headerBytes = 0;
        left = header.readUInt32BE(4);
        continue;
      }
      const part = chunk.subarray(at, at + left);
      at += part.length;
      left -= part.length;
      if (header[0] === 1) yield part;
      else onStderr?.(part);
    }
  }
}

/** Reads a small JSON answer from a stream. */
export async function jsonOf(stream: Readable, signal?: AbortSignal): Promise<unknown> {
  const chunks: Buffer[] = [];
  for await (const chunk of chunksOf(stream, signal)) chunks.push(chunk);
  if (chunks.length === 0) throw new SandboxUnreachable('The container engine closed the connection without an answer');
  return JSON.parse(Buffer.concat(chunks).toString());
}

/** Resolves after `ms`, or rejects with the signal's reason. */
export async function delay(ms: number, signal?: AbortSignal): Promise<void> {
  signal?.throwIfAborted();
  const timer = AbortSignal.timeout(ms);
  await once(signal === undefined ? timer : AbortSignal.any([signal, timer]), 'abort');
  signal?.throwIfAborted();
}
