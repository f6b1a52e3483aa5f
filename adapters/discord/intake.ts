import { setTimeout as delay } from 'node:timers/promises';
import type { InboundSink } from '../../src/contracts/chat-adapter.ts';
import type { InboundEvent } from '../../src/contracts/inbound.ts';
import type { Logger } from '../../src/runtime/logger.ts';

/** Something that came in, and how it becomes events; `read` may have to ask Discord, and is tried again when it rejects. */
export interface Incoming {
  /** Things of one channel are stored in the order of their arrival. */
  channel: string;
  read(): Promise<InboundEvent[]>;
  /** Present for what is of no use later: an interaction that nobody can acknowledge any more is not stored, for the person repeats it. */
  withinMs?: number | undefined;
}

export interface Intake {
  /** Resolves when it is stored, or when it means nothing to us; rejects when it was given up. */
  accept(incoming: Incoming): Promise<void>;
  /** Gives up what waits for the store and resolves when nothing is on its way. Idempotent. */
  stop(): Promise<void>;
}

interface Waiting {
  incoming: Incoming;
  until: number;
  failures: number;
  /** How much was stored when this failed first. */
  storedBefore: number;
  done: PromiseWithResolvers<void>;
}

const batch = 100;
const maxWaiting = 10_000;
/** What still fails after so many attempts, while other things are stored, is at fault itself. */
const poisonedAfter = 5;

/**
 * Takes what the gateway tells to the sink. Discord does not deliver again, so that what cannot be stored is kept and tried until it can.
 */
export function createIntake(deps: {
  sink: InboundSink;
  logger: Logger;
  now(): Date;
  /** Something was turned away that Discord can still be asked for, from then on, and there is room again. */
  onLoss(from: Date): void;
}): Intake {
  const { sink, logger, now, onLoss } = deps;
  const channels = new Map<string, { waiting: Waiting[]; work: Promise<void> }>();
  const stopping = new AbortController();
  let count = 0;
  let stored = 0;
  let lostSince: Date | undefined;

  async function drain(channel: string, waiting: Waiting[]): Promise<void> {
    // Lets everything that arrived in the same turn join the first batch.
    await Promise.resolve();
    for (let failures = 0; waiting.length > 0; ) {
      for (const late of waiting.filter(isLate)) giveUp(waiting, late, 'too late to be acknowledged');
      const taken = waiting.slice(0, batch);
      if (taken.length === 0) break;
      if (await attempt(waiting, taken)) failures = 0;
      else {
        failures += 1;
        for (const one of [...waiting]) if (isPoisoned(one)) giveUp(waiting, one, 'others are stored, this is not');
        await pause(failures);
        if (stopping.signal.aborted) for (const one of [...waiting]) giveUp(waiting, one, 'the adapter stops');
      }
    }
    channels.delete(channel);
  }

  /** True when something was stored, or settled. A batch that fails is tried one by one, up to the first that fails. */
  async function attempt(waiting: Waiting[], taken: Waiting[]): Promise<boolean> {
    if ((await store(taken)) === undefined) return settle(waiting, taken);
    let any = false;
    for (const one of taken.length === 1 ? [] : taken) {
      if ((await store([one])) !== undefined) break;
      any = settle(waiting, [one]);
    }
    const [first] = waiting;
    if (!any && first !== undefined) {
      if (first.failures === 0) first.storedBefore = stored;
      first.failures += 1;
      if (first.incoming.withinMs !== undefined) giveUp(waiting, first, 'could not be stored');
    }
    return any;
  }

  async function store(taken: readonly Waiting[]): Promise<unknown> {
    try {
      const events = (await Promise.all(taken.map(({ incoming }) => incoming.read()))).flat();
      if (events.length > 0) await sink(events);
      return undefined;
    } catch (error) {
      logger.error({ err: error, channel: taken[0]?.incoming.channel }, 'discord events not stored');
      return error ?? new Error('not stored');
    }
  }

  function settle(waiting: Waiting[], done: readonly Waiting[]): true {
    for (const one of done) {
      remove(waiting, one);
      stored += 1;
      one.done.resolve();
    }
    if (lostSince !== undefined && count < maxWaiting / 2) {
      const from = lostSince;
      lostSince = undefined;
      onLoss(from);
    }
    return true;
  }

  function giveUp(waiting: Waiting[], one: Waiting, why: string): void {
    remove(waiting, one);
    logger.warn({ channel: one.incoming.channel, why }, 'discord event given up');
    one.done.reject(new Error(`not stored: ${why}`));
  }

  function remove(waiting: Waiting[], one: Waiting): void {
    waiting.splice(waiting.indexOf(one), 1);
    count -= 1;
  }

  function isLate({ until }: Waiting): boolean {
    return performance.now() > until;
  }

  function isPoisoned({ failures, storedBefore }: Waiting): boolean {
    return failures >= poisonedAfter && stored > storedBefore;
  }

  async function pause(failures: number): Promise<void> {
    await delay(Math.min(5_000, 50 * 2 ** failures), undefined, { signal: stopping.signal }).catch(() => undefined);
  }

  return {
    accept(incoming) {
      const one: Waiting = {
        incoming,
        until: incoming.withinMs === undefined ? Number.POSITIVE_INFINITY : performance.now() + incoming.withinMs,
        failures: 0,
        storedBefore: stored,
        done: Promise.withResolvers<void>(),
      };
      if (stopping.signal.aborted) return Promise.reject(new Error('not stored: the adapter stops'));
      if (count >= maxWaiting) {
        if (incoming.withinMs === undefined) lostSince ??= now();
        return Promise.reject(new Error('not stored: too much waits already'));
      }
      count += 1;
      const running = channels.get(incoming.channel);
      if (running !== undefined) running.waiting.push(one);
      else {
        const waiting = [one];
        channels.set(incoming.channel, { waiting, work: drain(incoming.channel, waiting) });
      }
      return one.done.promise;
    },
    async stop() {
      stopping.abort();
      while (channels.size > 0) await Promise.all([...channels.values()].map(({ work }) => work));
    },
  };
}
