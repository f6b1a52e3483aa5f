import { isIPv6 } from 'node:net';

/** Counts requests without a good token by the address they come from, so that nobody can try tokens at leisure or keep the database busy. */
export interface BadTokens {
  /** How long this address has to wait, in seconds; undefined: it need not. */
  wait(address: string): number | undefined;
  note(address: string): void;
}

const windowMs = 60_000;
export const mostInWindow = 60;
const mostAddresses = 10_000;

export function createBadTokens(now: () => number): BadTokens {
  const windows = new Map<string, { since: number; count: number }>();
  const current = (address: string) => {
    const window = windows.get(placeOf(address));
    return window === undefined || now() - window.since >= windowMs ? undefined : window;
  };
  return {
    wait(address) {
      const window = current(address);
      if (window === undefined || window.count < mostInWindow) return undefined;
      return Math.max(1, Math.ceil((window.since + windowMs - now()) / 1000));
    },
    note(address) {
      const window = current(address);
      if (window !== undefined) window.count += 1;
      else {
        const place = placeOf(address);
        windows.delete(place);
        windows.set(place, { since: now(), count: 1 });
        // The oldest come first.
        const [oldest] = windows.keys();
        if (windows.size > mostAddresses && oldest !== undefined) windows.delete(oldest);
      }
    },
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
