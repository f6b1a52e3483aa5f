import {
  type APILabelComponent,
  type APIModalInteractionResponseCallbackData,
  ComponentType,
  TextInputStyle,
} from 'discord-api-types/v10';
import { DeliveryError } from '../../src/contracts/chat-adapter.ts';
import type { Conversation } from '../../src/contracts/platform.ts';
import type { Form } from '../../src/contracts/view.ts';
import { optionOf } from './controls.ts';
import { label, printable, shorten } from './discord-text.ts';

type Field = Form['fields'][number];

/** Discord's limits (components reference). */
const limits = { title: 45, fields: 5, label: 45, description: 100, placeholder: 100, options: 25, text: 4000 };

/**
 * A form as a modal. Which conversation it is about travels in its id, because a submission only tells where the button stood. Throws
 * `rejected` for a form of more fields than a modal has room for.
 */
export function modalOf(form: Form, about: Conversation): APIModalInteractionResponseCallbackData {
  const components = form.fields.flatMap(fieldLabels);
  if (components.length > limits.fields) {
    const detail = `the form needs ${components.length} fields, Discord takes ${limits.fields}`;
    throw new DeliveryError({ kind: 'rejected', detail });
  }
  return { custom_id: modalId(form.token, about), title: label(form.title, limits.title, 'Deckhand'), components };
}

function fieldLabels(field: Field): APILabelComponent[] {
  if (field.type === 'text') return [labelled(field.label, textInput(field))];
  const pages = Math.ceil(field.options.length / limits.options);
  return Array.from({ length: pages }, (_, page) => {
    const options = field.options.slice(page * limits.options, (page + 1) * limits.options);
    return labelled(pages === 1 ? field.label : `${shorten(field.label, 32)} (${page + 1} of ${pages})`, {
      type: ComponentType.StringSelect,
      custom_id: page === 0 ? field.id : `${field.id}~${page}`,
      // With several menus of one field nobody can be made to choose in each.
      required: field.required && pages === 1,
      min_values: field.required && pages === 1 ? 1 : 0,
      max_values: field.multiple ? options.length : 1,
      options: options.map((option) => ({ ...optionOf(option), ...(option.value === field.initial ? { default: true } : {}) })),
    });
  });
}

function labelled(words: string, component: APILabelComponent['component']): APILabelComponent {
  const full = label(words, limits.description, 'Value');
  const short = label(words, limits.label, 'Value');
  return { type: ComponentType.Label, label: short, ...(full === short ? {} : { description: full }), component };
}

function textInput(field: Extract<Field, { type: 'text' }>): APILabelComponent['component'] {
  const max = Math.min(field.maxLength ?? limits.text, limits.text);
  return {
    type: ComponentType.TextInput,
    custom_id: field.id,
    style: field.multiline ? TextInputStyle.Paragraph : TextInputStyle.Short,
    required: field.required,
    max_length: max,
    ...(field.initial === undefined || field.initial === '' ? {} : { value: shorten(printable(field.initial), max) }),
    ...(field.placeholder === undefined ? {} : { placeholder: label(field.placeholder, limits.placeholder, '…') }),
  };
}

/** `~page` of a field whose options did not fit one menu. */
export function fieldOf(customId: string): string {
  return customId.replace(/~\d+$/, '');
}

/**
 * `m` or `d` (channel or direct), the ids of tenant, channel and thread in eleven characters each, and the token of the form: at most
 * 98 of the 100 characters an id may have.
 */
function modalId(token: string, about: Conversation): string {
  const ids = [about.tenant, about.channel, about.thread ?? '0'].map(packId);
  return `${about.kind === 'direct' ? 'd' : 'm'}${ids.join('')}${token}`;
}

/** Reads back what `modalOf` put there; `undefined` for anything else. */
export function readModalId(customId: string): { token: string; about: Conversation } | undefined {
  const [, kind, tenant = '', channel = '', thread = '', token = ''] =
    /^([md])([\w-]{11})([\w-]{11})([\w-]{11})([\s\S]+)$/.exec(customId) ?? [];
  if (kind === undefined) return undefined;
  const inThread = unpackId(thread);
  return {
    token,
    about: {
      platform: 'discord',
      tenant: unpackId(tenant),
      channel: unpackId(channel),
      ...(inThread === '0' ? {} : { thread: inThread }),
      kind: kind === 'd' ? 'direct' : 'channel',
    },
  };
}

function packId(id: string): string {
  if (!/^\d{1,20}$/.test(id))
    throw new DeliveryError({ kind: 'rejected', detail: 'the form is about no conversation of Discord' });
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64BE(BigInt.asUintN(64, BigInt(id)));
  return bytes.toString('base64url');
}

function unpackId(text: string): string {
  return Buffer.from(text, 'base64url').readBigUInt64BE().toString();
}
