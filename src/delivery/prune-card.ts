import type { Freed } from '../contracts/housekeeping.ts';
import { plain, type View } from '../contracts/view.ts';
import { marked } from './error-view.ts';
import { withFallback } from './list-view.ts';
import { bytes, count } from './units.ts';

/**
 * What an order to delete finished things has come to. `waiting`: runners that have not carried it out yet; `missed`: those that went away
 * before they did.
 */
export function pruneCard(freed: Freed, waiting: number, missed: number): View {
  const any = freed.files + freed.commits > 0;
  const all = missed === 0;
  return withFallback([
    { type: 'title', spans: [plain('Deleting what is finished')], state: stateOf(waiting, missed) },
    ...(any || (waiting === 0 && all) ? [{ type: 'text' as const, spans: [plain(freedText(freed))] }] : []),
    ...(all ? [] : [{ type: 'text' as const, spans: marked(missedText(missed)) }]),
    { type: 'context', spans: [plain('What runs, waits, is to be decided about or was left within the last day stays.')] },
  ]);
}

function stateOf(waiting: number, missed: number) {
  if (waiting > 0) return { text: `● ${count(waiting, 'runner')} at work`, tone: 'active' as const };
  return missed === 0 ? { text: '✔ done', tone: 'good' as const } : { text: '✖ not everywhere', tone: 'bad' as const };
}

function missedText(missed: number): string {
  const gone = missed === 1 ? '1 runner went away before it was done' : `${missed} runners went away before they were done`;
  return `${gone}: what is finished may still be there. Say \`copies prune\` again when ${missed === 1 ? 'it is' : 'they are'} back.`;
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
