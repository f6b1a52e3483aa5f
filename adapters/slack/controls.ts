import type { Button, ConfirmationDialog, KnownBlock, PlainTextElement, PlainTextOption } from '@slack/types';
import type { Block, Form, Button as ViewButton } from '../../src/contracts/view.ts';
import { printable, shorten } from './slack-text.ts';

type Select = Extract<Block, { type: 'select' }>;
type Options = Select['options'];

/** Slack's limits (Block Kit reference). */
const limits = { buttonsPerBlock: 25, buttonLabel: 75, options: 100, optionText: 75, placeholder: 150 };

/** Literal text: `emoji: false` keeps `:name:` as it is. Slack refuses empty texts, `instead` takes their place. */
export function plainText(content: string, max: number, instead: string): PlainTextElement {
  const shown = printable(content);
  return { type: 'plain_text', text: shorten(shown.trim() === '' ? instead : shown, max), emoji: false };
}

/** The value carries the token; the action id only has to be unique in its block. */
export function buttonBlocks(buttons: readonly ViewButton[], index: number, confirms: boolean): KnownBlock[] {
  const blocks: KnownBlock[] = [];
  for (let at = 0; at < buttons.length; at += limits.buttonsPerBlock) {
    const elements = buttons
      .slice(at, at + limits.buttonsPerBlock)
      .map((button, offset) => buttonElement(button, `b${index}.${at + offset}`, confirms));
    blocks.push({ type: 'actions', elements });
  }
  return blocks;
}

function buttonElement(button: ViewButton, actionId: string, confirms: boolean): Button {
  return {
    type: 'button',
    action_id: actionId,
    value: button.token,
    text: plainText(button.label, limits.buttonLabel, '-'),
    ...(button.style === 'default' ? {} : { style: button.style }),
    ...(button.confirm === undefined || !confirms ? {} : { confirm: confirmation(button, button.confirm) }),
  };
}

function confirmation(button: ViewButton, confirm: NonNullable<ViewButton['confirm']>): ConfirmationDialog {
  return {
    title: plainText(confirm.title, 100, button.label),
    text: plainText(confirm.text, 300, button.label),
    confirm: plainText(confirm.ok, 30, button.label),
    deny: plainText('Cancel', 30, 'Cancel'),
    ...(button.style === 'danger' ? { style: 'danger' } : {}),
  };
}

/** The action id carries the token, the values are the chosen options. Without options there is nothing to show. */
export function selectBlock(select: Select): KnownBlock[] {
  if (select.options.length === 0) return [];
  const element = {
    type: 'static_select' as const,
    action_id: select.token,
    placeholder: plainText(select.placeholder, limits.placeholder, 'Choose'),
    ...choices(select.options),
  };
  return [{ type: 'actions', elements: [element] }];
}

/** Up to 100 options stand by themselves, more of them in groups of 100. */
export function choices(
  options: Options,
): { options: PlainTextOption[] } | { option_groups: { label: PlainTextElement; options: PlainTextOption[] }[] } {
  const all = options.map(optionOf);
  if (all.length <= limits.options) return { options: all };
  const groups: { label: PlainTextElement; options: PlainTextOption[] }[] = [];
  for (let at = 0; at < all.length; at += limits.options) {
    const part = all.slice(at, at + limits.options);
    groups.push({ label: plainText(`${at + 1} to ${at + part.length}`, 75, '-'), options: part });
  }
  return { option_groups: groups };
}

export function optionOf(option: Options[number]): PlainTextOption {
  return { text: plainText(option.label, limits.optionText, option.value), value: option.value };
}

type Field = Form['fields'][number];

/** One field of a form. Block id and action id are what a submission is read back by: see `formValues` in interactions.ts. */
export function inputBlock(field: Field): KnownBlock {
  const label = plainText(field.label, 2000, field.id);
  const shared = { type: 'input' as const, block_id: field.id, label, optional: !field.required };
  if (field.type === 'text') {
    const max = field.maxLength ?? 3000;
    return {
      ...shared,
      element: {
        type: 'plain_text_input',
        action_id: 'value',
        multiline: field.multiline,
        max_length: max,
        ...(field.initial === undefined || field.initial === '' ? {} : { initial_value: shorten(printable(field.initial), max) }),
        ...(field.placeholder === undefined ? {} : { placeholder: plainText(field.placeholder, limits.placeholder, ' ') }),
      },
    };
  }
  const initial = field.options.find(({ value }) => value === field.initial);
  const base = { action_id: 'value', placeholder: plainText('Choose', limits.placeholder, 'Choose'), ...choices(field.options) };
  return {
    ...shared,
    element: field.multiple
      ? { type: 'multi_static_select', ...base, ...(initial === undefined ? {} : { initial_options: [optionOf(initial)] }) }
      : { type: 'static_select', ...base, ...(initial === undefined ? {} : { initial_option: optionOf(initial) }) },
  };
}
