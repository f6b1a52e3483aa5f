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

/** What adapters stand on. `onGap`: something may have been said there that nobody heard, up to now, at the latest since `from`. */
interface AdapterDeps extends Pick<Infrastructure, 'database' | 'secretBox' | 'clock'> {
  logger: Logger;
  onGap(platform: Platform, from?: Date): GapLook;
}

/** Makes one adapter for every platform that is configured. They do nothing before they are started. */
export type CreateAdapters = (deps: AdapterDeps) => ChatAdapter[];

/** Loads the adapters of the platforms that are configured, and no others: with what they stand on, each is a good part of the program. */
export async function loadAdapters({ slack, telegram, discord }: PlatformConfigs): Promise<CreateAdapters> {
  const [forSlack, forTelegram, forDiscord] = await Promise.all([
    slack && import('../adapters/slack/adapter.ts'),
    telegram && import('../adapters/telegram/adapter.ts'),
    discord && import('../adapters/discord/adapter.ts'),
  ]);
  return ({ database, secretBox, clock, logger, onGap }) => {
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
    const adapters: ChatAdapter[] = [];
    if (slack && forSlack) adapters.push(forSlack.createSlackAdapter(slack, common('slack')));
    if (telegram && forTelegram) {
      adapters.push(forTelegram.createTelegramAdapter(telegram, { ...common('telegram'), menu, acquireLease }));
    }
    if (discord && forDiscord) {
      const listens = { menu, acquireLease, onGap: (from?: Date) => onGap('discord', from) };
      adapters.push(forDiscord.createDiscordAdapter(discord, { ...common('discord'), ...listens }));
    }
    return adapters;
  };
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
