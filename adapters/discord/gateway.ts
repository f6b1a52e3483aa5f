import { setTimeout as delay } from 'node:timers/promises';
import { type SessionInfo, WebSocketManager, WebSocketShardEvents } from '@discordjs/ws';
import { GatewayCloseCodes, GatewayIntentBits } from 'discord-api-types/v10';
import { DeliveryError } from '../../src/contracts/chat-adapter.ts';
import { errorText } from '../../src/runtime/error-text.ts';
import type { Logger } from '../../src/runtime/logger.ts';
import type { Rest } from './rest.ts';

const baseIntents = GatewayIntentBits.Guilds | GatewayIntentBits.GuildMessages | GatewayIntentBits.DirectMessages;

/** Codes after which connecting again in the same way is useless. */
const fatal: Partial<Record<number, string>> = {
  [GatewayCloseCodes.AuthenticationFailed]: 'Discord refuses the bot token',
  [GatewayCloseCodes.InvalidShard]: 'Discord refuses the shard',
  [GatewayCloseCodes.ShardingRequired]: 'the bot is in too many servers for the connections it made',
  [GatewayCloseCodes.InvalidAPIVersion]: 'Discord does not speak this version of its gateway any more',
  [GatewayCloseCodes.InvalidIntents]: 'Discord refuses the intents',
  [GatewayCloseCodes.DisallowedIntents]: 'the Message Content intent is not granted',
};

const closeWithinMs = 2_000;

export interface GatewayEnd {
  code: number;
  detail: string;
}

/** One connection to the gateway (or one per shard), which comes back by itself until it is closed or Discord says that it is of no use. */
export interface Gateway {
  /** Resolves when it is connected; rejects with `DeliveryError` when it cannot be. */
  connect(signal: AbortSignal): Promise<void>;
  connected(): boolean;
  /** Resolves when Discord has ended it for good. */
  readonly ended: Promise<GatewayEnd>;
  close(): Promise<void>;
}

/**
 * discord.js's gateway client, with two differences. A session is kept when a connection was never heard from: the client forgets it as
 * soon as one attempt to reconnect is refused, and everything said meanwhile would be lost. And after `close` nothing reconnects any more.
 */
export function createGateway(deps: {
  rest: Rest;
  token: string;
  readsMessages: boolean;
  logger: Logger;
  onDispatch(type: string, data: unknown): void;
  /** A new session: what happened before it was not told. */
  onFresh(): void;
}): Gateway {
  const { rest, logger, onDispatch, onFresh } = deps;
  const sessions = new Map<number, SessionInfo>();
  /** Shards that Discord has spoken to, or hung up on, since they last connected. */
  const spoken = new Set<number>();
  const ready = new Set<number>();
  const ended = Promise.withResolvers<GatewayEnd>();
  let closing = false;
  let shards = 1;

  const manager = new WebSocketManager({
    token: deps.token,
    intents: deps.readsMessages ? baseIntents | GatewayIntentBits.MessageContent : baseIntents,
    rest: rest.client,
    // Asked before every connection: what was closed meanwhile waits here for ever.
    retrieveSessionInfo: (shard) => (closing ? new Promise<never>(() => undefined) : (sessions.get(shard) ?? null)),
    updateSessionInfo: (shard, info) => {
      if (info !== null) sessions.set(shard, info);
      else if (spoken.has(shard)) sessions.delete(shard);
    },
  });

  manager.on(WebSocketShardEvents.Hello, ({ shardId }) => void spoken.add(shardId));
  manager.on(WebSocketShardEvents.Ready, ({ shardId: shard }) => {
    ready.add(shard);
    logger.info({ shard }, 'discord gateway connected');
    onFresh();
  });
  manager.on(WebSocketShardEvents.Resumed, ({ shardId: shard }) => {
    ready.add(shard);
    logger.info({ shard }, 'discord gateway resumed');
  });
  manager.on(WebSocketShardEvents.Closed, ({ code, shardId: shard }) => {
    ready.delete(shard);
    // 1006: the connection broke, Discord has not said anything.
    if (code === 1006) spoken.delete(shard);
    else spoken.add(shard);
    const detail = fatal[code];
    if (closing) return;
    logger.info({ shard, code }, 'discord gateway connection closed');
    if (detail !== undefined) ended.resolve({ code, detail });
  });
  manager.on(WebSocketShardEvents.Error, ({ error, shardId: shard }) =>
    logger.warn({ shard, detail: error.message }, 'discord gateway error'),
  );
  manager.on(WebSocketShardEvents.Dispatch, ({ data: payload }) => {
    try {
      onDispatch(payload.t, payload.d);
    } catch (error) {
      logger.error({ err: error, type: payload.t }, 'discord event not read');
    }
  });

  async function connect(signal: AbortSignal): Promise<void> {
    const late = Promise.withResolvers<never>();
    const giveUp = () => late.reject(new DeliveryError({ kind: 'unreachable', detail: 'gateway: no connection in time' }));
    if (signal.aborted) giveUp();
    signal.addEventListener('abort', giveUp, { once: true });
    try {
      const connecting = manager.connect().then(async () => {
        shards = await manager.getShardCount();
      });
      const failed = ended.promise.then((end) => Promise.reject(refused(end)));
      await Promise.race([connecting, failed, late.promise]);
    } catch (error) {
      throw error instanceof DeliveryError ? error : unreachable(error);
    } finally {
      signal.removeEventListener('abort', giveUp);
    }
  }

  return {
    connect,
    connected: () => !closing && ready.size === shards,
    ended: ended.promise,
    async close() {
      if (closing) return;
      closing = true;
      // A peer that is gone does not answer the goodbye.
      await Promise.race([manager.destroy({ reason: 'closing' }), delay(closeWithinMs, undefined, { ref: false })]);
    },
  };
}

function refused({ code, detail }: GatewayEnd): DeliveryError {
  return new DeliveryError({
    kind: code === GatewayCloseCodes.AuthenticationFailed ? 'not_permitted' : 'rejected',
    detail: `gateway: ${detail}`,
  });
}

function unreachable(error: unknown): DeliveryError {
  const detail = errorText(error);
  return new DeliveryError({ kind: 'unreachable', detail: `gateway: ${detail}` });
}
