import { createHash, timingSafeEqual } from 'node:crypto';
import type { IncomingMessage } from 'node:http';

/** Tells whether a request carries one of the tokens, in any of the places where clients put it; compared by hashes in constant time. */
export function createTokenCheck(tokens: readonly string[]): (request: IncomingMessage) => boolean {
  const expected = tokens.map(digest);
  return (request) => tokensOf(request).some((given) => expected.some((one) => timingSafeEqual(digest(given), one)));
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
