import type { InboundSink } from '../../src/contracts/chat-adapter.ts';
import type { InboundEvent } from '../../src/contracts/inbound.ts';
import type { Logger } from '../../src/runtime/logger.ts';
import { readUpdate } from './inbound.ts';
import type { PressAnswers } from './press-answers.ts';
import type { Inbound, InboundContext } from './reading.ts';

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
  sink: InboundSink;
  answers: PressAnswers;
  logger: Logger;
}): Intake {
  const { context, sink, answers, logger } = deps;
  const failures = new Map<number, number>();
  const running = new Set<Promise<number>>();

  function read(update: unknown): Work & { album: string | undefined } {
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
      album: albumOf(inbound),
    };
  }

  async function take(updates: readonly unknown[]): Promise<number> {
    const all = withAlbums(updates.map(read));
    const waiting = all.filter(({ done }) => !done);
    if (waiting.length > 0 && (await store(waiting)) !== undefined) await storeSingly(waiting);
    const first = all.findIndex(({ done }) => !done);
    return first < 0 ? all.length : first;
  }

  async function store(some: readonly Work[]): Promise<{ error: unknown } | undefined> {
    for (const { press } of some) if (press !== undefined) answers.expect(press);
    try {
      await sink(some.flatMap(({ events }) => events));
    } catch (error) {
      for (const { press } of some) if (press !== undefined) answers.forget(press);
      return { error };
    }
    for (const one of some) {
      one.done = true;
      if (one.id !== undefined) failures.delete(one.id);
      if (one.press !== undefined) answers.stored(one.press);
    }
    return undefined;
  }

  /**
   * One bad update must not keep the others out, and must not be overtaken by what its conversation said later, unless it has failed
   * again and again. Then the others tell whether the store is down or this one update is impossible.
   */
  async function storeSingly(waiting: readonly Work[]): Promise<void> {
    const held = new Set<string>();
    const suspects: { work: Work; error: unknown }[] = [];
    let stored = 0;
    for (const one of waiting) {
      const channel = one.events[0]?.conversation.channel ?? '';
      if (held.has(channel)) continue;
      const failed = await store([one]);
      if (failed === undefined) {
        stored += 1;
        continue;
      }
      if (countFailure(one.id) >= maxFailures) suspects.push({ work: one, error: failed.error });
      else held.add(channel);
    }
    for (const { work, error } of stored === 0 ? [] : suspects) {
      work.done = true;
      if (work.press !== undefined) void answers.acknowledge(work.press);
      logger.error({ err: error, update: work.id }, 'a telegram update that cannot be stored is left out');
    }
  }

  function countFailure(id: number | undefined): number {
    if (id === undefined) return maxFailures;
    const count = (failures.get(id) ?? 0) + 1;
    if (failures.size >= maxKnown) failures.delete(failures.keys().next().value ?? id);
    failures.set(id, count);
    return count;
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

/** Files sent at once come as messages of their own, the words with the first: they are one act. */
function withAlbums(all: readonly (Work & { album: string | undefined })[]): Work[] {
  const firsts = new Map<string, InboundEvent>();
  for (const one of all) {
    const [event] = one.events;
    if (one.album === undefined || event?.type !== 'message') continue;
    const first = firsts.get(one.album);
    if (first?.type !== 'message') {
      firsts.set(one.album, event);
      continue;
    }
    first.attachments.push(...event.attachments);
    if (first.text === '') first.text = event.text;
    one.events = [];
    one.done = true;
  }
  return [...all];
}

function albumOf(inbound: Inbound): string | undefined {
  if (inbound.kind !== 'events' || inbound.album === undefined) return undefined;
  return `${inbound.events[0]?.conversation.channel}:${inbound.album}`;
}

function updateId(update: unknown): number | undefined {
  const { update_id: id } = (update ?? {}) as { update_id?: unknown };
  return typeof id === 'number' ? id : undefined;
}
