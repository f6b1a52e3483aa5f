import { WebAPIRateLimitedError } from '@slack/web-api';
import { errorText } from '../../src/runtime/error-text.ts';
import type { Logger } from '../../src/runtime/logger.ts';
import { type Envelope, SlackSocketClient } from './socket-client.ts';

/**
 * Socket Mode, supervised: keeps one connection open until it is stopped, whatever happens to the one before. When Slack asks for
 * a new connection, the next one is opened first, so that nothing falls into a gap; Slack allows ten at a time. A failed attempt
 * is repeated after 1, 2, 4 … 30 seconds, without end.
 */
export interface SlackSocket {
  /** Resolves when Slack has said hello for the first time. Rejects only when stopped before. */
  start(): Promise<void>;
  /** Ends a `start` that has not connected yet: it rejects. Changes nothing after that. */
  giveUp(): void;
  /** Takes nothing more, waits for what is in flight (at most 3 s) and closes. Idempotent. */
  stop(): Promise<void>;
  status(): { connected: boolean; problem: string | undefined };
}

export interface SlackSocketOptions {
  appToken: string;
  apiUrl?: string | undefined;
  logger: Logger;
  /** Stores a payload; its envelope is acknowledged after this has resolved, and not at all when it rejects. */
  accept(body: unknown): Promise<void>;
  /** Default 15 s. */
  helloMs?: number | undefined;
}

interface Connection {
  client: SlackSocketClient;
  openedAt: number;
  inFlight: Set<Promise<void>>;
  /** Resolves when another connection is needed. */
  over: PromiseWithResolvers<'replace' | 'closed'>;
  closed: boolean;
}

const firstBackoffMs = 1_000;
const maxBackoffMs = 30_000;
/** A connection that ended sooner than this counts as a failed attempt. */
const soundAfterMs = 5_000;
const drainMs = 3_000;

export function createSlackSocket(options: SlackSocketOptions): SlackSocket {
  const { logger } = options;
  const stopping = new AbortController();
  const stopped = Promise.withResolvers<'stopped'>();
  const first = Promise.withResolvers<void>();
  const open = new Set<Connection>();
  let running: Promise<void> | undefined;
  let opening: SlackSocketClient | undefined;
  let problem: string | undefined;
  let hasConnected = false;

  async function connect(): Promise<Connection> {
    const over = Promise.withResolvers<'replace' | 'closed'>();
    const connection: Connection = {
      client: new SlackSocketClient({
        ...options,
        helloMs: options.helloMs ?? 15_000,
        signal: stopping.signal,
        onEnvelope: (envelope) => take(connection, envelope),
        onReplace: (reason) => {
          logger.info({ reason }, 'slack asks for a new connection');
          over.resolve('replace');
        },
        onClosed: () => {
          connection.closed = true;
          open.delete(connection);
          over.resolve('closed');
        },
      }),
      openedAt: performance.now(),
      inFlight: new Set(),
      over,
      closed: false,
    };
    opening = connection.client;
    await connection.client.open().finally(() => {
      opening = undefined;
    });
    if (connection.closed) throw new Error('the connection closed at once');
    open.add(connection);
    return connection;
  }

  function take(connection: Connection, envelope: Envelope): void {
    // Not acknowledged, so that Slack delivers it again, here or elsewhere.
    if (stopping.signal.aborted) return;
    const work = handle(envelope).finally(() => connection.inFlight.delete(work));
    connection.inFlight.add(work);
  }

  async function handle(envelope: Envelope): Promise<void> {
    try {
      await options.accept(envelope.body);
    } catch (error) {
      logger.error({ err: error }, 'slack payload not stored, not acknowledged');
      return;
    }
    try {
      await envelope.ack();
    } catch (error) {
      logger.info({ err: error }, 'slack socket closed before the acknowledgement; the payload comes again');
    }
  }

  async function retire(connection: Connection): Promise<void> {
    await within(Promise.allSettled(connection.inFlight), drainMs);
    await connection.client.close();
  }

  async function supervise(): Promise<void> {
    let failures = 0;
    let previous: Connection | undefined;
    while (!stopping.signal.aborted) {
      let wait: number | undefined;
      try {
        const connection = await connect();
        logger.info({}, 'slack socket connected');
        problem = undefined;
        hasConnected = true;
        first.resolve();
        if (previous !== undefined) void retire(previous);
        const reason = await Promise.race([connection.over.promise, stopped.promise]);
        previous = reason === 'replace' ? connection : undefined;
        const isSound = performance.now() - connection.openedAt >= soundAfterMs;
        // A request to reconnect is expected and answered at once, unless they follow each other.
        failures = isSound ? 0 : failures + 1;
        if (isSound || (reason === 'replace' && failures === 1)) continue;
      } catch (error) {
        if (stopping.signal.aborted) break;
        failures += 1;
        problem = errorText(error);
        if (error instanceof WebAPIRateLimitedError) wait = error.retryAfter * 1000;
        logger.warn({ err: error, failures }, 'slack socket not connected');
      }
      wait ??= Math.min(firstBackoffMs * 2 ** (Math.max(1, failures) - 1), maxBackoffMs);
      await within(stopped.promise, wait);
    }
    first.reject(new Error('stopped before Slack could be reached'));
    await Promise.all([...open].map(retire));
  }

  function stop(): void {
    stopping.abort();
    stopped.resolve('stopped');
    // Never rejects.
    void opening?.close();
  }

  return {
    start() {
      running ??= supervise();
      return first.promise;
    },
    giveUp() {
      if (!hasConnected) stop();
    },
    async stop() {
      stop();
      await running;
    },
    status: () => ({ connected: open.size > 0, problem }),
  };
}

async function within(work: Promise<unknown>, ms: number): Promise<void> {
  const late = Promise.withResolvers<void>();
  const timer = setTimeout(late.resolve, ms);
  await Promise.race([work, late.promise]);
  clearTimeout(timer);
}
