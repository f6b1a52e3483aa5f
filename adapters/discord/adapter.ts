import { z } from 'zod';
import { type ChatAdapter, DeliveryError, type GapLook, type InboundSink } from '../../src/contracts/chat-adapter.ts';
import type { CommandMenu } from '../../src/contracts/command-menu.ts';
import type { AcquireLease } from '../../src/contracts/lease.ts';
import type { Conversation } from '../../src/contracts/platform.ts';
import type { Clock } from '../../src/runtime/clock.ts';
import type { Logger } from '../../src/runtime/logger.ts';
import { backfillOne } from './backfill.ts';
import { discordCapabilities } from './capabilities.ts';
import { downloadFile } from './download.ts';
import { findMessage } from './find.ts';
import { openHandle } from './handle.ts';
import { discordHealth } from './health.ts';
import { readHistory } from './history.ts';
import { discordWebhook } from './http.ts';
import { discordLink } from './link.ts';
import { modalOf } from './modal.ts';
import { messageContent } from './outbound.ts';
import { userSchema } from './payloads.ts';
import { nameOf } from './reading.ts';
import { createRest, path } from './rest.ts';
import { createRunning, type Running } from './running.ts';
import { awake, channelOf, channelOfMessage, sendMessage } from './sending.ts';
import { uploadFiles } from './uploads.ts';

export interface DiscordConfig {
  token: string;
  /** Only checked: the token says which application it belongs to. */
  applicationId?: string | undefined;
  /** Present: interactions are taken over HTTP too, for an application that sends them there. */
  publicKey?: string | undefined;
  /** Default `https://discord.com/api`. */
  apiUrl?: string | undefined;
}

export interface DiscordDeps {
  logger: Logger;
  clock: Clock;
  /** Encrypts a short-lived secret of a payload (the token of an interaction), so that it may be stored. */
  seal(text: string): string;
  /** `undefined` for what `seal` did not make. */
  open(token: string): string | undefined;
  menu: CommandMenu;
  /** The gateway is listened to by the holder of `discord:<application id>` only; everybody else may send. */
  acquireLease: AcquireLease;
  /** How long `start` tries to reach Discord, in milliseconds. Default 30 s. */
  startWithinMs?: number | undefined;
  /**
   * Something may have been said that was not heard, at the latest since `from`, else since what was heard last: `backfill` is due. Called with
   * every new session of the gateway, the first included. What is said after it waits for what is returned.
   */
  onGap?: ((from?: Date) => GapLook | undefined) | undefined;
}

/** Reactions that stand for a receipt. */
export const receiptReactions = { received: '👀', read: '✅', refused: '⛔' } as const;

const directAnswer = z.object({ id: z.string().min(1) });

/**
 * Discord: discord.js's gateway and REST clients behind the `ChatAdapter` port. Does no I/O before `start`. Throws a plain Error for a
 * public key that is none. `start` rejects with `not_permitted` for a refused token and with `unreachable` when Discord was not reached in
 * time; it may be called again then.
 */
export function createDiscordAdapter(config: DiscordConfig, deps: DiscordDeps): ChatAdapter {
  const logger = deps.logger.child({ platform: 'discord' });
  const rest = createRest(config);
  const stopping = new AbortController();
  let running: Running | undefined;

  const webhook =
    config.publicKey === undefined
      ? undefined
      : discordWebhook({
          publicKey: config.publicKey,
          clock: deps.clock,
          logger,
          take: () => (stopping.signal.aborted ? undefined : running?.takeInteraction),
        });

  /** What is known after `start`. A send before it would not know which channels are threads. */
  function started(): Running {
    if (running === undefined) throw new DeliveryError({ kind: 'unreachable', detail: 'the adapter is not started' });
    return running;
  }

  const handleOf = (sealed: string) => openHandle(sealed, deps.open, deps.clock.now());

  return {
    platform: 'discord',
    capabilities: discordCapabilities,
    webhooks: webhook === undefined ? [] : [webhook],
    tenants: () => running?.directory.tenants() ?? [],
    async start(sink: InboundSink) {
      const inTime = AbortSignal.any([stopping.signal, AbortSignal.timeout(deps.startWithinMs ?? 30_000)]);
      const next = await createRunning({ ...deps, config, rest, logger, sink }, inTime);
      running = next;
      try {
        await next.listener.start(inTime);
      } catch (error) {
        running = undefined;
        await next.stop();
        throw error;
      }
    },
    async stop() {
      stopping.abort();
      await running?.stop();
    },
    health: () =>
      discordHealth({
        rest,
        listening: stopping.signal.aborted ? undefined : running?.listener.status(),
        publicKey: config.publicKey,
        guilds: running?.directory.servers() ?? 0,
        commands: running?.commandsProblem(),
      }),
    send: async (to, view, key, opens) => sendMessage({ rest, ...started() }, to, view, key, opens),
    async edit(ref, view) {
      const { directory, marks } = started();
      const channel = await channelOfMessage(directory, ref);
      const route = path`/channels/${channel}/messages/${ref.message}`;
      const body = messageContent(view, marks.of(ref.message));
      await awake(rest, channel, () => rest.act({ method: 'patch', route, what: 'edit a message', body }));
    },
    find: async (to, key, since, opens) => findMessage({ rest, ...started() }, to, key, since, opens),
    async ephemeral(to, _user, view, reply, replaces) {
      const handle = reply === undefined ? undefined : handleOf(reply);
      if (handle !== undefined) return started().acks.answer(handle, messageContent(view), replaces);
      if (to.kind === 'direct') {
        const route = path`/channels/${to.channel}/messages`;
        return rest.act({ method: 'post', route, what: 'send a message', body: messageContent(view) });
      }
      const detail = 'only the answer to a command, a press or a form can be shown to one person, for fifteen minutes';
      throw new DeliveryError({ kind: 'not_permitted', detail });
    },
    download: (file, signal) => downloadFile({ rest, apiUrl: config.apiUrl }, file, signal),
    history: async (to, before, limit) => readHistory(rest, started().context, to, before, limit),
    async linkTo(to) {
      return config.apiUrl === undefined && running !== undefined ? discordLink(running.directory, to) : undefined;
    },
    async nameOf({ user }) {
      const account = await rest.call({ method: 'get', route: path`/users/${user}`, what: 'look up a person' }, userSchema);
      return nameOf(undefined, account).name;
    },
    async direct(user): Promise<Conversation> {
      const body = { recipient_id: user.user };
      const { id } = await rest.call(
        { method: 'post', route: '/users/@me/channels', what: 'open a direct conversation', body },
        directAnswer,
      );
      return { platform: 'discord', tenant: started().application, channel: id, kind: 'direct' };
    },
    async openForm(trigger, form, about) {
      const handle = handleOf(trigger);
      if (handle === undefined)
        throw new DeliveryError({ kind: 'gone', detail: 'open a form: not a trigger of ours, or too old' });
      await started().acks.openForm(handle, modalOf(form, about));
    },
    upload: (to, files, comment) => uploadFiles(rest, to, files, comment),
    async react(ref, mark, on) {
      const channel = await channelOfMessage(started().directory, ref);
      const emoji = encodeURIComponent(receiptReactions[mark]);
      const route: `/${string}` = `${path`/channels/${channel}/messages/${ref.message}`}/reactions/${emoji}/@me`;
      const call = { method: on ? ('put' as const) : ('delete' as const), route, what: 'react to a message' };
      await awake(rest, channel, () => rest.act(call));
    },
    async remove(ref) {
      const channel = await channelOfMessage(started().directory, ref);
      const route = path`/channels/${channel}/messages/${ref.message}`;
      await awake(rest, channel, () => rest.act({ method: 'delete', route, what: 'delete a message' }));
    },
    publishHome: () => Promise.reject(new DeliveryError({ kind: 'rejected', detail: 'Discord has no home surface' })),
    async backfill(missed) {
      const { context, takeEvents, gaps } = started();
      const look = gaps.look(missed.map(({ conversation }) => channelOf(conversation)));
      for (const one of missed) {
        const channel = channelOf(one.conversation);
        await backfillOne({ rest, context, logger, signal: stopping.signal }, one, (events) => takeEvents(channel, events));
        // What was not asked for because this adapter stops was not looked into.
        stopping.signal.throwIfAborted();
        look.looked(channel);
      }
    },
  };
}
