import { type ChatAdapter, DeliveryError, type InboundSink } from './contracts/chat-adapter.ts';
import { AppError } from './contracts/errors.ts';
import type { Part } from './runtime/lifecycle.ts';
import type { Logger } from './runtime/logger.ts';
import { createLoop } from './runtime/loop.ts';

/** How long one attempt to connect at start may take: longer would hold up a stop. Milliseconds. */
export const connectWithinMs = 5_000;
const retryEveryMs = 5_000;

/**
 * Connects the platforms. One that refuses the account ends the start (DH-700). One that cannot be reached does not: it is tried
 * again until it answers, while everything else runs and `/readyz` says what is missing.
 *
 * `connected`: called when platforms have connected: once at the start, then after each that came later.
 */
export function platformsPart(options: {
  adapters: readonly ChatAdapter[];
  sink(adapter: ChatAdapter): InboundSink;
  connected(): Promise<void>;
  logger: Logger;
}): Part {
  const { adapters, logger } = options;
  const missing = new Set(adapters);

  async function connect(adapter: ChatAdapter): Promise<boolean> {
    try {
      await adapter.start(options.sink(adapter));
    } catch (error) {
      const failure = error instanceof DeliveryError ? error.failure : undefined;
      if (failure === undefined || failure.kind === 'rate_limited') throw error;
      if (failure.kind === 'unreachable' || failure.kind === 'unknown') {
        logger.warn({ platform: adapter.platform, detail: failure.detail }, 'a platform is not reached; Deckhand keeps trying');
        return false;
      }
      if (adapter.capabilities.cards === 'one') {
        // A place to ask in beside the chats: without it everything else goes on, and `doctor` says what is wrong.
        logger.error(
          { platform: adapter.platform, detail: failure.detail },
          'a code host refuses Deckhand; nobody can ask there',
        );
        missing.delete(adapter);
        return false;
      }
      const remedy = `Check its tokens; docs/setup/${adapter.platform}.md says where they come from.`;
      throw new AppError('DH-700', { platform: adapter.platform, detail: failure.detail, remedy }, { cause: error });
    }
    missing.delete(adapter);
    return true;
  }

  const retries = createLoop({
    name: 'platforms',
    idleMs: retryEveryMs,
    async run() {
      for (const adapter of missing) {
        if (await connect(adapter)) {
          await options.connected();
          logger.info({ platform: adapter.platform }, 'the platform is connected');
        }
      }
      return false;
    },
    onError: (error) => logger.error({ err: error }, 'a platform could not be connected'),
  });

  return {
    name: 'platforms',
    async start() {
      const reached = await Promise.all(adapters.map(connect));
      if (reached.includes(true)) await options.connected();
      if (missing.size > 0) retries.start();
    },
    async stop() {
      // A connection under way ends within its own time; stopping the adapter cuts it short.
      await Promise.all([retries.stop(), ...adapters.map((adapter) => adapter.stop())]);
    },
  };
}
