import type { Shown } from './card-clock.ts';
import { emptyRunView, type RunView } from './run-view.ts';

/** A run on its way into cards. */
export interface Entry {
  view: RunView;
  /** Where the database stands. */
  from: number;
  /** What was put last, by key, so that what has not changed is not put again. */
  put: Map<string, string>;
  putAt: number;
  /** Something people act on is new; otherwise only output is. */
  urgent: boolean;
  /** Ask for cards although no event is new. */
  refresh: boolean;
  notBefore: number;
  shown: Shown;
}

/** A run of which nothing is folded yet. `from`: where the database stands. */
export function fresh(run: string, from: number): Entry {
  return {
    view: emptyRunView(run),
    from,
    put: new Map(),
    putAt: Number.NEGATIVE_INFINITY,
    urgent: false,
    refresh: false,
    notBefore: 0,
    shown: { clock: 0, place: 0 },
  };
}

/** How long output is gathered before a card shows it: a second alone, up to ten with many runs. */
export function progressInterval(liveRuns: number): number {
  return Math.min(10_000, Math.max(1000, liveRuns * 50));
}
