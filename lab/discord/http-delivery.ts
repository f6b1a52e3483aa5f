import { sign } from 'node:crypto';
import { isRecord, type Json } from '../slack/json.ts';
import type { Core } from './core.ts';
import { APPLICATION_ID } from './seed.ts';

/** Signed HTTP delivery of interactions, with the headers and the deadline Discord uses. Nothing is ever sent twice. */
export interface HttpDelivery {
  /** The body of the answer (the callback), nothing for 202 or 204; throws when the app refuses or cannot be reached. */
  deliver(payload: Json): Promise<Json | undefined>;
  /**
   * What Discord does when the address is saved, and now and then later: PING with a good signature, which must be answered with
   * PONG, and with bad ones, which must be answered with 401. Throws a sentence that says what went wrong.
   */
  checkEndpoint(url: string): Promise<void>;
}

export function createHttpDelivery(core: Core): HttpDelivery {
  const signature = (timestamp: string, body: string) =>
    sign(null, Buffer.from(timestamp + body), core.credentials.privateKey).toString('hex');

  function post(url: string, body: string, headers: Record<string, string>): Promise<Response> {
    return fetch(url, {
      method: 'POST',
      body,
      redirect: 'manual',
      signal: AbortSignal.timeout(core.timing.respond),
      headers: {
        'content-type': 'application/json',
        'user-agent': 'Discord-Interactions/1.0 (+https://discord.com)',
        ...headers,
      },
    });
  }

  function signed(url: string, payload: Json): Promise<Response> {
    const body = JSON.stringify(payload);
    const timestamp = String(Math.floor(core.now() / 1000));
    return post(url, body, { 'x-signature-ed25519': signature(timestamp, body), 'x-signature-timestamp': timestamp });
  }

  function ping(): Json {
    return { id: core.state.nextId(), application_id: APPLICATION_ID, type: 1, token: 'ping', version: 1, entitlements: [] };
  }

  return {
    async deliver(payload) {
      const url = core.settings.interactionsUrl;
      if (!url) throw new Error('there is no address for interactions');
      const response = await signed(url, payload);
      const text = await response.text();
      if (response.status === 202 || response.status === 204) return undefined;
      if (response.status !== 200) throw new Error(`HTTP ${response.status}`);
      const parsed: unknown = JSON.parse(text);
      if (!isRecord(parsed)) throw new Error('the answer is no JSON object');
      return parsed;
    },
    async checkEndpoint(url) {
      const good = await signed(url, ping());
      const text = await good.text();
      const isJson = (good.headers.get('content-type') ?? '').startsWith('application/json');
      if (good.status !== 200 || !isJson || JSON.parse(text).type !== 1)
        throw new Error(`${url} did not answer PING with PONG (HTTP ${good.status})`);
      const body = JSON.stringify(ping());
      const timestamp = String(Math.floor(core.now() / 1000));
      const valid = signature(timestamp, body);
      const forged = (valid.startsWith('0') ? '1' : '0') + valid.slice(1);
      const bad: Record<string, string>[] = [
        { 'x-signature-ed25519': forged, 'x-signature-timestamp': timestamp },
        { 'x-signature-ed25519': valid, 'x-signature-timestamp': String(Number(timestamp) - 1) },
        { 'x-signature-ed25519': 'zz', 'x-signature-timestamp': timestamp },
        {},
      ];
      for (const headers of bad) {
        const response = await post(url, body, headers);
        await response.arrayBuffer();
        if (response.status !== 401)
          throw new Error(`${url} answered a bad signature with HTTP ${response.status}, which must be 401`);
      }
    },
  };
}
