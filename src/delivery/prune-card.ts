import type { Freed } from '../contracts/housekeeping.ts';
import { plain, type View } from '../contracts/view.ts';
import { withFallback } from './list-view.ts';
import { bytes, count } from './units.ts';

/** What an order to delete finished things has come to. `waiting`: runners that have not carried it out yet. */
export function pruneCard(freed: Freed, waiting: number): View {
  const over = waiting === 0;
  const state = over
    ? { text: '✔ done', tone: 'good' as const }
    : { text: `● ${count(waiting, 'runner')} at work`, tone: 'active' as const };
  return withFallback([
    { type: 'title', spans: [plain('Deleting what is finished')], state },
    ...(over || freed.files + freed.commits > 0 ? [{ type: 'text' as const, spans: [plain(freedText(freed))] }] : []),
    { type: 'context', spans: [plain('What runs, waits, is to be decided about or was left within the last day stays.')] },
  ]);
}

/** "12 MB freed: files of 3 runs, commits of 1 task." */
export function freedText({ files, commits, bytes: size }: Freed): string {
  if (files + commits === 0) return 'There was nothing to delete.';
  const parts = [
    ...(files === 0 ? [] : [`files of ${count(files, 'run')}`]),
    ...(commits === 0 ? [] : [`commits of ${count(commits, 'task')}`]),
  ];
  return `${bytes(size)} freed: ${parts.join(', ')}.`;
}
