import type { Database } from '../store/database.ts';
import { changingRuns } from '../store/projection.ts';

/** What of a card changes by itself, as it was shown last. */
export interface Shown {
  /** How many marks of the clock have passed since the command started. */
  clock: number;
  /** Place in the queue of the project; 0: not shown yet. */
  place: number;
}

const minute = 60_000;
/** A card shows how long its command runs; between events it is brought up to date at these moments, then every half hour. */
const marks = [1, 2, 5, 10, 20, 30].map((minutes) => minutes * minute);
const later = 30 * minute;
/** Up to this place every step forward is shown; behind it only when the place has halved. */
const near = 5;

/** Runs whose cards are out of date though nothing was logged: few enough that they cost hardly any platform calls. */
export async function changedByThemselves(
  database: Database,
  now: Date,
  shownOf: (run: string) => Shown | undefined,
): Promise<{ run: string; shown: Shown }[]> {
  const { executing, queued } = await changingRuns(database);
  const clocks = executing.flatMap(({ run, startedAt }) => {
    const clock = clockMark(now.getTime() - startedAt.getTime());
    const shown = shownOf(run);
    return clock > (shown?.clock ?? 0) ? [{ run, shown: { clock, place: shown?.place ?? 0 } }] : [];
  });
  const ahead = new Map<string, number>();
  const places = queued.flatMap(({ run, project }) => {
    const place = (ahead.get(project) ?? 0) + 1;
    ahead.set(project, place);
    const shown = shownOf(run);
    return worthShowing(place, shown?.place ?? 0) ? [{ run, shown: { clock: shown?.clock ?? 0, place } }] : [];
  });
  return [...clocks, ...places];
}

export function clockMark(elapsedMs: number): number {
  const passed = marks.filter((mark) => elapsedMs >= mark).length;
  const last = marks.at(-1) ?? 0;
  return passed < marks.length ? passed : marks.length + Math.floor((elapsedMs - last) / later);
}

export function worthShowing(place: number, shown: number): boolean {
  if (place === shown) return false;
  return shown === 0 || place <= near || place <= shown / 2;
}
