import type { IncomingMessage, ServerResponse } from 'node:http';
import type { AdapterWebhook } from '../../src/contracts/chat-adapter.ts';
import type { Clock } from '../../src/runtime/clock.ts';
import type { Logger } from '../../src/runtime/logger.ts';
import { requestPath } from './manifest.ts';

type Body = Record<string, unknown>;

/** A payload of Slack is far smaller; a form with every field filled stays below it too. */
const maxBodyBytes = 2 * 1024 * 1024;
/** Signatures are good for this long in either direction (docs.slack.dev, verifying requests). */
const maxSkewSeconds = 300;
const formType = 'application/x-www-form-urlencoded';

/**
 * HTTP mode: Slack posts events, commands and interactions to one path. Bolt verifies and parses; its `App` is left out because
 * it answers an event before anybody has stored it.
 *
 * Answers: 200 after `take` has resolved, 500 when it rejects (Slack delivers an event again, and tells the person about a
 * command), 401 for a bad signature or time, 400 for a body that cannot be read, 413, 415, 503 while `take` is not there yet.
 */
export function slackWebhook(options: {
  signingSecret: string;
  clock: Clock;
  logger: Logger;
  /** Stores the payload; `undefined` while the adapter is not running. */
  take: () => ((body: unknown) => Promise<void>) | undefined;
}): AdapterWebhook & { prepare(): Promise<void> } {
  const { signingSecret, clock, logger } = options;
  // Loading Bolt takes 150 ms and 10 MB, which Socket Mode does not need.
  let bolt: ReturnType<typeof loadBolt> | undefined;

  async function verified(request: IncomingMessage, response: ServerResponse, rawBody: Buffer): Promise<Body | undefined> {
    bolt ??= loadBolt();
    const { HTTPModuleFunctions: http } = await bolt;
    const buffered = Object.assign(request, { rawBody });
    try {
      await http.parseAndVerifyHTTPRequest({ signingSecret, enabled: true }, buffered);
    } catch (error) {
      logger.warn({ err: error }, 'slack request refused');
      return end(response, 401);
    }
    try {
      const body: unknown = http.parseHTTPRequestBody(buffered);
      if (isBody(body)) return body;
    } catch (error) {
      logger.warn({ err: error }, 'slack request unreadable');
    }
    return end(response, 400);
  }

  async function handle(request: IncomingMessage, response: ServerResponse, rawBody: Buffer): Promise<void> {
    if (rawBody.length > maxBodyBytes) return end(response, 413);
    const type = (request.headers['content-type'] ?? '').split(';')[0]?.trim().toLowerCase();
    if (type !== formType && type !== 'application/json') return end(response, 415);
    // Bolt compares the whole header; with a charset behind it a form would be read as JSON.
    request.headers['content-type'] = type;
    const body = await verified(request, response, rawBody);
    if (body === undefined) return;
    if (body.ssl_check === '1') return end(response, 200);
    const timestamp = Number(request.headers['x-slack-request-timestamp']);
    if (!(Math.abs(clock.now().getTime() / 1000 - timestamp) <= maxSkewSeconds)) {
      logger.warn({ timestamp }, 'slack request refused: its time is off');
      return end(response, 401);
    }
    if (body.type === 'url_verification') return end(response, 200, { challenge: body.challenge });
    const take = options.take();
    if (take === undefined) return end(response, 503);
    try {
      await take(body);
    } catch (error) {
      logger.error({ err: error }, 'slack payload not stored, not acknowledged');
      return end(response, 500);
    }
    end(response, 200);
  }

  return {
    method: 'POST',
    path: requestPath,
    handle,
    async prepare() {
      bolt ??= loadBolt();
      await bolt;
    },
  };
}

const loadBolt = () => import('@slack/bolt');

function isBody(body: unknown): body is Body {
  return typeof body === 'object' && body !== null && !Array.isArray(body);
}

function end(response: ServerResponse, status: number, json?: Body): undefined {
  if (json === undefined) response.writeHead(status).end();
  else response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(json));
}
