import { anyText, confirm, imageElement, option, optionGroup, optionsOrGroups, plainText, url } from './block-objects.ts';
import { isRecord } from './json.ts';
import { richText } from './rich-text.ts';
import { all, anything, boolean, type Check, fail, list, number, object, oneOf, string } from './schema.ts';

/** Interactive elements, and which of them each block may hold. Limits: Block Kit reference and @slack/types 3.2. */

const action = { action_id: string({ min: 1, max: 255 }) };
const focus = { focus_on_load: boolean };
const placeholder = { placeholder: plainText(150) };
const style = oneOf('primary', 'danger');
const label = string({ max: 75 });
const id = string({ min: 1 });
const maxItems = { max_selected_items: number({ min: 1 }) };
const dispatch = {
  dispatch_action_config: object({}, { trigger_actions_on: list(oneOf('on_enter_pressed', 'on_character_entered'), { max: 2 }) }),
};
const filter = object(
  {},
  {
    include: list(oneOf('im', 'mpim', 'private', 'public'), { max: 4 }),
    exclude_external_shared_channels: boolean,
    exclude_bot_users: boolean,
  },
);

function element(type: string, required: Record<string, Check>, optional: Record<string, Check>): Check {
  return object({ type: oneOf(type), ...required }, { ...action, ...optional });
}

/** One select and its multi variant share everything but the name of the initial value. */
function select(source: string, initial: string, initialCheck: Check, extra: Record<string, Check>, rule: Check = anything) {
  const shared = { ...focus, ...placeholder, confirm, ...extra };
  return {
    [`${source}_select`]: all(
      element(`${source}_select`, {}, { ...shared, [initial]: initialCheck, response_url_enabled: boolean }),
      rule,
    ),
    [`multi_${source}_select`]: all(
      element(`multi_${source}_select`, {}, { ...shared, ...maxItems, [`${initial}s`]: list(initialCheck, { max: 100 }) }),
      rule,
    ),
  };
}

const selects: Record<string, Check> = {
  ...select(
    'static',
    'initial_option',
    option('select'),
    { options: list(option('select'), { max: 100 }), option_groups: list(optionGroup, { max: 100 }) },
    optionsOrGroups,
  ),
  ...select('external', 'initial_option', option('select'), { min_query_length: number({ min: 0 }) }),
  ...select('users', 'initial_user', id, {}),
  ...select('conversations', 'initial_conversation', id, { default_to_current_conversation: boolean, filter }),
  ...select('channels', 'initial_channel', id, {}),
};

const feedbackButton = object({ text: plainText(75), value: string({ max: 2000 }) }, { accessibility_label: label });

const lengths: Check = (value, at, context) => {
  if (!isRecord(value) || typeof value.min_length !== 'number' || typeof value.max_length !== 'number') return;
  if (value.min_length > value.max_length) fail(context, at, '`min_length` must not be greater than `max_length`');
};

export const button = element(
  'button',
  { text: plainText(75) },
  { value: string({ max: 2000 }), url, style, confirm, accessibility_label: label },
);

const kinds: Record<string, Check> = {
  button,
  checkboxes: element(
    'checkboxes',
    { options: list(option('choice'), { max: 10 }) },
    { initial_options: list(option('choice'), { max: 10 }), confirm, ...focus },
  ),
  radio_buttons: element(
    'radio_buttons',
    { options: list(option('choice'), { max: 10 }) },
    { initial_option: option('choice'), confirm, ...focus },
  ),
  overflow: element('overflow', { options: list(option('overflow'), { max: 5 }) }, { confirm }),
  datepicker: element(
    'datepicker',
    {},
    { initial_date: string({ pattern: /^\d{4}-\d{2}-\d{2}$/ }), confirm, ...focus, ...placeholder },
  ),
  timepicker: element(
    'timepicker',
    {},
    { initial_time: string({ pattern: /^([01]\d|2[0-3]):[0-5]\d$/ }), timezone: string(), confirm, ...focus, ...placeholder },
  ),
  datetimepicker: element(
    'datetimepicker',
    {},
    { initial_date_time: number({ min: 1_000_000_000, max: 9_999_999_999 }), confirm, ...focus },
  ),
  ...selects,
  workflow_button: element(
    'workflow_button',
    { text: plainText(75), workflow: anything },
    { style, confirm, accessibility_label: label },
  ),
  plain_text_input: all(
    element(
      'plain_text_input',
      {},
      {
        initial_value: string({ max: 3000 }),
        multiline: boolean,
        min_length: number({ min: 0, max: 3000 }),
        max_length: number({ min: 1, max: 3000 }),
        ...dispatch,
        ...focus,
        ...placeholder,
      },
    ),
    lengths,
  ),
  rich_text_input: element(
    'rich_text_input',
    {},
    {
      initial_value: richText,
      min_lines: number({ min: 1, max: 100 }),
      max_lines: number({ min: 1, max: 100 }),
      ...dispatch,
      ...focus,
      ...placeholder,
    },
  ),
  email_text_input: element('email_text_input', {}, { initial_value: string(), ...dispatch, ...focus, ...placeholder }),
  url_text_input: element('url_text_input', {}, { initial_value: string(), ...dispatch, ...focus, ...placeholder }),
  number_input: element(
    'number_input',
    { is_decimal_allowed: boolean },
    { initial_value: string(), min_value: string(), max_value: string(), ...dispatch, ...focus, ...placeholder },
  ),
  file_input: element(
    'file_input',
    {},
    { filetypes: list(string({ min: 1 }), { max: 100 }), max_files: number({ min: 1, max: 10 }) },
  ),
  feedback_buttons: element('feedback_buttons', { positive_button: feedbackButton, negative_button: feedbackButton }, {}),
  icon_button: element(
    'icon_button',
    { icon: string({ min: 1 }), text: plainText(75) },
    { value: string({ max: 2000 }), confirm, accessibility_label: label, visible_to_user_ids: list(id, { max: 100 }) },
  ),
};

function pick(names: string[]): Record<string, Check> {
  const picked: Record<string, Check> = {};
  for (const name of names) {
    const check = kinds[name];
    if (!check) throw new Error(`no check for the element ${name}`);
    picked[name] = check;
  }
  return picked;
}

const selectNames = Object.keys(selects);
const pickers = ['datepicker', 'timepicker', 'checkboxes', 'radio_buttons', ...selectNames];

/** Elements an `actions` block may hold. */
export const actionElements = pick(['button', 'overflow', 'datetimepicker', 'workflow_button', 'rich_text_input', ...pickers]);
/** Elements that may stand beside the text of a `section`. */
export const accessories: Record<string, Check> = {
  ...pick(['button', 'overflow', 'workflow_button', ...pickers]),
  image: imageElement,
};
/** Elements an `input` block may hold. */
export const inputElements = pick([
  'plain_text_input',
  'rich_text_input',
  'email_text_input',
  'url_text_input',
  'number_input',
  'file_input',
  'datetimepicker',
  ...pickers,
]);
export const contextElements: Record<string, Check> = { plain_text: plainText(3000), mrkdwn: anyText(3000), image: imageElement };
export const contextActionElements = pick(['feedback_buttons', 'icon_button']);
