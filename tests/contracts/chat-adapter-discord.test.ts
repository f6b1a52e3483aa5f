import type { Message } from '../../lab/discord/model.ts';
import { isRecord, type Json } from '../../lab/slack/json.ts';
import type { Conversation } from '../../src/contracts/platform.ts';
import { type DiscordMode, discordModes, startDiscord } from '../support/discord-adapter.ts';
import { readDiscordMarkdown } from '../support/discord-markdown.ts';
import { waitFor } from '../support/wait-for.ts';
import { type ChatDriver, chatAdapterContract, type Fault, type Shown } from './chat-adapter-contract.ts';

for (const mode of discordModes) chatAdapterContract(`Discord (${mode})`, () => openDiscord(mode));

async function openDiscord(mode: DiscordMode): Promise<ChatDriver> {
  let later = 0;
  const setup = await startDiscord({ mode, now: () => new Date(Date.now() + later) });
  const { discord, adapter, inbox } = setup;
  const { state } = discord.core;
  const ada = discord.person('ada');
  const channel = setup.channel('demo');

  /** Acts, and goes on as soon as the act is stored: Discord may still wait for the answer. */
  async function stored(act: () => Promise<void>): Promise<void> {
    const before = inbox.events.length;
    const answered = act();
    const kept = waitFor('the act to be stored', () => inbox.events.length > before);
    await Promise.race([answered.then(() => kept), kept]);
    answered.catch(() => undefined);
  }

  function shown(message: Message, where: Conversation): Shown {
    const read = readMessage(message);
    // The message that a thread was made from stands above it.
    const thread = where.thread ?? ((message.flags & (1 << 5)) !== 0 ? message.id : undefined);
    return {
      ...read,
      mentions: message.mentions,
      everybody: message.mention_everyone,
      ref: {
        platform: 'discord',
        tenant: where.tenant,
        channel: where.channel,
        ...(thread === undefined ? {} : { thread }),
        message: message.id,
      },
      files: message.attachments.map((id) => state.files.get(id)?.filename ?? ''),
    };
  }

  const faults: Record<Fault, Parameters<typeof discord.controls.failNext>[1] | undefined> = {
    rate_limited: { status: 429, retryAfter: 7 },
    dropped_after_effect: { dropConnectionAfterEffect: true },
    dropped_before_effect: { dropConnectionBeforeEffect: true },
    not_reachable: undefined,
  };

  return {
    adapter,
    events: inbox.events,
    channel,
    foreignChannel: setup.channel('ops'),
    ada: setup.identity('ada'),
    ben: setup.identity('ben'),
    async ask(text) {
      const said = ada.mention('demo', text);
      await waitFor('the message to be stored', () => inbox.events.some((event) => event.key.endsWith(said.id)));
      return { platform: 'discord', tenant: channel.tenant, channel: channel.channel, message: said.id };
    },
    async threadOf(message) {
      const thread = ada.startThread(message.message, 'about it');
      return { ...channel, thread: thread.id };
    },
    press: (ref, label) => stored(() => ada.press(ref.message, label)),
    choose(ref, token, label) {
      const select = componentsOf(state.message(ref.message)?.components ?? []).find(({ custom_id: id }) =>
        String(id).endsWith(token),
      );
      return stored(() => ada.select(ref.message, String(select?.custom_id), label));
    },
    async submitForm(values) {
      const form = await ada.waitForModal(() => true);
      await ada.submit(form, values);
    },
    expireTriggers() {
      discord.controls.expireTokens();
      later += 5_000;
      return true;
    },
    async shown(where) {
      const starter = where.thread === undefined ? undefined : state.message(where.thread);
      const all = [...(starter === undefined ? [] : [starter]), ...state.messagesOf(where.thread ?? where.channel)];
      const own = all.filter((message) => message.author === discord.botUserId && message.visible_to === undefined);
      return [...new Set(own)].map((message) => shown(message, where));
    },
    async shownTo(user) {
      const all = discord.person(user.user).ephemerals();
      return all.filter((message) => (message.flags & (1 << 7)) === 0).map((message) => shown(message, channel));
    },
    homeOf: async () => undefined,
    async contentOf(message, name) {
      const id = state.message(message.ref.message)?.attachments.find((file) => state.files.get(file)?.filename === name) ?? '';
      return ada.content(id) ?? Buffer.alloc(0);
    },
    reactions: async (ref) =>
      (state.message(ref.message)?.reactions ?? [])
        .filter(({ users }) => users.includes(discord.botUserId))
        .map(({ emoji }) => emoji),
    async delete(ref) {
      const message = state.message(ref.message);
      if (message !== undefined) state.removeMessage(message);
    },
    async fault(kind) {
      const fault = faults[kind];
      if (fault === undefined) await discord.close();
      else discord.controls.failNext('create_message', fault);
    },
    close: () => setup[Symbol.asyncDispose](),
  };
}

/** Components as the Discord client shows them: texts with their markdown understood, labels literally. */
function readMessage(message: Message): Pick<Shown, 'text' | 'links' | 'previews' | 'styled' | 'buttons' | 'moments'> {
  const texts = [
    message.content,
    ...componentsOf(message.components).flatMap(({ type, content }) => (type === 10 ? [String(content)] : [])),
  ];
  const read = texts.filter((text) => text !== '').map(readDiscordMarkdown);
  const buttons = componentsOf(message.components).flatMap(({ type, label }) => (type === 2 ? [String(label)] : []));
  // Discord shows no previews below components, nor where they are suppressed.
  const previews = (message.flags & ((1 << 15) | (1 << 2))) !== 0 ? [] : read.flatMap((one) => one.previews);
  return {
    text: read.map(({ text }) => text).join('\n'),
    links: read.flatMap(({ links }) => links),
    styled: read.flatMap(({ styled }) => styled),
    moments: read.flatMap(({ moments }) => moments),
    previews,
    buttons,
  };
}

function componentsOf(components: readonly unknown[]): Json[] {
  return components
    .filter(isRecord)
    .flatMap((one) => [one, ...componentsOf(Array.isArray(one.components) ? one.components : [])]);
}
