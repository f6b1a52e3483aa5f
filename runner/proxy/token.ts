import { createHash, timingSafeEqual } from 'node:crypto';
import type { IncomingMessage } from 'node:http';

/** Tells whether a request carries the token, in any of the places where clients put it; compared by hashes in constant time. */
export function createTokenCheck(token: string): (request: IncomingMessage) => boolean {
  const expected = digest(token);
  return (request) => tokensOf(request).some((given) => timingSafeEqual(digest(given), expected));
}

function tokensOf({ headers }: IncomingMessage): string[] {
  const key = headers['x-api-key'];
  const bearer = /^Bearer (\S+)$/i.exec(headers.authorization ?? '')?.[1];
  const basic = /^Basic (\S+)$/i.exec(headers['proxy-authorization'] ?? '')?.[1];
  const password = basic === undefined ? undefined : Buffer.from(basic, 'base64').toString('utf8').split(':').slice(1).join(':');
  return [typeof key === 'string' ? key : undefined, bearer, password].filter((one) => one !== undefined);
}

function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}
