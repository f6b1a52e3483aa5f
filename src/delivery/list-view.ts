import { type Button, bold, plain, type Span, type View } from '../contracts/view.ts';
import { marked } from './error-view.ts';
import { plainText } from './plain-text.ts';

/** A short answer. `…` in it means code. */
export function textView(text: string, buttons: readonly Button[] = []): View {
  return withFallback([{ type: 'text', spans: marked(text) }, ...buttonBlock(buttons)]);
}

/** A titled list, one entry a line. `empty` says what to do when there is nothing in it. */
export function listView(options: {
  title: string;
  entries: readonly (readonly Span[])[];
  empty: string;
  buttons?: readonly Button[] | undefined;
}): View {
  const { title, entries, empty, buttons = [] } = options;
  const body: View['blocks'] =
    entries.length === 0
      ? [{ type: 'text', spans: marked(empty) }]
      : [{ type: 'text', spans: entries.flatMap((entry, at) => [...(at === 0 ? [] : [plain('\n')]), ...entry]) }];
  return withFallback([{ type: 'text', spans: [bold(title)] }, ...body, ...buttonBlock(buttons)]);
}

/** A view of these blocks whose fallback is their text. */
export function withFallback(blocks: View['blocks'], files?: View['files']): View {
  const fallback = blocks
    .map((block) => plainText(block))
    .filter((text) => text !== '')
    .join('\n');
  return { fallback: fallback === '' ? 'Deckhand' : fallback, blocks, ...(files === undefined ? {} : { files }) };
}

function buttonBlock(buttons: readonly Button[]): View['blocks'] {
  return buttons.length === 0 ? [] : [{ type: 'buttons', buttons: [...buttons] }];
}
