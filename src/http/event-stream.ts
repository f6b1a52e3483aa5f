import type { ServerResponse } from 'node:http';
import { heartbeatFrame, noticeFrame, retryFrame } from './event-frames.ts';
import type { TailReader } from './run-tails.ts';

/** One open stream of events. */
export interface EventStream {
  /** Resolves when the connection has ended, whoever ended it; never rejects. */
  readonly done: Promise<void>;
  /** Ends it with these last words. Idempotent. */
  close(lastWords: string): void;
}

export interface EventStreamOptions {
  run: string;
  reader: TailReader;
  /** The last event that the other side has. */
  after: number;
  headers: Readonly<Record<string, string>>;
  logger: { warn(context: object, message: string): void };
  heartbeatMs?: number | undefined;
  /** Whoever takes nothing for so long is cut off, and may come back. */
  stalledMs?: number | undefined;
}

const usualHeartbeatMs = 15_000;
const usualStalledMs = 120_000;
/** How long a reader whose connection ended waits before it comes back. */
const retryMs = 2000;
/** Last words are given so long to arrive. */
const lastWordsMs = 3000;

/**
 * Writes the events of a run to one reader for as long as it takes them. The log is read only as fast as the connection takes it: besides what the
 * system buffers for a connection there is never more in memory than the page that is being written.
 */
export function streamEvents(response: ServerResponse, options: EventStreamOptions): EventStream {
  const { run, reader, logger } = options;
  const ended = Promise.withResolvers<void>();
  let closed = false;
  const heartbeat = setInterval(() => {
    // Where something waits to be taken, that shows as well whether the connection lives.
    if (!closed && !response.writableNeedDrain) response.write(heartbeatFrame);
  }, options.heartbeatMs ?? usualHeartbeatMs);

  function leave(): void {
    closed = true;
    clearInterval(heartbeat);
    reader.leave();
  }

  response.once('close', () => {
    leave();
    ended.resolve();
  });
  // A broken connection is closed, too, and tells nothing that anybody could act on.
  response.on('error', () => undefined);

  function close(lastWords: string): void {
    if (closed) return;
    leave();
    const timer = setTimeout(() => response.destroy(), lastWordsMs);
    response.once('close', () => clearTimeout(timer));
    response.end(lastWords);
  }

  async function drained(): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    const timer = setTimeout(() => response.destroy(), options.stalledMs ?? usualStalledMs);
    response.once('drain', resolve);
    response.once('close', resolve);
    await promise;
    clearTimeout(timer);
    response.off('drain', resolve);
    response.off('close', resolve);
  }

  async function write(): Promise<void> {
    let { after } = options;
    while (!closed) {
      const frames = await reader.next(after);
      if (closed) return;
      if (frames === undefined) return close(noticeFrame('end', { run, after }));
      after = frames.to;
      if (frames.bytes.length > 0 && !response.write(frames.bytes)) await drained();
    }
  }

  response.writeHead(200, {
    ...options.headers,
    'content-type': 'text/event-stream; charset=utf-8',
    // Proxies that gather or pack what they pass on would keep events back.
    'cache-control': 'no-store, no-transform',
    'x-accel-buffering': 'no',
  });
  response.write(retryFrame(retryMs));
  write().catch((error: unknown) => {
    if (closed) return;
    logger.warn({ err: error, run }, 'a stream of events ended early; its reader may come back');
    close('');
  });
  return { done: ended.promise, close };
}
