import { Refused } from '../refused.ts';
import { elementsOf } from './blocks.ts';
import { isRecord, type Json, stringOf } from './json.ts';
import type { Block } from './model.ts';

/** What a person did with interactive elements, as `actions[]` and `state.values` carry it. */

/** Text, option value, id, date …; a list for multi-selects and checkboxes; null for nothing. */
export type InputValue = string | string[] | null;
export type InputValues = Record<string, Record<string, InputValue>>;

export interface Found {
  block: Block;
  element: Json;
}

/** An element by block and action id. */
export function findElement(blocks: Block[], blockId: string, actionId: string): Found | undefined {
  for (const block of blocks) {
    if (block.block_id !== blockId) continue;
    const element = elementsOf(block).find((entry) => entry.action_id === actionId);
    if (element) return { block, element };
  }
  return undefined;
}

export function allElements(blocks: Block[]): Found[] {
  return blocks.flatMap((block) => elementsOf(block).map((element) => ({ block, element })));
}

/** The text people see on an element: a button's label, a select's placeholder or initial option, an input's label. */
export function labelOf({ block, element }: Found): string {
  const texts = [element.text, element.placeholder, block.type === 'input' ? block.label : undefined];
  return texts.flatMap((text) => (isRecord(text) && typeof text.text === 'string' ? [text.text] : []))[0] ?? '';
}

/** One entry of `actions[]`. `value` is what was chosen; buttons carry their own value. */
export function actionOf({ block, element }: Found, value: InputValue | undefined, actionTs: string): Json {
  const base: Json = { type: element.type, block_id: block.block_id, action_id: element.action_id, action_ts: actionTs };
  for (const key of ['text', 'placeholder', 'style', 'url', 'confirm', 'initial_option', 'initial_options', 'icon']) {
    if (element[key] !== undefined) base[key] = element[key];
  }
  if (element.type === 'button' || element.type === 'icon_button') {
    if (element.value !== undefined) base.value = element.value;
    return base;
  }
  if (element.type === 'feedback_buttons') return { ...base, ...feedback(element, value) };
  return { ...base, ...chosen(element, value ?? null) };
}

/** `state.values`: every input of the blocks, with what was entered or else its initial value. */
export function stateOf(blocks: Block[], entered: InputValues): Json {
  const values: Record<string, Json> = {};
  for (const { block, element } of allElements(blocks)) {
    const actionId = stringOf(element.action_id);
    if (actionId === undefined || !hasState(element)) continue;
    const given = entered[block.block_id]?.[actionId];
    values[block.block_id] = {
      ...values[block.block_id],
      [actionId]: { type: element.type, ...chosen(element, given === undefined ? initialOf(element) : given) },
    };
  }
  return values;
}

/** What Slack itself refuses to submit: empty required inputs, too short or too long texts. By block id. */
export function inputErrors(blocks: Block[], entered: InputValues): Record<string, string> {
  const errors: Record<string, string> = {};
  for (const { block, element } of allElements(blocks)) {
    const actionId = stringOf(element.action_id) ?? '';
    if (block.type !== 'input') continue;
    const given = entered[block.block_id]?.[actionId];
    const value = given === undefined ? initialOf(element) : given;
    const isEmpty = value === null || value.length === 0;
    if (isEmpty && block.optional !== true) errors[block.block_id] = 'Please complete this required field.';
    if (isEmpty || typeof value !== 'string') continue;
    if (typeof element.min_length === 'number' && value.length < element.min_length) {
      errors[block.block_id] = `Must be at least ${element.min_length} characters.`;
    }
    const max = typeof element.max_length === 'number' ? element.max_length : 3000;
    if (element.type === 'plain_text_input' && value.length > max) errors[block.block_id] = `Must be at most ${max} characters.`;
    if (element.type === 'number_input' && !isNumber(value, element.is_decimal_allowed === true))
      errors[block.block_id] = 'Enter a number.';
    if (element.type === 'url_text_input' && !URL.canParse(value)) errors[block.block_id] = 'Enter a URL.';
    if (element.type === 'email_text_input' && !/^\S+@\S+\.\S+$/.test(value)) errors[block.block_id] = 'Enter an email address.';
  }
  return errors;
}

function isNumber(value: string, decimals: boolean): boolean {
  return decimals ? /^-?\d+(\.\d+)?$/.test(value) : /^-?\d+$/.test(value);
}

function hasState(element: Json): boolean {
  return !['button', 'icon_button', 'workflow_button', 'feedback_buttons', 'overflow'].includes(String(element.type));
}

/** The value an element starts with, in the form people enter it. */
function initialOf(element: Json): InputValue {
  const optionValue = (option: unknown) => (isRecord(option) ? String(option.value) : '');
  if (isRecord(element.initial_option)) return optionValue(element.initial_option);
  if (Array.isArray(element.initial_options)) return element.initial_options.map(optionValue);
  for (const key of [
    'initial_value',
    'initial_user',
    'initial_conversation',
    'initial_channel',
    'initial_date',
    'initial_time',
  ]) {
    const value = element[key];
    if (typeof value === 'string') return value;
  }
  for (const key of ['initial_users', 'initial_conversations', 'initial_channels']) {
    const value = element[key];
    if (Array.isArray(value)) return value.map(String);
  }
  return typeof element.initial_date_time === 'number' ? String(element.initial_date_time) : null;
}

/** A value in the field each kind of element carries it in. */
function chosen(element: Json, value: InputValue): Json {
  const type = String(element.type);
  const one = Array.isArray(value) ? (value[0] ?? null) : value;
  const many = value === null ? [] : Array.isArray(value) ? value : [value];
  const source = /^multi_(users|conversations|channels)_select$/.exec(type)?.[1];
  if (source) return { [`selected_${source}`]: many };
  switch (type) {
    case 'users_select':
      return { selected_user: one };
    case 'conversations_select':
      return { selected_conversation: one };
    case 'channels_select':
      return { selected_channel: one };
    case 'datepicker':
      return { selected_date: one };
    case 'timepicker':
      return { selected_time: one };
    case 'datetimepicker':
      return { selected_date_time: one === null ? null : Number(one) };
    case 'checkboxes':
    case 'multi_static_select':
    case 'multi_external_select':
      return { selected_options: many.map((entry) => optionOf(element, entry)) };
    case 'static_select':
    case 'external_select':
    case 'radio_buttons':
    case 'overflow':
      return { selected_option: one === null ? null : optionOf(element, one) };
    case 'file_input':
      return { files: many.map((id) => ({ id })) };
    case 'rich_text_input':
      return { rich_text_value: one === null ? null : richTextOf(one) };
    default:
      return { value: one === '' ? null : one };
  }
}

function feedback(element: Json, value: InputValue | undefined): Json {
  const buttons = [element.positive_button, element.negative_button].filter(isRecord);
  const pressed = buttons.find((button) => button.value === value);
  if (!pressed) throw new Refused('invalid_input', 'Choose one of the two buttons.');
  return { text: pressed.text, value: pressed.value };
}

/** The option with this value. External selects know no options of their own, so the value speaks for itself there. */
function optionOf(element: Json, value: string): Json {
  const groups = Array.isArray(element.option_groups) ? element.option_groups.filter(isRecord) : [];
  const options = [element, ...groups]
    .flatMap((holder) => (Array.isArray(holder.options) ? holder.options : []))
    .filter(isRecord);
  const found = options.find((option) => option.value === value);
  if (found) return found;
  if (String(element.type).includes('external')) return { text: { type: 'plain_text', text: value, emoji: true }, value };
  throw new Refused(
    'invalid_input',
    `There is no option "${value}"; there are ${options.map((option) => `"${option.value}"`).join(', ')}.`,
  );
}

function richTextOf(text: string): Json {
  return { type: 'rich_text', elements: [{ type: 'rich_text_section', elements: [{ type: 'text', text }] }] };
}
