import { isRecord, type Json } from '../slack/json.ts';
import { badRequest } from './api-error.ts';
import { inOrder } from './auto-entities.ts';
import type { Core } from './core.ts';
import type { Entity } from './model.ts';

/** Entities as a bot sends them, checked as the server checks them. */

/** Kinds the server finds by itself; a bot may send them, and they are dropped. */
const FOUND = new Set(['mention', 'hashtag', 'cashtag', 'bot_command', 'url', 'email', 'phone_number', 'bank_card_number']);
const PLAIN = new Set(['bold', 'italic', 'underline', 'strikethrough', 'spoiler', 'blockquote', 'expandable_blockquote', 'code']);
const OPAQUE = new Set(['code', 'pre']);
const MAX_ENTITIES = 100;

export function readEntities(core: Core, value: unknown): Entity[] {
  if (value === undefined || value === null) return [];
  if (!Array.isArray(value)) throw badRequest("can't parse entities: expected an Array of MessageEntity");
  return value.flatMap((entry: unknown) => readEntity(core, entry) ?? []);
}

function readEntity(core: Core, entry: unknown): Entity | undefined {
  const fail = (detail: string) => badRequest(`can't parse MessageEntity: ${detail}`);
  if (!isRecord(entry)) throw badRequest("can't parse MessageEntity: expected an Object");
  const { type } = entry;
  const offset = wholeNumber(entry, 'offset', fail);
  const length = wholeNumber(entry, 'length', fail);
  if (typeof type !== 'string') throw fail(`Can't find field "type"`);
  if (FOUND.has(type)) return undefined;
  if (PLAIN.has(type)) return { type, offset, length };
  switch (type) {
    case 'pre':
      return {
        type,
        offset,
        length,
        ...(typeof entry.language === 'string' && entry.language !== '' ? { language: entry.language } : {}),
      };
    case 'text_link':
      return { type, offset, length, url: linkOf(entry.url) };
    case 'text_mention':
      return { type, offset, length, user: mentioned(core, entry.user, fail) };
    case 'custom_emoji':
      if (typeof entry.custom_emoji_id !== 'string') throw fail(`Can't find field "custom_emoji_id"`);
      return { type, offset, length, custom_emoji_id: entry.custom_emoji_id };
    case 'date_time':
      return {
        type,
        offset,
        length,
        unix_time: wholeNumber(entry, 'unix_time', fail),
        ...(typeof entry.date_time_format === 'string' ? { date_time_format: entry.date_time_format } : {}),
      };
    default:
      throw fail('Unsupported type specified');
  }
}

function wholeNumber(entry: Json, name: string, fail: (detail: string) => Error): number {
  const value = typeof entry[name] === 'string' ? Number(entry[name]) : entry[name];
  if (value === undefined) throw fail(`Can't find field "${name}"`);
  if (typeof value !== 'number' || !Number.isInteger(value)) throw fail(`Field "${name}" must be of type Number`);
  return value;
}

export function linkOf(value: unknown): string {
  const given = typeof value === 'string' ? value : '';
  const link = linkOrNothing(given);
  if (link === undefined) throw badRequest(`entity URL '${given}' is invalid: Wrong HTTP URL`);
  return link;
}

/** An address as Telegram writes it; undefined for what is none. */
export function linkOrNothing(given: string): string | undefined {
  const withScheme = /^[a-z][a-z0-9+.-]*:/i.test(given) ? given : `http://${given}`;
  try {
    const url = new URL(withScheme);
    const isKnown = ['http:', 'https:', 'ftp:', 'tg:', 'ton:', 'tonsite:'].includes(url.protocol);
    return isKnown && (url.protocol === 'tg:' || /[.:]/.test(url.hostname)) ? url.href : undefined;
  } catch {
    return undefined;
  }
}

/** A mention of somebody the bot has never met is dropped by the server; one of nobody is refused. */
function mentioned(core: Core, user: unknown, fail: (detail: string) => Error): number {
  const id = isRecord(user) ? user.id : undefined;
  if (typeof id !== 'number') throw fail(`Can't find field "user"`);
  if (!core.state.users.has(id)) throw badRequest('user not found');
  return id;
}

/**
 * Entities that must lie inside the text and be nested properly. Empty ones are dropped, those inside code too, and all after the
 * hundredth, silently, as on the server.
 */
export function checkedEntities(text: string, entities: readonly Entity[]): Entity[] {
  const sorted = inOrder(entities.filter((entity) => entity.length > 0));
  const open: Entity[] = [];
  for (const entity of sorted) {
    const end = entity.offset + entity.length;
    if (entity.offset < 0 || entity.offset > text.length) {
      throw badRequest(`entity begins after the end of the text at UTF-16 offset ${entity.offset}`);
    }
    while (open.length > 0 && endOf(open.at(-1)) <= entity.offset) open.pop();
    const outer = open.at(-1);
    if (end > text.length || (outer && end > endOf(outer))) {
      throw badRequest(
        `entity beginning at UTF-16 offset ${entity.offset} ends after the end of the text at UTF-16 offset ${end}`,
      );
    }
    if (splitsPair(text, entity.offset)) {
      throw badRequest(`entity begins in a middle of a UTF-16 symbol at byte offset ${byteOffset(text, entity.offset)}`);
    }
    if (splitsPair(text, end)) {
      throw badRequest(`entity ends in a middle of a UTF-16 symbol at byte offset ${byteOffset(text, end)}`);
    }
    open.push(entity);
  }
  const kept: Entity[] = [];
  for (const entity of sorted) {
    const isInCode = kept.some(
      (outer) => OPAQUE.has(outer.type) && entity.offset >= outer.offset && endOf(entity) <= endOf(outer),
    );
    if (!isInCode) kept.push(entity);
  }
  return kept.slice(0, MAX_ENTITIES);
}

const endOf = (entity: Entity | undefined) => (entity ? entity.offset + entity.length : 0);

function splitsPair(text: string, at: number): boolean {
  const before = text.charCodeAt(at - 1);
  const after = text.charCodeAt(at);
  return before >= 0xd800 && before <= 0xdbff && after >= 0xdc00 && after <= 0xdfff;
}

function byteOffset(text: string, at: number): number {
  return Buffer.byteLength(text.slice(0, at));
}
