import { createHash, randomBytes } from 'node:crypto';
import { crc32 } from 'node:zlib';

/**
 * `dhp_`, 32 random bytes, a checksum: 53 letters and digits that programs which look for leaked secrets can recognise without asking
 * anybody, and that a double click selects whole.
 */
const prefix = 'dhp_';
const secretBytes = 32;
const digits = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';
/** 62 to the power of 43 is more than 2 to the power of 256, and to the power of 6 more than 2 to the power of 32. */
const secretLength = 43;
const checksumLength = 6;
const shape = new RegExp(`^${prefix}[0-9A-Za-z]{${secretLength + checksumLength}}$`);

/** A new token. It is given out once; only its hash is to be stored. */
export function newAccessToken(): string {
  const secret = base62(BigInt(`0x${randomBytes(secretBytes).toString('hex')}`), secretLength);
  return `${prefix}${secret}${checksum(secret)}`;
}

/** Whether a text can be a token at all: what is cut off or mistyped is known without looking it up. */
export function isAccessToken(text: string): boolean {
  if (!shape.test(text)) return false;
  const secret = text.slice(prefix.length, -checksumLength);
  return checksum(secret) === text.slice(-checksumLength);
}

/**
 * What is stored of a token, hexadecimal. A plain SHA-256: 256 random bits cannot be guessed however quick each guess is, which is what slow
 * hashes of passwords are for. How long a look-up takes tells about hashes alone, and nobody can choose the hash of what they send.
 */
export function accessTokenHash(token: string): string {
  return createHash('sha256').update(token).digest('hex');
}

function checksum(secret: string): string {
  return base62(BigInt(crc32(`${prefix}${secret}`)), checksumLength);
}

function base62(value: bigint, length: number): string {
  let text = '';
  for (let rest = value; text.length < length; rest /= 62n) text = digits.charAt(Number(rest % 62n)) + text;
  return text;
}
