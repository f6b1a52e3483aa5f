import type { ApiCall } from '../../lab/slack/calls.ts';
import { createTelegramEmulator } from '../../lab/telegram/emulator.ts';
import type { Message } from '../../lab/telegram/model.ts';
import type { Seen } from '../../lab/telegram/visible-text.ts';
import { type ConformanceDriver, nativeOf, type PersonName, type Place, type Said, type Shown } from './conformance-driver.ts';
import { waitFor } from './wait-for.ts';

const receiptEmoji: Record<string, 'received' | 'read' | 'refused'> = { '👀': 'received', '👍': 'read', '👎': 'refused' };

export async function openTelegram(): Promise<ConformanceDriver> {
  const telegram = await createTelegramEmulator();
  const { state } = telegram.core;
  const { controls } = telegram;
  const person = (name: PersonName) => telegram.person(name);
  let isDeaf = false;

  const seenAs = new WeakMap<Shown, Seen>();
  const placeOf = (chat: number): Place => ({ id: String(chat), direct: chat > 0 });
  const at = ({ place, id }: Said) => ({ chat: Number(place.id), id: Number(id) });

  /** Threads are chains of replies: all that leads to the same message. */
  function rootOf(message: Pick<Message, 'chat' | 'id' | 'reply_to'>): number {
    const parent = message.reply_to === undefined ? undefined : state.message(message.chat, message.reply_to);
    return parent === undefined ? message.id : rootOf(parent);
  }

  const shown = (message: Seen): Shown => {
    const file = message.media === undefined ? undefined : state.files.get(message.media.file);
    const result = {
      place: placeOf(message.chat),
      id: String(message.id),
      thread: String(rootOf(message)),
      own: message.from === telegram.botId,
      // WORD JOINER keeps Telegram from finding links, and is not seen.
      text: message.plain.replaceAll('\u2060', ''),
      buttons: message.buttons,
      files: file === undefined ? [] : [file.name],
    };
    seenAs.set(result, message);
    return result;
  };
  const messages = (place: Place): Shown[] => {
    const anybody = telegram.person(place.direct ? Number(place.id) : 'ada');
    return anybody.messages(Number(place.id)).map(shown);
  };

  /** Where others read along, a question has no buttons and opens a reply in the client of the person asked. */
  const isAsked = (name: PersonName, place: Place, id: string) => String(person(name).asked(Number(place.id))?.id) === id;

  /** Answers the questions of a guided form, one field after the other. */
  async function fill(name: PersonName, place: Place, title: string, values: Readonly<Record<string, string>>): Promise<void> {
    for (const [label, value] of Object.entries(values)) {
      const question = await waitFor(
        `the question for ${label}`,
        () =>
          messages(place).findLast(
            ({ id, own, text, buttons }) =>
              own && text.includes(title) && text.includes(label) && (buttons.includes('Cancel') || isAsked(name, place, id)),
          ),
        { timeoutMs: 60_000 },
      );
      if (question.buttons.includes(value)) void person(name).press(at(question), value);
      else person(name).reply(at(question), value);
      await waitFor(
        `the answer to ${label} to be taken`,
        () =>
          !messages(place)
            .find(({ id }) => id === question.id)
            ?.buttons.includes('Cancel'),
        { timeoutMs: 60_000 },
      );
    }
  }

  return {
    platform: 'telegram',
    variables: { TELEGRAM_BOT_TOKEN: telegram.token, TELEGRAM_API_ROOT: telegram.apiRoot },
    tenant: { tenant: String(telegram.botId), name: 'Telegram', botUser: String(telegram.botId) },
    userOf: (name) => String(person(name).id),
    begin() {
      for (const name of ['ada', 'ben', 'gus'] as const) person(name).start();
    },
    newPlace: (name) => placeOf(controls.addGroup({ name, kind: 'supergroup', bot: { status: 'member' } }).id),
    directPlace: (name) => placeOf(person(name).id),

    say: (name, place, text) => shown(person(name).say(Number(place.id), text)),
    mention: (name, place, text) =>
      shown(place.direct ? person(name).say(Number(place.id), text) : person(name).mention(Number(place.id), text)),
    attach(name, place, text, files) {
      const chat = Number(place.id);
      const caption = place.direct ? text : `@${telegram.botUsername} ${text}`;
      const [first, ...more] = files;
      if (first === undefined) throw new Error('no file');
      const sent =
        more.length === 0
          ? person(name).sendFile(chat, first.name, first.content, { caption, photo: first.photo })
          : person(name).sendAlbum(chat, [{ ...first, caption }, ...more])[0];
      if (sent === undefined) throw new Error('nothing was sent');
      return shown(sent);
    },
    async command(name, place, line) {
      person(name).say(Number(place.id), `/${line}`);
    },
    async handOver(name, message) {
      person(name).say(Number(message.place.id), `@${telegram.botUsername}`, { reply: at(message) });
    },
    reply: (name, to, text) => shown(person(name).reply(at(to), text)),
    answer: (name, to, text) => shown(person(name).reply(at(to), text)),
    edit: (name, message, text) => void person(name).edit(at(message), `@${telegram.botUsername} ${text}`),
    delete: (name, message) => person(name).delete(at(message)),
    // What the bot answers to a press is told apart from it: `toldTo`.
    async press(name, message, label) {
      void person(name).press(at(message), label);
    },
    async pressLate(name, message, label) {
      void person(name).pressLate(nativeOf(seenAs, message), label);
    },
    async choose(name, message, _placeholder, option) {
      await person(name).press(at(message), option);
    },
    isAsked: () => true,
    fill,

    onChange: (listener) => void state.subscribe(listener),
    messages,
    toldTo(name) {
      const { id } = person(name);
      const alerts = state.queries.values().flatMap(({ id: query, user, chat, answer }): Shown[] => {
        if (user !== id || !answer?.text) return [];
        return [{ place: placeOf(chat), id: query, thread: query, own: true, text: answer.text, buttons: [], files: [] }];
      });
      return [...alerts, ...messages(placeOf(id)).filter(({ own }) => own)];
    },
    receipts: (message) =>
      (state.message(Number(message.place.id), Number(message.id))?.reactions ?? []).flatMap(({ emoji, user }) =>
        user === telegram.botId ? (receiptEmoji[emoji] ?? []) : [],
      ),
    contentOf(message, file) {
      const media = state.message(Number(message.place.id), Number(message.id))?.media;
      const record = media === undefined ? undefined : state.files.get(media.file);
      return record?.name === file ? (state.readContent(record.id) ?? Buffer.alloc(0)) : Buffer.alloc(0);
    },

    /** The program dies after it has stored an update and before it has told Telegram, which then brings the update again. */
    async redelivered(act, program) {
      isDeaf = true;
      controls.failNext('getUpdates', {
        dropConnectionBeforeEffect: true,
        times: Number.POSITIVE_INFINITY,
        when: ({ args }) => isDeaf && telegram.core.updates.pending().some((update) => update.update_id < Number(args.offset)),
      });
      const said = act();
      await waitFor('the update to be stored', async () => (await program.stored('telegram', said)) > 0, { timeoutMs: 60_000 });
      await program.restart(() => {
        isDeaf = false;
        if (telegram.core.updates.pending().length === 0) throw new Error('the update was confirmed');
      });
      await waitFor('the update to be confirmed', () => telegram.core.updates.pending().length === 0, { timeoutMs: 60_000 });
      return said;
    },
    // The request that is waiting now still brings what comes next; the answers to those after it are lost.
    cut: () => controls.failNext('getUpdates', { dropConnectionAfterEffect: true, times: 2 }),
    throttle(calls) {
      const when = ({ method }: ApiCall) => /^(sendMessage|editMessageText|sendDocument|sendPhoto|sendMediaGroup)$/.test(method);
      controls.failNext('*', { status: 429, retryAfter: 1, times: calls, when });
    },
    overLimit: () => telegram.overLimit().map(({ method, channel, at: when }) => `${method} in ${channel} at ${when}`),
    errors: () => controls.errors,
    close: () => telegram.close(),
  };
}
