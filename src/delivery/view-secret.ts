import type { View } from '../contracts/view.ts';

/** Stands in code blocks and addresses of links of a view for what `View.secret` holds sealed. Fits into an address. */
export const secretPlace = '[shown_once]';
/** What a secret of a view is bound to when it is sealed: see SecretBox. */
export const viewSecretContext = 'secret of a view';

/** The view as the person is shown it. Throws when its secret cannot be opened: it is then not sent at all. */
export function withSecret(view: View, open: ((sealed: string) => string) | undefined): View {
  const { secret, ...rest } = view;
  if (secret === undefined) return view;
  if (open === undefined) throw new Error('this sender opens no secrets');
  const opened = open(secret);
  const place = (text: string) => text.replaceAll(secretPlace, () => opened);
  const blocks = view.blocks.map((block) => {
    if (block.type === 'code') return { ...block, text: place(block.text) };
    if (block.type !== 'text') return block;
    return { ...block, spans: block.spans.map((span) => (span.type === 'link' ? { ...span, url: place(span.url) } : span)) };
  });
  return { ...rest, blocks };
}
