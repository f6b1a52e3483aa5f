import type { Core } from './core.ts';
import { type Lookups, type MessageOrTs, tsOf } from './driver-lookups.ts';
import { compareTs } from './ids.ts';
import type { Change, Message, View } from './model.ts';
import { BOT_USER } from './seed.ts';
import { homeOf, openViews } from './views.ts';
import { type Seen, seen, textsOf } from './visible-text.ts';
import { waitForChange } from './waiting.ts';

/** Waiting for what a person sees. */

export type Match = string | RegExp | ((message: Seen) => boolean);
export type ViewMatch = string | RegExp | ((view: View) => boolean);

export interface WaitOptions {
  /** Default 5,000. */
  timeoutMs?: number | undefined;
}

export interface MessageWait extends WaitOptions {
  channel?: string | undefined;
  /** Only replies of this thread (a message or its ts). */
  thread?: MessageOrTs | undefined;
  /** Only messages later than this one. */
  after?: MessageOrTs | undefined;
  /** Whose messages. Default `app`. */
  from?: 'app' | 'anyone' | undefined;
}

export interface Waits {
  waitForMessage(match: Match, options?: MessageWait): Promise<Seen>;
  /** A message only this person sees. */
  waitForEphemeral(match: Match, options?: MessageWait): Promise<Seen>;
  /** An open form, by its title or any text in it. */
  waitForView(match: ViewMatch, options?: WaitOptions): Promise<View>;
  /** The form (by id) is gone. */
  waitForViewClosed(view: View | string, options?: WaitOptions): Promise<void>;
  waitForHome(match: ViewMatch, options?: WaitOptions): Promise<View>;
  /** The message is gone or a tombstone. */
  waitForDeleted(message: MessageOrTs, options?: WaitOptions): Promise<void>;
  /** What the Slack client tells the person; only notices after the call count. */
  waitForNotice(match: string | RegExp, options?: WaitOptions): Promise<string>;
}

const WAIT_MS = 5_000;

export function createWaits(core: Core, lookups: Lookups): Waits {
  const { state } = core;
  const { user, visibleChannels, isOwn } = lookups;

  function fits(message: Message, match: Match, options: MessageWait): Seen | undefined {
    if ((options.from ?? 'app') === 'app' && message.user !== BOT_USER) return undefined;
    if (options.channel !== undefined && message.channel !== lookups.channelOf(options.channel).id) return undefined;
    if (options.thread !== undefined && (message.thread_ts !== tsOf(options.thread) || message.ts === tsOf(options.thread)))
      return undefined;
    if (options.after !== undefined && compareTs(message.ts, tsOf(options.after)) <= 0) return undefined;
    const candidate = seen(core, message);
    return matches(match, candidate, candidate.plain) ? candidate : undefined;
  }

  function waitForText(kind: 'message' | 'ephemeral', match: Match, options: MessageWait): Promise<Seen> {
    const isShown = (message: Message) =>
      kind === 'ephemeral'
        ? isOwn(message)
        : !message.visible_to && visibleChannels().some((channel) => channel.id === message.channel);
    const all = () =>
      kind === 'ephemeral'
        ? state.ephemerals().filter(isOwn)
        : visibleChannels().flatMap((channel) => state.messagesOf(channel.id));
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
      return `${user.name} saw no ${kind} that fits ${describeMatch(match)}; the last ones are${listed(last.map((m) => describeMessage(core, m)))}`;
    };
    return waitForChange(state, look, { timeoutMs: options.timeoutMs ?? WAIT_MS, describe });
  }

  function waitForViewThat(type: View['type'], match: ViewMatch, options: WaitOptions): Promise<View> {
    const open = () => {
      if (type === 'modal') return openViews(core, user.id).reverse();
      const home = homeOf(core, user.id);
      return home ? [home] : [];
    };
    const textOf = (view: View) => textsOf([view.title, view.blocks, view.submit]).join('\n');
    const look = () => open().find((view) => matches(match, view, textOf(view)));
    const describe = () =>
      `${user.name} saw no ${type} that fits ${describeMatch(match)}; open is${listed(open().map((view) => textOf(view).replaceAll('\n', ' | ')))}`;
    return waitForChange(state, look, { timeoutMs: options.timeoutMs ?? WAIT_MS, describe });
  }

  async function waitUntil(isSo: () => boolean, describe: () => string, options: WaitOptions): Promise<void> {
    await waitForChange(state, () => (isSo() ? true : undefined), { timeoutMs: options.timeoutMs ?? WAIT_MS, describe });
  }

  return {
    waitForMessage: (match, options = {}) => waitForText('message', match, options),
    waitForEphemeral: (match, options = {}) => waitForText('ephemeral', match, options),
    waitForView: (match, options = {}) => waitForViewThat('modal', match, options),
    waitForHome: (match, options = {}) => waitForViewThat('home', match, options),
    waitForViewClosed(view, options = {}) {
      const id = typeof view === 'string' ? view : view.id;
      return waitUntil(
        () => state.views.get(id) === undefined,
        () => `the form ${id} is still open`,
        options,
      );
    },
    waitForDeleted(target, options = {}) {
      const { channel, ts } = lookups.find(target);
      const isGone = () => {
        const message = state.ephemeral(channel, ts) ?? state.message(channel, ts);
        return message === undefined || message.subtype === 'tombstone';
      };
      return waitUntil(isGone, () => `the message ${ts} is still there`, options);
    },
    waitForNotice(match, options = {}) {
      const look = (change: Change | undefined) => {
        if (change?.type !== 'notice' || change.user !== user.id) return undefined;
        return matches(match, change.text, change.text) ? change.text : undefined;
      };
      const describe = () => `${user.name} was told nothing that fits ${describeMatch(match)}`;
      return waitForChange(state, look, { timeoutMs: options.timeoutMs ?? WAIT_MS, describe });
    },
  };
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
  const author = core.state.users.get(message.user)?.name ?? message.user;
  const where = core.state.channels.get(message.channel)?.name ?? message.channel;
  const thread = message.thread_ts && message.thread_ts !== message.ts ? ` in ${message.thread_ts}` : '';
  return `${message.ts} #${where}${thread} ${author}: ${seen(core, message).plain.replaceAll('\n', ' | ')}`;
}
