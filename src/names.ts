import { type ChatAdapter, DeliveryError } from './contracts/chat-adapter.ts';
import type { Clock } from './runtime/clock.ts';
import type { Logger } from './runtime/logger.ts';
import { createLoop, type Loop } from './runtime/loop.ts';
import type { Database } from './store/database.ts';
import { findOrCreatePerson, namelessAccounts } from './store/people.ts';

const lookEveryMs = 30_000;
/** A platform that does not tell a name now may do so once the person has met the bot. */
const againMs = 6 * 60 * 60_000;
/** After a call that failed. */
const retryMs = 5 * 60_000;

/**
 * Gives people their names who have never written: those named by DECKHAND_OWNERS or by a mention. What a person is called who writes
 * comes with what they write.
 */
export function createNames(deps: { database: Database; adapters: readonly ChatAdapter[]; clock: Clock; logger: Logger }): Loop {
  const { database, adapters, clock, logger } = deps;
  const notBefore = new Map<string, number>();

  async function lookUp(adapter: ChatAdapter, tenant: string, signal: AbortSignal): Promise<void> {
    for (const { workspace, ...account } of await namelessAccounts(database, { platform: adapter.platform, tenant })) {
      const key = `${account.platform}:${tenant}:${account.user}`;
      const now = clock.now().getTime();
      if ((notBefore.get(key) ?? 0) > now) continue;
      if (signal.aborted) return;
      notBefore.set(key, now + againMs);
      try {
        const name = await adapter.nameOf?.(account);
        if (name === undefined) continue;
        await database.transaction((tx) => findOrCreatePerson(tx, { workspace, identity: account, name, role: undefined }));
        notBefore.delete(key);
      } catch (error) {
        if (!(error instanceof DeliveryError)) throw error;
        const { kind } = error.failure;
        const waitMs = kind === 'rate_limited' || kind === 'unreachable' || kind === 'unknown' ? retryMs : againMs;
        notBefore.set(key, now + waitMs);
        logger.info({ platform: adapter.platform, failure: error.failure }, 'the name of an account was not told');
      }
    }
  }

  return createLoop({
    name: 'names',
    idleMs: lookEveryMs,
    async run(signal) {
      for (const adapter of adapters) {
        if (adapter.nameOf === undefined) continue;
        for (const { tenant } of adapter.tenants()) await lookUp(adapter, tenant, signal);
      }
      return false;
    },
    onError: (error, failures) => logger.warn({ err: error, failures }, 'names of accounts could not be looked up'),
  });
}
