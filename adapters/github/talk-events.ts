import type { InboundEvent } from '../../src/contracts/inbound.ts';
import type { Conversation } from '../../src/contracts/platform.ts';
import { fenced, inlineCode } from './talk-escape.ts';
import type { Said } from './talk-said.ts';
import { saidTo, shownText } from './talk-text.ts';

/** Who the bot is there. */
export interface Me {
  /** Of its account: `deckhand-bot`, or of an app `deckhand[bot]`. */
  login: string;
  /** By which people name it, without `@`. */
  mention: string;
  /** Number of its account; of an app its login. */
  account: string;
}

export interface EventContext {
  me: Me;
  /** Host of the pages. */
  tenant: string;
  /** As GitHub writes it. */
  repository: { id: number; fullName: string };
}

/** Lines of a diff that show what a comment on a line is about. */
const hunkLines = 8;
/** One word is a command; nothing is put before it. */
const oneWord = /^\S+$/;

/** Whether somebody wrote it to the bot: not itself, no other program, and not to others. */
export function isForUs(said: Said, me: Me): boolean {
  return !said.by.isBot && !isOwn(said, me) && saidTo(said.body, me.mention) !== undefined;
}

export function isOwn({ by }: Pick<Said, 'by'>, me: Me): boolean {
  return by.login.toLowerCase() === me.login.toLowerCase();
}

/** What somebody asked. Nothing for what is not said to the bot. */
export function askedEvents(said: Said, context: EventContext): InboundEvent[] {
  const text = saidTo(said.body, context.me.mention);
  if (text === undefined || !isForUs(said, context.me)) return [];
  return [
    {
      ...baseOf(said, context, `msg:${context.repository.id}:${said.message}`, said.createdAt),
      type: 'message',
      text: withPlace(said, text),
      message: said.message,
      addressed: 'mention',
      about: said.about,
      ...(titleOf(said) === undefined ? {} : { title: titleOf(said) }),
      attachments: [],
    },
  ];
}

/** What somebody made of it later. The text without the mention is all of it, where the mention is gone. */
export function editedEvents(said: Said, context: EventContext): InboundEvent[] {
  if (said.by.isBot || isOwn(said, context.me)) return [];
  const text = saidTo(said.body, context.me.mention) ?? shownText(said.body);
  return [
    {
      ...baseOf(said, context, `edit:${context.repository.id}:${said.message}:${said.updatedAt}`, said.updatedAt),
      type: 'message_edited',
      text: withPlace(said, text),
      message: said.message,
    },
  ];
}

/** It was taken back, by whoever may. */
export function deletedEvents(said: Said, context: EventContext): InboundEvent[] {
  if (!isForUs(said, context.me)) return [];
  return [
    {
      ...baseOf(said, context, `del:${context.repository.id}:${said.message}`, said.updatedAt),
      type: 'message_deleted',
      message: said.message,
    },
  ];
}

function baseOf({ by, number }: Said, { tenant, repository }: EventContext, key: string, at: string) {
  return {
    key,
    at: new Date(at).toISOString(),
    conversation: conversationOf(tenant, repository.fullName, number),
    channelName: repository.fullName,
    actor: { user: String(by.id), name: by.login, bot: by.isBot },
  };
}

export function conversationOf(tenant: string, fullName: string, number: number): Conversation {
  return { platform: 'github', tenant, channel: fullName, thread: String(number), kind: 'channel' };
}

/** Undefined: it opens nothing, or nothing with a title. */
function titleOf({ title }: Pick<Said, 'title'>): string | undefined {
  const clean = title?.replaceAll('\u0000', '').toWellFormed().trim();
  return clean === '' ? undefined : clean;
}

/** With what the text is about, as data: the title of an issue, the lines that a comment stands at. */
function withPlace({ title, at }: Said, text: string): string {
  if (oneWord.test(text)) return text;
  if (title !== undefined) return `${text}\n\nTitle: ${titleOf({ title }) ?? ''}`.trim();
  if (at === undefined) return text;
  const place = `${at.path}${at.line === undefined ? '' : `:${at.line}`}`;
  const shown = at.hunk.split('\n').slice(-hunkLines).join('\n');
  return [inlineCode(place) ?? place, ...(shown.trim() === '' ? [] : [fenced(shown, 'diff')]), text].join('\n\n');
}
