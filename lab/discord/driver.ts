/**
 * Acting and waiting as a person, for tests.
 *
 *   const discord = await createDiscordEmulator();
 *   // … start the app with discord.apiUrl, discord.token and discord.applicationId …
 *   const ada = discord.person('ada');
 *   await ada.slash('#demo', '/deckhand sh', { command: 'npm test' });
 *   const card = await ada.waitForMessage(/queued|running/, { channel: '#demo' });
 *   const ask = await ada.waitForMessage('Approval needed', { thread: card });
 *   await ada.press(ask, 'Approve');
 *   await ada.waitForMessage(/done in/, { thread: card });
 *
 *   ada.mention('#demo', 'tasks');
 *   await ada.slash('#demo', '/deckhand tasks');
 *   const answer = await ada.waitForEphemeral(/#1/);
 *
 *   await ben.press(ask, 'Deny with reason…');
 *   const form = await ben.waitForModal('Deny');
 *   await ben.submit(form, { Reason: 'not today' });
 *
 * Channels are `#demo`, `demo`, an id, `dm` (the person's own conversation with the app), or a message: the thread that hangs on it.
 * A match is a text that must occur, a RegExp, or a function; texts are matched against `plain`: everything readable in the
 * message, components and their labels included. Waits look at what is there already and then at every change, so no order of
 * events can make them miss something; `after` leaves out older messages. They consider messages of the app, unless `from`
 * says otherwise. A wait that runs out rejects and lists what the person saw instead.
 *
 * Presses, commands and forms resolve when the app has given its first answer. They reject with NotAnswered when it has not,
 * and with Refused when the Discord client itself would refuse.
 */
import type { Json } from '../slack/json.ts';
import { closeModal } from './callbacks.ts';
import type { Core } from './core.ts';
import { createLookups, fieldNamed, idOf, type MessageOrId, optionNamed, pickComponent, type Where } from './driver-lookups.ts';
import { createWaits, type Waits } from './driver-waits.ts';
import { COMPONENT as C } from './flags.ts';
import { autocomplete, messageCommand, press, slashCommand } from './interactions.ts';
import { type ModalValues, submitModal } from './modal-submit.ts';
import type { Channel, FileRecord, Message, Modal } from './model.ts';
import * as people from './people.ts';
import { BOT_USER } from './seed.ts';
import type { TypedOptions } from './typed-commands.ts';
import { type Seen, seen } from './visible-text.ts';

export interface SayOptions {
  /** The message it replies to. */
  replyTo?: MessageOrId | undefined;
  /** Whether a reply notifies the author of that message. Default true. */
  ping?: boolean | undefined;
  /** Files from `upload`, or their ids. */
  files?: readonly (FileRecord | string)[] | undefined;
}

/** By label or custom id. Options by label or value; files from `upload` by id; a checkbox as true or false. */
export type FormValues = Readonly<Record<string, string | readonly string[] | boolean>>;

export interface Person extends Waits {
  id: string;
  name: string;
  /** Types a message. */
  say(where: Where, text: string, options?: SayOptions): Seen;
  /** Types a reply to the message, where that message is. */
  reply(to: Pick<Message, 'id' | 'channel'>, text: string, options?: Omit<SayOptions, 'replyTo'>): Seen;
  /** Types `@Deckhand text`. */
  mention(where: Where, text: string, options?: SayOptions): Seen;
  dm(text: string, options?: SayOptions): Seen;
  /** Sends `/deckhand project add` with options by name. Users, channels, files by id. */
  slash(where: Where, command: string, options?: TypedOptions): Promise<void>;
  /** What the app proposes for the option `focused`: `{ name, value }`. `options` hold what is typed, the focused one included. */
  autocomplete(where: Where, command: string, focused: string, options?: TypedOptions): Promise<Json[]>;
  /** Runs a command from the menu of a message. */
  messageCommand(message: MessageOrId, name: string): Promise<void>;
  /** Presses a button, or chooses an option, found by label or custom id. */
  press(message: MessageOrId, what: string): Promise<void>;
  /** A press that was under way when the app changed the message: `as` is the message as the person still saw it. */
  pressLate(as: Message, what: string): Promise<void>;
  /** Chooses in the select with this placeholder or custom id; options by label or value. */
  select(message: MessageOrId, what: string, values: string | readonly string[]): Promise<void>;
  submit(modal: Modal | string, values?: FormValues): Promise<void>;
  closeModal(modal: Modal | string): void;
  edit(message: MessageOrId, text: string): Seen;
  /** Deletes an own message; dismisses an ephemeral one. */
  delete(message: MessageOrId): void;
  react(message: MessageOrId, emoji: string, action?: 'add' | 'remove'): void;
  type(where: Where): void;
  upload(name: string, content: Buffer | string): FileRecord;
  /** Opens a thread from a message, or in a channel. */
  startThread(from: MessageOrId, name: string): Channel;
  setThread(thread: MessageOrId, change: { archived?: boolean; locked?: boolean }): Channel;
  /** Lets the app write direct messages, or not any more. */
  allowDms(open: boolean): void;

  /** All messages of a channel, thread or DM, oldest first. */
  messages(where: Where): Seen[];
  ephemerals(): Seen[];
  modals(): Modal[];
  threads(): Channel[];
  /** The bytes of an attachment. */
  content(file: FileRecord | string): Buffer | undefined;
  /** The message as it is now. */
  look(message: MessageOrId): Seen;
}

export function createPerson(core: Core, nameOrId: string): Person {
  const lookups = createLookups(core, nameOrId);
  const { state } = core;
  const { user, channelOf, find, modalOf } = lookups;
  const pathOf = (command: string) => command.replace(/^\//, '').trim().split(/\s+/);

  const say: Person['say'] = (where, text, options = {}) => {
    const typed = {
      channel: channelOf(where).id,
      text,
      reply_to: options.replyTo === undefined ? undefined : idOf(options.replyTo),
      ping: options.ping,
      files: options.files?.map((file) => (typeof file === 'string' ? file : file.id)),
    };
    return seen(core, people.say(core, user, typed));
  };

  return {
    ...createWaits(core, lookups),
    id: user.id,
    name: user.username,
    say,
    reply: (to, text, options = {}) => say(to.channel, text, { ...options, replyTo: to.id }),
    mention: (where, text, options) => say(where, `<@${BOT_USER}> ${text}`, options),
    dm: (text, options) => say('dm', text, options),
    slash: (where, command, options = {}) => slashCommand(core, user, channelOf(where), { path: pathOf(command), options }),
    autocomplete: (where, command, focused, options = {}) =>
      autocomplete(core, user, channelOf(where), { path: pathOf(command), options, focused }),
    messageCommand: async (message, name) => messageCommand(core, user, name, find(message)),
    async press(target, what) {
      const message = find(target);
      const { component, value } = pickComponent(message.components, what);
      await press(core, user, message, {
        custom_id: String(component.custom_id),
        values: value === undefined ? undefined : [value],
      });
    },
    async pressLate(as, what) {
      const { component } = pickComponent(as.components, what);
      await press(core, user, as, { custom_id: String(component.custom_id), isLate: true });
    },
    async select(target, what, values) {
      const message = find(target);
      const { component } = pickComponent(message.components, what);
      const chosen = [values].flat().map((value) => optionNamed(component, value) ?? value);
      await press(core, user, message, { custom_id: String(component.custom_id), values: chosen });
    },
    async submit(target, values = {}) {
      const modal = modalOf(target);
      await submitModal(core, user, modal, byCustomId(modal, values));
    },
    closeModal: (target) => closeModal(core, modalOf(target)),
    edit: (target, text) => seen(core, people.edit(core, user, { id: idOf(target), text })),
    delete: (target) => people.remove(core, user, idOf(target)),
    react: (target, emoji, action = 'add') => people.reactAs(core, user, { id: idOf(target), emoji, action }),
    type: (where) => people.startTyping(core, user, channelOf(where).id),
    upload: (name, content) => people.upload(core, user, { name, content: Buffer.from(content) }),
    startThread(from, name) {
      const message = state.message(idOf(from));
      if (!message) return people.startThread(core, user, { channel: channelOf(from).id, name });
      return people.startThread(core, user, { channel: message.channel, name, message: message.id });
    },
    setThread: (thread, change) => people.setThread(core, user, idOf(thread), change),
    allowDms: (open) => people.setDms(core, user, open),

    messages: (where) => state.messagesOf(channelOf(where).id).map((message) => seen(core, message)),
    ephemerals: () =>
      state
        .ephemerals()
        .filter(lookups.isOwn)
        .map((message) => seen(core, message)),
    modals: () => [...state.modals.values()].filter((modal) => modal.user === user.id),
    threads: () => lookups.visibleChannels().filter((channel) => channel.kind === 'thread'),
    content: (file) => state.readContent(typeof file === 'string' ? file : file.id),
    look: (target) => seen(core, find(target)),
  };
}

/** Fields by custom id, options by value. */
function byCustomId(modal: Modal, values: FormValues): ModalValues {
  return Object.fromEntries(
    Object.entries(values).map(([name, value]) => {
      const field = fieldNamed(modal, name);
      const one = (entry: string) => optionNamed(field, entry) ?? entry;
      const isText = field.type === C.TEXT_INPUT || typeof value === 'boolean';
      return [String(field.custom_id), isText ? value : Array.isArray(value) ? value.map(one) : one(String(value))];
    }),
  );
}
