import { SlackApiError } from './api-error.ts';
import type { Args } from './args.ts';
import { compareTs } from './ids.ts';
import type { Json } from './json.ts';
import type { Message } from './model.ts';

/** Cursor pagination. */
export interface Page<T> {
  items: T[];
  /** `response_metadata` with the next cursor, which is empty on the last page. */
  metadata: Json;
  more: boolean;
}

const encode = (value: string) => Buffer.from(value).toString('base64');

function decode(cursor: string | undefined, prefix: string): string | undefined {
  if (cursor === undefined || cursor === '') return undefined;
  const value = Buffer.from(cursor, 'base64').toString('utf8');
  if (!value.startsWith(prefix)) throw new SlackApiError('invalid_cursor');
  return value.slice(prefix.length);
}

/** A page of a list that does not change much: the cursor is a position. */
export function pageOf<T>(items: T[], args: Args, limits: { default: number; max: number }): Page<T> {
  const limit = args.integer('limit', { ...limits, min: 1 });
  const start = Number(decode(args.text('cursor'), 'position:') ?? 0);
  if (!Number.isInteger(start) || start < 0) throw new SlackApiError('invalid_cursor');
  const end = start + limit;
  const more = end < items.length;
  return { items: items.slice(start, end), more, metadata: { next_cursor: more ? encode(`position:${end}`) : '' } };
}

/**
 * A page of messages, in the order given. The cursor names the last message handed out, so that messages arriving meanwhile
 * shift nothing.
 */
export function pageOfMessages(messages: Message[], args: Args, limits: { default: number; max: number }): Page<Message> {
  const limit = args.integer('limit', { ...limits, min: 1 });
  const after = decode(args.text('cursor'), 'after:');
  const start = after === undefined ? 0 : messages.findIndex((message) => message.ts === after) + 1;
  if (after !== undefined && start === 0) throw new SlackApiError('invalid_cursor');
  const items = messages.slice(start, start + limit);
  const last = items.at(-1);
  const more = start + limit < messages.length && last !== undefined;
  return { items, more, metadata: { next_cursor: more ? encode(`after:${last.ts}`) : '' } };
}

/** The messages between `oldest` and `latest`; the bounds themselves only with `inclusive`. */
export function within(messages: Message[], args: Args): Message[] {
  const oldest = bound(args, 'oldest');
  const latest = bound(args, 'latest');
  const inclusive = args.flag('inclusive');
  return messages.filter((message) => {
    const fromOldest = oldest === undefined ? 1 : compareTs(message.ts, oldest);
    const toLatest = latest === undefined ? 1 : compareTs(latest, message.ts);
    return inclusive ? fromOldest >= 0 && toLatest >= 0 : fromOldest > 0 && toLatest > 0;
  });
}

function bound(args: Args, name: 'oldest' | 'latest'): string | undefined {
  const value = args.text(name);
  if (value === undefined || value === '' || value === '0') return undefined;
  if (!/^\d+(\.\d{1,6})?$/.test(value)) throw new SlackApiError(`invalid_ts_${name}`);
  return value;
}
