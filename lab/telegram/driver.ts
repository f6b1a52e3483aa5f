/**
 * Acting and waiting as a person, for tests.
 *
 *   const telegram = await createTelegramEmulator();
 *   // … start the bot with telegram.apiRoot and telegram.token …
 *   const ada = telegram.person('ada');
 *   ada.say('demo', '/sh npm test');
 *   const card = await ada.waitForMessage(/queued|running/, { chat: 'demo' });
 *   const ask = await ada.waitForMessage('Approval needed', { thread: card });
 *   const answer = await ada.press(ask, 'Approve');     // { shown: 'toast', text: 'Approved' }
 *   await ada.waitForMessage(/done in/, { thread: card });
 *
 *   ada.start();                                        // the bot may write to Ada from now on
 *   ada.dm('/tasks');
 *   await ada.waitForMessage('#1', { chat: 'dm' });
 *
 *   ada.say('forum', 'hello', { topic: 'Releases' });
 *
 * Chats are `demo`, `ops`, `forum` (also with `#`), an id, or `dm` (the person's own conversation with the bot).
 * A match is a text that must occur, a RegExp, or a function; texts are matched against `plain`: everything readable in the
 * message, rich content, file names and button labels included. Waits look at what is there already and then at every change, edits
 * included, so no order of events can make them miss something; `after` leaves out older messages. They consider messages of the bot,
 * unless `from` says otherwise. A wait that runs out rejects and lists what the person saw instead.
 */

import { Refused } from '../refused.ts';
import type { Core } from './core.ts';
import { createLookups, type MessageRef } from './driver-lookups.ts';
import { createWaits, type Waits } from './driver-waits.ts';
import { openReply } from './forced-replies.ts';
import * as groups from './groups.ts';
import { digits } from './ids.ts';
import { commandsFor } from './methods-commands.ts';
import type { Chat, CommandList, InlineButton, Message, Rights, Topic } from './model.ts';
import * as people from './people.ts';
import { answerTo, buttonsOf, type PressAnswer, press, stopDraft } from './presses.ts';
import { type Seen, seen } from './visible-text.ts';

export interface SayOptions {
  /** Topic of a forum, by name or id. */
  topic?: string | number | undefined;
  /** Message to reply to. */
  reply?: MessageRef | undefined;
  /** Part of the message replied to. */
  quote?: string | undefined;
}

export interface Person extends Waits {
  id: number;
  name: string;
  /** Types a message; commands too: `/sh npm test`. */
  say(chat: string | number, text: string, options?: SayOptions): Seen;
  /** Replies to a message, in its topic. */
  reply(to: MessageRef, text: string, options?: Pick<SayOptions, 'quote'>): Seen;
  /** Types `@bot text`. */
  mention(chat: string | number, text: string, options?: SayOptions): Seen;
  dm(text: string, options?: SayOptions): Seen;
  /** Presses Start, or follows a start link with a payload. */
  start(payload?: string): Seen;
  /** Presses a button, found by label or callback data, and waits for what the bot's answer shows. */
  press(target: MessageRef, what: string): Promise<PressAnswer>;
  /** A press that was under way when the bot changed the message: `as` is the message as the person still saw it. */
  pressLate(as: Message, what: string): Promise<PressAnswer>;
  edit(message: MessageRef, text: string): Seen;
  delete(message: MessageRef): void;
  react(message: MessageRef, emoji: string, action?: 'add' | 'remove'): void;
  block(): void;
  unblock(): void;
  /** Sends a file, as a document or, with `photo`, as a compressed picture. */
  sendFile(
    chat: string | number,
    name: string,
    content: Buffer | string,
    options?: SayOptions & { caption?: string | undefined; photo?: boolean | undefined },
  ): Seen;
  /** Sends several files as one album. */
  sendAlbum(
    chat: string | number,
    files: { name: string; content: Buffer | string; caption?: string }[],
    options?: SayOptions,
  ): Seen[];
  /** Presses the stop button of a draft. */
  stopDraft(draftId: number): void;

  createTopic(chat: string | number, name: string): Topic;
  changeTopic(chat: string | number, topic: string | number, change: { name: string } | 'close' | 'reopen' | 'delete'): void;
  addBot(chat: string | number): void;
  kickBot(chat: string | number): void;
  /** Makes the bot an administrator with these rights; without rights a plain member. */
  setBotRights(chat: string | number, rights: Partial<Rights> | undefined): void;
  /** Writes as the group from now on, or no more. */
  setAnonymous(chat: string | number, on: boolean): void;
  /** Turns a basic group into a supergroup. */
  migrate(chat: string | number): Chat;
  /** The commands that the client offers in the chat. */
  commands(chat: string | number): CommandList['commands'];

  /** The chat as it is now. */
  chat(name: string | number): Chat;
  /** All messages of a chat, oldest first. */
  messages(chat: string | number): Seen[];
  /** The message to which the person's client has opened a reply by itself. */
  asked(chat: string | number): Seen | undefined;
  /** A message as it is now. */
  look(message: MessageRef): Seen;
}

export function createPerson(core: Core, nameOrId: string | number): Person {
  const lookups = createLookups(core, nameOrId);
  const { user, chatOf, find } = lookups;
  const show = (message: Message) => seen(core, message);

  const placeIn = (name: string | number, options: SayOptions) => {
    const chat = chatOf(name);
    const topic = options.topic === undefined ? undefined : lookups.topicOf(chat, options.topic).id;
    return { chat: chat.id, topic, reply_to: options.reply?.id, quote: options.quote };
  };
  const say: Person['say'] = (name, text, options = {}) => show(people.say(core, user, { ...placeIn(name, options), text }));

  return {
    ...createWaits(core, lookups),
    id: user.id,
    name: user.name,
    say,
    reply: (to, text, options = {}) => say(to.chat, text, { ...options, reply: to }),
    mention: (chat, text, options) => say(chat, `@${core.bot.username} ${text}`, options),
    dm: (text, options) => say('dm', text, options),
    start: (payload) => show(people.start(core, user, payload)),
    async press(target, what) {
      const { chat, id } = find(target);
      return answerTo(core, press(core, user, { chat, id, data: dataOf(find(target), what) }));
    },
    async pressLate(as, what) {
      const { chat, id } = as;
      return answerTo(core, press(core, user, { chat, id, data: dataOf(as, what), shown: as }));
    },
    edit(target, text) {
      const { chat, id } = find(target);
      return show(people.edit(core, user, { chat, id, text }));
    },
    delete(target) {
      const { chat, id } = find(target);
      people.remove(core, user, { chat, id });
    },
    react(target, emoji, action = 'add') {
      const { chat, id } = find(target);
      people.react(core, user, { chat, id, emoji: action === 'add' ? emoji : undefined });
    },
    block: () => people.block(core, user),
    unblock: () => people.unblock(core, user),
    sendFile: (name, file, content, options = {}) =>
      show(
        groups.sendFile(core, user, {
          ...placeIn(name, options),
          name: file,
          content: Buffer.from(content),
          caption: options.caption,
          kind: options.photo ? 'photo' : 'document',
        }),
      ),
    sendAlbum(name, files, options = {}) {
      const album = digits(17);
      return files.map(({ name: file, content, caption }) => {
        const given = { ...placeIn(name, options), name: file, content: Buffer.from(content), caption, media_group_id: album };
        return show(groups.sendFile(core, user, { ...given, kind: 'document' }));
      });
    },
    stopDraft: (draftId) => stopDraft(core, user, draftId),
    createTopic: (name, topic) => groups.makeTopic(core, user, { chat: chatOf(name).id, name: topic }),
    changeTopic(name, topic, change) {
      const chat = chatOf(name);
      groups.changeTopic(core, user, { chat: chat.id, topic: lookups.topicOf(chat, topic).id, change });
    },
    addBot: (name) => groups.addBot(core, user, chatOf(name).id),
    kickBot: (name) => groups.kickBot(core, user, chatOf(name).id),
    setBotRights: (name, rights) => groups.setStanding(core, user, { chat: chatOf(name).id, member: core.bot.id, rights }),
    setAnonymous: (name, on) => groups.setAnonymous(core, user, chatOf(name).id, on),
    migrate: (name) => groups.migrate(core, user, chatOf(name).id),
    commands: (name) => commandsFor(core, chatOf(name), user.id),
    chat: chatOf,
    messages: (name) => core.state.messagesOf(chatOf(name).id).map(show),
    asked(name) {
      const message = openReply(core, user, chatOf(name).id);
      return message && show(message);
    },
    look: (target) => show(find(target)),
  };
}

/** What the button with this text sends. */
function dataOf(message: Message, what: string): string {
  const { callback_data: data } = pickButton(message, what);
  if (typeof data !== 'string') throw new Refused('no_callback', `"${what}" does not ask the bot anything`);
  return data;
}

function pickButton(message: Message, what: string): InlineButton {
  const all = buttonsOf(message);
  const found = all.filter((button) => button.text === what || button.callback_data === what);
  const [button] = found;
  if (found.length > 1) throw new Refused('button_ambiguous', `"${what}" is the name of several buttons`);
  if (button) return button;
  const known = all.map((entry) => `"${entry.text}"`).join(', ');
  throw new Refused('button_not_found', `nothing is called "${what}"; there is ${known || 'nothing to press'}`);
}
