import type { Tx } from '../store/database.ts';
import { eventsAfter } from '../store/projection.ts';
import { foldRuns, type RunView } from './run-view.ts';

const eventsAtOnce = 500;

/** Folds into a view all that its run has logged since. */
export async function readOn(db: Tx['db'], known: RunView): Promise<RunView> {
  let view = known;
  for (;;) {
    const events = (await eventsAfter(db, [{ run: view.run, after: view.seq }], eventsAtOnce)).get(view.run) ?? [];
    view = foldRuns(view, events);
    if (events.length < eventsAtOnce) return view;
  }
}
