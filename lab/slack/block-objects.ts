import { isRecord } from './json.ts';
import { all, boolean, byType, type Check, fail, list, object, oneOf, string } from './schema.ts';

/** Composition objects: texts, options, confirmation dialogs, images. Limits: Block Kit reference and @slack/types 3.2. */

export function plainText(max: number): Check {
  return object({ type: oneOf('plain_text'), text: string({ min: 1, max }) }, { emoji: boolean });
}

export function mrkdwn(max: number): Check {
  return object({ type: oneOf('mrkdwn'), text: string({ min: 1, max }) }, { verbatim: boolean });
}

export function anyText(max: number): Check {
  return byType({ plain_text: plainText(max), mrkdwn: mrkdwn(max) });
}

export const rawText = object({ type: oneOf('raw_text'), text: string({ min: 1 }) });
export const url = string({ min: 1, max: 3000, pattern: /^(https?|slack|mailto|tel):/ });

export const confirm = object(
  { text: anyText(300) },
  { title: plainText(100), confirm: plainText(30), deny: plainText(30), style: oneOf('primary', 'danger') },
);

/** Where an option may stand decides what it may carry. */
export function option(kind: 'select' | 'choice' | 'overflow'): Check {
  const text = kind === 'choice' ? anyText(75) : plainText(75);
  const description = kind === 'choice' ? anyText(75) : plainText(75);
  return object({ text, value: string({ max: 150 }) }, { description, ...(kind === 'overflow' ? { url } : {}) });
}

export const optionGroup = object({ label: plainText(75), options: list(option('select'), { max: 100 }) });

/** `options` or `option_groups`, never both. */
export const optionsOrGroups: Check = (value, at, context) => {
  if (!isRecord(value)) return;
  if ((value.options === undefined) === (value.option_groups === undefined)) {
    fail(context, at, 'must define either `options` or `option_groups`');
  }
};

/** `image_url` or `slack_file`, never both; the file must be an uploaded image. */
export const imageSource: Check = (value, at, context) => {
  if (!isRecord(value)) return;
  if ((value.image_url === undefined) === (value.slack_file === undefined)) {
    return fail(context, at, 'must define either `image_url` or `slack_file`');
  }
  if (!isRecord(value.slack_file)) return;
  const { id, url: fileUrl } = value.slack_file;
  const reference = { ...(typeof id === 'string' ? { id } : {}), ...(typeof fileUrl === 'string' ? { url: fileUrl } : {}) };
  if (!context.usableImage(reference)) fail(context, `${at}/slack_file`, 'invalid slack file');
};

export const imageFields = {
  image_url: string({ min: 1, max: 3000, pattern: /^https?:/ }),
  slack_file: all(object({}, { id: string({ min: 1 }), url: string({ min: 1 }) }), (value, at, context) => {
    if (isRecord(value) && (value.id === undefined) === (value.url === undefined))
      fail(context, at, 'must define either `id` or `url`');
  }),
};

export const imageElement = all(
  object({ type: oneOf('image'), alt_text: string({ min: 1, max: 2000 }) }, imageFields),
  imageSource,
);
