import type { Message } from '../../lab/telegram/model.ts';
import type { Conversation } from '../../src/contracts/platform.ts';
import { startTelegram, type TelegramMode, telegramModes } from '../support/telegram-adapter.ts';
import { telegramDirect, telegramShown } from '../support/telegram-shown.ts';
import { waitFor } from '../support/wait-for.ts';
import { type ChatDriver, chatAdapterContract, type Fault } from './chat-adapter-contract.ts';

for (const mode of telegramModes) chatAdapterContract(`Telegram (${mode})`, () => openTelegram(mode));

async function openTelegram(mode: TelegramMode): Promise<ChatDriver> {
  const setup = await startTelegram({ mode });
  const { telegram, adapter, inbox } = setup;
  const { state } = telegram.core;
  const ada = telegram.person('ada');
  const channel = setup.chat('demo');
  // Nobody can be written to before they have said something.
  ada.start();
  telegram.person('ben').start();
  await setup.settled();
  inbox.events.length = 0;
  const foreignChannel = setup.chat('ops');
  const foreign = ada.chat('ops');
  state.putChat({ ...foreign, members: { ...foreign.members, [telegram.botId]: { status: 'left' } } });

  const at = (ref: { channel: string; message: string }) => ({ chat: Number(ref.channel), id: Number(ref.message) });
  const ownMessages = (where: Conversation) =>
    state.messagesOf(Number(where.channel)).filter((message) => message.from === telegram.botId && isIn(message, where.thread));

  function isIn(message: Message, thread: string | undefined): boolean {
    if (thread === undefined) return true;
    const id = Number(thread.slice(1));
    return thread.startsWith('t') ? message.message_thread_id === id : message.reply_to === id || message.id === id;
  }

  async function pressed(message: { channel: string; message: string }, what: string): Promise<void> {
    const before = inbox.events.length;
    const answered = ada.press(at(message), what);
    await Promise.race([answered, waitFor('the press to be stored', () => inbox.events.length > before)]);
  }

  const faults: Record<Fault, Parameters<typeof telegram.controls.failNext>[1] | undefined> = {
    rate_limited: { status: 429, retryAfter: 7 },
    dropped_after_effect: { dropConnectionAfterEffect: true },
    dropped_before_effect: { dropConnectionBeforeEffect: true },
    not_reachable: undefined,
  };

  return {
    adapter,
    events: inbox.events,
    channel,
    foreignChannel,
    ada: setup.identity('ada'),
    ben: setup.identity('ben'),
    async ask(text) {
      const said = ada.mention('demo', text);
      await setup.settled();
      return { platform: 'telegram', tenant: channel.tenant, channel: channel.channel, message: String(said.id) };
    },
    threadOf: async (message) => ({ ...channel, thread: `r${message.message}` }),
    press: pressed,
    choose: (message, token, label) => {
      const rows = state.message(Number(message.channel), Number(message.message))?.keyboard ?? [];
      const heading = rows.findIndex(([first]) => first?.callback_data === token);
      const button = rows
        .slice(heading + 1)
        .flat()
        .find(({ text }) => text === label);
      return pressed(message, String(button?.callback_data));
    },
    submitForm: () => Promise.reject(new Error('Telegram has no forms')),
    expireTriggers: () => false,
    shown: async (where) => telegramShown(telegram, ownMessages(where)),
    shownTo: async (user) => [...telegramDirect(telegram, user.user)],
    drafts: (where) => telegram.core.drafts.of(Number(where.channel)).map(({ text }) => text.replaceAll('\u2060', '')),
    homeOf: async () => undefined,
    async contentOf(message, name) {
      const file = state
        .messagesOf(Number(message.ref.channel))
        .map(({ media }) => (media === undefined ? undefined : state.files.get(media.file)))
        .find((record) => record?.name === name);
      return state.readContent(file?.id ?? '') ?? Buffer.alloc(0);
    },
    reactions: async (ref) =>
      (state.message(Number(ref.channel), Number(ref.message))?.reactions ?? [])
        .filter(({ user }) => user === telegram.botId)
        .map(({ emoji }) => emoji),
    async delete(ref) {
      const message = state.message(Number(ref.channel), Number(ref.message));
      if (message !== undefined) state.removeMessage(message);
    },
    async fault(kind) {
      const fault = faults[kind];
      if (fault === undefined) await telegram.close();
      else telegram.controls.failNext('sendMessage', fault);
    },
    close: () => setup[Symbol.asyncDispose](),
  };
}
