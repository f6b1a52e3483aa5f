import { randomBytes } from 'node:crypto';
import type { IdByPrefix, IdPrefix } from '../contracts/ids.ts';

/** Crockford's base32 in lower case: no i, l, o, u. In byte order, so encoded ids sort as their numbers do. */
const alphabet = '0123456789abcdefghjkmnpqrstvwxyz';
const bodyLength = 26;
const shape = /^([a-z]{3})_([0-7][0-9a-hjkmnp-tv-z]{25})$/;

/** 12 bits that count up within one millisecond, so that ids made by this process sort in the order they were made. */
let lastMs = 0;
let counter = 0;

/**
 * A new id: prefix, `_`, a UUIDv7 (RFC 9562) as 26 characters. Ids of one process are strictly increasing, those of several sort
 * by the millisecond they were made in.
 */
export function newId<P extends IdPrefix>(prefix: P): IdByPrefix[P] {
  return `${prefix}_${encode(uuidV7(Date.now()))}` as IdByPrefix[P];
}

/** True when `text` is an id with this prefix. Says nothing about whether something with that id exists. */
export function isId<P extends IdPrefix>(prefix: P, text: string): text is IdByPrefix[P] {
  return shape.exec(text)?.[1] === prefix;
}

/** Prefix, time and UUID of an id, or undefined when `text` is none. */
export function parseId(text: string): { prefix: string; createdAt: Date; uuid: string } | undefined {
  const match = shape.exec(text);
  if (match?.[1] === undefined || match[2] === undefined) return undefined;
  const value = decode(match[2]);
  const hex = value.toString(16).padStart(32, '0');
  return {
    prefix: match[1],
    createdAt: new Date(Number(value >> 80n)),
    uuid: `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`,
  };
}

/** Smaller than every id with this prefix that is made from that moment on. */
export function idBefore(prefix: IdPrefix, at: Date): string {
  return `${prefix}_${encode(BigInt(at.getTime()) << 80n)}`;
}

function uuidV7(nowMs: number): bigint {
  if (nowMs > lastMs) {
    lastMs = nowMs;
    counter = randomBytes(2).readUInt16BE() & 0x7ff; // half of the range stays free for counting up
  } else {
    counter += 1; // also when the clock went back: the last time is kept
    if (counter > 0xfff) {
      lastMs += 1;
      counter = 0;
    }
  }
  const random = randomBytes(8).readBigUInt64BE() & 0x3fffffffffffffffn;
  return (BigInt(lastMs) << 80n) | (0x7n << 76n) | (BigInt(counter) << 64n) | (0b10n << 62n) | random;
}

function encode(value: bigint): string {
  let text = '';
  let rest = value;
  for (let i = 0; i < bodyLength; i += 1) {
    text = alphabet.charAt(Number(rest & 31n)) + text;
    rest >>= 5n;
  }
  return text;
}

function decode(text: string): bigint {
  let value = 0n;
  for (const char of text) value = (value << 5n) | BigInt(alphabet.indexOf(char));
  return value;
}
