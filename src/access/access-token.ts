import { createHash, randomBytes } from 'node:crypto';
import { crc32 } from 'node:zlib';
import type { TokenKind } from '../contracts/access-token.ts';

/**
 * `dhp_` (of a person) or `dhs_` (of a service), 32 random bytes, a checksum: 53 letters and digits that programs which look for leaked secrets can recognise without asking
 * anybody, and that a double click selects whole.
 */
const prefixes = { personal: 'dhp_', service: 'dhs_' } as const satisfies Record<TokenKind, string>;
const secretBytes = 32;
const digits = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';
/** 62 to the power of 43 is more than 2 to the power of 256, and to the power of 6 more than 2 to the power of 32. */
const secretLength = 43;
const checksumLength = 6;
const shape = new RegExp(`^(dhp_|dhs_)([0-9A-Za-z]{${secretLength}})([0-9A-Za-z]{${checksumLength}})$`);

/** A new token. It is given out once; only its hash is to be stored. */
export function newAccessToken(kind: TokenKind = 'personal'): string {
  const prefix = prefixes[kind];
  const secret = base62(BigInt(`0x${randomBytes(secretBytes).toString('hex')}`), secretLength);
  return `${prefix}${secret}${checksum(prefix, secret)}`;
}

/** Whether a text can be a token at all: what is cut off or mistyped is known without looking it up. */
export function isAccessToken(text: string): boolean {
  const [, prefix = '', secret = '', sum] = shape.exec(text) ?? [];
  return sum !== undefined && checksum(prefix, secret) === sum;
}

/**
 * What is stored of a token, hexadecimal. A plain SHA-256: 256 random bits cannot be guessed however quick each guess is, which is what slow
 * hashes of passwords are for. How long a look-up takes tells about hashes alone, and nobody can choose the hash of what they send.
 */
export function accessTokenHash(token: string): string {
  return createHash('sha256').update(token).digest('hex');
}

function checksum(prefix: string, secret: string): string {
  return base62(BigInt(crc32(`${prefix}${secret}`)), checksumLength);
}

function base62(value: bigint, length: number): string {
  let text = '';
  for (let rest = value; text.length < length; rest /= 62n) text = digits.charAt(Number(rest % 62n)) + text;
  return text;
}

/** How a token begins, by which people tell the kinds apart. */
export function tokenPrefix(kind: TokenKind): string {
  return prefixes[kind];
}
