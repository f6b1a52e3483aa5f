import { isIPv6 } from 'node:net';
import { createMinuteWindows } from './minute-windows.ts';

/** Counts requests without a good token by the address they come from, so that nobody can try tokens at leisure or keep the database busy. */
export interface BadTokens {
  /** How long this address has to wait, in seconds; undefined: it need not. */
  wait(address: string): number | undefined;
  note(address: string): void;
}

export const mostInWindow = 60;

export function createBadTokens(now: () => number): BadTokens {
  const windows = createMinuteWindows(now);
  return {
    wait(address) {
      const { count, seconds } = windows.look(placeOf(address));
      return count < mostInWindow ? undefined : seconds;
    },
    note: (address) => void windows.note(placeOf(address)),
  };
}

/** Whoever has an IPv6 address has all of its network: those count as one. */
function placeOf(address: string): string {
  if (!isIPv6(address) || address.startsWith('::ffff:')) return address;
  const [head = '', tail = ''] = address.split('::');
  const first = head === '' ? [] : head.split(':');
  const last = tail === '' ? [] : tail.split(':');
  const zeros = address.includes('::') ? 8 - first.length - last.length : 0;
  return [...first, ...Array.from({ length: zeros }, () => '0'), ...last].slice(0, 4).join(':');
}
