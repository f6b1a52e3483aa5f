/** One look at the memory of a process. */
export interface Look {
  /** Milliseconds of the clock that never jumps. */
  at: number;
  /** Milliseconds since the process was ready. */
  age: number;
  megabytes: number;
}

export interface MemoryVerdict {
  /** Middle of the looks in the first and in the last quarter of the run, in MB; undefined: it never lived long enough there. */
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

/**
 * Whether the memory of a process, which was started anew many times, has grown from the first quarter of a time to the last. Processes of
 * the same age are compared: one that has worked for a while needs more than one that was just started. An age counts twice as long as the
 * one before.
 */
export function memoryVerdict(looks: readonly Look[], from: number, to: number): MemoryVerdict {
  const quarter = (to - from) / 4;
  const within = (begin: number, end: number) => looks.filter(({ at, age }) => at >= begin && at <= end && age >= settledAfterMs);
  const early = within(from, from + quarter);
  const late = within(to - quarter, to);
  const most = Math.max(0, ...looks.map(({ megabytes }) => megabytes));
  const lateByAge = Map.groupBy(late, ageOf);
  const pairs = [...Map.groupBy(early, ageOf)].flatMap(([age, before]) => {
    const after = lateByAge.get(age) ?? [];
    return before.length < fewest || after.length < fewest
      ? []
      : [{ first: middle(before), last: middle(after), looks: after.length }];
  });
  // The age of which most is known.
  const [pair] = pairs.toSorted((one, other) => other.looks - one.looks);
  if (pair === undefined) {
    const shown = (found: Look[]) => (found.length < fewest ? undefined : middle(found));
    return { first: shown(early), last: shown(late), most, verdict: 'not enough looks' };
  }
  const { first, last } = pair;
  return { first, last, most, verdict: last - first > Math.max(mayGrow.megabytes, first * mayGrow.share) ? 'grows' : 'flat' };
}

/** 0 for the first time that counts, 1 for one twice as long after it, and so on. From ten minutes on it makes no difference. */
function ageOf({ age }: Look): number {
  return Math.min(5, Math.floor(Math.log2(age / settledAfterMs)));
}

function middle(looks: readonly Look[]): number {
  const sorted = looks.map(({ megabytes }) => megabytes).toSorted((one, other) => one - other);
  return sorted[Math.floor(sorted.length / 2)] ?? 0;
}
