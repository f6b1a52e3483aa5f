import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import { DeliveryError } from '../../src/contracts/chat-adapter.ts';
import type { Logger } from '../../src/runtime/logger.ts';
import type { Web } from './web.ts';

/** The workspace the bot token belongs to. */
export interface Installation {
  team: string;
  teamName: string;
  botUser: string;
  /** The Enterprise organisation that the workspace is part of. */
  enterprise?: string | undefined;
  /** Address of the workspace, `https://acme.slack.com/`. */
  url?: string | undefined;
}

export const authAnswer = z.object({
  team_id: z.string().min(1),
  team: z.string(),
  user_id: z.string().min(1),
  enterprise_id: z.string().nullish(),
  url: z.url().optional().catch(undefined),
  response_metadata: z.object({ scopes: z.array(z.string()).optional() }).optional(),
});

const firstWaitMs = 1_000;
const maxWaitMs = 30_000;

/**
 * Asks Slack who we are. A refused token rejects with `not_permitted`; while Slack cannot be reached it keeps asking until
 * `signal` ends it, and rejects with what was wrong last.
 */
export async function signIn(web: Web, logger: Logger, signal: AbortSignal): Promise<Installation> {
  for (let waitMs = firstWaitMs; ; waitMs = Math.min(waitMs * 2, maxWaitMs)) {
    try {
      const answer = await web.call('auth.test', {}, authAnswer);
      const enterprise = answer.enterprise_id ?? undefined;
      return { team: answer.team_id, teamName: answer.team, botUser: answer.user_id, enterprise, url: answer.url };
    } catch (error) {
      const failure = error instanceof DeliveryError ? error.failure : undefined;
      if (failure === undefined || ['gone', 'not_permitted', 'rejected'].includes(failure.kind)) throw error;
      const rest = failure.kind === 'rate_limited' ? failure.retryAfterMs : waitMs;
      logger.warn({ err: error, rest }, 'slack not reachable, trying again');
      // Rejects only when the signal ends it, which the next line looks at.
      await sleep(rest, undefined, { signal }).catch(() => undefined);
      if (!signal.aborted) continue;
      throw new DeliveryError(
        { kind: 'unreachable', detail: error instanceof Error ? error.message : 'auth.test' },
        { cause: error },
      );
    }
  }
}
