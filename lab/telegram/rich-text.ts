import { isRecord, type Json } from '../slack/json.ts';
import { type BotApiError, badRequest } from './api-error.ts';
import { withFound } from './auto-entities.ts';
import { linkOrNothing } from './entity-rules.ts';
import { type RichButtonRules, richButton } from './rich-buttons.ts';

/** RichText: a string, an array, or an object with a type. */

export interface TextContext extends RichButtonRules {
  characters: number;
  /** Find mentions, links and commands in plain text. */
  detect: boolean;
}

const MAX_DEPTH = 16;
/** Types that only wrap text. */
const WRAPPERS = new Set([
  'bold',
  'italic',
  'underline',
  'strikethrough',
  'spoiler',
  'subscript',
  'superscript',
  'marked',
  'code',
]);
/** Types that wrap text and need one more field. */
const NAMED: Record<string, string> = {
  url: 'url',
  email_address: 'email_address',
  phone_number: 'phone_number',
  bank_card_number: 'bank_card_number',
  mention: 'username',
  hashtag: 'hashtag',
  cashtag: 'cashtag',
  bot_command: 'bot_command',
  anchor_link: 'anchor_name',
  reference: 'name',
  reference_link: 'reference_name',
};
/** What a found entity becomes. */
const FOUND: Record<string, string> = {
  url: 'url',
  email: 'email_address',
  mention: 'mention',
  hashtag: 'hashtag',
  cashtag: 'cashtag',
  bot_command: 'bot_command',
};

export function wrong(detail: string): BotApiError {
  return badRequest(`can't parse rich message: ${detail}`);
}

type RichRun = string | Json;

/** `counter` counts the characters where `context` is a copy. */
export function richText(
  value: unknown,
  context: TextContext,
  depth: number,
  field: string,
  counter: TextContext = context,
): string | Json | RichRun[] {
  if (depth > MAX_DEPTH) throw wrong('the nesting is too deep');
  if (typeof value === 'string') {
    counter.characters += value.length;
    return context.detect ? detected(value) : value;
  }
  if (Array.isArray(value)) {
    return value.flatMap((entry: unknown): RichRun[] => {
      const run = richText(entry, context, depth + 1, field, counter);
      return Array.isArray(run) ? run : [run];
    });
  }
  if (!isRecord(value)) throw wrong(value === undefined ? `Can't find field "${field}"` : `Field "${field}" must be a RichText`);
  const type = String(value.type ?? '');
  const inner = (isCode = false) =>
    richText(value.text, isCode ? { ...context, detect: false } : context, depth + 1, 'text', counter);
  if (WRAPPERS.has(type)) return { type, text: inner(type === 'code') };
  const needed = NAMED[type];
  if (needed !== undefined) {
    const given = value[needed];
    if (typeof given !== 'string' || given === '') throw wrong(`Field "${needed}" must be a non-empty String`);
    const link = type === 'url' ? linkOrNothing(given) : given;
    if (link === undefined) throw wrong(`URL '${given}' is invalid: Wrong HTTP URL`);
    return { type, text: richText(value.text, { ...context, detect: false }, depth + 1, 'text', counter), [needed]: link };
  }
  switch (type) {
    case 'text_mention':
      if (!isRecord(value.user) || typeof value.user.id !== 'number') throw wrong('Can\'t find field "user"');
      return { type, text: inner(), user: value.user };
    case 'date_time':
      if (typeof value.unix_time !== 'number') throw wrong('Can\'t find field "unix_time"');
      return { type, text: inner(), unix_time: value.unix_time, date_time_format: String(value.date_time_format ?? '') };
    case 'custom_emoji':
      return {
        type,
        custom_emoji_id: String(value.custom_emoji_id ?? ''),
        alternative_text: String(value.alternative_text ?? ''),
      };
    case 'mathematical_expression':
      counter.characters += String(value.expression ?? '').length;
      return { type, expression: String(value.expression ?? '') };
    case 'anchor':
      return { type, name: String(value.name ?? '') };
    case 'button': {
      if (!isRecord(value.button)) throw wrong('Can\'t find field "button"');
      const text = richText(value.button.text, { ...context, detect: false }, depth + 1, 'text', counter);
      return { type, button: { ...richButton(value.button, counter), text } };
    }
    default:
      throw wrong(`RichText type "${type}" is unsupported`);
  }
}

/** The text with what Telegram finds in it by itself made into runs. */
function detected(text: string): string | RichRun[] {
  const found = withFound(text, []);
  if (found.length === 0) return text;
  const runs: RichRun[] = [];
  let at = 0;
  for (const { type, offset, length } of found) {
    const part = text.slice(offset, offset + length);
    const kind = FOUND[type];
    if (kind === undefined || offset < at) continue;
    if (offset > at) runs.push(text.slice(at, offset));
    const field = NAMED[kind] ?? 'text';
    const value = kind === 'url' ? (linkOrNothing(part) ?? part) : kind === 'mention' ? part.slice(1) : part;
    runs.push({ type: kind, text: part, [field]: value });
    at = offset + length;
  }
  if (at < text.length) runs.push(text.slice(at));
  return runs;
}

/** What can be read of a RichText. */
export function plainRun(value: unknown): string {
  if (typeof value === 'string') return value;
  if (Array.isArray(value)) return value.map(plainRun).join('');
  if (!isRecord(value)) return '';
  return plainRun(value.text ?? value.button ?? value.alternative_text ?? value.expression ?? '');
}
