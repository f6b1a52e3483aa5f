import { z } from 'zod';
import { type AdapterHealth, DeliveryError } from '../../src/contracts/chat-adapter.ts';
import type { TelegramApi } from './api.ts';
import type { PollingStatus } from './polling.ts';
import { askWhoWeAre, type Bot } from './sign-in.ts';
import { webhookUrl } from './webhook.ts';

const patienceMs = 2_500;
/** A failed delivery is worth a word for this long; Telegram repeats within two minutes. */
const recentMs = 5 * 60_000;

const webhookInfo = z.object({
  url: z.string(),
  pending_update_count: z.number(),
  last_error_date: z.number().optional(),
  last_error_message: z.string().optional(),
});
type WebhookInfo = z.infer<typeof webhookInfo>;

export interface HealthState {
  api: TelegramApi;
  running: boolean;
  now: Date;
  /** How updates come. */
  mode: { publicUrl: string } | { polling: PollingStatus | undefined };
}

/** Token, connection and webhook, each failure with what to do about it. */
export async function telegramHealth(state: HealthState): Promise<AdapterHealth> {
  const late = Promise.withResolvers<undefined>();
  const timer = setTimeout(late.resolve, patienceMs, undefined);
  try {
    const found = await Promise.race([look(state.api), late.promise]);
    if (found === undefined)
      return bad('Telegram does not answer within 2.5 s.', 'Check the network, and TELEGRAM_API_ROOT when it is set.');
    const { bot, info } = found;
    if (!state.running) return bad(`Telegram answers for @${bot.username}, the adapter is not started.`, 'Start Deckhand.');
    return 'publicUrl' in state.mode
      ? webhookHealth(bot, info, webhookUrl(state.mode.publicUrl), state.now)
      : pollingHealth(bot, info, state.mode.polling);
  } catch (error) {
    return unreached(error);
  } finally {
    clearTimeout(timer);
  }
}

async function look(api: TelegramApi): Promise<{ bot: Bot; info: WebhookInfo }> {
  const options = { timeoutMs: patienceMs };
  const [bot, info] = await Promise.all([
    askWhoWeAre(api),
    api.read('getWebhookInfo', async (raw, signal) => webhookInfo.parse(await raw.getWebhookInfo(signal)), options),
  ]);
  return { bot, info };
}

function webhookHealth(bot: Bot, info: WebhookInfo, url: string, now: Date): AdapterHealth {
  if (info.url !== url) {
    const other = info.url === '' ? 'has no webhook' : 'posts to another address';
    return bad(
      `Telegram answers for @${bot.username}, but ${other}.`,
      `Restart Deckhand: it sets the webhook to ${url}. Look for another program with the same token.`,
    );
  }
  const failedAt = (info.last_error_date ?? 0) * 1000;
  if (info.pending_update_count > 0 && now.getTime() - failedAt < recentMs) {
    return bad(
      `Telegram cannot deliver to ${url}: ${info.last_error_message ?? 'no reason given'}; ${info.pending_update_count} updates wait.`,
      'Open PUBLIC_URL/healthz from outside. Nothing is lost for 24 hours.',
    );
  }
  return { ok: true, detail: `Telegram answers for @${bot.username} and posts to ${url}${privacy(bot)}` };
}

function pollingHealth(bot: Bot, info: WebhookInfo, polling: PollingStatus | undefined): AdapterHealth {
  if (polling?.state === 'failing') {
    return polling.otherPoller
      ? bad(
          `Telegram answers for @${bot.username}, but something else takes its updates (${polling.problem}).`,
          'Stop the other program with this token, or get a token of its own from BotFather.',
        )
      : bad(
          `Telegram answers for @${bot.username}, but polling fails (${polling.problem}).`,
          'It goes on by itself; check the network.',
        );
  }
  if (info.url !== '') {
    return bad(
      `Telegram answers for @${bot.username}, but posts its updates to a webhook.`,
      'Polling takes the webhook away within seconds; look for another program with the same token.',
    );
  }
  const who = polling?.state === 'polling' ? 'is polled' : 'is polled by another process of this installation';
  return { ok: true, detail: `Telegram answers for @${bot.username} and ${who}${privacy(bot)}` };
}

function privacy(bot: Bot): string {
  return bot.hearsEverything ? '; privacy mode is off.' : '; in groups it hears commands, mentions and replies.';
}

function unreached(error: unknown): AdapterHealth {
  const failure = error instanceof DeliveryError ? error.failure : undefined;
  if (failure?.kind === 'not_permitted') {
    return bad(
      'Telegram refuses the bot token.',
      'Set TELEGRAM_BOT_TOKEN to the token that BotFather shows under /mybots → API Token.',
    );
  }
  if (failure?.kind === 'rate_limited') {
    return bad(
      'Telegram limits the rate of calls at the moment.',
      'It passes by itself; look for another program with the same token.',
    );
  }
  const why = failure === undefined ? 'its answer is not one of Telegram' : failure.detail;
  return bad(`Telegram cannot be reached: ${why}.`, 'Check the network, and TELEGRAM_API_ROOT when it is set.');
}

function bad(detail: string, remedy: string): AdapterHealth {
  return { ok: false, detail, remedy };
}
