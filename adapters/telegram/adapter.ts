import { z } from 'zod';
import { type ChatAdapter, DeliveryError, type InboundSink, type ThreadOpening } from '../../src/contracts/chat-adapter.ts';
import type { CommandMenu } from '../../src/contracts/command-menu.ts';
import type { AcquireLease } from '../../src/contracts/lease.ts';
import type { Conversation, IdentityRef, MessageRef } from '../../src/contracts/platform.ts';
import type { View } from '../../src/contracts/view.ts';
import type { Clock } from '../../src/runtime/clock.ts';
import type { Logger } from '../../src/runtime/logger.ts';
import { createTelegramApi } from './api.ts';
import { telegramCapabilities } from './capabilities.ts';
import { downloadFile } from './download.ts';
import { showDraft } from './drafts.ts';
import { refusalText } from './failures.ts';
import { openPress } from './handles.ts';
import { telegramHealth } from './health.ts';
import { createIntake, type Intake } from './intake.ts';
import { telegramLink } from './link.ts';
import { commandWords, setMenus } from './menu.ts';
import { personName } from './messages.ts';
import { aims, alertText, editedMarkup, messageContent, messageMarkup } from './outbound.ts';
import { createPeople } from './people.ts';
import { chainThread, chatId, isPrivate, messageId, place, topicOf } from './place.ts';
import { createPolling, type Polling } from './polling.ts';
import { createPressAnswers } from './press-answers.ts';
import { createReceipts } from './receipts.ts';
import { type Bot, signIn, untilReached } from './sign-in.ts';
import { createTopics, type Topics } from './topics.ts';
import { uploadFiles } from './uploads.ts';
import { registerWebhook, telegramWebhook } from './webhook.ts';

export interface TelegramConfig {
  /** From BotFather: `123456:ABC…`. */
  token: string;
  /** Present: Telegram posts to `<publicUrl>/telegram/webhook`. Absent: long polling, no public address needed. */
  webhook?: { secret: string; publicUrl: string } | undefined;
  /** Default `https://api.telegram.org`. */
  apiRoot?: string | undefined;
}

export interface TelegramDeps {
  logger: Logger;
  clock: Clock;
  /** Encrypts a short-lived secret (the id of a press), so that it may be stored. */
  seal(text: string): string;
  /** `undefined` for what `seal` did not make. */
  open(token: string): string | undefined;
  menu: CommandMenu;
  /** Only the holder of `telegram:<bot id>` polls. */
  acquireLease: AcquireLease;
  /** How long `start` tries to reach Telegram, in milliseconds. Default 30 s. */
  startWithinMs?: number | undefined;
}

const sentMessage = z.object({ message_id: z.number().int().positive(), chat: z.object({ id: z.number() }) });

/**
 * Telegram: grammY behind the `ChatAdapter` port. Does no I/O before `start`. `start` rejects with `not_permitted` for a refused token and
 * with `unreachable` when Telegram was not reached in time; it may be called again then. In polling it resolves before this process
 * has the right to poll: another one may have it.
 */
export function createTelegramAdapter(config: TelegramConfig, deps: TelegramDeps): ChatAdapter {
  const { clock } = deps;
  const logger = deps.logger.child({ platform: 'telegram' });
  const api = createTelegramApi(config);
  const answers = createPressAnswers({ api, clock, logger });
  const receipts = createReceipts(api);
  const stopping = new AbortController();
  let bot: Bot | undefined;
  let topics: Topics | undefined;
  let intake: Intake | undefined;
  let polling: Polling | undefined;

  const take = () => (stopping.signal.aborted ? undefined : intake?.take);
  const webhook = config.webhook && telegramWebhook({ secret: config.webhook.secret, logger, take });

  async function start(sink: InboundSink): Promise<void> {
    const inTime = AbortSignal.any([stopping.signal, AbortSignal.timeout(deps.startWithinMs ?? 30_000)]);
    const me = await signIn(api, logger, inTime);
    const commands = commandWords(deps.menu);
    const context = { bot: me.id, username: me.username, commands, seal: deps.seal, now: () => clock.now() };
    const ready = createIntake({ context, people: createPeople({ api, clock, logger }), sink, answers, logger });
    bot = me;
    topics = createTopics({ api, clock, hasPrivateTopics: me.hasPrivateTopics });
    await setMenus(api, deps.menu, logger);
    const { webhook: hook } = config;
    intake = ready;
    if (hook === undefined) {
      polling = createPolling({ api, bot: me.id, acquireLease: deps.acquireLease, intake: ready, logger });
      if (!stopping.signal.aborted) polling.start();
      return;
    }
    try {
      await untilReached(() => registerWebhook(api, hook), logger, inTime);
    } catch (error) {
      intake = undefined;
      throw error;
    }
  }

  async function send(to: Conversation, view: View, key: string, opens?: ThreadOpening): Promise<MessageRef> {
    const content = messageContent(view);
    const markup = messageMarkup(view, isPrivate(to.channel));
    const isOpening = opens !== undefined && to.thread === undefined;
    const thread = isOpening ? await topics?.open(to.channel, opens, key) : to.thread;
    const args = {
      chat_id: chatId(to.channel),
      // Whoever wrote the message that is answered would be asked too.
      ...(aims(markup) ? topicOf(thread) : place(thread)),
      ...content,
      ...(markup === undefined ? {} : { reply_markup: markup }),
    };
    const sent = await api.call('sendMessage', async (raw, signal) => sentMessage.parse(await raw.sendMessage(args, signal)), to);
    if (isOpening) topics?.opened(key);
    const opened = isOpening ? (thread ?? chainThread(sent.message_id)) : thread;
    return {
      platform: 'telegram',
      tenant: to.tenant,
      channel: String(sent.chat.id),
      ...(opened === undefined ? {} : { thread: opened }),
      message: String(sent.message_id),
    };
  }

  async function ephemeral(_to: Conversation, _user: IdentityRef, view: View, reply: string | undefined): Promise<void> {
    const handle = reply === undefined ? undefined : openPress(reply, deps.open);
    if (handle !== undefined) return answers.say(handle, alertText(view));
    throw new DeliveryError({
      kind: 'not_permitted',
      detail: 'Telegram shows something to one person only as the answer to a press',
    });
  }

  return {
    platform: 'telegram',
    capabilities: telegramCapabilities,
    webhooks: webhook === undefined ? [] : [webhook],
    tenants: () => (bot === undefined ? [] : [{ tenant: bot.id, name: bot.name, botUser: bot.id }]),
    start,
    async stop() {
      stopping.abort();
      await polling?.stop();
      await intake?.idle();
      await answers.close();
    },
    health: () =>
      telegramHealth({
        api,
        running: take() !== undefined,
        now: clock.now(),
        mode: config.webhook ?? { polling: polling?.status() },
      }),
    send,
    draft: (to, view, key) => showDraft(api, to, view, key),
    async edit(ref, view) {
      const args = {
        chat_id: chatId(ref.channel),
        message_id: messageId(ref.message),
        ...messageContent(view),
        reply_markup: editedMarkup(view),
      };
      try {
        await api.call('editMessageText', (raw, signal) => raw.editMessageText(args, signal), ref);
      } catch (error) {
        if (!/message is not modified/i.test(refusalText(error) ?? '')) throw error;
      }
    },
    // Bots cannot look up what they have sent.
    find: async () => undefined,
    ephemeral,
    linkTo: async (to) => (config.apiRoot === undefined ? telegramLink(to) : undefined),
    async nameOf({ user }) {
      const ask = { chat_id: chatId(user) };
      const options = { channel: user };
      return api.read('getChat', async (raw, signal) => personName(await raw.getChat(ask, signal)), options);
    },
    direct: async (user) => ({ platform: 'telegram', tenant: user.tenant, channel: user.user, kind: 'direct' }),
    async openForm() {
      throw new DeliveryError({ kind: 'rejected', detail: 'Telegram has no forms; fields are asked for one by one' });
    },
    upload: (to, files, comment) => uploadFiles(api, to, files, comment),
    download: (file, signal) => downloadFile({ api, token: config.token, apiRoot: config.apiRoot }, file, signal),
    react: receipts.react,
    async remove(ref) {
      const args = { chat_id: chatId(ref.channel), message_id: messageId(ref.message) };
      await api.call('deleteMessage', (raw, signal) => raw.deleteMessage(args, signal), ref);
    },
    async publishHome() {
      throw new DeliveryError({ kind: 'rejected', detail: 'Telegram has no home surface' });
    },
  };
}
