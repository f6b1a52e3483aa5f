import { permissionBits } from '../../adapters/discord/invite.ts';
import { createDiscordEmulator } from '../../lab/discord/emulator.ts';
import type { Seen } from '../../lab/discord/visible-text.ts';
import { type ConformanceDriver, nativeOf, type PersonName, type Place, type Said, type Shown } from './conformance-driver.ts';
import { readDiscordMarkdown } from './discord-markdown.ts';
import { waitFor } from './wait-for.ts';

const receiptEmoji: Record<string, 'received' | 'read' | 'refused'> = { '👀': 'received', '✅': 'read', '⛔': 'refused' };

export async function openDiscord(): Promise<ConformanceDriver> {
  const discord = await createDiscordEmulator({ botPermissions: permissionBits });
  const { state } = discord.core;
  const { controls } = discord;
  const dispatch = discord.core.dispatch;
  const person = (name: PersonName) => discord.person(name);

  const seenAs = new WeakMap<Shown, Seen>();
  const placeOf = (id: string): Place => {
    const channel = state.channels.get(id);
    return { id: channel?.thread?.parent_id ?? id, direct: channel?.kind === 'dm' };
  };
  const shown = (message: Seen): Shown => {
    const result = {
      place: placeOf(message.channel),
      id: message.id,
      // The message that starts a thread has the id of the thread; a direct conversation is all one.
      thread: state.channels.get(message.channel)?.kind === 'text' ? message.id : message.channel,
      own: message.author === discord.botUserId,
      text: readDiscordMarkdown(message.plain).text,
      buttons: message.buttons,
      files: message.attachments.map((id) => state.files.get(id)?.filename ?? ''),
    };
    seenAs.set(result, message);
    return result;
  };
  const direct = (name: PersonName) => {
    const channel = state.channels.values().find(({ dm }) => dm?.user === person(name).id);
    if (channel === undefined) throw new Error(`${name} has no direct conversation`);
    return placeOf(channel.id);
  };
  const personOf = (place: Place): PersonName =>
    (['ada', 'ben', 'gus'] as const).find((name) => place.direct && direct(name).id === place.id) ?? 'ada';

  return {
    platform: 'discord',
    variables: {
      DISCORD_BOT_TOKEN: discord.token,
      DISCORD_APPLICATION_ID: discord.applicationId,
      DISCORD_API_URL: discord.apiUrl,
    },
    tenant: { tenant: discord.applicationId, name: 'Discord', botUser: discord.botUserId },
    userOf: (name) => person(name).id,
    begin: () => undefined,
    newPlace: (name) => placeOf(controls.addChannel({ name }).id),
    directPlace: direct,

    say: (name, place, text) => shown(person(name).say(place.id, text)),
    mention: (name, place, text) => shown(place.direct ? person(name).say(place.id, text) : person(name).mention(place.id, text)),
    attach(name, place, text, files) {
      const options = { files: files.map(({ name: file, content }) => person(name).upload(file, content)) };
      return shown(place.direct ? person(name).say(place.id, text, options) : person(name).mention(place.id, text, options));
    },
    async command(name, place, line) {
      const rest = /^sh (.*)$/s.exec(line)?.[1];
      if (rest !== undefined) await person(name).slash(place.id, '/deckhand sh', { command: rest });
      else await person(name).slash(place.id, '/deckhand do', { text: line });
    },
    handOver: (name, message) => person(name).messageCommand(message.id, 'Hand to Deckhand'),
    reply: (name, to, text) => shown(person(name).say(to.place.direct ? to.place.id : to.thread, text)),
    answer: (name, to, text) => shown(person(name).reply(person(name).look(to.id), text)),
    edit: (name, message, text) => void person(name).edit(message.id, `<@${discord.botUserId}> ${text}`),
    delete: (name, message) => person(name).delete(message.id),
    press: (name, message, label) => person(name).press(message.id, label),
    pressLate: (name, message, label) => person(name).pressLate(nativeOf(seenAs, message), label),
    // A long select comes as several, each with its number.
    choose: (name, message, _placeholder, option) => person(name).press(message.id, option),
    isAsked: (name, title) =>
      [...state.modals.values()].some((modal) => modal.user === person(name).id && modal.title.includes(title)),
    async fill(name, _place, title, values) {
      const modal = await person(name).waitForModal(title, { timeoutMs: 60_000 });
      await person(name).submit(modal, values);
    },

    onChange: (listener) => void state.subscribe(listener),
    messages(place) {
      const reader = person(personOf(place));
      const threads = state.channels.values().filter(({ thread }) => thread?.parent_id === place.id);
      return [place.id, ...threads.map(({ id }) => id)]
        .flatMap((channel) => reader.messages(channel))
        .filter(({ visible_to: only }) => only === undefined)
        .map(shown);
    },
    toldTo(name) {
      const own = person(name)
        .messages('dm')
        .filter(({ author }) => author === discord.botUserId);
      return [...person(name).ephemerals(), ...own].map(shown);
    },
    receipts: (message) =>
      (state.message(message.id)?.reactions ?? []).flatMap(({ emoji, users }) =>
        users.includes(discord.botUserId) ? (receiptEmoji[emoji] ?? []) : [],
      ),
    contentOf(message, file) {
      const id = state.message(message.id)?.attachments.find((one) => state.files.get(one)?.filename === file);
      return (id === undefined ? undefined : person(personOf(message.place)).content(id)) ?? Buffer.alloc(0);
    },

    /** The gateway sends the same event once more, as a session that was resumed does. */
    async redelivered(act, program) {
      const sent: Parameters<typeof dispatch>[0][] = [];
      discord.core.dispatch = (event) => {
        sent.push(event);
        dispatch(event);
      };
      const said: Said = act();
      discord.core.dispatch = dispatch;
      await waitFor('the message to be stored', async () => (await program.stored('discord', said)) > 0, { timeoutMs: 60_000 });
      for (const event of sent) dispatch(event);
      return said;
    },
    cut: () => controls.gateway.cut(),
    throttle(calls) {
      const when = ({ method }: { method: string }) => /^(create_message|update_message)$/.test(method);
      controls.failNext('*', { status: 429, retryAfter: 1, times: calls, when });
    },
    overLimit: () => discord.overLimit().map(({ method, path, at }) => `${method} ${path} at ${at}`),
    errors: () => controls.errors,
    close: () => discord.close(),
  };
}
