/**
 * Acting and waiting as a person, for tests.
 *
 *   const slack = await createSlackEmulator();
 *   // … start the app with slack.apiUrl and slack.credentials …
 *   const ada = slack.person('ada');
 *   ada.mention('#demo', 'sh npm test');
 *   const card = await ada.waitForMessage(/queued|running/, { channel: '#demo' });
 *   const ask = await ada.waitForMessage('Approval needed', { thread: card });
 *   await ada.press(ask, 'Approve');
 *   await ada.waitForMessage(/done in/, { thread: card });
 *
 *   await ada.slash('#demo', '/deckhand tasks');
 *   const answer = await ada.waitForEphemeral(/#1/);
 *
 *   await ben.press(ask, 'Deny with reason…');
 *   const form = await ben.waitForView('Deny');
 *   await ben.submit(form, { Reason: 'not today' });
 *
 * Channels are `#demo`, `demo`, an id, or `dm` (the person's own conversation with the app).
 * A match is a text that must occur, a RegExp, or a function; texts are matched against `plain`: everything readable in the
 * message, blocks and button labels included. Waits look at what is there already and then at every change, so no order of
 * events can make them miss something; `after` leaves out older messages. They consider messages of the app, unless `from`
 * says otherwise. A wait that runs out rejects and lists what the person saw instead.
 *
 * Presses, commands and forms resolve when the app has acknowledged them. They reject with NotAnswered
 * (`operation_timeout`, `dispatch_failed`) when it has not, and with Refused when the Slack client itself would refuse.
 */
import { type Core, Refused } from './core.ts';
import { type FlatValue, type FlatValues, fieldValues, pickElement } from './driver-fields.ts';
import type { InputValues } from './elements.ts';
import { press, shortcut, slashCommand, suggestOptions } from './interactions.ts';
import type { Json } from './json.ts';
import type { Change, Channel, FileRecord, Message, View } from './model.ts';
import * as people from './people.ts';
import { BOT_USER } from './seed.ts';
import { closeView, type SubmitResult, submitView } from './view-interactions.ts';
import { homeOf, openViews } from './views.ts';
import { type Seen, seen, textsOf } from './visible-text.ts';
import { waitForChange } from './waiting.ts';

export type Match = string | RegExp | ((message: Seen) => boolean);
export type ViewMatch = string | RegExp | ((view: View) => boolean);
type MessageOrTs = Pick<Message, 'ts'> | string;

export interface WaitOptions {
  /** Default 5,000. */
  timeoutMs?: number;
}

export interface MessageWait extends WaitOptions {
  channel?: string;
  /** Only replies of this thread (a message or its ts). */
  thread?: MessageOrTs;
  /** Only messages later than this one. */
  after?: MessageOrTs;
  /** Whose messages. Default `app`. */
  from?: 'app' | 'anyone';
}

export interface SayOptions {
  thread?: MessageOrTs;
  broadcast?: boolean;
  /** Ids from `upload`. */
  files?: string[];
}

export interface Person {
  id: string;
  name: string;
  /** Types a message. */
  say(channel: string, text: string, options?: SayOptions): Seen;
  /** Types a reply in the thread of a message. */
  reply(to: Pick<Message, 'ts' | 'channel' | 'thread_ts'>, text: string, options?: Omit<SayOptions, 'thread'>): Seen;
  /** Types `@Deckhand text`. */
  mention(channel: string, text: string, options?: SayOptions): Seen;
  dm(text: string, options?: SayOptions): Seen;
  /** Types a slash command with its text: `/deckhand tasks`. */
  slash(channel: string, line: string, options?: { thread?: MessageOrTs }): Promise<void>;
  /** Presses a button, or chooses in another element, found by label or action id. Options may be named by label or value. */
  press(target: MessageOrTs | View, what: string, options?: { value?: FlatValue; values?: FlatValues }): Promise<void>;
  options(target: MessageOrTs | View, what: string, query: string): Promise<Json[]>;
  /** Submits a form; fields by label, block id or action id. */
  submit(view: View | string, values?: FlatValues): Promise<SubmitResult>;
  closeView(view: View | string, options?: { all?: boolean }): Promise<void>;
  edit(message: MessageOrTs, text: string): Seen;
  delete(message: MessageOrTs): void;
  react(message: MessageOrTs, name: string, action?: 'add' | 'remove'): void;
  shortcut(callbackId: string, message?: MessageOrTs): Promise<void>;
  openHome(tab?: 'home' | 'messages'): void;
  invite(channel: string): void;
  kick(channel: string): void;
  upload(name: string, content: Buffer | string): FileRecord;

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

  /** All messages of a channel, replies included, oldest first. */
  messages(channel: string): Seen[];
  /** Parent and replies. */
  thread(parent: MessageOrTs): Seen[];
  ephemerals(): Seen[];
  views(): View[];
  home(): View | undefined;
}

const WAIT_MS = 5_000;

export function createPerson(core: Core, nameOrId: string): Person {
  const { state } = core;
  const user = [...state.users.values()].find(
    (entry) => !entry.is_bot && (entry.id === nameOrId || entry.name === nameOrId.toLowerCase()),
  );
  if (!user)
    throw new Error(`no person ${nameOrId}; there are ${[...state.users.values()].map((entry) => entry.name).join(', ')}`);

  function channelOf(name: string): Channel {
    const bare = name.replace(/^#/, '');
    const channel = state.channels
      .values()
      .find(
        (entry) => entry.id === name || (entry.kind === 'im' ? bare === 'dm' && entry.im_user === user?.id : entry.name === bare),
      );
    if (!channel)
      throw new Error(
        `no channel ${name}; there are ${state.channels
          .values()
          .map((entry) => entry.name)
          .join(', ')}`,
      );
    return channel;
  }

  const visibleChannels = () =>
    state.channels.values().filter((entry) => entry.kind === 'public' || entry.members.includes(user.id));
  const own = (message: Message) => message.visible_to === user.id;

  function find(target: MessageOrTs): Message {
    const ts = tsOf(target);
    for (const channel of visibleChannels()) {
      const shown = state.ephemeral(channel.id, ts);
      const message = shown && own(shown) ? shown : state.message(channel.id, ts);
      if (message) return message;
    }
    throw new Refused('message_not_found', `${user?.name} sees no message ${ts}`);
  }

  function placeOf(target: MessageOrTs | View) {
    if (typeof target !== 'string' && 'hash' in target) return { view: state.views.get(target.id) ?? target };
    return { message: find(target) };
  }

  function viewOf(target: View | string): View {
    const view = state.views.get(typeof target === 'string' ? target : target.id);
    if (!view) throw new Refused('view_not_found', `${user?.name} has no such form open`);
    return view;
  }

  function fits(message: Message, match: Match, options: MessageWait): Seen | undefined {
    if ((options.from ?? 'app') === 'app' && message.user !== BOT_USER) return undefined;
    if (options.channel !== undefined && message.channel !== channelOf(options.channel).id) return undefined;
    if (options.thread !== undefined && (message.thread_ts !== tsOf(options.thread) || message.ts === tsOf(options.thread)))
      return undefined;
    if (options.after !== undefined && Number(message.ts) <= Number(tsOf(options.after))) return undefined;
    const candidate = seen(core, message);
    return matches(match, candidate, candidate.plain) ? candidate : undefined;
  }

  function waitForText(kind: 'message' | 'ephemeral', match: Match, options: MessageWait): Promise<Seen> {
    const all = () =>
      kind === 'ephemeral'
        ? state.ephemerals().filter(own)
        : visibleChannels().flatMap((channel) => state.messagesOf(channel.id));
    const isMine = (message: Message) =>
      kind === 'ephemeral'
        ? own(message)
        : !message.visible_to && visibleChannels().some((channel) => channel.id === message.channel);
    const look = (change: Change | undefined) => {
      const candidates =
        change === undefined ? all() : change.type === 'message' && isMine(change.message) ? [change.message] : [];
      for (const message of candidates) {
        const found = fits(message, match, options);
        if (found) return found;
      }
      return undefined;
    };
    const describe = () => {
      const last = all()
        .slice(-12)
        .map((message) => `  ${describeMessage(core, message)}`);
      return `${user?.name} saw no ${kind} that fits ${describeMatch(match)}; the last ones are\n${last.join('\n') || '  (none)'}`;
    };
    return waitForChange(state, look, { timeoutMs: options.timeoutMs ?? WAIT_MS, describe });
  }

  function waitForViewThat(type: View['type'], match: ViewMatch, options: WaitOptions): Promise<View> {
    const candidates = () => (type === 'home' ? [homeOf(core, user?.id ?? '')] : openViews(core, user?.id ?? '').reverse());
    const look = () =>
      candidates().find(
        (view) => view !== undefined && matches(match, view, textsOf([view.title, view.blocks, view.submit]).join('\n')),
      );
    const describe = () => {
      const open = candidates().flatMap((view) => (view ? [`  ${textsOf([view.title, view.blocks]).join(' | ')}`] : []));
      return `${user?.name} saw no ${type} that fits ${describeMatch(match)}; open is\n${open.join('\n') || '  (nothing)'}`;
    };
    return waitForChange(state, look, { timeoutMs: options.timeoutMs ?? WAIT_MS, describe });
  }

  const say: Person['say'] = (channel, text, options = {}) =>
    seen(
      core,
      people.say(core, user, {
        channel: channelOf(channel).id,
        text,
        thread_ts: options.thread === undefined ? undefined : tsOf(options.thread),
        broadcast: options.broadcast,
        files: options.files,
      }),
    );

  return {
    id: user.id,
    name: user.name,
    say,
    reply: (to, text, options = {}) => say(to.channel, text, { ...options, thread: to.thread_ts ?? to.ts }),
    mention: (channel, text, options) => say(channel, `@${core.manifest.features.bot_user.display_name} ${text}`, options),
    dm: (text, options) => say('dm', text, options),
    async slash(channel, line, options = {}) {
      const [command = '', ...words] = line.split(' ');
      const thread = options.thread === undefined ? undefined : tsOf(options.thread);
      await slashCommand(core, user, channelOf(channel), { command, text: words.join(' '), thread_ts: thread });
    },
    async press(target, what, options = {}) {
      const place = placeOf(target);
      const found = pickElement(core, place, what, options.value);
      const values: InputValues = options.values ? fieldValues(found.blocks, options.values) : {};
      await press(core, user, place, { block_id: found.block_id, action_id: found.action_id, value: found.value, values });
    },
    async options(target, what, query) {
      const place = placeOf(target);
      const { block_id, action_id } = pickElement(core, place, what, undefined);
      return suggestOptions(core, user, place, { block_id, action_id, query });
    },
    submit(target, values = {}) {
      const view = viewOf(target);
      return submitView(core, user, view, fieldValues(view.blocks, values));
    },
    closeView: (view, options = {}) => closeView(core, user, viewOf(view), options.all ?? false),
    edit(target, text) {
      const { channel, ts } = find(target);
      return seen(core, people.edit(core, user, { channel, ts, text }));
    },
    delete(target) {
      const { channel, ts } = find(target);
      people.remove(core, user, { channel, ts });
    },
    react(target, name, action = 'add') {
      const { channel, ts } = find(target);
      people.reactAs(core, user, { channel, ts, name, action });
    },
    shortcut: (callbackId, message) => shortcut(core, user, callbackId, message === undefined ? undefined : find(message)),
    openHome: (tab = 'home') => people.openHome(core, user, tab),
    invite: (channel) => people.inviteBot(core, user, channelOf(channel).id),
    kick: (channel) => people.kickBot(core, user, channelOf(channel).id),
    upload: (name, content) => people.upload(core, user, { name, content: Buffer.from(content) }),

    waitForMessage: (match, options = {}) => waitForText('message', match, options),
    waitForEphemeral: (match, options = {}) => waitForText('ephemeral', match, options),
    waitForView: (match, options = {}) => waitForViewThat('modal', match, options),
    waitForHome: (match, options = {}) => waitForViewThat('home', match, options),
    async waitForViewClosed(view, options = {}) {
      const id = typeof view === 'string' ? view : view.id;
      const look = () => (state.views.get(id) ? undefined : true);
      await waitForChange(state, look, {
        timeoutMs: options.timeoutMs ?? WAIT_MS,
        describe: () => `the form ${id} is still open`,
      });
    },
    async waitForDeleted(target, options = {}) {
      const { channel, ts } = find(target);
      const look = () =>
        (state.message(channel, ts)?.subtype ?? 'tombstone') === 'tombstone' && !state.ephemeral(channel, ts) ? true : undefined;
      await waitForChange(state, look, {
        timeoutMs: options.timeoutMs ?? WAIT_MS,
        describe: () => `the message ${ts} is still there`,
      });
    },
    waitForNotice(match, options = {}) {
      const look = (change: Change | undefined) =>
        change?.type === 'notice' && change.user === user.id && matches(match, change.text, change.text)
          ? change.text
          : undefined;
      const describe = () => `${user.name} was told nothing that fits ${describeMatch(match)}`;
      return waitForChange(state, look, { timeoutMs: options.timeoutMs ?? WAIT_MS, describe });
    },

    messages: (channel) => state.messagesOf(channelOf(channel).id).map((message) => seen(core, message)),
    thread(parent) {
      const root = find(parent);
      return [root, ...state.replies(root.channel, root.ts)].map((message) => seen(core, message));
    },
    ephemerals: () =>
      state
        .ephemerals()
        .filter(own)
        .map((message) => seen(core, message)),
    views: () => openViews(core, user.id),
    home: () => homeOf(core, user.id),
  };
}

function tsOf(target: MessageOrTs): string {
  return typeof target === 'string' ? target : target.ts;
}

function matches<T>(match: string | RegExp | ((value: T) => boolean), value: T, text: string): boolean {
  if (typeof match === 'string') return text.includes(match);
  return match instanceof RegExp ? match.test(text) : match(value);
}

function describeMatch(match: unknown): string {
  return typeof match === 'string' ? JSON.stringify(match) : String(match);
}

function describeMessage(core: Core, message: Message): string {
  const author = core.state.users.get(message.user)?.name ?? message.user;
  const where = core.state.channels.get(message.channel)?.name ?? message.channel;
  const thread = message.thread_ts && message.thread_ts !== message.ts ? ` in ${message.thread_ts}` : '';
  return `${message.ts} #${where}${thread} ${author}: ${seen(core, message).plain.replaceAll('\n', ' | ').slice(0, 200)}`;
}
