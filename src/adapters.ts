import { createDiscordAdapter } from '../adapters/discord/adapter.ts';
import { createSlackAdapter } from '../adapters/slack/adapter.ts';
import { createTelegramAdapter } from '../adapters/telegram/adapter.ts';
import type { CommandDeps } from './commands/command.ts';
import { createCommandMenu } from './commands/menu.ts';
import type { PlatformConfigs } from './config-platforms.ts';
import type { ChatAdapter, GapLook } from './contracts/chat-adapter.ts';
import type { Conversation, Platform } from './contracts/platform.ts';
import type { Infrastructure } from './infrastructure.ts';
import { connectWithinMs } from './platforms.ts';
import type { Logger } from './runtime/logger.ts';
import { createLeases } from './store/lease.ts';
import { handleContext } from './store/sealed-places.ts';

/**
 * One adapter for every platform that is configured. They do nothing before they are started. `onGap`: something may have been said there
 * that nobody heard, up to now, at the latest since `from`.
 */
export function createAdapters(
  { slack, telegram, discord }: PlatformConfigs,
  {
    database,
    secretBox,
    clock,
    logger,
    onGap,
  }: Pick<Infrastructure, 'database' | 'secretBox' | 'clock'> & {
    logger: Logger;
    onGap(platform: Platform, from?: Date): GapLook;
  },
): ChatAdapter[] {
  const common = (platform: string) => ({
    logger,
    clock,
    startWithinMs: connectWithinMs,
    seal: (text: string) => secretBox.seal(text, handleContext(platform)),
    open(token: string) {
      try {
        return secretBox.open(token, handleContext(platform));
      } catch {
        return undefined; // made with another key, or by nobody we know: the handle is of no use
      }
    },
  });
  const menu = createCommandMenu({
    database,
    onError: (error) => logger.warn({ err: error }, 'names for completions could not be looked up'),
  });
  const acquireLease = createLeases({
    url: database.url,
    onError: (error) => logger.warn({ err: error }, 'a lease was lost, or could not be asked for'),
  });
  return [
    ...(slack === undefined ? [] : [createSlackAdapter(slack, common('slack'))]),
    ...(telegram === undefined ? [] : [createTelegramAdapter(telegram, { ...common('telegram'), menu, acquireLease })]),
    ...(discord === undefined
      ? []
      : [createDiscordAdapter(discord, { ...common('discord'), menu, acquireLease, onGap: (from) => onGap('discord', from) })]),
  ];
}

/** What commands ask of the platform of a conversation. */
export function conversationsOf(
  adapters: readonly ChatAdapter[],
  logger: Logger,
): Required<Pick<CommandDeps, 'linkTo' | 'removes' | 'history'>> {
  const adapterOf = ({ platform }: Conversation) => adapters.find((one) => one.platform === platform);
  return {
    linkTo: async (to) => adapterOf(to)?.linkTo?.(to),
    removes: (to) => {
      const removes = adapterOf(to)?.capabilities.removes;
      return (to.kind === 'direct' ? removes?.direct : removes?.channels) ?? false;
    },
    history: async (to, before, limit) => {
      return await adapterOf(to)
        ?.history?.(to, before, limit)
        .catch((error: unknown) => {
          const { platform, channel } = to;
          logger.warn({ err: error, platform, channel }, 'what was said before a request could not be read');
          return undefined;
        });
    },
  };
}
