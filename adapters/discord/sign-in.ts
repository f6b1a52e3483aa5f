import { setTimeout as delay } from 'node:timers/promises';
import { z } from 'zod';
import { DeliveryError } from '../../src/contracts/chat-adapter.ts';
import type { Logger } from '../../src/runtime/logger.ts';
import type { Rest } from './rest.ts';

const id = z.string().regex(/^\d+$/);

export const applicationAnswer = z.object({
  id,
  name: z.string(),
  /** Which privileged intents are switched on in the developer portal, among others. */
  flags: z.number().nullish(),
  verify_key: z.string().nullish(),
  interactions_endpoint_url: z.string().nullish(),
});
export type Application = z.infer<typeof applicationAnswer>;

const userAnswer = z.object({ id, username: z.string() });
const guildsAnswer = z.array(z.object({ id, name: z.string().nullish(), features: z.array(z.string()).nullish() }));
export type Guilds = z.infer<typeof guildsAnswer>;
const pageSize = 200;

/** Whether the words of messages are told to this application, in small servers or by permission in large ones. */
export function mayReadMessages({ flags }: Pick<Application, 'flags'>): boolean {
  return ((flags ?? 0) & ((1 << 18) | (1 << 19))) !== 0;
}

export interface Installation {
  application: Application;
  botUser: string;
  guilds: Guilds;
}

export function askApplication(rest: Rest): Promise<Application> {
  return rest.call({ method: 'get', route: '/applications/@me', what: 'look up the application' }, applicationAnswer);
}

/**
 * Learns who the token belongs to and which servers it is in. Tries again while Discord cannot be reached, until `signal` fires; rejects
 * with `not_permitted` for a refused token or one of another application.
 */
export async function signIn(
  rest: Rest,
  expected: string | undefined,
  logger: Logger,
  signal: AbortSignal,
): Promise<Installation> {
  for (let attempt = 0; ; attempt += 1) {
    try {
      rest.trust();
      return await installationOf(rest, expected);
    } catch (error) {
      const failure = error instanceof DeliveryError ? error.failure : undefined;
      if (failure === undefined || failure.kind === 'not_permitted' || failure.kind === 'rejected') throw error;
      logger.warn({ failure, attempt }, 'discord not reached yet');
      const waitMs = failure.kind === 'rate_limited' ? failure.retryAfterMs : Math.min(5_000, 250 * 2 ** attempt);
      try {
        await delay(waitMs, undefined, { signal });
      } catch {
        throw failure.kind === 'unreachable'
          ? error
          : new DeliveryError({ kind: 'unreachable', detail: error instanceof Error ? error.message : 'no answer' });
      }
    }
  }
}

async function installationOf(rest: Rest, expected: string | undefined): Promise<Installation> {
  const [application, user, guilds] = await Promise.all([
    askApplication(rest),
    rest.call({ method: 'get', route: '/users/@me', what: 'look up the bot' }, userAnswer),
    allGuilds(rest),
  ]);
  if (expected !== undefined && expected !== application.id) {
    throw new DeliveryError({
      kind: 'not_permitted',
      detail: `DISCORD_APPLICATION_ID is ${expected}, but the bot token belongs to the application ${application.id}`,
    });
  }
  return { application, botUser: user.id, guilds };
}

async function allGuilds(rest: Rest): Promise<Guilds> {
  const all: Guilds = [];
  for (;;) {
    const after = all.at(-1)?.id;
    const query = { limit: String(pageSize), ...(after === undefined ? {} : { after }) };
    const page = await rest.call({ method: 'get', route: '/users/@me/guilds', what: 'list the servers', query }, guildsAnswer);
    all.push(...page);
    if (page.length < pageSize) return all;
  }
}
