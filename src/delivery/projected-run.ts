import type { RunEvent, RunEventType } from '../contracts/run-event.ts';
import type { Shown } from './card-clock.ts';
import { createRunFigures, type RunFigure, type RunFigures } from './run-figures.ts';
import { emptyRunView, type RunView } from './run-view.ts';

/** What comes all the time while a run goes on: nobody acts on it, so it is gathered. */
export const progress: ReadonlySet<RunEventType> = new Set([
  'output',
  'assistant',
  'thinking',
  'tool',
  'tool_ended',
  'checklist',
  'usage',
  'session',
  'conversation',
]);

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
  figures: RunFigures;
  /** When the first event happened that no card shows yet; undefined: all are shown. */
  behindSince: Date | undefined;
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
    figures: createRunFigures(),
    behindSince: undefined,
  };
}

/** How long output is gathered before a card shows it: a second alone, up to ten with many runs. */
export function progressInterval(liveRuns: number): number {
  return Math.min(10_000, Math.max(1000, liveRuns * 50));
}

/** Notes what is to be counted of events that were folded into the view. */
export function countEvents(entry: Entry, events: readonly RunEvent[]): void {
  for (const event of events) entry.figures.fold(event, event.seq <= entry.from);
  entry.behindSince ??= events.find(({ seq }) => seq > entry.from)?.at;
}

/** What is to be counted now that cards show everything up to `to`. */
export function takeFigures(entry: Entry, to: number, now: Date): RunFigure[] {
  const figures = entry.figures.take(to);
  if (entry.behindSince !== undefined) {
    const seconds = Math.max(0, (now.getTime() - entry.behindSince.getTime()) / 1000);
    figures.push({ what: 'shown', gathered: !entry.urgent, seconds });
  }
  entry.behindSince = undefined;
  return figures;
}
