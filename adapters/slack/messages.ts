import type { InboundEvent } from '../../src/contracts/inbound.ts';
import type { Conversation } from '../../src/contracts/platform.ts';
import { privacyOf } from './channels.ts';
import type { MessageEvent, StoredMessage } from './payloads.ts';
import { events, type Inbound, type InboundContext, ignored } from './reading.ts';
import { cutMention, decodeText } from './slack-text.ts';

/** Subtypes under which a person's own words arrive; all others are written by Slack or by apps. */
const personal = new Set<string | undefined>([undefined, 'file_share', 'thread_broadcast', 'me_message']);
const slackItself = new Set(['USLACKBOT', 'USLACK']);

/**
 * `message` and `app_mention`. A mention causes one of each, in any order: both give the same event under the same key, so that
 * whichever comes first counts and the other is a duplicate.
 */
export function messageEvents(event: MessageEvent, context: InboundContext): Inbound {
  if (event.subtype === 'message_changed') return changed(event, context);
  if (event.subtype === 'message_deleted') return deleted(event, context);
  if (!personal.has(event.subtype)) return ignored(`message subtype ${event.subtype}`);
  const { user } = event;
  if (!isPerson(event, context)) return ignored('not written by a person');
  const raw = event.text ?? '';
  const cut = cutMention(raw, context.botUser);
  const addressed = addressedBy(event, cut !== undefined);
  if (addressed === undefined) return ignored('channel talk');
  const channelPrivate = privacyOf(event.channel_type);
  return events({
    type: 'message',
    key: `msg:${context.team}:${event.channel}:${event.ts}`,
    at: timeOf(event.ts),
    conversation: conversationOf(context.team, event.channel, event.thread_ts),
    ...(channelPrivate === undefined ? {} : { channelPrivate }),
    actor: { user: user ?? '', bot: false },
    text: decodeText(cut ?? raw).trim(),
    message: event.ts,
    below: event.ts,
    addressed,
    attachments: (event.files ?? []).map(({ id, name, mimetype, size }) => ({
      id,
      name: name ?? id,
      mime: mimetype ?? undefined,
      bytes: size ?? undefined,
    })),
  });
}

/** An edit counts when a person changed the words. Unfurled links, reply counts and our own updates arrive here too. */
function changed(event: MessageEvent, context: InboundContext): Inbound {
  const { message, previous_message: before } = event;
  if (message === undefined) return ignored('a change without a message');
  // Deleting a message that has replies leaves a tombstone in its place.
  if (message.subtype === 'tombstone') return deletion(event, message.ts, before, context);
  if (!personal.has(message.subtype) || !isPerson(message, context)) return ignored('not written by a person');
  const raw = message.text ?? '';
  if (before !== undefined && (before.text ?? '') === raw) return ignored('the words did not change');
  const cut = cutMention(raw, context.botUser);
  const mentioned = cut !== undefined || cutMention(before?.text ?? '', context.botUser) !== undefined;
  const where = { type: event.type, channel: event.channel, channel_type: event.channel_type, ...message };
  if (addressedBy(where, mentioned) === undefined) return ignored('channel talk');
  return events({
    type: 'message_edited',
    key: `edit:${context.team}:${event.channel}:${message.ts}:${message.edited?.ts ?? event.ts}`,
    at: timeOf(event.ts),
    conversation: conversationOf(context.team, event.channel, message.thread_ts),
    actor: { user: message.user ?? '', bot: false },
    text: decodeText(cut ?? raw).trim(),
    message: message.ts,
  });
}

function deleted(event: MessageEvent, context: InboundContext): Inbound {
  if (event.deleted_ts === undefined) return ignored('a deletion without a message');
  return deletion(event, event.deleted_ts, event.previous_message, context);
}

function deletion(event: MessageEvent, ts: string, before: StoredMessage | undefined, context: InboundContext): Inbound {
  if (before === undefined || !personal.has(before.subtype) || !isPerson(before, context)) {
    return ignored('not written by a person');
  }
  const where = { type: event.type, channel: event.channel, channel_type: event.channel_type, ...before };
  const mentioned = cutMention(before.text ?? '', context.botUser) !== undefined;
  if (addressedBy(where, mentioned) === undefined) return ignored('channel talk');
  return events({
    type: 'message_deleted',
    key: `del:${context.team}:${event.channel}:${ts}`,
    at: timeOf(event.ts),
    conversation: conversationOf(context.team, event.channel, before.thread_ts),
    actor: { user: before.user ?? '', bot: false },
    message: ts,
  });
}

/** The person opened the Home tab. The Messages tab is a conversation like any other. */
export function homeEvents(
  event: { user: string; channel: string; tab?: string | undefined; event_ts: string },
  context: InboundContext,
): Inbound {
  if (event.tab !== undefined && event.tab !== 'home') return ignored(`tab ${event.tab}`);
  const home: InboundEvent = {
    type: 'home',
    key: `home:${context.team}:${event.user}:${event.event_ts}`,
    at: timeOf(event.event_ts),
    conversation: conversationOf(context.team, event.channel, undefined),
    actor: { user: event.user, bot: false },
  };
  return events(home);
}

function isPerson(message: { user?: string | undefined; bot_id?: string | null | undefined }, context: InboundContext): boolean {
  const { user, bot_id: bot } = message;
  if (user === undefined || user === '' || (bot ?? '') !== '') return false;
  return user !== context.botUser && !slackItself.has(user);
}

function addressedBy(
  message: { type: string; channel: string; channel_type?: string | undefined; ts: string; thread_ts?: string | undefined },
  mentioned: boolean,
): 'mention' | 'direct' | 'thread' | undefined {
  if (message.channel_type === 'im' || isDirect(message.channel)) return 'direct';
  if (mentioned || message.type === 'app_mention') return 'mention';
  return message.thread_ts !== undefined && message.thread_ts !== message.ts ? 'thread' : undefined;
}

export function isDirect(channel: string): boolean {
  return channel.startsWith('D');
}

export function conversationOf(tenant: string, channel: string, thread: string | undefined): Conversation {
  const kind = isDirect(channel) || /^[UW]/.test(channel) ? 'direct' : 'channel';
  return { platform: 'slack', tenant, channel, ...(thread === undefined ? {} : { thread }), kind };
}

/** `1721609600.123456` as ISO 8601. */
export function timeOf(ts: string): string {
  return new Date(Math.floor(Number(ts) * 1000)).toISOString();
}
