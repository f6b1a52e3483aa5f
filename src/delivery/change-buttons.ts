import { encodePress } from '../contracts/press.ts';
import type { Button } from '../contracts/view.ts';

/** What can be done with the change of a run now, on the card of its end or where its lines are read. */
export function changeButtons({ run, where }: { run: string; newest: boolean; where: 'end' | 'diff' }): Button[] {
  if (where === 'diff') return [];
  return [{ token: encodePress({ kind: 'change', run, verb: 'review' }), label: 'Review diff', style: 'default' }];
}
