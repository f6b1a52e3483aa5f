import { LogLevel, type Logger as SlackLogger, WebClient, type WebClientOptions } from '@slack/web-api';
import { z } from 'zod';
import { DeliveryError } from '../../src/contracts/chat-adapter.ts';
import type { Logger } from '../../src/runtime/logger.ts';
import { defaultRetryAfterSeconds, deliveryError } from './failures.ts';
import type { SlackMethod } from './methods.ts';

/** Slack's Web API, as far as `methods.ts` lists it. Every failure is a `DeliveryError`. */
export interface Web {
  /** Calls once. Whoever asked decides about a repetition. */
  call<T>(method: SlackMethod, args: Record<string, unknown>, answer: z.ZodType<T>): Promise<T>;
  /** Calls what changes nothing, again after a network error. */
  read<T>(method: SlackMethod, args: Record<string, unknown>, answer: z.ZodType<T>): Promise<T>;
}

export interface WebOptions {
  botToken: string;
  apiUrl?: string | undefined;
  logger: Logger;
}

const sendTimeoutMs = 10_000;
const readTimeoutMs = 5_000;

/**
 * Two clients, because the SDK repeats a request after any network error, `chat.postMessage` included, which posts twice. Both
 * leave waiting to the caller: otherwise one 429 holds up every call of the client. No `headers` option: the SDK would write the
 * token into that object.
 */
export function createWeb(options: WebOptions): Web {
  const shared: WebClientOptions = {
    ...(options.apiUrl === undefined ? {} : { slackApiUrl: options.apiUrl }),
    logger: slackLogger(options.logger),
    rejectRateLimitedCalls: true,
    fetch: fetchWithRetryAfter,
  };
  const once = new WebClient(options.botToken, { ...shared, timeout: sendTimeoutMs, retryConfig: { retries: 0 } });
  const again = new WebClient(options.botToken, {
    ...shared,
    timeout: readTimeoutMs,
    retryConfig: { retries: 2, minTimeout: 200, maxTimeout: 1000 },
  });

  async function call<T>(
    client: WebClient,
    method: SlackMethod,
    args: Record<string, unknown>,
    answer: z.ZodType<T>,
  ): Promise<T> {
    try {
      return answer.parse(await client.apiCall(method, args));
    } catch (error) {
      throw deliveryError(error, method);
    }
  }

  return {
    call: (method, args, answer) => call(once, method, args, answer),
    async read(method, args, answer) {
      try {
        return await call(again, method, args, answer);
      } catch (error) {
        // Nothing could have changed, so that a lost answer is no unknown outcome.
        if (!(error instanceof DeliveryError) || error.failure.kind !== 'unknown') throw error;
        throw new DeliveryError({ ...error.failure, kind: 'unreachable' }, { cause: error });
      }
    },
  };
}

/** For answers of which nothing is read. */
export const anyAnswer = z.looseObject({});

/** The SDK knows a 429 only by its `Retry-After`; without the header it throws an error of no class of its own. */
export const fetchWithRetryAfter: typeof fetch = async (input, init) => {
  const response = await fetch(input, init);
  if (response.status !== 429 || /^\d+$/.test(response.headers.get('retry-after') ?? '')) return response;
  await response.body?.cancel();
  return new Response(null, { status: 429, headers: { 'retry-after': String(defaultRetryAfterSeconds) } });
};

/**
 * The SDK's log lines as ours. Its debug lines hold whole payloads and are dropped; what it calls an error is a warning here,
 * because whether something is lost is decided elsewhere.
 */
export function slackLogger(logger: Logger): SlackLogger {
  const write = (...parts: unknown[]) => logger.warn({ detail: parts.map(String).join(' ') }, 'slack sdk');
  const quiet = () => {};
  return { debug: quiet, info: quiet, warn: write, error: write, setLevel: quiet, setName: quiet, getLevel: () => LogLevel.INFO };
}
