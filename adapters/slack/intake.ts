import type { InboundSink } from '../../src/contracts/chat-adapter.ts';
import type { InboundEvent } from '../../src/contracts/inbound.ts';
import type { Logger } from '../../src/runtime/logger.ts';
import type { Privacy } from './channels.ts';
import { readPayload } from './inbound.ts';
import type { Account, People } from './people.ts';
import type { InboundContext } from './reading.ts';

/** Takes payloads to the sink, those of one channel in the order of their arrival. */
export interface Intake {
  /** Resolves when what the payload means is stored, or when it means nothing to us; rejects when it could not be stored. */
  accept(body: unknown): Promise<void>;
  /** Resolves when nothing is on its way. */
  idle(): Promise<void>;
}

interface Waiting {
  events: InboundEvent[];
  stored: PromiseWithResolvers<void>;
}

const batch = 100;

export function createIntake(deps: {
  context: InboundContext;
  people: Pick<People, 'find'>;
  privacy: Privacy;
  sink: InboundSink;
  logger: Logger;
}): Intake {
  const { context, people, privacy, sink, logger } = deps;
  const channels = new Map<string, { waiting: Waiting[]; work: Promise<void> }>();

  /** Stores what waits, together where more came in meanwhile. One after another: two inserts at once could change places. */
  async function drain(channel: string, waiting: Waiting[]): Promise<void> {
    // Lets everything that arrived in the same turn join the first batch.
    await Promise.resolve();
    while (waiting.length > 0) {
      const taken = waiting.splice(0, batch);
      const failed = await store(taken);
      if (failed !== undefined) await storeSingly(taken, failed.error);
    }
    channels.delete(channel);
  }

  /** One bad event must not keep the others out; two failures in a row are taken for a store that is down. */
  async function storeSingly(taken: Waiting[], error: unknown): Promise<void> {
    let failures = taken.length === 1 ? 2 : 0;
    for (const one of taken) {
      const failed = failures >= 2 ? { error } : await store([one]);
      failures = failed === undefined ? 0 : failures + 1;
      if (failed !== undefined) one.stored.reject(failed.error);
    }
  }

  async function store(taken: Waiting[]): Promise<{ error: unknown } | undefined> {
    try {
      await sink(await Promise.all(taken.flatMap(({ events }) => events).map(completed)));
    } catch (error) {
      return { error };
    }
    for (const one of taken) one.stored.resolve();
    return undefined;
  }

  async function completed(event: InboundEvent): Promise<InboundEvent> {
    const [account, told] = await Promise.all([people.find(event.actor.user), privacyOf(event)]);
    return withAccount({ ...event, ...told }, account);
  }

  async function privacyOf(event: InboundEvent): Promise<Pick<InboundEvent, 'channelPrivate'>> {
    if (event.type !== 'message' || event.channelPrivate !== undefined || event.conversation.kind === 'direct') return {};
    return { channelPrivate: await privacy.find(event.conversation.channel) };
  }

  function withAccount(event: InboundEvent, account: Account | undefined): InboundEvent {
    if (account === undefined) return { ...event, actor: { affiliation: { kind: 'unknown' }, ...event.actor } };
    const { affiliation } = account;
    const name = account.name ?? event.actor.name;
    const bot = event.actor.bot || account.bot;
    return { ...event, actor: { ...event.actor, ...(name === undefined ? {} : { name }), bot, affiliation } };
  }

  function enqueue(channel: string, events: InboundEvent[]): Promise<void> {
    const stored = Promise.withResolvers<void>();
    const running = channels.get(channel);
    if (running !== undefined) {
      running.waiting.push({ events, stored });
      return stored.promise;
    }
    const waiting = [{ events, stored }];
    channels.set(channel, { waiting, work: drain(channel, waiting) });
    return stored.promise;
  }

  return {
    async accept(body) {
      privacy.learn(body);
      const read = readPayload(body, context);
      if (read.kind === 'malformed') logger.warn({ why: read.why }, 'malformed slack payload dropped');
      if (read.kind === 'ignored') logger.debug({ why: read.why }, 'slack payload ignored');
      const [first] = read.kind === 'events' ? read.events : [];
      if (read.kind === 'events' && first !== undefined) await enqueue(first.conversation.channel, read.events);
    },
    async idle() {
      while (channels.size > 0) await Promise.all([...channels.values()].map(({ work }) => work));
    },
  };
}
