import type { IncomingMessage, ServerResponse } from 'node:http';
import type { AdapterWebhook } from '../../src/contracts/chat-adapter.ts';
import type { Clock } from '../../src/runtime/clock.ts';
import type { Logger } from '../../src/runtime/logger.ts';
import { interactionTypes } from './interactions.ts';
import { publicKeyOf, signatureProblem } from './signature.ts';

/** What is typed into the developer portal, below the public address. */
export const interactionsPath = '/discord/interactions';
/** An interaction of Discord is far smaller; one with a long message in it stays below it too. */
const maxBodyBytes = 2 * 1024 * 1024;

/**
 * Interactions over HTTP, for an application whose "Interactions Endpoint URL" is set: then they do not come through the gateway. The
 * first answer goes by a call of its own, as it does for the gateway.
 *
 * Answers: 202 after `take` has resolved, 500 when it rejects (the person is told that the application did not respond), 401 for a bad
 * signature or time, 400 for a body that cannot be read, 413, 503 while `take` is not there yet, and the answer to a PING.
 */
export function discordWebhook(options: {
  /** As the developer portal shows it. Throws a plain Error when it is no key. */
  publicKey: string;
  clock: Clock;
  logger: Logger;
  /** Stores what the interaction means; `undefined` while the adapter is not running. */
  take: () => ((interaction: unknown) => Promise<void>) | undefined;
}): AdapterWebhook {
  const { clock, logger } = options;
  const key = publicKeyOf(options.publicKey);

  async function handle(request: IncomingMessage, response: ServerResponse, rawBody: Buffer): Promise<void> {
    if (rawBody.length > maxBodyBytes) return end(response, 413);
    const { 'x-signature-ed25519': signature, 'x-signature-timestamp': timestamp } = request.headers;
    const problem = signatureProblem({ signature, timestamp, rawBody }, key, clock.now());
    if (problem !== undefined) {
      logger.warn({ problem }, 'discord request refused');
      return end(response, 401);
    }
    const body = parsed(rawBody);
    if (body === undefined) return end(response, 400);
    if (body.type === interactionTypes.ping) return end(response, 200, { type: 1 });
    const take = options.take();
    if (take === undefined) return end(response, 503);
    try {
      await take(body);
    } catch (error) {
      logger.error({ err: error }, 'discord interaction not stored, not acknowledged');
      return end(response, 500);
    }
    end(response, 202);
  }

  return { method: 'POST', path: interactionsPath, handle };
}

function parsed(rawBody: Buffer): Record<string, unknown> | undefined {
  try {
    const body: unknown = JSON.parse(rawBody.toString('utf8'));
    return typeof body === 'object' && body !== null && !Array.isArray(body) ? { ...body } : undefined;
  } catch {
    return undefined;
  }
}

function end(response: ServerResponse, status: number, json?: object): void {
  if (json === undefined) response.writeHead(status).end();
  else response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(json));
}
