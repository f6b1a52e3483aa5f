import { createAddressLimits } from './address-limits.ts';

/**
 * Limits requests to endpoints of platforms that do not prove themselves. What is signed is never limited, however much it is: a platform that
 * is refused would deliver again and again, and then turn its webhook off.
 */
export interface UnsignedLimits {
  /** Throws DH-225 for an address that has sent too much without a good signature. */
  check(address: string): void;
  /** How a request from this address was answered. */
  note(address: string, status: number): void;
}

/** Addresses that have lately proved themselves: behind a proxy that is not trusted that is everybody, and one bad caller must not cut off the platform. */
const mostGood = 1000;
const goodForMs = 60 * 60_000;

export function createUnsignedLimits(now: () => number = () => performance.now()): UnsignedLimits {
  const limits = createAddressLimits('Too many requests without a good signature come from your address.');
  const goodAt = new Map<string, number>();
  return {
    check(address) {
      if (now() - (goodAt.get(address) ?? Number.NEGATIVE_INFINITY) >= goodForMs) limits.check(address);
    },
    note(address, status) {
      if (status === 401 || status === 403) limits.note(address);
      else if (status < 300) {
        if (goodAt.size >= mostGood) goodAt.clear();
        goodAt.set(address, now());
      }
    },
  };
}
