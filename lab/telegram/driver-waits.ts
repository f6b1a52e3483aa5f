import { waitForChange } from '../slack/waiting.ts';
import type { Core } from './core.ts';
import type { Lookups, MessageRef } from './driver-lookups.ts';
import type { Change, Draft, Message } from './model.ts';
import { type Seen, seen, textsOf } from './visible-text.ts';

/** Waiting for what a person sees. */

export type Match = string | RegExp | ((message: Seen) => boolean);
export type DraftMatch = string | RegExp | ((draft: Draft) => boolean);

export interface WaitOptions {
  /** Default 5,000. */
  timeoutMs?: number | undefined;
}

export interface MessageWait extends WaitOptions {
  chat?: string | number | undefined;
  /** The same as `chat`. */
  channel?: string | number | undefined;
  /** Only messages of this topic, by name or id; needs `chat`. */
  topic?: string | number | undefined;
  /** Only replies to this message, direct or through others. */
  thread?: MessageRef | undefined;
  /** Only messages of the same chat that are later than this one. */
  after?: MessageRef | undefined;
  /** Whose messages. Default `app`: the bot's. */
  from?: 'app' | 'anyone' | undefined;
}

export interface Waits {
  waitForMessage(match: Match, options?: MessageWait): Promise<Seen>;
  waitForDeleted(message: MessageRef, options?: WaitOptions): Promise<void>;
  /** A draft in the person's private chat. */
  waitForDraft(match: DraftMatch, options?: WaitOptions): Promise<Draft>;
  /** The bot's reaction to a message; `undefined` waits until there is none. */
  waitForReaction(message: MessageRef, emoji: string | undefined, options?: WaitOptions): Promise<void>;
}

const WAIT_MS = 5_000;

export function createWaits(core: Core, lookups: Lookups): Waits {
  const { state } = core;
  const { user, visibleChats } = lookups;

  function fits(message: Message, match: Match, options: MessageWait): Seen | undefined {
    if ((options.from ?? 'app') === 'app' && message.from !== core.bot.id) return undefined;
    const place = options.chat ?? options.channel;
    const chat = place === undefined ? undefined : lookups.chatOf(place);
    if (chat && message.chat !== chat.id) return undefined;
    if (options.topic !== undefined) {
      if (!chat) throw new Error('a topic needs its chat');
      if (!message.is_topic_message || message.message_thread_id !== lookups.topicOf(chat, options.topic).id) return undefined;
    }
    if (options.thread !== undefined && !isBelow(message, options.thread)) return undefined;
    if (options.after !== undefined && (message.chat !== options.after.chat || message.id <= options.after.id)) return undefined;
    const candidate = seen(core, message);
    return matches(match, candidate, candidate.plain) ? candidate : undefined;
  }

  function isBelow(message: Message, root: MessageRef): boolean {
    if (message.chat !== root.chat) return false;
    let at: Message | undefined = message;
    while (at?.reply_to !== undefined) {
      if (at.reply_to === root.id) return true;
      at = state.message(at.chat, at.reply_to);
    }
    return false;
  }

  return {
    waitForMessage(match, options = {}) {
      const isShown = (message: Message) => visibleChats().some((chat) => chat.id === message.chat);
      const all = () =>
        visibleChats()
          .flatMap((chat) => state.messagesOf(chat.id))
          .sort((a, b) => a.date - b.date);
      const look = (change: Change | undefined) => {
        if (change !== undefined && change.type !== 'message') return undefined;
        const candidates = change === undefined ? all() : [change.message].filter(isShown);
        for (const message of candidates) {
          const found = fits(message, match, options);
          if (found) return found;
        }
        return undefined;
      };
      const describe = () => {
        const last = all().slice(-12);
        return `${user.name} saw no message that fits ${describeMatch(match)}; the last ones are${listed(last.map((m) => describeMessage(core, m)))}`;
      };
      return waitForChange(state, look, { timeoutMs: options.timeoutMs ?? WAIT_MS, describe });
    },
    async waitForDeleted({ chat, id }, options = {}) {
      const look = () => (state.message(chat, id) === undefined ? true : undefined);
      const describe = () => `the message ${id} is still there`;
      await waitForChange(state, look, { timeoutMs: options.timeoutMs ?? WAIT_MS, describe });
    },
    waitForDraft(match, options = {}) {
      const look = () => core.drafts.of(user.id).find((draft) => matches(match, draft, draftText(draft)));
      const describe = () =>
        `${user.name} saw no draft that fits ${describeMatch(match)}; there are${listed(core.drafts.of(user.id).map(draftText))}`;
      return waitForChange(state, look, { timeoutMs: options.timeoutMs ?? WAIT_MS, describe });
    },
    async waitForReaction({ chat, id }, emoji, options = {}) {
      const own = () => state.message(chat, id)?.reactions.find((reaction) => reaction.user === core.bot.id)?.emoji;
      const look = () => (own() === emoji ? true : undefined);
      const describe = () => `the bot's reaction to ${id} is ${own() ?? 'missing'}, not ${emoji ?? 'missing'}`;
      await waitForChange(state, look, { timeoutMs: options.timeoutMs ?? WAIT_MS, describe });
    },
  };
}

export function draftText(draft: Draft): string {
  return [draft.text, ...textsOf(draft.rich?.blocks ?? [])].filter((line) => line !== '').join('\n');
}

function matches<T>(match: string | RegExp | ((value: T) => boolean), value: T, text: string): boolean {
  if (typeof match === 'string') return text.includes(match);
  // A RegExp with the flag g or y remembers where it stopped; every look must start anew.
  return match instanceof RegExp ? new RegExp(match.source, match.flags.replace(/[gy]/g, '')).test(text) : match(value);
}

function describeMatch(match: unknown): string {
  return typeof match === 'string' ? JSON.stringify(match) : String(match);
}

function listed(lines: string[]): string {
  return lines.length === 0 ? ' (none)' : `\n${lines.map((line) => `  ${line.slice(0, 300)}`).join('\n')}`;
}

function describeMessage(core: Core, message: Message): string {
  const author = core.state.users.get(message.from)?.name ?? message.from;
  const where = core.state.chat(message.chat)?.name ?? message.chat;
  const topic = message.is_topic_message ? ` in topic ${message.message_thread_id}` : '';
  const reply = message.reply_to === undefined ? '' : ` to ${message.reply_to}`;
  return `${message.id} ${where}${topic}${reply} ${author}: ${seen(core, message).plain.replaceAll('\n', ' | ')}`;
}
