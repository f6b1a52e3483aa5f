import { waitForChange } from '../slack/waiting.ts';
import type { Core } from './core.ts';
import { idOf, type Lookups, type MessageOrId, type Where } from './driver-lookups.ts';
import { compareIds } from './ids.ts';
import type { Change, Channel, Message, Modal } from './model.ts';
import { BOT_USER } from './seed.ts';
import { modalText, type Seen, seen } from './visible-text.ts';

/** Waiting for what a person sees. */

export type Match = string | RegExp | ((message: Seen) => boolean);
export type ModalMatch = string | RegExp | ((modal: Modal) => boolean);

export interface WaitOptions {
  /** Default 5,000. */
  timeoutMs?: number | undefined;
}

export interface MessageWait extends WaitOptions {
  /** Only messages of this channel, thread or DM itself: replies in a thread are not messages of its channel. */
  channel?: Where | undefined;
  /** Only messages in this thread: its id, or the message it hangs on. */
  thread?: MessageOrId | undefined;
  /** Only messages later than this one. */
  after?: MessageOrId | undefined;
  /** Whose messages. Default `app`. */
  from?: 'app' | 'anyone' | undefined;
}

export interface Waits {
  waitForMessage(match: Match, options?: MessageWait): Promise<Seen>;
  /** A message only this person sees. */
  waitForEphemeral(match: Match, options?: MessageWait): Promise<Seen>;
  /** An open form, by its title or any text in it. */
  waitForModal(match: ModalMatch, options?: WaitOptions): Promise<Modal>;
  waitForModalClosed(modal: Modal | string, options?: WaitOptions): Promise<void>;
  /** A thread whose name fits. */
  waitForThread(match: string | RegExp, options?: WaitOptions): Promise<Channel>;
  waitForDeleted(message: MessageOrId, options?: WaitOptions): Promise<void>;
  /** The app types in the channel; only typing after the call counts. */
  waitForTyping(channel: Where, options?: WaitOptions): Promise<void>;
  /** What the Discord client tells the person; only notices after the call count. */
  waitForNotice(match: string | RegExp, options?: WaitOptions): Promise<string>;
}

const WAIT_MS = 5_000;

export function createWaits(core: Core, lookups: Lookups): Waits {
  const { state } = core;
  const { user, visibleChannels, isOwn } = lookups;

  function fits(message: Message, match: Match, options: MessageWait): Seen | undefined {
    if ((options.from ?? 'app') === 'app' && message.author !== BOT_USER) return undefined;
    if (options.channel !== undefined && message.channel !== lookups.channelOf(options.channel).id) return undefined;
    if (options.thread !== undefined && message.channel !== idOf(options.thread)) return undefined;
    if (options.after !== undefined && compareIds(message.id, idOf(options.after)) <= 0) return undefined;
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
      const last = all()
        .sort((a, b) => compareIds(a.id, b.id))
        .slice(-12);
      return `${user.username} saw no ${kind} that fits ${describeMatch(match)}; the last ones are${listed(last.map((m) => describeMessage(core, m)))}`;
    };
    return waitForChange(state, look, { timeoutMs: options.timeoutMs ?? WAIT_MS, describe });
  }

  async function waitUntil(isSo: () => boolean, describe: () => string, options: WaitOptions): Promise<void> {
    await waitForChange(state, () => (isSo() ? true : undefined), { timeoutMs: options.timeoutMs ?? WAIT_MS, describe });
  }

  return {
    waitForMessage: (match, options = {}) => waitForText('message', match, options),
    waitForEphemeral: (match, options = {}) => waitForText('ephemeral', match, options),
    waitForModal(match, options = {}) {
      const open = () => [...state.modals.values()].filter((modal) => modal.user === user.id);
      const look = () => open().find((modal) => matches(match, modal, modalText(modal)));
      const describe = () =>
        `${user.username} saw no form that fits ${describeMatch(match)}; open is${listed(open().map((modal) => modalText(modal).replaceAll('\n', ' | ')))}`;
      return waitForChange(state, look, { timeoutMs: options.timeoutMs ?? WAIT_MS, describe });
    },
    waitForModalClosed(modal, options = {}) {
      const id = typeof modal === 'string' ? modal : modal.id;
      return waitUntil(
        () => !state.modals.has(id),
        () => `the form ${id} is still open`,
        options,
      );
    },
    waitForThread(match, options = {}) {
      const threads = () => visibleChannels().filter((channel) => channel.kind === 'thread');
      const look = () => threads().find((thread) => matches(match, thread, thread.name));
      const describe = () =>
        `${user.username} saw no thread that fits ${describeMatch(match)}; there are${listed(threads().map(({ name }) => name))}`;
      return waitForChange(state, look, { timeoutMs: options.timeoutMs ?? WAIT_MS, describe });
    },
    waitForDeleted(target, options = {}) {
      const id = idOf(target);
      return waitUntil(
        () => state.message(id) === undefined,
        () => `the message ${id} is still there`,
        options,
      );
    },
    async waitForTyping(where, options = {}) {
      const channel = lookups.channelOf(where);
      const look = (change: Change | undefined) =>
        change?.type === 'typing' && change.channel === channel.id && change.user === BOT_USER ? true : undefined;
      const describe = () => `the app did not type in ${channel.name}`;
      await waitForChange(state, look, { timeoutMs: options.timeoutMs ?? WAIT_MS, describe });
    },
    waitForNotice(match, options = {}) {
      const look = (change: Change | undefined) => {
        if (change?.type !== 'notice' || change.user !== user.id) return undefined;
        return matches(match, change.text, change.text) ? change.text : undefined;
      };
      const describe = () => `${user.username} was told nothing that fits ${describeMatch(match)}`;
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
  const author = core.state.users.get(message.author)?.username ?? message.webhook?.username ?? message.author;
  const where = core.state.channels.get(message.channel)?.name ?? message.channel;
  return `${message.id} in ${where} ${author}: ${seen(core, message).plain.replaceAll('\n', ' | ')}`;
}
