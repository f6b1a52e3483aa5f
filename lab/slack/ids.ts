import { randomBytes } from 'node:crypto';

const ALPHABET = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ';

/** A Slack-like id: prefix and `length` random upper-case letters or digits. */
export function newId(prefix: string, length = 10): string {
  let id = prefix;
  for (const byte of randomBytes(length)) id += ALPHABET.charAt(byte % ALPHABET.length);
  return id;
}

/** Random lower-case hex, for the secret part of triggers, tickets and response URLs. */
export function secret(bytes = 16): string {
  return randomBytes(bytes).toString('hex');
}

/** Hands out `seconds.micros` timestamps: unique, and ordered as handed out, even where the clock stands still or steps back. */
export function createTsClock(now: () => number): { next(): string; seen(ts: string): void } {
  let last = 0;
  return {
    next() {
      last = Math.max(last + 1, now() * 1000);
      return formatTs(last);
    },
    seen(ts) {
      last = Math.max(last, microsOf(ts));
    },
  };
}

/** Microseconds since 1970; exact for every real timestamp (below 2^53). */
export function microsOf(ts: string): number {
  const [seconds = '0', micros = '0'] = ts.split('.');
  return Number(seconds) * 1_000_000 + Number(micros.padEnd(6, '0').slice(0, 6));
}

export function compareTs(a: string, b: string): number {
  return microsOf(a) - microsOf(b);
}

export function isTs(value: unknown): value is string {
  return typeof value === 'string' && /^\d{1,12}\.\d{6}$/.test(value);
}

function formatTs(micros: number): string {
  const seconds = Math.floor(micros / 1_000_000);
  return `${seconds}.${String(micros - seconds * 1_000_000).padStart(6, '0')}`;
}
