import { SocketModeClient } from '@slack/socket-mode';
import { z } from 'zod';
import type { Logger } from '../../src/runtime/logger.ts';
import { fetchWithRetryAfter, slackLogger } from './web.ts';

/** What Slack sent, and how to acknowledge it. `ack` rejects when this socket has closed meanwhile. */
export interface Envelope {
  body: unknown;
  ack(): Promise<void>;
}

export interface SocketClientOptions {
  appToken: string;
  apiUrl?: string | undefined;
  logger: Logger;
  /** How long Slack may take to say hello, in milliseconds. */
  helloMs: number;
  /** Aborts what is on its way to `apps.connections.open`. */
  signal: AbortSignal;
  onEnvelope(envelope: Envelope): void;
  /** Slack asks for a new connection; this one stays open for some seconds more. */
  onReplace(reason: string): void;
  /** The connection is closed, for whichever reason. */
  onClosed(): void;
}

const openTimeoutMs = 10_000;
/** How long the peer may take to answer a close frame before the connection is cut. */
const closeTimeoutMs = 1_000;

const disconnectFrame = z.object({ type: z.literal('disconnect'), reason: z.string().default('unknown') });
const eventFrame = z.looseObject({
  type: z.literal('events_api'),
  payload: z.looseObject({ type: z.string().default('unknown') }),
});

/**
 * One Socket Mode connection, used once. It never reconnects by itself: the SDK starts that five seconds late and gives up on
 * some errors, so that `socket.ts` does it. Two more defects of @slack/socket-mode 3.1.0 are kept away here: an envelope without
 * `event` (`app_rate_limited`) throws where nobody catches, and a `disconnect` frame closes before there is another connection.
 */
export class SlackSocketClient extends SocketModeClient {
  readonly #options: SocketClientOptions;

  constructor(options: SocketClientOptions) {
    super({
      appToken: options.appToken,
      autoReconnectEnabled: false,
      logger: slackLogger(options.logger),
      clientOptions: {
        ...(options.apiUrl === undefined ? {} : { slackApiUrl: options.apiUrl }),
        timeout: openTimeoutMs,
        retryConfig: { retries: 0 },
        rejectRateLimitedCalls: true,
        fetch: (input, init) =>
          fetchWithRetryAfter(input, {
            ...init,
            signal: init?.signal ? AbortSignal.any([init.signal, options.signal]) : options.signal,
          }),
      },
    });
    this.#options = options;
    this.on('slack_event', (envelope: Envelope) => options.onEnvelope(envelope));
    this.on('disconnected', () => options.onClosed());
  }

  /** Resolves when Slack has said hello; rejects when it does not in time or the connection fails. */
  async open(): Promise<void> {
    const late = Promise.withResolvers<never>();
    const timer = setTimeout(() => late.reject(new Error('Slack does not say hello')), this.#options.helloMs);
    try {
      await Promise.race([this.start(), late.promise]);
    } catch (error) {
      await this.close();
      throw error ?? new Error('the connection closed before Slack said hello');
    } finally {
      clearTimeout(timer);
    }
  }

  /** Closes politely, cuts the connection when the peer does not answer. Never rejects, never takes much longer than a second. */
  async close(): Promise<void> {
    const closed = this.disconnect().catch(() => undefined);
    const timer = setTimeout(() => this.websocket?.disconnect(), closeTimeoutMs);
    await closed;
    clearTimeout(timer);
  }

  protected override async onWebSocketMessage(data: string | ArrayBuffer, isBinary: boolean): Promise<void> {
    try {
      const frame = isBinary || typeof data !== 'string' ? undefined : parsed(data);
      const disconnect = disconnectFrame.safeParse(frame);
      if (disconnect.success) return this.#options.onReplace(disconnect.data.reason);
      const event = eventFrame.safeParse(frame);
      if (event.success && event.data.payload.event === undefined) {
        const { payload } = event.data;
        const named = { ...event.data, payload: { ...payload, event: { type: payload.type } } };
        return await super.onWebSocketMessage(JSON.stringify(named), false);
      }
      return await super.onWebSocketMessage(data, isBinary);
    } catch (error) {
      this.#options.logger.error({ err: error }, 'slack frame not understood');
    }
  }
}

function parsed(data: string): unknown {
  try {
    return JSON.parse(data);
  } catch {
    return undefined;
  }
}
