/** How often what has happened. */
export type Counts = Map<string, number>;

export function count(counts: Counts, what: string, times = 1): void {
  counts.set(what, (counts.get(what) ?? 0) + times);
}
