import { z } from 'zod';
import { type ChatAdapter, DeliveryError, type InboundSink } from '../../src/contracts/chat-adapter.ts';
import type { Conversation, MessageRef } from '../../src/contracts/platform.ts';
import type { Clock } from '../../src/runtime/clock.ts';
import type { Logger } from '../../src/runtime/logger.ts';
import { slackCapabilities } from './capabilities.ts';
import { createPrivacy } from './channels.ts';
import { openDirect } from './direct.ts';
import { downloadFile } from './download.ts';
import { sendEphemeral } from './ephemeral.ts';
import { slackCode } from './failures.ts';
import { findFiles, findMessage, messageMetadata } from './find.ts';
import { slackHealth } from './health.ts';
import { readHistory } from './history.ts';
import { slackWebhook } from './http.ts';
import { createIntake, type Intake } from './intake.ts';
import { slackLink } from './link.ts';
import { homeView, messageContent, modalView } from './outbound.ts';
import { createPeople } from './people.ts';
import { type Installation, signIn } from './sign-in.ts';
import { createSlackSocket, type SlackSocket } from './socket.ts';
import { fileName, filesAsMessage, uploadFiles } from './uploads.ts';
import { anyAnswer, createWeb } from './web.ts';

export interface SlackConfig {
  botToken: string;
  /** Needed in HTTP mode. */
  signingSecret?: string | undefined;
  /** Present: Socket Mode, no public address needed. Absent: Slack posts to `/slack/events`. */
  appToken?: string | undefined;
  /** Default `https://slack.com/api/`. */
  apiUrl?: string | undefined;
}

export interface SlackDeps {
  logger: Logger;
  clock: Clock;
  /** Encrypts a short-lived secret of a payload (`response_url`, `trigger_id`), so that it may be stored. */
  seal(text: string): string;
  /** `undefined` for what `seal` did not make. */
  open(token: string): string | undefined;
  /** How long `start` tries to reach Slack, in milliseconds. Default 30 s. */
  startWithinMs?: number | undefined;
}

/** Reactions that stand for a receipt. */
export const receiptReactions = { received: 'eyes', read: 'white_check_mark', refused: 'no_entry' } as const;

const sentMessage = z.object({ channel: z.string().min(1), ts: z.string().min(1) });

/**
 * Slack: Bolt and Slack's SDKs behind the `ChatAdapter` port. Does no I/O before `start`. Throws a plain Error when neither an app
 * token nor a signing secret is configured. `start` rejects with `not_permitted` for a refused token and with `unreachable` when
 * Slack was not reached in time; it may be called again then.
 */
export function createSlackAdapter(config: SlackConfig, deps: SlackDeps): ChatAdapter {
  const logger = deps.logger.child({ platform: 'slack' });
  const web = createWeb({ botToken: config.botToken, apiUrl: config.apiUrl, logger });
  const stopping = new AbortController();
  let installation: Installation | undefined;
  let intake: Intake | undefined;
  let socket: SlackSocket | undefined;

  const take = () => (stopping.signal.aborted || intake === undefined ? undefined : intake.accept);
  const webhook =
    config.appToken === undefined
      ? slackWebhook({ signingSecret: secretOf(config), clock: deps.clock, logger, take })
      : undefined;

  const people = createPeople({ web, clock: deps.clock, logger, own: () => installation });

  async function start(sink: InboundSink): Promise<void> {
    const inTime = AbortSignal.any([stopping.signal, AbortSignal.timeout(deps.startWithinMs ?? 30_000)]);
    installation = await signIn(web, logger, inTime);
    const context = { ...installation, seal: deps.seal, now: () => deps.clock.now() };
    const ready = createIntake({ context, sink, logger, people, privacy: createPrivacy() });
    if (config.appToken === undefined) await webhook?.prepare();
    else socket = await connectSocket(config.appToken, ready, inTime);
    intake = ready;
  }

  async function connectSocket(appToken: string, ready: Intake, inTime: AbortSignal): Promise<SlackSocket> {
    const connecting = createSlackSocket({ appToken, apiUrl: config.apiUrl, logger, accept: ready.accept });
    inTime.addEventListener('abort', connecting.giveUp, { once: true });
    try {
      await connecting.start();
      return connecting;
    } catch (error) {
      throw new DeliveryError(
        { kind: 'unreachable', detail: `socket: ${connecting.status().problem ?? 'no answer'}` },
        { cause: error },
      );
    } finally {
      inTime.removeEventListener('abort', connecting.giveUp);
    }
  }

  async function send(to: Conversation, view: Parameters<ChatAdapter['send']>[1], key: string): Promise<MessageRef> {
    const args = { ...place(to), ...messageContent(view), ...quiet, metadata: messageMetadata(key) };
    const { channel, ts } = await web.call('chat.postMessage', args, sentMessage);
    return {
      platform: 'slack',
      tenant: to.tenant,
      channel,
      ...(to.thread === undefined ? {} : { thread: to.thread }),
      message: ts,
    };
  }

  return {
    platform: 'slack',
    capabilities: slackCapabilities,
    webhooks: webhook === undefined ? [] : [webhook],
    tenants: () =>
      installation === undefined
        ? []
        : [{ tenant: installation.team, name: installation.teamName, botUser: installation.botUser }],
    start,
    async stop() {
      stopping.abort();
      await socket?.stop();
      await intake?.idle();
    },
    health: () =>
      slackHealth({ web, mode: config.appToken === undefined ? 'http' : 'socket', running: take() !== undefined, socket }),
    send,
    async edit(ref, view) {
      await web.call('chat.update', { channel: ref.channel, ts: ref.message, ...messageContent(view) }, anyAnswer);
    },
    find: (to, key, since) => findMessage(web, to, key, since),
    async history(to, before, limit) {
      if (installation === undefined) throw new DeliveryError({ kind: 'unreachable', detail: 'not signed in' });
      return await readHistory(web, { botUser: installation.botUser, team: installation.team }, to, before, limit);
    },
    download: (file, signal) => downloadFile({ web, botToken: config.botToken, apiUrl: config.apiUrl }, file, signal),
    ephemeral: (to, user, view, reply, replaces) =>
      sendEphemeral({ web, ...deps }, to, user, messageContent(view), { reply, replaces }),
    async linkTo(to) {
      const url = config.apiUrl === undefined ? installation?.url : undefined;
      return url === undefined ? undefined : slackLink(url, to);
    },
    nameOf: async ({ user }) => (await people.ask(user)).name,
    async direct(user) {
      return { platform: 'slack', tenant: user.tenant, channel: await openDirect(web, user.user), kind: 'direct' };
    },
    async openForm(trigger, form, about) {
      const triggerId = deps.open(trigger);
      if (triggerId === undefined) throw new DeliveryError({ kind: 'gone', detail: 'views.open: not a trigger of ours' });
      await web.call('views.open', { trigger_id: triggerId, view: modalView(form, about) }, anyAnswer);
    },
    async upload(to, files, comment) {
      try {
        await uploadFiles(web, to, files, comment);
      } catch (error) {
        const instead = filesAsMessage(error, files, comment);
        if (instead === undefined) throw error;
        logger.warn({ code: slackCode(error) }, 'slack refuses files here, sent as text');
        await web.call('chat.postMessage', { ...place(to), ...instead, ...quiet }, sentMessage);
      }
    },
    async findUpload(to, names, since, after) {
      if (installation === undefined) throw new DeliveryError({ kind: 'unreachable', detail: 'not signed in' });
      return await findFiles(web, to, installation.botUser, names.map(fileName), { since, after });
    },
    async react(ref, mark, on) {
      const args = { channel: ref.channel, timestamp: ref.message, name: receiptReactions[mark] };
      try {
        await web.call(on ? 'reactions.add' : 'reactions.remove', args, anyAnswer);
      } catch (error) {
        if (slackCode(error) !== (on ? 'already_reacted' : 'no_reaction')) throw error;
      }
    },
    async publishHome(user, view) {
      await web.call('views.publish', { user_id: user.user, view: homeView(view) }, anyAnswer);
    },
  };
}

function secretOf({ signingSecret }: SlackConfig): string {
  if (signingSecret === undefined) throw new Error('Slack needs SLACK_APP_TOKEN or SLACK_SIGNING_SECRET');
  return signingSecret;
}

/** No previews: they would show foreign content, and come back as changes of the message. */
const quiet = { unfurl_links: false, unfurl_media: false };

function place(to: Conversation) {
  return { channel: to.channel, ...(to.thread === undefined ? {} : { thread_ts: to.thread }) };
}
