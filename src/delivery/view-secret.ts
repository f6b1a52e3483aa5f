import type { View } from '../contracts/view.ts';

/** Stands in code blocks of a view for what `View.secret` holds sealed. */
export const secretPlace = '[shown once]';
/** What a secret of a view is bound to when it is sealed: see SecretBox. */
export const viewSecretContext = 'secret of a view';

/** The view as the person is shown it. Throws when its secret cannot be opened: it is then not sent at all. */
export function withSecret(view: View, open: ((sealed: string) => string) | undefined): View {
  const { secret, ...rest } = view;
  if (secret === undefined) return view;
  if (open === undefined) throw new Error('this sender opens no secrets');
  const opened = open(secret);
  const blocks = view.blocks.map((block) =>
    block.type === 'code' ? { ...block, text: block.text.replaceAll(secretPlace, () => opened) } : block,
  );
  return { ...rest, blocks };
}
