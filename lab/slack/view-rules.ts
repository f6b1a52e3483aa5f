import { invalidArguments, SlackApiError } from './api-error.ts';
import { plainText } from './block-objects.ts';
import { checkBlocks, storedBlocks } from './blocks.ts';
import type { Core } from './core.ts';
import { isRecord, type Json } from './json.ts';
import { isUsableImage } from './message-args.ts';
import type { View } from './model.ts';
import { all, anything, boolean, type Check, type Context, fail, object, oneOf, string } from './schema.ts';

/** Modals and App Home views: what Slack accepts, and the part of a stored view the app decides. */

export type ViewContent = Pick<
  View,
  | 'type'
  | 'blocks'
  | 'callback_id'
  | 'private_metadata'
  | 'external_id'
  | 'title'
  | 'submit'
  | 'close'
  | 'clear_on_close'
  | 'notify_on_close'
  | 'submit_disabled'
>;

const MAX_VIEW_JSON = 250_000;

const shared = { callback_id: string({ max: 255 }), external_id: string({ max: 255 }), private_metadata: string({ max: 3000 }) };
const homeView = object({ type: oneOf('home'), blocks: anything }, { ...shared });
const modalView: Check = all(
  object(
    { type: oneOf('modal'), title: plainText(24), blocks: anything },
    {
      ...shared,
      submit: plainText(24),
      close: plainText(24),
      clear_on_close: boolean,
      notify_on_close: boolean,
      submit_disabled: boolean,
    },
  ),
  inputsNeedSubmit,
);

function inputsNeedSubmit(view: unknown, at: string, context: Context): void {
  if (!isRecord(view) || view.submit !== undefined || !Array.isArray(view.blocks)) return;
  const index = view.blocks.findIndex((block) => isRecord(block) && block.type === 'input');
  if (index >= 0) fail(context, `${at}/blocks/${index}/input`, 'must define `submit` to use an `input` block in modals');
}

/** Checks a view as sent by the app. Throws `invalid_arguments` or `view_too_large`. */
export function readView(core: Core, value: unknown, type: View['type']): ViewContent {
  if (!isRecord(value)) throw invalidArguments('must provide an object [json-pointer:/view]');
  const problems = checkView(core, value, type);
  if (problems.length > 0) throw invalidArguments(...problems);
  if (JSON.stringify(value).length > MAX_VIEW_JSON) throw new SlackApiError('view_too_large');
  const [title, submit, close] = [value.title, value.submit, value.close].map((entry) =>
    isRecord(entry) ? withEmoji(entry) : undefined,
  );
  return {
    type,
    blocks: storedBlocks(value.blocks),
    callback_id: textOf(value.callback_id),
    private_metadata: textOf(value.private_metadata),
    external_id: textOf(value.external_id),
    title,
    submit,
    close,
    clear_on_close: value.clear_on_close === true,
    notify_on_close: value.notify_on_close === true,
    submit_disabled: value.submit_disabled === true,
  };
}

function checkView(core: Core, value: Json, type: View['type']): string[] {
  const usableImage = (reference: { id?: string; url?: string }) => isUsableImage(core, reference);
  const context: Context = { surface: type, problems: [], usableImage };
  (type === 'modal' ? modalView : homeView)(value, '/view', context);
  return [...context.problems, ...checkBlocks(value.blocks ?? [], '/view/blocks', { surface: type, usableImage })];
}

function withEmoji(text: Json): Json {
  return { emoji: true, ...text };
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : '';
}
