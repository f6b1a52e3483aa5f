import { createHash, randomBytes } from 'node:crypto';

/** Snowflakes: 64-bit ids as text, whose upper bits are the time. */

/** Milliseconds since 1970 at which Discord's time begins. */
export const DISCORD_EPOCH = 1_420_070_400_000;
const MAX = 2n ** 63n - 1n;

export interface Snowflakes {
  next(): string;
  /** Later ids are greater than this one. */
  seen(id: string): void;
}

/** Hands out ids that are unique and ordered as handed out, even where the clock stands still or steps back. */
export function createSnowflakes(now: () => number): Snowflakes {
  let last = 0n;
  return {
    next() {
      const atNow = BigInt(Math.floor(now()) - DISCORD_EPOCH) << 22n;
      last = atNow > last ? atNow : last + 1n;
      return String(last);
    },
    seen(id) {
      const value = BigInt(id);
      if (value > last) last = value;
    },
  };
}

/** When the id was made, milliseconds since 1970. */
export function timeOf(id: string): number {
  return Number(BigInt(id) >> 22n) + DISCORD_EPOCH;
}

export function compareIds(a: string, b: string): number {
  if (a.length !== b.length) return a.length - b.length;
  return a < b ? -1 : a > b ? 1 : 0;
}

export function isSnowflake(value: unknown): value is string {
  return typeof value === 'string' && /^\d{1,19}$/.test(value) && BigInt(value) <= MAX;
}

/** An id for something that has none of its own: the same for the same text. */
export function snowflakeOf(text: string): string {
  return String(createHash('sha256').update(text).digest().readBigUInt64BE() >> 1n);
}

/** Random characters as they stand in tokens. */
export function secret(bytes = 24): string {
  return randomBytes(bytes).toString('base64url');
}
