import type { InboundSink } from '../../src/contracts/chat-adapter.ts';
import type { InboundEvent } from '../../src/contracts/inbound.ts';
import type { Logger } from '../../src/runtime/logger.ts';
import { type Album, createAlbums } from './albums.ts';
import { readUpdate } from './inbound.ts';
import type { People } from './people.ts';
import type { PressAnswers } from './press-answers.ts';
import type { InboundContext } from './reading.ts';

/** Takes updates to the sink, in the order of their arrival. */
export interface Intake {
  /** Resolves with how many of them, from the first, need never come again: stored, meaningless, or impossible to store. */
  take(updates: readonly unknown[]): Promise<number>;
  /** Resolves when nothing is on its way. */
  idle(): Promise<void>;
}

interface Work {
  /** `undefined` when not even the number of the update can be read. */
  id: number | undefined;
  events: InboundEvent[];
  press: string | undefined;
  done: boolean;
}

/** An update that could not be stored this often, while others could, is taken for one that never will be. */
const maxFailures = 5;
const maxKnown = 1_000;

export function createIntake(deps: {
  context: InboundContext;
  people: People;
  sink: InboundSink;
  answers: PressAnswers;
  logger: Logger;
}): Intake {
  const { context, people, sink, answers, logger } = deps;
  /** Updates that could not be stored: how often, and how many had been stored when that began. */
  const failures = new Map<number, { count: number; since: number }>();
  let storedSoFar = 0;
  const running = new Set<Promise<number>>();
  const albums = createAlbums();

  function read(update: unknown): Work & Album {
    const inbound = readUpdate(update, context);
    if (inbound.kind === 'malformed') logger.warn({ why: inbound.why }, 'malformed telegram update dropped');
    if (inbound.kind === 'ignored') logger.debug({ why: inbound.why }, 'telegram update ignored');
    const pressed = inbound.kind === 'malformed' ? undefined : inbound.press;
    if (inbound.kind !== 'events' && pressed !== undefined) void answers.acknowledge(pressed);
    const list = inbound.kind === 'events' ? inbound.events : [];
    return {
      id: updateId(update),
      events: list,
      press: list.length === 0 ? undefined : pressed,
      done: list.length === 0,
      album: inbound.kind === 'events' ? inbound.album : undefined,
      talk: inbound.kind === 'events' && inbound.talk === true,
    };
  }

  async function take(updates: readonly unknown[]): Promise<number> {
    const all = updates.map(read);
    albums.join(all);
    for (const one of all) if (one.events.length === 0) one.done = true;
    const waiting = all.filter(({ done }) => !done);
    await Promise.all(waiting.map(withAffiliations));
    if (waiting.length > 0 && (await store(waiting)) !== undefined) await storeSingly(waiting);
    const first = all.findIndex(({ done }) => !done);
    return first < 0 ? all.length : first;
  }

  async function withAffiliations(work: Work): Promise<void> {
    work.events = await Promise.all(
      work.events.map(async (event) => {
        if (event.actor.bot || event.type === 'channel_moved') return event;
        const affiliation = await people.find(event.conversation, event.actor.user);
        return affiliation === undefined ? event : { ...event, actor: { ...event.actor, affiliation } };
      }),
    );
  }

  async function store(some: readonly Work[]): Promise<{ error: unknown } | undefined> {
    for (const { press } of some) if (press !== undefined) answers.expect(press);
    try {
      await sink(some.flatMap(({ events }) => events));
    } catch (error) {
      for (const { press } of some) if (press !== undefined) answers.forget(press);
      return { error };
    }
    storedSoFar += some.length;
    for (const one of some) {
      one.done = true;
      if (one.id !== undefined) failures.delete(one.id);
      if (one.press !== undefined) answers.stored(one.press);
    }
    return undefined;
  }

  /**
   * One bad update must not keep the others out, and must not be overtaken by what its conversation said later, unless it has failed
   * again and again while others were stored: then it is this one update that is impossible, not the store that is down.
   */
  async function storeSingly(waiting: readonly Work[]): Promise<void> {
    const held = new Set<string>();
    for (const one of waiting) {
      const channel = one.events[0]?.conversation.channel ?? '';
      if (held.has(channel)) continue;
      const failed = await store([one]);
      if (failed === undefined) continue;
      if (!isHopeless(one.id)) {
        held.add(channel);
        continue;
      }
      one.done = true;
      if (one.press !== undefined) void answers.acknowledge(one.press);
      logger.error({ err: failed.error, update: one.id }, 'a telegram update that cannot be stored is left out');
    }
  }

  /** Counts a failure. */
  function isHopeless(id: number | undefined): boolean {
    if (id === undefined) return true;
    const { count, since } = failures.get(id) ?? { count: 0, since: storedSoFar };
    if (failures.size >= maxKnown) failures.delete(failures.keys().next().value ?? id);
    failures.set(id, { count: count + 1, since });
    return count + 1 >= maxFailures && storedSoFar > since;
  }

  return {
    take(updates) {
      const work = take(updates).finally(() => running.delete(work));
      running.add(work);
      return work;
    },
    async idle() {
      while (running.size > 0) await Promise.allSettled(running);
    },
  };
}

function updateId(update: unknown): number | undefined {
  const { update_id: id } = (update ?? {}) as { update_id?: unknown };
  return typeof id === 'number' ? id : undefined;
}
