import { z } from 'zod';
import type { Clock } from '../../src/runtime/clock.ts';
import type { Logger } from '../../src/runtime/logger.ts';
import type { Web } from './web.ts';

/** What Slack tells about an account. Events carry ids only. */
export interface Account {
  name: string | undefined;
  bot: boolean;
}

export interface People {
  /** What is known now or within `patienceMs`; `undefined` when Slack does not say in time. Never rejects. */
  find(user: string): Promise<Account | undefined>;
  /** Asks Slack, however long it takes. Rejects with `DeliveryError`. */
  ask(user: string): Promise<Account>;
}

const patienceMs = 400;
const freshMs = 60 * 60_000;
/** After a failure, so that a missing scope or a rate limit is not asked about with every message. */
const failedMs = 60_000;
const maxKnown = 5_000;

const text = z.string().nullish();
const answer = z.object({
  user: z.object({
    name: text,
    real_name: text,
    is_bot: z.boolean().nullish(),
    profile: z.object({ display_name: text, real_name: text }).nullish(),
  }),
});

export function createPeople(deps: { web: Web; clock: Clock; logger: Logger }): People {
  const { web, clock, logger } = deps;
  const known = new Map<string, { account: Account | undefined; until: number }>();
  const asking = new Map<string, Promise<Account | undefined>>();

  async function ask(user: string): Promise<Account> {
    const { user: info } = await web.read('users.info', { user }, answer);
    const names = [info.profile?.display_name, info.profile?.real_name, info.real_name, info.name];
    return { name: names.find((name) => name != null && name.trim() !== '') ?? undefined, bot: info.is_bot === true };
  }

  async function askOnce(user: string): Promise<Account | undefined> {
    let account: Account | undefined;
    try {
      account = await ask(user);
    } catch (error) {
      logger.warn({ err: error, user }, 'slack account not looked up');
    }
    if (known.size >= maxKnown) known.delete(known.keys().next().value ?? user);
    known.set(user, { account, until: clock.now().getTime() + (account === undefined ? failedMs : freshMs) });
    asking.delete(user);
    return account;
  }

  return {
    ask,
    async find(user) {
      const entry = known.get(user);
      if (entry !== undefined && entry.until > clock.now().getTime()) return entry.account;
      let question = asking.get(user);
      if (question === undefined) {
        question = askOnce(user);
        asking.set(user, question);
      }
      const late = Promise.withResolvers<undefined>();
      const timer = setTimeout(late.resolve, patienceMs, undefined);
      try {
        return await Promise.race([question, late.promise]);
      } finally {
        clearTimeout(timer);
      }
    },
  };
}
