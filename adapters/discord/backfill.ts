import { setTimeout as delay } from 'node:timers/promises';
import { z } from 'zod';
import { DeliveryError, type Missed } from '../../src/contracts/chat-adapter.ts';
import type { InboundEvent } from '../../src/contracts/inbound.ts';
import type { Logger } from '../../src/runtime/logger.ts';
import { laterId, snowflakeAt } from './discord-text.ts';
import { messageEvents } from './messages.ts';
import { messageSchema } from './payloads.ts';
import type { InboundContext } from './reading.ts';
import { path, type Rest } from './rest.ts';
import { channelOf } from './sending.ts';

const pageSize = 100;
/** A conversation in which more was said than this while nobody listened is told from its beginning on. */
const maxPages = 20;
/** Clocks differ; what was stored already is harmless. */
const skewMs = 60_000;
const maxWaits = 20;

const page = z.array(z.unknown());

/** Asks what was said in a conversation and gives it to `take`, oldest first. A conversation that is gone or hidden has nothing to say. */
export async function backfillOne(
  deps: { rest: Rest; context: InboundContext; logger: Logger; signal: AbortSignal },
  { conversation, since }: Missed,
  take: (events: InboundEvent[]) => Promise<void>,
): Promise<void> {
  const { rest, context, logger, signal } = deps;
  let after = snowflakeAt(Date.parse(since) - skewMs);
  let waits = 0;
  for (let read = 0; read < maxPages && !signal.aborted; ) {
    let answer: unknown[];
    try {
      const query = { limit: String(pageSize), after };
      const route = path`/channels/${channelOf(conversation)}/messages`;
      answer = await rest.call({ method: 'get', route, what: 'look up what was missed', query }, page);
    } catch (error) {
      const failure = error instanceof DeliveryError ? error.failure : undefined;
      if (failure?.kind === 'gone' || failure?.kind === 'not_permitted') {
        logger.info({ failure, channel: channelOf(conversation) }, 'nothing to look up in a discord channel');
        return;
      }
      waits += 1;
      if (failure === undefined || failure.kind === 'rejected' || waits > maxWaits) throw error;
      const ms = failure.kind === 'rate_limited' ? failure.retryAfterMs : Math.min(30_000, 500 * 2 ** waits);
      await delay(ms, undefined, { signal }).catch(() => undefined);
      continue;
    }
    read += 1;
    const messages = answer
      .flatMap((one) => messageSchema.safeParse(one).data ?? [])
      .sort((one, other) => (laterId(one.id, other.id) === one.id ? 1 : -1));
    const events = messages.flatMap((message) => {
      const read = messageEvents(message, { conversation }, context);
      return read.kind === 'events' ? read.events : [];
    });
    if (events.length > 0) await take(events);
    const newest = messages.at(-1)?.id;
    if (answer.length < pageSize || newest === undefined) return;
    after = newest;
  }
}
