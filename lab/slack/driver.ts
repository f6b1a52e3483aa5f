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
import type { Core } from './core.ts';
import { type FlatValue, type FlatValues, fieldValues, pickElement } from './driver-fields.ts';
import { createLookups, type MessageOrTs, tsOf } from './driver-lookups.ts';
import { createWaits, type Waits } from './driver-waits.ts';
import type { InputValues } from './elements.ts';
import { press, shortcut, slashCommand, suggestOptions } from './interactions.ts';
import type { Json } from './json.ts';
import type { FileRecord, Message, View } from './model.ts';
import * as people from './people.ts';
import { closeView, type SubmitResult, submitView } from './view-interactions.ts';
import { homeOf, openViews } from './views.ts';
import { type Seen, seen } from './visible-text.ts';

export interface SayOptions {
  thread?: MessageOrTs | undefined;
  broadcast?: boolean | undefined;
  /** Ids from `upload`. */
  files?: string[] | undefined;
}

export interface Person extends Waits {
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
  slash(channel: string, line: string, options?: { thread?: MessageOrTs | undefined }): Promise<void>;
  /** Presses a button, or chooses in another element, found by label or action id. Options may be named by label or value. */
  press(
    target: MessageOrTs | View,
    what: string,
    options?: { value?: FlatValue | undefined; values?: FlatValues | undefined },
  ): Promise<void>;
  /** A press that was under way when the app changed the message: `as` is the message as the person still saw it. */
  pressLate(as: Message, what: string): Promise<void>;
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

  /** All messages of a channel, replies included, oldest first. */
  messages(channel: string): Seen[];
  /** Parent and replies. */
  thread(parent: MessageOrTs): Seen[];
  ephemerals(): Seen[];
  views(): View[];
  home(): View | undefined;
}

export function createPerson(core: Core, nameOrId: string): Person {
  const lookups = createLookups(core, nameOrId);
  const { state } = core;
  const { user, channelOf, find, placeOf, viewOf } = lookups;

  const say: Person['say'] = (channel, text, options = {}) => {
    const threadTs = options.thread === undefined ? undefined : tsOf(options.thread);
    const typed = {
      channel: channelOf(channel).id,
      text,
      thread_ts: threadTs,
      broadcast: options.broadcast,
      files: options.files,
    };
    return seen(core, people.say(core, user, typed));
  };

  return {
    ...createWaits(core, lookups),
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
    async pressLate(as, what) {
      const { block_id, action_id, value } = pickElement(core, { message: as }, what, undefined);
      await press(core, user, { message: as }, { block_id, action_id, value });
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

    messages: (channel) => state.messagesOf(channelOf(channel).id).map((message) => seen(core, message)),
    thread(parent) {
      const root = find(parent);
      return [root, ...state.replies(root.channel, root.ts)].map((message) => seen(core, message));
    },
    ephemerals: () =>
      state
        .ephemerals()
        .filter(lookups.isOwn)
        .map((message) => seen(core, message)),
    views: () => openViews(core, user.id),
    home: () => homeOf(core, user.id),
  };
}
