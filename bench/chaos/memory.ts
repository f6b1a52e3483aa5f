/** One look at the memory of a process. */
export interface Look {
  /** Milliseconds of the clock that never jumps. */
  at: number;
  /** Milliseconds since the process was ready. */
  age: number;
  megabytes: number;
}

export interface MemoryVerdict {
  /** Middle of the looks in the first and in the last quarter of the run; undefined: it never lived long enough there. */
  first: number | undefined;
  last: number | undefined;
  most: number;
  verdict: 'flat' | 'grows' | 'not enough looks';
}

/** What a process has only just loaded is not counted. Milliseconds. */
export const settledAfterMs = 20_000;
/** What may come on top of the first quarter until the last: the larger of both. */
export const mayGrow = { share: 0.25, megabytes: 40 } as const;
const fewest = 3;

/** Whether the memory of a process, which was started anew many times, has grown from the first quarter of a time to the last. */
export function memoryVerdict(looks: readonly Look[], from: number, to: number): MemoryVerdict {
  const quarter = (to - from) / 4;
  const middle = (begin: number, end: number) => {
    const found = looks
      .filter(({ at, age }) => at >= begin && at <= end && age >= settledAfterMs)
      .map(({ megabytes }) => megabytes);
    return found.length < fewest ? undefined : found.toSorted((one, other) => one - other)[Math.floor(found.length / 2)];
  };
  const first = middle(from, from + quarter);
  const last = middle(to - quarter, to);
  const most = Math.max(0, ...looks.map(({ megabytes }) => megabytes));
  if (first === undefined || last === undefined) return { first, last, most, verdict: 'not enough looks' };
  const grows = last - first > Math.max(mayGrow.megabytes, first * mayGrow.share);
  return { first, last, most, verdict: grows ? 'grows' : 'flat' };
}
