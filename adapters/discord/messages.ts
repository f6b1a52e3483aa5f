import { cutMention, decodeText, snowflakeTime } from './discord-text.ts';
import type { DiscordMessage } from './payloads.ts';
import {
  affiliationIn,
  event,
  type Inbound,
  type InboundContext,
  ignored,
  isPersonal,
  named,
  nameOf,
  type Place,
} from './reading.ts';

/** A new message. The same message gives the same event, whether it came through the gateway or was looked up (promise 2). */
export function messageEvents(message: DiscordMessage, place: Place, context: InboundContext): Inbound {
  if (!isPersonal(message)) return ignored('not written by a person');
  const { conversation } = place;
  const addressed = addressedBy(message, place, context);
  if (addressed === undefined) return ignored('channel talk');
  const text = textOf(message, context);
  const attachments = (message.attachments ?? []).map(({ id, filename, content_type: mime, size }) => ({
    id,
    name: filename ?? id,
    // Discord names the character set too: `text/plain; charset=utf-8`.
    ...(mime == null ? {} : { mime: mime.replace(/;.*$/s, '').trim() }),
    ...(size == null ? {} : { bytes: size }),
  }));
  // A sticker, or a message whose words Discord keeps to itself because the intent for them is not granted.
  if (addressed === 'thread' && text === '' && attachments.length === 0) return ignored('no words');
  return event({
    type: 'message',
    key: `msg:${message.channel_id}:${message.id}`,
    at: snowflakeTime(message.id).toISOString(),
    conversation,
    ...named(place),
    actor: authorOf(message, place),
    ...(conversation.thread === undefined && answersBot(message, context) ? { replyTo: message.referenced_message?.id } : {}),
    text,
    message: message.id,
    addressed,
    attachments,
  });
}

/** A changed message. Previews that are added change messages too; only an edit has a time. */
export function editEvents(message: DiscordMessage, place: Place, context: InboundContext): Inbound {
  if (message.edited_timestamp == null || message.content == null) return ignored('the words did not change');
  if (!isPersonal(message)) return ignored('not written by a person');
  if (addressedBy(message, place, context) === undefined) return ignored('channel talk');
  return event({
    type: 'message_edited',
    key: `edit:${message.channel_id}:${message.id}:${message.edited_timestamp}`,
    at: new Date(message.edited_timestamp).toISOString(),
    conversation: place.conversation,
    ...named(place),
    actor: authorOf(message, place),
    text: textOf(message, context),
    message: message.id,
  });
}

/** A deleted message. Discord says neither whose it was nor what it said: both are remembered from when it came. */
export function deletionEvents(
  deleted: { id: string; channel_id: string },
  known: { place: Place; author: string },
  context: Pick<InboundContext, 'now'>,
): Inbound {
  return event({
    type: 'message_deleted',
    key: `del:${deleted.channel_id}:${deleted.id}`,
    at: context.now().toISOString(),
    conversation: known.place.conversation,
    ...named(known.place),
    actor: { user: known.author, bot: false },
    message: deleted.id,
  });
}

function authorOf({ author, member }: DiscordMessage, place: Place) {
  return { user: author?.id ?? '', ...nameOf(member, author), bot: false, ...affiliationIn(member, place) };
}

function addressedBy(
  message: DiscordMessage,
  { conversation }: Place,
  context: InboundContext,
): 'mention' | 'direct' | 'thread' | undefined {
  if (conversation.kind === 'direct') return 'direct';
  if (isMentioned(message, context)) return 'mention';
  return conversation.thread !== undefined || answersBot(message, context) ? 'thread' : undefined;
}

/** By name, or by a reply that notifies. `@everyone` means nobody in particular. */
function isMentioned(message: DiscordMessage, { botUser }: InboundContext): boolean {
  return (message.mentions ?? []).some(({ id }) => id === botUser) || cutMention(message.content ?? '', botUser) !== undefined;
}

/** Such an answer belongs to the thread of what it answers, though it stands beside it. */
function answersBot({ referenced_message: answered }: DiscordMessage, { botUser }: InboundContext): boolean {
  return answered?.author?.id === botUser;
}

function textOf(message: DiscordMessage, { botUser }: InboundContext): string {
  const content = message.content ?? '';
  return decodeText(cutMention(content, botUser) ?? content).trim();
}
