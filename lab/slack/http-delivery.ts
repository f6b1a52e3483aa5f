import { createHmac } from 'node:crypto';
import { stringify } from 'node:querystring';
import { isRecord, type Json } from './json.ts';
import type { DeliveryKind, Outcome, Retry, Transport } from './transport.ts';

/** Signed HTTP delivery to a request URL, with the headers, encodings and deadline Slack uses. */
export interface HttpDelivery extends Transport {
  /** Sends `url_verification`; throws when the challenge does not come back. */
  verifyUrl(): Promise<void>;
}

/** `v0=` + HMAC-SHA256 over `v0:timestamp:body`. */
export function signature(signingSecret: string, timestamp: number, body: string): string {
  return `v0=${createHmac('sha256', signingSecret).update(`v0:${timestamp}:${body}`).digest('hex')}`;
}

export function createHttpDelivery(options: {
  url: () => string | undefined;
  signingSecret: string;
  ackMs: number;
  now: () => number;
}): HttpDelivery {
  async function post(body: string, contentType: string, retry?: Retry): Promise<Response> {
    const url = options.url();
    if (!url) throw new Error('HTTP delivery has no request URL');
    const timestamp = Math.floor(options.now() / 1000);
    return fetch(url, {
      method: 'POST',
      body,
      redirect: 'manual',
      signal: AbortSignal.timeout(options.ackMs),
      headers: {
        'content-type': contentType,
        'user-agent': 'Slackbot 1.0 (+https://api.slack.com/robots)',
        'x-slack-request-timestamp': String(timestamp),
        'x-slack-signature': signature(options.signingSecret, timestamp, body),
        ...(retry ? { 'x-slack-retry-num': String(retry.attempt), 'x-slack-retry-reason': retry.reason } : {}),
      },
    });
  }

  async function deliver(kind: DeliveryKind, payload: Json, retry?: Retry): Promise<Outcome> {
    const form = 'application/x-www-form-urlencoded';
    let response: Response;
    let text: string;
    try {
      if (kind === 'events_api') response = await post(JSON.stringify(payload), 'application/json', retry);
      else if (kind === 'interactive') response = await post(stringify({ payload: JSON.stringify(payload) }), form);
      else response = await post(stringify(formFields(payload)), form);
      text = await response.text();
    } catch (error) {
      const isTimeout = error instanceof DOMException && error.name === 'TimeoutError';
      return { status: 'failed', reason: isTimeout ? 'http_timeout' : 'connection_failed', noRetry: false };
    }
    if (!response.ok) {
      return { status: 'failed', reason: 'http_error', noRetry: response.headers.get('x-slack-no-retry') === '1' };
    }
    return { status: 'acked', body: parseAck(text, response.headers.get('content-type') ?? '') };
  }

  return {
    deliver,
    connected: () => options.url() !== undefined,
    async verifyUrl() {
      const challenge = signature(options.signingSecret, options.now(), 'challenge').slice(3);
      const body = JSON.stringify({ token: 'lab', challenge, type: 'url_verification' });
      const response = await post(body, 'application/json');
      const text = await response.text();
      const answer = parseAck(text, response.headers.get('content-type') ?? '');
      if (!response.ok || (text !== challenge && answer?.challenge !== challenge)) {
        throw new Error(`the request URL ${options.url()} did not answer the challenge (HTTP ${response.status})`);
      }
    },
  };
}

function formFields(payload: Json): Record<string, string> {
  return Object.fromEntries(Object.entries(payload).map(([key, value]) => [key, String(value)]));
}

/** A JSON object, a plain text (shown as an ephemeral message), or nothing. */
function parseAck(text: string, contentType: string): Json | undefined {
  if (text.trim() === '') return undefined;
  if (!contentType.includes('json')) return { text };
  try {
    const parsed: unknown = JSON.parse(text);
    return isRecord(parsed) ? parsed : { text };
  } catch {
    return { text };
  }
}
