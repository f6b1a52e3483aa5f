import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import { DeliveryError } from '../../src/contracts/chat-adapter.ts';
import type { Logger } from '../../src/runtime/logger.ts';
import type { TelegramApi } from './api.ts';

/** The bot the token belongs to. */
export interface Bot {
  id: string;
  /** Without `@`. */
  username: string;
  name: string;
  /** Privacy mode is off: it hears everything in its groups. */
  hearsEverything: boolean;
  /** Private chats have topics, switched on in BotFather. */
  hasPrivateTopics: boolean;
}

const answer = z.object({
  id: z.number().int(),
  username: z.string().min(1),
  first_name: z.string(),
  can_read_all_group_messages: z.boolean().optional(),
  has_topics_enabled: z.boolean().optional(),
});

const firstWaitMs = 1_000;
const maxWaitMs = 30_000;

/** Asks Telegram who we are, once. */
export async function askWhoWeAre(api: TelegramApi): Promise<Bot> {
  const me = await api.read('getMe', async (raw, signal) => answer.parse(await raw.getMe(signal)));
  return {
    id: String(me.id),
    username: me.username,
    name: me.first_name,
    hearsEverything: me.can_read_all_group_messages === true,
    hasPrivateTopics: me.has_topics_enabled === true,
  };
}

/**
 * Asks Telegram who we are. A refused token rejects with `not_permitted`; while Telegram cannot be reached it keeps asking until
 * `signal` ends it, and rejects with what was wrong last.
 */
export async function signIn(api: TelegramApi, logger: Logger, signal: AbortSignal): Promise<Bot> {
  return untilReached(() => askWhoWeAre(api), logger, signal);
}

/** Repeats a call that changes nothing when it is made twice, as long as Telegram cannot be reached. */
export async function untilReached<T>(call: () => Promise<T>, logger: Logger, signal: AbortSignal): Promise<T> {
  for (let waitMs = firstWaitMs; ; waitMs = Math.min(waitMs * 2, maxWaitMs)) {
    try {
      return await call();
    } catch (error) {
      const failure = error instanceof DeliveryError ? error.failure : undefined;
      if (failure === undefined || ['gone', 'moved', 'not_permitted', 'rejected'].includes(failure.kind)) throw error;
      const rest = failure.kind === 'rate_limited' ? failure.retryAfterMs : waitMs;
      logger.warn({ err: error, rest }, 'telegram not reachable, trying again');
      // Rejects only when the signal ends it, which the next line looks at.
      await sleep(rest, undefined, { signal }).catch(() => undefined);
      if (!signal.aborted) continue;
      throw new DeliveryError(
        { kind: 'unreachable', detail: error instanceof Error ? error.message : 'getMe' },
        { cause: error },
      );
    }
  }
}
