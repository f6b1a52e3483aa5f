import { encodePress } from '../contracts/press.ts';
import { bold, plain, type Span, type View } from '../contracts/view.ts';
import { marked } from '../delivery/error-view.ts';
import { withFallback } from '../delivery/list-view.ts';
import { pageBlocks } from './fitting-buttons.ts';

const pageSize = 10;

/**
 * A page of things that have names, one line each, with a select that shows one of them. `command`: what they are called in commands,
 * as in `folder list` and `folder show`; `line`: what is said behind the name.
 */
export function pagedList<T extends { name: string }>(
  title: string,
  all: readonly T[],
  { page, command, empty }: { page: number; command: 'folder' | 'team' | 'bundle'; empty: string },
  line: (one: T) => readonly Span[],
): View {
  const last = Math.max(1, Math.ceil(all.length / pageSize));
  const shown = all.slice((page - 1) * pageSize, page * pageSize);
  const again = (to: number) => `${command} list${to === 1 ? '' : ` page=${to}`}`;
  return withFallback([
    { type: 'text', spans: [bold(`${title} · ${all.length}${last > 1 ? ` · page ${page} of ${last}` : ''}`)] },
    shown.length === 0
      ? { type: 'text', spans: marked(page > 1 ? 'There are no more.' : empty) }
      : { type: 'text', spans: shown.flatMap((one, at) => [plain(at === 0 ? '' : '\n'), bold(one.name), ...line(one)]) },
    ...(shown.length === 0
      ? []
      : [
          {
            type: 'select' as const,
            token: encodePress({ kind: 'command', text: `${command} show` }),
            placeholder: 'Show…',
            options: shown.map(({ name }) => ({ value: name, label: name })),
          },
        ]),
    ...pageBlocks({ page, last }, { before: 'Back', after: 'More' }, again),
  ]);
}
