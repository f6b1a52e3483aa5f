import { createHash, timingSafeEqual } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { AdapterWebhook } from '../../src/contracts/chat-adapter.ts';
import type { Logger } from '../../src/runtime/logger.ts';
import type { TelegramApi } from './api.ts';
import { wantedUpdates } from './payloads.ts';

export const webhookPath = '/telegram/webhook';

/** An update is far smaller. */
const maxBodyBytes = 2 * 1024 * 1024;

/**
 * Webhook mode: Telegram posts one update at a time for each chat, with the secret in a header. There is no signature and no time.
 *
 * Answers: 200 when the update need not come again, 500 when it could not be stored (Telegram delivers it again, and nothing else of
 * that chat before), 401 for a wrong secret, 400 for a body that is no JSON, 413, 503 while `take` is not there yet.
 */
export function telegramWebhook(options: {
  secret: string;
  logger: Logger;
  /** Resolves with how many of the updates are done with; `undefined` while the adapter is not running. */
  take: () => ((updates: readonly unknown[]) => Promise<number>) | undefined;
}): AdapterWebhook {
  const expected = digest(options.secret);

  async function handle(request: IncomingMessage, response: ServerResponse, rawBody: Buffer): Promise<void> {
    const given = request.headers['x-telegram-bot-api-secret-token'];
    // Digests are equally long, so that the time of the comparison tells nothing.
    if (typeof given !== 'string' || !timingSafeEqual(digest(given), expected)) {
      options.logger.warn({}, 'telegram request refused: wrong secret');
      return end(response, 401);
    }
    if (rawBody.length > maxBodyBytes) return end(response, 413);
    const take = options.take();
    if (take === undefined) return end(response, 503);
    let update: unknown;
    try {
      update = JSON.parse(rawBody.toString('utf8'));
    } catch {
      return end(response, 400);
    }
    const done = await take([update]);
    if (done === 0) options.logger.error({}, 'telegram update not stored, not acknowledged');
    end(response, done === 0 ? 500 : 200);
  }

  return { method: 'POST', path: webhookPath, handle };
}

/** Tells Telegram where to post. Telegram does not tell the secret it has, so this is done at each start; it changes nothing when it is so already. */
export async function registerWebhook(api: TelegramApi, webhook: { secret: string; publicUrl: string }): Promise<void> {
  const args = {
    url: webhookUrl(webhook.publicUrl),
    secret_token: webhook.secret,
    allowed_updates: wantedUpdates,
    drop_pending_updates: false,
  };
  await api.call('setWebhook', (raw, signal) => raw.setWebhook(args, signal));
}

export function webhookUrl(publicUrl: string): string {
  return `${publicUrl.replace(/\/+$/, '')}${webhookPath}`;
}

function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}

function end(response: ServerResponse, status: number): void {
  response.writeHead(status).end();
}
