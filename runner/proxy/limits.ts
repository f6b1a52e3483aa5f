/** So many a second, and so many at once after a pause. Milliseconds of a clock that only goes forward. */
export function createRate(perSecond: number, burst: number, now: () => number = () => performance.now()) {
  let left = burst;
  let at = now();
  /** Takes one; false: there is none now. */
  return (): boolean => {
    const time = now();
    left = Math.min(burst, left + ((time - at) / 1000) * perSecond);
    at = time;
    if (left < 1) return false;
    left -= 1;
    return true;
  };
}

/** An amount that several share: requests at once, bytes held in memory. */
export function createShare(most: number) {
  let taken = 0;
  return {
    /** False: so much is not left, and nothing is taken. */
    take(amount: number): boolean {
      if (taken + amount > most) return false;
      taken += amount;
      return true;
    },
    give(amount: number): void {
      taken -= amount;
    },
  };
}

export type Share = ReturnType<typeof createShare>;

/** What one run may ask of its gateway. Far above what agents do; it keeps a hostile one from taking the runner away from others. */
export interface RunLimits {
  /** Requests to models, paid or not. */
  rate(): boolean;
  /** Requests that count tokens. */
  countRate(): boolean;
  /** Requests under way or held. */
  requests: Share;
  /** Bytes of request bodies in memory. */
  bytes: Share;
  /** Streams of inputs. */
  inputs: Share;
}

export const atOnce = 64;

export function createRunLimits(): RunLimits {
  return {
    rate: createRate(20, 120),
    countRate: createRate(20, 20),
    requests: createShare(atOnce),
    bytes: createShare(128 * 1024 * 1024),
    inputs: createShare(8),
  };
}
